//! Makes what `iotsec_update::payload::Delta` takes: heatshrink streams, and sequential patches as
//! detools writes and reads them.

mod align;
mod patch;
mod shrink;
mod suffix;

pub(crate) use patch::{Compression, patch};
pub(crate) use shrink::Shrink;

#[cfg(test)]
mod tests;
