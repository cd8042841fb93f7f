use iotsec_core::crypto::hpke::SuiteId;

use super::{error::DapError, reader::Reader};

/// Configurations in one list at most: a server that changes keys and has several suites lists a handful.
pub const MAX_CONFIGS: usize = 16;
/// Bytes of a public key at most: two P-521 points and more, while post-quantum keys take 1184.
const MAX_PUBLIC_KEY_LEN: usize = 2048;

/// A public key of a server, and for which suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HpkeConfig<'a> {
    id: u8,
    suite: SuiteId,
    public_key: &'a [u8],
}

impl<'a> HpkeConfig<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DapError> {
        let id = reader.u8()?;
        let (kem, kdf, aead) = (reader.u16()?, reader.u16()?, reader.u16()?);
        let public_key = reader.opaque16()?;
        if public_key.is_empty() || public_key.len() > MAX_PUBLIC_KEY_LEN {
            return Err(DapError::Malformed);
        }
        Ok(Self {
            id,
            suite: SuiteId { kem, kdf, aead },
            public_key,
        })
    }

    /// The number that names it to the server.
    pub const fn id(&self) -> u8 {
        self.id
    }

    /// Its suite.
    pub const fn suite(&self) -> SuiteId {
        self.suite
    }

    /// The key, of as many bytes as the server sent: whether it is one shows when it is sealed to.
    pub const fn public_key(&self) -> &'a [u8] {
        self.public_key
    }
}

/// What a server answers to `GET {server}/hpke_config` (DAP §4.4.1), which must come over TLS.
#[derive(Clone, Copy, Debug)]
pub struct HpkeConfigList<'a>(&'a [u8]);

impl<'a> HpkeConfigList<'a> {
    /// Reads a list.
    ///
    /// # Errors
    /// [`DapError::Malformed`] unless it is an `HpkeConfigList` and nothing else; [`DapError::Configs`] for an
    /// empty list, more than [`MAX_CONFIGS`], and two with the same identifier.
    pub fn read(bytes: &'a [u8]) -> Result<Self, DapError> {
        let mut reader = Reader::new(bytes);
        let configs = reader.opaque16()?;
        reader.finish()?;
        let mut reader = Reader::new(configs);
        let mut seen = [0_u64; 4];
        let mut left = MAX_CONFIGS;
        while !reader.is_empty() {
            let config = HpkeConfig::read(&mut reader)?;
            left = left.checked_sub(1).ok_or(DapError::Configs)?;
            let bit = 1 << (config.id & 63);
            let word = seen
                .get_mut(usize::from(config.id >> 6))
                .filter(|word| **word & bit == 0);
            *word.ok_or(DapError::Configs)? |= bit;
        }
        if configs.is_empty() {
            return Err(DapError::Configs);
        }
        Ok(Self(configs))
    }

    /// The configurations, the one that the server prefers first.
    pub fn iter(self) -> impl Iterator<Item = HpkeConfig<'a>> {
        let mut reader = Reader::new(self.0);
        core::iter::from_fn(move || HpkeConfig::read(&mut reader).ok())
    }
}
