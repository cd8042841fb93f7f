//! Embedded Linux: the same store, in a file, under a key from a file or a TPM.
//!
//! ```
//! use iotsec_core::{crypto::{Aes256GcmSiv, HkdfSha256}, hal::Region};
//! use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite, linux::{FileRootKey, StoreFile}};
//! # use iotsec_testkit::SimRng;
//!
//! # let folder = std::env::temp_dir().join(format!("iotsec-store-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let mut rng = SimRng::new(1);
//! const WIFI: KeyId = KeyId::new(KeyDomain::User, 1, 1);
//! // Pages of 4096 bytes in words of 16.
//! let region = Region::new(0, 4096, 16, 16)?;
//! let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
//!
//! // Once, at the factory; `rng` is the operating system's.
//! let root = FileRootKey::create(&folder.join("root-key"), &HkdfSha256, &mut rng)?;
//! let mut file = StoreFile::create(&folder.join("keys"), region)?;
//! let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
//! let mut store = Store::format(&mut file, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
//! store.put(&mut file, WIFI, b"correct horse battery")?;
//! drop(file);
//!
//! // At every start.
//! let root = FileRootKey::open(&folder.join("root-key"), &HkdfSha256)?;
//! let mut file = StoreFile::open(&folder.join("keys"), region)?;
//! let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
//! let mut store = Store::mount(&mut file, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
//! let mut value = [0; 64];
//! assert_eq!(store.get(&mut file, WIFI, &mut value)?, b"correct horse battery");
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where there is a TPM 2.0, [`tpm::TpmRootKey`] takes the place of [`FileRootKey`]: its file opens on this board
//! alone.
//!
//! A put takes one write of the record and one `fdatasync`; a transaction, and a value that is longer than a record, one
//! `fdatasync` for half a page of changes and one for the commit. *Power loss and killed processes:* as for any flash:
//! what was acknowledged is exact, what was under way is old or new. File systems that write elsewhere instead of
//! in place (btrfs, f2fs) need room for that even though the file does not grow.
mod store_file;

pub use iotsec_core::hal::linux::{FileError, FileRootKey, LockedFile, NorFile, tpm};
pub use store_file::StoreFile;
