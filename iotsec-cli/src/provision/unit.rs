//! The units of a batch, as manifest and sealed files say together.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use clap::Args;
use iotsec::core::{
    crypto::{KeyAgreement, Sha256, Verify},
    input::DeviceSerial,
    secret::Secret,
};
use zeroize::Zeroizing;

use super::{
    DEVICES, LABELS, MANIFEST,
    device_key::{DeviceKey, kind_of, public_key},
    entry::{Entries, Entry},
    sealed::Opener,
    unseal::Sealed,
};
use crate::{
    Problem,
    key::{KeyFile, RecipientFile, hex, unhex_all},
};

/// A batch, and who opens it.
#[derive(Args)]
pub(super) struct Source {
    /// The batch directory.
    pub(super) dir: PathBuf,
    /// The private key of a recipient.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The station's public key, signer.pub of a batch that you trust.
    #[arg(long, value_name = "PUB")]
    signer: PathBuf,
}

/// The keys that a [`Source`] names.
pub(super) struct Keys {
    private: Box<dyn KeyAgreement>,
    kid: Option<Vec<u8>>,
    signer: Box<dyn Verify>,
}

impl Source {
    pub(super) fn keys(&self) -> Result<Keys, Problem> {
        let key = RecipientFile::read(&self.key)?;
        Ok(Keys {
            private: key.private()?,
            kid: key.kid()?,
            signer: KeyFile::read(&self.signer)?.verifier()?,
        })
    }
}

/// One unit. Its secrets are wiped with it.
pub(super) struct Unit {
    pub(super) entry: Entry,
    line: Zeroizing<String>,
}

impl Unit {
    fn field(&self, number: usize) -> Option<&str> {
        self.line.split(',').nth(number).filter(|field| !field.is_empty())
    }

    /// As the label has it.
    pub(super) fn password(&self) -> Option<&str> {
        self.field(1)
    }
    /// Eight digits.
    pub(super) fn code(&self) -> Option<&str> {
        self.field(2)
    }
    /// The device key, where the line has it.
    pub(super) fn key(&self) -> Option<DeviceKey> {
        let kind = kind_of(public_key(self.entry.device_key.as_deref()?)?.as_ref());
        let bytes = Zeroizing::new(unhex_all(self.field(3)?)?);
        DeviceKey::of(kind, Secret::from_slice(&bytes).ok()?).ok()
    }
    /// In DER.
    pub(super) fn certificate(&self) -> Option<Vec<u8>> {
        unhex_all(self.field(4)?)
    }

    /// A name for files, which `check` found to be one.
    pub(super) fn file_stem(&self) -> &str {
        &self.entry.serial
    }

    /// That line and entry are of one unit.
    fn check(&self) -> Result<(), String> {
        let entry = &self.entry;
        let serial = &entry.serial;
        // It names files.
        if DeviceSerial::parse(serial.as_bytes()).is_err() {
            return Err(format!("unit {}: {serial:?} is no serial number", entry.unit));
        }
        if self.line.split(',').next() != Some(serial) {
            return Err(format!("unit {} is not {serial:?}", entry.unit));
        }
        let wrong = |what: &str| Err(format!("{what} of {serial:?} is not as the manifest says"));
        if self.password().is_some() != entry.entropy_bits.is_some() {
            return wrong("the password");
        }
        if self.code().is_some() != entry.setup_code {
            return wrong("the set-up code");
        }
        if self.field(3).is_some() {
            let public = self.key().map(|key| hex(key.public().public_key()));
            if public.is_none() || public != entry.device_key {
                return wrong("the device key");
            }
        }
        if self.field(4).is_some() {
            let digest = self.certificate().map(|der| hex(&Sha256::of(&[&der])));
            if digest.is_none() || digest != entry.certificate {
                return wrong("the certificate");
            }
        }
        Ok(())
    }
}

/// Which of the sealed files is read beside the manifest.
#[derive(Clone, Copy)]
pub(super) enum Sealing {
    Labels,
    Devices,
}

/// The units of a batch, one after the other.
pub(super) struct Units<'k> {
    entries: Entries<'k, File>,
    sealed: Sealed<'k>,
    manifest: PathBuf,
    path: PathBuf,
    kind: &'static str,
    first: Option<Entry>,
    read: u32,
}

impl<'k> Units<'k> {
    pub(super) fn open(dir: &Path, keys: &'k Keys, which: Sealing) -> Result<Self, Problem> {
        let kind = match which {
            Sealing::Labels => LABELS,
            Sealing::Devices => DEVICES,
        };
        let (manifest, path) = (dir.join(MANIFEST), dir.join(kind));
        let opened = File::open(&manifest).map_err(|cause| Problem::file(&manifest, &cause))?;
        let opener = Opener {
            key: keys.private.as_ref(),
            kid: keys.kid.as_deref(),
            signer: keys.signer.as_ref(),
        };
        Ok(Self {
            entries: Entries::new(opened, keys.signer.as_ref()),
            sealed: Sealed::open(&path, opener)?,
            manifest,
            path,
            kind,
            first: None,
            read: 0,
        })
    }

    /// The next unit; `None` behind the last, once all are known to have been there.
    pub(super) fn next(&mut self) -> Result<Option<Unit>, Problem> {
        let entry = self.entries.next().map_err(refused(&self.manifest))?;
        let line = self.sealed.next().map_err(super::unseal::refused(&self.path))?;
        let (entry, line) = match (entry, line) {
            (Some(entry), Some(line)) => (entry, line),
            (None, None) => {
                let count = self.first.as_ref().map_or(0, |first| first.count);
                if count == self.read && count > 0 {
                    return Ok(None);
                }
                let cause = format!("{} entries for {count} units", self.read);
                return Err(refused(&self.manifest)(cause));
            }
            _ => {
                let cause = format!("it and {} have not as many units", self.manifest.display());
                return Err(refused(&self.path)(cause));
            }
        };
        self.read += 1;
        let first = self.first.get_or_insert_with(|| entry.clone());
        let fits = entry.belongs_with(first) && entry.unit == self.read;
        if !fits || self.sealed.kind != self.kind || self.sealed.batch() != Some(&*entry.batch) {
            let cause = format!("unit {} is not of this batch, or out of order", self.read);
            return Err(refused(&self.path)(cause));
        }
        let unit = Unit { entry, line };
        unit.check().map_err(refused(&self.path))?;
        Ok(Some(unit))
    }

    /// How many there will be, once one was read.
    pub(super) fn count(&self) -> u32 {
        self.first.as_ref().map_or(1, |first| first.count)
    }
}

fn refused(path: &Path) -> impl Fn(String) -> Problem + '_ {
    |cause| {
        Problem::new(
            "Batch",
            format!("{} refused: {cause}", path.display()),
            "get the batch again from the station that minted it; `iotsec provision verify` says more",
        )
    }
}
