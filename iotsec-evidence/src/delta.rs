//! What changed: between two records of a product, or between the two editions for one record.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use crate::{
    catalogue::{Catalogue, Edition},
    judgement::{Judgement, Verdict},
    record::Record,
};

/// A provision of which something else is shown than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its number; two where the editions number it differently.
    pub provision: String,
    /// What was shown; none where it was not there.
    pub before: Option<Verdict>,
    /// What is shown now.
    pub after: Option<Verdict>,
    /// What is said of it now, or of why it is gone.
    pub detail: String,
}

impl Change {
    /// Less is shown than before.
    pub fn is_worse(&self) -> bool {
        let shown = |verdict: Option<Verdict>| match verdict {
            Some(Verdict::Evidenced) => 3,
            Some(Verdict::Answered | Verdict::NotApplicable) | None => 2,
            Some(Verdict::NotMet) => 1,
            Some(Verdict::Broken | Verdict::Open) => 0,
        };
        shown(self.after) < shown(self.before)
    }
}

/// From one build to the next.
#[derive(Clone, Debug)]
pub struct Builds {
    /// Provisions whose verdict changed.
    pub provisions: Vec<Change>,
    /// Functions that claims name: which came (true) and which went.
    pub functions: BTreeMap<String, bool>,
    /// Tests that ended otherwise than before: how, and how now.
    pub tests: BTreeMap<String, (String, String)>,
    /// The manifest changed; the firmware changed.
    pub files: (bool, bool),
}

/// What changed between two builds, both judged by one edition.
pub fn builds(before: (&Record, &Judgement<'_>), after: (&Record, &Judgement<'_>)) -> Builds {
    let provisions = after.1.lines.iter().filter_map(|line| {
        let old = before
            .1
            .lines
            .iter()
            .find(|old| old.provision.id == line.provision.id)
            .map(|old| old.verdict);
        (old != Some(line.verdict)).then(|| Change {
            provision: line
                .provision
                .number(after.1.edition)
                .unwrap_or_default()
                .to_owned(),
            before: old,
            after: Some(line.verdict),
            detail: after.1.detail(line),
        })
    });
    let provisions = provisions.collect();
    let has = |record: &Record, name: &str| record.functions.get(name) == Some(&true);
    let names = before.0.functions.keys().chain(after.0.functions.keys());
    let functions = names
        .filter(|name| has(before.0, name) != has(after.0, name))
        .map(|name| (name.clone(), has(after.0, name)))
        .collect();
    let names = before.0.tests.keys().chain(after.0.tests.keys());
    let tests = names
        .filter(|name| before.0.tests.get(*name) != after.0.tests.get(*name))
        .map(|name| {
            let end = |record: &Record| {
                record
                    .tests
                    .get(name)
                    .map_or("was not run".into(), crate::outcome::Outcome::said)
            };
            (name.clone(), (end(before.0), end(after.0)))
        })
        .collect();
    let digest = |record: &Record| record.firmware().map(|firmware| firmware.sha256);
    Builds {
        provisions,
        functions,
        tests,
        files: (
            before.0.manifest_sha256() != after.0.manifest_sha256(),
            digest(before.0) != digest(after.0),
        ),
    }
}

/// What V3.1.3 asks that V2.1.1 does not, and the other way round, for one record: provisions that are new, that are
/// numbered otherwise, or of which another status or verdict holds.
pub fn editions(old: &Judgement<'_>, new: &Judgement<'_>) -> Vec<Change> {
    let of = |judgement: &Judgement<'_>, id: &str| {
        judgement
            .lines
            .iter()
            .find(|line| line.provision.id == id)
            .map(|line| line.verdict)
    };
    let changes = Catalogue::get().provisions().iter().filter_map(|provision| {
        let number = |edition| provision.number(edition);
        let (v2, v3) = (number(Edition::V2_1_1), number(Edition::V3_1_3));
        let (before, after) = (of(old, &provision.id), of(new, &provision.id));
        let notation = |edition| provision.notation(edition);
        let (was, is) = (notation(Edition::V2_1_1), notation(Edition::V3_1_3));
        if v2 == v3
            && before == after
            && provision.status(Edition::V2_1_1) == provision.status(Edition::V3_1_3)
        {
            return None;
        }
        let name = match (v2, v3) {
            (Some(v2), Some(v3)) if v2 != v3 => format!("{v2}, now {v3}"),
            (_, number) => number.or(v2).unwrap_or_default().to_owned(),
        };
        Some(Change {
            provision: name,
            before,
            after,
            detail: format!("{was}, then {is}: {}", provision.about),
        })
    });
    changes.collect()
}

fn name(verdict: Option<Verdict>) -> &'static str {
    verdict.map_or("not there", Verdict::name)
}

/// For people.
pub fn lines(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let _ = writeln!(
            text,
            "{:<16} {} -> {}: {}",
            change.provision,
            name(change.before),
            name(change.after),
            change.detail
        );
    }
    text
}

/// For programs.
pub fn objects(changes: &[Change]) -> Value {
    let all = changes.iter().map(|change| {
        json!({
            "provision": change.provision,
            "before": change.before.map(Verdict::name),
            "after": change.after.map(Verdict::name),
            "worse": change.is_worse(),
            "detail": change.detail,
        })
    });
    all.collect()
}
