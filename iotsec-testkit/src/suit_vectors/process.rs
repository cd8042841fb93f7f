use std::path::{Path, PathBuf};

use iotsec_core::crypto::{Sha256, Verify};
use iotsec_update::{
    Authenticated, ComponentId, ComponentPlan, Envelope, Limits, Source, TrustAnchor, TrustAnchors,
    UpdateError, payload::Transport,
};
use serde_json::Value;

use super::{
    device::{Device, State},
    expectation::{Answer, Process, Refusal},
    hex, keys,
};

/// Vectors attack other limits with files that are a little larger than what a device takes.
const LIMITS: Limits = Limits {
    envelope: 16384,
    ..Limits::DEFAULT
};

/// Plays the whole process for one entry. An error is about the entry, not about the envelope.
pub(super) fn answer(folder: &Path, entry: &Value) -> Result<Answer, String> {
    let vector = Vector::read(folder, entry)?;
    let keys: Vec<&dyn Verify> = vector.keys.iter().map(AsRef::as_ref).collect();
    let anchors: Vec<TrustAnchor<'_>> = keys
        .iter()
        .map(|key| TrustAnchor { key: *key, kid: None })
        .collect();
    let mut hash = Sha256::default();
    let authenticated = TrustAnchors::new(&anchors, vector.threshold).and_then(|anchors| {
        let anchors = anchors.with_sign().with_mac0();
        Envelope::parse(&vector.envelope, &vector.limits)?.authenticate(&anchors, &mut hash)
    });
    let mut answer = Answer {
        authentic: authenticated.as_ref().map(|_| ()).map_err(|error| *error),
        process: Process::Accepted,
        note: None,
    };
    match authenticated {
        Err(error) => answer.process = Process::Refused(error.into()),
        Ok(authenticated) => match vector.process(&authenticated)? {
            Ok((process, note)) => {
                answer.process = process;
                answer.note = note;
            }
            Err(reason) => answer.process = Process::Refused(reason),
        },
    }
    Ok(answer)
}

struct Vector {
    envelope: Vec<u8>,
    limits: Limits,
    keys: Vec<Box<dyn Verify>>,
    threshold: u8,
    /// Made for the device that `oracle/` and `negative/` assume.
    ours: bool,
    state: State,
    payloads: Payloads,
}

/// The end of the process and what was passed over, or why it was refused.
type Outcome = Result<(Process, Option<String>), Refusal>;

impl Vector {
    fn read(folder: &Path, entry: &Value) -> Result<Self, String> {
        let file = entry["file"].as_str().ok_or("no field file")?;
        let path = folder.join(file);
        let envelope = std::fs::read(&path).map_err(|error| error.to_string())?;
        if entry["len"]
            .as_u64()
            .is_some_and(|len| usize::try_from(len) != Ok(envelope.len()))
        {
            return Err("length is not what the index says".into());
        }
        let wanted = entry["sha256"].as_str();
        if wanted.is_some_and(|wanted| wanted != hex::encode(&Sha256::of(&[&envelope]))) {
            return Err("sha256 is not what the index says".into());
        }
        let state = &entry["state"];
        for field in state.as_object().into_iter().flatten() {
            if !["seq", "slot", "now", "threshold"].contains(&field.0.as_str()) {
                return Err(format!("state: \"{}\" is not understood", field.0));
            }
        }
        let names = entry["trusted_keys"].as_array().ok_or("no field trusted_keys")?;
        let names = names.iter().filter_map(Value::as_str);
        let ours = ["oracle", "positive", "negative"];
        Ok(Self {
            envelope,
            limits: limits(&entry["limits"])?,
            keys: names.filter_map(|name| keys::named(folder, name)).collect(),
            threshold: threshold(entry),
            ours: Path::new(file)
                .components()
                .any(|part| ours.iter().any(|name| part.as_os_str() == *name)),
            state: State {
                installed: state["seq"].as_u64(),
                slot: state["slot"].as_u64(),
                now: state["now"].as_u64(),
            },
            payloads: Payloads::of(folder, entry),
        })
    }

    /// Admission, then the payloads.
    fn process(&self, authenticated: &Authenticated<'_>) -> Result<Outcome, String> {
        let device = if self.ours {
            Device::ours(&self.state)
        } else {
            let manifest = authenticated.manifest().map_err(|error| error.to_string())?;
            match Device::made_for(manifest, &self.state) {
                Ok(device) => device,
                Err(reason) => return Ok(Err(reason.into())),
            }
        };
        let components = match device.components() {
            Ok(components) => components,
            Err(reason) => return Ok(Err(reason.into())),
        };
        let identity = device.identity(&components);
        let hash = &mut Sha256::default();
        Ok(
            match authenticated.clone().admit(&identity, &device.policy, hash) {
                Ok(accepted) => self
                    .take_in(accepted.components())
                    .map(|note| (Process::Accepted, note)),
                Err(UpdateError::ElementAbsent) => authenticated
                    .clone()
                    .admit_for_boot(&identity, &device.policy, hash)
                    .map_err(Refusal::from)
                    .and_then(|bootable| self.take_in(bootable.components()))
                    .map(|note| (Process::BootOnly, note)),
                Err(error) => Err(error.into()),
            },
        )
    }

    /// Gets every component's content and compares it with the plan.
    fn take_in(&self, components: &[ComponentPlan<'_>]) -> Result<Option<String>, Refusal> {
        let mut contents: Vec<(ComponentId<'_>, Option<Vec<u8>>)> = Vec::new();
        let mut notes = Vec::new();
        for plan in components {
            let source = plan.load().unwrap_or(plan.source());
            let transport = plan.transport()?;
            let mut content = match source {
                Source::Uri(uri) => {
                    let wanted = if transport.is_plain() {
                        Some(plan.digest())
                    } else {
                        transport.digest
                    };
                    self.payloads.fetch(uri, wanted)
                }
                Source::Integrated(bytes) | Source::Content(bytes) => Some(bytes.to_vec()),
                Source::Copy { from } => match contents.iter().find(|(id, _)| *id == from) {
                    Some((_, content)) => content.clone(),
                    None => self.on_device(from),
                },
                Source::None => self.on_device(plan.id()),
                _ => return Err("source not understood".into()),
            };
            if let Some(payload) = content.take_if(|_| !transport.is_plain()) {
                transported(&payload, &transport)?;
                notes.push(format!(
                    "payload of {} is checked as it is transported",
                    hex::encode(plan.id().encoded())
                ));
                contents.push((plan.id(), None));
                continue;
            }
            match &content {
                None if self.ours && matches!(source, Source::Uri(_)) => {
                    return Err("payload is not there".into());
                }
                None => notes.push(format!(
                    "no payload at hand for {}",
                    hex::encode(plan.id().encoded())
                )),
                Some(content) if u32::try_from(content.len()) != Ok(plan.size()) => {
                    return Err(format!("payload has {} bytes, not {}", content.len(), plan.size()).into());
                }
                Some(content) if Sha256::of(&[content]) != *plan.digest() => {
                    return Err("payload has another digest".into());
                }
                Some(content) => transported(content, &transport)?,
            }
            contents.push((plan.id(), content));
        }
        Ok(if notes.is_empty() {
            None
        } else {
            Some(notes.join("; "))
        })
    }

    /// `payloads/app_v2.bin` is on our device as its first component.
    fn on_device(&self, id: ComponentId<'_>) -> Option<Vec<u8>> {
        let first = id.encoded() == [0x81, 0x41, 0x00];
        if self.ours && first {
            self.payloads.named("app_v2.bin")
        } else {
            None
        }
    }
}

/// Where URIs lead to.
struct Payloads {
    place: PathBuf,
}

impl Payloads {
    fn of(folder: &Path, entry: &Value) -> Self {
        let named = entry["payload"].as_str().filter(|name| !name.starts_with('#'));
        Self {
            place: folder.join(named.unwrap_or("payloads/")),
        }
    }

    /// What is served under a URI: the file of that name, or else the content that the plan asks for,
    /// as a content-addressed store would serve it.
    fn fetch(&self, uri: &str, digest: Option<&[u8; 32]>) -> Option<Vec<u8>> {
        let name = uri.rsplit('/').next().unwrap_or(uri);
        self.named(name).or_else(|| self.with_digest(digest?))
    }

    fn named(&self, name: &str) -> Option<Vec<u8>> {
        if self.place.is_dir() {
            std::fs::read(self.place.join(name)).ok()
        } else {
            std::fs::read(&self.place).ok()
        }
    }

    fn with_digest(&self, digest: &[u8; 32]) -> Option<Vec<u8>> {
        let files = std::fs::read_dir(&self.place).ok()?;
        let contents = files.flatten().filter_map(|file| std::fs::read(file.path()).ok());
        contents
            .into_iter()
            .find(|content| Sha256::of(&[content]) == *digest)
    }
}

/// Compares a payload with what the manifest says of its transport.
fn transported(payload: &[u8], transport: &Transport<'_>) -> Result<(), Refusal> {
    if u32::try_from(payload.len()) != Ok(transport.size) {
        return Err(format!("{} bytes are transported, not {}", payload.len(), transport.size).into());
    }
    if transport
        .digest
        .is_some_and(|digest| Sha256::of(&[payload]) != *digest)
    {
        return Err("payload has another digest in transport".into());
    }
    if let Some(chunks) = &transport.chunks {
        let size = usize::try_from(chunks.size()).unwrap_or(usize::MAX);
        for (index, chunk) in (0..).zip(payload.chunks(size)) {
            if chunks.digest(index) != Some(&Sha256::of(&[chunk])) {
                return Err(format!("chunk {index} has another digest").into());
            }
        }
    }
    Ok(())
}

/// The limits of the runner, or the device's own with some of them changed.
fn limits(entry: &Value) -> Result<Limits, String> {
    let Some(fields) = entry.as_object() else {
        return Ok(LIMITS);
    };
    let mut limits = Limits::DEFAULT;
    for (name, value) in fields {
        let wrong = || format!("limits: \"{name}\" is not understood");
        let value = value.as_u64().ok_or_else(wrong)?;
        let set = match name.as_str() {
            "envelope" => value.try_into().map(|value| limits.envelope = value),
            "integrated" => value.try_into().map(|value| limits.integrated = value),
            "blocks" => value.try_into().map(|value| limits.blocks = value),
            "signature_checks" => value.try_into().map(|value| limits.signature_checks = value),
            "components" => value.try_into().map(|value| limits.components = value),
            "depth" => value.try_into().map(|value| limits.depth = value),
            "commands" => value.try_into().map(|value| limits.commands = value),
            _ => return Err(wrong()),
        };
        set.map_err(|_| wrong())?;
    }
    Ok(limits)
}

fn threshold(entry: &Value) -> u8 {
    let stated = [&entry["threshold"], &entry["state"]["threshold"]];
    let stated = stated.into_iter().find_map(Value::as_u64);
    let in_words = || {
        let (_, after) = entry["why"].as_str()?.split_once("threshold ")?;
        let digits = after.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    };
    let threshold = stated.or_else(in_words).unwrap_or(1);
    u8::try_from(threshold).unwrap_or(u8::MAX)
}
