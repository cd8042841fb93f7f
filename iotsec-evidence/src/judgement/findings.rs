//! What is wrong with what was shown, with a name for each rule.

use iotsec_product::{Finding, Product};

use super::{Judged, Judgement, Line, Standing, Verdict};
use crate::{catalogue::Status, claims::Origin, ics, outcome::Outcome};

pub(super) fn of(judgement: &Judgement<'_>, product: &Product) -> Vec<Finding> {
    let mut found = Vec::new();
    for line in &judgement.lines {
        match (line.verdict, line.status) {
            (Verdict::Open, status) => found.push(open(judgement, line, status)),
            (Verdict::NotMet, Status::Mandatory) => {
                found.push(ics::not_met(number(judgement, line), &line.provision.about));
            }
            _ => {}
        }
    }
    for judged in &judgement.claims {
        match &judged.standing {
            Standing::Broken(tests) if concerns(judgement, judged) => {
                found.extend(tests.iter().map(|(test, outcome)| broken(judged, test, outcome)));
            }
            // A claim of the SDK may be about what this product does not do; the maker speaks of this product.
            Standing::NotLinked(functions) => {
                if let Origin::Maker(n) = judged.assertion.origin {
                    found.push(Finding::error(
                        "evidence.not-linked",
                        format!("claim[{n}].code"),
                        format!(
                            "{} is not in the firmware, so nothing shows that «{}»",
                            functions.join(", "),
                            judged.assertion.says
                        ),
                        "name a function of the firmware by its path, without generics; or take the claim out",
                    ));
                }
            }
            _ => {}
        }
    }
    found.extend(ics::strangers(product));
    found.into_iter().map(|finding| product.place(finding)).collect()
}

/// A broken claim about nothing that applies does no harm.
fn concerns(judgement: &Judgement<'_>, judged: &Judged<'_>) -> bool {
    judgement
        .lines
        .iter()
        .any(|line| line.verdict == Verdict::Broken && judged.assertion.is_about(line.provision))
}

fn number<'l>(judgement: &Judgement<'_>, line: &'l Line) -> &'l str {
    line.provision
        .number(judgement.edition)
        .unwrap_or(&line.provision.id)
}

fn open(judgement: &Judgement<'_>, line: &Line, status: Status) -> Finding {
    let number = number(judgement, line);
    let about = &line.provision.about;
    let mut absent = judgement.about(line).filter_map(|judged| match &judged.standing {
        Standing::NotLinked(functions) => Some((judged, functions)),
        _ => None,
    });
    if let Some((judged, functions)) = absent.next() {
        let feature = judged
            .assertion
            .feature
            .map_or_else(String::new, |feature| format!(" (feature `{feature}` of iotsec)"));
        return Finding::error(
            "evidence.not-linked",
            "",
            format!(
                "{number} applies and nothing shows it: {} is not in the firmware{feature}. {about}",
                functions.join(", ")
            ),
            match status {
                Status::Mandatory => "call it from the firmware, or add a [[claim]] of your own".to_owned(),
                Status::Recommended => {
                    format!("call it from the firmware, or say why not: [justification] {number:?} = \"…\"")
                }
            },
        );
    }
    let prepared = judgement
        .about(line)
        .find(|judged| judged.standing == Standing::Proven);
    if let Some(judged) = prepared {
        return Finding::error(
            "evidence.unanswered",
            "claim",
            format!(
                "{number} is prepared, and nobody says that it was done: {}. {about}",
                judged.assertion.says
            ),
            format!("add a [[claim]] with provision = {number:?} and, under by, who answers for it"),
        );
    }
    ics::open(number, about, status)
}

fn broken(judged: &Judged<'_>, test: &str, outcome: &Outcome) -> Finding {
    let (rule, remedy) = match outcome {
        Outcome::Passed | Outcome::Failed => ("evidence.test-failed", "mend what it tests"),
        Outcome::Skipped(_) => (
            "evidence.test-skipped",
            "run it where it can run: a test that is skipped shows nothing",
        ),
        Outcome::Missing => (
            "evidence.test-missing",
            "bring it back, or name the test that shows it now: a claim without its test is none",
        ),
        Outcome::Unfinished(_) => (
            "evidence.test-unfinished",
            "give it more time with --timeout, or mend it",
        ),
    };
    let at = match judged.assertion.origin {
        Origin::Maker(n) => format!("claim[{n}].test"),
        Origin::Sdk => String::new(),
    };
    Finding::error(
        rule,
        at,
        format!(
            "{test} {}, so nothing shows that «{}» ({})",
            outcome.said(),
            judged.assertion.says,
            judged.assertion.provisions.join(", ")
        ),
        remedy,
    )
}
