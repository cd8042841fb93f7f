use crate::{
    crypto::{CryptoError, Kdf},
    secret::Secret,
};

/// The first block of PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2). Costs `iterations` calls of HMAC, at least one.
pub(super) fn pbkdf2(
    kdf: &dyn Kdf,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
) -> Result<Secret<32>, CryptoError> {
    pbkdf2_block(kdf, password, salt, iterations, 1)
}

/// Any block, counted from 1.
pub(super) fn pbkdf2_block(
    kdf: &dyn Kdf,
    password: &[u8],
    salt: &[u8],
    iterations: u32,
    number: u32,
) -> Result<Secret<32>, CryptoError> {
    // An interpreter looks for undefined behaviour and not for passwords: ten thousand rounds would take it an hour.
    let iterations = if cfg!(miri) { iterations.min(4) } else { iterations };
    let mut block = Secret::from_bytes(kdf.hmac(password, &[salt, &number.to_be_bytes()])?);
    let mut sum = Secret::from_bytes(*block.expose());
    for _ in 1..iterations {
        block = Secret::from_bytes(kdf.hmac(password, &[block.expose()])?);
        for (sum, byte) in sum.expose_mut().iter_mut().zip(block.expose()) {
            *sum ^= byte;
        }
    }
    Ok(sum)
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::crypto::HkdfSha256;

    /// RFC 7914 §11, the last 32 of the 64 bytes.
    #[test]
    fn the_second_block_of_rfc_7914_holds() {
        let two = pbkdf2_block(&HkdfSha256, b"passwd", b"salt", 1, 2).unwrap();
        assert_eq!(
            two.expose()[..16],
            0x49ca_9ccc_f179_b645_9916_64b3_9d77_ef31_u128.to_be_bytes()
        );
    }

    /// The first 32.
    #[test]
    fn the_vectors_of_rfc_7914_hold() {
        let one = pbkdf2(&HkdfSha256, b"passwd", b"salt", 1).unwrap();
        assert_eq!(
            one.expose()[..16],
            0x55ac_046e_56e3_089f_ec16_91c2_2544_b605_u128.to_be_bytes()
        );
        assert_eq!(
            one.expose()[16..],
            0xf941_8521_6dde_0465_e68b_9d57_c20d_acbc_u128.to_be_bytes()
        );
        let many = pbkdf2(&HkdfSha256, b"Password", b"NaCl", 80_000).unwrap();
        assert_eq!(
            many.expose()[..16],
            0x4ddc_d8f6_0b98_be21_830c_ee5e_f227_01f9_u128.to_be_bytes()
        );
        assert_eq!(
            many.expose()[16..],
            0x641a_4418_d04c_0414_aeff_0887_6b34_ab56_u128.to_be_bytes()
        );
    }
}
