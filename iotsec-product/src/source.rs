//! What the firmware has of the manifest, in Rust: so that code and documents cannot say different things.

mod constants;
mod surface;
mod telemetry;

use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
};

use iotsec_net::surface::InterfaceTable;

use crate::{finding::Finding, product::Product};

/// A file for `include!`: constants, and the interface table and the telemetry registry where the manifest has them.
/// It needs nothing but the package `iotsec`, with the features `net`, `telemetry` and `update` for these sections.
///
/// ```
/// use iotsec_product::{Product, source};
///
/// let lamp = "[product]\nname = 'Lamp'\nmodel = 'lamp-2'\nvendor = 'V'\n[serial]\nprefix = 'L-'\n";
/// let text = source::rust(&Product::parse(lamp.as_bytes()).unwrap());
/// assert!(text.contains("pub const MODEL: &str = \"lamp-2\";"));
/// ```
pub fn rust(product: &Product) -> String {
    let mut text = header("iotsec_product::source");
    text += &constants::rust(product);
    if let Some(table) = product.interfaces() {
        text += "\n";
        text += &surface::rust(product, &table);
    }
    if let Some(registry) = product.registry() {
        text += "\n";
        text += &telemetry::rust(product, registry);
    }
    text
}

/// The interface table alone.
pub fn surface_table(product: &Product, table: &InterfaceTable) -> String {
    header("iotsec surface table") + &surface::rust(product, table)
}

fn header(maker: &str) -> String {
    format!("// Made by `{maker}` from the product manifest, which is the place for changes.\n")
}

/// A manifest, in a build script.
#[derive(Debug)]
pub struct Build {
    text: String,
}

/// Reads the manifest at `path`, relative to the package that is built, and has cargo build anew when it changes.
///
/// # Errors
/// [`BuildError`], whose `Debug` form, which is what cargo shows, has a line for each finding.
pub fn for_build(path: impl AsRef<Path>) -> Result<Build, BuildError> {
    let folder = env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .unwrap_or_default();
    let path = folder.join(path);
    println!("cargo::rerun-if-changed={}", path.display());
    let product = Product::read(&path).map_err(|findings| BuildError::Manifest(path, findings))?;
    Ok(Build { text: rust(&product) })
}

impl Build {
    /// Writes a file for `include!(concat!(env!("OUT_DIR"), "/product.rs"))`.
    ///
    /// # Errors
    /// [`BuildError`] when cargo did not run this, or the file cannot be written.
    pub fn write_to_out_dir(&self, name: &str) -> Result<(), BuildError> {
        let folder = env::var_os("OUT_DIR")
            .map(PathBuf::from)
            .ok_or(BuildError::NoOutDir)?;
        let path = folder.join(name);
        fs::write(&path, &self.text).map_err(|cause| BuildError::File(path, cause))
    }
}

/// Why a build script ends.
pub enum BuildError {
    /// What is wrong with the manifest.
    Manifest(PathBuf, Vec<Finding>),
    /// A file that cannot be written.
    File(PathBuf, io::Error),
    /// Cargo sets `OUT_DIR` for build scripts.
    NoOutDir,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(path, findings) => {
                for finding in findings {
                    write!(f, "\n{}: {finding}\n  remedy: {}", path.display(), finding.remedy)?;
                }
                Ok(())
            }
            Self::File(path, cause) => write!(f, "{}: {cause}", path.display()),
            Self::NoOutDir => f.write_str("OUT_DIR is not set: call this from a build script"),
        }
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for BuildError {}
