//! COSE_Sign around bundles, statements and tokens.

use std::path::{Path, PathBuf};

use iotsec::{
    core::{
        cbor::{CborError, Limits, Reader, Writer},
        cose::{CoseError, Key, Sign, SignBuilder, Signer},
        crypto::{Sha256, Verify},
    },
    update::trust::{TrustBundle, TrustError},
};
use serde_json::json;

use super::Signing;
use crate::{
    Output, Problem,
    file::{self, Access},
    key::{KeyFile, cose_key},
};

/// As devices read it.
pub(super) const LIMITS: Limits = Limits {
    depth: Sign::DEPTH,
    items: 160,
    bytes: 4096,
};

pub(super) fn add(path: &Path, signing: &Signing) -> Result<Output, Problem> {
    file::must_be_free(&signing.out)?;
    let message = file::read(path)?;
    let payload = payload_of(&message).map_err(Problem::refused(path))?;
    let present = signatures_of(&message).map_err(Problem::refused(path))?;
    for key in &signing.key {
        let signer = KeyFile::read(key)?.verifier()?;
        if signed_by(&message, signer.as_ref()) {
            return Err(Problem::usage(
                format!("{} has signed {} already", key.display(), path.display()),
                "sign with another key: one key counts once",
            ));
        }
    }
    let signed = sign(payload, &present, &signing.key)?;
    file::create(&signing.out, &signed, Access::Public)?;
    let count = present.len() + signing.key.len();
    Ok(Output::new(
        format!("{}: {count} signatures\n", signing.out.display()),
        json!({ "file": signing.out, "signatures": count }),
    ))
}

/// The identifier of a key that was given none: enough of its thumbprint to find it.
pub(super) fn kid_of(thumbprint: &[u8; 32]) -> Vec<u8> {
    thumbprint.iter().copied().take(8).collect()
}

/// The payload, of which nothing is authentic.
pub(super) fn payload_of(message: &[u8]) -> Result<&[u8], TrustError> {
    // COSE_Sign begins with its tag. The reader would stumble over something inside another kind of file.
    if message.len() > 1 && !message.starts_with(&[0xD8, 98]) {
        return Err(TrustError::Domain);
    }
    let sign = Sign::parse(message, &LIMITS)?;
    Ok(sign.unverified_payload().ok_or(CoseError::Payload)?)
}

/// Whether a key signed the attached payload.
pub(super) fn signed_by(message: &[u8], key: &dyn Verify) -> bool {
    let mut scratch = vec![0; message.len()];
    Sign::parse(message, &LIMITS).is_ok_and(|sign| {
        sign.signatures()
            .flatten()
            .any(|signature| signature.verify(key, b"", &mut scratch).is_ok())
    })
}

/// A message with the signatures that there are and those of `keys`.
pub(super) fn sign(payload: &[u8], present: &[Vec<u8>], keys: &[PathBuf]) -> Result<Vec<u8>, Problem> {
    let mut private = Vec::new();
    for path in keys {
        let key = KeyFile::read(path)?;
        let (signer, public) = (key.signer()?, key.verifier()?);
        if private
            .iter()
            .any(|(_, _, other): &(_, _, Vec<u8>)| other == public.public_key())
        {
            return Err(Problem::usage(
                "one key signs twice: a device counts it once",
                "give each --key once",
            ));
        }
        let kid = match key.kid()? {
            Some(kid) => kid,
            None => {
                let plain = cose_key(public.public_key(), None, None).map_err(Problem::make("signature"))?;
                let plain = Key::parse(&plain).map_err(Problem::make("signature"))?;
                kid_of(&plain.thumbprint(&mut Sha256::new()))
            }
        };
        private.push((signer, kid, public.public_key().to_vec()));
    }
    let signers: Vec<Signer<'_>> = private
        .iter()
        .map(|(key, kid, _)| Signer {
            key: key.as_ref(),
            kid: Some(kid),
        })
        .collect();
    // Whether it fits a device is judged when it is whole.
    let room = payload.len() + 4096;
    let (mut scratch, mut out) = (vec![0; room], vec![0; room]);
    let fresh = SignBuilder::new(&signers)
        .sign(payload, b"", &mut scratch, &mut out)
        .map_err(Problem::make("signature"))?;
    let message = joined(fresh, payload, present).map_err(Problem::make("signature"))?;
    if message.len() > TrustBundle::MAX_LEN {
        return Err(Problem::make("signed file")(TrustError::Size));
    }
    Sign::parse(&message, &LIMITS).map_err(Problem::make("signed file"))?;
    Ok(message)
}

/// The encoded signatures of a message.
fn signatures_of(message: &[u8]) -> Result<Vec<Vec<u8>>, CborError> {
    let limits = Limits {
        bytes: u32::MAX,
        ..LIMITS
    };
    let mut reader = Reader::new(message, &limits)?;
    reader.tag()?;
    reader.array()?;
    for _ in 0..3 {
        reader.skip()?;
    }
    let count = reader.array()?;
    (0..count).map(|_| Ok(reader.skip()?.to_vec())).collect()
}

fn joined(fresh: &[u8], payload: &[u8], present: &[Vec<u8>]) -> Result<Vec<u8>, CborError> {
    let all = [present, &signatures_of(fresh)?].concat();
    let mut out = vec![0; fresh.len() + present.concat().len() + 16];
    let mut writer = Writer::new(&mut out);
    writer.tag(98)?.array(4)?.bytes(&[])?.map(0)?.bytes(payload)?;
    writer.array(u64::try_from(all.len()).unwrap_or(u64::MAX))?;
    for signature in &all {
        writer.raw(signature)?;
    }
    Ok(writer.finish()?.to_vec())
}
