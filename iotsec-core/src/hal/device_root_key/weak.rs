//! Keys that everyone knows, or would try first.

/// Different bytes that a key has at least; a random one has fewer once in 2^111 times.
const MIN_DIFFERENT: u32 = 9;

/// The first eight bytes of keys in which no rule below sees a pattern. A random key begins like one of them
/// once in 2^60 times.
const SAMPLES: [u64; 12] = [
    // SHA-256 of nothing, and of 16 and 32 bytes that are 0x00 and 0xFF, as unprogrammed fuses are.
    0xE3B0_C442_98FC_1C14,
    0x3747_08FF_F771_9DD5,
    0x5AC6_A594_5F16_5009,
    0x6668_7AAD_F862_BD77,
    0xAF96_1376_0F72_635F,
    // AES-256 in NIST SP 800-38A, F.1.5.
    0x603D_EB10_15CA_71BE,
    // Ed25519 in RFC 8032, section 7.1, test 1.
    0x9D61_B19D_EFFD_5A60,
    // X25519 in RFC 7748, section 6.1, Alice and Bob.
    0x7707_6D0A_7318_A57D,
    0x5DAB_087E_624A_8A4B,
    // ChaCha20 in RFC 8439, appendix A.
    0x1C92_40A5_EB55_D38A,
    // Initial attestation key of Trusted Firmware-M, platform/ext/common/template.
    0xA9B4_54B2_6D6F_90A4,
    // Hardware unique key of STMicroelectronics' TF-M example for STM32L5, tfm_bl2_shared_data.c:
    // text that begins with "_STM32L6".
    0x5F53_544D_3332_4C36,
];

/// Time does not depend on the key, except through the answer.
pub(super) fn is_weak(key: &[u8; 32]) -> bool {
    let samples = SAMPLES.iter().fold(false, |found, sample| {
        let [a, b, c, d, e, f, g, h, ..] = *key;
        found | (u64::from_be_bytes([a, b, c, d, e, f, g, h]) == *sample)
    });
    let steps = (1..=MAX_STEP_PERIOD).fold(false, |found, period| found | steps(key, period));
    let repeats = (1..=MAX_PERIOD).fold(false, |found, period| found | repeats(key, period));
    samples | steps | repeats | (different(key) < MIN_DIFFERENT)
}

/// With the longest period 16 bytes must agree by chance: once in 2^128 times.
const MAX_PERIOD: usize = 16;
const MAX_STEP_PERIOD: usize = 8;

/// Whether every byte is that which stands `period` bytes before it.
fn repeats(key: &[u8; 32], period: usize) -> bool {
    let pairs = key.iter().zip(key.iter().skip(period));
    pairs.fold(0, |differ, (before, byte)| differ | (before ^ byte)) == 0
}

/// Whether bytes, or words of `period` bytes without a carry, go up or down in equal steps.
fn steps(key: &[u8; 32], period: usize) -> bool {
    let later = key.iter().skip(period);
    let latest = key.iter().skip(period.saturating_add(period));
    let differ = key
        .iter()
        .zip(later)
        .zip(latest)
        .fold(0, |differ, ((first, second), third)| {
            differ | (second.wrapping_sub(*first) ^ third.wrapping_sub(*second))
        });
    differ == 0
}

/// How many values the bytes have.
fn different(key: &[u8; 32]) -> u32 {
    let mut rest = key.as_slice();
    let mut count = 0_u32;
    while let Some((byte, behind)) = rest.split_first() {
        let again = behind.iter().fold(false, |again, other| again | (other == byte));
        count = count.saturating_add(u32::from(!again));
        rest = behind;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Sha256;
    use core::array::from_fn;
    use rand_core::TryRng;

    fn byte(at: usize) -> u8 {
        u8::try_from(at).unwrap()
    }

    fn key(hex: &str) -> [u8; 32] {
        from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
    }

    #[test]
    fn constants_and_near_constants() {
        for value in [0, 0x0B, 0x5A, 0xA5, 0xFF] {
            assert!(is_weak(&[value; 32]));
        }
        for at in 0..32 {
            let mut one = [0; 32];
            one[at] = 0x80;
            assert!(is_weak(&one));
        }
        assert!(is_weak(&from_fn(|at| if at < 16 { 0 } else { 0xFF })));
    }

    #[test]
    fn sequences() {
        for start in 0..=255_u8 {
            for step in 0..=255_u8 {
                let up: [u8; 32] = from_fn(|at| start.wrapping_add(step.wrapping_mul(byte(at))));
                assert!(is_weak(&up), "{start} {step}");
            }
        }
        // 0001 0002 0003 …, 00000001 00000002 …, and the same little endian.
        for width in [2, 4, 8] {
            let big: [u8; 32] = from_fn(|at| {
                let last = at % width == width - 1;
                if last { byte(at / width + 1) } else { 0 }
            });
            let little: [u8; 32] = from_fn(|at| big[at / width * width + (width - 1 - at % width)]);
            assert!(is_weak(&big) && is_weak(&little), "{width}");
        }
    }

    #[test]
    fn patterns_that_repeat() {
        for period in 1..=MAX_PERIOD {
            let pattern: [u8; 32] = from_fn(|at| Sha256::of(&[b"pattern"])[at % period]);
            assert!(is_weak(&pattern), "{period}");
        }
        assert!(is_weak(b"0123456789abcdef0123456789abcdef"));
        assert!(is_weak(b"12345678901234567890123456789012"));
        assert!(is_weak(&key(
            "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        )));
        assert!(is_weak(&key(
            "0123456789abcdeffedcba98765432100123456789abcdeffedcba9876543210"
        )));
        // The hardware unique key of Trusted Firmware-M's dummy provisioning.
        assert!(is_weak(&from_fn(|at| byte(at % 16))));
    }

    #[test]
    fn hashes_of_nothing() {
        let inputs: [&[u8]; 5] = [&[], &[0; 16], &[0xFF; 16], &[0; 32], &[0xFF; 32]];
        for input in inputs {
            assert!(is_weak(&Sha256::of(&[input])), "{input:?}");
        }
    }

    #[test]
    fn sample_keys() {
        for hex in [
            "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0",
            "a9b454b26d6f90a4ea31193564cba91fec6f9a002a7dc0504b92a1937134585f",
            "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        ] {
            assert!(is_weak(&key(hex)), "{hex}");
        }
        assert!(is_weak(b"_STM32L652XX_HUK_CUSTOMIZATION_\r"));
    }

    #[test]
    fn random_keys_pass() {
        let mut rng = iotsec_testkit::SimRng::new(1);
        for _ in 0..20_000 {
            let mut key = [0; 32];
            let Ok(()) = rng.try_fill_bytes(&mut key);
            assert!(!is_weak(&key), "{key:?}");
        }
    }

    #[test]
    fn a_key_next_to_a_weak_one_passes() {
        // 17 bytes of a sequence, then others: no rule reaches over more than it says.
        let mixed = from_fn(|at| {
            if at < 17 {
                byte(at)
            } else {
                Sha256::of(&[b"rest"])[at]
            }
        });
        assert!(!is_weak(&mixed));
    }
}
