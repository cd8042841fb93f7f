//! Keys that are used and not handed out.
//!
//! A key lies in the store with its type and with what it may be used for. [`Keyring`] does with it what its
//! usage permits, in RAM that is wiped before the call returns. What no call gives out: the bytes of a key
//! without [`KeyUsage::EXPORT`], and what a key without [`KeyUsage::REVEAL`] derives or unwraps.
//!
//! ```
//! use iotsec_core::{crypto::{Ed25519SigningKey, HkdfSha256, Verify}, secret::Secret};
//! use iotsec_store::keys::{Algorithm, KeyError, KeyKind, KeySpec, KeySuite, KeyUsage, Keyring};
//! # use iotsec_core::crypto::{Aes256GcmSiv, Ed25519PublicKey};
//! # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite};
//! # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
//! # let mut flash = SimFlash::new(Geometry::nrf52840(8));
//! # let region = flash.region().unwrap();
//! # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
//! # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
//! # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
//! # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, ReplayProtection::None, &mut rng)?;
//! const IDENTITY: KeySpec = KeySpec {
//!     id: KeyId::new(KeyDomain::Device, 7, 1),
//!     kind: KeyKind::Ed25519,
//!     usage: KeyUsage::SIGN,
//! };
//! let suite = KeySuite {
//!     sign: &[&Algorithm::<Ed25519SigningKey>::NEW],
//!     ..KeySuite::new(&HkdfSha256)
//! };
//! let mut keys = Keyring::new(&mut store, suite);
//! let key = keys.generate(&mut flash, IDENTITY, &mut rng)?;
//!
//! let mut signature = [0; 64];
//! keys.sign(&mut flash, &key, b"a report", &mut signature)?;
//! let public = keys.public_key(&mut flash, &key)?;
//! assert!(Ed25519PublicKey::from_bytes(public.as_bytes())?.verify(b"a report", &signature).is_ok());
//!
//! let mut bytes = Secret::<32>::zero();
//! assert_eq!(keys.export(&mut flash, &key, &mut bytes), Err(KeyError::Usage));
//! # Ok::<(), KeyError>(())
//! ```
//!
//! *Attackers* who hold the flash cannot change a usage: it is sealed with the key it belongs to. *The policy
//! binds who has a [`Keyring`]*, not who has the [`Store`](crate::Store) below it: `Store::get` returns the value
//! of a key as of any other name. Give keys a namespace of their own, and the store to nobody else.
//!
//! `KEYS.md` beside this crate has the bytes, the derivations, and how the errors map to PSA.

mod algorithm;
mod derive;
mod error;
mod handle;
mod keyring;
mod kind;
mod rotate;
mod seal;
mod sign;
mod signer;
mod stored;
mod usage;

pub use algorithm::{AgreeAlgorithm, Algorithm, KeySuite, PublicBytes, SignAlgorithm, VerifyAlgorithm};
pub use error::KeyError;
pub use handle::{KeyHandle, KeySpec};
pub use keyring::Keyring;
pub use kind::KeyKind;
pub use seal::Sealed;
pub use signer::StoredSigner;
pub use usage::KeyUsage;
