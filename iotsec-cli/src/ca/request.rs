//! Certificate requests (PKCS#10, RFC 2986), and what is refused in them.

use std::path::Path;

use iotsec::core::{
    crypto::{Ed25519PublicKey, KeyType, P256PublicKey, Verify},
    input::DeviceSerial,
};
use pkcs8::der::{
    Decode, Encode, SecretDocument, Tag, Tagged,
    asn1::{ObjectIdentifier, PrintableStringRef, Utf8StringRef},
};
use x509_cert::{
    ext::{
        Extension,
        pkix::{BasicConstraints, KeyUsage},
    },
    request::CertReq,
};

use crate::{Problem, file, published::published_public, update::signature::accept};

const SERIAL_NUMBER: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.5");
const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");
const BASIC_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.19");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const WITH_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");

/// Requests of devices have 200 to 500 bytes.
const MAX: usize = 16 << 10;

/// A request that keeps to the policy.
pub(super) struct Request {
    pub(super) serial: String,
    pub(super) key: Box<dyn Verify>,
    /// Extensions that were asked for and are not granted, by their object identifiers.
    pub(super) ignored: Vec<String>,
}

/// Why a request is refused: name, reason and remedy.
type Refusal = (&'static str, String, &'static str);

const MAKE: &str = "make the request anew, on the device or with `openssl req -new`";

impl Request {
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        let bytes = file::read(path)?;
        Self::check(&bytes).map_err(|(name, cause, remedy)| {
            Problem::new(name, format!("{} refused: {cause}", path.display()), remedy)
        })
    }

    fn check(bytes: &[u8]) -> Result<Self, Refusal> {
        let not_one = || {
            (
                "NoRequest",
                "not one certificate request in DER or PEM".to_owned(),
                MAKE,
            )
        };
        if bytes.len() > MAX {
            return Err(not_one());
        }
        let pem = std::str::from_utf8(bytes)
            .ok()
            .filter(|text| text.contains("-----BEGIN"));
        let der = match pem {
            Some(text) => {
                let (label, document) = SecretDocument::from_pem(text.trim()).map_err(|_| not_one())?;
                if !matches!(label, "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") {
                    return Err(not_one());
                }
                document.as_bytes().to_vec()
            }
            None => bytes.to_vec(),
        };
        let request = CertReq::from_der(&der).map_err(|_| not_one())?;
        // The signature is over the bytes as they came: what is read must be what was signed.
        let info = request.info.to_der().map_err(|_| not_one())?;
        if request.to_der().ok().as_ref() != Some(&der) {
            return Err(not_one());
        }
        let key = public_key(&request)?;
        verify(&request, key.as_ref(), &info)?;
        let ignored = extensions(&request)?;
        Ok(Self {
            serial: serial(&request)?,
            key,
            ignored,
        })
    }
}

/// A key that is strong, and whose private half is not for everyone to read.
fn public_key(request: &CertReq) -> Result<Box<dyn Verify>, Refusal> {
    let weak = |cause: String| {
        (
            "WeakKey",
            cause,
            "make a fresh Ed25519 or P-256 key on the device and ask for it",
        )
    };
    let info = &request.info.public_key;
    let bytes = info
        .subject_public_key
        .as_bytes()
        .ok_or_else(|| weak("the key has loose bits".into()))?;
    let curve = info
        .algorithm
        .parameters
        .as_ref()
        .and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    let key: Box<dyn Verify> = match (info.algorithm.oid, &info.algorithm.parameters, curve) {
        (ED25519, None, _) => Ed25519PublicKey::from_bytes(bytes)
            .ok()
            .map(Box::new)
            .ok_or_else(|| weak("its Ed25519 key is no strong point of the curve".into()))?,
        (EC, Some(_), Some(P256)) => P256PublicKey::from_sec1(bytes)
            .ok()
            .map(Box::new)
            .ok_or_else(|| weak("its P-256 key is no point of the curve".into()))?,
        (oid, ..) => {
            return Err(weak(format!(
                "its key is neither Ed25519 nor P-256 (algorithm {oid})"
            )));
        }
    };
    let start = if key.key_type() == KeyType::P256 { 1 } else { 0 };
    let x = key
        .public_key()
        .get(start..start + 32)
        .and_then(|x| x.try_into().ok());
    match x.and_then(|x| published_public(key.key_type(), x)) {
        Some(origin) => Err(weak(format!(
            "everyone has the private half of its key: {origin}"
        ))),
        None => Ok(key),
    }
}

/// That whoever asks has the private half of the key.
fn verify(request: &CertReq, key: &dyn Verify, info: &[u8]) -> Result<(), Refusal> {
    let expected = match key.key_type() {
        KeyType::P256 => WITH_SHA256,
        _ => ED25519,
    };
    let signature = request
        .signature
        .as_bytes()
        .filter(|_| request.algorithm.oid == expected && request.algorithm.parameters.is_none());
    let holds = signature.is_some_and(|signature| accept(key, info, signature).is_ok());
    holds.then_some(()).ok_or_else(|| {
        (
            "Signature",
            "the request is not signed by the key that it is for".to_owned(),
            MAKE,
        )
    })
}

/// The one attribute serialNumber of the subject.
fn serial(request: &CertReq) -> Result<String, Refusal> {
    let wrong = |cause: &str| {
        (
            "Serial",
            cause.to_owned(),
            "put the serial number of the unit into the subject",
        )
    };
    let mut found = request
        .info
        .subject
        .iter()
        .filter(|attribute| attribute.oid == SERIAL_NUMBER);
    let attribute = found
        .next()
        .ok_or_else(|| wrong("its subject has no serialNumber"))?;
    if found.next().is_some() {
        return Err(wrong("its subject has several serialNumbers"));
    }
    let text = match attribute.value.tag() {
        Tag::PrintableString => attribute
            .value
            .decode_as::<PrintableStringRef<'_>>()
            .map(|text| text.as_str().to_owned()),
        _ => attribute
            .value
            .decode_as::<Utf8StringRef<'_>>()
            .map(|text| text.as_str().to_owned()),
    };
    text.ok()
        .filter(|text| DeviceSerial::parse(text.as_bytes()).is_ok())
        .ok_or_else(|| wrong("its serialNumber is no text that serial numbers are made of"))
}

/// What a device certificate may do is the CA's to decide: a request to be a CA is refused, anything else
/// that is asked for is named and not granted.
fn extensions(request: &CertReq) -> Result<Vec<String>, Refusal> {
    let refused = |cause: &str| {
        (
            "Authority",
            format!("it asks for {cause}"),
            "ask for a device certificate, without basicConstraints and with keyUsage digitalSignature at most",
        )
    };
    let unreadable = || refused("extensions that do not read");
    let mut ignored = Vec::new();
    for attribute in request.info.attributes.iter() {
        if attribute.oid != EXTENSION_REQUEST {
            ignored.push(attribute.oid.to_string());
            continue;
        }
        for list in attribute.values.iter() {
            let list: Vec<Extension> = list.decode_as().map_err(|_| unreadable())?;
            for extension in list {
                let content = extension.extn_value.as_bytes();
                match extension.extn_id {
                    BASIC_CONSTRAINTS => {
                        let asked = BasicConstraints::from_der(content).map_err(|_| unreadable())?;
                        if asked.ca {
                            return Err(refused("CA:TRUE"));
                        }
                    }
                    KEY_USAGE => {
                        let asked = KeyUsage::from_der(content).map_err(|_| unreadable())?;
                        if asked.key_cert_sign() || asked.crl_sign() {
                            return Err(refused("the right to sign certificates or revocation lists"));
                        }
                    }
                    other => ignored.push(other.to_string()),
                }
            }
        }
    }
    Ok(ignored)
}
