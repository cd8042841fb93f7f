//! `iotsec trust latest` and `iotsec trust downgrade`.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use iotsec::{
    core::{
        cbor::{Key, Limits, Reader},
        crypto::{PublicKey, Sha256},
        hal::UnixTime,
    },
    update::{
        Envelope, Limits as EnvelopeLimits, SequenceNumber, UpdateError,
        trust::{DowngradeContent, LatestContent, Role, Trust, TrustError},
    },
};
use serde_json::json;

use super::{
    Downgrade, Latest, Signing,
    bundle::{ROLES, believe},
    sign,
};
use crate::{
    Output, Problem,
    file::{self, Access},
    key::{KeyFile, hex},
};

pub(super) fn latest(latest: &Latest) -> Result<Output, Problem> {
    let message = file::read(&latest.trust)?;
    let trust = believe(&latest.trust, &message)?;
    let (sequence, manifest_digest) = manifest(&trust, &latest.envelope)?;
    let time = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let time = time
        .filter(|_| !latest.no_time)
        .map(|time| UnixTime(time.as_secs()));
    let content = LatestContent {
        nonce: latest.nonce,
        vendor: *trust.bundle().vendor(),
        class: *trust.bundle().class(),
        sequence,
        manifest_digest,
        trust_version: trust.bundle().version(),
        time,
    };
    let mut out = [0; LatestContent::MAX_LEN];
    let payload = content.write(&mut out).map_err(Problem::make("statement"))?;
    write(&trust, Role::Freshness, payload, &latest.signing)?;
    Ok(Output::new(
        format!(
            "{}: manifest {} with sequence {} is the latest, trust bundle {}\n",
            latest.signing.out.display(),
            hex(&manifest_digest),
            sequence.0,
            content.trust_version
        ),
        json!({
            "file": latest.signing.out,
            "manifest": hex(&manifest_digest),
            "sequence": sequence.0,
            "trust_version": content.trust_version,
            "time": time.map(|time| time.0),
        }),
    ))
}

pub(super) fn downgrade(downgrade: &Downgrade) -> Result<Output, Problem> {
    let message = file::read(&downgrade.trust)?;
    let trust = believe(&downgrade.trust, &message)?;
    // What is installed may have been signed by a key that is revoked since.
    let (installed, from) = unjudged(&downgrade.from)?;
    let (sequence, to) = manifest(&trust, &downgrade.to)?;
    if sequence >= installed {
        return Err(Problem::usage(
            format!(
                "{} has sequence {}, which is not below {} of {}",
                downgrade.to.display(),
                sequence.0,
                installed.0,
                downgrade.from.display()
            ),
            "install it as any update: that needs no token",
        ));
    }
    let content = DowngradeContent {
        vendor: *trust.bundle().vendor(),
        class: *trust.bundle().class(),
        device: downgrade.device.into_bytes(),
        from,
        to,
        expires: downgrade.expires.map(UnixTime),
    };
    let mut out = [0; DowngradeContent::MAX_LEN];
    let payload = content
        .write(&mut out)
        .map_err(Problem::make("downgrade token"))?;
    write(&trust, Role::Recovery, payload, &downgrade.signing)?;
    Ok(Output::new(
        format!(
            "{}: device {} may go back from {} to {} (sequence {} to {})\n",
            downgrade.signing.out.display(),
            downgrade.device,
            hex(&from),
            hex(&to),
            installed.0,
            sequence.0
        ),
        json!({
            "file": downgrade.signing.out,
            "device": downgrade.device.to_string(),
            "from": hex(&from),
            "to": hex(&to),
            "expires": downgrade.expires,
        }),
    ))
}

/// Signs with keys of the role alone: other signatures count for nothing.
fn write(trust: &Trust<'_>, role: Role, payload: &[u8], signing: &Signing) -> Result<(), Problem> {
    file::must_be_free(&signing.out)?;
    let name = ROLES
        .iter()
        .find(|(other, _)| *other == role)
        .map_or("", |(_, name)| name);
    let (threshold, members) = trust
        .bundle()
        .role(role)
        .ok_or(TrustError::RoleAbsent)
        .map_err(Problem::make("signature"))?;
    let members: Vec<_> = members.map(|key| key.thumbprint(&mut Sha256::new())).collect();
    for path in &signing.key {
        let key = KeyFile::read(path)?.verifier()?;
        let plain = crate::key::cose_key(key.public_key(), None, None).map_err(Problem::make("signature"))?;
        if !members.contains(&super::bundle::thumbprint(&plain)?) {
            return Err(Problem::new(
                "NotInRole",
                format!("{} does not have the {name} role in this bundle", path.display()),
                format!("sign with a {name} key, or give it the role with `iotsec trust rotate --{name}`"),
            ));
        }
    }
    let message = sign::sign(payload, &[], &signing.key)?;
    if signing.key.len() < usize::from(threshold) {
        eprintln!(
            "iotsec: warning: {} of {threshold} signatures; others have to sign it with `iotsec trust sign`",
            signing.key.len()
        );
    }
    file::create(&signing.out, &message, Access::Public)
}

iotsec::core::claim! {
    provisions: ["5.3-7", "5.3-10"],
    claims: "A trust bundle needs the signatures of as many root keys as it says, and a revoked key is out of every role for good",
    tool: "iotsec trust",
    tests: [
        "iotsec-cli::cli::trust::too_few_signers_are_refused_and_may_sign_one_after_the_other",
        "iotsec-cli::cli::trust::a_revoked_key_is_out_of_every_role_for_good",
    ],
}

/// Number and digest of a manifest that enough update keys of the bundle signed.
fn manifest(trust: &Trust<'_>, path: &Path) -> Result<(SequenceNumber, [u8; 32]), Problem> {
    let bytes = file::read(path)?;
    let keys = trust
        .keys(Role::Update, None, PublicKey::from_cose)
        .map_err(Problem::make("statement"))?;
    let list = keys.list();
    let anchors = list.anchors().map_err(Problem::make("statement"))?;
    let judge = || {
        let envelope = Envelope::parse(&bytes, &limits())?;
        let authentic = envelope.authenticate(&anchors, &mut Sha256::new())?;
        Ok((sequence(authentic.manifest()?)?, *authentic.manifest_digest()))
    };
    judge().map_err(|cause: UpdateError| Problem::refused(path)(cause))
}

/// The same of an envelope that nobody vouches for.
fn unjudged(path: &Path) -> Result<(SequenceNumber, [u8; 32]), Problem> {
    let bytes = file::read(path)?;
    let read = || {
        Envelope::parse(&bytes, &limits())?;
        let room = limits();
        let limits = Limits {
            depth: 16,
            items: u16::MAX,
            bytes: room.envelope.saturating_add(room.integrated),
        };
        let mut reader = Reader::new(&bytes, &limits)?;
        reader.tag()?;
        for _ in 0..reader.map()? {
            let key = reader.key()?;
            let encoded = reader.skip()?;
            if key == Key::Int(3) {
                let content = Reader::new(encoded, &limits)?.bytes()?;
                return Ok((sequence(content)?, Sha256::of(&[encoded])));
            }
        }
        Err(UpdateError::NotAnEnvelope)
    };
    read().map_err(|cause: UpdateError| Problem::refused(path)(cause))
}

fn limits() -> EnvelopeLimits {
    EnvelopeLimits {
        integrated: u32::MAX >> 1,
        ..EnvelopeLimits::DEFAULT
    }
}

fn sequence(manifest: &[u8]) -> Result<SequenceNumber, UpdateError> {
    let limits = Limits {
        depth: 16,
        items: u16::MAX,
        bytes: u32::MAX,
    };
    let mut reader = Reader::new(manifest, &limits)?;
    for _ in 0..reader.map()? {
        if reader.key()? == Key::Int(2) {
            return Ok(SequenceNumber(reader.uint()?));
        }
        reader.skip()?;
    }
    Err(reader.error(iotsec::core::cbor::Kind::MissingKey).into())
}
