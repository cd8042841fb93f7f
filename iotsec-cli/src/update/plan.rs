//! `iotsec update plan`: what a device would do, step by step.

use std::path::PathBuf;

use clap::Args;
use iotsec::update::{
    Accepted, ComponentPlan, Source,
    payload::{Encoding, Transport},
};
use serde_json::{Value, json};

use super::{diagnostic, judge::Judge};
use crate::{Output, Problem, file, key::hex};

#[derive(Args)]
pub(crate) struct Plan {
    /// The envelope.
    file: PathBuf,
    #[command(flatten)]
    judge: Judge,
}

pub(super) fn run(plan: &Plan) -> Result<Output, Problem> {
    let bytes = file::read(&plan.file)?;
    let refused = |stage: super::judge::Stage, cause: iotsec::update::UpdateError| {
        let message = format!(
            "{} refused when it is {}: {cause}",
            plan.file.display(),
            stage.name()
        );
        Problem::coded(message, &cause).with_rule()
    };
    plan.judge.admit(&bytes, refused, |accepted, digest| {
        Ok(Output::new(
            human(plan, bytes.len(), accepted, &digest)?,
            machine(plan, accepted, &digest)?,
        ))
    })
}

fn human(plan: &Plan, size: usize, accepted: &Accepted<'_>, digest: &[u8; 32]) -> Result<String, Problem> {
    let judge = &plan.judge;
    let (vendor, class) = judge.ids();
    let clock = judge
        .clock()
        .map_or("no trusted time".into(), |time| format!("time {time}"));
    let mut out = format!(
        "{}: accepted; the device would\n\
         read          {size} bytes, within its limits\n\
         authenticate  {} of {} trusted keys at least; manifest SHA-256 {}\n\
         admit         vendor {vendor}, class {class}, {clock}\n\
        \x20             sequence {} over {} installed; every command run without effect, no rule broken\n",
        plan.file.display(),
        judge.threshold,
        judge.keys(),
        hex(digest),
        accepted.sequence_number().0,
        judge.installed,
    );
    for component in accepted.components() {
        let steps = steps(component)?;
        let verb = if is_installed(component) {
            "install     "
        } else {
            "keep        "
        };
        out += &format!(
            "{verb}  component {}, place {}\n",
            diagnostic::show(component.id().encoded()),
            component.place()
        );
        for step in steps {
            out += &format!("                {step}\n");
        }
    }
    let rejected: Vec<String> = untouched(plan, accepted);
    if !rejected.is_empty() {
        out += &format!(
            "leave         component {}: nothing is put into its place in the new slot (--keep would copy it)\n",
            rejected.join(", ")
        );
    }
    out += "boot          on trial; the envelope is authenticated and admitted again\n";
    for component in accepted.components() {
        for step in boot_steps(component) {
            out += &format!("                {step}\n");
        }
    }
    out +=
        "accept        when the application says so: the security counter rises, and nothing older boots\n";
    Ok(out)
}

fn untouched(plan: &Plan, accepted: &Accepted<'_>) -> Vec<String> {
    let places = plan.judge.places().into_iter().enumerate();
    places
        .filter(|(place, _)| {
            accepted
                .components()
                .iter()
                .all(|component| component.place() != *place)
        })
        .map(|(_, name)| name)
        .collect()
}

fn is_installed(component: &ComponentPlan<'_>) -> bool {
    !matches!(component.source(), Source::None)
}

/// What happens to a component until it is in its slot.
fn steps(component: &ComponentPlan<'_>) -> Result<Vec<String>, Problem> {
    let image = format!("{} bytes, SHA-256 {}", component.size(), hex(component.digest()));
    if !is_installed(component) {
        return Ok(vec![format!("carried over from the slot that runs: {image}")]);
    }
    let transport = component.transport().map_err(Problem::make("plan"))?;
    let mut steps = vec![match component.source() {
        Source::Uri(uri) => format!("fetch {} bytes from {uri:?}", transport.size),
        Source::Integrated(_) => format!("take {} bytes from the envelope", transport.size),
        Source::Content(_) => format!("take {} bytes from the manifest", transport.size),
        Source::Copy { from } => format!("copy from component {}", diagnostic::show(from.encoded())),
        _ => "take the content from a source that this tool does not know".into(),
    }];
    steps.extend(transport_steps(&transport));
    steps.push("write to the slot that does not run; compare what was written".into());
    steps.push(format!("check the image in its slot: {image}"));
    Ok(steps)
}

fn transport_steps(transport: &Transport<'_>) -> Vec<String> {
    let mut steps = Vec::new();
    if let Some(chunks) = transport.chunks {
        steps.push(format!(
            "check each of {} chunks of {} bytes as it arrives; a bad one is fetched again",
            transport.size.div_ceil(chunks.size()),
            chunks.size()
        ));
    }
    if let Some(digest) = transport.digest {
        steps.push(format!("check the payload: SHA-256 {}", hex(digest)));
    }
    if transport.encryption.is_some() {
        steps.push("decrypt with the device's key".into());
    }
    match transport.encoding {
        Encoding::Plain => {}
        Encoding::Heatshrink { window, lookahead } => steps.push(format!(
            "decompress: heatshrink, window 2^{window}, lookahead 2^{lookahead} bytes"
        )),
        Encoding::Delta { base, base_size } => {
            steps.push(format!(
                "check that the slot that runs has {base_size} bytes, SHA-256 {}",
                hex(base)
            ));
            steps.push("apply the patch to it".into());
        }
        _ => steps.push("decode in a way that this tool does not know".into()),
    }
    steps
}

fn boot_steps(component: &ComponentPlan<'_>) -> Vec<String> {
    let name = diagnostic::show(component.id().encoded());
    let mut steps = vec![format!("hash component {name} where it boots from")];
    if component.load().is_some() {
        steps.push(format!("load component {name}, and check it there"));
    }
    if component.invoke() {
        steps.push(format!("start component {name}"));
    }
    steps
}

fn machine(plan: &Plan, accepted: &Accepted<'_>, digest: &[u8; 32]) -> Result<Value, Problem> {
    let judge = &plan.judge;
    let (vendor, class) = judge.ids();
    let mut components = Vec::new();
    for component in accepted.components() {
        let transport = component.transport().map_err(Problem::make("plan"))?;
        let (source, place) = match component.source() {
            Source::Uri(uri) => ("uri", Some(uri.to_owned())),
            Source::Integrated(_) => ("integrated", None),
            Source::Content(_) => ("content", None),
            Source::Copy { from } => ("copy", Some(diagnostic::show(from.encoded()))),
            Source::None => ("none", None),
            _ => ("other", None),
        };
        components.push(json!({
            "component": diagnostic::show(component.id().encoded()),
            "place": component.place(),
            "source": source,
            "from": place,
            "bytes": component.size(),
            "digest": hex(component.digest()),
            "transport": transport_of(&transport),
            "install": steps(component)?,
            "boot": boot_steps(component),
            "load": component.load().is_some(),
            "invoke": component.invoke(),
        }));
    }
    Ok(json!({
        "accepted": true,
        "file": plan.file,
        "manifest_digest": hex(digest),
        "threshold": judge.threshold,
        "trusted_keys": judge.keys(),
        "vendor": vendor.to_string(),
        "class": class.to_string(),
        "time": judge.clock().map(|time| time.0),
        "sequence": accepted.sequence_number().0,
        "installed": judge.installed,
        "components": components,
        "untouched": untouched(plan, accepted),
    }))
}

fn transport_of(transport: &Transport<'_>) -> Value {
    let encoding = match transport.encoding {
        Encoding::Plain => json!("plain"),
        Encoding::Heatshrink { window, lookahead } => {
            json!({ "heatshrink": { "window": window, "lookahead": lookahead } })
        }
        Encoding::Delta { base, base_size } => {
            json!({ "delta": { "base": hex(base), "base_bytes": base_size } })
        }
        _ => json!("other"),
    };
    json!({
        "bytes": transport.size,
        "digest": transport.digest.map(|digest| hex(digest)),
        "chunk_bytes": transport.chunks.map(|chunks| chunks.size()),
        "encoding": encoding,
        "encrypted": transport.encryption.is_some(),
    })
}
