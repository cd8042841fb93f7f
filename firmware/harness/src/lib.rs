//! What the bare-metal images share.
//!
//! | module | what it holds |
//! |---|---|
//! | [`flash`] | a NOR flash simulated in memory, with the rules of a real one |
//! | [`entropy`] | a source of fixed bytes, so that runs repeat |
//! | [`entry`] | names the entry point, on a Cortex-M or on RISC-V |
//! | [`measure`] | peak stack and instruction count of a call |
//! | [`residue`] | what a call leaves of a secret in the stack |
//! | [`device`] | a device that vectors of another implementation are for |
//! | [`console`] | text and exit codes over semihosting |
//! | [`vector`] | messages of another implementation |
#![no_std]

use mem as _;

pub mod console;
mod cpu;
pub mod device;
pub mod entropy;
pub mod flash;
pub mod measure;
pub mod residue;
mod stack;
pub mod vector;

pub use cpu::entry;
