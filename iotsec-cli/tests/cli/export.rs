//! What programming lines take, against what was sealed for them.

use std::fs;

use iotsec::core::{
    credential::{UnitKey, UnitRecord},
    crypto::{P256SigningKey, Sign as _},
    qr::{MatterCode, MatterPayload},
    secret::Secret,
};

use crate::bench::{Bench, LAMP, MATTER};

const UNITS: usize = 70;
const KEYS: &str = "--key station/recipient.key --signer batch/signer.pub";

fn station(test: &str, manifest: &str) -> Bench {
    let bench = Bench::new(test);
    bench.write("iotsec.toml", manifest.as_bytes());
    bench.done("ca init --organization Example");
    bench.done(&format!(
        "provision batch --manifest iotsec.toml --count {UNITS} --out batch"
    ));
    bench.done(&format!(
        "provision unseal batch/devices.sealed {KEYS} --out units.csv"
    ));
    bench
}

fn export(format: &str, out: &str) -> String {
    format!("provision export batch {KEYS} --format {format} --out {out}")
}

/// Serial number, password, code, seed and certificate of each unit.
fn units(bench: &Bench) -> Vec<[String; 5]> {
    let text = String::from_utf8(bench.read("units.csv")).unwrap();
    let fields = |line: &str| {
        let mut fields = line.split(',').map(str::to_owned);
        std::array::from_fn(|_| fields.next().unwrap())
    };
    text.lines().skip(1).map(fields).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn every_unit_reads_its_own_record() {
    let bench = station("every_unit_reads_its_own_record", LAMP);
    let (_, report) = bench.json(&export("store", "out"));
    assert_eq!(
        (&report["units"], &report["written"]),
        (&UNITS.into(), &UNITS.into())
    );
    for [serial, password, code, seed, certificate] in units(&bench) {
        let name = format!("out/{serial}.unit");
        let bytes = bench.read(&name);
        let record = UnitRecord::parse(&bytes).unwrap();
        assert_eq!((record.serial(), record.setup_code()), (&*serial, Some(&*code)));
        assert_eq!(record.password().unwrap().label().as_str(), password);
        let Some(UnitKey::Ed25519(key)) = record.device_key() else {
            panic!("{record:?}")
        };
        assert_eq!(hex(key), seed);
        assert_eq!(hex(record.certificate().unwrap()), certificate);
        #[cfg(unix)]
        assert_eq!(bench.mode(&name), 0o600);
    }
    // Nothing is overwritten, and a run that was cut is finished.
    fs::remove_file(bench.path("out/L2-000070.unit")).unwrap();
    let (_, report) = bench.json(&export("store", "out"));
    assert_eq!(
        (&report["kept"], &report["written"]),
        (&(UNITS - 1).into(), &1.into())
    );
    bench.write("out/L2-000002.unit", b"mine");
    bench.refused(
        &export("store", "out"),
        "out/L2-000002.unit exists already and is left as it is",
    );
}

/// Type and data of each entry.
fn entries(partition: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut rest = partition;
    let mut entries = Vec::new();
    while let [0x11, 0xBA, 0x5E, 0xBA, 0, 0, 0, 0, kind, 0, low, high, data @ ..] = rest {
        let len = usize::from(u16::from_le_bytes([*low, *high]));
        entries.push((*kind, data[..len].to_vec()));
        rest = &data[len.next_multiple_of(16) + 4..];
    }
    assert!(rest.iter().all(|byte| *byte == 0xFF));
    entries
}

#[test]
fn the_partition_of_espressif_has_certificate_authority_and_key() {
    let manifest = LAMP.replace("origin = \"factory\"", "origin = \"factory\"\nkind = \"p256\"");
    let bench = station(
        "the_partition_of_espressif_has_certificate_authority_and_key",
        &manifest,
    );
    let (_, report) = bench.json("provision verify batch --key station/signing.key");
    assert_eq!(report["device_key_type"], "p256");
    bench.done(&format!(
        "{} --ca station/ca.crt",
        export("esp-secure-cert", "out")
    ));
    bench.done(&export("store", "records"));
    for [serial, _, _, scalar, certificate] in units(&bench) {
        let partition = bench.read(&format!("out/{serial}.bin"));
        assert_eq!(partition.len(), 0x2000);
        let entries = entries(&partition);
        let kinds: Vec<u8> = entries.iter().map(|(kind, _)| *kind).collect();
        assert_eq!(kinds, [1, 0, 2]);
        assert_eq!(hex(&entries[0].1), certificate);
        let bytes = bench.read(&format!("records/{serial}.unit"));
        let Some(UnitKey::P256(key)) = UnitRecord::parse(&bytes).unwrap().device_key() else {
            panic!("{serial}")
        };
        assert_eq!(hex(key), scalar);
        // ECPrivateKey of P-256 (RFC 5915).
        let point = P256SigningKey::from_scalar(&Secret::from_bytes(*key)).unwrap();
        let der = format!(
            "30770201010420{scalar}a00a06082a8648ce3d030107a144034200{}",
            hex(point.public_key())
        );
        assert_eq!(hex(&entries[2].1), der);
    }
    bench.misused(
        &format!("{} --ca station/ca.crt", export("store", "other")),
        "--ca is for --format esp-secure-cert alone",
    );
    bench.refused(
        &format!("{} --ca iotsec.toml", export("esp-secure-cert", "other")),
        "iotsec.toml holds no certificate in PEM",
    );
}

#[test]
fn a_key_that_the_chip_cannot_use_is_not_written_for_it() {
    let bench = station("a_key_that_the_chip_cannot_use_is_not_written_for_it", LAMP);
    bench.refused(
        &export("esp-secure-cert", "out"),
        "\"L2-000001\" has no P-256 key, which is what TLS of Espressif's chips takes",
    );
}

#[test]
fn matter_gets_a_list_and_its_keys_in_the_nvs() {
    let manifest = format!("{LAMP}{MATTER}").replace("\"Lamp\"", "\"Lamp, large\"");
    let bench = station("matter_gets_a_list_and_its_keys_in_the_nvs", &manifest);
    bench.done(&export("matter", "out"));
    bench.done(&export("esp-nvs", "out"));
    bench.done(&export("store", "out"));
    let list = String::from_utf8(bench.read("out/matter.csv")).unwrap();
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!((lines.len(), lines[0][7]), (UNITS + 1, "verifier"));
    for ([serial, _, code, ..], line) in units(&bench).iter().zip(&lines[1..]) {
        let payload = MatterPayload::parse(line[8]).unwrap();
        let passcode: u32 = code.parse().unwrap();
        assert_eq!((line[0], line[4], line[5]), (&**serial, &**code, "1000"));
        assert_eq!((line[1], line[2]), ("65521", "32768"));
        assert_eq!(line[3], payload.discriminator().to_string());
        assert_eq!(payload.passcode().expose(), passcode);
        assert_eq!(MatterCode::parse(line[9]).unwrap().passcode().expose(), passcode);
        assert_eq!((line[6].len(), line[7].len()), (44, 132));

        let nvs = String::from_utf8(bench.read(&format!("out/{serial}.csv"))).unwrap();
        let record = bench.read(&format!("out/{serial}.unit"));
        for wanted in [
            format!(
                "iotsec,namespace,,\nserial,data,string,{serial}\nunit,data,hex2bin,{}\n",
                hex(&record)
            ),
            format!(
                "\ndiscriminator,data,u32,{}\niteration-count,data,u32,1000\n",
                line[3]
            ),
            format!(
                "\nsalt,data,string,{}\nverifier,data,string,{}\n",
                line[6], line[7]
            ),
            "\nproduct-name,data,string,\"Lamp, large\"\n".to_owned(),
        ] {
            assert!(nvs.contains(&wanted), "{nvs}");
        }
    }
    let run = bench.run(&export("matter", "out"));
    assert!(
        run.status == Some(1) && run.err.contains("out/matter.csv exists already"),
        "{run:?}"
    );
    assert!(!bench.path("out/matter.csv.unfinished").exists());
}

#[test]
fn what_a_batch_lacks_is_named_with_a_way_to_it() {
    let manifest = LAMP.replace("origin = \"factory\"", "origin = \"device\"");
    let bench = station("what_a_batch_lacks_is_named_with_a_way_to_it", &manifest);
    bench.refused(
        &export("esp-secure-cert", "out"),
        "\"L2-000001\" has no device key that was made at the station",
    );
    bench.refused(&export("matter", "out"), "\"L2-000001\" has no Matter passcode");
    assert!(!bench.path("out/matter.csv").exists() && !bench.path("out/matter.csv.unfinished").exists());
    bench.done(&export("store", "out"));
    let bytes = bench.read("out/L2-000001.unit");
    let record = UnitRecord::parse(&bytes).unwrap();
    assert!(record.password().is_some() && record.device_key().is_none());
    let nvs = String::from_utf8({
        bench.done(&export("esp-nvs", "out"));
        bench.read("out/L2-000001.csv")
    });
    assert!(!nvs.unwrap().contains("chip-factory"));
    // The labels' recipient has no business with device keys.
    bench.done("key new printer --kind x25519");
    let run = bench.run(&export("store", "no").replace("station/recipient.key", "printer"));
    assert_eq!(run.status, Some(1), "{run:?}");
}
