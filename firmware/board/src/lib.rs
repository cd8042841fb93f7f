//! The boards on which a boot loader and an application are run in QEMU, and what the two share.
//!
//! | module | what it holds |
//! |---|---|
//! | [`map`] | where everything is, for each board |
//! | [`flash`] | a NOR flash whose content is a file of the host, and power cuts |
//! | [`fuses`] | a counter that never goes down, in a page that is never erased |
//! | [`product`] | the device: identity, layout, whom it trusts |
//! | [`uart`] | the serial port |
//! | [`message`], [`link`] | the serial link |
//! | [`cpu`] | starting an image, restarting |
//! | [`options`] | what the host asks of a run |
//!
//! The board is the one that `BOARD` in the environment names while building, or the first whose core runs the target.
#![no_std]

pub mod cpu;
pub mod flash;
pub mod fuses;
pub mod link;
pub mod map;
mod memory;
pub mod message;
pub mod options;
pub mod product;
pub mod uart;
