//! Digests over the payload as it comes.

use iotsec_core::crypto::Digest;

/// Whether the digests that a manifest tells of its payload, as transported, are checked.
///
/// A type parameter of the [`Session`](crate::install::Session), so that what a product does not use is not
/// linked: [`Unchecked`] or [`Checked`].
pub trait Check {
    /// Where a chunk is kept until its digest was compared, and what makes the digest.
    fn means(&mut self) -> Option<Means<'_>>;
}

/// What checking a payload takes.
pub struct Means<'c> {
    /// Holds the largest chunk.
    pub buffer: &'c mut [u8],
    /// Another one than that of the [`Updater`](crate::Updater), which runs over the image at the same time.
    pub digest: &'c mut dyn Digest,
}

impl core::fmt::Debug for Means<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Means")
            .field("buffer", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

/// Digests over the payload are not checked; that of the image is, always.
///
/// An encrypted payload that comes with digests is refused then: they are there to be compared before
/// anything is decrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unchecked;

impl Check for Unchecked {
    fn means(&mut self) -> Option<Means<'_>> {
        None
    }
}

/// Digests over the payload are checked: each chunk before a byte of it is decrypted, decompressed or written,
/// or, without chunks, the payload as a whole at its end.
///
/// ```
/// use iotsec_core::crypto::Sha256;
/// use iotsec_update::payload::{Check, Checked};
///
/// let mut buffer = [0; 4096]; // chunks of up to 4 KiB
/// let mut check = Checked::new(&mut buffer, Sha256::new());
/// assert_eq!(check.means().map(|means| means.buffer.len()), Some(4096));
/// ```
#[derive(Debug)]
pub struct Checked<'m, D> {
    buffer: &'m mut [u8],
    digest: D,
}

impl<'m, D: Digest> Checked<'m, D> {
    /// With a buffer for the largest chunk that the product's manifests have.
    pub const fn new(buffer: &'m mut [u8], digest: D) -> Self {
        Self { buffer, digest }
    }
}

impl<D: Digest> Check for Checked<'_, D> {
    fn means(&mut self) -> Option<Means<'_>> {
        Some(Means {
            buffer: self.buffer,
            digest: &mut self.digest,
        })
    }
}
