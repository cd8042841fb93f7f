//! Attestation tokens, checked as a service checks them.

use iotsec::core::{
    attest::{Claims, Component, InstanceId, Lifecycle, LifecycleState, Nonce},
    cose::Key,
    crypto::{Ed25519SigningKey, Sha256, Sign},
    hal::DebugState,
    secret::Secret,
};

use crate::bench::{Bench, LAMP};

const NONCE: [u8; 32] = [0xA5; 32];

/// As `iotsec constants` makes it of the manifest of the bench.
fn manifest() -> [u8; 32] {
    Sha256::of(&[LAMP.as_bytes()])
}

fn bench(test: &str, components: &[Component<'_>], debug: DebugState) -> Bench {
    let bench = Bench::new(test);
    bench.done("key new lamp");
    bench.done("key new other");
    bench.write("iotsec.toml", LAMP.as_bytes());
    let file = bench.read("lamp");
    let seed = Secret::from_bytes(*Key::parse(&file).unwrap().secret().unwrap());
    let key = Ed25519SigningKey::from_seed(&seed);
    let claims = Claims {
        nonce: Nonce::new(&NONCE).unwrap(),
        instance_id: InstanceId::of(key.public_key(), &mut Sha256::new()),
        implementation_id: &[4; 32],
        client_id: 1,
        lifecycle: Lifecycle::new(LifecycleState::Secured, 0).with_debug_port(debug),
        components,
        boot_seed: None,
        boot_seed_for_tfm: false,
        certification: None,
        service: None,
    };
    let (mut scratch, mut out) = ([0; 2048], [0; 2048]);
    bench.write("token", claims.sign(&key, &mut scratch, &mut out).unwrap());
    bench
}

fn verify(more: &str) -> String {
    format!(
        "attest verify token --key lamp.pub --nonce {} {more}",
        "a5".repeat(32)
    )
}

fn refused(bench: &Bench, line: &str, why: &str) {
    let run = bench.run(line);
    assert_eq!(run.status, Some(1), "{line}");
    assert!(
        run.err.contains(why) && run.err.contains("\nremedy: "),
        "{line}\n{}",
        run.err
    );
}

#[test]
fn a_token_is_shown_with_the_manifest_that_the_firmware_was_built_from() {
    let digest = manifest();
    let components = [
        Component::image("App", &[2; 32], "1.4.2", &[3; 32]),
        Component::product(&digest, "1.4.2", &[3; 32]),
    ];
    let test = "a_token_is_shown_with_the_manifest_that_the_firmware_was_built_from";
    let bench = bench(test, &components, DebugState::Closed);
    let shown = bench.done(&verify("--manifest iotsec.toml"));
    for line in [
        "token: genuine",
        "life       secured, the debug port closed",
        "component  App 1.4.2 0202",
        "component  App_CONFIG 1.4.2 ",
        "manifest   the firmware was built from it",
    ] {
        assert!(shown.contains(line), "{line}\n{shown}");
    }
    let (status, value) = bench.json(&verify("--manifest iotsec.toml"));
    assert_eq!((status, &value["trustworthy"]), (Some(0), &true.into()));
    assert_eq!(value["components"][1]["digest"], value["manifest"]);

    // A manifest that was changed since is another one.
    bench.write("iotsec.toml", LAMP.replace("lamp-2", "lamp-3").as_bytes());
    refused(
        &bench,
        &verify("--manifest iotsec.toml"),
        "the firmware was built from the product manifest",
    );
    bench.done(&verify(""));
}

#[test]
fn another_key_another_nonce_and_a_token_that_says_nothing_of_a_manifest_are_refused() {
    let components = [Component::image("App", &[2; 32], "1.4.2", &[3; 32])];
    let test = "another_key_another_nonce_and_a_token_that_says_nothing_of_a_manifest_are_refused";
    let bench = bench(test, &components, DebugState::Open);
    assert!(bench.done(&verify("")).contains("life       not to be trusted"));
    refused(
        &bench,
        &verify("--manifest iotsec.toml"),
        "does not say which product manifest",
    );
    refused(
        &bench,
        &verify("").replace("lamp.pub", "other.pub"),
        "token refused",
    );
    refused(&bench, &verify("").replace("a5a5", "a6a5"), "token refused");
}
