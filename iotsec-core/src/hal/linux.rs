//! Files in the place of flash and of fuses, on systems with an operating system.
//!
//! | part | is |
//! |---|---|
//! | [`NorFile`] | a file that keeps secrets, as a NOR flash: mode 0600, words written once, each call on the medium when it returns, unless asked otherwise |
//! | [`FileFlash`] | partitions and files one behind the other, as a flash for images |
//! | [`FileRootKey`] | a [`RootKey`](super::RootKey) in a file |
//! | [`tpm`] | a root key that a TPM 2.0 seals, and its counters |

mod error;
mod file;
mod file_flash;
mod file_root_key;
mod locked_file;
mod medium;
mod nor_file;
pub mod tpm;

pub use error::FileError;
pub use file_flash::{FileFlash, Part};
pub use file_root_key::FileRootKey;
pub use locked_file::LockedFile;
pub use medium::Medium;
pub use nor_file::NorFile;
