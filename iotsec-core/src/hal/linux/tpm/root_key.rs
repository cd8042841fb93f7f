use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
    vec::Vec,
};

use rand_core::TryCryptoRng;

use super::{
    Tpm, TpmError,
    command::{Command, SEALED_PUBLIC},
    response::Fields,
};
use crate::{
    crypto::Kdf,
    hal::{
        DeviceRootKey, RootKey, RootKeyError,
        linux::{
            FileError,
            file::{self, PRIVATE},
        },
    },
    secret::Secret,
};

/// How the file begins; behind it are `TPM2B_PRIVATE` and `TPM2B_PUBLIC`.
const MAGIC: [u8; 4] = *b"iTK1";
/// More than a sealed key of 32 bytes has in any TPM.
const MAX_FILE_LEN: u64 = 1024;

/// A [`RootKey`] in a file that only the TPM which sealed it can open.
///
/// The key is 32 random bytes in a sealed object under the TPM's storage key, unsealed at each start and then held
/// in memory. On another board, or after the TPM was cleared, the file is worth nothing.
///
/// *Power loss:* none to consider once it is made.
///
/// ```
/// use iotsec_core::{crypto::HkdfSha256, hal::{RootKey, linux::tpm::{Tpm, TpmError, TpmRootKey}}, secret::Secret};
/// # use iotsec_testkit::{Replay, SimRng};
///
/// # let folder = std::env::temp_dir().join(format!("iotsec-tpm-root-key-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # let (path, mut rng) = (folder.join("root-key"), SimRng::new(1));
/// # let mut tpm = Tpm::new(Replay::new(include_str!("../../../../../vectors/tpm/root_key.txt")));
/// // Once, at the factory; `rng` is the operating system's.
/// let made = TpmRootKey::create(&mut tpm, &path, &HkdfSha256, &mut rng)?;
/// // At every start.
/// let root = TpmRootKey::open(&mut tpm, &path, &HkdfSha256)?;
///
/// let (mut first, mut second) = (Secret::zero(), Secret::zero());
/// made.derive(b"store", &mut first)?;
/// root.derive(b"store", &mut second)?;
/// assert!(first.ct_eq(&second));
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), TpmError>(())
/// ```
pub struct TpmRootKey<'a>(DeviceRootKey<'a>);

impl<'a> TpmRootKey<'a> {
    /// Draws a key, has it sealed and makes the file.
    ///
    /// *Power loss:* no key, or the whole one.
    ///
    /// # Errors
    /// [`TpmError::File`], also when there is such a file, which is left as it is; [`TpmError::Crypto`] and
    /// [`TpmError::RootKey`] for a random source that fails or gives a weak key; those of the TPM.
    pub fn create<T: Read + Write, R: TryCryptoRng + ?Sized>(
        tpm: &mut Tpm<T>,
        path: &Path,
        kdf: &'a dyn Kdf,
        rng: &mut R,
    ) -> Result<Self, TpmError> {
        let key = Secret::<32>::random(rng)?;
        let root = DeviceRootKey::new(&key, kdf)?;
        let sealed = with_storage_key(tpm, |tpm, parent| seal(tpm, parent, &key))?;
        file::create(path, PRIVATE, |file| file.write_all(&sealed))?;
        Ok(Self(root))
    }

    /// Has the key unsealed.
    ///
    /// # Errors
    /// [`TpmError::File`], with [`FileError::Permissions`] when the group or others may read or write the file;
    /// [`TpmError::Sealed`] when it holds no sealed key; [`TpmError::Refused`] when another TPM sealed it;
    /// [`TpmError::RootKey`] when the key is weak; others of the TPM.
    pub fn open<T: Read + Write>(tpm: &mut Tpm<T>, path: &Path, kdf: &'a dyn Kdf) -> Result<Self, TpmError> {
        let sealed = read(path)?;
        let (private, public) = parse(&sealed)?;
        let key = with_storage_key(tpm, |tpm, parent| unseal(tpm, parent, private, public))?;
        Ok(Self(DeviceRootKey::new(&key, kdf)?))
    }

    /// The key as one that was read from elsewhere, to check it further.
    pub const fn device_root_key(&self) -> &DeviceRootKey<'a> {
        &self.0
    }
}

crate::claim! {
    provisions: ["5.4-1"],
    claims: "On Linux the root key is unsealed by the TPM that sealed it, from a file that others may not read",
    code: [TpmRootKey::open],
    tests: [
        "iotsec-core::tpm::what_was_sealed_is_unsealed_however_answers_arrive",
        "iotsec-core::tpm::a_sealed_key_is_private_and_stays_as_it_is",
    ],
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let file = File::open(path)?;
    file::check_private(&file)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_LEN).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The private and the public part. Only what is bound to this TPM and its storage key is a key of ours.
fn parse(sealed: &[u8]) -> Result<(&[u8], &[u8]), TpmError> {
    let fields = sealed.strip_prefix(&MAGIC).ok_or(TpmError::Sealed)?;
    let mut fields = Fields(fields);
    let mut field = || fields.sized().map_err(|_| TpmError::Sealed);
    let (private, public) = (field()?, field()?);
    fields.end().map_err(|_| TpmError::Sealed)?;
    if public.starts_with(&SEALED_PUBLIC) {
        Ok((private, public))
    } else {
        Err(TpmError::Sealed)
    }
}

/// Works under the storage key, and takes it out of the TPM's memory again.
fn with_storage_key<T: Read + Write, R>(
    tpm: &mut Tpm<T>,
    work: impl FnOnce(&mut Tpm<T>, u32) -> Result<R, TpmError>,
) -> Result<R, TpmError> {
    let parent = tpm.call(Command::create_storage_key())?.handle()?;
    let done = work(tpm, parent);
    let flushed = tpm.flush(parent);
    let done = done?;
    flushed?;
    Ok(done)
}

/// The bytes of the file.
fn seal<T: Read + Write>(tpm: &mut Tpm<T>, parent: u32, key: &Secret<32>) -> Result<Vec<u8>, TpmError> {
    let response = tpm.call(Command::seal(parent, key.expose()))?;
    let mut fields = response.parameters(0)?;
    let mut sealed = MAGIC.to_vec();
    for _ in 0..2 {
        let field = fields.sized()?;
        let len = u16::try_from(field.len()).map_err(|_| TpmError::Response)?;
        sealed.extend_from_slice(&len.to_be_bytes());
        sealed.extend_from_slice(field);
    }
    parse(&sealed).map_err(|_| TpmError::Response)?;
    Ok(sealed)
}

fn unseal<T: Read + Write>(
    tpm: &mut Tpm<T>,
    parent: u32,
    private: &[u8],
    public: &[u8],
) -> Result<Secret<32>, TpmError> {
    let object = tpm.call(Command::load(parent, private, public))?.handle()?;
    let answer = tpm.call(Command::unseal(object));
    let flushed = tpm.flush(object);
    let answer = answer?;
    flushed?;
    let mut fields = answer.parameters(0)?;
    let key = Secret::from_slice(fields.sized()?).map_err(|_| TpmError::Sealed)?;
    fields.end()?;
    Ok(key)
}

impl RootKey for TpmRootKey<'_> {
    fn derive(&self, label: &[u8], out: &mut Secret<32>) -> Result<(), RootKeyError> {
        self.0.derive(label, out)
    }
}

impl core::fmt::Debug for TpmRootKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("TpmRootKey(..)")
    }
}
