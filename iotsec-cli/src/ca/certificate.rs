//! Certificates: the one of the CA, and those of devices in the profile of IEEE 802.1AR.

use getrandom::SysRng;
use iotsec::core::{
    crypto::{KeyType, SIGNATURE_LEN, Sha256, Sign, Verify},
    secret::Secret,
};

use super::der::{self, value};
use crate::{Problem, key::exchange::public_der, time::Time};

/// Whom a certificate names.
pub(super) struct Name<'a> {
    pub(super) organization: &'a str,
    pub(super) common_name: &'a str,
    /// The attribute serialNumber, which makes the subject of a device unique.
    pub(super) serial: Option<&'a str>,
}

impl Name<'_> {
    pub(super) fn der(&self) -> Vec<u8> {
        // organizationName, commonName, serialNumber (ITU-T X.520).
        let attribute = |last: u8, tag: u8, text: &str| {
            let kind = value(der::OID, &[&[0x55, 0x04, last]]);
            let text = value(tag, &[text.as_bytes()]);
            value(der::SET, &[&value(der::SEQUENCE, &[&kind, &text])])
        };
        let serial = self
            .serial
            .map(|serial| attribute(5, der::PRINTABLE_STRING, serial));
        value(
            der::SEQUENCE,
            &[
                &attribute(10, der::UTF8_STRING, self.organization),
                &attribute(3, der::UTF8_STRING, self.common_name),
                serial.as_deref().unwrap_or_default(),
            ],
        )
    }
}

/// What a certificate is for.
pub(super) enum Purpose {
    /// Issues device certificates, and nothing below itself.
    Authority,
    /// Signs what a device says of itself.
    Device,
}

/// A certificate over `key`, from now on and without an end.
pub(super) fn issue(
    purpose: &Purpose,
    issuer: &[u8],
    subject: &[u8],
    key: &dyn Verify,
    signer: &dyn Sign,
    issuer_key: &dyn Verify,
) -> Result<Vec<u8>, Problem> {
    // 127 random bits: RFC 5280 wants a positive number of up to 20 bytes.
    let mut number = Secret::<16>::random(&mut SysRng).map_err(Problem::make("certificate"))?;
    if let Some(first) = number.expose_mut().first_mut() {
        *first = *first & 0x7F | 0x40;
    }
    let algorithm = algorithm(signer.key_type());
    let signed = value(
        der::SEQUENCE,
        &[
            &value(0xA0, &[&der::unsigned(&[2])]),
            &der::unsigned(number.expose()),
            &algorithm,
            issuer,
            &validity()?,
            subject,
            &public_der(key)?,
            &value(
                0xA3,
                &[&value(der::SEQUENCE, &[&extensions(purpose, key, issuer_key)])],
            ),
        ],
    );
    let mut signature = [0; SIGNATURE_LEN];
    signer
        .sign(&signed, &mut signature)
        .map_err(Problem::make("certificate"))?;
    let signature = match signer.key_type() {
        KeyType::P256 => {
            let (r, s) = signature.split_at(SIGNATURE_LEN / 2);
            value(der::SEQUENCE, &[&der::unsigned(r), &der::unsigned(s)])
        }
        _ => signature.to_vec(),
    };
    Ok(value(
        der::SEQUENCE,
        &[&signed, &algorithm, &der::bits(&signature)],
    ))
}

/// id-Ed25519 (RFC 8410) or ecdsa-with-SHA256 (RFC 5758).
fn algorithm(kind: KeyType) -> Vec<u8> {
    let oid: &[u8] = match kind {
        KeyType::P256 => &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02],
        _ => &[0x2B, 0x65, 0x70],
    };
    value(der::SEQUENCE, &[&value(der::OID, &[oid])])
}

/// From now until 99991231235959Z, by which RFC 5280 and IEEE 802.1AR say that there is no end.
fn validity() -> Result<Vec<u8>, Problem> {
    let now = Time::now()
        .ok_or_else(|| Problem::new("Clock", "this computer's clock is before 1970", "set the clock"))?;
    let digits: String = now.to_string().chars().filter(char::is_ascii_digit).collect();
    // UTCTime up to 2049 (RFC 5280 §4.1.2.5).
    let from = if digits.as_str() < "2050" {
        let short = digits.get(2..).unwrap_or_default();
        value(der::UTC_TIME, &[short.as_bytes(), b"Z"])
    } else {
        value(der::GENERALIZED_TIME, &[digits.as_bytes(), b"Z"])
    };
    let to = value(der::GENERALIZED_TIME, &[b"99991231235959Z"]);
    Ok(value(der::SEQUENCE, &[&from, &to]))
}

fn extensions(purpose: &Purpose, key: &dyn Verify, issuer_key: &dyn Verify) -> Vec<u8> {
    // Of id-ce (RFC 5280 §4.2.1).
    let extension = |last: u8, critical: bool, content: &[u8]| {
        let critical: &[u8] = if critical { &[0x01, 0x01, 0xFF] } else { &[] };
        let kind = value(der::OID, &[&[0x55, 0x1D, last]]);
        value(
            der::SEQUENCE,
            &[&kind, critical, &value(der::OCTET_STRING, &[content])],
        )
    };
    let authority = value(der::SEQUENCE, &[&value(0x80, &[&key_id(issuer_key)])]);
    match purpose {
        Purpose::Authority => [
            extension(
                19,
                true,
                &value(der::SEQUENCE, &[&[0x01, 0x01, 0xFF], &der::unsigned(&[0])]),
            ),
            // keyCertSign and cRLSign.
            extension(15, true, &value(der::BIT_STRING, &[&[1, 0x06]])),
            extension(14, false, &value(der::OCTET_STRING, &[&key_id(key)])),
        ]
        .concat(),
        Purpose::Device => [
            extension(19, true, &value(der::SEQUENCE, &[])),
            // digitalSignature.
            extension(15, true, &value(der::BIT_STRING, &[&[7, 0x80]])),
            // RFC 5280 §4.2.1.2 wants it here too, so that whoever has many certificates finds one by its key.
            extension(14, false, &value(der::OCTET_STRING, &[&key_id(key)])),
            extension(35, false, &authority),
        ]
        .concat(),
    }
}

/// The leftmost 160 bits of SHA-256 over the key (RFC 7093 §2, method 1).
fn key_id(key: &dyn Verify) -> Vec<u8> {
    let digest = Sha256::of(&[key.public_key()]);
    digest.get(..20).unwrap_or_default().to_vec()
}
