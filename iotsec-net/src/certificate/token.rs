use core::marker::PhantomData;

use iotsec_core::hal::UnixTime;
use rustls_pki_types::{
    AlgorithmIdentifier, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer, alg_id,
};

use super::{error::CertificateError, fields::Fields, key::KeyKind};

/// The peer is a server.
#[derive(Clone, Copy, Debug)]
pub enum Server {}
/// The peer is a client.
#[derive(Clone, Copy, Debug)]
pub enum Client {}

/// A server whose chain was verified for one host.
pub type VerifiedServer<'a> = Verified<'a, Server>;
/// A client whose chain was verified.
pub type VerifiedClient<'a> = Verified<'a, Client>;

/// A peer whose chain was verified, and who has yet to prove that it holds the key.
///
/// There is no other way to one than [`verify_server_chain`](super::verify_server_chain) and
/// [`verify_client_chain`](super::verify_client_chain).
#[derive(Clone, Copy, Debug)]
pub struct Verified<'a, P> {
    leaf: &'a [u8],
    fields: Fields<'a>,
    algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    anchor: usize,
    peer: PhantomData<P>,
}

impl<'a, P> Verified<'a, P> {
    pub(super) const fn new(
        leaf: &'a [u8],
        fields: Fields<'a>,
        algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
        anchor: usize,
    ) -> Self {
        Self {
            leaf,
            fields,
            algorithms,
            anchor,
            peer: PhantomData,
        }
    }

    /// Checks that the peer signed `message`, which is what TLS 1.3 has it sign (RFC 8446 §4.4.3), by a scheme with its
    /// number in the TLS registry. Schemes are those of TLS 1.3: ECDSA on P-256 and P-384, Ed25519, RSA-PSS.
    ///
    /// # Errors
    /// [`CertificateError::Scheme`] for another scheme, or one that the key does not have;
    /// [`CertificateError::HandshakeSignature`].
    pub fn verify_signature(
        &self,
        scheme: u16,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CertificateError> {
        check(
            self.fields.spki,
            self.fields.key,
            self.algorithms,
            scheme,
            message,
            signature,
        )
    }

    /// The key by itself, for a TLS stack that hands out the certificates only as long as it asks about them. It takes
    /// `N` bytes: [`VerifiedKey::MAX_EC_LEN`] for elliptic curves.
    ///
    /// # Errors
    /// [`CertificateError::KeySize`] for a longer one.
    pub fn key<const N: usize>(&self) -> Result<VerifiedKey<N>, CertificateError> {
        let mut bytes = [0; N];
        let place = bytes.get_mut(..self.fields.spki.len());
        let place = place.ok_or(CertificateError::KeySize)?;
        for (to, from) in place.iter_mut().zip(self.fields.spki) {
            *to = *from;
        }
        Ok(VerifiedKey {
            bytes,
            len: self.fields.spki.len(),
            kind: self.fields.key,
        })
    }

    /// Its certificate.
    pub const fn certificate(&self) -> &'a [u8] {
        self.leaf
    }

    /// Its SubjectPublicKeyInfo, of which pins are digests.
    pub const fn public_key(&self) -> &'a [u8] {
        self.fields.spki
    }

    /// What key it has.
    pub const fn key_kind(&self) -> KeyKind {
        self.fields.key
    }

    /// The last second in which its certificate is valid.
    pub const fn not_after(&self) -> UnixTime {
        self.fields.not_after
    }

    /// The place of the anchor that the path ends in, in the policy's list.
    pub const fn anchor(&self) -> usize {
        self.anchor
    }

    /// The content of its serial number: big-endian, two's complement.
    pub const fn serial(&self) -> &'a [u8] {
        self.fields.serial
    }
}

/// The key of a peer whose chain was verified.
#[derive(Clone, Copy, Debug)]
pub struct VerifiedKey<const N: usize> {
    /// SubjectPublicKeyInfo.
    bytes: [u8; N],
    len: usize,
    kind: KeyKind,
}

impl VerifiedKey<0> {
    /// Bytes of the longest key on an elliptic curve, P-384.
    pub const MAX_EC_LEN: usize = 120;
}

impl<const N: usize> VerifiedKey<N> {
    /// As [`Verified::verify_signature`], by the algorithms of the policy.
    ///
    /// # Errors
    /// As [`Verified::verify_signature`].
    pub fn verify_signature(
        &self,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
        scheme: u16,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CertificateError> {
        let spki = self.bytes.get(..self.len).unwrap_or_default();
        check(spki, self.kind, algorithms, scheme, message, signature)
    }
}

fn check(
    spki: &[u8],
    kind: KeyKind,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
    scheme: u16,
    message: &[u8],
    signature: &[u8],
) -> Result<(), CertificateError> {
    let (key, signed) = algorithm_of(scheme, kind).ok_or(CertificateError::Scheme)?;
    let is_it = |algorithm: &&&dyn SignatureVerificationAlgorithm| {
        algorithm.public_key_alg_id() == key && algorithm.signature_alg_id() == signed
    };
    let algorithm = algorithms.iter().find(is_it);
    let algorithm = *algorithm.ok_or(CertificateError::Scheme)?;
    let spki = SubjectPublicKeyInfoDer::from(spki);
    let key = webpki::RawPublicKeyEntity::try_from(&spki)?;
    key.verify_signature(algorithm, message, signature)
        .map_err(|_| CertificateError::HandshakeSignature)
}

/// The algorithms of key and signature behind a scheme (RFC 8446 §4.2.3), if a key of this kind has it.
fn algorithm_of(scheme: u16, key: KeyKind) -> Option<(AlgorithmIdentifier, AlgorithmIdentifier)> {
    match (scheme, key) {
        (0x0403, KeyKind::P256) => Some((alg_id::ECDSA_P256, alg_id::ECDSA_SHA256)),
        (0x0503, KeyKind::P384) => Some((alg_id::ECDSA_P384, alg_id::ECDSA_SHA384)),
        (0x0807, KeyKind::Ed25519) => Some((alg_id::ED25519, alg_id::ED25519)),
        (0x0804, KeyKind::Rsa(_)) => Some((alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA256)),
        (0x0805, KeyKind::Rsa(_)) => Some((alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA384)),
        (0x0806, KeyKind::Rsa(_)) => Some((alg_id::RSA_ENCRYPTION, alg_id::RSA_PSS_SHA512)),
        _ => None,
    }
}

/// Whether one of these algorithms can check a handshake that a key of this kind signed.
pub(super) fn can_check(algorithms: &[&dyn SignatureVerificationAlgorithm], key: KeyKind) -> bool {
    (0x0403..=0x0807)
        .filter_map(|scheme| algorithm_of(scheme, key))
        .any(|(key, signed)| {
            algorithms
                .iter()
                .any(|one| one.public_key_alg_id() == key && one.signature_alg_id() == signed)
        })
}
