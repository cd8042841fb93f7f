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
    /// Seals the heads of pages.
    pub(crate) page: Secret<32>,
    /// Hides names and authenticates record headers.
    pub(crate) header: Secret<32>,
    /// Seal records, by [`KeyDomain::code`].
    record: [Secret<32>; 2],
}

impl Keys {
    /// Those of the device domain, from the root key and the store's salt. The user's come with
    /// [`set_user`](Self::set_user); until then their place is taken by a key with which nothing is ever sealed or
    /// opened.
    pub(crate) fn derive(suite: &Suite<'_>, salt: &[u8; SALT_LEN]) -> Result<Self, StoreError> {
        let mut device = Secret::zero();
        suite.root.derive(DEVICE_LABEL, &mut device)?;
        let derive = |label| derive(suite.kdf, salt, &device, label);
        Ok(Self {
            page: derive(b"iotsec/store/page-key/v2")?,
            header: derive(b"iotsec/store/header-key/v2")?,
            record: [
                derive(b"iotsec/store/record-key/device/v2")?,
                derive(b"iotsec/store/record-key/none/v2")?,
            ],
        })
    }

    /// Takes the key of the user domain. The root key makes the keys of two devices differ even if their entropy
    /// does not.
    pub(crate) fn set_user(&mut self, suite: &Suite<'_>, user: &Secret<32>) -> Result<(), StoreError> {
        let mut salt = Secret::<32>::zero();
        suite.root.derive(SALT_LABEL, &mut salt)?;
        let [_, record] = &mut self.record;
        *record = derive(suite.kdf, salt.expose(), user, USER_LABEL)?;
        Ok(())
    }

    pub(crate) const fn record(&self, domain: KeyDomain) -> &Secret<32> {
        let [device, user] = &self.record;
        match domain {
            KeyDomain::Device => device,
            KeyDomain::User => user,
        }
    }
}

fn derive(kdf: &dyn Kdf, salt: &[u8], key: &Secret<32>, label: &[u8]) -> Result<Secret<32>, CryptoError> {
    let mut out = Secret::zero();
    kdf.hkdf(salt, key.expose(), &[label], out.expose_mut())?;
    Ok(out)
}
