//! From what was measured to what is shown of each provision.
//!
//! A claim counts when its tests passed and its code is in the firmware. A test that is gone, was skipped or failed
//! shows nothing, and neither does code that was not linked.

mod findings;

use std::fmt::Write as _;

use iotsec_product::{Finding, Product};

use crate::{
    applicability::{Applicability, Facts},
    catalogue::{Addressee, Catalogue, Edition, Provision, Status},
    claims::{self, Assertion, Origin, is_of},
    ics::{self, Statement, Support},
    outcome::Outcome,
    record::Record,
};

/// What a claim is worth for the firmware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its tests passed, and its code is there.
    Proven,
    /// No test; a person answers for it.
    Answered,
    /// Functions that the firmware does not have.
    NotLinked(Vec<String>),
    /// Tests that did not pass, and how they ended.
    Broken(Vec<(String, Outcome)>),
}

impl Standing {
    /// In a word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Answered => "answered for",
            Self::NotLinked(_) => "not linked",
            Self::Broken(_) => "broken",
        }
    }
}

/// A claim, judged.
#[derive(Clone, Debug)]
pub struct Judged<'a> {
    /// The claim.
    pub assertion: Assertion<'a>,
    /// What it is worth.
    pub standing: Standing,
}

impl Judged<'_> {
    /// What no code can do, such as to publish a policy, code of ours can prepare. That it was done, no test shows.
    /// Neither does a test of a tool show that the maker used it, or that the firmware has what the tool is for.
    pub(crate) fn only_prepares(&self, provision: &Provision) -> bool {
        let beyond_code = provision.addressee == Addressee::Manufacturer
            && !provision.modes.iter().any(|mode| mode == "code");
        self.assertion.origin == Origin::Sdk && (beyond_code || self.assertion.tool.is_some())
    }
}

/// What is shown of a provision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// A claim is proven, and none is broken.
    Evidenced,
    /// Nothing but the word of a person.
    Answered,
    /// It is not met, with a reason.
    NotMet,
    /// It does not apply.
    NotApplicable,
    /// A claim about it is broken.
    Broken,
    /// It applies, and nothing is shown.
    Open,
}

impl Verdict {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Evidenced,
        Self::Answered,
        Self::NotMet,
        Self::NotApplicable,
        Self::Broken,
        Self::Open,
    ];

    /// As reports have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evidenced => "evidenced",
            Self::Answered => "claimed",
            Self::NotMet => "not met",
            Self::NotApplicable => "not applicable",
            Self::Broken => "broken",
            Self::Open => "open",
        }
    }

    /// What the statement says.
    pub const fn support(self) -> Support {
        match self {
            Self::Evidenced | Self::Answered => Support::Yes,
            Self::NotMet => Support::No,
            Self::NotApplicable => Support::NotApplicable,
            Self::Broken | Self::Open => Support::Open,
        }
    }
}

/// A provision, judged.
#[derive(Clone, Debug)]
pub struct Line {
    /// The provision.
    pub provision: &'static Provision,
    /// Its status in the edition.
    pub status: Status,
    /// What is shown.
    pub verdict: Verdict,
    /// Why it is not met, or does not apply.
    pub reason: String,
    /// Claims about it: numbers in [`Judgement::claims`].
    pub claims: Vec<usize>,
}

/// Everything that a record shows of a product, for an edition.
#[derive(Clone, Debug)]
pub struct Judgement<'a> {
    /// The edition.
    pub edition: Edition,
    /// All claims.
    pub claims: Vec<Judged<'a>>,
    /// Every provision of the edition, in order.
    pub lines: Vec<Line>,
}

impl<'a> Judgement<'a> {
    /// From a product and what was measured of it.
    pub fn of(product: &'a Product, record: &Record, edition: Edition) -> Self {
        let judged = claims::of(product).into_iter().map(|assertion| Judged {
            standing: standing(&assertion, record),
            assertion,
        });
        let mut judgement = Self {
            edition,
            claims: judged.collect(),
            lines: Vec::new(),
        };
        let facts = Facts::of(product);
        for provision in Catalogue::get().provisions() {
            let (Some(status), Some(_)) = (provision.status(edition), provision.number(edition)) else {
                continue;
            };
            let line = judgement.line(product, &facts, provision, status);
            judgement.lines.push(line);
        }
        judgement
    }

    /// How many provisions have this verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.lines.iter().filter(|line| line.verdict == verdict).count()
    }

    /// The claims about a provision.
    pub fn about<'s>(&'s self, line: &'s Line) -> impl Iterator<Item = &'s Judged<'a>> {
        line.claims.iter().filter_map(|n| self.claims.get(*n))
    }

    /// Guidelines of the Code of Practice of which the firmware shows something: a proven claim, whose code is in it,
    /// about a provision that grew out of them and applies.
    pub fn guidelines(&self) -> Vec<u8> {
        let linked =
            |judged: &Judged<'_>| judged.standing == Standing::Proven && !judged.assertion.code.is_empty();
        let shown = |guideline: &u8| {
            self.lines.iter().any(|line| {
                line.provision.guidelines.contains(guideline)
                    && !matches!(line.verdict, Verdict::NotMet | Verdict::NotApplicable)
                    && self.about(line).any(linked)
            })
        };
        (1..=13).filter(shown).collect()
    }

    /// What is wrong: provisions of which nothing is shown, claims that are broken, reasons that are missing.
    pub fn findings(&self, product: &Product) -> Vec<Finding> {
        findings::of(self, product)
    }

    /// The implementation conformance statement.
    pub fn statement(&self) -> Statement {
        let lines = self.lines.iter().map(|line| ics::Line {
            provision: line.provision,
            status: line.status,
            support: line.verdict.support(),
            detail: self.detail(line),
        });
        Statement {
            edition: self.edition,
            lines: lines.collect(),
        }
    }

    /// What is said of a provision: its reason, or its claims with what they are worth.
    pub fn detail(&self, line: &Line) -> String {
        if !line.reason.is_empty() {
            return line.reason.clone();
        }
        let mut text = String::new();
        for judged in self.about(line) {
            let separator = if text.is_empty() { "" } else { " " };
            let _ = match (&judged.standing, judged.assertion.by) {
                (Standing::Proven, _) => {
                    let tests = judged.assertion.tests.len();
                    let tests = if tests == 1 {
                        "1 test".into()
                    } else {
                        format!("{tests} tests")
                    };
                    write!(text, "{separator}{} ({tests}).", judged.assertion.says)
                }
                (Standing::Answered, by) => {
                    let by = by.unwrap_or("nobody");
                    write!(
                        text,
                        "{separator}{} (answered for by {by}).",
                        judged.assertion.says
                    )
                }
                // What the firmware does not have is no part of the product.
                (Standing::NotLinked(_), _) => Ok(()),
                (Standing::Broken(tests), _) => {
                    let ends: Vec<String> = tests
                        .iter()
                        .map(|(test, outcome)| format!("{test} {}", outcome.said()))
                        .collect();
                    write!(
                        text,
                        "{separator}NOT SHOWN: {} ({}).",
                        judged.assertion.says,
                        ends.join("; ")
                    )
                }
            };
        }
        text
    }

    fn line(&self, product: &Product, facts: &Facts, provision: &'static Provision, status: Status) -> Line {
        let about = self.claims.iter().enumerate();
        let claims: Vec<usize> = about
            .filter(|(_, judged)| judged.assertion.is_about(provision))
            .map(|(n, _)| n)
            .collect();
        let (verdict, reason) = match facts.applies(provision, self.edition) {
            Applicability::Applies(_) => self.verdict(product, provision, &claims),
            away => (Verdict::NotApplicable, away.why()),
        };
        Line {
            provision,
            status,
            verdict,
            reason,
            claims,
        }
    }

    /// Who gives a reason why he does not meet a provision is believed before any claim.
    fn verdict(&self, product: &Product, provision: &Provision, claims: &[usize]) -> (Verdict, String) {
        let reason = product
            .justification
            .iter()
            .find(|(number, _)| is_of(provision, number.as_str()));
        if let Some((_, reason)) = reason {
            return (Verdict::NotMet, reason.to_string());
        }
        let about: Vec<&Judged<'_>> = claims.iter().filter_map(|n| self.claims.get(*n)).collect();
        let any = |is: fn(&Standing) -> bool| about.iter().any(|judged| is(&judged.standing));
        let shown = about
            .iter()
            .any(|judged| judged.standing == Standing::Proven && !judged.only_prepares(provision));
        let verdict = if any(|standing| matches!(standing, Standing::Broken(_))) {
            Verdict::Broken
        } else if shown {
            Verdict::Evidenced
        } else if any(|standing| *standing == Standing::Answered) {
            Verdict::Answered
        } else if provision.id == "5.0-1" {
            // The manifest itself is the record that this provision asks for.
            return (Verdict::Answered, ics::every_reason(product, self.edition));
        } else {
            Verdict::Open
        };
        (verdict, String::new())
    }
}

fn standing(assertion: &Assertion<'_>, record: &Record) -> Standing {
    let absent: Vec<String> = assertion
        .code
        .iter()
        .filter(|function| record.functions.get(**function) != Some(&true))
        .map(|function| (*function).to_owned())
        .collect();
    if !absent.is_empty() {
        return Standing::NotLinked(absent);
    }
    let broken: Vec<(String, Outcome)> = assertion
        .tests
        .iter()
        .map(|test| (*test, record.outcome(test)))
        .filter(|(_, outcome)| **outcome != Outcome::Passed)
        .map(|(test, outcome)| (test.to_owned(), outcome.clone()))
        .collect();
    if !broken.is_empty() {
        return Standing::Broken(broken);
    }
    if assertion.tests.is_empty() {
        Standing::Answered
    } else {
        Standing::Proven
    }
}

/// Whether a claim of the SDK has no part in a product, because nothing of what it is about applies. Its tests need not
/// be run.
pub fn is_idle(assertion: &Assertion<'_>, facts: &Facts) -> bool {
    assertion.origin == Origin::Sdk
        && !Catalogue::get()
            .provisions()
            .iter()
            .filter(|provision| assertion.is_about(provision))
            .any(|provision| {
                Edition::ALL
                    .iter()
                    .any(|edition| facts.applies(provision, *edition).holds())
            })
}
