//! How often detectors are wrong in quiet years, and how soon they are right under attack: on traces from seeds, whole
//! numbers all the way, so that every machine gets the same. `docs/detectors.md` has the table that comes out.

mod attacks;
mod table;
mod trace;

use table::Row;

/// Devices, each for a year.
const SEEDS: u64 = 20;

#[test]
fn detectors_are_rarely_wrong_and_soon_right_and_the_document_says_how_much() {
    let rows = attacks::all();
    let made: String = rows.iter().map(Row::to_string).collect();
    let failed: Vec<String> = rows.iter().flat_map(Row::failures).collect();
    assert!(failed.is_empty(), "{failed:#?}\n{made}");
    let document = include_str!("../../../docs/detectors.md");
    let written = document.split("<!-- made by a test -->\n").nth(1);
    assert_eq!(
        written,
        Some(made.as_str()),
        "docs/detectors.md should say:\n{made}"
    );
}
