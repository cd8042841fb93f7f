use iotsec_core::{
    crypto::{CryptoError, DIGEST_LEN, Kdf},
    secret::Secret,
};
use rand_core::{TryCryptoRng, TryRng};

/// A key from which the passwords of units are derived, so that a lost label can be printed again.
///
/// Where that is not needed, draw passwords instead: then nothing has to be guarded after the batch.
///
/// PSTI Schedule 1 paragraph 1(3)(c) lets a password come from a serial number only through encryption or a
/// keyed hash that good industry practice accepts. This is HKDF-SHA-256 (RFC 5869) under 256 random bits:
///
/// ```text
/// key    = HKDF(salt: "iotsec/pw/v1", key: batch key, info: length ‖ model ‖ serial number), 32 bytes
/// stream = HMAC-SHA-256(key, 0) ‖ HMAC-SHA-256(key, 1) ‖ …
/// ```
///
/// Length is two bytes, counters are eight, big-endian. The generator draws from the stream as it draws from
/// an entropy source, blocklist and all. Whoever has the batch key knows the password of every unit: it is never on
/// a device, nor in a manifest or a registry.
///
/// ```
/// use iotsec::{core::{credential::{DevicePassword, Exposure}, crypto::HkdfSha256}, factory::BatchKey};
///
/// # let mut rng = iotsec_testkit::SimRng::new(1);
/// let key = BatchKey::generate(&mut rng)?;
/// let password = |serial| {
///     let mut stream = key.unit(&HkdfSha256, "lamp-2", serial)?;
///     DevicePassword::generate(Exposure::Online, &mut stream)
/// };
/// let (first, again) = (password("L2-000001")?, password("L2-000001")?);
/// assert_eq!(first.label().as_str(), again.label().as_str());
/// assert_ne!(first.label().as_str(), password("L2-000002")?.label().as_str());
/// # Ok::<(), iotsec::core::crypto::CryptoError>(())
/// ```
pub struct BatchKey(Secret<32>);

impl BatchKey {
    /// Draws a key.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when the source fails or is stuck.
    pub fn generate<R: TryCryptoRng + ?Sized>(rng: &mut R) -> Result<Self, CryptoError> {
        Secret::random(rng).map(Self)
    }

    /// A key that was drawn earlier.
    ///
    /// # Errors
    /// [`CryptoError::Entropy`] when all bytes are equal.
    pub fn from_secret(secret: Secret<32>) -> Result<Self, CryptoError> {
        if secret.is_constant() {
            return Err(CryptoError::Entropy);
        }
        Ok(Self(secret))
    }

    /// The bytes, for where the batch key is kept. Every use of this is a place to review.
    pub const fn secret(&self) -> &Secret<32> {
        &self.0
    }

    /// What the generator draws from for one unit.
    ///
    /// # Errors
    /// [`CryptoError::Length`] for a model of more than 65535 bytes; [`CryptoError::Driver`] from hardware.
    pub fn unit<'k>(
        &self,
        kdf: &'k dyn Kdf,
        model: &str,
        serial: &str,
    ) -> Result<UnitStream<'k>, CryptoError> {
        let len = u16::try_from(model.len()).map_err(|_| CryptoError::Length)?;
        let mut key = Secret::zero();
        kdf.hkdf(
            b"iotsec/pw/v1",
            self.0.expose(),
            &[&len.to_be_bytes(), model.as_bytes(), serial.as_bytes()],
            key.expose_mut(),
        )?;
        Ok(UnitStream {
            kdf,
            key,
            counter: 0,
            block: Secret::zero(),
            used: DIGEST_LEN,
        })
    }
}

impl core::fmt::Debug for BatchKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("BatchKey(..)")
    }
}

/// The stream of one unit. [`BatchKey::unit`] makes it.
pub struct UnitStream<'k> {
    kdf: &'k dyn Kdf,
    key: Secret<DIGEST_LEN>,
    counter: u64,
    block: Secret<DIGEST_LEN>,
    used: usize,
}

impl core::fmt::Debug for UnitStream<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("UnitStream(..)")
    }
}

impl TryRng for UnitStream<'_> {
    type Error = StreamError;

    fn try_next_u32(&mut self) -> Result<u32, StreamError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, StreamError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), StreamError> {
        for place in dst {
            if self.used >= DIGEST_LEN {
                let counter = self.counter.to_be_bytes();
                let block = self.kdf.hmac(self.key.expose(), &[&counter]);
                self.block = Secret::from_bytes(block.map_err(|_| StreamError)?);
                self.counter = self.counter.wrapping_add(1);
                self.used = 0;
            }
            let byte = self.block.expose().get(self.used);
            *place = *byte.ok_or(StreamError)?;
            self.used = self.used.saturating_add(1);
        }
        Ok(())
    }
}

impl TryCryptoRng for UnitStream<'_> {}

/// The hash behind a [`UnitStream`] failed, as hardware may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("derivation failed")]
pub struct StreamError;

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use iotsec_core::crypto::HkdfSha256;

    use super::*;

    fn stream(key: u8, model: &str, serial: &str) -> [u8; 80] {
        let mut secret = Secret::from_bytes([key; 32]);
        secret.expose_mut()[0] = 0;
        let mut out = [0; 80];
        let key = BatchKey::from_secret(secret).unwrap();
        let mut stream = key.unit(&HkdfSha256, model, serial).unwrap();
        stream.try_fill_bytes(&mut out).unwrap();
        out
    }

    /// Computed with `hmac` and `hashlib` of Python's standard library.
    #[test]
    fn the_stream_is_as_documented() {
        let out = stream(7, "lamp-2", "L2-000001");
        assert_eq!(out[..4], [0xc5, 0x0b, 0xb0, 0xd2]);
        assert_eq!(out[64..68], [0xe3, 0x4e, 0x91, 0x07]);
    }

    #[test]
    fn key_model_and_serial_each_give_another_stream() {
        let base = stream(7, "lamp-2", "L2-000001");
        assert_eq!(base, stream(7, "lamp-2", "L2-000001"));
        for other in [
            stream(8, "lamp-2", "L2-000001"),
            stream(7, "lamp-3", "L2-000001"),
            stream(7, "lamp-2", "L2-000002"),
            // Where the model ends counts too.
            stream(7, "lamp-2L", "2-000001"),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn a_constant_key_is_refused() {
        let key = BatchKey::from_secret(Secret::from_bytes([3; 32]));
        assert_eq!(key.err(), Some(CryptoError::Entropy));
    }
}
