//! The maker's side of telemetry: a library for the back end that batches and reports arrive at.
//!
//! | what arrives | module | what it guarantees |
//! |---|---|---|
//! | registries | [`registries`] | a batch is read against the registry that it names, or refused |
//! | sealed batches, under a shared key or to a public one | [`collector`] | each event counts once; losses add up; a device's clock is believed within bounds |
//! | events for other systems | [`export`] | OTLP, OCSF, syslog, Device Defender, JSON; nothing from a device is unescaped |
//! | noised reports | [`tally`] | each report counts once; too few give no result, and a tally gives one result |
//! | shares of Prio3 | `aggregation` (feature `prio`) | libprio checks and sums them; too few give no result |
//!
//! There is no server here, no storage and no clock: messages come in as bytes, with the name of the device whose
//! session they came through and the time at which they arrived. Memory is bounded by [`Limits`](collector::Limits).
//!
//! ```
//! # use iotsec_core::{crypto::{ChaCha20Poly1305, HkdfSha256, Sha256}, hal::{Millis, UnixTime}, secret::Secret};
//! # use iotsec_telemetry::{batch::{BatchKey, SizeClass, Sizes}, consent::Consents, queue::Queue, registry};
//! # use iotsec_telemetry::registry::{Class, EventDef, Field};
//! use std::collections::BTreeMap;
//! use iotsec_collector::{collector::{Collector, Limits, When}, registries::Registries};
//!
//! # const LOGIN_FAILED: EventDef = EventDef::new(
//! #     1, "login.failed", Class::Security, "Shows attacks", &[Field::number("attempts", "1", 1, 255)],
//! # );
//! # registry!(static PRODUCT = [LOGIN_FAILED]);
//! // The device's build wrote its registry to a file.
//! let mut file = Vec::new();
//! PRODUCT.canonical(&mut |bytes| file.extend_from_slice(bytes));
//!
//! let mut registries = Registries::new();
//! registries.add(&file)?;
//! let keys = BTreeMap::from([("LAMP-7".to_owned(), Secret::from_bytes([9; 32]))]);
//! let mut collector = Collector::new(registries, keys, Limits::default());
//!
//! # let mut queue = Queue::<8>::new(PRODUCT.hashed(&mut Sha256::new()), 7, 2);
//! # queue.record(&Consents::off(), &LOGIN_FAILED, &[5.into()], Millis::from_secs(90)).unwrap();
//! # queue.set_clock(Millis::from_secs(100), UnixTime(1_800_000_100));
//! # let (secret, mut rng) = (Secret::from_bytes([9; 32]), iotsec_testkit::SimRng::new(1));
//! # let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
//! # let (mut scratch, mut out, off) = ([0; 128], [0; 128], Consents::off());
//! # let sizes = Sizes::up_to(SizeClass::B128);
//! # let sealed = queue.batch(&off, &key, sizes, &mut rng, &mut scratch, &mut out).unwrap().unwrap();
//! # let message = sealed.bytes();
//! // Whenever a message comes through the session of LAMP-7.
//! let now = UnixTime(1_800_000_200);
//! let delivery = collector.receive("LAMP-7", message, now)?;
//! assert_eq!(delivery.records[0].event.definition().name(), "login.failed");
//! assert_eq!(delivery.records[0].when, When::Known(UnixTime(1_800_000_090)));
//!
//! // The acknowledgement got lost, and it comes again.
//! assert_eq!(collector.receive("LAMP-7", message, now)?.repeated, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

#[cfg(feature = "prio")]
pub mod aggregation;
pub mod collector;
pub mod error;
pub mod export;
pub mod registries;
pub mod tally;
