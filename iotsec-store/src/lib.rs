//! Encrypted, power-cut-safe key store on NOR flash.
//!
//! ```
//! use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
//! use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite};
//! # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
//!
//! # let mut flash = SimFlash::new(Geometry::nrf52840(8));
//! # let region = flash.region().unwrap();
//! # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
//! let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
//! let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
//! let replay = ReplayProtection::None;
//! let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
//!
//! const WIFI: KeyId = KeyId::new(KeyDomain::User, 1, 1);
//! store.put(&mut flash, WIFI, b"correct horse battery")?;
//! let mut value = [0; 64];
//! assert_eq!(store.get(&mut flash, WIFI, &mut value)?, b"correct horse battery");
//!
//! store.erase_user(&mut flash, &mut rng)?;
//! assert!(!store.contains(WIFI));
//! # Ok::<(), iotsec_store::StoreError>(())
//! ```
//!
//! A store is a cyclic log of sealed records in a [`Region`](iotsec_core::hal::Region): a page with the key of the
//! user's domain, wrapped under a key from the [`RootKey`](iotsec_core::hal::RootKey), and three data pages or more.
//! Sizes are in bytes throughout. A device that keeps nothing of its owner does without that page: [`DeviceOnly`].
//!
//! *Power loss:* what was acknowledged is exact, what was under way is old or new. *Attackers* who hold the flash
//! but not the root key read nothing, and change nothing without being noticed; that they put back an earlier image
//! is noticed with a monotonic counter: [`ReplayProtection`].
//!
//! [`keys`] are used in the store and not handed out.
//!
//! `FORMAT.md` beside this crate has the byte tables and what each power cut leaves behind, `README.md` what
//! the store promises, what it does not, and what it costs.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::as_conversions,
        clippy::arithmetic_side_effects
    )
)]

#[cfg(all(feature = "std", unix))]
extern crate std;

mod bytes;
mod counter;
mod erase;
mod error;
mod header;
mod index;
mod key_id;
pub mod keys;
mod layout;
#[cfg(all(feature = "std", unix))]
pub mod linux;
mod log;
mod mount;
mod page;
mod place;
mod record;
mod recover;
mod replay;
mod sealing;
mod store;
mod store_region;
mod transaction;
mod user_key;
mod values;
mod walk;

pub use erase::Scrub;
pub use error::StoreError;
pub use index::IndexEntry;
pub use key_id::{KeyDomain, KeyId};
pub use replay::{ReplayLevel, ReplayProtection};
pub use store::{Store, Suite};
pub use store_region::{DeviceOnly, StoreRegion};
pub use transaction::Transaction;
