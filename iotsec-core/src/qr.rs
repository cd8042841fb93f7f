//! What QR codes say that people scan to set a device up: as text, for a QR encoder or from a camera.
//!
//! | type | text |
//! |---|---|
//! | [`ProductLabel`] | `IOTSEC1:…`, which device it is and how to know its key |
//! | [`WifiNetwork`] | `WIFI:…`, a network and its password |
//! | [`MatterPayload`] | `MT:…`, for a Matter commissioner |
//! | [`MatterCode`] | the 11 or 21 digits beside it |
//!
//! A parser takes the whole text or nothing, and what it returns cannot be out of bounds. Nothing here is authentic:
//! whoever put the label there wrote what it says.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod error;
mod label;
mod matter;
mod matter_code;
mod passcode;
mod text;
mod verhoeff;
mod wifi;

pub use error::QrError;
pub use label::{KeyFingerprint, ProductLabel};
pub use matter::{CommissioningFlow, MatterPayload};
pub use matter_code::MatterCode;
pub use passcode::Passcode;
pub use wifi::{WifiKey, WifiNetwork};

#[cfg(test)]
mod tests;
