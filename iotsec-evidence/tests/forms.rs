//! Which provisions apply, and the forms that are filled.

use iotsec_evidence::{
    applicability::{Applicability, Facts},
    catalogue::{Catalogue, Edition, Status},
    ics::{Statement, Support},
    ixit::{self, GAP},
};
use iotsec_product::Product;

const LOCK: &str = include_str!("../../examples/products/lock/iotsec.toml");

fn lock(right: &str, wrong: &str) -> Product {
    assert!(LOCK.contains(right), "{right}");
    // Without the claims at its end.
    let unclaimed = LOCK.split("[[claim]]").next().unwrap();
    Product::parse(unclaimed.replacen(right, wrong, 1).as_bytes())
        .unwrap_or_else(|findings| panic!("{findings:?}"))
}

/// EN 303 645 annex B has as many of each (V2.1.1: 33 mandatory and 35 recommended; V3.1.3: 36 and 42), where V2.1.1
/// has one number for two provisions seven times.
#[test]
fn the_catalogue_has_every_provision_once() {
    let count = |edition: Edition, status: Status| {
        let all = Catalogue::get()
            .provisions()
            .iter()
            .filter(|one| one.status(edition) == Some(status));
        let mut numbers: Vec<_> = all.filter_map(|one| one.number(edition)).collect();
        numbers.dedup();
        numbers.len()
    };
    assert_eq!(count(Edition::V3_1_3, Status::Mandatory), 36);
    assert_eq!(count(Edition::V3_1_3, Status::Recommended), 42);
    assert_eq!(count(Edition::V2_1_1, Status::Mandatory), 33);
    assert_eq!(count(Edition::V2_1_1, Status::Recommended), 35);
}

#[test]
fn every_condition_and_feature_that_a_provision_names_has_words_and_an_answer() {
    let (catalogue, facts) = (Catalogue::get(), Facts::of(&lock("LK-", "LK-")));
    assert_eq!(catalogue.features().count(), 27);
    for edition in Edition::ALL {
        for provision in catalogue.provisions() {
            for number in provision.conditions(edition) {
                assert!(!catalogue.condition(edition, *number).is_empty(), "{number}");
                assert!(
                    facts.condition(edition, *number).is_some(),
                    "{edition:?} {number}"
                );
            }
            for letter in provision.features(edition) {
                assert!(!catalogue.feature(letter).is_empty(), "{letter}");
                assert!(facts.feature(letter).is_some(), "{letter}");
            }
        }
    }
    assert_eq!(catalogue.tables().len(), 29);
    let radio: Vec<&str> = catalogue.radio().iter().map(|one| one.id.as_str()).collect();
    for provision in catalogue.provisions() {
        for id in &provision.en18031 {
            assert!(
                radio.iter().any(|known| known.starts_with(id.as_str())),
                "{}: {id}",
                provision.id
            );
        }
    }
}

/// Each letter, with a change to the manifest that turns its answer.
#[test]
fn a_feature_is_there_when_the_manifest_has_it() {
    let turned = [
        ("a", "factor = \"password\"", "factor = \"certificate\""),
        ("b", "origin = \"per-device\"", "origin = \"user\""),
        ("h", "automatic = true,", "automatic = false,"),
        ("i", "notice = {", "# {"),
        ("j", "delivery = \"network\"", "delivery = \"local\""),
        ("l", "identity = \"Lies", "# \""),
        ("p", "disabled = true", "disabled = false"),
        ("u", "sensitive = true", "sensitive = false"),
        ("x", "stored = [\"device\", \"service\"]", "stored = [\"device\"]"),
        ("y", "basis = \"consent\"", "basis = \"contract\""),
    ];
    for (letter, right, wrong) in turned {
        let holds = |product: &Product| Facts::of(product).feature(letter).unwrap().holds;
        assert!(holds(&lock("LK-", "LK-")), "{letter}");
        assert!(!holds(&lock(right, wrong)), "{letter}");
    }
    let aggregate = lock("sensitive = true", "sensitive = true\naggregate-only = true");
    assert!(Facts::of(&aggregate).feature("aa").unwrap().holds);
    assert!(!Facts::of(&lock("LK-", "LK-")).feature("aa").unwrap().holds);
}

#[test]
fn a_provision_that_does_not_apply_says_why() {
    let product = lock("basis = \"consent\"", "basis = \"contract\"");
    let answer = Facts::of(&product).applies(Catalogue::get().provision("6-2").unwrap(), Edition::V3_1_3);
    assert!(matches!(answer, Applicability::NotApplicable(_)));
    assert!(answer.why().contains("[[personal-data]]"), "{}", answer.why());
    let new = Catalogue::get().provision("6-6").unwrap();
    assert_eq!(
        Facts::of(&product).applies(new, Edition::V2_1_1),
        Applicability::Absent
    );
}

#[test]
fn a_line_of_the_statement_is_a_claim_a_reason_or_open() {
    let product = lock(
        "[justification]\n",
        "[[claim]]\nprovision = \"5.6-7\"\nclaims = \"The radio's driver has no privileges\"\nby = \"D. Example\"\n\
         [justification]\n\"5.6-8\" = \"The chip has no such unit\"\n",
    );
    let statement = Statement::of(&product, Edition::V3_1_3);
    assert_eq!(statement.lines.len(), 78);
    let line = |id: &str| {
        statement
            .lines
            .iter()
            .find(|line| line.provision.id == id)
            .unwrap()
    };
    assert_eq!(line("5.6-7").support, Support::Yes);
    assert!(line("5.6-7").detail.ends_with("(answered for by D. Example)"));
    assert_eq!(
        (line("5.6-8").support, line("5.6-8").detail.as_str()),
        (Support::No, "The chip has no such unit")
    );
    assert_eq!(line("5.3-15A").support, Support::NotApplicable);
    assert_eq!(line("5.2-1").support, Support::Open);
    let found = statement.findings(&product);
    assert!(
        found
            .iter()
            .any(|finding| finding.rule == "ics.open" && finding.message.starts_with("5.2-1 "))
    );
    assert!(
        found
            .iter()
            .any(|finding| finding.rule == "ics.unjustified" && finding.message.starts_with("5.7-1 "))
    );
    assert!(!found.iter().any(|finding| finding.message.starts_with("5.6-8 ")));
    let page = statement.to_markdown(&product);
    assert!(page.contains("| **open** |") && page.contains("This prepares an assessment; it is none."));
}

#[test]
fn a_reason_excuses_no_mandatory_provision_and_names_must_be_right() {
    let product = lock(
        "[justification]\n",
        "[justification]\n\"5.2-1\" = \"Nobody writes to us\"\n\"5.99-1\" = \"x\"\n",
    );
    let found = Statement::of(&product, Edition::V3_1_3).findings(&product);
    let has = |rule: &str, word: &str| {
        found
            .iter()
            .any(|finding| finding.rule == rule && finding.message.contains(word))
    };
    assert!(has("ics.mandatory", "5.2-1"));
    assert!(has("justification.provision", "5.99-1"));
    let product = lock(
        "[justification]\n",
        "[[claim]]\nprovision = \"5.6-4B\"\nclaims = \"c\"\n[justification]\n\"5.6-4B\" = \"x\"\n",
    );
    let found = Statement::of(&product, Edition::V3_1_3).findings(&product);
    assert!(
        found
            .iter()
            .any(|finding| finding.rule == "claim.bare" && finding.place.is_some())
    );
    assert!(found.iter().any(|finding| finding.rule == "claim.contradiction"));
}

#[test]
fn the_tables_of_a_complete_manifest_have_few_gaps_and_every_row_fits() {
    let tables = ixit::of(&lock("LK-", "LK-"));
    assert_eq!(tables.len(), 29);
    for filled in &tables {
        for row in &filled.rows {
            assert_eq!(row.len(), filled.table.fields.len(), "{}", filled.table.name);
        }
        if !matches!(filled.table.number, 9) {
            assert!(!filled.rows.is_empty(), "{}", filled.table.name);
        }
    }
    let gaps: Vec<(u8, usize)> = tables
        .iter()
        .map(|table| (table.table.number, table.gaps()))
        .filter(|(_, gaps)| *gaps > 0)
        .collect();
    // Nothing is said of replacing what is never updated, of guesses at certificates, and of a metric that nobody
    // examines.
    assert_eq!(gaps, [(1, 1), (2, 2), (24, 1)]);
    let page = ixit::to_markdown(&lock("LK-", "LK-"), &tables);
    assert!(page.contains("## IXIT 7-UpdMech: ") && page.contains("UpdMech-1: over-the-air"));
    assert!(page.contains(GAP.trim_matches(['(', ')'])));
}

#[test]
fn what_a_maker_writes_cannot_break_a_table() {
    let product = lock("name = \"Front door\"", "name = \"a|b`<script>\"");
    let page = ixit::to_markdown(&product, &ixit::of(&product));
    assert!(
        page.contains("a\\|b\\`\\<script\\>"),
        "{}",
        page.lines().nth(2).unwrap_or_default()
    );
}
