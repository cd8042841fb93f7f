use super::Rotation;
use crate::{
    credential::StorageError,
    crypto::{KeyType, SIGNATURE_LEN},
};

/// One of the two places for a key and its certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentityPlace {
    /// The first.
    First,
    /// The second.
    Second,
}

impl IdentityPlace {
    /// Bytes of the longest public key, an uncompressed point on P-256.
    pub const MAX_PUBLIC_KEY: usize = 65;

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// 0 or 1, to name what is stored there.
    pub const fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}

/// Where a [`Rotation`] keeps its record, and the keys and certificates of both places: the encrypted store, a secure
/// element, or both.
///
/// *Power loss:* an interrupted [`save`](Self::save) or [`put_certificate`](Self::put_certificate) leaves the old or the
/// new bytes, whole, and what is loaded once stays. An interrupted [`generate`](Self::generate) or
/// [`erase`](Self::erase) may leave anything in that place, and nothing elsewhere. What returned is durable.
pub trait IdentityStorage {
    /// Reads the record and returns its length, or `None` when there is none. `None` must never stand for trouble.
    ///
    /// # Errors
    /// [`StorageError`] with the storage's own number, as every method here.
    fn load(&mut self, record: &mut [u8; Rotation::LEN]) -> Result<Option<usize>, StorageError>;
    /// Replaces the record.
    ///
    /// # Errors
    /// [`StorageError`].
    fn save(&mut self, record: &[u8; Rotation::LEN]) -> Result<(), StorageError>;
    /// Makes a key in `place`, whatever was there.
    ///
    /// # Errors
    /// [`StorageError`].
    fn generate(&mut self, place: IdentityPlace) -> Result<(), StorageError>;
    /// The type of the key in `place`, and how many bytes of `out` are its public half.
    ///
    /// # Errors
    /// [`StorageError`].
    fn public_key(
        &mut self,
        place: IdentityPlace,
        out: &mut [u8; IdentityPlace::MAX_PUBLIC_KEY],
    ) -> Result<(KeyType, usize), StorageError>;
    /// Signs with the key in `place`.
    ///
    /// # Errors
    /// [`StorageError`].
    fn sign(
        &mut self,
        place: IdentityPlace,
        message: &[u8],
        signature: &mut [u8; SIGNATURE_LEN],
    ) -> Result<(), StorageError>;
    /// Puts the certificate of `place`, in the place of the one before.
    ///
    /// # Errors
    /// [`StorageError`].
    fn put_certificate(&mut self, place: IdentityPlace, certificate: &[u8]) -> Result<(), StorageError>;
    /// Removes key and certificate of `place`, so that nobody reads them any more. Nothing there is no error.
    ///
    /// # Errors
    /// [`StorageError`].
    fn erase(&mut self, place: IdentityPlace) -> Result<(), StorageError>;
}

/// A storage that takes a key from outside. A secure element that makes its keys itself does not.
pub trait ImportIdentity: IdentityStorage {
    /// Puts a key in `place`, whatever was there: the seed of an Ed25519 key or the scalar of a P-256 key, as the storage
    /// has them.
    ///
    /// *Power loss:* as [`generate`](IdentityStorage::generate).
    ///
    /// # Errors
    /// [`StorageError`].
    fn import(&mut self, place: IdentityPlace, key: &[u8; 32]) -> Result<(), StorageError>;
}
