//! CRC-32, against torn writes and rot. It keeps no attacker out.

/// CRC-32 as in ISO/IEC 8802-3 (reflected, polynomial 0x04C11DB7).
#[inline(never)]
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.finish()
}

/// What each value of the four lowest bits adds.
const TABLE: [u32; 16] = {
    let mut table = [0; 16];
    let mut rest: &mut [u32] = &mut table;
    let mut value = 0_u32;
    while let Some((entry, others)) = rest.split_first_mut() {
        *entry = value;
        let mut bits = 4;
        while bits > 0 {
            *entry = (*entry >> 1) ^ (0xEDB8_8320 & (*entry & 1).wrapping_neg());
            bits -= 1;
        }
        rest = others;
        value += 1;
    }
    table
};

/// The same over bytes that come in pieces.
pub(crate) struct Crc(u32);

impl Crc {
    pub(crate) const fn new() -> Self {
        Self(u32::MAX)
    }

    /// Four bits at a time: 64 bytes of table, where that of whole bytes would cost a kilobyte of flash.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..2 {
                let index = usize::try_from(self.0 & 0xF).unwrap_or(0);
                self.0 = (self.0 >> 4) ^ TABLE.get(index).copied().unwrap_or(0);
            }
        }
    }

    pub(crate) const fn finish(self) -> u32 {
        !self.0
    }
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
}
