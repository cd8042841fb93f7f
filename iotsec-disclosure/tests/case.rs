//! The clocks of a case, and what is late.

use iotsec_disclosure::{
    Moment,
    case::{self, Case, Stage, Urgency},
};
use iotsec_product::Product;

const LOCK: &str = include_str!("../../examples/products/lock/iotsec.toml");
const CASE: &str = include_str!("../samples/lock-case.toml");

fn moment(text: &str) -> Moment {
    text.parse().unwrap()
}

fn states(case: &Case, now: &str) -> [Urgency; 3] {
    case.clocks().map(|clock| clock.urgency(moment(now)))
}

#[test]
fn the_clocks_of_an_exploited_vulnerability_run_from_awareness_and_from_the_measure() {
    let text = CASE.replace("[filed]\nearly-warning = 2026-12-01T20:00:00Z\n", "");
    let case = Case::parse(text.as_bytes()).unwrap();
    let due = case.clocks().map(|clock| clock.due.map(|due| due.to_string()));
    assert_eq!(
        due,
        [
            Some("2026-12-02T08:30:00Z".into()),
            Some("2026-12-04T08:30:00Z".into()),
            None
        ]
    );
    use Urgency::{Due, Filed, FiledLate, NotStarted, Overdue};
    assert_eq!(states(&case, "2026-12-02T08:30:00Z"), [Due, Due, NotStarted]);
    assert_eq!(states(&case, "2026-12-02T08:30:01Z"), [Overdue, Due, NotStarted]);
    assert_eq!(
        states(&case, "2026-12-04T08:30:01Z"),
        [Overdue, Overdue, NotStarted]
    );

    let mended = text.replace(
        "responsible",
        "measure-available = 2026-12-03T00:00:00Z\nresponsible",
    ) + "\n[filed]\nearly-warning = 2026-12-02T10:00:00+01:00\nnotification = 2026-12-03T00:00:00Z\n";
    let case = Case::parse(mended.as_bytes()).unwrap();
    // 10:00 there is 09:00 here: half an hour too late.
    assert_eq!(states(&case, "2026-12-17T00:00:00Z"), [FiledLate, Filed, Due]);
    assert_eq!(states(&case, "2026-12-17T00:00:01Z"), [FiledLate, Filed, Overdue]);
}

#[test]
fn the_last_clock_of_an_incident_is_a_month_after_the_notification() {
    let incident = CASE.replace("exploited-vulnerability", "severe-incident");
    let case = Case::parse(incident.as_bytes()).unwrap();
    let last = |case: &Case| case.clocks()[2].due.unwrap().to_string();
    assert_eq!(last(&case), "2027-01-04T08:30:00Z");
    let filed = incident.replace("[filed]\n", "[filed]\nnotification = 2026-12-02T12:00:00Z\n");
    assert_eq!(
        last(&Case::parse(filed.as_bytes()).unwrap()),
        "2027-01-02T12:00:00Z"
    );
    let asks: Vec<&str> = case
        .asked(Stage::EarlyWarning)
        .iter()
        .map(|gap| gap.asks)
        .collect();
    assert_eq!(asks[0], "Whether unlawful or malicious acts are suspected");
}

#[test]
fn a_case_file_shows_gaps_what_is_next_and_what_is_late() {
    let product = Product::parse(LOCK.as_bytes()).unwrap();
    let case = Case::parse(CASE.as_bytes()).unwrap();
    let page = case::markdown(&product, &case, moment("2026-12-05")).unwrap();
    for told in [
        "**A person files this.**",
        "**Overdue: notification, since 2026-12-04T08:30:00Z**",
        "| Early warning | 2026-12-02T08:30:00Z | 24 hours after becoming aware | 2026-12-01T20:00:00Z | filed |",
        "| Corrective or mitigating measures taken | 14 (2) (b) | **GAP**: write it under `known.measures-taken` |",
        "The clock of the final report starts when",
        "Front door, model lock-1, release 1.4.0",
    ] {
        assert!(page.contains(told), "{told}\n{page}");
    }
    let value = case::json(&product, &case, moment("2026-12-02")).unwrap();
    assert_eq!(value["next"], "notification");
    assert_eq!(value["stages"][1]["asked"][2]["known"], serde_json::Value::Null);
    assert_eq!(value["stages"][0]["asked"][0]["known"], "DE, FR");

    let done = CASE.to_owned().replace(
        "2026-12-01T20:00:00Z",
        "2026-12-01T20:00:00Z\nnotification = 2026-12-02T00:00:00Z\nfinal-report = 2026-12-09T00:00:00Z",
    );
    let done = Case::parse(done.as_bytes()).unwrap();
    let page = case::markdown(&product, &done, moment("2026-12-10")).unwrap();
    assert!(page.contains("Everything is filed."), "{page}");
}

#[test]
fn times_that_cannot_be_are_shown_where_they_stand() {
    for (old, new, rule) in [
        (
            "early-warning = 2026-12-01T20",
            "early-warning = 2026-11-30T20",
            "case.order",
        ),
        ("early-warning = ", "notification = ", "case.order"),
        (
            "kind = \"exploited-vulnerability\"",
            "kind = \"severe-incident\"\nmeasure-available = 2026-12-03T00:00:00Z",
            "case.measure",
        ),
        ("aware = 2026-12-01T08:30:00Z", "aware = 2026-12-01", "case.form"),
        (
            "aware = 2026-12-01T08:30:00Z",
            "aware = 2026-12-01T08:30:00",
            "case.form",
        ),
        (
            "kind = \"exploited-vulnerability\"",
            "kind = \"bug\"",
            "case.form",
        ),
    ] {
        let text = CASE.replace(old, new);
        assert_ne!(text, CASE);
        let findings = Case::parse(text.as_bytes()).unwrap_err();
        assert_eq!(findings[0].rule, rule, "{findings:?}");
        assert!(findings[0].place.is_some(), "{findings:?}");
    }
}
