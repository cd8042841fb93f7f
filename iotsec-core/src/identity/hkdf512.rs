//! HMAC and HKDF with SHA-512, over any [`WideDigest`].

use crate::{
    crypto::{CryptoError, WIDE_DIGEST_LEN, WideDigest},
    secret::Secret,
};

/// Bytes of a block of SHA-512.
const BLOCK: usize = 128;

/// HMAC-SHA-512 (RFC 2104) over the concatenation of `parts`.
pub(super) fn hmac(hash: &mut dyn WideDigest, key: &[u8], parts: &[&[u8]]) -> Secret<WIDE_DIGEST_LEN> {
    let mut block = Secret::<BLOCK>::zero();
    if key.len() > BLOCK {
        hash.reset();
        hash.update(key);
        let short = Secret::<WIDE_DIGEST_LEN>::from_bytes(hash.finish());
        fill(&mut block, short.expose());
    } else {
        fill(&mut block, key);
    }
    let mut pad = |mask: u8, parts: &[&[u8]]| {
        let mut padded = Secret::<BLOCK>::zero();
        for (to, from) in padded.expose_mut().iter_mut().zip(block.expose()) {
            *to = from ^ mask;
        }
        hash.reset();
        hash.update(padded.expose());
        for part in parts {
            hash.update(part);
        }
        Secret::<WIDE_DIGEST_LEN>::from_bytes(hash.finish())
    };
    let inner = pad(0x36, parts);
    pad(0x5C, &[inner.expose()])
}

/// HKDF-SHA-512 (RFC 5869) for at most one block of output.
pub(super) fn derive(
    hash: &mut dyn WideDigest,
    salt: &[u8],
    key: &[u8],
    info: &[u8],
    out: &mut [u8],
) -> Result<(), CryptoError> {
    let extracted = hmac(hash, salt, &[key]);
    let block = hmac(hash, extracted.expose(), &[info, &[1]]);
    let bytes = block.expose().get(..out.len()).ok_or(CryptoError::Length)?;
    out.copy_from_slice(bytes);
    Ok(())
}

fn fill(block: &mut Secret<BLOCK>, bytes: &[u8]) {
    for (to, from) in block.expose_mut().iter_mut().zip(bytes) {
        *to = *from;
    }
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests {
    use super::*;
    use crate::crypto::Sha512;
    use std::string::String;

    /// RFC 4231 §4.2 to §4.7: a short key, and one that is longer than a block.
    #[test]
    fn the_vectors_of_rfc_4231_hold() {
        let mac = |key: &[u8], parts: &[&[u8]]| -> String {
            let mac = hmac(&mut Sha512::new(), key, parts);
            mac.expose()[..8]
                .iter()
                .map(|byte| std::format!("{byte:02x}"))
                .collect()
        };
        assert_eq!(mac(&[0x0B; 20], &[b"Hi ", b"There"]), "87aa7cdea5ef619d");
        assert_eq!(
            mac(b"Jefe", &[b"what do ya want ", b"for nothing?"]),
            "164b7a7bfcf819e2"
        );
        let long = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(mac(&[0xAA; 131], &[long]), "80b24263c7c1a3eb");
    }

    #[test]
    fn more_than_a_block_is_refused() {
        let mut out = [0; WIDE_DIGEST_LEN + 1];
        let refused = derive(&mut Sha512::new(), b"", b"", b"", &mut out);
        assert_eq!(refused, Err(CryptoError::Length));
    }
}
