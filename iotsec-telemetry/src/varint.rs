//! Unsigned numbers in groups of seven bits (`FORMAT.md`, "Segment"): the least significant group first,
//! the top bit of a byte set while another follows.

use iotsec_core::cbor::{CborError, Writer};

use crate::error::DecodeError;

/// Ten groups of seven bits hold 64.
const MAX_LEN: usize = 10;
const MORE: u8 = 0x80;

/// Writes `value` in its only form, the shortest.
pub(crate) fn write(writer: &mut Writer<'_>, value: u64) -> Result<(), CborError> {
    let (mut bytes, mut len, mut left) = ([0; MAX_LEN], 0usize, value);
    for byte in &mut bytes {
        let [low, ..] = left.to_le_bytes();
        left >>= 7;
        len = len.saturating_add(1);
        if left == 0 {
            *byte = low;
            break;
        }
        *byte = low | MORE;
    }
    writer.raw(bytes.get(..len).unwrap_or_default()).map(drop)
}

/// Takes a number off the front of `bytes`. Another form than the shortest is refused.
pub(crate) fn read(bytes: &mut &[u8]) -> Result<u64, DecodeError> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or(DecodeError::Range)?;
        *bytes = rest;
        let group = u64::from(*first & !MORE);
        // The last of ten groups has room for one bit.
        if (group << shift) >> shift != group {
            return Err(DecodeError::Range);
        }
        value |= group << shift;
        if *first & MORE == 0 {
            let shortest = *first != 0 || shift == 0;
            return shortest.then_some(value).ok_or(DecodeError::Range);
        }
    }
    Err(DecodeError::Range)
}

#[cfg(test)]
mod tests {
    use std::{vec, vec::Vec};

    use super::*;

    fn written(value: u64) -> Vec<u8> {
        let mut out = [0; MAX_LEN];
        let mut writer = Writer::new(&mut out);
        write(&mut writer, value).unwrap();
        writer.finish().unwrap().to_vec()
    }

    #[test]
    fn every_length_is_written_and_read_back() {
        for bits in 0..64 {
            for value in [1u64 << bits, (1 << bits) - 1, (1 << bits) | 1] {
                let bytes = written(value);
                let used = usize::try_from(64 - value.leading_zeros()).unwrap();
                assert_eq!(bytes.len(), used.div_ceil(7).max(1));
                let mut rest = bytes.as_slice();
                assert_eq!((read(&mut rest), rest), (Ok(value), &[][..]));
                for cut in 0..bytes.len() {
                    assert_eq!(read(&mut &bytes[..cut]), Err(DecodeError::Range));
                }
            }
        }
        assert_eq!(written(u64::MAX).len(), MAX_LEN);
        assert_eq!(read(&mut written(u64::MAX).as_slice()), Ok(u64::MAX));
    }

    #[test]
    fn a_number_has_one_form() {
        for wrong in [
            vec![0x80, 0],
            vec![0xFF, 0],
            vec![0x81, 0x80, 0],
            [vec![0xFF; 9], vec![2]].concat(),
            [vec![0xFF; 9], vec![0x81, 0]].concat(),
            [vec![0x80; 10], vec![1]].concat(),
        ] {
            assert_eq!(read(&mut wrong.as_slice()), Err(DecodeError::Range), "{wrong:?}");
        }
    }
}
