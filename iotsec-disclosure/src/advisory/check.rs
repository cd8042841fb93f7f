//! What CSAF 2.0 and VEX ask of an advisory and types do not express.

use std::collections::BTreeSet;

use iotsec_product::Finding;

use super::{Advisory, Standing, State, Vulnerability};
use crate::cvss;

/// Collects findings.
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, rule: &'static str, at: String, message: impl Into<String>, remedy: &str) {
        self.0.push(Finding::error(rule, at, message, remedy));
    }
}

pub(super) fn check(advisory: &Advisory) -> Vec<Finding> {
    let mut found = Findings(Vec::new());
    let id = advisory.id.as_str();
    if id.trim() != id || !id.chars().any(|c| c.is_ascii_alphanumeric()) {
        found.add(
            "advisory.id",
            "id".into(),
            "has no letter and no digit, or white space around it",
            "take a number that others can cite, such as ELL-2026-001",
        );
    }
    let language = advisory
        .language
        .as_ref()
        .map_or("en", |language| language.as_str());
    let is_subtag =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let mut parts = language.split('-');
    if !parts
        .next()
        .is_some_and(|first| (2..=3).contains(&first.len()) && is_subtag(first))
        || !parts.all(is_subtag)
    {
        found.add(
            "advisory.language",
            "language".into(),
            "is no tag of a language",
            "write it as RFC 5646 has it: en, de, pt-BR",
        );
    }
    for (empty, name) in [
        (advisory.revision.is_empty(), "revision"),
        (advisory.release.is_empty(), "release"),
        (advisory.vulnerability.is_empty(), "vulnerability"),
    ] {
        if empty {
            found.add(
                "advisory.empty",
                name.into(),
                format!("there is no [[{name}]]"),
                "add one; docs/guides/disclosure.md shows a complete advisory",
            );
        }
    }
    for (n, pair) in advisory.revision.windows(2).enumerate() {
        if pair[0].date >= pair[1].date {
            found.add(
                "advisory.revision",
                format!("revision[{}].date", n + 1),
                "is not later than the one before",
                "list revisions oldest first, each with its own time",
            );
        }
    }
    let mut versions = BTreeSet::new();
    for (n, release) in advisory.release.iter().enumerate() {
        if !versions.insert(release.version.as_str()) {
            found.add(
                "advisory.release",
                format!("release[{n}].version"),
                format!("{} stands twice", release.version),
                "keep one of the two",
            );
        }
    }
    let mut numbers = BTreeSet::new();
    for (n, vulnerability) in advisory.vulnerability.iter().enumerate() {
        let at = format!("vulnerability[{n}]");
        if !numbers.insert(vulnerability.number()) {
            found.add(
                "advisory.number",
                at.clone(),
                format!("{:?} stands twice", vulnerability.number()),
                "put all releases of a weakness under one [[vulnerability]]",
            );
        }
        weakness(vulnerability, &at, &mut found);
        standings(vulnerability, &at, &versions, &mut found);
    }
    found.0
}

fn weakness(vulnerability: &Vulnerability, at: &str, found: &mut Findings) {
    match (&vulnerability.cve, &vulnerability.number) {
        (Some(cve), _) if !is_cve(cve.as_str()) => found.add(
            "advisory.cve",
            format!("{at}.cve"),
            "is no number of the CVE list",
            "write it as CVE-2026-12345; without one, give your own under `number`",
        ),
        (None, None) => found.add(
            "advisory.number",
            at.into(),
            "has neither a CVE nor a number",
            "ask a CVE numbering authority, or give your own under `number`",
        ),
        _ => {}
    }
    if let Some(cwe) = &vulnerability.cwe {
        let digits = cwe.id.as_str().strip_prefix("CWE-").unwrap_or_default();
        if digits.is_empty() || digits.len() > 5 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            found.add(
                "advisory.cwe",
                format!("{at}.cwe.id"),
                "is no number of the CWE list",
                "write it as CWE-307, with its name there",
            );
        }
    }
    let vector = vulnerability
        .cvss
        .as_ref()
        .map(|vector| vector.as_str().parse::<cvss::Vector>());
    if let Some(Err(cause)) = vector {
        found.add(
            "advisory.cvss",
            format!("{at}.cvss"),
            cause.to_string(),
            "write the eight base metrics, as CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        );
    }
    for (n, thanks) in vulnerability.thanks.iter().enumerate() {
        if thanks.names.is_empty() && thanks.organization.is_none() {
            found.add(
                "advisory.thanks",
                format!("{at}.thanks[{n}]"),
                "thanks nobody",
                "name people or an organization, or leave it out",
            );
        }
    }
}

fn standings(vulnerability: &Vulnerability, at: &str, versions: &BTreeSet<&str>, found: &mut Findings) {
    if vulnerability.standing.is_empty() {
        found.add(
            "advisory.empty",
            at.into(),
            "there is no [[vulnerability.standing]]",
            "say which releases are affected, not affected, fixed or under investigation",
        );
    }
    let mut seen = BTreeSet::new();
    for (n, standing) in vulnerability.standing.iter().enumerate() {
        let at = format!("{at}.standing[{n}]");
        if standing.releases.is_empty() {
            found.add(
                "advisory.empty",
                format!("{at}.releases"),
                "names no release",
                "name the versions of some [[release]]",
            );
        }
        for version in &standing.releases {
            if !versions.contains(version.as_str()) {
                found.add(
                    "advisory.release",
                    format!("{at}.releases"),
                    format!("{version} is no [[release]]"),
                    "add it with its digest, or take the version of one that is there",
                );
            }
            if !seen.insert(version.as_str()) {
                found.add(
                    "advisory.twice",
                    format!("{at}.releases"),
                    format!("{version} stands under two states"),
                    "say of each release how it stands, once",
                );
            }
        }
        statement(standing, &at, found);
    }
}

/// What VEX asks beside a state.
fn statement(standing: &Standing, at: &str, found: &mut Findings) {
    let why = standing.justification.is_some() || standing.impact.is_some();
    let what = standing.action.is_some() || standing.remedy.is_some() || standing.page.is_some();
    match standing.is {
        State::NotAffected if !why => found.add(
            "advisory.justification",
            at.into(),
            "says that a release is not affected, and not why",
            "give a justification, or an impact in words",
        ),
        State::Affected if standing.action.is_none() => found.add(
            "advisory.action",
            at.into(),
            "says that a release is affected, and not what to do",
            "give an action, if only to wait; `remedy` says of which kind it is",
        ),
        _ => {}
    }
    if standing.is != State::NotAffected && why {
        found.add(
            "advisory.justification",
            format!("{at}.justification"),
            "belongs to releases that are not affected",
            "take it out, or say is = \"not-affected\"",
        );
    }
    if standing.is != State::Affected && what {
        found.add(
            "advisory.action",
            format!("{at}.action"),
            "belongs to releases that are affected",
            "take action, remedy and page out, or say is = \"affected\"",
        );
    }
}

fn is_cve(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let digits = |part: Option<&str>, least: usize| {
        part.is_some_and(|part| part.len() >= least && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    parts.next() == Some("CVE") && digits(parts.next(), 4) && digits(parts.next(), 4)
}
