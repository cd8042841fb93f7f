//! `iotsec update verify`

use std::{
    fmt::Write as _,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use iotsec::{
    core::{crypto::Sha256, hal::UnixTime},
    update::{
        Accepted, ComponentPlan, DeviceComponent, DeviceIdentity, Envelope, SequenceNumber, Source,
        TrustAnchor, TrustAnchors, install::InstallError, rollback::RollbackPolicy,
    },
};

use serde_json::json;

use super::{
    Verify,
    create::{MAX_ID, component_id},
    diagnostic,
};
use crate::{
    Output, Problem, file,
    key::{KeyFile, hex},
};

pub(super) fn run(verify: &Verify) -> Result<Output, Problem> {
    let bytes = file::read(&verify.file)?;
    let payload = verify.payload.as_deref().map(file::read).transpose()?;

    let (mut keys, mut kids) = (Vec::new(), Vec::new());
    for path in &verify.key {
        let key = KeyFile::read(path)?;
        keys.push(key.anchor()?);
        kids.push(key.kid()?);
    }
    let anchors: Vec<TrustAnchor<'_>> = keys
        .iter()
        .zip(&kids)
        .map(|(key, kid)| TrustAnchor {
            key: key.as_ref(),
            kid: kid.as_deref(),
        })
        .collect();
    let anchors = TrustAnchors::new(&anchors, verify.threshold).map_err(|_| unusable(verify))?;

    let mut ids = vec![[0; MAX_ID]; verify.component.len()];
    let mut places = Vec::new();
    for (component, buffer) in verify.component.iter().zip(&mut ids) {
        places.push(DeviceComponent {
            id: component_id(component, buffer)?,
            capacity: verify.capacity,
            slot: None,
        });
    }
    let (vendor, class) = verify.target.ids();
    let device = DeviceIdentity {
        vendor: vendor.into_bytes(),
        class: class.into_bytes(),
        device: None,
        components: &places,
    };
    let policy = RollbackPolicy::new(0).map_err(Problem::make("policy"))?;
    let policy = policy.admission(SequenceNumber(verify.installed), now());

    let mut hash = Sha256::new();
    let accepted = Envelope::parse(&bytes, &verify.room.limits())
        .and_then(|envelope| envelope.authenticate(&anchors, &mut hash))
        .and_then(|authentic| authentic.admit(&device, &policy, &mut hash))
        .map_err(Problem::refused(&verify.file))?;
    let payloads = payloads(verify, &accepted, payload.as_deref())?;
    let human = format!(
        "{}: accepted\n\
         signed     by at least {} of {} trusted keys\n\
         made for   vendor {vendor}, class {class}\n\
         sequence   {}, above {} installed\n{payloads}",
        verify.file.display(),
        verify.threshold,
        verify.key.len(),
        accepted.sequence_number().0,
        verify.installed,
    );
    let json = json!({ "accepted": true, "sequence": accepted.sequence_number().0 });
    Ok(Output::new(human, json))
}

/// Checks every payload that is at hand, and says which are not.
fn payloads(verify: &Verify, accepted: &Accepted<'_>, fetched: Option<&[u8]>) -> Result<String, Problem> {
    let mut report = String::new();
    let mut left = verify.payload.as_deref().zip(fetched);
    for component in accepted.components() {
        let _ = writeln!(
            report,
            "component  {} of {} bytes, SHA-256 {}",
            diagnostic::show(component.id().encoded()),
            component.size(),
            hex(component.digest())
        );
        let checked = match component.source() {
            Source::Integrated(bytes) | Source::Content(bytes) => {
                check(&verify.file, component, bytes)?;
                "carried in the envelope, size and digest are as signed".to_owned()
            }
            Source::Uri(uri) => match left.take_if(|(_, bytes)| is_for(component, accepted, bytes)) {
                Some((path, bytes)) => {
                    check(path, component, bytes)?;
                    format!("{}: size and digest are as signed", path.display())
                }
                None => format!("not checked: to be fetched from {uri:?}"),
            },
            Source::Copy { .. } => "copied on the device, and checked there".to_owned(),
            _ => "not installed, only started".to_owned(),
        };
        let _ = writeln!(report, "payload    {checked}");
    }
    match left {
        None => Ok(report),
        Some((path, _)) => Err(Problem::usage(
            format!(
                "{} is the payload of no component that this envelope has fetched",
                path.display()
            ),
            "leave it out, or give the payload that this envelope was made for",
        )),
    }
}

/// With one component to be fetched the payload is meant for it, right or wrong; with several, for the
/// one whose digest it has.
fn is_for(component: &ComponentPlan<'_>, accepted: &Accepted<'_>, bytes: &[u8]) -> bool {
    let fetched = |component: &&ComponentPlan<'_>| matches!(component.source(), Source::Uri(_));
    accepted.components().iter().filter(fetched).count() == 1 || Sha256::of(&[bytes]) == *component.digest()
}

/// Size and digest, with the numbers that the updater has for them.
fn check(path: &Path, component: &ComponentPlan<'_>, bytes: &[u8]) -> Result<(), Problem> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let result = match size.cmp(&u64::from(component.size())) {
        std::cmp::Ordering::Less => Err(InstallError::Incomplete),
        std::cmp::Ordering::Greater => Err(InstallError::PayloadLength),
        std::cmp::Ordering::Equal if Sha256::of(&[bytes]) != *component.digest() => {
            Err(InstallError::PayloadDigest)
        }
        std::cmp::Ordering::Equal => Ok(()),
    };
    result.map_err(Problem::refused(path))
}

fn unusable(verify: &Verify) -> Problem {
    Problem::usage(
        format!(
            "a threshold of {} of {} keys cannot be used",
            verify.threshold,
            verify.key.len()
        ),
        format!(
            "give 1 to {} different keys, and a threshold of 1 to all of them",
            TrustAnchors::MAX
        ),
    )
}

/// This computer's clock stands for the device's trusted time.
fn now() -> Option<UnixTime> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(UnixTime(since.as_secs()))
}
