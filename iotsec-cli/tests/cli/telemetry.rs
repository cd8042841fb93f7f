use std::{collections::BTreeMap, fs, path::Path, process::Command};

use iotsec::{
    core::{
        crypto::{Aes256GcmSiv, HkdfSha256, Sha256, hpke},
        hal::Millis,
        secret::Secret,
    },
    telemetry::{
        batch::{ServiceKey, SizeClass, Sizes},
        consent::{CONSENT_RECORD_LEN, ConsentStorage, Consents, Usage},
        detect::BOOT_LOOP,
        epsilon,
        error::StorageError,
        personal::Personal,
        privacy::{Allowance, Budget, LEDGER_RECORD_MAX_LEN, Ledger, LedgerKey, LedgerStorage, Metric},
        queue::Queue,
        registry,
        registry::{Aggregate, Handling, MetricDef, Purpose},
    },
};
use iotsec_testkit::{SimCounter, SimRng};
use serde_json::Value;

use crate::bench::Bench;

const DEMO: &str = "telemetry demo --out d --end 2026-03-02";
const SOURCE: &str = "--registry d/registry.cbor --keys d/keys d/inbox";

const PICTURE: &str = "\
24 devices, 520 events
2026-03-01 00:22 to 2026-03-01 23:55, a column for 30 min

critical      2                                  █                 max 2
security    162  ▂        ▂   ▂         ▂  ▂ █ █       ▂   ▂       max 77
health      300  ▃▄▄ ▄▄▄▃ ▃▅▄▃ ▅▄▅ ▃▂▂▄▂▅██▇█▆▆▆▇▆▇▅▆▇▆▇▅▅▅▆▆▅▇▇▆  max 13
usage        23                                              ██    max 12

What detectors found ───────────────────────────────────────────────────────────
security iotsec.auth-burst          ████████████████████████     16    8 devices
critical iotsec.boot-loop           ██                            1     1 device

What was reported most ─────────────────────────────────────────────────────────
health   net.connect_failed         ████████████████████████    293   24 devices
security login.failed               ██████████████              168   12 devices
usage    lamp.lit                   ██                           24   24 devices
health   board.hot                  ██                           17   12 devices
critical case.opened                █                             1     1 device

Devices that lost events ───────────────────────────────────────────────────────
LAMP-17          ████████████████████    146  health 146

33 events of a device that did not know the time, in no column
1 event that came again, counted once
";

#[test]
fn a_picture_shows_an_attack_and_who_lost_what_in_eighty_columns() {
    let bench = Bench::new("a_picture_shows_an_attack");
    bench.done(DEMO);
    let picture = bench.done(&format!("telemetry picture --width 80 --style unicode {SOURCE}"));
    assert_eq!(picture, PICTURE);
    for width in [60, 67, 80, 132] {
        let ascii = bench.done(&format!(
            "telemetry picture --style ascii --width {width} {SOURCE}"
        ));
        assert!(ascii.is_ascii(), "{ascii}");
        let widest = ascii
            .lines()
            .take_while(|line| !line.contains("did not know"))
            .map(str::len)
            .max();
        assert!(widest <= Some(width), "{width}: {widest:?}\n{ascii}");
    }
    bench.misused(
        &format!("telemetry picture --width 9 {SOURCE}"),
        "a picture of 9 columns",
    );
}

#[test]
fn decoding_tells_each_event_once_and_what_was_lost() {
    let bench = Bench::new("decoding_tells_each_event_once");
    bench.done(DEMO);
    let lines = bench.done(&format!("telemetry decode {SOURCE}"));
    let objects: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (events, losses): (Vec<_>, Vec<_>) = objects.iter().partition(|object| object.get("event").is_some());
    assert_eq!((events.len(), losses.len()), (520, 1));
    assert_eq!(losses[0]["lost"]["health"], 146);
    let (_, object) = bench.json(&format!("telemetry decode {SOURCE}"));
    assert_eq!(
        (&object["repeated"], &object["batches"]),
        (&1.into(), &182.into())
    );
    assert_eq!(object["events"].as_array().unwrap().len(), 520);

    // The description in JSON is the same registry.
    let other = SOURCE.replace("registry.cbor", "registry.json");
    assert_eq!(bench.done(&format!("telemetry decode {other}")), lines);
    // One device by itself, with its key alone.
    let keys = String::from_utf8(bench.read("d/keys")).unwrap();
    let keys: BTreeMap<_, _> = keys.lines().filter_map(|line| line.split_once(' ')).collect();
    bench.write("one.key", keys["LAMP-05"].as_bytes());
    let one = bench.done("telemetry decode --registry d/registry.cbor --key one.key d/inbox/LAMP-05");
    let own = lines
        .lines()
        .filter(|line| line.contains("\"device\":\"LAMP-05\""));
    assert!(one.lines().eq(own));
}

#[test]
fn what_came_in_an_earlier_run_counts_once_over_all_runs() {
    let bench = Bench::new("what_came_in_an_earlier_run");
    bench.done(DEMO);
    let decode = "telemetry decode --registry d/registry.cbor --keys d/keys";
    let all = bench.done(&format!("{decode} d/inbox"));
    // The first half of the fleet, then all of it.
    let half: Vec<_> = (1..=12).map(|lamp| format!("d/inbox/LAMP-{lamp:02}")).collect();
    let (_, first) = bench.json(&format!("{decode} --state s.bin {}", half.join(" ")));
    let (_, second) = bench.json(&format!("{decode} --state s.bin d/inbox"));
    let count = |object: &Value| object["events"].as_array().unwrap().len();
    assert!(count(&first) > 100 && count(&second) > 100);
    assert_eq!(count(&first) + count(&second), 520);
    let repeated = |object: &Value| object["repeated"].as_u64().unwrap();
    assert_eq!(repeated(&second), count(&first) as u64 + repeated(&first));
    // What was lost is told by the run that heard of it first.
    let losses = |object: &Value| object["losses"].as_array().unwrap().len();
    assert_eq!((losses(&first), losses(&second)), (0, 1));
    let (_, third) = bench.json(&format!("{decode} --state s.bin d/inbox"));
    assert_eq!((count(&third), losses(&third)), (0, 0));
    assert!(!bench.path("s.bin.unfinished").exists());
    // So does an export; and a run that cannot write its result remembers nothing of it.
    bench.write("taken", b"");
    let export = "telemetry export --format json --registry d/registry.cbor --keys d/keys";
    let run = bench.run(&format!("{export} --state e.bin --out taken d/inbox"));
    assert_eq!(run.status, Some(1));
    assert!(!bench.path("e.bin").exists());
    bench.done(&format!("{export} --state e.bin --out events d/inbox"));
    assert_eq!(bench.done(&format!("{export} --state e.bin d/inbox")), "");

    let mut bad = bench.read("s.bin");
    let last = bad.len() - 1;
    bad[last] ^= 1;
    bench.write("s.bin", &bad);
    bench.refused(
        &format!("{decode} --state s.bin d/inbox"),
        "s.bin refused: memory damaged (error 8402)",
    );
    assert_eq!(bench.read("s.bin"), bad, "left for whoever looks into it");
    assert_eq!(bench.done(&format!("{decode} d/inbox")), all);
}

#[test]
fn what_is_refused_is_said_and_the_rest_is_told() {
    let bench = Bench::new("what_is_refused_is_said");
    bench.done(DEMO);
    let mut bad = bench.read("d/inbox/LAMP-01/01.batch");
    bad[60] ^= 1;
    bench.write("d/inbox/LAMP-01/01.batch", &bad);
    fs::create_dir(bench.path("d/inbox/STRANGER")).unwrap();
    bench.write(
        "d/inbox/STRANGER/1.batch",
        &bench.read("d/inbox/LAMP-02/01.batch"),
    );
    bench.write("d/inbox/LAMP-02/99.batch", &[0; 5000]);
    let run = bench.run(&format!("telemetry decode {SOURCE}"));
    assert_eq!(run.status, Some(1));
    for said in [
        "LAMP-01/01.batch refused",
        "STRANGER/1.batch refused: device unknown (error 8101)",
        "5000 bytes",
    ] {
        assert!(run.err.contains(said), "{}", run.err);
    }
    assert!(run.out.lines().count() > 500);
    let (status, object) = bench.json(&format!("telemetry decode {SOURCE}"));
    assert_eq!(
        (status, object["refused"].as_array().unwrap().len()),
        (Some(1), 3)
    );
    let missing = "telemetry decode --registry d/keys --keys d/keys d/inbox";
    assert_eq!(bench.run(missing).status, Some(1));
}

#[test]
fn exports_are_what_their_readers_take() {
    let bench = Bench::new("exports_are_what_their_readers_take");
    bench.done(DEMO);
    let export = |format: &str| bench.done(&format!("telemetry export --format {format} {SOURCE}"));
    let otlp: Value = serde_json::from_str(&export("otlp")).unwrap();
    assert_eq!(otlp["resourceLogs"].as_array().unwrap().len(), 24);
    let syslog = export("syslog");
    assert!(syslog.lines().count() == 520 && syslog.lines().all(|line| line.starts_with('<')));
    // Health and usage were consented to for another purpose.
    let ocsf = export("ocsf");
    assert_eq!(ocsf.lines().count(), 520 - 293 - 17 - 24);
    assert_eq!(export("json").lines().count(), 520);
    let aws: Vec<Value> = export("aws --report-id 7 --short")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(aws.iter().all(|report| report["hed"]["rid"] == 7));
    let written = format!("telemetry export --format ocsf --out o.jsonl {SOURCE}");
    bench.done(&written);
    assert_eq!(bench.read("o.jsonl"), ocsf.as_bytes());
    bench.refused(&written, "o.jsonl exists already and is left as it is");
}

#[test]
fn a_registry_goes_into_json_and_back_and_a_data_map_comes_from_it() {
    let bench = Bench::new("a_registry_goes_into_json_and_back");
    bench.done(DEMO);
    bench.done("telemetry registry d/registry.cbor --out r.json");
    bench.done("telemetry registry r.json --out r.cbor");
    assert_eq!(bench.read("r.cbor"), bench.read("d/registry.cbor"));
    assert!(
        bench
            .done("telemetry registry r.json")
            .contains("login.failed: Shows attacks on passwords")
    );
    bench.done("telemetry data-map --registry r.cbor --product Lamp --page map.html");
    let page = String::from_utf8(bench.read("map.html")).unwrap();
    assert!(page.contains("Finds weak radio links"));
    let (_, map) = bench.json("telemetry data-map --registry r.cbor --product Lamp");
    assert_eq!(
        (&map["gaps"], &map["map"]["product"]),
        (&0.into(), &"Lamp".into())
    );
}

registry!(static LAMP = [BOOT_LOOP]);

/// A batch with one event of `boot`, to the public key of `show`.
fn sealed_to(public: &Value, boot: u32) -> Vec<u8> {
    let digits = public["public"].as_str().unwrap().as_bytes();
    let digit = |byte: u8| u8::try_from(char::from(byte).to_digit(16).unwrap()).unwrap();
    let point: Vec<u8> = digits
        .chunks(2)
        .map(|two| digit(two[0]) * 16 + digit(two[1]))
        .collect();
    let mut queue = Queue::<4>::new(LAMP.hashed(&mut Sha256::new()), boot, 1);
    let off = Consents::off();
    queue.record(&off, &BOOT_LOOP, &[3.into()], Millis(0)).unwrap();
    let key = ServiceKey::new(hpke::X25519_CHACHA20_POLY1305, &point, *b"2026-key");
    let (mut scratch, mut out, mut rng) = ([0; 128], [0; 128], SimRng::new(boot.into()));
    let sizes = Sizes::up_to(SizeClass::B128);
    let batch = queue.batch(&off, &key, sizes, &mut rng, &mut scratch, &mut out);
    batch.unwrap().unwrap().bytes().to_vec()
}

#[test]
fn batches_to_the_services_key_are_opened_with_its_private_half() {
    let bench = Bench::new("batches_to_the_services_key");
    let mut canonical = Vec::new();
    LAMP.canonical(&mut |piece| canonical.extend_from_slice(piece));
    bench.write("r.cbor", &canonical);
    bench.done("key new service.key --kind x25519 --kid 2026-key");
    bench.done("key new other.key --kind x25519 --kid 2027-key");
    bench.done("key new twin.key --kind x25519 --kid 2026-key");
    bench.done("key new nameless.key --kind x25519");
    let (_, public) = bench.json("key show service.key.pub");
    for (device, boot) in [("A", 1), ("B", 2)] {
        fs::create_dir_all(bench.path("in").join(device)).unwrap();
        bench.write(&format!("in/{device}/1.batch"), &sealed_to(&public, boot));
    }
    let decode = "telemetry decode --registry r.cbor";
    let lines = bench.done(&format!(
        "{decode} --service-key other.key --service-key service.key in"
    ));
    assert_eq!(lines.lines().count(), 2);
    assert!(
        lines.lines().all(|line| line.contains("iotsec.boot-loop")),
        "{lines}"
    );
    // Beside those under shared keys, a device is known by its own.
    bench.write("keys", format!("A {}\n", "11".repeat(32)).as_bytes());
    let run = bench.run(&format!("{decode} --keys keys --service-key service.key in"));
    assert_eq!((run.status, run.out.lines().count()), (Some(1), 1));
    assert!(
        run.err.contains("B/1.batch refused: device unknown (error 8101)"),
        "{}",
        run.err
    );

    let fails = |keys: &str, said: &str| {
        let run = bench.run(&format!("{decode} {keys} in/A"));
        assert_eq!(run.status, Some(1), "{run:?}");
        assert!(run.err.contains(said), "{keys}: {}", run.err);
    };
    fails(
        "--service-key other.key",
        "key of the service unknown (error 8104)",
    );
    fails("--service-key twin.key", "(error 1202)");
    fails(
        "--service-cipher aes-128-gcm --service-key service.key",
        "(error 1202)",
    );
    fails(
        "--service-key service.key --service-key twin.key",
        "key name taken (error 8106)",
    );
    fails("--service-key nameless.key", "no name of 8 bytes");
    fails("--service-key service.key.pub", "holds a public key only");
    let whole = bench.read("in/A/1.batch");
    bench.write("in/A/1.batch", &whole[..100]);
    fails(
        "--service-key service.key",
        "not the length of a size class (error 4401)",
    );
}

const MODE: MetricDef = MetricDef::new(
    1,
    "lamp.mode",
    "1",
    Purpose::Usage,
    "Tells which mode is worth having",
    Aggregate::RandomizedResponse {
        answers: &["day", "night"],
        epsilon: epsilon!(2 / 1),
    },
);
const LIT: MetricDef = MetricDef::new(
    2,
    "lamp.lit",
    "h",
    Purpose::Usage,
    "Tells how long lamps have to last",
    Aggregate::Laplace {
        min: 0,
        max: 24,
        epsilon: epsilon!(1 / 1),
    },
);
registry!(static NOISED = [], metrics [MODE, LIT], handling Handling::new("a@lamps.example", "Lamps Ltd", 90));

#[derive(Default)]
struct Ram(Vec<u8>);

impl LedgerStorage for Ram {
    fn load(&mut self, record: &mut [u8; LEDGER_RECORD_MAX_LEN]) -> Result<Option<usize>, StorageError> {
        record[..self.0.len()].copy_from_slice(&self.0);
        Ok((!self.0.is_empty()).then_some(self.0.len()))
    }
    fn store(&mut self, record: &[u8]) -> Result<(), StorageError> {
        self.0 = record.to_vec();
        Ok(())
    }
}

impl ConsentStorage for Ram {
    fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
        Ok(false)
    }
    fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
        Ok(())
    }
}

/// What a device with this value reports.
fn report(definition: &MetricDef, value: u32, seed: u64) -> Vec<u8> {
    let (mut flash, mut counter, mut rng) = (Ram::default(), SimCounter::new(), SimRng::new(seed));
    let mut consents = Consents::off();
    consents.grant::<Usage>(1, None, &mut Ram::default()).unwrap();
    let secret = Secret::from_bytes([7; 32]);
    let key = LedgerKey::new(&secret, &Aes256GcmSiv, &HkdfSha256);
    let allowance = Allowance {
        per_metric: epsilon!(2 / 1),
        in_all: epsilon!(2 / 1),
        renewals: 1,
    };
    let mut ledger = Ledger::format(key, allowance, &mut flash, &mut counter).unwrap();
    let mut budget = Budget {
        ledger: &mut ledger,
        storage: &mut flash,
        counter: &mut counter,
        rng: &mut rng,
        now: None,
    };
    let metric = Metric::new(&NOISED.hashed(&mut Sha256::new()), definition).unwrap();
    let consent = consents.live::<Usage>().unwrap();
    let report = Personal::<u32, Usage>::new(value).noise(&metric, &consent, &mut budget);
    report.unwrap().bytes().to_vec()
}

#[test]
fn a_tally_gives_an_estimate_with_its_error_and_nothing_over_a_few() {
    let bench = Bench::new("a_tally_gives_an_estimate");
    let mut canonical = Vec::new();
    NOISED.canonical(&mut |piece| canonical.extend_from_slice(piece));
    bench.write("r.cbor", &canonical);
    fs::create_dir(bench.path("in")).unwrap();
    let (mut hours, mut truth) = (String::new(), 0);
    for device in 0..300u32 {
        let name = format!("in/{device}");
        bench.write(
            &name,
            &report(&MODE, u32::from(device % 4 == 0), 1000 + u64::from(device)),
        );
        truth += i64::from(device % 25) * 1000;
        for byte in report(&LIT, device % 25, 5000 + u64::from(device)) {
            hours.push_str(&format!("{byte:02x}"));
        }
        hours.push('\n');
    }
    bench.write("hours", hours.as_bytes());
    let tally = "telemetry tally --registry r.cbor --minimum 300";
    let near = |result: &Value, truth: i64| {
        let off = (result["thousandths"].as_i64().unwrap() - truth).unsigned_abs();
        let error = result["error_thousandths"].as_u64().unwrap();
        assert!(error > 0 && off < 4 * error, "{result} for {truth}");
    };
    let (status, modes) = bench.json(&format!("{tally} --metric lamp.mode in"));
    assert_eq!((status, &modes["reports"]), (Some(0), &300.into()));
    assert_eq!(modes["epsilon"], serde_json::json!([2, 1]));
    near(&modes["result"][0], 225_000);
    near(&modes["result"][1], 75_000);
    let (_, lit) = bench.json(&format!("{tally} --metric 2 hours"));
    near(&lit["result"], truth);
    let said = bench.done(&format!("{tally} --metric lamp.mode in"));
    assert!(said.contains("night") && said.contains(" ± "), "{said}");

    // A report that came again, one of another metric and one of none do not count, and then there are too few.
    bench.write("in/7", &bench.read("in/8"));
    let run = bench.run(&format!("{tally} --metric lamp.mode in"));
    assert_eq!((run.status, run.out.as_str()), (Some(1), ""));
    assert!(
        run.err
            .contains("299 of 300 reports count: too few reports (error 8205)"),
        "{}",
        run.err
    );
    bench.write("in/9", b"nothing");
    bench.write("in/11", &report(&LIT, 3, 1));
    let lower = tally.replace("300", "297");
    let run = bench.run(&format!("{lower} --metric lamp.mode in"));
    assert_eq!(run.status, Some(1));
    for said in [
        "in/8 refused: report repeated (error 8203)",
        "in/9 refused:",
        "in/11 refused: report of another metric",
    ] {
        assert!(run.err.contains(said), "{said}: {}", run.err);
    }
    assert!(run.out.contains("297 reports"), "{}", run.out);
    bench.refused(
        "telemetry tally --registry r.cbor --minimum 19 --metric lamp.mode in",
        "tally cannot be made: minimum too small (error 8201)",
    );
    bench.misused(
        &format!("{tally} --metric lamp.no in"),
        "no metric \"lamp.no\" in the registry",
    );
}

const RESTARTS: MetricDef = MetricDef::new(
    1,
    "restarts",
    "1",
    Purpose::Security,
    "Shows devices that are attacked",
    Aggregate::Sum { max: 255 },
);
registry!(static SHARED = [], metrics [RESTARTS], handling Handling::new("a@lamps.example", "Lamps Ltd", 90));

#[test]
#[cfg(not(feature = "prio"))]
fn a_build_without_libprio_says_so() {
    let bench = Bench::new("a_build_without_libprio");
    let mut canonical = Vec::new();
    SHARED.canonical(&mut |piece| canonical.extend_from_slice(piece));
    bench.write("r.cbor", &canonical);
    bench.misused(
        "telemetry tally --registry r.cbor --metric restarts r.cbor",
        "restarts is reported in shares, which this build does not sum",
    );
}

#[test]
#[cfg(feature = "prio")]
fn shares_of_two_servers_are_checked_and_summed() {
    use iotsec::telemetry::prio3::{Measurement, Prio3};
    let bench = Bench::new("shares_of_two_servers");
    let mut canonical = Vec::new();
    SHARED.canonical(&mut |piece| canonical.extend_from_slice(piece));
    bench.write("r.cbor", &canonical);
    let (vdaf, off) = (Prio3::of(&RESTARTS).unwrap(), Consents::off());
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut lines = Vec::new();
    for device in 0..30u8 {
        let measurement = Measurement::new(&RESTARTS, device.into(), &off, None).unwrap();
        let (nonce, mut rng) = ([device; 16], SimRng::new(device.into()));
        let mut buffer = vec![0; vdaf.shares_len()];
        let shares = vdaf
            .split(measurement, b"lamps-2026", &nonce, &mut rng, &mut buffer)
            .unwrap();
        assert!(shares.public().is_empty());
        lines.push(format!(
            "{} - {} {}",
            hex(&nonce),
            hex(shares.leader()),
            hex(shares.helper())
        ));
    }
    bench.write("all", lines.join("\n").as_bytes());
    let tally = "telemetry tally --registry r.cbor --metric restarts --minimum 30";
    let (status, sum) = bench.json(&format!("{tally} --context lamps-2026 all"));
    assert_eq!((status, &sum["result"]["sum"]), (Some(0), &435.into()));
    // Split for another context, or one of them changed.
    let run = bench.run(&format!("{tally} --context lamps-2027 all"));
    assert!(
        run.err
            .contains("0 of 30 reports count: too few reports (error 8305)"),
        "{}",
        run.err
    );
    lines[7].replace_range(40..41, "z");
    lines[9] = lines[8].clone();
    bench.write("all", lines.join("\n").as_bytes());
    let lower = tally.replace("30", "28");
    let run = bench.run(&format!("{lower} --context lamps-2026 all"));
    assert_eq!(run.status, Some(1));
    for said in [
        "all:8 refused: not four parts",
        "all:10 refused: report repeated (error 8303)",
    ] {
        assert!(run.err.contains(said), "{}", run.err);
    }
    assert!(
        run.out.contains("28 reports") && run.out.contains(&format!("{}", 435 - 7 - 9)),
        "{}",
        run.out
    );
    bench.misused(&format!("{tally} all"), "restarts is reported in shares");
}

/// The lines to type.
fn script(guide: &str) -> String {
    let blocks = guide.split("```console\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap()).collect()
}

#[test]
#[cfg(unix)]
fn who_follows_the_telemetry_guide_sees_the_fleet() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guides/telemetry.md");
    let guide = fs::read_to_string(guide).unwrap();
    let bench = Bench::new("who_follows_the_telemetry_guide");
    let own = Path::new(env!("CARGO_BIN_EXE_iotsec")).parent().unwrap();
    let inherited = std::env::var_os("PATH").unwrap_or_default();
    let paths = std::iter::once(own.to_owned()).chain(std::env::split_paths(&inherited));
    let run = Command::new("sh")
        .args(["-e", "-c", &script(&guide)])
        .current_dir(bench.path(""))
        .env("PATH", std::env::join_paths(paths).unwrap())
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    let said = String::from_utf8(run.stdout).unwrap();
    assert!(said.contains("iotsec.auth-burst"), "{said}");
    for name in ["logs.json", "findings.jsonl", "lamp.html", "lamp.json"] {
        assert!(bench.path(name).exists(), "{name}");
    }
}
