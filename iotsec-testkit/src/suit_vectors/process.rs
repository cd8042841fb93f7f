use std::path::{Path, PathBuf};

use iotsec_core::crypto::{Digest, Ed25519PublicKey, P256PublicKey, Sha256, Verify};
use iotsec_update::{
    Authenticated, ComponentId, ComponentPlan, Envelope, Limits, Source, TrustAnchor, TrustAnchors,
    UpdateError,
};
use serde_json::Value;

use super::{
    device::{Device, State},
    expectation::{Answer, Process},
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
    let authenticated = TrustAnchors::new(&anchors, vector.threshold)
        .and_then(|anchors| Envelope::parse(&vector.envelope, &LIMITS)?.authenticate(&anchors, &mut hash));
    let mut answer = Answer {
        authentic: authenticated.as_ref().map(|_| ()).map_err(|error| *error),
        process: Process::Accepted,
        note: None,
    };
    match authenticated {
        Err(error) => answer.process = Process::Refused(error.to_string()),
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
    keys: Vec<Box<dyn Verify>>,
    threshold: u8,
    /// Made for the device that `oracle/` and `negative/` assume.
    ours: bool,
    state: State,
    payloads: Payloads,
}

/// The end of the process and what was passed over, or why it was refused.
type Outcome = Result<(Process, Option<String>), String>;

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
        if wanted.is_some_and(|wanted| wanted != hex(&sha256(&envelope))) {
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
        Ok(Self {
            envelope,
            keys: names.filter_map(|name| key(folder, name)).collect(),
            threshold: threshold(entry),
            ours: Path::new(file)
                .components()
                .any(|part| part.as_os_str() == "oracle" || part.as_os_str() == "negative"),
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
                Err(reason) => return Ok(Err(reason)),
            }
        };
        let components = match device.components() {
            Ok(components) => components,
            Err(reason) => return Ok(Err(reason)),
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
                    .map_err(|error| error.to_string())
                    .and_then(|bootable| self.take_in(bootable.components()))
                    .map(|note| (Process::BootOnly, note)),
                Err(error) => Err(error.to_string()),
            },
        )
    }

    /// Gets every component's content and compares it with the plan.
    fn take_in(&self, components: &[ComponentPlan<'_>]) -> Result<Option<String>, String> {
        let mut contents: Vec<(ComponentId<'_>, Option<Vec<u8>>)> = Vec::new();
        let mut passed_over = Vec::new();
        for plan in components {
            let source = plan.load().unwrap_or(plan.source());
            let content = match source {
                Source::Uri(uri) => self.payloads.fetch(uri, plan.digest()),
                Source::Integrated(bytes) | Source::Content(bytes) => Some(bytes.to_vec()),
                Source::Copy { from } => match contents.iter().find(|(id, _)| *id == from) {
                    Some((_, content)) => content.clone(),
                    None => self.on_device(from),
                },
                Source::None => self.on_device(plan.id()),
                _ => return Err("source not understood".into()),
            };
            match &content {
                None if self.ours && matches!(source, Source::Uri(_)) => {
                    return Err("payload is not there".into());
                }
                None => passed_over.push(hex(plan.id().encoded())),
                Some(content) if u32::try_from(content.len()) != Ok(plan.size()) => {
                    return Err(format!(
                        "payload has {} bytes, not {}",
                        content.len(),
                        plan.size()
                    ));
                }
                Some(content) if sha256(content) != *plan.digest() => {
                    return Err("payload has another digest".into());
                }
                Some(_) => {}
            }
            contents.push((plan.id(), content));
        }
        Ok(match passed_over.as_slice() {
            [] => None,
            ids => Some(format!("no payload at hand for {}", ids.join(", "))),
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
    fn fetch(&self, uri: &str, digest: &[u8; 32]) -> Option<Vec<u8>> {
        let name = uri.rsplit('/').next().unwrap_or(uri);
        self.named(name).or_else(|| self.with_digest(digest))
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
        contents.into_iter().find(|content| sha256(content) == *digest)
    }
}

/// `keys/<name>.pub.hex`, if it is a key of a type that can be an anchor.
fn key(folder: &Path, name: &str) -> Option<Box<dyn Verify>> {
    let path = folder.join("keys").join(format!("{name}.pub.hex"));
    let bytes = unhex(std::fs::read_to_string(path).ok()?.trim())?;
    if name.starts_with("ed25519") {
        Some(Box::new(Ed25519PublicKey::from_bytes(&bytes).ok()?))
    } else if name.starts_with("p256") {
        Some(Box::new(P256PublicKey::from_sec1(&bytes).ok()?))
    } else {
        None
    }
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

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::default();
    hash.update(bytes);
    hash.finish()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}
