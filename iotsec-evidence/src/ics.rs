//! The implementation conformance statement: for every provision yes, no or not applicable, with the detail that the
//! form asks for (EN 303 645 annex B).

use std::fmt::Write as _;

use iotsec_product::{Finding, Product, Severity, care::MakerClaim, text::markdown};

use crate::{
    applicability::{Applicability, Facts},
    catalogue::{Catalogue, Edition, Provision, Status},
    claims::is_of,
};

/// What the maker says of a provision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Support {
    /// Y: it is met.
    Yes,
    /// N: it is not, and the detail says why.
    No,
    /// N/A: it does not apply, and the detail says why.
    NotApplicable,
    /// Nothing is said yet.
    Open,
}

impl Support {
    /// As the form has it; an open one is empty there.
    pub const fn mark(self) -> &'static str {
        match self {
            Self::Yes => "Y",
            Self::No => "N",
            Self::NotApplicable => "N/A",
            Self::Open => "",
        }
    }
}

/// One line of the statement.
#[derive(Clone, Debug)]
pub struct Line {
    /// The provision.
    pub provision: &'static Provision,
    /// Its status in the edition.
    pub status: Status,
    /// What is said.
    pub support: Support,
    /// How it is met, why it is not, or why it does not apply.
    pub detail: String,
}

/// The statement of a product for an edition.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The edition.
    pub edition: Edition,
    /// Every provision of it, in order.
    pub lines: Vec<Line>,
}

impl Statement {
    /// Of a product, from its claims and justifications.
    pub fn of(product: &Product, edition: Edition) -> Self {
        let facts = Facts::of(product);
        let provisions = Catalogue::get().provisions().iter();
        let lines = provisions.filter_map(|provision| line(product, &facts, provision, edition));
        Self {
            edition,
            lines: lines.collect(),
        }
    }

    /// How many lines say this.
    pub fn count(&self, support: Support) -> usize {
        self.lines.iter().filter(|line| line.support == support).count()
    }

    /// What is wrong with it: mandatory provisions that are not met, lines on which nothing is said, recommendations
    /// that are not followed without a reason (5.0-1), reasons and claims for what is no provision.
    pub fn findings(&self, product: &Product) -> Vec<Finding> {
        let mut found = Vec::new();
        for line in &self.lines {
            let number = line.provision.number(self.edition).unwrap_or(&line.provision.id);
            match (line.support, line.status) {
                (Support::Open, status) => found.push(open(number, &line.provision.about, status)),
                (Support::No, Status::Mandatory) => found.push(not_met(number, &line.provision.about)),
                _ => {}
            }
        }
        found.extend(strangers(product));
        found.into_iter().map(|finding| product.place(finding)).collect()
    }

    /// As a page.
    pub fn to_markdown(&self, product: &Product) -> String {
        let mut text = format!(
            "# Implementation conformance statement\n\n{} ({}), {}\n\nClaimed {}, not met {}, not applicable {}, open {}. \
             This prepares an assessment; it is none.\n",
            markdown(product.product.name.as_str()),
            markdown(product.product.model.as_str()),
            self.edition.cited(),
            self.count(Support::Yes),
            self.count(Support::No),
            self.count(Support::NotApplicable),
            self.count(Support::Open)
        );
        for clause in Catalogue::get().clauses() {
            let mut lines = self
                .lines
                .iter()
                .filter(|line| line.provision.clause == clause.id)
                .peekable();
            if lines.peek().is_none() {
                continue;
            }
            let _ = write!(
                text,
                "\n## {} {}\n\n| provision | status | support | detail |\n|---|---|---|---|\n",
                clause.id, clause.title
            );
            for line in lines {
                let number = line.provision.number(self.edition).unwrap_or(&line.provision.id);
                let mark = if line.support == Support::Open {
                    "**open**"
                } else {
                    line.support.mark()
                };
                let _ = writeln!(
                    text,
                    "| {number} {} | {} | {mark} | {} |",
                    line.provision.about,
                    line.provision.notation(self.edition),
                    markdown(&line.detail)
                );
            }
        }
        text
    }

    /// For programs.
    pub fn to_json(&self) -> serde_json::Value {
        let lines = self.lines.iter().map(|line| {
            serde_json::json!({
                "provision": line.provision.number(self.edition),
                "about": line.provision.about,
                "status": line.provision.notation(self.edition),
                "support": if line.support == Support::Open { "open" } else { line.support.mark() },
                "detail": line.detail,
            })
        });
        serde_json::json!({ "standard": self.edition.cited(), "lines": lines.collect::<Vec<_>>() })
    }
}

fn line(product: &Product, facts: &Facts, provision: &'static Provision, edition: Edition) -> Option<Line> {
    let status = provision.status(edition)?;
    let (support, detail) = match facts.applies(provision, edition) {
        Applicability::Absent => return None,
        away @ Applicability::NotApplicable(_) => (Support::NotApplicable, away.why()),
        Applicability::Applies(_) => said(product, provision, edition),
    };
    Some(Line {
        provision,
        status,
        support,
        detail,
    })
}

/// What claims and justifications say. A claim comes first: who gives a reason for not meeting what he claims to meet
/// contradicts himself, and [`strangers`] says so.
fn said(product: &Product, provision: &Provision, edition: Edition) -> (Support, String) {
    let claims: Vec<String> = product
        .claim
        .iter()
        .filter(|claim| is_of(provision, claim.provision.as_str()))
        .map(claimed)
        .collect();
    if !claims.is_empty() {
        return (Support::Yes, claims.join(" "));
    }
    let reason = product
        .justification
        .iter()
        .find(|(number, _)| is_of(provision, number.as_str()));
    match reason {
        Some((_, reason)) => (Support::No, reason.to_string()),
        // The manifest itself is the record that this provision asks for.
        None if provision.id == "5.0-1" => (Support::Yes, every_reason(product, edition)),
        None => (Support::Open, String::new()),
    }
}

/// A provision of which nothing is said.
pub(crate) fn open(number: &str, about: &str, status: Status) -> Finding {
    match status {
        Status::Mandatory => Finding::error(
            "ics.open",
            "claim",
            format!("{number} applies and nothing is claimed: {about}"),
            format!("add a [[claim]] with provision = {number:?} and the test that shows it"),
        ),
        Status::Recommended => Finding::error(
            "ics.unjustified",
            "justification",
            format!("{number} is recommended, and nothing is said: {about}"),
            format!("add a [[claim]], or say why not: [justification] {number:?} = \"…\" (EN 303 645 5.0-1)"),
        ),
    }
}

/// A reason for not meeting what has no exceptions.
pub(crate) fn not_met(number: &str, about: &str) -> Finding {
    Finding::error(
        "ics.mandatory",
        format!("justification.{number}"),
        format!("{number} is mandatory and is not met: {about}"),
        "meet it: a reason does not excuse what is mandatory",
    )
}

pub(crate) fn every_reason(product: &Product, edition: Edition) -> String {
    let reasons = match product.justification.len() {
        1 => "1 reason".to_owned(),
        number => format!("{number} reasons"),
    };
    format!("{reasons} under [justification], for {}", edition.cited())
}

fn claimed(claim: &MakerClaim) -> String {
    let mut text = claim.claims.to_string();
    if let Some(test) = &claim.test {
        let _ = write!(text, " (shown by {test})");
    }
    if let Some(by) = &claim.by {
        let _ = write!(text, " (answered for by {by})");
    }
    text
}

/// Claims and reasons for what is no provision, and provisions that have both.
pub(crate) fn strangers(product: &Product) -> Vec<Finding> {
    let known = |number: &str| {
        Catalogue::get()
            .provisions()
            .iter()
            .any(|provision| is_of(provision, number))
    };
    let mut found = Vec::new();
    for (n, claim) in product.claim.iter().enumerate() {
        let number = claim.provision.as_str();
        if !known(number) {
            found.push(Finding::error(
                "claim.provision",
                format!("claim[{n}].provision"),
                format!("{number:?} is no provision of EN 303 645"),
                "take a number such as 5.6-3",
            ));
        }
        if claim.test.is_none() && claim.by.is_none() {
            found.push(Finding::error(
                "claim.bare",
                format!("claim[{n}]"),
                format!("{number} is claimed, and neither a test nor a person stands for it"),
                "name the test that shows it, or who answers for it",
            ));
        }
        if product
            .justification
            .keys()
            .any(|reason| reason.as_str() == number)
        {
            found.push(
                Finding::error(
                    "claim.contradiction",
                    format!("justification.{number}"),
                    format!("{number} is claimed, and there is a reason for not meeting it"),
                    "keep one of the two",
                )
                .as_bad_as(Severity::Warning),
            );
        }
    }
    for number in product
        .justification
        .keys()
        .filter(|number| !known(number.as_str()))
    {
        found.push(Finding::error(
            "justification.provision",
            format!("justification.{number}"),
            format!("{:?} is no provision of EN 303 645", number.as_str()),
            "take a number such as 5.6-3",
        ));
    }
    found
}
