//! The registries that batches name, known by their hash.
//!
//! A device has its registry compiled in; a back end reads it from a file, so that it need not be built anew for
//! every product. The file is either the canonical encoding ([`Registry::canonical`]) that the device's build
//! writes, or a description in JSON that people can read and write ([`Description`]).

use std::collections::BTreeMap;

use iotsec_core::crypto::{Digest, Sha256};
use iotsec_telemetry::registry::{HashedRegistry, REGISTRY_HASH_LEN, Registry};

use crate::error::DescriptionError;

mod canonical;
mod description;
mod json;

pub use description::Description;

/// Registries that one collector keeps: one for each release of each product.
pub const MAX_REGISTRIES: usize = 4096;

/// The registries that are known.
///
/// A registry that was added stays in memory for as long as the program runs, and is there once however often it
/// is added to one `Registries`.
#[derive(Clone, Debug, Default)]
pub struct Registries {
    known: BTreeMap<[u8; REGISTRY_HASH_LEN], HashedRegistry>,
}

impl Registries {
    /// Knows none.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the registry that `bytes` are the canonical encoding of.
    ///
    /// # Errors
    /// [`DescriptionError`] unless a device that has this registry would write exactly these bytes.
    ///
    /// ```
    /// use iotsec_collector::{error::DescriptionError, registries::Registries};
    ///
    /// // Version 2 of something.
    /// let refused = Registries::new().add(&[0x84, 2, 0x80, 0x80, 0xF6]);
    /// assert_eq!(refused.err(), Some(DescriptionError::Version));
    /// ```
    pub fn add(&mut self, bytes: &[u8]) -> Result<HashedRegistry, DescriptionError> {
        let mut digest = Sha256::new();
        digest.update(bytes);
        let mut hash = [0; REGISTRY_HASH_LEN];
        for (to, from) in hash.iter_mut().zip(digest.finish()) {
            *to = from;
        }
        if let Some(known) = self.known.get(&hash) {
            return Ok(*known);
        }
        if self.known.len() >= MAX_REGISTRIES {
            return Err(DescriptionError::TooMany);
        }
        let registry = Description::from_canonical(bytes)?.declare()?;
        let mut again = Vec::with_capacity(bytes.len());
        registry.canonical(&mut |piece| again.extend_from_slice(piece));
        if again != bytes {
            return Err(DescriptionError::NotCanonical);
        }
        let hashed = registry.hashed(&mut Sha256::new());
        self.known.insert(*hashed.hash(), hashed);
        Ok(hashed)
    }

    /// Adds the registry that a description in JSON describes.
    ///
    /// # Errors
    /// [`DescriptionError`].
    pub fn add_json(&mut self, text: &[u8]) -> Result<HashedRegistry, DescriptionError> {
        self.add(&Description::from_json(text)?.to_canonical()?)
    }

    /// Adds one that is compiled in.
    pub fn add_compiled(&mut self, registry: &'static Registry) -> HashedRegistry {
        let hashed = registry.hashed(&mut Sha256::new());
        *self.known.entry(*hashed.hash()).or_insert(hashed)
    }

    /// The registry with this hash.
    pub fn find(&self, hash: &[u8; REGISTRY_HASH_LEN]) -> Option<&HashedRegistry> {
        self.known.get(hash)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &HashedRegistry> {
        self.known.values()
    }
}

#[cfg(test)]
mod tests;
