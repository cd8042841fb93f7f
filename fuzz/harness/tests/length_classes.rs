//! The classes of errors of RFC 9267 and of parsers of other devices, which `ATTACKS.md` numbers, over every parser here
//! that reads lengths, counts or names.

use std::{collections::BTreeSet, fs, path::PathBuf};

use iotsec_core::{
    cbor::{self, Kind},
    document,
    input::{
        DeviceSerial, Email, Host, Hostname, InputKind, Label, MqttFilter, MqttTopic, Ranged, SemVer,
        TimeZone, Url,
        document::{Document, Problem},
        json,
    },
};
use iotsec_fuzz_harness::{TARGETS, Target};

const LIMITS: cbor::Limits = cbor::Limits {
    depth: 16,
    items: 1024,
    bytes: 1 << 20,
};

/// Inputs that a target accepts.
fn valid(target: &Target) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../corpus")
        .join(target.name);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let valid = entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("valid-"));
    // Those that are short say as much about lengths as those that are long.
    valid
        .map(|path| fs::read(path).unwrap())
        .filter(|bytes| bytes.len() <= 600)
        .collect()
}

/// Tries every input that `change` makes at each place of each valid one. The targets panic when an invariant breaks.
fn each_place(change: impl Fn(&mut Vec<u8>, usize)) {
    let mut tried = 0;
    for target in TARGETS.iter().filter(|target| !SLOW.contains(&target.name)) {
        for input in valid(target) {
            // The places between are those of the corpus test, which changes every byte.
            for at in (0..input.len()).step_by(1 + input.len() / 40) {
                let mut changed = input.clone();
                change(&mut changed, at);
                (target.run)(&changed);
                tried += 1;
            }
        }
    }
    assert!(tried > 1500, "{tried}");
}

#[test]
fn l1_a_length_of_zero_anywhere() {
    each_place(|input, at| input[at] = 0);
    each_place(|input, at| {
        // What is left of a head of CBOR when its length is none.
        input[at] &= 0xE0;
    });
}

#[test]
fn l2_the_greatest_length_anywhere() {
    for len in [1, 2, 4, 8] {
        each_place(|input, at| {
            let end = (at + len).min(input.len());
            input[at..end].fill(0xFF);
        });
    }
    each_place(|input, at| input[at] |= 0x1F);
}

#[test]
fn l3_a_length_that_is_one_more_or_less_than_what_remains() {
    each_place(|input, at| input[at] = input[at].wrapping_add(1));
    each_place(|input, at| input[at] = input[at].wrapping_sub(1));
    for head in [0x41, 0x61, 0x81, 0xA1, 0xC1] {
        assert_eq!(cbor::check(&[head], &LIMITS).unwrap_err().kind, Kind::Truncated);
    }
}

#[test]
fn l4_lengths_whose_sum_with_an_offset_overflows() {
    for len in [
        [0xFF; 8],
        (u64::MAX - 8).to_be_bytes(),
        (1_u64 << 63).to_be_bytes(),
        (1_u64 << 32).to_be_bytes(),
    ] {
        for head in [0x5B, 0x7B, 0x9B, 0xBB] {
            let mut input = vec![head];
            input.extend(len);
            assert_eq!(cbor::check(&input, &LIMITS).unwrap_err().kind, Kind::Truncated);
            each_place(|valid, at| drop(valid.splice(at..at, input.iter().copied())));
        }
    }
}

#[test]
fn l5_what_is_inside_is_longer_than_what_is_around_it() {
    for input in [
        &[0x82, 0x41, 0x01, 0x43, 0x00][..],
        &[0xA1, 0x01, 0x82, 0x00],
        &[0x81, 0x62, 0x61],
    ] {
        assert_eq!(
            cbor::check(input, &LIMITS).unwrap_err().kind,
            Kind::Truncated,
            "{input:02x?}"
        );
    }
    // A reader of what is wrapped in a byte string ends with the string, whatever follows it outside.
    let reader = cbor::Reader::new(&[0x82, 0x42, 0x42, 0x01, 0x02], &LIMITS).unwrap();
    let mut outer = reader.clone();
    assert_eq!(outer.array(), Ok(2));
    let wrapped = outer.bytes().unwrap();
    assert_eq!(cbor::check(wrapped, &LIMITS).unwrap_err().kind, Kind::Truncated);
}

document! {
    #[derive(Debug)]
    struct Two { first: Ranged<0, 9>, second: Option<Ranged<0, 9>> }
}

#[test]
fn l6_a_field_that_stands_twice() {
    assert_eq!(
        cbor::check(&[0xA2, 1, 0, 1, 0], &LIMITS).unwrap_err().kind,
        Kind::Duplicate
    );
    let error = json::check(br#"{"a":1,"\u0061":2}"#, &json::Limits::SMALL).unwrap_err();
    assert_eq!(error.kind, InputKind::Duplicate);
    let error = Two::from_json(br#"{"first":1,"first":1}"#, &mut []).unwrap_err();
    assert_eq!(error.problem, Problem::Duplicate);
    let error = Two::from_cbor(b"\xA2\x65first\x01\x65first\x01").unwrap_err();
    assert_eq!(error.problem, Problem::Duplicate);
}

#[test]
fn l7_a_field_that_nobody_knows() {
    assert_eq!(
        Two::from_json(br#"{"first":1,"third":1}"#, &mut [])
            .unwrap_err()
            .problem,
        Problem::Unknown
    );
    assert_eq!(
        Two::from_cbor(b"\xA2\x65first\x01\x65third\x01")
            .unwrap_err()
            .problem,
        Problem::Unknown
    );
    // What is critical in a COSE header and unknown is refused: `cose_sign1` has it among its seeds.
    let target = TARGETS.iter().find(|target| target.name == "cose_sign1").unwrap();
    let seeds = (target.seeds)();
    assert!(
        seeds
            .iter()
            .any(|seed| seed.name.starts_with("near-") && !(target.run)(&seed.bytes))
    );
}

/// Targets that accept a part of what they accept, and those that accept more, exactly: their inputs are no single
/// message with an end.
const OPEN: &[(&str, bool, bool, &str)] = &[
    (
        "cbor_sequence",
        true,
        true,
        "a sequence of items is one with fewer and one with more",
    ),
    (
        "certificate_chain",
        false,
        true,
        "certificates that no path needs are passed over",
    ),
    (
        "credential_label",
        false,
        true,
        "people put blanks where they like",
    ),
    (
        "credential_unit",
        true,
        true,
        "a record in flash, with what erased flash reads behind it",
    ),
    (
        "deletion_request",
        true,
        true,
        "a plaintext in zeros of padding, whose length the size class fixes",
    ),
    (
        "https_response",
        true,
        true,
        "an answer that ends with the connection; what follows belongs to the next",
    ),
    ("identity_request", true, true, "names of any length"),
    ("input_document", false, true, "JSON ends with blanks or without"),
    ("input_json", true, true, "likewise"),
    ("input_text", true, false, "a shorter name is a name"),
    ("mqtt_conversation", true, true, "packets, one after the other"),
    ("qr_matter", false, true, "people put blanks where they like"),
    (
        "surface_sockets",
        true,
        false,
        "lines of the kernel, fewer of them",
    ),
    (
        "telemetry_batch",
        false,
        true,
        "a plaintext that the harness pads and seals itself",
    ),
    ("update_decrypt", true, true, SCRIPT),
    ("update_boot", true, true, SCRIPT),
    ("update_delta", true, true, SCRIPT),
    ("c_calls", true, true, SCRIPT),
    ("store_tampered", true, true, SCRIPT),
    ("telemetry_spool_tampered", true, true, SCRIPT),
];
const SCRIPT: &str = "steps for a machine, one after the other, of any number";
/// Targets that simulate flash for each input. Their own tests cut and flip at every byte.
const SLOW: [&str; 6] = [
    "store_image",
    "store_tampered",
    "telemetry_spool",
    "update_boot",
    "update_decrypt",
    "credential_verifier",
];

/// The targets that accept one of the inputs that `change` makes of a valid one.
fn open(change: impl Fn(&[u8]) -> Vec<Vec<u8>>) -> BTreeSet<&'static str> {
    let accepts = |target: &&Target| {
        valid(target)
            .iter()
            .any(|input| change(input).iter().any(|changed| (target.run)(changed)))
    };
    TARGETS.iter().filter(accepts).map(|target| target.name).collect()
}

fn known(which: fn(&(&'static str, bool, bool, &'static str)) -> bool) -> BTreeSet<&'static str> {
    OPEN.iter()
        .filter(|open| which(open))
        .map(|open| open.0)
        .collect()
}

#[test]
fn l8_cut_off_at_any_byte() {
    let cut = |input: &[u8]| (0..input.len()).map(|end| input[..end].to_vec()).collect();
    assert_eq!(open(cut), known(|open| open.1));
}

#[test]
fn l9_one_byte_more() {
    let more = |input: &[u8]| {
        [0x00, 0x20, 0xF6, 0xFF]
            .map(|byte| [input, &[byte]].concat())
            .into()
    };
    assert_eq!(open(more), known(|open| open.2));
}

#[test]
fn l10_any_bit_flipped() {
    for bit in 0..8 {
        each_place(|input, at| input[at] ^= 1 << bit);
    }
}

#[test]
fn l11_the_same_value_in_a_longer_form() {
    for major in 0..6_u8 {
        for value in 0..24_u8 {
            let body = match major {
                2 | 3 => vec![b'a'; value.into()],
                4 => vec![0; value.into()],
                5 => (0..value).flat_map(|key| [key, 0]).collect(),
                _ => Vec::new(),
            };
            let with = |head: &[u8]| {
                cbor::check(&[head, &body].concat(), &LIMITS)
                    .err()
                    .map(|error| error.kind)
            };
            let high = major << 5;
            assert_eq!(with(&[high | value]), None);
            for head in [
                &[high | 24, value][..],
                &[high | 25, 0, value],
                &[high | 26, 0, 0, 0, value],
                &[high | 27, 0, 0, 0, 0, 0, 0, 0, value],
            ] {
                assert_eq!(with(head), Some(Kind::NotShortest));
            }
            if major > 1 {
                assert_eq!(with(&[high | 31]), Some(Kind::Indefinite));
            }
        }
    }
}

#[test]
fn l12_more_parts_announced_than_there_are_bytes() {
    for input in [
        &[0x9A, 0xFF, 0xFF, 0xFF, 0xFF, 0x00][..],
        &[0xBA, 0x7F, 0xFF, 0xFF, 0xFF],
        &[0x99, 0x01, 0x00, 0x00],
    ] {
        let error = cbor::check(input, &LIMITS).unwrap_err();
        assert_eq!((error.kind, error.offset()), (Kind::Truncated, 0), "{input:02x?}");
    }
}

#[test]
fn l13_references_to_what_lies_before_or_outside() {
    let target = TARGETS
        .iter()
        .find(|target| target.name == "update_delta")
        .unwrap();
    let mut tried = 0;
    for input in valid(target) {
        for at in 0..input.len() {
            for byte in [0x00, 0x01, 0x7F, 0x80, 0xFF] {
                let mut changed = input.clone();
                changed[at] = byte;
                (target.run)(&changed);
                tried += 1;
            }
        }
    }
    assert!(tried > 100, "{tried}");
}

#[test]
fn l14_a_zero_byte_inside_ends_nothing() {
    macro_rules! refused {
        ($($kind:ty: $text:literal;)*) => {$(
            assert!(<$kind>::parse($text.replace('\0', "").as_bytes()).is_ok());
            assert!(<$kind>::parse($text.as_bytes()).is_err(), stringify!($kind));
        )*};
    }
    refused! {
        Hostname<'_>: "a.example\0";
        Host<'_>: "192.0.2.1\0";
        Url<'_>: "https://a.example\0/";
        Email<'_>: "a@b.example\0";
        SemVer<'_>: "1.2.3\0";
        TimeZone<'_>: "UTC0\0";
        DeviceSerial<'_>: "LAMP\x007";
        Label<'_, 32>: "lamp\0";
        MqttTopic<'_>: "a/b\0";
        MqttFilter<'_>: "a/+\0";
    }
}

#[test]
fn l15_names_and_labels_beyond_their_length() {
    let label = "a".repeat(64);
    assert_eq!(
        Hostname::parse(label.as_bytes()).unwrap_err().kind,
        InputKind::TooLong
    );
    let name = ["a"; 127].join(".") + ".b";
    assert_eq!(
        Hostname::parse(name.as_bytes()).unwrap_err().kind,
        InputKind::TooLong
    );
    assert!(Hostname::parse(&name.as_bytes()[2..]).is_ok());
    let topic = "t".repeat(65_536);
    assert_eq!(
        MqttTopic::parse(topic.as_bytes()).unwrap_err().kind,
        InputKind::TooLong
    );
    assert_eq!(Label::<4>::parse(b"lamps").unwrap_err().kind, InputKind::TooLong);
}
