//! Telemetry that protects the people it comes from.
//!
//! | step | module | what it guarantees |
//! |---|---|---|
//! | declare | [`mod@registry`] | what is not declared, or outside its bounds, has no encoding |
//! | ask | [`consent`] | every purpose but security is off until its owner turns it on |
//! | protect | [`personal`] | personal values leave only coarsened or under a live consent |
//! | record | [`queue`] | criticals keep their reserve, losses are counted, withdrawal purges |
//! | keep | [`spool`] | the same in flash, for weeks: nothing acknowledged is lost over power cuts |
//! | send | [`batch`] | one sealed, padded CBOR batch; nothing is removed before it is acknowledged |
//! | blur | [`privacy`] | an answer is noised on the device within a budget that is never overdrawn |
//! | aggregate | `prio3`, `dap` | two servers learn a sum over all devices, and neither learns about one |
//! | identify | [`pseudonym`] | random, by purpose and epoch; not one without a deletion request already stored |
//! | delete | [`deletion`] | requests that outlive withdrawal and reset, until the service's signed receipt |
//! | tell | [`data_map`] | all of it as a page that people can read, and as JSON |
//! | notice | [`detect`] | small detectors that turn failures into declared security events |
//!
//! The encodings, with CDDL, byte tables and test vectors, are in `FORMAT.md` of this crate.
//!
//! ```
//! use iotsec_core::{crypto::{ChaCha20Poly1305, HkdfSha256, Sha256}, hal::Millis, secret::Secret};
//! use iotsec_telemetry::{
//!     batch::{BatchKey, SizeClass, Sizes}, consent::Consents, queue::Queue,
//!     registry::{Class, EventDef, Field}, registry,
//! };
//! # use iotsec_telemetry::error::BatchError;
//!
//! const LOGIN_FAILED: EventDef = EventDef::new(
//!     1, "login.failed", Class::Security, "Shows attacks on the password",
//!     &[Field::choice("interface", &["web", "radio"]), Field::number("attempts", "1", 1, 255)],
//! );
//! registry!(static PRODUCT = [LOGIN_FAILED]);
//!
//! // At every boot, with a boot number that never repeats.
//! let registry = PRODUCT.hashed(&mut Sha256::new());
//! let consents = Consents::off();
//! let mut queue = Queue::<16>::new(registry, 7, 4);
//!
//! queue.record(&consents, &LOGIN_FAILED, &[1.into(), 5.into()], Millis::from_secs(90)).unwrap();
//!
//! // When there is a connection.
//! # struct Rng(u64);
//! # impl rand_core::TryRng for Rng {
//! #     type Error = core::convert::Infallible;
//! #     fn try_next_u32(&mut self) -> Result<u32, Self::Error> { self.0 += 1; Ok(self.0 as u32) }
//! #     fn try_next_u64(&mut self) -> Result<u64, Self::Error> { self.0 += 1; Ok(self.0) }
//! #     fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
//! #         for byte in dst { self.0 += 1; *byte = self.0 as u8; } Ok(())
//! #     }
//! # }
//! # impl rand_core::TryCryptoRng for Rng {}
//! # let mut rng = Rng(0);
//! let key = Secret::from_bytes([9; 32]);
//! let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
//! let (mut scratch, mut out) = ([0; 256], [0; 256]);
//! let sizes = Sizes::up_to(SizeClass::B256);
//! let sealed = queue.batch(&consents, &key, sizes, &mut rng, &mut scratch, &mut out)?.unwrap();
//! assert_eq!(sealed.bytes().len(), 128);
//!
//! // At the service, which knows the registry by its hash.
//! let mut plain = [0; 256];
//! let batch = key.open(sealed.bytes(), &mut plain).unwrap().read(&registry).unwrap();
//! let event = batch.events().next().unwrap();
//! assert_eq!((event.definition().name(), event.uptime_s(), event.raw(1)), ("login.failed", 90, Some(5)));
//!
//! // Back on the device, once the service has answered.
//! queue.ack(sealed.into_receipt()).unwrap();
//! assert!(queue.is_empty());
//! # Ok::<(), BatchError>(())
//! ```
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

#[cfg(test)]
extern crate std;

pub mod batch;
mod clock;
mod code;
pub mod consent;
#[cfg(feature = "dap")]
pub mod dap;
pub mod data_map;
pub mod deletion;
pub mod detect;
pub mod error;
pub mod loss;
mod merge;
pub mod personal;
#[cfg(feature = "prio3")]
pub mod prio3;
pub mod privacy;
pub mod pseudonym;
pub mod queue;
pub mod registry;
mod segment;
pub mod spool;
pub mod stream;
pub mod value;
mod varint;

#[cfg(doctest)]
#[doc = include_str!("../tests/compile_fail.md")]
mod compile_fail {}
