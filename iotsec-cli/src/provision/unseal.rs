//! `iotsec provision unseal`, and reading sealed files unit by unit.

use std::{
    fs::File,
    io::{BufReader, Read, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    DEVICES, DEVICES_HEAD, LABELS, LABELS_HEAD,
    sealed::{MAGIC, Opener},
};
use crate::{
    Output, Problem, file,
    key::{KeyFile, RecipientFile},
};

#[derive(Args)]
pub(crate) struct Unseal {
    /// labels.sealed or devices.sealed.
    sealed: PathBuf,
    /// The private key of a recipient.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The station's public key, signer.pub of a batch that you trust.
    #[arg(long, value_name = "PUB")]
    signer: PathBuf,
    /// Where the CSV file goes (mode 0600); must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn unseal(command: &Unseal) -> Result<Output, Problem> {
    file::must_be_free(&command.out)?;
    let key = RecipientFile::read(&command.key)?;
    let (private, kid) = (key.private()?, key.kid()?);
    let signer = KeyFile::read(&command.signer)?.verifier()?;
    let opener = Opener {
        key: private.as_ref(),
        kid: kid.as_deref(),
        signer: signer.as_ref(),
    };
    let mut sealed = Sealed::open(&command.sealed, opener)?;
    let mut out = file::create_stream(&command.out)?;
    let written = (|| {
        let failed = |cause: std::io::Error| Problem::file(&command.out, &cause);
        let mut units = 0_u64;
        while let Some(line) = sealed.next().map_err(refused(&command.sealed))? {
            if units == 0 {
                let head = if sealed.kind == DEVICES {
                    DEVICES_HEAD
                } else {
                    LABELS_HEAD
                };
                out.write_all(head.as_bytes()).map_err(failed)?;
            }
            out.write_all(line.as_bytes()).map_err(failed)?;
            out.write_all(b"\n").map_err(failed)?;
            units += 1;
        }
        out.flush().map_err(failed)?;
        out.get_ref().sync_all().map_err(failed)?;
        Ok(units)
    })();
    let units = written.inspect_err(|_| {
        // Half a list of labels would pass for a whole one.
        let _ = std::fs::remove_file(&command.out);
    })?;
    Ok(Output::new(
        format!(
            "{units} units in {} (secret: destroy after use)\n",
            command.out.display()
        ),
        json!({ "units": units, "file": command.out }),
    ))
}

pub(super) fn refused(path: &Path) -> impl Fn(String) -> Problem + '_ {
    |cause| {
        Problem::new(
            "Sealed",
            format!("{} refused: {cause}", path.display()),
            "give the private key of a recipient and the public key of the station, or get the file again",
        )
    }
}

/// The lines of a sealed file, one unit each.
pub(super) struct Sealed<'k> {
    file: BufReader<File>,
    opener: Opener<'k>,
    text: Zeroizing<Vec<u8>>,
    at: usize,
    units: u64,
    batch: Option<String>,
    /// `labels.sealed` or `devices.sealed`, once a line was read.
    pub(super) kind: String,
}

impl<'k> Sealed<'k> {
    pub(super) fn open(path: &Path, opener: Opener<'k>) -> Result<Self, Problem> {
        let file = File::open(path).map_err(|cause| Problem::file(path, &cause))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut magic = [0; 8];
        if file.read_exact(&mut magic).is_err() || magic != *MAGIC {
            return Err(refused(path)("it is no file of sealed units".into()));
        }
        Ok(Self {
            file,
            opener,
            text: Zeroizing::new(Vec::new()),
            at: 0,
            units: 0,
            batch: None,
            kind: String::new(),
        })
    }

    /// The batch, once a line was read.
    pub(super) fn batch(&self) -> Option<&str> {
        self.batch.as_deref()
    }

    /// The next line, without its end; `None` behind the last.
    pub(super) fn next(&mut self) -> Result<Option<Zeroizing<String>>, String> {
        if self.at >= self.text.len() {
            let Some(text) = self.opener.next(&mut self.file)? else {
                return Ok(None);
            };
            (self.text, self.at) = (text, 0);
            let head = self.line()?;
            self.check_head(&head)?;
        }
        self.units += 1;
        self.line().map(Some)
    }

    fn line(&mut self) -> Result<Zeroizing<String>, String> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or("a frame ends within a line")?;
        let line = rest.get(..end).unwrap_or_default();
        self.at += end + 1;
        let line = std::str::from_utf8(line).map_err(|_| "a frame is not text")?;
        Ok(Zeroizing::new(line.to_owned()))
    }

    /// Frames follow one another, in one batch and of one kind.
    fn check_head(&mut self, head: &str) -> Result<(), String> {
        let mut parts = head.splitn(3, ',');
        let mut part = || parts.next().unwrap_or_default().to_owned();
        let (batch, kind, first) = (part(), part(), part());
        if ![LABELS, DEVICES].contains(&kind.as_str()) {
            return Err("a frame is of no known kind".into());
        }
        if first != (self.units + 1).to_string() {
            return Err(format!("unit {first} follows unit {}", self.units));
        }
        if self.units > 0 && (self.batch.as_ref() != Some(&batch) || self.kind != kind) {
            return Err("its frames are of more than one batch or kind".into());
        }
        (self.batch, self.kind) = (Some(batch), kind);
        Ok(())
    }
}
