//! How the bytes that arrive become the image: what the manifest says of its payload, and the decoders.
//!
//! Without a word in the manifest the payload is the image. Three parameters say otherwise, and the order
//! on the device is the order of this table:
//!
//! | parameter | what | done by |
//! |---|---|---|
//! | -257 chunk digests | every chunk of the payload has a digest, so a bad one is noticed at once and only it is sent again | the [`Session`](crate::install::Session), with [`Checked`] |
//! | 19 encryption info | the payload is encrypted to this device (draft-ietf-suit-firmware-encryption) | a decoder |
//! | -258 payload encoding | the payload is compressed, or a patch against the image that runs | a decoder |
//!
//! ```text
//! chunk-digests    = [chunk-size: uint, digests: bstr]   ; SHA-256 of each chunk, one after the other
//! payload-encoding = { 1 => uint,                        ; bytes of the payload as transported
//!                      ? 2 => SUIT_Digest,               ; of the payload as transported
//!                      ? 3 => encoding }
//! encoding = [1, window: 4..15, lookahead: 3..14]        ; heatshrink, both as powers of two
//!          / [2, base: SUIT_Digest, base-size: uint]     ; detools sequential patch
//! ```
//!
//! A decoder is a type parameter of the [`Session`](crate::install::Session): what a product does not name is not
//! linked. Decoders are state machines over bytes; they see hostile input only after it was signed for,
//! or, with encryption and chunk digests left out, before the digest of the image has been checked. So
//! they trust nothing, and what they give is bounded by the signed size of the image.

mod check;
#[cfg(feature = "encryption")]
mod decrypt;
#[cfg(feature = "delta")]
mod delta;
mod error;
#[cfg(feature = "delta")]
mod heatshrink;
mod plain;
#[cfg(feature = "delta")]
mod state;
mod transport;

use iotsec_core::hal::FlashError;

pub use check::{Check, Checked, Means, Unchecked};
#[cfg(feature = "encryption")]
pub use decrypt::Decrypt;
#[cfg(feature = "delta")]
pub use delta::Delta;
pub use error::PayloadError;
pub use plain::Plain;
pub(crate) use transport::RawTransport;
pub use transport::{Chunks, Encoding, Transport};

/// Turns the bytes of a payload into those of the image.
pub trait Decode {
    /// Gets ready for a payload that makes exactly `image_size` bytes.
    ///
    /// # Errors
    /// [`PayloadError::Encoding`] for what this decoder does not know.
    fn begin(&mut self, transport: &Transport<'_>, image_size: u32) -> Result<(), PayloadError>;

    /// Takes some of `input` and gives some of `output`. Neither need be used up; with room in both,
    /// something is taken or given.
    ///
    /// # Errors
    /// [`PayloadError`]; nothing more comes of this payload then.
    fn decode(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        base: &mut dyn Base,
    ) -> Result<Decoded, PayloadError>;

    /// All of the payload was offered, and all of the image given: checks what must stand at the end.
    ///
    /// # Errors
    /// [`PayloadError`].
    fn end(&mut self) -> Result<(), PayloadError>;

    /// Writes what is needed to go on from here after a reset. `None` when that is not possible, or does
    /// not fit: the payload has to be sent anew then.
    fn save(&self, state: &mut [u8]) -> Option<Saved>;

    /// Goes on from what [`save`](Self::save) wrote, after [`begin`](Self::begin) for the same payload.
    /// Returns the byte of the payload to be sent next.
    ///
    /// The state comes from flash, so it is hostile: a false one is refused, or makes a wrong image.
    ///
    /// # Errors
    /// [`PayloadError::State`].
    fn restore(&mut self, state: &[u8]) -> Result<u32, PayloadError>;
}

/// What one call of [`Decode::decode`] came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// Bytes taken of the input.
    pub taken: usize,
    /// Bytes given to the output.
    pub given: usize,
}

/// What [`Decode::save`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Bytes of the state.
    pub len: usize,
    /// The byte of the payload to be sent next.
    pub payload_offset: u32,
}

/// The image that a patch is applied to: the component that runs.
pub trait Base {
    /// Bytes that may be read.
    fn size(&self) -> u32;

    /// Reads at any place within.
    ///
    /// # Errors
    /// [`FlashError::OutOfBounds`] beyond the end, and those of the driver.
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError>;
}

/// A base in memory, for hosts and tests.
impl Base for &[u8] {
    fn size(&self) -> u32 {
        u32::try_from(self.len()).unwrap_or(u32::MAX)
    }

    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        let at = usize::try_from(at).map_err(|_| FlashError::OutOfBounds)?;
        let from = self.get(at..).and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(from.ok_or(FlashError::OutOfBounds)?);
        Ok(())
    }
}
