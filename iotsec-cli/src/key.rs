//! Signing keys as COSE_Key files, and the way to and from the formats of other tools.

pub(crate) mod exchange;
mod key_file;
mod recipient;
#[cfg(test)]
mod tests;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand, ValueEnum};
use getrandom::SysRng;
use iotsec::core::{
    cose::Key,
    crypto::{AgreementCurve, Ed25519SigningKey, KeyType, P256SigningKey, Sha256, Sign, Verify},
    input::{self, Hex},
    secret::Secret,
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    Output, Problem,
    file::{self, Access},
};
pub(crate) use key_file::{KeyFile, cose_key};
pub(crate) use recipient::{RecipientFile, fresh, pair as recipient_pair};

/// A key that verifies, and its identifier if it has one.
pub(crate) type PublicKey = (Box<dyn Verify>, Option<Vec<u8>>);

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a key: the private half in FILE (mode 0600), the public half in FILE.pub.
    New {
        /// Where the private key goes.
        file: PathBuf,
        /// What kind of key.
        #[arg(long, value_enum, default_value = "ed25519")]
        kind: Kind,
        #[command(flatten)]
        kid: Kid,
    },
    /// Show a key's public half: type, bytes, COSE_Key, fingerprint (RFC 9679) and PEM.
    Show {
        /// A private or public key file.
        file: PathBuf,
    },
    /// Write a key for other tools: SubjectPublicKeyInfo, or PKCS#8 with --private.
    Export {
        /// A private or public key file.
        file: PathBuf,
        /// The private half, in PKCS#8 (mode 0600), instead of the public one.
        #[arg(long)]
        private: bool,
        /// The encoding.
        #[arg(long, value_enum, default_value = "pem")]
        format: Encoding,
        /// Where it goes; must not exist.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Bring in a key of OpenSSL: PKCS#8 or SubjectPublicKeyInfo, PEM or DER, Ed25519 or P-256.
    ///
    /// A private key goes to FILE (mode 0600) and its public half to FILE.pub; a public key to FILE.
    Import {
        /// The other tool's file.
        from: PathBuf,
        /// Where the key goes.
        file: PathBuf,
        #[command(flatten)]
        kid: Kid,
    },
}

#[derive(Args)]
pub(crate) struct Kid {
    /// Key identifier that signatures carry, so that a device tries this key first; up to 64 bytes.
    #[arg(long, value_parser = kid)]
    kid: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Ed25519: the default everywhere in iotsec.
    Ed25519,
    /// ECDSA on P-256, for clouds and secure elements that need it.
    P256,
    /// X25519, for a device that payloads are encrypted to; signs nothing.
    X25519,
    /// ECDH on P-256, for a device that payloads are encrypted to; signs nothing.
    P256Ecdh,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Encoding {
    /// Text.
    Pem,
    /// Bytes.
    Der,
}

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::New { file, kind, kid } => new(file, *kind, kid.kid.as_deref()),
        Command::Show { file } => show(file),
        Command::Export {
            file,
            private,
            format,
            out,
        } => export(file, *private, *format, out),
        Command::Import { from, file, kid } => import(from, file, kid.kid.as_deref()),
    }
}

fn new(path: &Path, kind: Kind, kid: Option<&str>) -> Result<Output, Problem> {
    let secret = Secret::<32>::random(&mut SysRng).map_err(Problem::make("key"))?;
    let curve = match kind {
        Kind::Ed25519 | Kind::P256 => None,
        Kind::X25519 => Some(AgreementCurve::X25519),
        Kind::P256Ecdh => Some(AgreementCurve::P256),
    };
    if let Some(curve) = curve {
        let kid = kid.map(str::as_bytes);
        let (private, public) = recipient::pair(curve, kid, &secret).map_err(Problem::make("key"))?;
        return write_pair(path, &private, &public);
    }
    let signer: Box<dyn Sign> = match kind {
        Kind::Ed25519 => Box::new(Ed25519SigningKey::from_seed(&secret)),
        _ => Box::new(P256SigningKey::from_scalar(&secret).map_err(Problem::make("key"))?),
    };
    let kid = kid.map(str::as_bytes);
    let private = cose_key(signer.public_key(), kid, Some(&secret)).map_err(Problem::make("key"))?;
    let public = cose_key(signer.public_key(), kid, None).map_err(Problem::make("key"))?;
    write_pair(path, &private, &public)
}

/// The private half in `path`, the public one beside it; neither replaces a file.
fn write_pair(path: &Path, private: &[u8], public: &[u8]) -> Result<Output, Problem> {
    let public_path = public_path(path);
    file::must_be_free(path)?;
    file::must_be_free(&public_path)?;
    file::create(path, private, Access::Private)?;
    file::create(&public_path, public, Access::Public)?;
    let (owner, user) = if RecipientFile::is_one(public) {
        ("the device", "who encrypts to it")
    } else {
        ("the signing machine", "devices, as a trust anchor")
    };
    Ok(Output::new(
        format!(
            "private key  {} (for {owner} alone)\npublic key   {} (for {user})\n",
            path.display(),
            public_path.display()
        ),
        json!({ "private": path, "public": public_path }),
    ))
}

fn show(path: &Path) -> Result<Output, Problem> {
    if RecipientFile::is_one(&Zeroizing::new(file::read(path)?)) {
        return show_recipient(path);
    }
    let key = KeyFile::read(path)?;
    let public = key.verifier()?;
    let kid = key.kid()?;
    let cose = cose_key(public.public_key(), kid.as_deref(), None).map_err(Problem::make("key"))?;
    let pem = exchange::public_pem(public.as_ref())?;
    let private = key.holds_private()?;
    let fingerprint = fingerprint(public.as_ref())?;

    let mut human = format!("type         {}\n", type_name(public.key_type()));
    if let Some(kid) = &kid {
        let _ = writeln!(human, "kid          {}", name(kid));
    }
    let half = if private {
        "in this file"
    } else {
        "not in this file"
    };
    let _ = write!(
        human,
        "public       {}\nfingerprint  {fingerprint}\nCOSE_Key     {}\nprivate      {half}\n{pem}",
        hex(public.public_key()),
        hex(&cose),
    );
    let json = json!({
        "type": type_name(public.key_type()),
        "kid": kid.as_deref().map(hex),
        "kid_text": kid.as_deref().and_then(|kid| std::str::from_utf8(kid).ok()),
        "public": hex(public.public_key()),
        "fingerprint": fingerprint,
        "cose_key": hex(&cose),
        "spki": hex(&exchange::public_der(public.as_ref())?),
        "pem": pem,
        "private": private,
    });
    Ok(Output::new(human, json))
}

fn show_recipient(path: &Path) -> Result<Output, Problem> {
    let key = RecipientFile::read(path)?;
    let (curve, public) = key.public()?;
    let kid = key.kid()?;
    let private = key.holds_private()?;
    let kind = match curve {
        AgreementCurve::P256 => "p256-ecdh",
        _ => "x25519",
    };
    let mut human = format!("type         {kind}\n");
    if let Some(kid) = &kid {
        let _ = writeln!(human, "kid          {}", name(kid));
    }
    let half = if private {
        "in this file"
    } else {
        "not in this file"
    };
    let _ = writeln!(human, "public       {}\nprivate      {half}", hex(&public));
    let json = json!({
        "type": kind,
        "kid": kid.as_deref().map(hex),
        "kid_text": kid.as_deref().and_then(|kid| std::str::from_utf8(kid).ok()),
        "public": hex(&public),
        "private": private,
    });
    Ok(Output::new(human, json))
}

/// SHA-256 over the required parameters in deterministic order: the thumbprint of RFC 9679.
pub(crate) fn fingerprint(key: &dyn Verify) -> Result<String, Problem> {
    let full = cose_key(key.public_key(), None, None).map_err(Problem::make("fingerprint"))?;
    let parsed = Key::parse(&full).map_err(Problem::make("fingerprint"))?;
    let mut bytes = match parsed.y() {
        None => vec![0xA3, 0x01, 0x01, 0x20, 0x06],
        Some(_) => vec![0xA4, 0x01, 0x02, 0x20, 0x01],
    };
    bytes.extend_from_slice(&[0x21, 0x58, 0x20]);
    bytes.extend_from_slice(parsed.x());
    if let Some(y) = parsed.y() {
        bytes.extend_from_slice(&[0x22, 0x58, 0x20]);
        bytes.extend_from_slice(y);
    }
    Ok(hex(&Sha256::of(&[&bytes])))
}

fn export(path: &Path, private: bool, encoding: Encoding, out: &Path) -> Result<Output, Problem> {
    file::must_be_free(out)?;
    let key = KeyFile::read(path)?;
    let public = key.verifier()?;
    if private {
        let secret = key.secret()?;
        let bytes = match encoding {
            Encoding::Pem => exchange::private_pem(public.as_ref(), &secret)?,
            Encoding::Der => exchange::private_der(public.as_ref(), &secret)?,
        };
        file::create(out, &bytes, Access::Private)?;
    } else {
        let bytes = match encoding {
            Encoding::Pem => exchange::public_pem(public.as_ref())?.into_bytes(),
            Encoding::Der => exchange::public_der(public.as_ref())?,
        };
        file::create(out, &bytes, Access::Public)?;
    }
    let half = if private { "private" } else { "public" };
    Ok(Output::new(
        format!("{half} key  {}\n", out.display()),
        json!({ "file": out, "half": half, "type": type_name(public.key_type()) }),
    ))
}

fn import(from: &Path, path: &Path, kid: Option<&str>) -> Result<Output, Problem> {
    let foreign = Zeroizing::new(file::read(from)?);
    let key = KeyFile::foreign(from, &foreign, kid.map(str::as_bytes))?;
    let public = key.verifier()?;
    let kid = key.kid()?;
    let public = cose_key(public.public_key(), kid.as_deref(), None).map_err(Problem::make("key"))?;
    if key.holds_private()? {
        key.signer()?;
        return write_pair(path, key.bytes(), &public);
    }
    file::create(path, &public, Access::Public)?;
    Ok(Output::new(
        format!(
            "public key   {} (for devices, as a trust anchor)\n",
            path.display()
        ),
        json!({ "private": null, "public": path }),
    ))
}

/// What envelopes have room for.
const MAX_KID: usize = 64;

/// A key identifier from the command line.
pub(crate) fn kid(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.len() > MAX_KID {
        return Err("a key identifier has 1 to 64 bytes");
    }
    Ok(text.to_owned())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Just so many bytes, from digits of either case.
pub(crate) fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    Hex::parse(text.as_bytes()).ok().map(|read| *read.bytes())
}

/// The same for any number, in one allocation.
pub(crate) fn unhex_all(text: &str) -> Option<Vec<u8>> {
    let mut bytes = vec![0; text.len() / 2];
    input::Encoding::Hex.decode(text.as_bytes(), &mut bytes).ok()?;
    Some(bytes)
}

/// A key identifier as text where it is text, otherwise in hexadecimal; never control characters.
pub(crate) fn name(kid: &[u8]) -> String {
    match std::str::from_utf8(kid) {
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("h'{}'", hex(kid)),
    }
}

/// What the command line calls this kind of key.
pub(crate) fn type_name(kind: KeyType) -> &'static str {
    match kind {
        KeyType::Ed25519 => "ed25519",
        KeyType::P256 => "p256",
        _ => "other",
    }
}

fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}
