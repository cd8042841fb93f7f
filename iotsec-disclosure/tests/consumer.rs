//! What people who buy the product are told.

use iotsec_disclosure::consumer;
use iotsec_product::Product;

const LOCK: &str = include_str!("../../examples/products/lock/iotsec.toml");

fn page(manifest: &str) -> String {
    consumer::page(&Product::parse(manifest.as_bytes()).unwrap()).unwrap()
}

#[test]
fn the_page_has_every_part_and_in_each_what_the_manifest_says() {
    let page = page(LOCK);
    let mut parts = page.split("\n## ");
    parts.next();
    let parts: Vec<(&str, &str)> = parts.map(|part| part.split_once('\n').unwrap()).collect();
    for (part, told) in [
        ("How long it is kept secure", "until 2034-12-31"),
        ("What it is made for", "Not so: Used outdoors without its cover"),
        ("What you decide", "Shall the lock keep who opened the door?"),
        ("What it perceives", "Whether the door is open"),
        (
            "Data about you",
            "Where it is kept: on the device and in our services, for 30 days",
        ),
        ("What it reports", "Sent only if you agree"),
        ("How to delete your data", "1. Open the battery cover"),
        (
            "How to keep your home network safe around it",
            "It connects to mqtt.locks.example.com, port 8883",
        ),
        (
            "How to set it up securely",
            "You change it here: In the app, under Account, Change password.",
        ),
        (
            "How to check that it is secure",
            "Its software is release 1.4.0, or a later one.",
        ),
        (
            "If something is wrong",
            "<https://locks.example.com/security/policy>",
        ),
    ] {
        let found = parts.iter().find(|(title, _)| *title == part);
        let (_, text) = found.unwrap_or_else(|| panic!("no part {part}"));
        assert!(text.contains(told), "{part} lacks {told}\n{text}");
    }
    assert_eq!(parts.len(), 11);
}

#[test]
fn nobody_is_told_to_do_what_the_product_has_not() {
    let page = page(
        &LOCK
            .replace(
                "automatic = true, automatic-by-default = true",
                "automatic = false",
            )
            .replace("setup-code = true", "setup-code = false"),
    );
    assert!(!page.contains("utomatic updates"), "{page}");
    assert!(!page.contains("set-up code"), "{page}");
    // A port that is open to all is not said to be closed.
    let open = crate::page(&LOCK.replacen("scope = \"local\"", "scope = \"any\"", 1));
    assert!(
        open.contains("From everywhere it can be reached") && !open.contains("Do not forward ports"),
        "{open}"
    );
}
