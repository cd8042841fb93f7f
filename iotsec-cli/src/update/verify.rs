//! `iotsec update verify`

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use iotsec::{
    core::crypto::Sha256,
    update::{
        Accepted, ComponentPlan, Source,
        payload::{Encoding, PayloadError},
    },
};
use serde_json::{Value, json};

use super::{
    diagnostic,
    judge::Judge,
    payload::{Checked, Mismatch, check},
};
use crate::{Output, Problem, file, key::hex};

#[derive(Args)]
pub(crate) struct Verify {
    /// The envelope.
    file: PathBuf,
    #[command(flatten)]
    judge: Judge,
    /// A payload that devices fetch; give it again for further ones. Those that the envelope carries are
    /// always checked.
    #[arg(long, value_name = "FILE")]
    payload: Vec<PathBuf>,
    /// An image that devices run, for payloads that are patches against it.
    #[arg(long, value_name = "IMAGE")]
    base: Vec<PathBuf>,
}

pub(super) fn run(verify: &Verify) -> Result<Output, Problem> {
    let bytes = file::read(&verify.file)?;
    let payloads = read_all(&verify.payload)?;
    let bases = read_all(&verify.base)?;
    let refused = |_, cause| Problem::refused(&verify.file)(cause);
    verify.judge.admit(&bytes, refused, |accepted, _| {
        let mut files = Files {
            envelope: &verify.file,
            fetched: payloads.into_iter().collect(),
            bases,
        };
        report(verify, accepted, &mut files)
    })
}

fn report(verify: &Verify, accepted: &Accepted<'_>, files: &mut Files<'_>) -> Result<Output, Problem> {
    let judge = &verify.judge;
    let (vendor, class) = judge.ids();
    let sequence = accepted.sequence_number().0;
    let mut human = format!(
        "{}: accepted\n\
         signed     by at least {} of {} trusted keys\n\
         made for   vendor {vendor}, class {class}\n\
         sequence   {sequence}, above {} installed\n",
        verify.file.display(),
        judge.threshold,
        judge.keys(),
        judge.installed,
    );
    let mut components = Vec::new();
    for component in accepted.components() {
        let name = diagnostic::show(component.id().encoded());
        let _ = writeln!(
            human,
            "component  {name} of {} bytes, SHA-256 {}",
            component.size(),
            hex(component.digest())
        );
        let (checked, words) = files.check(component, accepted)?;
        let _ = writeln!(human, "payload    {words}");
        components.push(json!({
            "component": name,
            "bytes": component.size(),
            "digest": hex(component.digest()),
            "payload": words,
            "payload_checked": checked,
        }));
    }
    files.none_left(accepted)?;
    let json = json!({
        "accepted": true,
        "file": verify.file,
        "threshold": judge.threshold,
        "trusted_keys": judge.keys(),
        "vendor": vendor.to_string(),
        "class": class.to_string(),
        "sequence": sequence,
        "installed": judge.installed,
        "components": Value::Array(components),
    });
    Ok(Output::new(human, json))
}

fn read_all(paths: &[PathBuf]) -> Result<Vec<(&Path, Vec<u8>)>, Problem> {
    paths
        .iter()
        .map(|path| Ok((path.as_path(), file::read(path)?)))
        .collect()
}

/// What is at hand beside the envelope.
struct Files<'f> {
    envelope: &'f Path,
    fetched: Vec<(&'f Path, Vec<u8>)>,
    bases: Vec<(&'f Path, Vec<u8>)>,
}

impl Files<'_> {
    /// Whether the payload was checked, and what there is to say of it.
    fn check(
        &mut self,
        component: &ComponentPlan<'_>,
        accepted: &Accepted<'_>,
    ) -> Result<(bool, String), Problem> {
        match component.source() {
            Source::Integrated(bytes) | Source::Content(bytes) => {
                let checked = self.judge(self.envelope, component, bytes)?;
                Ok((
                    true,
                    format!("carried in the envelope, {}", words(component, checked)),
                ))
            }
            Source::Uri(uri) => {
                let Some(position) = self.position(component, accepted) else {
                    return Ok((false, format!("not checked: to be fetched from {uri:?}")));
                };
                let (path, bytes) = self.fetched.remove(position);
                let checked = self.judge(path, component, &bytes)?;
                Ok((true, format!("{}: {}", path.display(), words(component, checked))))
            }
            Source::Copy { .. } => Ok((false, "copied on the device, and checked there".to_owned())),
            _ => Ok((false, "not installed, only started".to_owned())),
        }
    }

    /// With one component to be fetched the payload is meant for it, right or wrong; with several, for the
    /// one that it fits.
    fn position(&self, component: &ComponentPlan<'_>, accepted: &Accepted<'_>) -> Option<usize> {
        let fetched = |component: &&ComponentPlan<'_>| matches!(component.source(), Source::Uri(_));
        if accepted.components().iter().filter(fetched).count() == 1 {
            return (!self.fetched.is_empty()).then_some(0);
        }
        let fits = |(_, bytes): &(_, Vec<u8>)| check(component, bytes, self.base_of(component)).is_ok();
        self.fetched.iter().position(fits)
    }

    fn judge(&self, path: &Path, component: &ComponentPlan<'_>, bytes: &[u8]) -> Result<Checked, Problem> {
        check(component, bytes, self.base_of(component)).map_err(|mismatch| match mismatch {
            Mismatch::Install(cause) => Problem::refused(path)(cause),
            Mismatch::Payload(cause) => Problem::refused(path)(cause),
        })
    }

    fn base_of(&self, component: &ComponentPlan<'_>) -> Option<&[u8]> {
        let transport = component.transport().ok()?;
        let Encoding::Delta { base, .. } = transport.encoding else {
            return None;
        };
        let found = self.bases.iter().find(|(_, bytes)| Sha256::of(&[bytes]) == *base);
        found.map(|(_, bytes)| bytes.as_slice())
    }

    fn none_left(&self, accepted: &Accepted<'_>) -> Result<(), Problem> {
        for (path, bytes) in &self.bases {
            let digest = Sha256::of(&[bytes]);
            let is_one = |component: &ComponentPlan<'_>| match component.transport().map(|told| told.encoding)
            {
                Ok(Encoding::Delta { base, .. }) => *base == digest,
                _ => false,
            };
            if !accepted.components().iter().any(is_one) {
                return Err(Problem::refused(path)(PayloadError::BaseDigest));
            }
        }
        let Some((path, _)) = self.fetched.first() else {
            return Ok(());
        };
        Err(Problem::new(
            "OtherPayload",
            format!(
                "{} is the payload of no component that this envelope has fetched",
                path.display()
            ),
            "leave it out, or give the payload that this envelope was made for",
        ))
    }
}

fn words(component: &ComponentPlan<'_>, checked: Checked) -> &'static str {
    let encrypted = component.transport().is_ok_and(|told| told.encryption.is_some());
    match (checked, encrypted) {
        (Checked::Image, _) => "size and digest are as signed",
        (Checked::Transported, true) => "as signed; only the device can decrypt it, and check the image",
        (Checked::Transported, false) => "as signed; --base checks the image that the patch makes",
    }
}
