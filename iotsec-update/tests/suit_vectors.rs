//! The vectors under `vectors/suit`, whose README says where they come from.

use std::path::Path;

use iotsec_testkit::suit_vectors;

#[test]
fn every_committed_suit_vector_is_answered_as_its_index_says() {
    let index = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suit/index.json");
    let lines = suit_vectors::answer(&index).unwrap();
    for l in &lines {
        println!("{l}");
    }
    let wrong: Vec<String> = lines
        .iter()
        .filter(|line| line.difference.is_some())
        .map(ToString::to_string)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The index cannot shrink unnoticed.
    assert_eq!(lines.len(), files("oracle") + files("negative"));
}

fn files(folder: &str) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors/suit")
        .join(folder);
    std::fs::read_dir(folder).unwrap().count()
}
