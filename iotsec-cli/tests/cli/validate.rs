//! Inputs before a device sees them.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use serde_json::{Value, json};

use crate::bench::Bench;

/// A machine need not know any time zone.
static ZONES: LazyLock<PathBuf> = LazyLock::new(|| {
    let zones = Path::new(env!("CARGO_TARGET_TMPDIR")).join("zones");
    fs::create_dir_all(zones.join("Europe")).unwrap();
    fs::write(zones.join("Europe/Berlin"), b"TZif2").unwrap();
    zones
});

/// Gives `input` on standard input, whose other end may be closed before all is read.
fn piped(kind: &str, input: &[u8]) -> (Option<i32>, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_iotsec"))
        .env("TZDIR", ZONES.as_path())
        .args(["--json", "validate", kind, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    (
        output.status.code(),
        serde_json::from_slice(&output.stdout).unwrap(),
    )
}

/// A kind, an input of it, one that is not, and the byte at which that is noticed.
const KINDS: &[(&str, &str, &str, u32)] = &[
    ("ssid", "Cafe", "012345678901234567890123456789012", 32),
    ("psk", "12345678", "1234567", 7),
    ("hostname", "a.example", "a_b.example", 1),
    ("host", "[::1]", "[::1", 4),
    ("ipv4", "192.0.2.1", "192.0.2.01", 8),
    ("ipv6", "2001:db8::1", "fe80::1%eth0", 7),
    ("mac", "00:00:5e:00:53:01", "00:00:5e:00:53:0g", 16),
    ("port", "443", "65536", 0),
    ("url", "https://a.example/x", "https://a.example/../x", 18),
    ("mqtt-topic", "a/b", "a/+", 2),
    ("mqtt-filter", "a/+", "a/#/b", 2),
    ("email", "a@b.example", "a@b", 2),
    ("time-zone", "CET-1CEST,M3.5.0,M10.5.0/3", "CET-1CEST", 9),
    ("zone-name", "Europe/Berlin", "Europe/../Berlin", 7),
    ("semver", "1.2.3", "1.2", 3),
    ("serial", "L2-000001", "L2/000001", 2),
    ("label", "Kitchen", "Kitchen\u{202e}", 7),
    ("hex", "00ff", "00fg", 3),
    ("base32", "MZXW6===", "MZXW7===", 4),
    ("base64", "Zm9vYg==", "Zm9vYh==", 5),
    ("base64url", "Zm9vYg", "Zm9vYg=", 6),
    ("integer", "-7", "-07", 1),
    ("json", r#"{"a":1}"#, r#"{"a":1,"a":2}"#, 7),
    ("cbor", "\u{1}", "\u{1}\u{1}", 1),
];

#[test]
fn every_kind_has_inputs_that_are_one_and_others_that_are_not() {
    for (kind, good, bad, offset) in KINDS {
        let (status, value) = piped(kind, good.as_bytes());
        assert_eq!(status, Some(0), "{kind}");
        assert_eq!(value, json!({ "kind": kind, "bytes": good.len(), "valid": true }));
        let (status, value) = piped(kind, bad.as_bytes());
        assert_eq!(status, Some(1), "{kind}");
        assert_eq!(value["error"]["offset"], *offset, "{kind}: {value}");
        // What was given is not repeated.
        assert!(!value.to_string().contains(bad), "{value}");
    }
    let help = Bench::new("every_kind_has_inputs").done("help validate");
    let kinds = help
        .lines()
        .filter(|line| line.starts_with("          - "))
        .count();
    assert_eq!(kinds, KINDS.len(), "{help}");
}

#[test]
fn an_input_on_the_command_line_is_told_at_which_byte_it_is_wrong() {
    let bench = Bench::new("an_input_on_the_command_line_is_told_at_which_byte_it_is_wrong");
    assert_eq!(
        bench.done("validate url mqtts://broker.example/x"),
        "valid url, 24 bytes\n"
    );
    bench.refused(
        "validate port 08883",
        "not a valid port: malformed at byte 0 (error 1608)",
    );
    assert_eq!(bench.run("validate colour red").status, Some(2));
}

#[test]
fn hostile_inputs_are_refused_in_bounded_time_and_memory() {
    let mut random = vec![0; 4_000_000];
    let mut state = 1_u32;
    for byte in &mut random {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    let deep = vec![b'['; 4_000_000];
    let mut names = String::from("{");
    for name in 0..70_000 {
        names.push_str(&format!("\"{name}\":0,"));
    }
    for (kind, ..) in KINDS.iter().filter(|(kind, ..)| !matches!(*kind, "ssid")) {
        for input in [&random[..], &deep, names.as_bytes(), &[0x9B; 4_000_000], &[]] {
            let (status, value) = piped(kind, input);
            // No bytes have a text in every encoding, which is empty.
            if input.is_empty() && (kind.starts_with("base") || *kind == "hex") {
                assert_eq!(status, Some(0), "{kind}");
                continue;
            }
            assert_eq!(status, Some(1), "{kind}");
            assert!(value["error"]["offset"].is_u64(), "{kind}: {value}");
        }
    }
}
