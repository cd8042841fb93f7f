//! `iotsec update sign`

use std::path::{Path, PathBuf};

use clap::Args;
use iotsec::{
    core::{
        cbor,
        cose::Sign1,
        crypto::{KeyType, SIGNATURE_LEN, Sha256, Verify},
    },
    update::{Envelope, Limits, TrustAnchor, TrustAnchors, UpdateError},
};
use serde_json::json;

use super::{
    outer::{Authentication, Outer},
    signature::{accept, block_around, to_be_signed},
    token::{Token, TokenKey},
};
use crate::{
    Output, Problem,
    file::{self, Access},
    key::{KeyFile, Kind, PublicKey, fingerprint, hex, kid, name, type_name},
};

#[derive(Args)]
#[command(group(clap::ArgGroup::new("how").required(true)
    .args(["key", "vector_to_sign", "signature", "pkcs11_module"])))]
#[command(group(clap::ArgGroup::new("result").required(true).args(["out", "vector_to_sign"])))]
pub(crate) struct Sign {
    /// The envelope: from `update create`, signed or not.
    file: PathBuf,
    /// Sign with this private key file; give it again for further signers.
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Write the bytes that the signer signs (COSE Sig_structure) to this file, and nothing else.
    #[arg(long, value_name = "FILE")]
    vector_to_sign: Option<PathBuf>,
    /// Insert this signature, made elsewhere: 64 bytes, or ECDSA in DER.
    #[arg(long, value_name = "FILE", requires = "public")]
    signature: Option<PathBuf>,
    #[command(flatten)]
    token: TokenKey,
    /// The signer's public key: COSE_Key, or SubjectPublicKeyInfo in PEM or DER.
    #[arg(long, value_name = "PUB", conflicts_with = "key")]
    public: Option<PathBuf>,
    /// For --vector-to-sign without --public: what kind of key signs.
    #[arg(long, value_enum, requires = "vector_to_sign", conflicts_with = "public")]
    kind: Option<Kind>,
    /// Key identifier that the signature carries, if not that of the public key file.
    #[arg(long, value_parser = kid, conflicts_with_all = ["key", "vector_to_sign"])]
    kid: Option<String>,
    /// Where the signed envelope goes; must not exist.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(sign: &Sign) -> Result<Output, Problem> {
    let bytes = file::read(&sign.file)?;
    let refused = |cause| Problem::refused::<UpdateError>(&sign.file)(cause);
    let outer = Outer::parse(&bytes).map_err(|cause| refused(cause.into()))?;
    let authentication = outer.to_sign().map_err(refused)?;
    if let Some(out) = &sign.vector_to_sign {
        return vector(sign, &authentication, out);
    }
    let Some(out) = &sign.out else {
        return Err(Problem::usage(
            "--out is missing",
            "say where the signed envelope goes",
        ));
    };
    file::must_be_free(out)?;

    let mut signed = Signed::new(&sign.file, &authentication);
    for path in &sign.key {
        let key = KeyFile::read(path)?;
        let signer = key.signer()?;
        let message =
            to_be_signed(signer.key_type(), authentication.signed).map_err(Problem::make("message"))?;
        let mut signature = [0; SIGNATURE_LEN];
        signer
            .sign(&message, &mut signature)
            .map_err(Problem::make("signature"))?;
        signed.add(key.verifier()?, key.kid()?, &signature)?;
    }
    let public = sign.public.as_deref().map(KeyFile::read).transpose()?;
    let own_kid = public.as_ref().map(KeyFile::kid).transpose()?.flatten();
    let kid = sign.kid.as_ref().map(|kid| kid.as_bytes().to_vec()).or(own_kid);
    if let (Some(path), Some(public)) = (&sign.signature, &public) {
        let signature = file::read(path)?;
        signed.add(public.anchor()?, kid, &signature)?;
    } else if let Some(token) = Token::open(&sign.token)? {
        let verifier = public.map_or_else(|| token.public(), |public| public.anchor())?;
        let message = to_be_signed(token.kind(), authentication.signed).map_err(Problem::make("message"))?;
        signed.add(verifier, kid, &token.sign(&message)?)?;
    }
    signed.write(&outer, out)
}

fn vector(sign: &Sign, authentication: &Authentication<'_>, out: &Path) -> Result<Output, Problem> {
    let kind = match (&sign.public, sign.kind) {
        (Some(path), _) => KeyFile::read(path)?.verifier()?.key_type(),
        (None, Some(Kind::P256)) => KeyType::P256,
        (None, Some(Kind::Ed25519)) => KeyType::Ed25519,
        (None, Some(Kind::X25519 | Kind::P256Ecdh)) => {
            return Err(Problem::usage(
                "a key of this kind signs nothing",
                "give --kind ed25519 or --kind p256",
            ));
        }
        (None, None) => {
            return Err(Problem::usage(
                "the bytes to sign depend on the kind of key",
                "give the signer's public key with --public, or --kind",
            ));
        }
    };
    let message = to_be_signed(kind, authentication.signed).map_err(Problem::make("message"))?;
    file::create(out, &message, Access::Public)?;
    let algorithm = match kind {
        KeyType::P256 => "ECDSA on P-256 with SHA-256 over these bytes",
        _ => "Ed25519 over these bytes, not over a hash of them",
    };
    Ok(Output::new(
        format!(
            "{}: {} bytes to sign\nalgorithm  {algorithm}\nsigned     SHA-256 of these bytes {}\n",
            out.display(),
            message.len(),
            hex(&Sha256::of(&[&message])),
        ),
        json!({
            "file": out,
            "bytes": message.len(),
            "type": type_name(kind),
            "sha256": hex(&Sha256::of(&[&message])),
        }),
    ))
}

/// The blocks that an envelope has and gets.
struct Signed<'a> {
    path: &'a Path,
    signed: &'a [u8],
    blocks: Vec<Vec<u8>>,
    added: Vec<PublicKey>,
}

impl<'a> Signed<'a> {
    fn new(path: &'a Path, authentication: &Authentication<'a>) -> Self {
        Self {
            path,
            signed: authentication.signed,
            blocks: authentication.blocks.iter().map(|block| block.to_vec()).collect(),
            added: Vec::new(),
        }
    }

    /// Takes a signature that verifies, by a key that has not signed yet.
    fn add(&mut self, key: Box<dyn Verify>, kid: Option<Vec<u8>>, signature: &[u8]) -> Result<(), Problem> {
        if self
            .blocks
            .iter()
            .any(|block| is_by(block, key.as_ref(), self.signed))
        {
            return Err(Problem::new(
                "SignedAlready",
                format!("{} bears a signature of this key already", self.path.display()),
                "sign with another key: a device counts each key once",
            ));
        }
        let message = to_be_signed(key.key_type(), self.signed).map_err(Problem::make("message"))?;
        let signature = accept(key.as_ref(), &message, signature).map_err(Problem::refused(self.path))?;
        let block = block_around(key.key_type(), signature, kid.as_deref(), self.signed);
        self.blocks.push(block.map_err(Problem::make("signature"))?);
        self.added.push((key, kid));
        Ok(())
    }

    fn write(self, outer: &Outer<'_>, out: &Path) -> Result<Output, Problem> {
        let blocks: Vec<&[u8]> = self.blocks.iter().map(Vec::as_slice).collect();
        let envelope = outer
            .with_blocks(self.signed, &blocks)
            .map_err(Problem::make("envelope"))?;
        // As a device that trusts just the new keys would see it.
        let anchors: Vec<TrustAnchor<'_>> = self
            .added
            .iter()
            .map(|(key, kid)| TrustAnchor {
                key: key.as_ref(),
                kid: kid.as_deref(),
            })
            .collect();
        let threshold = u8::try_from(anchors.len()).unwrap_or(u8::MAX);
        let limits = Limits {
            integrated: u32::MAX,
            ..Limits::DEFAULT
        };
        TrustAnchors::new(&anchors, threshold)
            .and_then(|anchors| {
                Envelope::parse(&envelope, &limits)?.authenticate(&anchors, &mut Sha256::new())
            })
            .map_err(Problem::make("signed envelope"))?;
        file::create(out, &envelope, Access::Public)?;

        let mut human = format!(
            "{}: {} bytes, {} signature(s)\n",
            out.display(),
            envelope.len(),
            blocks.len()
        );
        let mut signers = Vec::new();
        for (key, kid) in &self.added {
            let fingerprint = fingerprint(key.as_ref())?;
            human += &format!(
                "signed   by {} key {}, fingerprint {fingerprint}\n",
                type_name(key.key_type()),
                kid.as_deref().map_or("without identifier".into(), name),
            );
            signers.push(json!({
                "type": type_name(key.key_type()),
                "kid": kid.as_deref().map(hex),
                "fingerprint": fingerprint,
            }));
        }
        let json = json!({
            "file": out,
            "bytes": envelope.len(),
            "signatures": blocks.len(),
            "added": signers,
        });
        Ok(Output::new(human, json))
    }
}

fn is_by(block: &[u8], key: &dyn Verify, signed: &[u8]) -> bool {
    let mut scratch = [0; 512];
    Sign1::parse(block, &cbor::Limits::SMALL)
        .and_then(|message| message.verify_detached(key, signed, b"", &mut scratch))
        .is_ok()
}
