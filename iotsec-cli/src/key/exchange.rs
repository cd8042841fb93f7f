//! Keys as OpenSSL writes them: SubjectPublicKeyInfo (RFC 5280, 8410, 5480) and PKCS#8 (RFC 5958), in DER
//! or PEM. A P-256 key may also stand alone as ECPrivateKey (RFC 5915).

use std::path::Path;

use iotsec::core::{
    crypto::{KeyType, Verify},
    secret::Secret,
};
use pkcs8::{
    AlgorithmIdentifierRef, ObjectIdentifier, PrivateKeyInfoRef, SubjectPublicKeyInfoRef,
    der::{
        Decode, Document, Encode, SecretDocument,
        asn1::{BitStringRef, OctetStringRef},
        pem::LineEnding,
    },
};
use sec1::EcPrivateKey;
use zeroize::Zeroizing;

use crate::Problem;

const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// A key that another tool wrote.
pub(super) enum Foreign {
    Public(KeyType, Vec<u8>),
    Private(KeyType, Secret<32>),
}

impl Foreign {
    /// The first key in `bytes`; text before it, and the parameters that `openssl ecparam` puts there, are
    /// passed over.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let Some(text) = std::str::from_utf8(bytes)
            .ok()
            .filter(|text| text.contains(BEGIN))
        else {
            return Self::from_der(bytes);
        };
        let blocks = text.match_indices(BEGIN).filter_map(|(at, _)| text.get(at..));
        blocks
            .filter_map(|block| {
                let end = block.find("-----END")?;
                let end = end + block.get(end..)?.find('\n').unwrap_or(block.len() - end);
                SecretDocument::from_pem(block.get(..end)?.trim_end()).ok()
            })
            .find_map(|(_, document)| Self::from_der(document.as_bytes()))
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        if let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) {
            let kind = kind_of(&info.algorithm)?;
            return Some(Self::Public(kind, info.subject_public_key.as_bytes()?.to_vec()));
        }
        if let Ok(info) = PrivateKeyInfoRef::try_from(der) {
            let kind = kind_of(&info.algorithm)?;
            let secret = match kind {
                KeyType::P256 => scalar(&EcPrivateKey::from_der(info.private_key.as_bytes()).ok()?)?,
                _ => secret(info.private_key.decode_into::<&OctetStringRef>().ok()?.as_bytes())?,
            };
            return Some(Self::Private(kind, secret));
        }
        let key = EcPrivateKey::from_der(der).ok()?;
        let curve = key.parameters.and_then(sec1::EcParameters::named_curve);
        if curve != Some(P256) {
            return None;
        }
        Some(Self::Private(KeyType::P256, scalar(&key)?))
    }
}

const BEGIN: &str = "-----BEGIN";

fn kind_of(algorithm: &AlgorithmIdentifierRef<'_>) -> Option<KeyType> {
    match algorithm.oids().ok()? {
        (ED25519, None) => Some(KeyType::Ed25519),
        (EC, Some(P256)) => Some(KeyType::P256),
        _ => None,
    }
}

fn scalar(key: &EcPrivateKey<'_>) -> Option<Secret<32>> {
    secret(key.private_key)
}

fn secret(bytes: &[u8]) -> Option<Secret<32>> {
    Some(Secret::from_bytes(bytes.try_into().ok()?))
}

pub(super) fn not_a_key(path: &Path) -> Problem {
    Problem::new(
        "KeyFormat",
        format!("{} holds no Ed25519 or P-256 key", path.display()),
        "give PKCS#8 without a passphrase, or SubjectPublicKeyInfo, in PEM or DER (`openssl pkey` writes both)",
    )
}

fn algorithm(key: &dyn Verify) -> AlgorithmIdentifierRef<'static> {
    let (oid, curve) = match key.key_type() {
        KeyType::P256 => (EC, Some((&P256).into())),
        _ => (ED25519, None),
    };
    AlgorithmIdentifierRef {
        oid,
        parameters: curve,
    }
}

/// SubjectPublicKeyInfo.
pub(crate) fn public_der(key: &dyn Verify) -> Result<Vec<u8>, Problem> {
    public_document(key).map(Document::into_vec)
}

/// SubjectPublicKeyInfo as text.
pub(super) fn public_pem(key: &dyn Verify) -> Result<String, Problem> {
    public_document(key)?
        .to_pem("PUBLIC KEY", LineEnding::LF)
        .map_err(not_written)
}

fn public_document(key: &dyn Verify) -> Result<Document, Problem> {
    let info = SubjectPublicKeyInfoRef {
        algorithm: algorithm(key),
        subject_public_key: BitStringRef::from_bytes(key.public_key()).map_err(not_written)?,
    };
    Document::encode_msg(&info).map_err(not_written)
}

/// PKCS#8.
pub(super) fn private_der(key: &dyn Verify, secret: &Secret<32>) -> Result<Zeroizing<Vec<u8>>, Problem> {
    private_document(key, secret).map(|document| document.to_bytes())
}

/// PKCS#8 as text.
pub(super) fn private_pem(key: &dyn Verify, secret: &Secret<32>) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let pem = private_document(key, secret)?.to_pem("PRIVATE KEY", LineEnding::LF);
    Ok(Zeroizing::new(pem.map_err(not_written)?.as_bytes().to_vec()))
}

fn private_document(key: &dyn Verify, secret: &Secret<32>) -> Result<SecretDocument, Problem> {
    let content = match key.key_type() {
        KeyType::P256 => EcPrivateKey {
            private_key: secret.expose(),
            parameters: None,
            public_key: Some(key.public_key()),
        }
        .to_der(),
        _ => OctetStringRef::new(secret.expose()).and_then(|seed| seed.to_der()),
    };
    let content = Zeroizing::new(content.map_err(not_written)?);
    let content = OctetStringRef::new(&content).map_err(not_written)?;
    let info = PrivateKeyInfoRef::new(algorithm(key), content);
    SecretDocument::encode_msg(&info).map_err(not_written)
}

/// A P-256 key as ECPrivateKey with its curve, and nothing around it.
pub(crate) fn ec_private_der(key: &dyn Verify, scalar: &Secret<32>) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let der = EcPrivateKey {
        private_key: scalar.expose(),
        parameters: Some(sec1::EcParameters::NamedCurve(P256)),
        public_key: Some(key.public_key()),
    }
    .to_der();
    der.map(Zeroizing::new).map_err(not_written)
}

fn not_written(cause: pkcs8::der::Error) -> Problem {
    Problem::new(
        "KeyFormat",
        format!("key cannot be written: {cause}"),
        "report this",
    )
}
