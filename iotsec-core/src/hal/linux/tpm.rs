//! A TPM 2.0: the root key sealed by it, and its counters.
//!
//! | part | is |
//! |---|---|
//! | [`Tpm`] | the chip behind `/dev/tpmrm0`, or a simulator behind a socket |
//! | [`TpmRootKey`] | a [`RootKey`](crate::hal::RootKey) that only this TPM can open |
//! | [`TpmCounter`] | a [`MonotonicCounter`](crate::hal::MonotonicCounter) in its memory |
//!
//! Commands and answers are those of the Trusted Platform Module Library, family 2.0, part 3; no library is
//! needed. Authorisations are empty passwords, and nothing on the bus between processor and TPM is encrypted:
//! this keeps the key from someone who has the medium, and the counter from anyone; it does not keep the
//! key from software that may use the TPM, nor from a probe at the bus of a discrete chip.

mod command;
mod counter;
mod device;
mod error;
mod response;
mod root_key;

pub use counter::TpmCounter;
pub use device::Tpm;
pub use error::TpmError;
pub use root_key::TpmRootKey;
