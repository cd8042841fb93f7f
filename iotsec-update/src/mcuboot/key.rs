//! Keys and signatures in the encodings that MCUboot uses.

use iotsec_core::crypto::{DIGEST_LEN, KeyType, SIGNATURE_LEN, Verify, WIDE_DIGEST_LEN};

use super::{
    Hashes, McubootError,
    seal::{Hash, KeyName},
};

/// Bytes of the largest public key in DER (P-256).
pub(super) const MAX_KEY: usize = 91;
/// Bytes of the largest signature (ECDSA in DER, or padded as old versions of MCUboot wanted it).
pub(super) const MAX_SIGNATURE: usize = 72;

/// SubjectPublicKeyInfo up to the key: id-Ed25519 (RFC 8410 §4).
const ED25519_PREFIX: [u8; 12] = [
    0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00,
];
/// SubjectPublicKeyInfo up to the point: id-ecPublicKey, secp256r1 (RFC 5480 §2).
const P256_PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86,
    0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// The trusted key that the image names.
pub(super) fn find<'k>(
    keys: &[&'k dyn Verify],
    name: &KeyName,
    hash: Hash,
    hashes: &mut Hashes<'_>,
) -> Result<(usize, &'k dyn Verify), McubootError> {
    for (index, key) in keys.iter().enumerate() {
        let Some(prefix) = prefix(key.key_type()) else {
            continue;
        };
        if named(name, prefix, key.public_key(), hash, hashes)? {
            return Ok((index, *key));
        }
    }
    Err(McubootError::KeyUnknown)
}

fn named(
    name: &KeyName,
    prefix: &[u8],
    key: &[u8],
    hash: Hash,
    hashes: &mut Hashes<'_>,
) -> Result<bool, McubootError> {
    Ok(match name {
        KeyName::Whole(bytes) => bytes.get().strip_prefix(prefix) == Some(key),
        KeyName::Hash(named) => {
            let mut digest = [0; WIDE_DIGEST_LEN];
            let digest = hashes.of(hash, &[prefix, key], &mut digest)?;
            named.get() == digest
        }
    })
}

fn prefix(kind: KeyType) -> Option<&'static [u8]> {
    match kind {
        KeyType::Ed25519 => Some(&ED25519_PREFIX),
        KeyType::P256 => Some(&P256_PREFIX),
        _ => None,
    }
}

/// r‖s of an ECDSA-Sig-Value (RFC 3279 §2.2.3) in strict DER. Zeros behind it, up to 72 bytes, are what
/// `imgtool --pad-sig` adds.
pub(super) fn raw_signature(der: &[u8]) -> Result<[u8; SIGNATURE_LEN], McubootError> {
    let (body, padding) = value(der, 0x30)?;
    let padded = der.len() == MAX_SIGNATURE && padding.iter().all(|byte| *byte == 0);
    if !padding.is_empty() && !padded {
        return Err(McubootError::EntryValue);
    }
    let (r, rest) = value(body, 0x02)?;
    let (s, rest) = value(rest, 0x02)?;
    if !rest.is_empty() {
        return Err(McubootError::EntryValue);
    }
    let mut raw = [0; SIGNATURE_LEN];
    let (left, right) = raw.split_at_mut(DIGEST_LEN);
    scalar(r, left)?;
    scalar(s, right)?;
    Ok(raw)
}

/// The content of the DER element at the front, and what follows it.
fn value(der: &[u8], tag: u8) -> Result<(&[u8], &[u8]), McubootError> {
    match der {
        // Both are too short for the long form of a length.
        [found, len @ 0..=0x7F, rest @ ..] if *found == tag => rest
            .split_at_checked(usize::from(*len))
            .ok_or(McubootError::EntryValue),
        _ => Err(McubootError::EntryValue),
    }
}

/// A positive integer in its shortest form, right-aligned.
fn scalar(integer: &[u8], out: &mut [u8]) -> Result<(), McubootError> {
    let magnitude = match integer {
        [0x01..=0x7F, ..] => integer,
        // The zero is the sign, where the first bit is not.
        [0, rest @ ..] if rest.first().is_some_and(|byte| *byte > 0x7F) => rest,
        _ => return Err(McubootError::EntryValue),
    };
    let start = out.len().checked_sub(magnitude.len());
    let place = start.and_then(|start| out.get_mut(start..));
    place.ok_or(McubootError::EntryValue)?.copy_from_slice(magnitude);
    Ok(())
}
