//! CRC-32, against torn writes and rot. It keeps no attacker out.

/// CRC-32 as in ISO/IEC 8802-3 (reflected, polynomial 0x04C11DB7).
#[inline(never)]
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.finish()
}

/// The same over bytes that come in pieces.
pub(crate) struct Crc(u32);

impl Crc {
    pub(crate) const fn new() -> Self {
        Self(u32::MAX)
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.0 = if cfg!(target_pointer_width = "64") {
            by_words(self.0, bytes)
        } else {
            by_nibbles(self.0, bytes)
        };
    }

    pub(crate) const fn finish(self) -> u32 {
        !self.0
    }
}

/// Four bits at a time: 64 bytes of table, where that of whole bytes would cost a kilobyte of flash.
fn by_nibbles(mut crc: u32, bytes: &[u8]) -> u32 {
    static TABLE: [u32; 16] = table(4);
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..2 {
            crc = (crc >> 4) ^ at(&TABLE, crc & 0xF);
        }
    }
    crc
}

/// Four bytes at a time, each in a table of its own, where four kilobytes are nothing: a record is written for each
/// page of an image.
fn by_words(mut crc: u32, bytes: &[u8]) -> u32 {
    static TABLES: [[u32; 256]; 4] = [table(32), table(24), table(16), table(8)];
    let (words, rest) = bytes.as_chunks();
    for word in words {
        let bytes = (crc ^ u32::from_le_bytes(*word)).to_le_bytes();
        crc = 0;
        for (table, byte) in TABLES.iter().zip(bytes) {
            crc ^= at(table, byte.into());
        }
    }
    by_nibbles(crc, rest)
}

fn at(table: &[u32], index: u32) -> u32 {
    let index = usize::try_from(index).unwrap_or(0);
    table.get(index).copied().unwrap_or(0)
}

/// What each value of the lowest bits adds once so many `bits` have gone by.
const fn table<const N: usize>(bits: u32) -> [u32; N] {
    let mut table = [0; N];
    let mut rest: &mut [u32] = &mut table;
    let mut value = 0_u32;
    while let Some((entry, others)) = rest.split_first_mut() {
        *entry = value;
        let mut left = bits;
        while left > 0 {
            *entry = (*entry >> 1) ^ (0xEDB8_8320 & (*entry & 1).wrapping_neg());
            left = left.saturating_sub(1);
        }
        rest = others;
        value = value.saturating_add(1);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_value_of_the_catalogue_comes_out() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_ne!(crc32(&[0; 28]), 0);
        assert_ne!(crc32(&[0xFF; 28]), u32::MAX);
    }

    #[test]
    fn small_and_large_devices_get_the_same() {
        let bytes = core::array::from_fn::<u8, 67, _>(|index| u8::try_from(index * 37 % 256).unwrap());
        for from in 0..4 {
            for to in from..bytes.len() {
                let part = &bytes[from..to];
                assert_eq!(
                    by_words(u32::MAX, part),
                    by_nibbles(u32::MAX, part),
                    "{from}..{to}"
                );
            }
        }
        assert_eq!(!by_nibbles(u32::MAX, b"123456789"), 0xCBF4_3926);
    }
}
