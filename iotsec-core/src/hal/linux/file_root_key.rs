use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
};

use rand_core::TryCryptoRng;

use super::{
    FileError,
    file::{self, PRIVATE},
};
use crate::{
    crypto::Kdf,
    hal::{DeviceRootKey, RootKey, RootKeyError},
    secret::Secret,
};

const LEN: usize = 32;

/// A [`RootKey`] in a file of 32 random bytes that only its owner may read, for devices with neither fuses
/// nor a TPM.
///
/// Whoever reads the file has the key: it is no protection against someone who holds the medium. Put it on
/// another one than the store, if there is one.
///
/// *Power loss:* none to consider once it is made.
///
/// ```
/// use iotsec_core::{crypto::HkdfSha256, hal::{RootKey, linux::FileRootKey}, secret::Secret};
/// # use iotsec_testkit::SimRng;
///
/// # let folder = std::env::temp_dir().join(format!("iotsec-file-root-key-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("root-key");
/// # let mut rng = SimRng::new(1);
/// // Once, at the factory; `rng` is the operating system's.
/// let made = FileRootKey::create(&path, &HkdfSha256, &mut rng)?;
/// // At every boot.
/// let root = FileRootKey::open(&path, &HkdfSha256)?;
///
/// let (mut first, mut second) = (Secret::zero(), Secret::zero());
/// made.derive(b"store", &mut first)?;
/// root.derive(b"store", &mut second)?;
/// assert!(first.ct_eq(&second));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct FileRootKey<'a>(DeviceRootKey<'a>);

impl<'a> FileRootKey<'a> {
    /// Draws a key and makes the file. Waits while another process makes one in the same folder.
    ///
    /// *Power loss:* no key, or the whole one.
    ///
    /// # Errors
    /// [`FileError::Io`], also when there is such a file, which is left as it is; [`FileError::Crypto`] and
    /// [`FileError::RootKey`] for a random source that fails or gives a weak key; as [`open`](Self::open).
    pub fn create<R: TryCryptoRng + ?Sized>(
        path: &Path,
        kdf: &'a dyn Kdf,
        rng: &mut R,
    ) -> Result<Self, FileError> {
        let key = Secret::<LEN>::random(rng)?;
        DeviceRootKey::new(&key, kdf)?;
        file::create(path, PRIVATE, |file| file.write_all(key.expose()))?;
        Self::open(path, kdf)
    }

    /// Reads the key.
    ///
    /// # Errors
    /// [`FileError::Permissions`] when the group or others may read or write the file; [`FileError::Size`]
    /// unless it has 32 bytes; [`FileError::RootKey`] when the key is weak; [`FileError::Io`], among others
    /// when there is none.
    pub fn open(path: &Path, kdf: &'a dyn Kdf) -> Result<Self, FileError> {
        let mut file = File::open(path)?;
        file::check_private(&file)?;
        if usize::try_from(file.metadata()?.len()) != Ok(LEN) {
            return Err(FileError::Size);
        }
        let mut key = Secret::<LEN>::zero();
        file.read_exact(key.expose_mut())?;
        Ok(Self(DeviceRootKey::new(&key, kdf)?))
    }

    /// The key as one that was read from elsewhere, to check it further.
    pub const fn device_root_key(&self) -> &DeviceRootKey<'a> {
        &self.0
    }
}

impl RootKey for FileRootKey<'_> {
    fn derive(&self, label: &[u8], out: &mut Secret<32>) -> Result<(), RootKeyError> {
        self.0.derive(label, out)
    }
}

impl core::fmt::Debug for FileRootKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("FileRootKey(..)")
    }
}
