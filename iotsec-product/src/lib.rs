//! The product manifest `iotsec.toml`: one file, written by people, that says what is true of every unit of a product.
//!
//! | what it becomes | module |
//! |---|---|
//! | typed sections, refused with line, column and remedy where they are wrong | [`product`], [`finding`] |
//! | a table of interfaces, constants and a telemetry registry in Rust, for the firmware's build | [`source`] |
//! | a JSON Schema for editors | [`schema`] |
//! | other files that people write beside it, read with the same findings | [`document`] |
//!
//! A firmware's build script needs three lines:
//!
//! ```no_run
//! let manifest = iotsec_product::source::for_build("iotsec.toml")?;
//! // `include!(concat!(env!("OUT_DIR"), "/product.rs"));` in the firmware.
//! manifest.write_to_out_dir("product.rs")?;
//! # Ok::<(), iotsec_product::source::BuildError>(())
//! ```
#![forbid(unsafe_code)]

pub mod access;
pub mod care;
pub mod document;
pub mod factory;
pub mod finding;
mod lint;
pub mod maker;
mod place;
pub mod privacy;
pub mod product;
pub mod schema;
mod section;
pub mod software;
pub mod source;
pub mod surface;
pub mod text;

pub use finding::{Finding, Severity};
pub use iotsec_collector::registries::Description as Telemetry;
pub use product::Product;
