//! Signing keys as COSE_Key files.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Subcommand, ValueEnum};
use getrandom::SysRng;
use iotsec::core::{
    cose::{CoseError, Key},
    crypto::{
        CryptoError, Ed25519PublicKey, Ed25519SigningKey, KeyType, P256PublicKey, P256SigningKey, Sign,
        Verify,
    },
    secret::Secret,
};
use serde_json::json;
use zeroize::Zeroizing;

use crate::{
    Output, Problem,
    file::{self, Access},
    published::is_published,
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a key: the private half in FILE (mode 0600), the public half in FILE.pub.
    New {
        /// Where the private key goes.
        file: PathBuf,
        /// What kind of key.
        #[arg(long, value_enum, default_value = "ed25519")]
        kind: Kind,
        /// Key identifier that signatures carry, so that a device tries this key first; up to 64 bytes.
        #[arg(long)]
        kid: Option<String>,
    },
    /// Show a key's public half.
    Show {
        /// A private or public key file.
        file: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    /// Ed25519: the default everywhere in iotsec.
    Ed25519,
    /// ECDSA on P-256, for clouds and secure elements that need it.
    P256,
}

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::New { file, kind, kid } => new(file, *kind, kid.as_deref()),
        Command::Show { file } => show(file),
    }
}

fn new(path: &Path, kind: Kind, kid: Option<&str>) -> Result<Output, Problem> {
    if kid.is_some_and(|kid| kid.is_empty() || kid.len() > MAX_KID) {
        return Err(Problem::usage("--kid takes 1 to 64 bytes", "choose another name"));
    }
    let public_path = public_path(path);
    file::must_be_free(path)?;
    file::must_be_free(&public_path)?;

    let secret = Secret::<32>::random(&mut SysRng).map_err(Problem::make("key"))?;
    let signer: Box<dyn Sign> = match kind {
        Kind::Ed25519 => Box::new(Ed25519SigningKey::from_seed(&secret)),
        Kind::P256 => Box::new(P256SigningKey::from_scalar(&secret).map_err(Problem::make("key"))?),
    };
    let mut public = key_of(kind, signer.public_key()).map_err(Problem::make("key"))?;
    if let Some(kid) = kid {
        public = public.with_kid(kid.as_bytes());
    }
    let mut out = Zeroizing::new([0; Key::MAX_LEN]);
    let private = public.with_secret(secret.expose());
    let private = private.write(out.as_mut()).map_err(Problem::make("key"))?;
    file::create(path, private, Access::Private)?;
    let mut out = [0; Key::MAX_LEN];
    let public = public.write(&mut out).map_err(Problem::make("key"))?;
    file::create(&public_path, public, Access::Public)?;
    Ok(Output::new(
        format!(
            "private key  {} (for the signing machine alone)\npublic key   {} (for devices, as a trust anchor)\n",
            path.display(),
            public_path.display()
        ),
        json!({ "private": path, "public": public_path }),
    ))
}

fn show(path: &Path) -> Result<Output, Problem> {
    let key = KeyFile::read(path)?;
    let public = key.verifier()?;
    let mut report = format!("type    {:?}\n", public.key_type());
    if let Some(kid) = key.kid()? {
        let _ = writeln!(report, "kid     {}", name(&kid));
    }
    let _ = writeln!(report, "public  {}", hex(public.public_key()));
    let half = if key.parse()?.secret().is_some() {
        "in this file"
    } else {
        "not in this file"
    };
    let _ = writeln!(report, "private {half}");
    let json = json!({ "type": format!("{:?}", public.key_type()), "public": hex(public.public_key()) });
    Ok(Output::new(report, json))
}

/// The bytes of a key file, wiped when dropped.
pub(crate) struct KeyFile {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

impl KeyFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let key = Self {
            path: path.to_owned(),
            bytes: Zeroizing::new(file::read(path)?),
        };
        key.parse()?;
        Ok(key)
    }

    /// The key identifier, if the file names one.
    pub(crate) fn kid(&self) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.parse()?.kid().map(<[u8]>::to_vec))
    }

    /// The private key. One that everyone has is refused; a debug build, which tests and examples run,
    /// warns of it.
    pub(crate) fn signer(&self) -> Result<Box<dyn Sign>, Problem> {
        let key = self.parse()?;
        let secret = key.secret().ok_or_else(|| public_only(&self.path))?;
        let secret = Secret::from_bytes(*secret);
        if is_published(&secret, key.x()) {
            let problem = published(&self.path);
            if cfg!(debug_assertions) {
                eprintln!("iotsec: warning: {problem}; only a debug build signs with it");
            } else {
                return Err(problem);
            }
        }
        let signer: Box<dyn Sign> = match key.key_type() {
            KeyType::P256 => Box::new(P256SigningKey::from_scalar(&secret).map_err(self.wrong())?),
            _ => Box::new(Ed25519SigningKey::from_seed(&secret)),
        };
        // A signature by another key than the file shows would verify nowhere.
        if signer.public_key() == self.verifier()?.public_key() {
            Ok(signer)
        } else {
            Err(self.wrong()(CryptoError::PublicKey))
        }
    }

    /// The public key.
    pub(crate) fn verifier(&self) -> Result<Box<dyn Verify>, Problem> {
        let key = self.parse()?;
        Ok(match key.y() {
            Some(y) => {
                let point = [&[4], &key.x()[..], y].concat();
                Box::new(P256PublicKey::from_sec1(&point).map_err(self.wrong())?)
            }
            None => Box::new(Ed25519PublicKey::from_bytes(key.x()).map_err(self.wrong())?),
        })
    }

    fn parse(&self) -> Result<Key<'_>, Problem> {
        Key::parse(&self.bytes).map_err(|cause| self.problem(cause))
    }

    fn wrong(&self) -> impl Fn(CryptoError) -> Problem + '_ {
        |cause| self.problem(cause.into())
    }

    fn problem(&self, cause: CoseError) -> Problem {
        let path = self.path.display();
        Problem::coded(
            format!("{path} is not a COSE_Key for Ed25519 or P-256: {cause}"),
            &cause,
        )
        .with_remedy("make a key with `iotsec key new`, or bring one in with `iotsec key import`")
    }
}

/// What envelopes have room for.
const MAX_KID: usize = 64;

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A key identifier as text where it is text, otherwise in hexadecimal; never control characters.
pub(crate) fn name(kid: &[u8]) -> String {
    match std::str::from_utf8(kid) {
        Ok(text) => format!("{text:?}"),
        Err(_) => format!("h'{}'", hex(kid)),
    }
}

fn public_only(path: &Path) -> Problem {
    Problem::new(
        "PublicOnly",
        format!("{} holds a public key only", path.display()),
        "give the private key, which this command signs with",
    )
}

fn published(path: &Path) -> Problem {
    let path = path.display();
    Problem::new(
        "PublishedKey",
        format!(
            "{path} holds a key that everyone has: it is published with the iotsec test vectors, or all its bytes are equal"
        ),
        "make a key of your own with `iotsec key new`",
    )
}

fn key_of(kind: Kind, point: &[u8]) -> Result<Key<'_>, CryptoError> {
    let part = |range: std::ops::Range<usize>| {
        let part = point.get(range).and_then(|part| part.try_into().ok());
        part.ok_or(CryptoError::KeyLength)
    };
    Ok(match kind {
        Kind::Ed25519 => Key::ed25519(part(0..32)?),
        Kind::P256 => Key::p256(part(1..33)?, part(33..65)?),
    })
}

fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}
