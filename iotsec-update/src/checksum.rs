//! CRC-32, against torn writes and rot. It keeps no attacker out.

/// CRC-32 as in ISO/IEC 8802-3 (reflected, polynomial 0x04C11DB7), bit by bit: records are short, and
/// a table would cost a kilobyte of flash.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let mask = (crc & 1).wrapping_neg();
            (crc >> 1) ^ (0xEDB8_8320 & mask)
        })
    });
    !crc
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
