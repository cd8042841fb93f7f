//! The station directory: its registry, and the keys that it makes for itself.

use std::path::{Path, PathBuf};

use getrandom::SysRng;
use iotsec::{
    core::{
        crypto::{AgreementCurve, Ed25519SigningKey, Sign},
        secret::Secret,
    },
    factory::BatchKey,
};

use super::registry::{Hasher, Registry};
use crate::{
    Problem,
    file::{self, Access},
    key::{KeyFile, RecipientFile, cose_key, recipient_pair},
};

/// One run at a time has it.
pub(crate) struct Station {
    folder: PathBuf,
    pub(crate) registry: Registry,
    pub(crate) hasher: Hasher,
}

impl Station {
    /// Opens the station, or makes it.
    pub(crate) fn open(folder: &Path) -> Result<Self, Problem> {
        // First, because it keeps other runs out.
        let registry = Registry::open(&folder.join("registry"))?;
        let path = folder.join("registry.key");
        if file::must_be_free(&path).is_ok() {
            if !registry.is_empty() {
                return Err(Problem::new(
                    "RegistryKeyMissing",
                    format!(
                        "{} is not there, and the registry is of no use without it",
                        path.display()
                    ),
                    "restore it from its backup",
                ));
            }
            let key = Secret::<32>::random(&mut SysRng).map_err(Problem::make("registry key"))?;
            file::create_whole(&path, key.expose(), Access::Private)?;
        }
        let key: [u8; 32] = zeroize::Zeroizing::new(file::read(&path)?)
            .as_slice()
            .try_into()
            .map_err(|_| {
                Problem::new(
                    "RegistryKeyDamaged",
                    format!("{} has not 32 bytes", path.display()),
                    "restore it from its backup",
                )
            })?;
        Ok(Self {
            folder: folder.to_owned(),
            registry,
            hasher: Hasher::new(Secret::from_bytes(key)),
        })
    }

    /// The key that signs manifests.
    pub(crate) fn signing_key(&self) -> Result<KeyFile, Problem> {
        let path = self.folder.join("signing.key");
        if file::must_be_free(&path).is_ok() {
            let secret = Secret::<32>::random(&mut SysRng).map_err(Problem::make("key"))?;
            let public = Ed25519SigningKey::from_seed(&secret);
            let public = public.public_key();
            let private = cose_key(public, None, Some(&secret)).map_err(Problem::make("key"))?;
            file::create_whole(&path, &private, Access::Private)?;
        }
        KeyFile::read(&path)
    }

    /// The key that passwords are derived from, made when it is not there.
    pub(crate) fn batch_key(&self) -> Result<BatchKey, Problem> {
        let path = self.folder.join("batch.key");
        if file::must_be_free(&path).is_ok() {
            let key = BatchKey::generate(&mut SysRng).map_err(Problem::make("batch key"))?;
            file::create_whole(&path, key.secret().expose(), Access::Private)?;
        }
        self.read_batch_key()
    }

    /// The key that passwords were derived from.
    pub(crate) fn read_batch_key(&self) -> Result<BatchKey, Problem> {
        let path = self.folder.join("batch.key");
        let bytes = zeroize::Zeroizing::new(file::read(&path)?);
        let key = Secret::from_slice(&bytes).and_then(BatchKey::from_secret);
        key.map_err(|_| {
            Problem::new(
                "BatchKeyDamaged",
                format!("{} has not 32 random bytes", path.display()),
                "restore it from its backup",
            )
        })
    }

    /// The public key that secrets are encrypted to when the product manifest names nobody.
    pub(crate) fn recipient(&self) -> Result<PathBuf, Problem> {
        let (path, public_path) = (
            self.folder.join("recipient.key"),
            self.folder.join("recipient.key.pub"),
        );
        if file::must_be_free(&public_path).is_ok() {
            if file::must_be_free(&path).is_ok() {
                let secret = Secret::<32>::random(&mut SysRng).map_err(Problem::make("key"))?;
                let (private, _) =
                    recipient_pair(AgreementCurve::X25519, None, &secret).map_err(Problem::make("key"))?;
                file::create_whole(&path, &private, Access::Private)?;
            }
            // Also for a run that was killed between the two.
            let public = RecipientFile::read(&path)?.public_file()?;
            file::create_whole(&public_path, &public, Access::Public)?;
        }
        Ok(public_path)
    }
}
