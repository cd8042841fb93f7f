use std::fmt::Write as _;

use iotsec::net::surface::{
    Interface,
    audit::{Bound, Finding, Owner, Report, Snapshot, audit},
};
use serde_json::{Value, json};

use super::{Check, read};
use crate::{Output, Problem};

pub(super) fn run(check: &Check) -> Result<Output, Problem> {
    let (_, table) = read(&check.manifest)?;
    let mut gate = table.gate(check.phase.into());
    if check.least {
        gate = gate.least();
    }
    let snapshots = if check.pid.is_empty() {
        vec![Snapshot::of_system(&check.proc)]
    } else {
        let of = |pid: &u32| Snapshot::of_process(&check.proc, *pid);
        check.pid.iter().map(of).collect()
    };
    let unseen = |cause| {
        Problem::coded(format!("sockets cannot be seen: {cause}"), &cause)
            .with_remedy("run it on the device, as root or as the user of the process")
    };
    let snapshots: Vec<Snapshot> = snapshots.into_iter().collect::<Result<_, _>>().map_err(unseen)?;
    let mut listeners = Vec::new();
    for snapshot in &snapshots {
        listeners.extend(snapshot.listeners().map_err(|cause| unseen(cause.into()))?);
    }
    listeners.retain(|listener| !check.network || !matches!(listener.bound, Bound::Unix(_)));
    let report = audit(&gate, &listeners);
    let owner = |finding: &Finding<'_>| -> Option<Owner> {
        let listener = *finding.listener()?;
        snapshots
            .iter()
            .find_map(|snapshot| snapshot.owner(&listener))
            .cloned()
    };
    let mut human = String::new();
    let mut findings = Vec::new();
    for finding in shown(&report, check) {
        let owner = owner(finding);
        let process = owner.as_ref().map_or(String::new(), |owner| {
            format!(" (process {} {})", owner.pid, owner.name)
        });
        let _ = writeln!(
            human,
            "{}: {finding}{process}\n  remedy: {}",
            finding.name(),
            finding.remedy()
        );
        findings.push(object(finding, owner.as_ref()));
    }
    let _ = writeln!(
        human,
        "{} sockets, {} interfaces declared: {} finding(s)",
        listeners.len(),
        table.interfaces().len(),
        findings.len()
    );
    let counts = report.counts();
    let clean = findings.is_empty();
    let json = json!({
        "clean": clean,
        "sockets": listeners.len(),
        "interfaces": table.interfaces().len(),
        "counts": {
            "undeclared": counts.undeclared,
            "wider": counts.wider,
            "closed": counts.closed,
            "absent": counts.absent,
        },
        "findings": findings,
    });
    let output = Output::new(human, json);
    Ok(if clean { output } else { output.with_findings() })
}

fn shown<'r, 'a>(report: &'r Report<'a>, check: &Check) -> impl Iterator<Item = &'r Finding<'a>> {
    let absent_ok = check.absent_ok;
    let findings = report.findings().iter();
    findings.filter(move |finding| !absent_ok || !matches!(finding, Finding::Absent(_)))
}

fn object(finding: &Finding<'_>, owner: Option<&Owner>) -> Value {
    json!({
        "finding": finding.name(),
        "interface": finding.interface().map(Interface::id),
        "socket": finding.listener().map(|listener| listener.bound.to_string()),
        "pid": owner.map(|owner| owner.pid),
        "process": owner.map(|owner| &owner.name),
        "message": finding.to_string(),
        "remedy": finding.remedy(),
    })
}
