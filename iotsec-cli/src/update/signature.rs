//! Signatures that are made elsewhere: what is signed, and what comes back.
//!
//! The COSE structure is always written by `iotsec-core`; a key that is somewhere else takes part through
//! its `Sign` trait.

use std::cell::RefCell;

use iotsec::core::{
    cose::{CoseError, Sign1Builder},
    crypto::{CryptoError, KeyType, SIGNATURE_LEN, Sign, Verify},
};
use pkcs8::der::{Reader as _, SliceReader, asn1::UintRef};

/// The bytes that a signer of this kind signs: the Sig_structure (RFC 9052 §4.4) with the detached
/// SUIT_Digest. The key identifier is not part of it.
pub(super) fn to_be_signed(kind: KeyType, signed: &[u8]) -> Result<Vec<u8>, CoseError> {
    let recorder = Recorder {
        kind,
        message: RefCell::default(),
    };
    block(&recorder, None, signed)?;
    Ok(recorder.message.take())
}

/// An authentication block around a signature that was made elsewhere.
pub(super) fn block_around(
    kind: KeyType,
    signature: [u8; SIGNATURE_LEN],
    kid: Option<&[u8]>,
    signed: &[u8],
) -> Result<Vec<u8>, CoseError> {
    block(&Given { kind, signature }, kid, signed)
}

/// An authentication block: COSE_Sign1 with a detached payload.
pub(super) fn block(key: &dyn Sign, kid: Option<&[u8]>, signed: &[u8]) -> Result<Vec<u8>, CoseError> {
    // "Signature1", the protected header and a SUIT_Digest; the block has a key identifier of 64 bytes more.
    let (mut scratch, mut out) = ([0; 128], [0; 192]);
    let builder = match kid {
        Some(kid) => Sign1Builder::new().kid(kid),
        None => Sign1Builder::new(),
    };
    let block = builder.sign_detached(key, signed, b"", &mut scratch, &mut out)?;
    Ok(block.to_vec())
}

/// The raw form of a signature that verifies: 64 bytes as they are, or ECDSA in DER (RFC 3279 §2.2.3) as
/// OpenSSL and key services write it.
pub(crate) fn accept(
    key: &dyn Verify,
    message: &[u8],
    signature: &[u8],
) -> Result<[u8; SIGNATURE_LEN], CryptoError> {
    let raw = signature.try_into().ok();
    let der = from_der(signature).filter(|_| key.key_type() == KeyType::P256);
    // A DER signature may have 64 bytes as well, so both readings are tried.
    let mut readings = raw.into_iter().chain(der);
    readings
        .find(|reading: &[u8; SIGNATURE_LEN]| key.verify(message, reading).is_ok())
        .ok_or(CryptoError::Signature)
}

fn from_der(bytes: &[u8]) -> Option<[u8; SIGNATURE_LEN]> {
    let mut reader = SliceReader::new(bytes).ok()?;
    let numbers = reader.sequence(|inner| Ok::<_, pkcs8::der::Error>([inner.decode()?, inner.decode()?]));
    let numbers: [UintRef<'_>; 2] = numbers.ok()?;
    reader.finish().ok()?;
    let mut raw = [0; SIGNATURE_LEN];
    for (number, half) in numbers.iter().zip(raw.chunks_mut(SIGNATURE_LEN / 2)) {
        let at = half.len().checked_sub(number.as_bytes().len())?;
        half.get_mut(at..)?.copy_from_slice(number.as_bytes());
    }
    Some(raw)
}

/// Keeps what it is asked to sign.
struct Recorder {
    kind: KeyType,
    message: RefCell<Vec<u8>>,
}

impl Sign for Recorder {
    fn key_type(&self) -> KeyType {
        self.kind
    }
    fn public_key(&self) -> &[u8] {
        &[]
    }
    fn sign(&self, message: &[u8], _: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        self.message.replace(message.to_vec());
        Ok(())
    }
}

/// Has signed already.
struct Given {
    kind: KeyType,
    signature: [u8; SIGNATURE_LEN],
}

impl Sign for Given {
    fn key_type(&self) -> KeyType {
        self.kind
    }
    fn public_key(&self) -> &[u8] {
        &[]
    }
    fn sign(&self, _: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        *signature = self.signature;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use iotsec::core::{
        crypto::{P256PublicKey, P256SigningKey},
        secret::Secret,
    };

    use super::*;

    /// The order of P-256.
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc,
        0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];

    fn integer(half: &[u8]) -> Vec<u8> {
        let start = half.iter().position(|byte| *byte != 0).unwrap();
        let mut bytes = half[start..].to_vec();
        if bytes[0] >= 0x80 {
            bytes.insert(0, 0);
        }
        [vec![0x02, u8::try_from(bytes.len()).unwrap()], bytes].concat()
    }

    fn der(raw: &[u8; 64]) -> Vec<u8> {
        let numbers = [integer(&raw[..32]), integer(&raw[32..])].concat();
        [vec![0x30, u8::try_from(numbers.len()).unwrap()], numbers].concat()
    }

    /// The other signature that is as good: n - s instead of s.
    fn mirrored(raw: &[u8; 64]) -> [u8; 64] {
        let mut out = *raw;
        let mut borrow = 0;
        for at in (0..32).rev() {
            let difference = i16::from(ORDER[at]) - i16::from(raw[32 + at]) - borrow;
            borrow = i16::from(difference < 0);
            out[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
        }
        out
    }

    #[test]
    fn both_forms_and_both_halves_of_ecdsa_are_taken_and_others_refused() {
        let signer = P256SigningKey::from_scalar(&Secret::from_bytes([0x42; 32])).unwrap();
        let key = P256PublicKey::from_sec1(signer.public_key()).unwrap();
        // Enough messages for integers with and without a leading zero.
        for message in 0..64u8 {
            let mut raw = [0; 64];
            signer.sign(&[message], &mut raw).unwrap();
            for raw in [raw, mirrored(&raw)] {
                assert_eq!(accept(&key, &[message], &raw), Ok(raw));
                assert_eq!(accept(&key, &[message], &der(&raw)), Ok(raw));
                assert!(accept(&key, &[message, 0], &der(&raw)).is_err());
                let mut long = der(&raw);
                long.push(0);
                for bad in [&long[..], &long[..30], &[], &raw[1..]] {
                    assert_eq!(accept(&key, &[message], bad), Err(CryptoError::Signature));
                }
            }
        }
    }
}
