//! What a product opens, from its manifest.

use std::fs;

use iotsec::core::{
    crypto::{Ed25519PublicKey, Ed25519SigningKey},
    hal::Millis,
    input::DeviceSerial,
};
use serde_json::{Value, json};

use crate::bench::{Bench, LAMP};

const SAMPLE: &str = include_str!("../../../examples/products/lamp/iotsec.toml");
const SAMPLE_TABLE: &str = include_str!("../../../examples/products/lamp/surface.rs");

const SURFACE: &str = r#"
[[surface.service]]
id = "app"
purpose = "The owner's app"
tcp = 8443
scope = "local"
authentication = "password"
phases = ["owned"]

[[surface.service]]
id = "agent"
purpose = "Takes updates"
tcp = 9000
scope = "loopback"
authentication = "shared-key"
"#;

fn bench(test: &str) -> Bench {
    let bench = Bench::new(test);
    bench.write("iotsec.toml", format!("{LAMP}{SURFACE}").as_bytes());
    bench
}

/// A line of a table of TCP sockets that listen, as this machine would have it.
fn listening(address: [u8; 4], port: u16) -> String {
    let address = u32::from_ne_bytes(address);
    format!("   0: {address:08X}:{port:04X} 00000000:0000 0A 0:0 00:0 0 0 0 17 1 0 100 0 0 10 0\n")
}

/// A procfs in which nothing but these sockets listens.
fn procfs(bench: &Bench, sockets: &[String]) {
    fs::create_dir_all(bench.path("proc/net")).unwrap();
    let header =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    bench.write("proc/net/tcp", format!("{header}{}", sockets.concat()).as_bytes());
}

#[test]
fn the_sample_product_and_its_rust_table_say_the_same() {
    let bench = Bench::new("the_sample_product_and_its_rust_table_say_the_same");
    bench.write("iotsec.toml", SAMPLE.as_bytes());
    assert_eq!(bench.done("surface table --manifest iotsec.toml"), SAMPLE_TABLE);
    bench.write("surface.rs", SAMPLE_TABLE.as_bytes());
    bench.done("surface table --manifest iotsec.toml --compare surface.rs");
    bench.write("iotsec.toml", SAMPLE.replace("8443", "8444").as_bytes());
    bench.refused(
        "surface table --manifest iotsec.toml --compare surface.rs",
        "surface.rs is not the table of iotsec.toml",
    );
    bench.done("surface table --manifest iotsec.toml --out new.rs");
    let new = String::from_utf8(bench.read("new.rs")).unwrap();
    assert_eq!(new, SAMPLE_TABLE.replace("8443", "8444"));
}

#[test]
fn every_socket_that_is_not_as_declared_is_a_finding() {
    let bench = bench("every_socket_that_is_not_as_declared_is_a_finding");
    let check = "surface check --manifest iotsec.toml --proc proc";
    let well = [listening([192, 168, 1, 2], 8443), listening([127, 0, 0, 1], 9000)];
    procfs(&bench, &well);
    let (status, value) = bench.json(check);
    assert_eq!(
        (status, &value["clean"], &value["sockets"]),
        (Some(0), &json!(true), &json!(2))
    );

    for (socket, finding, interface) in [
        (listening([127, 0, 0, 1], 23), "undeclared", Value::Null),
        (listening([0, 0, 0, 0], 9000), "wider", json!("agent")),
    ] {
        procfs(&bench, &[well.as_slice(), &[socket]].concat());
        let (status, value) = bench.json(check);
        assert_eq!(
            (status, value["findings"].as_array().unwrap().len()),
            (Some(1), 1),
            "{value}"
        );
        let found = &value["findings"][0];
        assert_eq!(
            (&found["finding"], &found["interface"]),
            (&json!(finding), &interface)
        );
        assert_eq!(value["counts"][finding], 1);
        assert!(!found["remedy"].as_str().unwrap().is_empty());
        let run = bench.run(check);
        assert_eq!((run.status, run.err.as_str()), (Some(1), ""));
        assert!(
            run.out.contains("remedy: ") && run.out.contains(finding),
            "{}",
            run.out
        );
    }

    procfs(&bench, &well);
    let (status, value) = bench.json(&format!("{check} --phase provisioned"));
    assert_eq!((status, &value["counts"]["closed"]), (Some(1), &json!(1)));
    let (status, value) = bench.json(&format!("{check} --least"));
    assert_eq!((status, &value["counts"]["closed"]), (Some(1), &json!(2)));
    procfs(&bench, &well[..1]);
    let (status, value) = bench.json(check);
    assert_eq!(
        (status, &value["findings"][0]["finding"]),
        (Some(1), &json!("absent"))
    );
    let (status, _) = bench.json(&format!("{check} --absent-ok"));
    assert_eq!(status, Some(0));
}

#[test]
fn what_cannot_be_seen_is_not_clean() {
    let bench = bench("what_cannot_be_seen_is_not_clean");
    let check = "surface check --manifest iotsec.toml --proc proc";
    bench.refused(
        check,
        "sockets cannot be seen: /proc/net/tcp cannot be read: entity not found (error 5351)",
    );
    procfs(&bench, &["nonsense\n".to_owned()]);
    bench.refused(
        check,
        "sockets cannot be seen: /proc/net/tcp line 2: malformed column (error 5344)",
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_listener_of_a_running_process_is_found_with_its_number() {
    let bench = bench("a_listener_of_a_running_process_is_found_with_its_number");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let own = std::process::id();
    let (status, value) = bench.json(&format!(
        "surface check --manifest iotsec.toml --pid {own} --absent-ok"
    ));
    assert_eq!(status, Some(1));
    let socket = format!("tcp {}", listener.local_addr().unwrap());
    let findings = value["findings"].as_array().unwrap();
    let found = findings
        .iter()
        .find(|finding| finding["socket"] == socket)
        .unwrap();
    assert_eq!(
        (&found["finding"], &found["pid"]),
        (&json!("undeclared"), &json!(own))
    );
}

#[test]
fn a_manifest_keeps_to_the_rules_of_the_table() {
    let bench = Bench::new("a_manifest_keeps_to_the_rules_of_the_table");
    for (right, wrong, reason) in [
        (
            "\"app\"",
            "\"agent\"",
            "[surface]: two interfaces have the same id",
        ),
        (
            "\"app\"",
            "\"App\"",
            "interface \"App\": an id has 1 to 32 lower-case letters, digits and hyphens",
        ),
        (
            "8443",
            "9000",
            "[surface]: two services listen on the same socket",
        ),
        ("8443", "0", "interface \"app\": a port is 1 to 65535"),
        (
            "tcp = 8443",
            "tcp = 8443\nudp = 8443",
            "service \"app\" has one of tcp, udp, unix, raw, packet",
        ),
        (
            "scope = \"local\"",
            "",
            "service \"app\" has no scope: loopback, local or any",
        ),
        (
            "tcp = 8443",
            "raw = 1",
            "service \"app\" has a scope, which is for tcp and udp",
        ),
        (
            "[\"owned\"]",
            "[]",
            "interface \"app\": an interface is there in no phase",
        ),
    ] {
        bench.write(
            "iotsec.toml",
            format!("{LAMP}{}", SURFACE.replacen(right, wrong, 1)).as_bytes(),
        );
        let run = bench.run("surface table --manifest iotsec.toml");
        let whole = format!("iotsec: iotsec.toml refused: line 16, column 3: surface: {reason}\nremedy: ");
        assert_eq!(run.status, Some(1), "{run:?}");
        assert!(run.err.starts_with(&whole), "{whole}\n{run:?}");
    }
    bench.write("iotsec.toml", LAMP.as_bytes());
    bench.refused(
        "surface table --manifest iotsec.toml",
        "iotsec.toml refused: it has no [surface]",
    );
}

#[test]
fn a_mud_file_is_made_of_the_manifest() {
    let bench = bench("a_mud_file_is_made_of_the_manifest");
    bench.refused(
        "surface mud --manifest iotsec.toml",
        "iotsec.toml refused: it has no [surface.mud]",
    );
    bench.write("iotsec.toml", SAMPLE.as_bytes());
    bench.done("surface mud --manifest iotsec.toml --time 2026-11-29 --out lamp-2.json");
    let file: Value = serde_json::from_slice(&bench.read("lamp-2.json")).unwrap();
    let mud = &file["ietf-mud:mud"];
    assert_eq!(
        (&mud["mud-version"], &mud["is-supported"]),
        (&json!(1), &json!(true))
    );
    assert_eq!(mud["last-update"], "2026-11-29T00:00:00Z");
    let lists = file["ietf-access-control-list:acls"]["acl"].as_array().unwrap();
    let rules = |list: &Value| list["aces"]["ace"].as_array().unwrap().len();
    // Four endpoints and two services: the third does not leave the device.
    assert_eq!(lists.iter().map(rules).collect::<Vec<_>>(), [6, 6, 6, 6]);
    bench.write(
        "iotsec.toml",
        SAMPLE.replace("https://lighting", "http://lighting").as_bytes(),
    );
    let run = bench.run("surface mud --manifest iotsec.toml");
    assert!(
        run.err.contains("takes an address that starts with https://"),
        "{run:?}"
    );
}

#[test]
fn a_debug_port_opens_to_the_makers_answer() {
    use iotsec::net::surface::debug::UnlockChallenge;

    let bench = Bench::new("a_debug_port_opens_to_the_makers_answer");
    bench.done("key new debug");
    let mut rng = iotsec_testkit::SimRng::new(5);
    let serial = DeviceSerial::parse(b"L2-000001").unwrap();
    let challenge = UnlockChallenge::new(serial, &mut rng, Millis(0)).unwrap();
    let mut out = [0; UnlockChallenge::MAX_LEN];
    bench.write("challenge", challenge.write(&mut out).unwrap());
    bench.misused(
        "surface unlock challenge --key debug --lifetime 0 --out token",
        "a port is opened for 0 seconds",
    );
    bench.refused(
        "surface unlock debug --key debug --out token",
        "debug refused: number out of range at byte 0 (error 1013)",
    );
    let said = bench.done("surface unlock challenge --key debug --lifetime 60 --out token");
    assert!(said.contains("device L2-000001"), "{said}");
    let public = bench.read("debug.pub");
    let anchor = Ed25519PublicKey::from_cose(&iotsec::core::cose::Key::parse(&public).unwrap()).unwrap();
    let token = bench.read("token");
    let unlocked = challenge
        .check(&token, &anchor, Millis(1), &mut [0; 256])
        .unwrap();
    assert_eq!(unlocked.until(), Millis::from_secs(60));
    let stranger = Ed25519SigningKey::from_seed(&iotsec::core::secret::Secret::from_bytes([3; 32]));
    let stranger = Ed25519PublicKey::from_bytes(iotsec::core::crypto::Sign::public_key(&stranger)).unwrap();
    let other = UnlockChallenge::new(serial, &mut iotsec_testkit::SimRng::new(5), Millis(0)).unwrap();
    assert!(other.check(&token, &stranger, Millis(1), &mut [0; 256]).is_err());
}
