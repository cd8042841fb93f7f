//! Stages of a report, their clocks, and what each asks for.

use iotsec_core::hal::Date;

use super::{Case, CaseKind};
use crate::Moment;

/// What is filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Within a day.
    EarlyWarning,
    /// Within three days.
    Notification,
    /// At the end.
    FinalReport,
}

/// How a stage stands at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// It is filed, in time.
    Filed,
    /// It is filed, and was late.
    FiledLate,
    /// Its time is over.
    Overdue,
    /// It is to come.
    Due,
    /// What starts its clock has not happened.
    NotStarted,
}

/// The clock of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Of which stage.
    pub stage: Stage,
    /// The last second for it, if its clock runs.
    pub due: Option<Moment>,
    /// How that comes about.
    pub rule: &'static str,
    /// When it was filed.
    pub filed: Option<Moment>,
}

/// Something that a stage asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What it is.
    pub asks: &'static str,
    /// Where the regulation says so.
    pub source: &'static str,
    /// The name in `case.toml`.
    pub name: &'static str,
    /// What is known; none is a gap.
    pub known: Option<String>,
    /// It is asked for where it is available, and a gap does not hinder.
    pub optional: bool,
}

impl Stage {
    /// For people.
    pub const fn said(self) -> &'static str {
        match self {
            Self::EarlyWarning => "Early warning",
            Self::Notification => "Notification",
            Self::FinalReport => "Final report",
        }
    }

    /// For programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EarlyWarning => "early-warning",
            Self::Notification => "notification",
            Self::FinalReport => "final-report",
        }
    }
}

impl Urgency {
    /// For programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filed => "filed",
            Self::FiledLate => "filed-late",
            Self::Overdue => "overdue",
            Self::Due => "due",
            Self::NotStarted => "not-started",
        }
    }
}

impl Clock {
    /// How it stands.
    pub fn urgency(&self, now: Moment) -> Urgency {
        match (self.filed, self.due) {
            (Some(filed), Some(due)) if filed > due => Urgency::FiledLate,
            (Some(_), _) => Urgency::Filed,
            (None, Some(due)) if now > due => Urgency::Overdue,
            (None, Some(_)) => Urgency::Due,
            (None, None) => Urgency::NotStarted,
        }
    }
}

impl Case {
    /// The three clocks (Article 14 (2) and (4)). Of several readings of a period it takes the shortest: hours are counted
    /// from the minute, and a month ends at the same hour.
    pub fn clocks(&self) -> [Clock; 3] {
        let notification = self.aware.plus_hours(72);
        let (due, rule) = match self.kind {
            CaseKind::ExploitedVulnerability => (
                self.measure_available.map(|available| available.plus_days(14)),
                "14 days after a corrective or mitigating measure is available",
            ),
            CaseKind::SevereIncident => (
                Some(a_month_after(self.filed.notification.unwrap_or(notification))),
                "one month after the notification; while that is not filed, after its last hour",
            ),
        };
        [
            Clock {
                stage: Stage::EarlyWarning,
                due: Some(self.aware.plus_hours(24)),
                rule: "24 hours after becoming aware",
                filed: self.filed.early_warning,
            },
            Clock {
                stage: Stage::Notification,
                due: Some(notification),
                rule: "72 hours after becoming aware",
                filed: self.filed.notification,
            },
            Clock {
                stage: Stage::FinalReport,
                due,
                rule,
                filed: self.filed.final_report,
            },
        ]
    }

    /// What a stage asks for, with what is known of it.
    pub fn asked(&self, stage: Stage) -> Vec<Gap> {
        let known = &self.known;
        let states = (!known.member_states.is_empty()).then(|| {
            let states: Vec<&str> = known
                .member_states
                .iter()
                .map(iotsec_product::text::Text::as_str)
                .collect();
            states.join(", ")
        });
        let unlawful = known
            .suspected_unlawful
            .map(|yes| if yes { "yes" } else { "no" }.to_owned());
        let text = |prose: &Option<iotsec_product::text::Prose>| prose.as_ref().map(ToString::to_string);
        let must = |asks, source, name, known| Gap {
            asks,
            source,
            name,
            known,
            optional: false,
        };
        let may = |asks, source, name, known| Gap {
            asks,
            source,
            name,
            known,
            optional: true,
        };
        use CaseKind::{ExploitedVulnerability, SevereIncident};
        match (self.kind, stage) {
            (ExploitedVulnerability, Stage::EarlyWarning) => vec![may(
                "Member states where the product was made available, as far as known",
                "14 (2) (a)",
                "known.member-states",
                states,
            )],
            (ExploitedVulnerability, Stage::Notification) => vec![
                must(
                    "General nature of the vulnerability",
                    "14 (2) (b)",
                    "known.vulnerability",
                    text(&known.vulnerability),
                ),
                must(
                    "General nature of the exploit",
                    "14 (2) (b)",
                    "known.exploit",
                    text(&known.exploit),
                ),
                must(
                    "Corrective or mitigating measures taken",
                    "14 (2) (b)",
                    "known.measures-taken",
                    text(&known.measures_taken),
                ),
                must(
                    "Measures that users can take",
                    "14 (2) (b)",
                    "known.measures-for-users",
                    text(&known.measures_for_users),
                ),
                may(
                    "How sensitive the information is",
                    "14 (2) (b)",
                    "known.sensitivity",
                    text(&known.sensitivity),
                ),
            ],
            (ExploitedVulnerability, Stage::FinalReport) => vec![
                must(
                    "Description of the vulnerability, with severity and impact",
                    "14 (2) (c) (i)",
                    "known.description",
                    text(&known.description),
                ),
                may(
                    "Who has exploited it or does so",
                    "14 (2) (c) (ii)",
                    "known.actor",
                    text(&known.actor),
                ),
                must(
                    "The security update or other corrective measure, in detail",
                    "14 (2) (c) (iii)",
                    "known.correction",
                    text(&known.correction),
                ),
            ],
            (SevereIncident, Stage::EarlyWarning) => vec![
                must(
                    "Whether unlawful or malicious acts are suspected",
                    "14 (4) (a)",
                    "known.suspected-unlawful",
                    unlawful,
                ),
                may(
                    "Member states where the product was made available, as far as known",
                    "14 (4) (a)",
                    "known.member-states",
                    states,
                ),
            ],
            (SevereIncident, Stage::Notification) => vec![
                must(
                    "Nature of the incident",
                    "14 (4) (b)",
                    "known.incident",
                    text(&known.incident),
                ),
                must(
                    "Initial assessment of the incident",
                    "14 (4) (b)",
                    "known.assessment",
                    text(&known.assessment),
                ),
                must(
                    "Corrective or mitigating measures taken",
                    "14 (4) (b)",
                    "known.measures-taken",
                    text(&known.measures_taken),
                ),
                must(
                    "Measures that users can take",
                    "14 (4) (b)",
                    "known.measures-for-users",
                    text(&known.measures_for_users),
                ),
                may(
                    "How sensitive the information is",
                    "14 (4) (b)",
                    "known.sensitivity",
                    text(&known.sensitivity),
                ),
            ],
            (SevereIncident, Stage::FinalReport) => vec![
                must(
                    "Description of the incident, with severity and impact",
                    "14 (4) (c) (i)",
                    "known.description",
                    text(&known.description),
                ),
                must(
                    "Type of threat or root cause that is likely to have triggered it",
                    "14 (4) (c) (ii)",
                    "known.cause",
                    text(&known.cause),
                ),
                must(
                    "Applied and ongoing mitigation measures",
                    "14 (4) (c) (iii)",
                    "known.mitigation",
                    text(&known.mitigation),
                ),
            ],
        }
    }
}

/// The same day of the next month, or its last one.
fn a_month_after(moment: Moment) -> Moment {
    let Some(day) = moment.date() else { return moment };
    let (year, month) = match day.month() {
        12 => (day.year().saturating_add(1), 1),
        month => (day.year(), month.saturating_add(1)),
    };
    let last = (28..=day.day())
        .rev()
        .find_map(|last| Date::new(year, month, last));
    let same = Date::new(year, month, day.day()).or(last);
    same.map_or(moment, |same| {
        let of_day = moment.0.0.saturating_sub(day.start().0);
        Moment(iotsec_core::hal::UnixTime(same.start().0.saturating_add(of_day)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_ends_on_the_same_day_or_on_the_last_one() {
        for (from, to) in [
            ("2026-12-04T08:30:00Z", "2027-01-04T08:30:00Z"),
            ("2027-01-31T23:59:59Z", "2027-02-28T23:59:59Z"),
            ("2028-01-30T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("2026-10-31T12:00:00Z", "2026-11-30T12:00:00Z"),
            ("2026-02-28T12:00:00Z", "2026-03-28T12:00:00Z"),
        ] {
            assert_eq!(a_month_after(from.parse().unwrap()).to_string(), to);
        }
    }
}
