//! What a device maker publishes about a product, from its manifest.
//!
//! | document | module |
//! |---|---|
//! | `security.txt` (RFC 9116): where to report a weakness | [`security_txt`] |
//! | the policy behind it, with its times | [`policy`] |
//! | the statement of compliance of the United Kingdom (SI 2023/1007, Schedule 4) | [`compliance`] |
//! | the page for those who buy or use the product | [`consumer`] |
//! | the MUD file (RFC 8520), by which a network learns what the product needs | [`mud`] |
//! | all of these at once | [`page`] |
//! | the bill of materials (CycloneDX 1.6), from what cargo built the firmware of | [`sbom`] |
//! | what a person writes about a weakness, checked | [`advisory`] |
//! | security advisories and VEX in CSAF 2.0, and the provider's files beside them | [`csaf`] |
//! | VEX in CycloneDX, linked to the bill | [`vex`] |
//! | base scores of CVSS 3.1 | [`cvss`] |
//! | the case file of a report under the Cyber Resilience Act, with its clocks | [`case`] |
//!
//! Functions from data to text: no file is read or written here, no clock is looked at and no program is started.
//!
//! ```
//! use iotsec_core::hal::UnixTime;
//! use iotsec_disclosure::page;
//! use iotsec_product::Product;
//!
//! let lock = include_bytes!("../../examples/products/lock/iotsec.toml");
//! let product = Product::parse(lock).unwrap();
//! let pages = page::all(&product, UnixTime(1_795_996_800), 180)?;
//! assert_eq!(pages[0].name, "security.txt");
//! assert!(pages[0].text.starts_with("Contact: mailto:security@locks.example.com\n"));
//! # Ok::<(), iotsec_disclosure::DisclosureError>(())
//! ```
#![forbid(unsafe_code)]

pub mod advisory;
pub mod case;
pub mod compliance;
pub mod consumer;
pub mod csaf;
pub mod cvss;
pub mod error;
pub mod firmware;
pub mod moment;
pub mod mud;
pub mod page;
pub mod policy;
pub mod sbom;
pub mod security_txt;
pub mod vex;

pub use error::DisclosureError;
pub use firmware::Firmware;
pub use moment::Moment;
