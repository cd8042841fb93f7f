//! Labels are what a camera reads: the QR codes are decoded by another implementation, from both kinds of picture.

use std::{fs, io::Cursor};

use iotsec::core::{
    credential::Attempt,
    crypto::{Ed25519SigningKey, KeyType, Sha256, Sign as _},
    identity::SubjectPublicKey,
    qr::{KeyFingerprint, MatterCode, MatterPayload, ProductLabel},
    secret::Secret,
};

use crate::bench::{Bench, LAMP, MATTER};

const LABELS: &str = "provision labels batch --key station/recipient.key --signer batch/signer.pub --out out";
const UNITS: usize = 12;

fn station(test: &str, manifest: &str) -> Bench {
    let bench = Bench::new(test);
    bench.write("iotsec.toml", manifest.as_bytes());
    bench.done(&format!(
        "provision batch --manifest iotsec.toml --count {UNITS} --out batch"
    ));
    bench.done(
        "provision unseal batch/devices.sealed --key station/recipient.key --signer batch/signer.pub --out units.csv",
    );
    bench
}

/// Serial number, password, code and seed of each unit.
fn units(bench: &Bench) -> Vec<[String; 4]> {
    let text = String::from_utf8(bench.read("units.csv")).unwrap();
    let fields = |line: &str| {
        let mut fields = line.split(',').map(str::to_owned);
        std::array::from_fn(|_| fields.next().unwrap())
    };
    text.lines().skip(1).map(fields).collect()
}

/// Black and white, a byte a pixel.
struct Picture {
    width: usize,
    height: usize,
    dark: Vec<bool>,
}

impl Picture {
    fn of_png(bytes: &[u8]) -> Self {
        let mut reader = png::Decoder::new(Cursor::new(bytes)).read_info().unwrap();
        let mut rows = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut rows).unwrap();
        assert_eq!(
            (info.color_type, info.bit_depth),
            (png::ColorType::Grayscale, png::BitDepth::One)
        );
        let (width, height) = (info.width as usize, info.height as usize);
        let bit = |at: usize| rows[at / width * info.line_size + at % width / 8] >> (7 - at % width % 8) & 1;
        let dark = (0..width * height).map(|at| bit(at) == 0).collect();
        Self { width, height, dark }
    }

    /// The rectangles of the one path.
    fn of_svg(text: &str) -> Self {
        let between = |from: &str, to: &str| text.split_once(from).unwrap().1.split_once(to).unwrap().0;
        let size: Vec<usize> = between("viewBox=\"0 0 ", "\"")
            .split(' ')
            .map(|number| number.parse().unwrap())
            .collect();
        let (width, height) = (size[0], size[1]);
        let mut dark = vec![false; width * height];
        for rectangle in between(" d=\"", "\"").split_terminator('z') {
            let numbers: Vec<usize> = rectangle
                .split(|c: char| !c.is_ascii_digit())
                .filter(|number| !number.is_empty())
                .map(|number| number.parse().unwrap())
                .collect();
            let [x, y, across, down, back] = numbers[..] else {
                panic!("{rectangle}")
            };
            assert_eq!(across, back);
            for row in y..y + down {
                dark[row * width + x..row * width + x + across].fill(true);
            }
        }
        Self { width, height, dark }
    }

    /// The one QR code in it, and that nothing else is within 32 pixels around.
    fn decode(&self) -> String {
        let gray = |x: usize, y: usize| if self.dark[y * self.width + x] { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(self.width, self.height, gray);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        let (meta, text) = grids[0].decode().unwrap();
        // In the bits of the symbol M is 0, L is 1, H is 2 and Q is 3.
        assert_ne!(meta.ecc_level, 1, "level L");
        let bounds = grids[0].bounds;
        let (left, top) = (bounds[0].x, bounds[0].y);
        assert!(left >= 31 && top >= 31, "quiet zone of {left} and {top} pixels");
        text
    }
}

#[test]
fn every_qr_code_says_what_the_manifest_and_the_label_say() {
    let bench = station("every_qr_code_says_what_the_manifest_and_the_label_say", LAMP);
    let (status, report) = bench.json(LABELS);
    assert_eq!(
        (status, &report["labels"], &report["qr_codes"]),
        (Some(0), &UNITS.into(), &UNITS.into())
    );
    for [serial, password, code, seed] in units(&bench) {
        let text = String::from_utf8(bench.read(&format!("out/{serial}.txt"))).unwrap();
        let (_, qr) = text.trim_end().rsplit_once("\nQR ").unwrap();
        for line in ["Lamp\n", "\nExample Lighting Ltd\n", "\nModel lamp-2\n"] {
            assert!(text.contains(line), "{text}");
        }
        assert!(text.contains(&format!("\nS/N {serial}\n")), "{text}");
        let printed = text
            .lines()
            .find_map(|line| line.strip_prefix("Password "))
            .unwrap();
        assert_eq!(printed, password);
        assert!(Attempt::from_label(printed).is_ok());
        let printed = text
            .lines()
            .find_map(|line| line.strip_prefix("Set-up code "))
            .unwrap();
        assert_eq!(printed.replace('-', ""), code);

        for kind in ["qr", "label"] {
            let png = Picture::of_png(&bench.read(&format!("out/{serial}.{kind}.png")));
            let svg = String::from_utf8(bench.read(&format!("out/{serial}.{kind}.svg"))).unwrap();
            assert_eq!(
                (png.decode(), Picture::of_svg(&svg).decode()),
                (qr.to_owned(), qr.to_owned())
            );
            assert_eq!(
                kind == "label",
                svg.contains(&format!(">Password {password}</text>"))
            );
            #[cfg(unix)]
            assert_eq!(bench.mode(&format!("out/{serial}.{kind}.png")), 0o600);
        }

        let label = ProductLabel::parse(qr).unwrap();
        assert_eq!(
            (label.product(), label.serial(), label.code()),
            ("LAMP-2", &*serial, Some(&*code))
        );
        let seed: Vec<u8> = (0..64)
            .step_by(2)
            .map(|at| u8::from_str_radix(&seed[at..at + 2], 16).unwrap())
            .collect();
        let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(seed.try_into().unwrap()));
        let key = SubjectPublicKey::new(KeyType::Ed25519, key.public_key()).unwrap();
        assert_eq!(*label.fingerprint(), KeyFingerprint::of(&key, &mut Sha256::new()));
    }
}

#[test]
fn with_matter_the_code_and_the_digits_are_those_of_a_commissioner() {
    let manifest = format!("{LAMP}{MATTER}");
    let bench = station(
        "with_matter_the_code_and_the_digits_are_those_of_a_commissioner",
        &manifest,
    );
    bench.done("provision verify batch --key station/signing.key --unseal station/recipient.key");
    bench.done(LABELS);
    let mut discriminators = std::collections::BTreeSet::new();
    for [serial, _, code, _] in units(&bench) {
        let text = String::from_utf8(bench.read(&format!("out/{serial}.txt"))).unwrap();
        let (_, qr) = text.trim_end().rsplit_once("\nQR ").unwrap();
        let payload = MatterPayload::parse(qr).unwrap();
        let passcode: u32 = code.parse().unwrap();
        assert_eq!((payload.vendor(), payload.product()), (0xFFF1, 0x8000));
        assert_eq!(
            (payload.discovery_bits(), payload.passcode().expose()),
            (2, passcode)
        );
        let digits = text
            .lines()
            .find_map(|line| line.strip_prefix("Matter "))
            .unwrap();
        let typed = MatterCode::parse(digits).unwrap();
        assert_eq!(typed.passcode().expose(), passcode);
        assert_eq!(
            u16::from(typed.short_discriminator()),
            payload.discriminator() >> 8
        );
        assert_eq!(
            Picture::of_png(&bench.read(&format!("out/{serial}.qr.png"))).decode(),
            qr
        );
        discriminators.insert(payload.discriminator());
    }
    assert!(discriminators.len() > UNITS / 2, "{discriminators:?}");
}

#[test]
fn a_run_that_was_cut_goes_on_and_nothing_is_overwritten() {
    let bench = station("a_run_that_was_cut_goes_on_and_nothing_is_overwritten", LAMP);
    bench.done(LABELS);
    let first = bench.read("out/L2-000001.label.svg");
    fs::remove_file(bench.path("out/L2-000009.qr.png")).unwrap();
    fs::remove_file(bench.path("out/L2-000012.txt")).unwrap();
    bench.write("out/L2-000012.txt.unfinished", b"half a li");
    let (_, report) = bench.json(LABELS);
    assert_eq!(
        (&report["written"], &report["kept"]),
        (&2.into(), &(UNITS * 5 - 2).into())
    );
    assert!(!bench.path("out/L2-000012.txt.unfinished").exists());
    assert_eq!(bench.read("out/L2-000001.label.svg"), first);

    bench.write("out/L2-000003.txt", b"mine\n");
    bench.refused(LABELS, "out/L2-000003.txt exists already and is left as it is");
    assert_eq!(bench.read("out/L2-000003.txt"), b"mine\n");
}

#[test]
fn text_that_xml_would_take_for_markup_is_text() {
    let manifest = LAMP.replace("\"Lamp\"", "\"<b>&\\\"Lämp'\"");
    let bench = station("text_that_xml_would_take_for_markup_is_text", &manifest);
    bench.done(LABELS);
    let svg = String::from_utf8(bench.read("out/L2-000001.label.svg")).unwrap();
    assert!(svg.contains(">&lt;b&gt;&amp;&quot;Lämp&#39;</text>"), "{svg}");
}

#[test]
fn what_no_label_can_show_is_refused_with_a_way_out() {
    let manifest = LAMP.replace("\"L2-\"", "\"l-\"");
    let bench = station("what_no_label_can_show_is_refused_with_a_way_out", &manifest);
    let run = bench.run(LABELS);
    assert_eq!(run.status, Some(1));
    assert!(
        run.err.contains("\"l-000001\"") && run.err.contains("--no-qr"),
        "{run:?}"
    );
    bench.done(&format!("{LABELS} --no-qr"));
    assert!(bench.path("out/l-000001.label.png").exists());
    assert!(!bench.path("out/l-000001.qr.png").exists());

    let manifest = LAMP.replace("\"Lamp\"", "\"灯\"");
    let bench = station("what_no_font_has_is_refused_with_a_way_out", &manifest);
    let run = bench.run(LABELS);
    assert!(
        run.status == Some(1) && run.err.contains("the font for PNG has no '灯'"),
        "{run:?}"
    );
    bench.done(&format!("{LABELS} --only svg --only text"));
}

#[test]
fn labels_need_the_recipients_key_and_the_whole_batch() {
    let bench = station("labels_need_the_recipients_key_and_the_whole_batch", LAMP);
    bench.done("key new stranger --kind x25519");
    bench.done("key new signer");
    for wrong in [
        LABELS.replace("station/recipient.key", "stranger"),
        LABELS.replace("batch/signer.pub", "signer.pub"),
    ] {
        let run = bench.run(&wrong);
        assert_eq!(run.status, Some(1), "{run:?}");
    }
    assert!(fs::read_dir(bench.path("out")).is_ok_and(|mut files| files.next().is_none()));
    // Another batch's manifest beside these labels.
    bench.done(&format!(
        "provision batch --manifest iotsec.toml --count {UNITS} --out other"
    ));
    fs::copy(
        bench.path("other/manifest.cbor"),
        bench.path("batch/manifest.cbor"),
    )
    .unwrap();
    let run = bench.run(LABELS);
    assert!(
        run.status == Some(1) && run.err.contains("not of this batch"),
        "{run:?}"
    );
}
