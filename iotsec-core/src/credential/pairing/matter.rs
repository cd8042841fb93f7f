use super::{PairingError, PairingParameters, record::halves};
use crate::{crypto::Kdf, qr::Passcode, secret::Secret};

/// What a Matter device stores in place of its passcode (Matter core specification 1.4 §3.10): `W0 ‖ L`, as the
/// factory data of the Matter SDKs have it. Wiped on drop.
///
/// | offset | size | content |
/// |---:|---:|---|
/// | 0 | 32 | `W0`, big-endian |
/// | 32 | 65 | `L`, uncompressed |
///
/// `w0s ‖ w1s` are 80 bytes of PBKDF2-HMAC-SHA-256 over the passcode in 4 bytes, little-endian. Our own
/// [`PairingRecord`](super::PairingRecord) has the device's name in there too, so one does not serve as the other.
///
/// ```
/// use iotsec_core::{
///     credential::pairing::{MatterVerifier, PairingError},
///     crypto::HkdfSha256,
///     qr::Passcode,
/// };
///
/// # let passcode = Passcode::new(20202021).unwrap();
/// let verifier = MatterVerifier::register(&passcode, b"SPAKE2P Key Salt", 1000, &HkdfSha256)?;
/// assert_eq!(verifier.expose().len(), 97);
/// let short = MatterVerifier::register(&passcode, b"15 bytes, alas.", 1000, &HkdfSha256);
/// assert_eq!(short.err(), Some(PairingError::Parameters));
/// # Ok::<(), PairingError>(())
/// ```
pub struct MatterVerifier(Secret<{ Self::LEN }>);

impl MatterVerifier {
    /// Bytes of a verifier.
    pub const LEN: usize = 97;
    /// Fewest bytes of a salt.
    pub const MIN_SALT: usize = 16;
    /// Most bytes of a salt.
    pub const MAX_SALT: usize = 32;

    /// Makes the verifier of a passcode. The salt is drawn anew for each unit.
    ///
    /// # Errors
    /// [`PairingError::Parameters`] for a salt of other than 16 to 32 bytes, or iterations outside of 1000 to 100000;
    /// [`PairingError::Crypto`] from a driver.
    pub fn register(
        passcode: &Passcode,
        salt: &[u8],
        iterations: u32,
        kdf: &dyn Kdf,
    ) -> Result<Self, PairingError> {
        let few = PairingParameters::MIN_ITERATIONS..=PairingParameters::MAX_ITERATIONS;
        if !(Self::MIN_SALT..=Self::MAX_SALT).contains(&salt.len()) || !few.contains(&iterations) {
            return Err(PairingError::Parameters);
        }
        let number = Secret::from_bytes(passcode.expose().to_le_bytes());
        let record = halves(number.expose(), salt, iterations, kdf)?.verifier_record();
        let bytes = record.to_bytes();
        let mut verifier = Self(Secret::zero());
        for (to, from) in verifier.0.expose_mut().iter_mut().zip(bytes.iter()) {
            *to = *from;
        }
        Ok(verifier)
    }

    /// The bytes to store. Every use of this is a place to review.
    pub const fn expose(&self) -> &[u8; Self::LEN] {
        self.0.expose()
    }
}

impl core::fmt::Debug for MatterVerifier {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MatterVerifier(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::HkdfSha256;

    /// Computed with Python's `hashlib` and `ecdsa`; esp-matter-mfg-tool 1.0.29 says the same.
    const KNOWN: [u8; 97] =
        *b"\xb9\x61\x70\xaa\xe8\x03\x34\x68\x84\x72\x4f\xe9\xa3\xb2\x87\xc3\x03\x30\xc2\xa6\x60\x37\x5d\x17\
        \xbb\x20\x5a\x8c\xf1\xae\xcb\x35\x04\x57\xf8\xab\x79\xee\x25\x3a\xb6\xa8\xe4\x6b\xb0\x9e\x54\x3a\
        \xe4\x22\x73\x6d\xe5\x01\xe3\xdb\x37\xd4\x41\xfe\x34\x49\x20\xd0\x95\x48\xe4\xc1\x82\x40\x63\x0c\
        \x4f\xf4\x91\x3c\x53\x51\x38\x39\xb7\xc0\x7f\xcc\x06\x27\xa1\xb8\x57\x3a\x14\x9f\xcd\x1f\xa4\x66\
        \xcf";

    fn verifier(code: u32, salt: &[u8], iterations: u32) -> Result<MatterVerifier, PairingError> {
        MatterVerifier::register(&Passcode::new(code).unwrap(), salt, iterations, &HkdfSha256)
    }

    #[test]
    fn the_verifier_of_the_sample_passcode_is_as_others_compute_it() {
        let made = verifier(20_202_021, b"SPAKE2P Key Salt", 1000).unwrap();
        assert_eq!(made.expose(), &KNOWN);
        for (code, salt, iterations) in [
            (20_202_022, b"SPAKE2P Key Salt", 1000),
            (20_202_021, b"SPAKE2P key salt", 1000),
            (20_202_021, b"SPAKE2P Key Salt", 1001),
        ] {
            assert_ne!(verifier(code, salt, iterations).unwrap().expose(), &KNOWN);
        }
    }

    #[test]
    fn salts_and_iterations_out_of_bounds_are_refused() {
        let refused = Some(PairingError::Parameters);
        assert_eq!(verifier(1, &[1; 15], 1000).err(), refused);
        assert_eq!(verifier(1, &[1; 33], 1000).err(), refused);
        assert_eq!(verifier(1, &[1; 32], 999).err(), refused);
        assert_eq!(verifier(1, &[1; 32], 100_001).err(), refused);
        assert!(verifier(1, &[1; 32], 1000).is_ok());
    }
}
