//! `iotsec trust inspect`: what a file says, who signed it, and what a device would say.

use std::{fmt::Write as _, path::Path};

use iotsec::{
    core::{
        cose::Key,
        crypto::{PublicKey, Sha256},
        error::ErrorCode,
        hal::{Date, UnixTime},
    },
    update::trust::{DowngradeContent, LatestContent, Role, TlsAnchor, Trust, TrustBundle, TrustError},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    bundle::{ROLES, believe, product},
    sign,
};
use crate::{
    Output, Problem, file,
    key::{hex, name, type_name},
};

pub(super) fn run(path: &Path, under: Option<&Path>) -> Result<Output, Problem> {
    let message = file::read(path)?;
    let payload = sign::payload_of(&message).map_err(Problem::refused(path))?;
    let before = under.map(|under| Ok((under, file::read(under)?))).transpose()?;
    let before = match &before {
        Some((under, bytes)) => Some(believe(under, bytes)?),
        None => None,
    };
    if let Ok(content) = LatestContent::parse(payload) {
        return Ok(latest(path, &message, &content, before.as_ref()));
    }
    if let Ok(content) = DowngradeContent::parse(payload) {
        return Ok(downgrade(path, &message, &content, before.as_ref()));
    }
    let bundle = TrustBundle::parse(payload, &mut Sha256::new()).map_err(Problem::refused(path))?;
    let own = own_root(&message);
    let step = before.as_ref().map(|before| step(before, &message));

    let mut human = heading(path, &message, "trust bundle");
    let (vendor, class) = (
        Uuid::from_bytes(*bundle.vendor()),
        Uuid::from_bytes(*bundle.class()),
    );
    let _ = writeln!(human, "version  {}", bundle.version());
    let expires = bundle.expires().map_or("never".into(), day);
    let _ = writeln!(human, "expires  {expires}\nvendor   {vendor}\nclass    {class}");
    let mut roles = serde_json::Map::new();
    for (role, title) in ROLES {
        let Some((threshold, keys)) = bundle.role(role) else {
            let _ = writeln!(human, "{title}: nobody");
            continue;
        };
        let keys: Vec<Key<'_>> = keys.collect();
        let _ = writeln!(human, "{title}: {threshold} of {}", keys.len());
        for key in &keys {
            let mark = if signs(&message, key) { ", has signed" } else { "" };
            let _ = writeln!(human, "  {}{mark}", line(key));
        }
        let keys: Vec<Value> = keys.iter().map(|key| key_json(&message, key)).collect();
        roles.insert(title.to_owned(), json!({ "threshold": threshold, "keys": keys }));
    }
    for revoked in bundle.revoked() {
        let _ = writeln!(human, "revoked  {}", hex(revoked));
    }
    let mut tls = Vec::new();
    for anchor in bundle.tls_anchors() {
        let (kind, value) = match anchor {
            TlsAnchor::Certificate(der) => ("certificate", hex(der)),
            TlsAnchor::Spki(digest) => ("spki-sha256", hex(digest)),
            _ => continue,
        };
        let shown = if value.len() > 64 {
            format!("{} bytes, SHA-256 {}", value.len() / 2, digest_of(&anchor))
        } else {
            value.clone()
        };
        let _ = writeln!(human, "TLS      {kind} {shown}");
        tls.push(json!({ "kind": kind, "value": value }));
    }
    let _ = writeln!(human, "by its own root: {}", verdict(&own));
    if let Some(step) = &step {
        let _ = writeln!(human, "as the next bundle: {}", verdict(step));
    }
    let json = json!({
        "file": path,
        "kind": "bundle",
        "version": bundle.version(),
        "expires": bundle.expires().map(|time| time.0),
        "vendor": vendor.to_string(),
        "class": class.to_string(),
        "roles": roles,
        "revoked": bundle.revoked().map(|revoked| hex(revoked)).collect::<Vec<_>>(),
        "tls": tls,
        "own_root": verdict_json(&own),
        "next": step.as_ref().map(verdict_json),
    });
    Ok(Output::new(human, json))
}

fn latest(path: &Path, message: &[u8], content: &LatestContent, under: Option<&Trust<'_>>) -> Output {
    let mut human = heading(path, message, "statement of what is latest");
    let (vendor, class) = (Uuid::from_bytes(content.vendor), Uuid::from_bytes(content.class));
    let time = content.time.map_or("none".into(), day);
    let _ = writeln!(
        human,
        "nonce    {}\nvendor   {vendor}\nclass    {class}\nsequence {}\nmanifest {}\nbundle   {}\ntime     {time}",
        hex(&content.nonce),
        content.sequence.0,
        hex(&content.manifest_digest),
        content.trust_version,
    );
    let signed = under.map(|trust| counted(trust, Role::Freshness, message));
    if let Some(signed) = &signed {
        let _ = writeln!(human, "by the freshness role: {}", verdict(signed));
    }
    let json = json!({
        "file": path,
        "kind": "latest",
        "nonce": hex(&content.nonce),
        "vendor": vendor.to_string(),
        "class": class.to_string(),
        "sequence": content.sequence.0,
        "manifest": hex(&content.manifest_digest),
        "trust_version": content.trust_version,
        "time": content.time.map(|time| time.0),
        "signed": signed.as_ref().map(verdict_json),
    });
    Output::new(human, json)
}

fn downgrade(path: &Path, message: &[u8], content: &DowngradeContent, under: Option<&Trust<'_>>) -> Output {
    let mut human = heading(path, message, "downgrade token");
    let [vendor, class, device] = [content.vendor, content.class, content.device].map(Uuid::from_bytes);
    let expires = content.expires.map_or("never".into(), day);
    let _ = writeln!(
        human,
        "vendor   {vendor}\nclass    {class}\ndevice   {device}\nfrom     {}\nto       {}\nexpires  {expires}",
        hex(&content.from),
        hex(&content.to),
    );
    let signed = under.map(|trust| counted(trust, Role::Recovery, message));
    if let Some(signed) = &signed {
        let _ = writeln!(human, "by the recovery role: {}", verdict(signed));
    }
    let json = json!({
        "file": path,
        "kind": "downgrade",
        "vendor": vendor.to_string(),
        "class": class.to_string(),
        "device": device.to_string(),
        "from": hex(&content.from),
        "to": hex(&content.to),
        "expires": content.expires.map(|time| time.0),
        "signed": signed.as_ref().map(verdict_json),
    });
    Output::new(human, json)
}

fn heading(path: &Path, message: &[u8], what: &str) -> String {
    format!("{}: {what}, {} bytes\n", path.display(), message.len())
}

fn own_root(message: &[u8]) -> Result<(), TrustError> {
    let mut scratch = vec![0; TrustBundle::MAX_LEN];
    let product = product(message)?;
    Trust::factory(
        message,
        &product,
        PublicKey::from_cose,
        &mut Sha256::new(),
        &mut scratch,
    )
    .map(|_| ())
}

fn step(before: &Trust<'_>, message: &[u8]) -> Result<(), TrustError> {
    let mut scratch = vec![0; TrustBundle::MAX_LEN];
    let product = product(before.message())?;
    before
        .rotate(
            message,
            &product,
            PublicKey::from_cose,
            &mut Sha256::new(),
            &mut scratch,
        )
        .map(|_| ())
}

/// Whether enough keys of a role signed.
fn counted(trust: &Trust<'_>, role: Role, message: &[u8]) -> Result<(), TrustError> {
    let (threshold, keys) = trust.bundle().role(role).ok_or(TrustError::RoleAbsent)?;
    let signed = keys.filter(|key| signs(message, key)).count();
    if signed < usize::from(threshold) {
        return Err(TrustError::RoleThreshold);
    }
    Ok(())
}

fn signs(message: &[u8], key: &Key<'_>) -> bool {
    PublicKey::from_cose(key).is_ok_and(|key| sign::signed_by(message, &key))
}

fn line(key: &Key<'_>) -> String {
    let thumbprint = hex(&key.thumbprint(&mut Sha256::new()));
    let kid = key.kid().map_or("none".into(), name);
    format!("{} {thumbprint}, kid {kid}", type_name(key.key_type()))
}

fn key_json(message: &[u8], key: &Key<'_>) -> Value {
    json!({
        "type": type_name(key.key_type()),
        "fingerprint": hex(&key.thumbprint(&mut Sha256::new())),
        "kid": key.kid().map(hex),
        "signed": signs(message, key),
    })
}

fn digest_of(anchor: &TlsAnchor<'_>) -> String {
    match anchor {
        TlsAnchor::Certificate(der) => hex(&Sha256::of(&[der])),
        _ => String::new(),
    }
}

fn verdict(result: &Result<(), TrustError>) -> String {
    match result {
        Ok(()) => "accepted".into(),
        Err(error) => format!("refused: {error} (error {})", error.code()),
    }
}

fn verdict_json(result: &Result<(), TrustError>) -> Value {
    match result {
        Ok(()) => json!({ "accepted": true }),
        Err(error) => json!({ "accepted": false, "number": error.code(), "message": error.to_string() }),
    }
}

/// The day in UTC, and the seconds.
fn day(time: UnixTime) -> String {
    match Date::of(time) {
        Some(date) => format!("{date} ({})", time.0),
        None => time.0.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_shown_as_it_is_given() {
        for (seconds, shown) in [
            (0, "1970-01-01 (0)"),
            (951_868_799, "2000-02-29 (951868799)"),
            (1_798_761_599, "2026-12-31 (1798761599)"),
            (4_107_628_799, "2100-03-01 (4107628799)"),
        ] {
            assert_eq!(day(UnixTime(seconds)), shown);
        }
        assert!(!day(UnixTime(u64::MAX)).is_empty());
    }
}
