use super::{
    der::{self, Writer},
    error::IdentityError,
    public::SubjectPublicKey,
    subject::{MAX_TEXT, Subject},
};
use crate::crypto::{KeyType, SIGNATURE_LEN, Sign};

/// `id-Ed25519` (RFC 8410 §3).
const WITH_ED25519: &[u8] = &[0x06, 0x03, 0x2B, 0x65, 0x70];
/// `ecdsa-with-SHA256` (RFC 5758 §3.2).
const WITH_P256: &[u8] = &[0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02];

/// Algorithm and signature, at their longest: 12 bytes, and a BIT STRING around two INTEGERs of 33 bytes.
const TAIL_LEN: usize = 12 + 3 + 2 + 2 * (2 + 33);

/// A request for a certificate, PKCS#10 (RFC 2986), signed by the key that it is for.
///
/// ```text
/// CertificationRequest = SEQUENCE { info, SEQUENCE { algorithm OID }, signature BIT STRING }
/// info = SEQUENCE { version 0, subject Name, SubjectPublicKeyInfo, attributes [0] {} }
/// ```
///
/// It asks for a name and a key and for no extension: what a device certificate may do is the CA's to decide.
/// A P-256 signature is written as ECDSA-Sig-Value (RFC 3279 §2.2.3).
///
/// ```
/// use iotsec_core::{
///     crypto::Ed25519SigningKey,
///     identity::{CertificationRequest, Subject},
///     secret::Secret,
/// };
///
/// let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// let mut out = [0; CertificationRequest::MAX_LEN];
/// let der = CertificationRequest::write(&Subject::new("LAMP-0042")?, &key, &mut out)?;
/// assert_eq!(der[..2], [0x30, 0x81]);
/// # Ok::<(), iotsec_core::identity::IdentityError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CertificationRequest(());

impl CertificationRequest {
    /// Bytes of the longest request: all three names of the subject with 64 bytes, and a P-256 key.
    pub const MAX_LEN: usize = 4 + Self::INFO_LEN + TAIL_LEN;

    /// Head, version, name of three attributes, key, no attributes.
    const INFO_LEN: usize = 4 + 3 + (3 + 3 * (2 + 2 + 5 + 2 + MAX_TEXT)) + SubjectPublicKey::MAX_LEN + 2;

    /// Writes the DER. The key is used once.
    ///
    /// # Errors
    /// [`IdentityError::BufferFull`], for which [`MAX_LEN`](Self::MAX_LEN) bytes are always enough;
    /// [`IdentityError::KeyType`]; [`IdentityError::Crypto`] when the key fails.
    pub fn write<'o>(
        subject: &Subject<'_>,
        key: &dyn Sign,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], IdentityError> {
        let mut writer = Writer::new(out);
        let mark = writer.mark();
        writer.value(der::CONTEXT_0, &[])?;
        SubjectPublicKey::of(key)?.put(&mut writer)?;
        subject.write(&mut writer)?;
        writer.unsigned(&[0])?;
        writer.wrap(der::SEQUENCE, mark)?;
        let info_len = writer.settle();

        let mut tail = [0; TAIL_LEN];
        let info = out.get(..info_len).ok_or(IdentityError::BufferFull)?;
        let tail_len = sign(key, info, &mut tail)?;
        let tail = tail.get(..tail_len).ok_or(IdentityError::BufferFull)?;

        let content_len = info_len.saturating_add(tail_len);
        let (head, head_len) = der::head(der::SEQUENCE, content_len)?;
        let head = head.get(..head_len).unwrap_or_default();
        let place = out
            .get_mut(..head_len.saturating_add(content_len))
            .ok_or(IdentityError::BufferFull)?;
        der::shift(place, 0, head_len, info_len);
        for (to, from) in place.iter_mut().zip(head) {
            *to = *from;
        }
        let behind = place.iter_mut().skip(head_len.saturating_add(info_len));
        for (to, from) in behind.zip(tail) {
            *to = *from;
        }
        Ok(place)
    }
}

/// AlgorithmIdentifier and signature; how many bytes they have.
fn sign(key: &dyn Sign, info: &[u8], tail: &mut [u8]) -> Result<usize, IdentityError> {
    let mut signature = [0; SIGNATURE_LEN];
    key.sign(info, &mut signature)?;
    let mut writer = Writer::new(tail);
    let mark = writer.mark();
    let algorithm = match key.key_type() {
        KeyType::P256 => {
            let (r, s) = signature.split_at(SIGNATURE_LEN / 2);
            writer.unsigned(s)?;
            writer.unsigned(r)?;
            writer.wrap(der::SEQUENCE, mark)?;
            WITH_P256
        }
        _ => {
            writer.bytes(&signature)?;
            WITH_ED25519
        }
    };
    // No unused bits in the last byte.
    writer.bytes(&[0])?;
    writer.wrap(der::BIT_STRING, mark)?;
    writer.value(der::SEQUENCE, algorithm)?;
    Ok(writer.settle())
}
