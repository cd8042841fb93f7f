//! Secrets of a batch, encrypted to who needs them and signed by the station.
//!
//! ```text
//! file    = magic: 8 bytes "iotsecS1", frame...
//! frame   = lengths of the three: 3 × 4, signature, info, content
//! content = text of one chunk of units, encrypted with AES-128-GCM, its tag behind it
//! info    = COSE_Encrypt with the content key for each recipient
//! ```
//!
//! Lengths are big-endian. The signature is a COSE_Sign1 with detached payload, SHA-256 over info and
//! content, and the additional authenticated data `iotsec/provision/sealed/v1`. The text begins with a line
//! that says what follows: batch, kind, number of the first unit.

use std::io::Read;

use iotsec::core::{
    cbor::Limits,
    cose::{CoseError, Sign1, Sign1Builder},
    crypto::{KeyAgreement, Sha256, Sign, Verify},
};
use zeroize::Zeroizing;

use crate::{
    Problem,
    encryption::{Cipher, Recipient, open, seal},
};

pub(super) const MAGIC: &[u8; 8] = b"iotsecS1";
const CONTEXT: &[u8] = b"iotsec/provision/sealed/v1";
/// Far more than a chunk has.
const MAX: usize = 4 << 20;

/// The frame of one chunk.
pub(super) fn frame(recipients: &[Recipient], signer: &dyn Sign, text: &[u8]) -> Result<Vec<u8>, Problem> {
    let (info, content) = seal(recipients, Cipher::A128gcm, text.to_vec())?;
    let digest = Sha256::of(&[&info, &content]);
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let signature = Sign1Builder::new()
        .sign_detached(signer, &digest, CONTEXT, &mut scratch, &mut out)
        .map_err(Problem::make("signature"))?;
    let length = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes();
    let lengths = [length(signature), length(&info), length(&content)];
    Ok([lengths.as_flattened(), signature, &info, &content].concat())
}

/// Who opens frames, and whom they have to be from.
pub(super) struct Opener<'k> {
    pub(super) key: &'k dyn KeyAgreement,
    pub(super) kid: Option<&'k [u8]>,
    pub(super) signer: &'k dyn Verify,
}

impl Opener<'_> {
    /// The text of the next frame; `None` at the end.
    pub(super) fn next(&self, file: &mut impl Read) -> Result<Option<Zeroizing<Vec<u8>>>, String> {
        let mut lengths = Vec::new();
        let io = |cause: std::io::Error| cause.to_string();
        file.by_ref().take(12).read_to_end(&mut lengths).map_err(io)?;
        if lengths.is_empty() {
            return Ok(None);
        }
        let mut parts = [const { Vec::new() }; 3];
        for (part, length) in parts.iter_mut().zip(lengths.as_chunks::<4>().0) {
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if length > MAX {
                return Err("a frame is longer than any chunk".into());
            }
            file.by_ref().take(length as u64).read_to_end(part).map_err(io)?;
            if part.len() != length {
                return Err("it ends within a frame".into());
            }
        }
        let [signature, info, content] = parts;
        let refused = |cause: CoseError| cause.to_string();
        let digest = Sha256::of(&[&info, &content]);
        let mut scratch = [0; 256];
        Sign1::parse(&signature, &Limits::SMALL)
            .and_then(|message| {
                message
                    .verify_detached(self.signer, &digest, CONTEXT, &mut scratch)
                    .map(|_| ())
            })
            .map_err(refused)?;
        open(self.key, self.kid, &info, content)
            .map(Some)
            .map_err(refused)
    }
}
