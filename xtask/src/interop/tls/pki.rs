//! Chains of servers from `vectors/certificate`, and devices that OpenSSL certifies.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use iotsec::{
    core::{
        cbor::{Limits, Reader},
        crypto::{Ed25519SigningKey, P256SigningKey, Sign},
        secret::Secret,
    },
    net::tls::Identity,
};

use super::identity;
use crate::tool::{self, Failure};

pub(super) struct Chain {
    pub(super) name: String,
    pub(super) host: String,
    /// The number of the error that it gets.
    pub(super) error: u16,
    certificates: Vec<Vec<u8>>,
}

pub(super) struct Pki {
    folder: PathBuf,
    anchors: Vec<Vec<u8>>,
    pub(super) chains: Vec<Chain>,
}

impl Pki {
    /// In a folder where the chains are.
    pub(super) fn make(folder: &Path, root: &Path) -> Result<Self, Failure> {
        let mut pki = Self {
            folder: folder.to_owned(),
            anchors: Vec::new(),
            chains: Vec::new(),
        };
        pki.read_vectors(&fs::read(root.join("vectors/certificate/chains.cbor"))?)?;
        pki.openssl(&["x509", "-inform", "DER", "-in", "root.der", "-out", "root.pem"])?;
        pki.openssl(&[
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-out",
            "devices.key",
        ])?;
        pki.openssl(&[
            "req",
            "-x509",
            "-new",
            "-key",
            "devices.key",
            "-days",
            "30",
            "-subj",
            "/CN=devices",
            "-out",
            "devices.pem",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign",
        ])?;
        pki.openssl(&[
            "x509",
            "-in",
            "devices.pem",
            "-outform",
            "DER",
            "-out",
            "devices.der",
        ])?;
        fs::write(
            pki.path("device.ext"),
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n",
        )?;
        for (name, algorithm) in [
            ("device_p256", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"][..]),
            ("device_ed25519", &["ED25519"]),
        ] {
            let [key, request, pem, der] = ["key", "csr", "pem", "der"].map(|end| format!("{name}.{end}"));
            pki.openssl(&[&["genpkey", "-out", &key, "-algorithm"], algorithm].concat())?;
            pki.openssl(&[
                "req",
                "-new",
                "-key",
                &key,
                "-subj",
                &format!("/CN={name}"),
                "-out",
                &request,
            ])?;
            pki.openssl(&[
                "x509",
                "-req",
                "-in",
                &request,
                "-CA",
                "devices.pem",
                "-CAkey",
                "devices.key",
                "-CAcreateserial",
                "-days",
                "30",
                "-extfile",
                "device.ext",
                "-out",
                &pem,
            ])?;
            pki.openssl(&["x509", "-in", &pem, "-outform", "DER", "-out", &der])?;
        }
        Ok(pki)
    }

    fn read_vectors(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let limits = Limits {
            depth: 4,
            items: 2000,
            bytes: 1 << 20,
        };
        let mut reader = Reader::new(bytes, &limits)?;
        reader.array()?;
        reader.uint()?;
        reader.bytes()?;
        for _ in 0..reader.array()? {
            self.anchors.push(reader.bytes()?.to_vec());
        }
        for _ in 0..reader.array()? {
            reader.array_len(7)?;
            let (name, host) = (reader.text()?.to_owned(), reader.text()?.to_owned());
            let error = reader.uint_as()?;
            reader.uint()?;
            let mut certificates = Vec::new();
            for _ in 0..reader.array()? {
                certificates.push(reader.bytes()?.to_vec());
            }
            reader.uint()?;
            reader.bytes()?;
            self.chains.push(Chain {
                name,
                host,
                error,
                certificates,
            });
        }
        Ok(reader.finish()?)
    }

    fn openssl(&self, args: &[&str]) -> Result<(), Failure> {
        let mut command = Command::new("openssl");
        tool::text(command.args(args).current_dir(&self.folder)).map(|_| ())
    }

    pub(super) fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    /// A file with the certificates that a server sends behind its own, if there are any.
    pub(super) fn issuers(&self, chain: &str) -> Result<Option<String>, Failure> {
        const END: &str = "-----END CERTIFICATE-----\n";
        let text = fs::read_to_string(self.path(&format!("{chain}.chain.pem")))?;
        let issuers = text
            .split_once(END)
            .map(|(_, issuers)| issuers)
            .unwrap_or_default();
        if issuers.trim().is_empty() {
            return Ok(None);
        }
        let path = self.path(&format!("{chain}.issuers.pem"));
        fs::write(&path, issuers)?;
        Ok(Some(path))
    }

    pub(super) fn read(&self, name: &str) -> Result<Vec<u8>, Failure> {
        Ok(fs::read(self.folder.join(name))?)
    }

    pub(super) fn anchors(&self) -> Vec<&[u8]> {
        self.anchors.iter().map(Vec::as_slice).collect()
    }

    /// A device that OpenSSL certified.
    pub(super) fn identity(&self, name: &str) -> Result<Identity, Failure> {
        identity(&[&self.read(&format!("{name}.der"))?], self.key(name)?)
    }

    /// A server of the vectors.
    pub(super) fn vector_identity(&self, name: &str) -> Result<Identity, Failure> {
        let chain = self
            .chains
            .iter()
            .find(|chain| chain.name == name)
            .ok_or("no such chain")?;
        let certificates: Vec<&[u8]> = chain.certificates.iter().map(Vec::as_slice).collect();
        identity(&certificates, self.key(name)?)
    }

    /// The private key of this name, which PKCS #8 (RFC 5958) has at a fixed place.
    fn key(&self, name: &str) -> Result<Arc<dyn Sign + Send + Sync>, Failure> {
        let der = format!("{name}.p8");
        self.openssl(&[
            "pkcs8",
            "-topk8",
            "-nocrypt",
            "-in",
            &format!("{name}.key"),
            "-outform",
            "DER",
            "-out",
            &der,
        ])?;
        let bytes = self.read(&der)?;
        let secret = |at: usize| -> Result<_, Failure> {
            let bytes = bytes.get(at..at + 32).ok_or("no key")?;
            Ok(Secret::from_bytes(bytes.try_into()?))
        };
        Ok(match bytes.len() {
            48 => Arc::new(Ed25519SigningKey::from_seed(&secret(16)?)),
            _ => Arc::new(P256SigningKey::from_scalar(&secret(36)?)?),
        })
    }
}
