//! The case file of a report under Article 14 of the Cyber Resilience Act (Regulation (EU) 2024/2847): when what is due, what
//! each stage asks for, and what of it is still unknown.
//!
//! A person reads it, decides and files the report on the single reporting platform; nothing here does.

mod page;
mod stage;

use iotsec_product::{
    Finding,
    document::{Document, Kind},
    text::{Prose, Text},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Moment;
pub use page::{json, markdown};
pub use stage::{Clock, Gap, Stage, Urgency};

/// Its file, as findings name it.
const CASE: Kind = Kind {
    size: "case.size",
    text: "case.text",
    form: "case.form",
    max_len: 256 * 1024,
    smaller: "keep evidence elsewhere, and say here where",
    example: "docs/guides/disclosure.md shows a complete case",
    about: "the file is TOML: texts in quotes, times as 2026-12-01T08:30:00Z",
};

/// What a person writes about an incident: `case.toml`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Case {
    /// The maker's own number of it.
    pub id: Text,
    /// In one line.
    pub title: Prose,
    /// Which kind.
    pub kind: CaseKind,
    /// When the maker became aware: all clocks start here.
    pub aware: Moment,
    /// How.
    pub aware_how: Option<Prose>,
    /// Who decides and files.
    pub responsible: Option<Text>,
    /// The CSIRT that coordinates: of the member state where the maker has its main establishment.
    pub csirt: Option<Text>,
    /// What is known.
    #[serde(default)]
    pub known: Known,
    /// When a corrective or mitigating measure was available.
    pub measure_available: Option<Moment>,
    /// When what was filed.
    #[serde(default)]
    pub filed: Filed,
    /// When users were told.
    pub users_told: Option<Moment>,
}

/// What Article 14 tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CaseKind {
    /// An actively exploited vulnerability in the product (paragraphs 1 and 2).
    ExploitedVulnerability,
    /// A severe incident that has an impact on the security of the product (paragraphs 3 and 4).
    SevereIncident,
}

/// `[known]`: each is a gap until somebody knows it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Known {
    /// Member states where the product was made available, as far as the maker knows.
    pub member_states: Vec<Text>,
    /// Unlawful or malicious acts are suspected to be the cause.
    pub suspected_unlawful: Option<bool>,
    /// What the weakness is, in general.
    pub vulnerability: Option<Prose>,
    /// How it is exploited, in general.
    pub exploit: Option<Prose>,
    /// What happened.
    pub incident: Option<Prose>,
    /// How bad it seems at first.
    pub assessment: Option<Prose>,
    /// What the maker has done.
    pub measures_taken: Option<Prose>,
    /// What users can do.
    pub measures_for_users: Option<Prose>,
    /// How sensitive the information is.
    pub sensitivity: Option<Prose>,
    /// All of it, with severity and impact.
    pub description: Option<Prose>,
    /// Who did it, where that is known.
    pub actor: Option<Prose>,
    /// The update or other measure, in detail.
    pub correction: Option<Prose>,
    /// The kind of threat or the root cause that is likely to have triggered it.
    pub cause: Option<Prose>,
    /// What is done and being done against it.
    pub mitigation: Option<Prose>,
}

/// `[filed]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Filed {
    /// The early warning.
    pub early_warning: Option<Moment>,
    /// The notification.
    pub notification: Option<Moment>,
    /// The final report.
    pub final_report: Option<Moment>,
}

impl Case {
    /// Reads and checks the bytes of a file.
    ///
    /// ```
    /// use iotsec_disclosure::case::{Case, Stage};
    ///
    /// let case = Case::parse(include_bytes!("../samples/lock-case.toml")).unwrap();
    /// let clocks = case.clocks();
    /// assert_eq!(clocks[0].stage, Stage::EarlyWarning);
    /// assert_eq!(clocks[0].due.unwrap().to_string(), "2026-12-02T08:30:00Z");
    /// ```
    ///
    /// # Errors
    /// What is wrong, with line, column and remedy.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        let document = Document::<Self>::parse(CASE, bytes)?;
        let case = document.value();
        let mut found = Vec::new();
        for (name, time) in [
            ("filed.early-warning", case.filed.early_warning),
            ("filed.notification", case.filed.notification),
            ("filed.final-report", case.filed.final_report),
            ("users-told", case.users_told),
        ] {
            if time.is_some_and(|time| time < case.aware) {
                found.push(Finding::error(
                    "case.order",
                    name,
                    "is before the maker became aware",
                    "correct one of the two times: the clocks start with `aware`",
                ));
            }
        }
        let order = [
            case.filed.early_warning,
            case.filed.notification,
            case.filed.final_report,
        ];
        for (pair, name) in order.windows(2).zip(["filed.notification", "filed.final-report"]) {
            if matches!(pair, [Some(before), Some(after)] if after < before)
                || matches!(pair, [None, Some(_)])
            {
                found.push(Finding::error(
                    "case.order",
                    name,
                    "comes before the stage that it follows",
                    "say under [filed] when each stage was filed; one report may serve for two, at the same time",
                ));
            }
        }
        if case.kind == CaseKind::SevereIncident && case.measure_available.is_some() {
            found.push(Finding::error(
                "case.measure",
                "measure-available",
                "starts no clock of a severe incident, whose last report is due a month after the notification",
                "say under known.mitigation what is done, and take this out",
            ));
        }
        if found.is_empty() {
            Ok(case.clone())
        } else {
            Err(found.into_iter().map(|finding| document.place(finding)).collect())
        }
    }
}
