//! The stored form of a guard.

use super::Mode;
use crate::detect::record;

const VERSION: u8 = 1;
/// Version, mode, cause, returns, checksum.
pub(super) const LEN: usize = 9;

/// What is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) mode: Mode,
    pub(super) cause: u16,
    pub(super) returns: u8,
}

pub(super) fn encode(stored: Stored) -> [u8; LEN] {
    let fields = [VERSION, byte(stored.mode)].into_iter();
    let fields = fields.chain(stored.cause.to_be_bytes()).chain([stored.returns]);
    record::close(fields)
}

pub(super) fn decode(bytes: &[u8; LEN]) -> Option<Stored> {
    let (mode, rest) = record::open(bytes, VERSION)?.split_first()?;
    let (cause, [returns]) = record::short(rest)? else {
        return None;
    };
    let mode = [Mode::Normal, Mode::LeastConnectivity, Mode::Safe]
        .into_iter()
        .find(|known| byte(*known) == *mode)?;
    Some(Stored {
        mode,
        cause,
        returns: *returns,
    })
}

/// Far apart in bits, so that decay does not turn one into another.
const fn byte(mode: Mode) -> u8 {
    match mode {
        Mode::Normal => 0x0F,
        Mode::LeastConnectivity => 0xA5,
        Mode::Safe => 0x5A,
    }
}
