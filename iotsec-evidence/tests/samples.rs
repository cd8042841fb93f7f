//! The manifests of `examples/products` are complete, and contradict neither themselves nor the standard.

use iotsec_evidence::{
    catalogue::Edition,
    ics::{Statement, Support},
    ixit, lint,
};
use iotsec_product::Product;

fn samples() -> [Product; 3] {
    [
        include_bytes!("../../examples/products/camera/iotsec.toml").as_slice(),
        include_bytes!("../../examples/products/lock/iotsec.toml"),
        include_bytes!("../../examples/products/sensor/iotsec.toml"),
    ]
    .map(|manifest| Product::parse(manifest).unwrap_or_else(|findings| panic!("{findings:?}")))
}

#[test]
fn nothing_is_wrong_with_a_sample() {
    for product in samples() {
        let found = lint::check(&product);
        assert!(found.is_empty(), "{}: {found:?}", product.product.name);
    }
}

/// What is left open is for the SDK to show; nothing mandatory is answered by a reason.
#[test]
fn a_sample_claims_what_its_maker_answers_for_and_gives_reasons_for_the_rest() {
    for product in samples() {
        for edition in Edition::ALL {
            let statement = Statement::of(&product, edition);
            let wrong: Vec<_> = statement
                .findings(&product)
                .into_iter()
                .filter(|finding| !["ics.open", "ics.unjustified"].contains(&finding.rule))
                .collect();
            assert!(wrong.is_empty(), "{}: {wrong:?}", product.product.name);
            assert!(statement.count(Support::Yes) > 20);
        }
    }
}

/// A sensor without room for updates says so at every place where it counts.
#[test]
fn a_sensor_that_is_never_updated_says_why_and_what_is_done_instead() {
    let [.., sensor] = samples();
    let statement = Statement::of(&sensor, Edition::V3_1_3);
    let support = |id: &str| {
        let line = statement
            .lines
            .iter()
            .find(|line| line.provision.id == id)
            .unwrap();
        (line.support, line.detail.as_str())
    };
    assert_eq!(support("5.3-2").0, Support::NotApplicable);
    assert!(support("5.3-2").1.contains("of 100 KiB"));
    assert!(
        ["5.3-14", "5.3-15A", "5.3-15B"]
            .iter()
            .all(|id| support(id).0 == Support::Yes)
    );
    assert_eq!(support("5.3-1").0, Support::No);
    let replacement = ixit::of(&sensor)
        .into_iter()
        .find(|filled| filled.table.number == 9)
        .unwrap();
    assert_eq!((replacement.rows.len(), replacement.gaps()), (1, 0));
}
