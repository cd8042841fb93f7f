//! Releases of several components, with everything that a manifest can say of them; and plans.

use crate::bench::Bench;

const DEVICE: &str = "--vendor-domain example.com --model lamp-2";

fn maker(test: &str) -> Bench {
    let bench = Bench::new(test);
    bench.done("key new maker --kid maker-1");
    let image =
        |size: u32, step: u32| -> Vec<u8> { (0..size).map(|i| (i / step).to_le_bytes()[0]).collect() };
    bench.write("app.bin", &image(5000, 3));
    bench.write("radio.bin", &image(2500, 7));
    bench.write("boot.bin", &image(900, 1));
    bench
}

/// Two components to be installed and one that stays.
const THREE: &str = "--payload 00=app.bin --payload 01=radio.bin --keep 02=boot.bin \
    --uri 00=https://fw.example.com/app --uri 01=#radio";

#[test]
fn several_components_go_into_one_release() {
    let bench = maker("several_components_go_into_one_release");
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 {THREE} --key maker --out 2.suit"
    ));
    let places = "--component 00=8192 --component 01 --component 02 --component 03";
    let verify = format!("update verify 2.suit {DEVICE} {places} --key maker.pub");
    let (status, value) = bench.json(&format!("{verify} --payload app.bin"));
    assert_eq!(status, Some(0), "{value}");
    let components = value["components"].as_array().unwrap();
    let checked: Vec<_> = components
        .iter()
        .map(|component| {
            (
                component["component"].as_str().unwrap(),
                component["payload_checked"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        checked,
        [("[h'00']", true), ("[h'01']", true), ("[h'02']", false)]
    );
    bench.refused(
        &format!("{verify} --payload radio.bin"),
        "radio.bin refused: payload not complete (error 2708)",
    );

    let (_, plan) = bench.json(&format!("update plan 2.suit {DEVICE} {places} --key maker.pub"));
    assert_eq!(plan["untouched"], serde_json::json!(["03"]));
    let components = plan["components"].as_array().unwrap();
    let invoked: Vec<_> = components
        .iter()
        .map(|component| component["invoke"].as_bool().unwrap())
        .collect();
    assert_eq!(invoked, [true, false, false]);
    let sources: Vec<_> = components
        .iter()
        .map(|component| component["source"].as_str().unwrap())
        .collect();
    assert_eq!(sources, ["uri", "integrated", "none"]);
    // Too small for one of them.
    let small = places.replace("8192", "4999");
    bench.refused(
        &format!("update verify 2.suit {DEVICE} {small} --key maker.pub"),
        "2.suit refused: image larger than its place (error 2088)",
    );
}

#[test]
fn options_for_components_must_belong_to_one() {
    let bench = maker("options_for_components_must_belong_to_one");
    let create = format!("update create {DEVICE} --sequence 2 --key maker --out 2.suit");
    for (line, reason) in [
        (
            "--payload app.bin --payload radio.bin --integrated",
            "component 00 is given twice",
        ),
        (
            "--payload 00=app.bin --payload 01=radio.bin --uri https://fw.example.com/app",
            "component 01 has a payload and no place to fetch it from",
        ),
        (
            "--payload app.bin --integrated --invoke 05",
            "component 05 has an option and no image",
        ),
        (
            "--payload app.bin --uri 00=https://a.example --uri 01=https://b.example",
            "component 01 has an option and no image",
        ),
        (
            "--payload app.bin --integrated --heatshrink 8,4",
            "--transport goes with --heatshrink, --base or --encryption-info, and the first two exclude each other",
        ),
        (
            "--payload app.bin --integrated --chunk-size 1000",
            "chunks of 1000 bytes cannot be",
        ),
    ] {
        bench.misused(&format!("{create} {line}"), reason);
    }
    assert!(!bench.path("2.suit").exists());
    // A file name may have an equals sign in it.
    bench.write("app=1.bin", &[1; 10]);
    bench.done(&format!("{create} --payload app=1.bin --integrated"));
}

#[test]
fn chunk_digests_find_a_changed_payload() {
    let bench = maker("chunk_digests_find_a_changed_payload");
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload app.bin --uri https://fw.example.com/app \
         --chunk-size 1024 --key maker --out 2.suit"
    ));
    let verify = format!("update verify 2.suit {DEVICE} --key maker.pub --payload");
    bench.done(&format!("{verify} app.bin"));
    let mut changed = bench.read("app.bin");
    *changed.last_mut().unwrap() ^= 1;
    bench.write("changed.bin", &changed);
    bench.refused(
        &format!("{verify} changed.bin"),
        "changed.bin refused: payload digest does not match (error 2709)",
    );
    let plan = bench.done(&format!("update plan 2.suit {DEVICE} --key maker.pub"));
    assert!(
        plan.contains("check each of 5 chunks of 1024 bytes as it arrives"),
        "{plan}"
    );
    let shown = bench.done("update inspect 2.suit");
    assert!(
        shown.contains("chunk digests = 5 chunks of 1024 bytes"),
        "{shown}"
    );
}

#[test]
fn a_release_can_expire_be_for_one_device_and_say_what_it_is() {
    let bench = maker("a_release_can_expire_be_for_one_device_and_say_what_it_is");
    let device = "cfbff0d1-9375-5685-968c-48ce8b15ae17";
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload app.bin --uri https://fw.example.com/app \
         --use-before 2099-01-31 --device {device} --description Repairs_the_switch --sever-install \
         --reference-uri https://fw.example.com/2.suit --key maker --out 2.suit"
    ));
    let verify = format!("update verify 2.suit {DEVICE} --key maker.pub");
    bench.done(&format!("{verify} --device {device}"));
    for (line, reason) in [
        ("".to_owned(), "made for another device (error 2073)"),
        (
            "--device 09208fa2-31fa-5e77-9f1f-a7e4ea720185".to_owned(),
            "made for another device (error 2073)",
        ),
        (
            format!("--device {device} --time 2099-01-31"),
            "manifest has expired (error 2075)",
        ),
        (
            format!("--device {device} --no-clock"),
            "manifest expires and there is no trusted time (error 2076)",
        ),
    ] {
        bench.refused(&format!("{verify} {line}"), &format!("2.suit refused: {reason}"));
    }
    let shown = bench.done("update inspect 2.suit");
    for expected in [
        "Repairs_the_switch",
        "install (severed)",
        "use-before = 2099-01-31T00:00:00Z",
        "reference URI: \"https://fw.example.com/2.suit\"",
        &format!("device = {device}"),
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn a_plan_names_the_stage_the_rule_and_the_remedy_of_a_refusal() {
    let bench = maker("a_plan_names_the_stage_the_rule_and_the_remedy_of_a_refusal");
    bench.done("key new stranger");
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload app.bin --integrated --key maker --out 2.suit"
    ));
    for (line, number, stage) in [
        ("--key stranger.pub", 2022, "authenticated"),
        ("--key maker.pub --installed 2", 2042, "admitted"),
        ("--key maker.pub --max-integrated 4900", 2003, "read"),
    ] {
        let (status, value) = bench.json(&format!("update plan 2.suit {DEVICE} {line}"));
        let error = &value["error"];
        assert_eq!((status, &error["number"]), (Some(1), &number.into()), "{value}");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains(&format!("refused when it is {stage}")),
            "{message}"
        );
        assert!(error["rule"].as_str().unwrap().len() > 10, "{value}");
    }
    bench.done(&format!(
        "update plan 2.suit {DEVICE} --key maker.pub --installed 2 --reinstall"
    ));
}

#[test]
fn encryption_info_that_devices_would_stumble_over_is_not_signed() {
    let bench = maker("encryption_info_that_devices_would_stumble_over_is_not_signed");
    bench.done("key new lamp --kind x25519");
    for (alg, name) in [("a128ctr", "ctr"), ("chacha20poly1305", "aead")] {
        bench.done(&format!(
            "update encrypt --recipient lamp.pub --alg {alg} --in app.bin --out {name}.enc --info {name}.info"
        ));
    }
    bench.write("junk.info", &bench.read("radio.bin"));
    let create = format!("update create {DEVICE} --sequence 2 --uri https://fw.example.com/app --key maker");
    for name in ["ctr", "aead"] {
        bench.refused(
            &format!(
                "{create} --payload radio.bin --transport {name}.enc --encryption-info {name}.info --out 2.suit"
            ),
            "the payload of component 00 is not that image, encrypted",
        );
    }
    let run = bench.run(&format!(
        "{create} --payload app.bin --transport ctr.enc --encryption-info junk.info --out 2.suit"
    ));
    assert_eq!(run.status, Some(1));
    assert!(run.err.contains("encryption info cannot be made"), "{}", run.err);
    assert!(!bench.path("2.suit").exists());
}

#[test]
fn a_base_is_held_against_the_patch() {
    let bench = maker("a_base_is_held_against_the_patch");
    bench.done("update delta --from radio.bin --to app.bin --out app.patch");
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload app.bin --transport app.patch --base radio.bin \
         --uri https://fw.example.com/app --key maker --out 2.suit"
    ));
    let verify = format!("update verify 2.suit {DEVICE} --key maker.pub --payload app.patch");
    let told = bench.done(&verify);
    assert!(
        told.contains("as signed; --base checks the image that the patch makes"),
        "{told}"
    );
    let told = bench.done(&format!("{verify} --base radio.bin"));
    assert!(
        told.contains("app.patch: size and digest are as signed"),
        "{told}"
    );
    bench.refused(
        &format!("{verify} --base boot.bin"),
        "boot.bin refused: another base than that of the patch (error 2923)",
    );
}

#[test]
fn a_file_of_another_kind_is_called_one() {
    let bench = maker("a_file_of_another_kind_is_called_one");
    bench.done(&format!(
        "trust init {DEVICE} --root maker.pub --update maker.pub --key maker --out 1.trust"
    ));
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload app.bin --integrated --key maker --out 2.suit"
    ));
    for file in ["1.trust", "app.bin"] {
        bench.refused(
            &format!("update verify {file} {DEVICE} --key maker.pub"),
            &format!("{file} refused: not a tagged SUIT envelope (error 2001)"),
        );
    }
    bench.refused(
        "trust inspect 2.suit",
        "2.suit refused: not this kind of document, or another version of it (error 2201)",
    );
}
