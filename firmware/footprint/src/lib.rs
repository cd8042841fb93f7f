//! What the images of this package measure, one module for each part.
//!
//! A part is prepared first, which is not measured, and its code counts only if the image calls it anyway.
#![no_std]

pub mod aead;
pub mod certificate;
pub mod class1;
pub mod credential;
pub mod detect;
pub mod document;
pub mod identity;
pub mod input;
pub mod mcuboot;
pub mod prio3;
pub mod privacy;
pub mod retry;
pub mod setup;
pub mod store;
pub mod surface;
pub mod telemetry;
pub mod update;
