//! What the tool makes is what a device installs: several components, chunks, patches, encryption, and all
//! of them together.

use iotsec::{
    core::{
        cose::{AgreementKey, RecipientKey},
        crypto::{
            Aes128Ctr, Aes128GcmStream, Aes128KeyWrap, Aes256Ctr, ChaCha20Poly1305Stream, ContentDecrypt,
            HkdfSha256, KeyAgreement, P256AgreementKey, Sha256, X25519Key,
        },
        hal::Slot,
        secret::Secret,
    },
    update::{
        install::InstallError,
        payload::{Checked, Decrypt, Delta, PayloadError, Plain, Unchecked},
    },
};
use iotsec_testkit::{Geometry, each_cut_sampled};

use crate::{
    bench::Bench,
    device::{DEVICE, Device, Network, Stop},
};

const APP: &str = "https://fw.example.com/app";
const RADIO: &str = "https://fw.example.com/radio";

/// Something like firmware: repetitive, and no two pages alike.
fn image(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let word = |at: usize| {
        if at.is_multiple_of(5) {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        }
        (state >> 8) ^ u32::try_from(at % 4).unwrap()
    };
    (0..len.div_ceil(4))
        .map(word)
        .flat_map(u32::to_le_bytes)
        .take(len)
        .collect()
}

/// The next release: a string, a piece of code inserted, and another end.
fn next(old: &[u8]) -> Vec<u8> {
    let mut new = old.to_vec();
    new[100..106].copy_from_slice(b"2.0.0\0");
    new.splice(old.len() / 3..old.len() / 3, image(99, 333));
    new.truncate(old.len() - 77);
    new
}

/// A maker, with two releases of two components, of which the first is installed.
fn maker(test: &str, app: usize, radio: usize) -> Bench {
    let bench = Bench::new(test);
    bench.done("key new maker");
    let (app, radio) = (image(1, app), image(2, radio));
    bench.write("app-2.bin", &next(&app));
    bench.write("radio-2.bin", &next(&radio));
    bench.write("app-1.bin", &app);
    bench.write("radio-1.bin", &radio);
    bench.done(&format!(
        "update create {DEVICE} --sequence 1 --payload 00=app-1.bin --payload 01=radio-1.bin \
         --uri 00={APP} --uri 01={RADIO} --key maker --out 1.suit"
    ));
    bench
}

fn device(bench: &Bench, geometry: &Geometry, pages: u32) -> Device<2> {
    let images = [bench.read("app-1.bin"), bench.read("radio-1.bin")];
    Device::new(bench, geometry, pages).with_factory(&bench.read("1.suit"), [&images[0], &images[1]])
}

/// What the device runs afterwards, and that it may not go back.
fn has_installed(bench: &Bench, device: &mut Device<2>, app: &str, radio: &str) {
    device.accept();
    for (place, name) in [app, radio].into_iter().enumerate() {
        let image = bench.read(name);
        assert!(device.image(Slot::B, place, image.len()) == image, "{name}");
    }
    assert_eq!(device.counter.value(), 2);
    let mut network = Network::new(&[]);
    let refused = device.stage(&bench.read("1.suit"), &mut network, Plain::default(), Unchecked);
    assert!(matches!(refused, Err(Stop::Admission(_))), "{refused:?}");
}

/// Lives of different lengths until the update is staged.
fn lives(network: &mut Network, mut life: impl FnMut(&mut Network) -> Result<(), Stop>) -> usize {
    let mut random = 7_usize;
    for number in 1..200 {
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        network.calls = (random >> 16) % (20 + 8 * number);
        match life(network) {
            Ok(()) => return number,
            Err(Stop::Reset) => {}
            Err(stop) => panic!("life {number}: {stop:?}"),
        }
    }
    panic!("never staged");
}

#[test]
fn two_components_with_chunk_digests_come_over_a_bad_link() {
    let bench = maker(
        "two_components_with_chunk_digests_come_over_a_bad_link",
        30_000,
        15_001,
    );
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload 00=app-2.bin --payload 01=radio-2.bin \
         --uri 00={APP} --uri 01={RADIO} --chunk-size 1024 --key maker --out 2.suit"
    ));
    let files = [(APP, bench.read("app-2.bin")), (RADIO, bench.read("radio-2.bin"))];
    let envelope = bench.read("2.suit");
    let fresh = device(&bench, &Geometry::nrf52840(60), 8);

    let mut straight = fresh.clone();
    let mut network = Network::new(&files);
    let mut buffer = [0; 1024];
    let check = Checked::new(&mut buffer, Sha256::new());
    straight
        .stage(&envelope, &mut network, Plain::default(), check)
        .unwrap();
    assert_eq!(network.sent, files[0].1.len() + files[1].1.len());
    has_installed(&bench, &mut straight, "app-2.bin", "radio-2.bin");

    let mut device = fresh.clone();
    let mut network = Network::new(&files);
    network.damaged = 11;
    let many = lives(&mut network, |network| {
        let check = Checked::new(&mut buffer, Sha256::new());
        device.stage(&envelope, network, Plain::default(), check)
    });
    assert!(many > 3, "{many}");
    has_installed(&bench, &mut device, "app-2.bin", "radio-2.bin");

    // A device without room for a chunk says so before anything is written, and one that checks none takes
    // it all the same: the image is what counts.
    let before = fresh.flash.image().to_vec();
    let mut device = fresh.clone();
    let check = Checked::new(&mut buffer[..512], Sha256::new());
    let refused = device.stage(&envelope, &mut Network::new(&files), Plain::default(), check);
    assert_eq!(
        refused,
        Err(Stop::Install(InstallError::Payload(PayloadError::ChunkSize)))
    );
    assert!(device.flash.image() == before);
    device
        .stage(&envelope, &mut Network::new(&files), Plain::default(), Unchecked)
        .unwrap();
    has_installed(&bench, &mut device, "app-2.bin", "radio-2.bin");
}

#[test]
fn a_patch_is_for_one_base_and_a_kept_component_is_copied() {
    let bench = maker(
        "a_patch_is_for_one_base_and_a_kept_component_is_copied",
        50_000,
        1_501,
    );
    bench.done("update delta --from app-1.bin --to app-2.bin --out app.patch");
    let create = format!(
        "update create {DEVICE} --sequence 2 --payload 00=app-2.bin --transport app.patch --uri 00={APP} \
         --keep 01=radio-1.bin --key maker"
    );
    bench.done(&format!("{create} --base app-1.bin --out 2.suit"));
    let files = [(APP, bench.read("app.patch"))];
    let envelope = bench.read("2.suit");
    let fresh = device(&bench, &Geometry::nrf52840(80), 13);

    for packet in [1, 64, 10_000] {
        let mut device = fresh.clone();
        let mut network = Network::new(&files);
        network.packet = packet;
        device
            .stage(&envelope, &mut network, Delta::<256>::new(), Unchecked)
            .unwrap();
        assert_eq!(network.sent, files[0].1.len());
        has_installed(&bench, &mut device, "app-2.bin", "radio-1.bin");
    }

    // Whoever runs something else is refused before a byte of the image is touched.
    let mut changed = bench.read("app-1.bin");
    changed[40_000] ^= 1;
    bench.write("other.bin", &changed);
    bench.refused(
        &format!("{create} --base other.bin --out other.suit"),
        "the payload of component 00 makes another image",
    );
    bench.done(&format!(
        "update create {DEVICE} --sequence 1 --payload 00=other.bin --payload 01=radio-1.bin \
         --uri 00={APP} --uri 01={RADIO} --key maker --out other.suit"
    ));
    let radio = bench.read("radio-1.bin");
    let mut other = Device::new(&bench, &Geometry::nrf52840(80), 13)
        .with_factory(&bench.read("other.suit"), [&changed, &radio]);
    let before = other.image(Slot::B, 0, 13 * 4096).to_vec();
    let mut network = Network::new(&files);
    let refused = other.stage(&envelope, &mut network, Delta::<256>::new(), Unchecked);
    assert_eq!(
        refused,
        Err(Stop::Install(InstallError::Payload(PayloadError::BaseDigest)))
    );
    assert!(other.image(Slot::B, 0, 13 * 4096) == before);
    assert_eq!(network.sent, 0);
}

/// What is made of the image before it is encrypted.
const ENCODINGS: [(&str, &str, &str); 3] = [
    ("plain", "app-2.bin", ""),
    ("patch", "app.patch", "--base app-1.bin"),
    ("packed", "app.hs", "--heatshrink 8,7"),
];

fn cipher(name: &str) -> Box<dyn ContentDecrypt> {
    match name {
        "a128ctr" => Box::new(Aes128Ctr::new()),
        "a256ctr" => Box::new(Aes256Ctr::new()),
        "a128gcm" => Box::new(Aes128GcmStream::new()),
        _ => Box::new(ChaCha20Poly1305Stream::new()),
    }
}

/// The device's private key, of the file that the tool made.
fn private(bench: &Bench, file: &str) -> Box<dyn KeyAgreement> {
    let bytes = bench.read(file);
    let secret = Secret::from_bytes(*AgreementKey::parse(&bytes).unwrap().secret().unwrap());
    if file == "lock" {
        Box::new(P256AgreementKey::from_scalar(&secret).unwrap())
    } else {
        Box::new(X25519Key::from_scalar(&secret))
    }
}

/// A release that is encoded and encrypted, with or without chunk digests; the payload and the envelope.
fn encrypted(bench: &Bench, key: &str, alg: &str, encoding: usize, chunks: &str) -> (Vec<u8>, Vec<u8>) {
    let (name, file, options) = ENCODINGS[encoding];
    let made = format!("{name}-{alg}-{key}{}", chunks.len());
    bench.done(&format!(
        "update encrypt --recipient {key}.pub --alg {alg} --in {file} --out {made}.enc --info {made}.info"
    ));
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload 00=app-2.bin --uri 00={APP} {options} {chunks} \
         --payload 01=radio-2.bin --uri 01=#radio --transport 00={made}.enc --encryption-info 00={made}.info \
         --key maker --out {made}.suit"
    ));
    (
        bench.read(&format!("{made}.enc")),
        bench.read(&format!("{made}.suit")),
    )
}

#[test]
fn encrypted_payloads_of_every_kind_are_installed_through_resets() {
    let bench = maker(
        "encrypted_payloads_of_every_kind_are_installed_through_resets",
        50_000,
        1_501,
    );
    bench.done("key new lamp --kind x25519 --kid lamp");
    bench.done("key new lock --kind p256-ecdh");
    bench.done("update delta --from app-1.bin --to app-2.bin --out app.patch");
    bench.done("update compress app-2.bin --out app.hs");
    let fresh = device(&bench, &Geometry::nrf52840(80), 13);
    for (number, alg) in ["a128ctr", "chacha20poly1305", "a256ctr", "a128gcm"]
        .into_iter()
        .enumerate()
    {
        for encoding in 0..ENCODINGS.len() {
            for chunks in ["--chunk-size 1024", ""] {
                let key = ["lamp", "lock"][(number + encoding) % 2];
                let (payload, envelope) = encrypted(&bench, key, alg, encoding, chunks);
                let agreement = private(&bench, key);
                let mut device = fresh.clone();
                let mut network = Network::new(&[(APP, payload)]);
                if !chunks.is_empty() {
                    network.damaged = 23;
                }
                lives(&mut network, |network| {
                    let (mut buffer, mut cipher) = ([0; 1024], cipher(alg));
                    let key = RecipientKey::agreement(agreement.as_ref(), &HkdfSha256, &Aes128KeyWrap);
                    let decoder = Decrypt::new(key, cipher.as_mut(), Delta::<256>::new());
                    let check = Checked::new(&mut buffer, Sha256::new());
                    device.stage(&envelope, network, decoder, check)
                });
                has_installed(&bench, &mut device, "app-2.bin", "radio-2.bin");
            }
        }
    }
}

#[test]
fn what_was_not_meant_for_this_device_or_was_changed_is_refused() {
    let bench = maker(
        "what_was_not_meant_for_this_device_or_was_changed_is_refused",
        12_000,
        1_501,
    );
    bench.done("key new lamp --kind x25519");
    bench.done("key new lock --kind p256-ecdh");
    let fresh = device(&bench, &Geometry::nrf52840(40), 4);
    for (alg, chunks, changed) in [
        ("a128ctr", "--chunk-size 1024", None),
        ("a128ctr", "", Some(PayloadError::Digest)),
        ("chacha20poly1305", "--chunk-size 1024", None),
    ] {
        let (payload, envelope) = encrypted(&bench, "lamp", alg, 0, chunks);
        let stage = |device: &mut Device<2>, payload: &[u8], key: &str, checked: bool| {
            let agreement = private(&bench, key);
            let (mut buffer, mut cipher) = ([0; 1024], cipher(alg));
            let key = RecipientKey::agreement(agreement.as_ref(), &HkdfSha256, &Aes128KeyWrap);
            let decoder = Decrypt::new(key, cipher.as_mut(), Plain::default());
            let mut network = Network::new(&[(APP, payload.to_vec())]);
            // A chunk that stays bad is asked for again and again.
            network.calls = 2000;
            if checked {
                device.stage(
                    &envelope,
                    &mut network,
                    decoder,
                    Checked::new(&mut buffer, Sha256::new()),
                )
            } else {
                device.stage(&envelope, &mut network, decoder, Unchecked)
            }
        };
        // Another device's key: refused before anything is written, as is a device that checks no digest.
        let before = fresh.flash.image().to_vec();
        let mut device = fresh.clone();
        for refused in [
            stage(&mut device, &payload, "lock", true),
            stage(&mut device, &payload, "lamp", false),
        ] {
            assert!(
                matches!(refused, Err(Stop::Install(InstallError::Payload(_)))),
                "{refused:?}"
            );
        }
        assert!(device.flash.image() == before);

        let mut wrong = payload.clone();
        wrong[5000] ^= 1;
        let refused = stage(&mut device, &wrong, "lamp", true);
        match changed {
            Some(reason) => assert_eq!(refused, Err(Stop::Install(InstallError::Payload(reason)))),
            // Nothing of the chunk was decrypted or written.
            None => {
                assert_eq!(refused, Err(Stop::Reset));
                let image = bench.read("app-2.bin");
                assert!(device.image(Slot::B, 0, 4096) == &image[..4096]);
                assert!(
                    device.image(Slot::B, 0, 8192)[4096..]
                        .iter()
                        .all(|byte| *byte == 0xFF)
                );
            }
        }
        stage(&mut device, &payload, "lamp", true).unwrap();
        has_installed(&bench, &mut device, "app-2.bin", "radio-2.bin");
    }
}

#[test]
fn a_carried_payload_that_was_changed_ends_the_update() {
    let bench = maker(
        "a_carried_payload_that_was_changed_ends_the_update",
        12_000,
        1_501,
    );
    bench.done(&format!(
        "update create {DEVICE} --sequence 2 --payload 00=app-2.bin --payload 01=radio-2.bin \
         --uri 00={APP} --uri 01=#radio --chunk-size 256 --key maker --out 2.suit"
    ));
    let mut envelope = bench.read("2.suit");
    // The outer map is not signed.
    *envelope.last_mut().unwrap() ^= 1;
    let mut device = device(&bench, &Geometry::nrf52840(40), 4);
    let mut network = Network::new(&[(APP, bench.read("app-2.bin"))]);
    let mut buffer = [0; 256];
    let check = Checked::new(&mut buffer, Sha256::new());
    let refused = device.stage(&envelope, &mut network, Plain::default(), check);
    assert_eq!(refused, Err(Stop::Install(InstallError::PayloadDigest)));
    // It will not become another by asking for it again, so the way is free for the right one.
    let check = Checked::new(&mut buffer, Sha256::new());
    device
        .stage(&bench.read("2.suit"), &mut network, Plain::default(), check)
        .unwrap();
    has_installed(&bench, &mut device, "app-2.bin", "radio-2.bin");
}

#[test]
fn a_power_cut_anywhere_leaves_the_old_release_or_the_new_one() {
    let bench = maker(
        "a_power_cut_anywhere_leaves_the_old_release_or_the_new_one",
        9_000,
        1_501,
    );
    bench.done("key new lamp --kind x25519");
    bench.done("update delta --from app-1.bin --to app-2.bin --window 4 --lookahead 3 --out app.patch");
    let (payload, envelope) = encrypted(&bench, "lamp", "a128ctr", 1, "--chunk-size 256");
    let agreement = private(&bench, "lamp");
    let fresh = device(&bench, &Geometry::nrf52840(40), 3);
    let stage = |device: &mut Device<2>| {
        let (mut buffer, mut cipher) = ([0; 256], Aes128Ctr::new());
        let key = RecipientKey::agreement(agreement.as_ref(), &HkdfSha256, &Aes128KeyWrap);
        let decoder = Decrypt::new(key, &mut cipher, Delta::<16>::new());
        let mut network = Network::new(&[(APP, payload.clone())]);
        let check = Checked::new(&mut buffer, Sha256::new());
        device.stage(&envelope, &mut network, decoder, check)
    };
    let points = each_cut_sampled(
        23,
        || fresh.clone(),
        stage,
        |device, _| {
            // Once staged, that is the trial of the new one.
            if device.boot().unwrap().slot() == Slot::A {
                stage(device).unwrap();
            }
            has_installed(&bench, device, "app-2.bin", "radio-2.bin");
        },
    );
    assert!(points > 100, "{points}");
}
