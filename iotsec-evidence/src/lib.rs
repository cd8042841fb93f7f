//! From a product manifest to the papers of an assessment under ETSI EN 303 645 and TS 103 701.
//!
//! | what it answers | module |
//! |---|---|
//! | which provisions there are, in both editions, and what other law they map to | [`catalogue`] |
//! | which of them apply to a product, and why not the others | [`applicability`] |
//! | what an assessor would object to in the manifest, before anything is tested | [`lint`] |
//! | the implementation conformance statement (ICS) | [`ics`] |
//! | the 29 tables of extra information for testing (IXIT) | [`ixit`] |
//! | what the code of the SDK shows, and the maker's own code | [`claims`] |
//! | which functions a firmware has, how tests ended, and a signed record of both | [`artefact`], [`outcome`], [`record`] |
//! | what that shows of each provision, and what is missing | [`judgement`] |
//! | the same as pages and files for other tools, and what changed since | [`report`], [`delta`] |
//!
//! It prepares an assessment and is not one: it says *claimed*, *not claimed*, *not applicable* and why, and nothing
//! here says that a product conforms.
//!
//! ```
//! use iotsec_evidence::{applicability::Facts, catalogue::{Catalogue, Edition}};
//! use iotsec_product::Product;
//!
//! let lamp = "[product]\nname = 'Lamp'\nmodel = 'lamp-2'\nvendor = 'V'\n[serial]\nprefix = 'L-'\n";
//! let facts = Facts::of(&Product::parse(lamp.as_bytes()).unwrap());
//! let sensors = Catalogue::get().provision("5.8-3").unwrap();
//! // It declares no sensor.
//! assert!(!facts.applies(sensors, Edition::V3_1_3).holds());
//! ```
#![forbid(unsafe_code)]

pub mod applicability;
pub mod artefact;
pub mod catalogue;
pub mod claims;
pub mod delta;
pub mod guidelines;
pub mod ics;
pub mod ixit;
pub mod judgement;
pub mod lint;
pub mod outcome;
pub mod record;
pub mod report;
