//! The session that the README shows, line by line.

use std::{collections::BTreeMap, fs};

use iotsec::core::{
    cose::Key,
    crypto::{P256SigningKey, Sign},
    secret::Secret,
};

use crate::bench::{Bench, LAMP};

/// The command lines of the README, each with the output that it shows.
fn session() -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let text = text.replace("\\\n", " ");
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for block in text.split("```console\n").skip(1) {
        let block = block.split_once("```").unwrap().0;
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => lines.push((command.to_owned(), Vec::new())),
                None => lines.last_mut().unwrap().1.push(line.to_owned()),
            }
        }
    }
    lines
}

/// A line without what is different in every session: keys and digests.
fn mask(line: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '…' && c != '=');
        let bare = bare.trim_start_matches("h'");
        let hex = bare.len() >= 8 && bare.chars().all(|c| c.is_ascii_hexdigit());
        let other = bare.ends_with('…') || bare.len() > 40;
        if hex || other {
            "#".to_owned()
        } else {
            word.to_owned()
        }
    };
    line.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// What the README's reader has at hand.
fn reader() -> Bench {
    let bench = Bench::new("every_line_of_the_readme_does_what_it_shows");
    for name in ["root1", "root2", "build", "build2"] {
        bench.done(&format!("key new {name}.key"));
    }
    let mut state = 1_u32;
    let word = |at: u32| {
        if at.is_multiple_of(3) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        }
        (state >> 8).to_le_bytes()
    };
    let old: Vec<u8> = (0..29_000).flat_map(word).collect();
    let mut new = old.clone();
    new.splice(40_000..40_000, old[..144].iter().map(|byte| byte ^ 0x55));
    bench.write("iotsec.toml", LAMP.as_bytes());
    let sample = include_str!("../../../examples/products/lamp/iotsec.toml");
    bench.write("lamp.toml", sample.as_bytes());
    bench.write("app.bin", &[0; 5000]);
    bench.write("other.bin", &[1; 5000]);
    bench.write("radio.bin", &[2; 3000]);
    bench.write("6.bin", &old);
    bench.write("7.bin", &new);
    bench
}

/// What `openssl dgst -sign` would do.
fn sign_elsewhere(bench: &Bench) {
    let file = bench.read("operator.key");
    let secret = Secret::from_bytes(*Key::parse(&file).unwrap().secret().unwrap());
    let mut signature = [0; 64];
    let key = P256SigningKey::from_scalar(&secret).unwrap();
    key.sign(&bench.read("9.tbs"), &mut signature).unwrap();
    bench.write("9.sig", &signature);
}

#[test]
fn every_line_of_the_readme_does_what_it_shows() {
    let bench = reader();
    let (mut commands, mut wrong) = (BTreeMap::new(), String::new());
    for (line, shown) in session() {
        let Some(arguments) = line.strip_prefix("iotsec ") else {
            assert!(line.starts_with("openssl dgst "), "{line}");
            sign_elsewhere(&bench);
            continue;
        };
        let run = bench.run(arguments);
        let fails = shown.first().is_some_and(|line| line.starts_with("iotsec: "));
        assert_eq!(run.status, Some(i32::from(fails)), "{line}\n{run:?}");
        let said = if fails { &run.err } else { &run.out };
        let said: Vec<String> = said.lines().map(mask).collect();
        let shown: Vec<String> = shown.iter().map(|line| mask(line)).collect();
        if said != shown {
            wrong += &format!("$ {line}\n{}\n", said.join("\n"));
        }
        let mut words = arguments.split_whitespace();
        let command = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        *commands.entry(command).or_insert(0) += 1;
    }
    assert!(wrong.is_empty(), "the README shows something else than\n{wrong}");
    assert!(commands.len() > 15, "{commands:?}");
}
