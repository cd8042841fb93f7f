//! Payloads that are decrypted, decompressed, patched or checked in chunks on their way.

use iotsec_core::{
    cose::RecipientKey,
    crypto::{Aes128Ctr, Aes128KeyWrap, HkdfSha256, Sha256, X25519Key},
    hal::Slot,
    secret::Secret,
};
use iotsec_update::{
    install::{InstallError, State},
    payload::{Checked, Decrypt, Delta, PayloadError, Plain, Unchecked},
};

use crate::kit::{Device, From, Release, Stop, image, patch, payload, release};

const LEN: usize = 5000;

fn old() -> Release<1> {
    release(0x10, [image(1, 4000)], &[From::Plain])
}

fn device() -> Device<1> {
    Device::new(1024, 8, [6], &old())
}

/// A release of the same image in every form.
fn forms() -> Vec<(&'static str, Release<1>)> {
    let (base, new) = (old().images[0].clone(), image(2, LEN));
    let delta = patch(&base, &new);
    let stream = heatshrink(&new);
    let make = |from: From| release(0x20, [new.clone()], &[from]);
    let patch = delta.clone();
    vec![
        ("plain", make(From::Plain)),
        ("chunks", make(From::Chunks(512))),
        (
            "patch",
            make(From::Patch {
                base: base.clone(),
                patch,
            }),
        ),
        ("compressed", make(From::Compressed(stream))),
        ("counter", make(From::Counter(1024))),
        ("counter, whole", make(From::CounterWhole)),
        (
            "counter, patch",
            make(From::CounterPatch {
                base,
                patch: delta,
                chunk: 256,
            }),
        ),
        ("authenticated", make(From::Authenticated)),
    ]
}

/// A stream with nothing but literals: one bit and eight, then zeros.
fn heatshrink(image: &[u8]) -> Vec<u8> {
    let mut bits: Vec<bool> = Vec::new();
    for byte in image {
        bits.push(true);
        bits.extend((0..8).rev().map(|bit| byte >> bit & 1 == 1));
    }
    bits.chunks(8)
        .map(|bits| {
            bits.iter()
                .zip(0..)
                .fold(0, |byte, (bit, at)| byte | u8::from(*bit) << (7 - at))
        })
        .collect()
}

#[test]
fn t3_every_form_of_payload_makes_the_image_in_any_packets() {
    for (name, new) in forms() {
        for packet in [1, 7, 256, 1000, 10_000] {
            let mut device = device();
            device.packet = packet;
            assert_eq!(
                device.stage(&new),
                Ok(new.payloads.values().next().unwrap().len()),
                "{name}"
            );
            device.try_and_accept().unwrap();
            assert_eq!(device.is_whole(&[&new]), 0x20, "{name} in packets of {packet}");
            assert_eq!(device.flash.violation(), None);
        }
    }
}

#[test]
fn t1_a_changed_bit_of_any_payload_never_makes_an_image() {
    for (name, new) in forms() {
        let len = new.payloads.values().next().unwrap().len();
        for at in (0..len).step_by(61).chain([len - 1]) {
            let mut wrong = new.clone();
            wrong.payloads.values_mut().next().unwrap()[at] ^= 1 << (at % 8);
            let mut device = device();
            let error = device.stage(&wrong).unwrap_err();
            let chunked = matches!(name, "chunks" | "counter" | "counter, patch");
            match error {
                Stop::Install(InstallError::Payload(PayloadError::ChunkDigest(chunk))) => {
                    assert!(chunked, "{name}");
                    assert!((chunk as usize..chunk as usize + 1024).contains(&at));
                }
                Stop::Install(InstallError::PayloadDigest | InstallError::Payload(_)) => {
                    assert!(!chunked, "{name}, byte {at}: {error:?}");
                }
                error => panic!("{name}: {error:?}"),
            }
            let image = device.started().unwrap();
            assert_eq!(image.slot(), Slot::A);
        }
    }
}

#[test]
fn a_chunk_that_is_not_what_was_signed_is_dropped_unused_and_sent_again() {
    for (name, new) in forms() {
        if !matches!(name, "chunks" | "counter" | "counter, patch") {
            continue;
        }
        let mut device = device();
        let running = device.started().unwrap().running();
        let mut updater = device.updater(running).unwrap();
        let (mut buffer, mut cipher) = ([0; 1024], Aes128Ctr::new());
        let key = X25519Key::from_scalar(&Secret::from_bytes([0x17; 32]));
        let key = RecipientKey::agreement(&key, &HkdfSha256, &Aes128KeyWrap);
        let decoder = Decrypt::new(key, &mut cipher, Delta::<256>::new());
        let check = Checked::new(&mut buffer, Sha256::new());
        let mut session = device.start(&mut updater, &new.envelope, decoder, check).unwrap();
        let (mut refused, mut calls) = (0, 0);
        while let Some(wanted) = session.wanted() {
            let payload = &new.payloads[wanted.uri];
            let rest = &payload[wanted.offset as usize..];
            let mut packet = rest[..rest.len().min(200)].to_vec();
            calls += 1;
            // The network damages one packet in seven.
            if calls % 7 == 0 {
                packet.iter_mut().for_each(|byte| *byte ^= 0x20);
            }
            let slot = device.layout.slot(Slot::B).images[0];
            let before = device.slot_image(Slot::B, 0, slot.len() as usize).to_vec();
            match updater.write(&mut session, &mut device.flash, &packet) {
                Ok(_) => {}
                Err(InstallError::Payload(PayloadError::ChunkDigest(at))) => {
                    refused += 1;
                    assert_eq!(session.wanted().map(|wanted| wanted.offset), Some(at));
                    assert!(
                        device.slot_image(Slot::B, 0, slot.len() as usize) == before,
                        "used"
                    );
                }
                Err(error) => panic!("{name}: {error:?}"),
            }
            assert_eq!(updater.state(), State::Writing);
        }
        assert!(refused > 1, "{name}: {refused}");
        let candidate = loop {
            match updater.finish(&mut session, &mut device.flash).unwrap() {
                iotsec_update::install::Finish::More => {}
                iotsec_update::install::Finish::Done(candidate) => break candidate,
            }
        };
        updater.install(&mut device.flash, candidate).unwrap();
        device.try_and_accept().unwrap();
        assert_eq!(device.is_whole(&[&new]), 0x20);
    }
}

#[test]
fn t19_a_patch_for_another_base_is_refused_before_a_byte_is_written() {
    let new = image(2, LEN);
    let mut almost = image(1, 4000);
    almost[3999] ^= 1;
    for wrong in [image(9, 4000), almost] {
        let delta = patch(&wrong, &new);
        let from = From::Patch {
            base: wrong,
            patch: delta,
        };
        let release = release(0x20, [new.clone()], &[from]);
        let mut device = device();
        let region = device.layout.slot(Slot::B).images[0];
        let before = device.slot_image(Slot::B, 0, region.len() as usize).to_vec();
        assert_eq!(device.stage(&release), Err(payload(PayloadError::BaseDigest)));
        assert!(device.slot_image(Slot::B, 0, region.len() as usize) == before);
    }
    // Larger than what is there.
    let huge = image(1, 7000);
    let from = From::Patch {
        patch: patch(&huge, &new),
        base: huge,
    };
    let release = release(0x20, [new], &[from]);
    assert_eq!(device().stage(&release), Err(payload(PayloadError::BaseSize)));
}

#[test]
fn t19_an_image_that_the_patch_makes_longer_or_shorter_is_refused() {
    let (base, new) = (old().images[0].clone(), image(2, LEN));
    for (made, error) in [
        (image(2, LEN + 1), PayloadError::PatchSize),
        (image(2, LEN - 1), PayloadError::PatchSize),
    ] {
        let from = From::Patch {
            patch: patch(&base, &made),
            base: base.clone(),
        };
        let release = release(0x20, [new.clone()], &[from]);
        assert_eq!(device().stage(&release), Err(payload(error)));
    }
    // A stream that goes on behind the end of the image, and one that ends before it.
    for (len, error) in [
        (LEN + 40, PayloadError::TooLong),
        (LEN - 40, PayloadError::TooShort),
    ] {
        let release = release(
            0x20,
            [new.clone()],
            &[From::Compressed(heatshrink(&image(2, len)))],
        );
        assert_eq!(device().stage(&release), Err(payload(error)));
    }
}

#[test]
fn digests_that_are_there_to_be_checked_before_decryption_are_not_passed_over() {
    let (name, new) = forms().swap_remove(4);
    assert_eq!(name, "counter");
    let mut device = device();
    let before = device.flash.image().to_vec();
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    let key = X25519Key::from_scalar(&Secret::from_bytes([0x17; 32]));
    let key = || RecipientKey::agreement(&key, &HkdfSha256, &Aes128KeyWrap);
    let (mut cipher, mut other) = (Aes128Ctr::new(), Aes128Ctr::new());
    let decoder = Decrypt::new(key(), &mut cipher, Plain::default());
    let refused = device.start(&mut updater, &new.envelope, decoder, Unchecked);
    assert_eq!(refused.err(), Some(payload(PayloadError::Unchecked)));
    // Nor with a buffer that does not hold a chunk.
    let mut small = [0; 1023];
    let check = Checked::new(&mut small, Sha256::new());
    let decoder = Decrypt::new(key(), &mut other, Plain::default());
    let refused = device.start(&mut updater, &new.envelope, decoder, check);
    assert_eq!(refused.err(), Some(payload(PayloadError::ChunkSize)));
    assert_eq!(updater.state(), State::Ready);
    assert!(device.flash.image() == before);
}

#[test]
fn a_device_without_chunks_takes_a_plain_payload_that_has_them() {
    let (name, new) = forms().swap_remove(1);
    assert_eq!(name, "chunks");
    let mut device = device();
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    let mut session = device
        .start(&mut updater, &new.envelope, Plain::default(), Unchecked)
        .unwrap();
    assert_eq!(device.send(&mut updater, &mut session, &new.payloads), Ok(LEN));
}
