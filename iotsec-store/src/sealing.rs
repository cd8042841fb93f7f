//! The keys that records are sealed with.

use iotsec_core::{
    crypto::{CryptoError, Kdf},
    secret::Secret,
};

use crate::{KeyDomain, StoreError, Suite};

/// Bytes of the salt that a store draws when it is formatted, and every page carries.
pub(crate) const SALT_LEN: usize = 16;

const DEVICE_LABEL: &[u8] = b"iotsec/store/device/v2";
const SALT_LABEL: &[u8] = b"iotsec/store/salt/v2";
const USER_LABEL: &[u8] = b"iotsec/store/record-key/user/v2";

/// What every record needs.
pub(crate) struct Keys {
    /// What they were derived with.
    salt: [u8; SALT_LEN],
    /// The one that seals the heads of pages, the one that hides names and authenticates record headers, and those that
    /// seal records, by [`KeyDomain::code`].
    keys: [Secret<32>; 4],
}

/// Of the keys, in their order. Nothing is ever sealed or opened with the last one: the user's takes its place.
const LABELS: [&[u8]; 4] = [
    b"iotsec/store/page-key/v2",
    b"iotsec/store/header-key/v2",
    b"iotsec/store/record-key/device/v2",
    b"iotsec/store/record-key/none/v2",
];

impl Keys {
    /// None yet: [`derive`](Self::derive) comes before everything else.
    pub(crate) const fn new() -> Self {
        Self {
            salt: [0; SALT_LEN],
            keys: [const { Secret::zero() }; 4],
        }
    }

    /// Those of the device domain, from the root key and the store's salt. The user's come with
    /// [`set_user`](Self::set_user).
    pub(crate) fn derive(&mut self, suite: &Suite<'_>, salt: &[u8; SALT_LEN]) -> Result<(), StoreError> {
        let mut device = Secret::zero();
        suite.root.derive(DEVICE_LABEL, &mut device)?;
        self.salt = *salt;
        for (key, label) in self.keys.iter_mut().zip(LABELS) {
            derive(suite.kdf, salt, &device, label, key)?;
        }
        Ok(())
    }

    /// The salt that a store draws when it is formatted.
    pub(crate) const fn salt(&self) -> &[u8; SALT_LEN] {
        &self.salt
    }

    pub(crate) const fn page(&self) -> &Secret<32> {
        let [page, ..] = &self.keys;
        page
    }

    pub(crate) const fn header(&self) -> &Secret<32> {
        let [_, header, ..] = &self.keys;
        header
    }

    /// Takes the key of the user domain. The root key makes the keys of two devices differ even if their entropy
    /// does not.
    pub(crate) fn set_user(&mut self, suite: &Suite<'_>, user: &Secret<32>) -> Result<(), StoreError> {
        let mut salt = Secret::<32>::zero();
        suite.root.derive(SALT_LABEL, &mut salt)?;
        let [.., record] = &mut self.keys;
        Ok(derive(suite.kdf, salt.expose(), user, USER_LABEL, record)?)
    }

    pub(crate) const fn record(&self, domain: KeyDomain) -> &Secret<32> {
        let [.., device, user] = &self.keys;
        match domain {
            KeyDomain::Device => device,
            KeyDomain::User => user,
        }
    }
}

#[inline(never)]
fn derive(
    kdf: &dyn Kdf,
    salt: &[u8],
    key: &Secret<32>,
    label: &[u8],
    out: &mut Secret<32>,
) -> Result<(), CryptoError> {
    kdf.hkdf(salt, key.expose(), &[label], out.expose_mut())
}
