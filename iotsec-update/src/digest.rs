//! SUIT_Digest, of which this profile has SHA-256 only.
//!
//! ```text
//! SUIT_Digest = [-16, bstr .size 32]
//! ```

use iotsec_core::{
    cbor::{CborError, Reader, Writer},
    crypto::{DIGEST_LEN, Digest},
};
use subtle::ConstantTimeEq;

use crate::error::UpdateError;

/// SHA-256 in the COSE registry.
const SHA_256: i64 = -16;

/// Reads the SUIT_Digest at `reader`.
pub(crate) fn read<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8; DIGEST_LEN], UpdateError> {
    reader.array_len(2)?;
    let algorithm = reader.int()?;
    let digest = reader.bytes()?;
    if algorithm != SHA_256 {
        return Err(UpdateError::DigestAlgorithm);
    }
    digest.try_into().map_err(|_| UpdateError::DigestAlgorithm)
}

pub(crate) fn write(writer: &mut Writer<'_>, digest: &[u8; DIGEST_LEN]) -> Result<(), CborError> {
    writer.array(2)?.int(SHA_256)?.bytes(digest)?;
    Ok(())
}

// Out of line: three calls through a table each time.
#[inline(never)]
pub(crate) fn of(hash: &mut dyn Digest, bytes: &[u8]) -> [u8; DIGEST_LEN] {
    hash.reset();
    hash.update(bytes);
    hash.finish()
}

/// Compares in constant time.
pub(crate) fn equal(a: &[u8; DIGEST_LEN], b: &[u8; DIGEST_LEN]) -> bool {
    a.ct_eq(b).into()
}
