use std::{collections::BTreeMap, fs, path::Path, process::Command};

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
        (&1.into(), &157.into())
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
        "STRANGER/1.batch refused: device unknown (error 7101)",
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
