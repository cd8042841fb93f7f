use std::vec::Vec;

use iotsec_core::crypto::{Sha256, Verify};

use super::*;
use crate::{
    DeviceComponent, DeviceIdentity, Envelope, Policy, Source, TrustAnchor, TrustAnchors,
    forge::{CLASS, DEVICE, ID_0, ID_1, NOW, VENDOR, key, public, sha256},
    payload::{Chunks, Encoding},
};

fn component<'a>(id: &'a [u8], bytes: &[u8], payload: Payload<'a>) -> ManifestComponent<'a> {
    ManifestComponent {
        id: ComponentId::from_encoded(id).unwrap(),
        digest: sha256(bytes),
        size: u32::try_from(bytes.len()).unwrap(),
        payload,
        transport: None,
        invoke: id == ID_0,
    }
}

fn write(builder: &EnvelopeBuilder<'_>, seeds: &[u8]) -> Result<Vec<u8>, UpdateError> {
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
    let signers: Vec<_> = keys.iter().map(|key| Signer { key, kid: Some(b"k") }).collect();
    let (mut scratch, mut out) = ([0; 4096], [0; 8192]);
    let envelope = builder.write(&signers, &mut Sha256::default(), &mut scratch, &mut out)?;
    Ok(envelope.to_vec())
}

fn builder<'a>(components: &'a [ManifestComponent<'a>]) -> EnvelopeBuilder<'a> {
    EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(7), components)
}

/// Admits with key 1, and key 2 if the threshold asks for it.
fn admit<T>(
    envelope: &[u8],
    threshold: u8,
    then: impl FnOnce(&crate::Accepted<'_>) -> T,
) -> Result<T, UpdateError> {
    let keys = [public(1), public(2)];
    let anchors = keys.each_ref().map(|key| TrustAnchor {
        key: key as &dyn Verify,
        kid: None,
    });
    let ids: Vec<[u8; 3]> = (0..8).map(|index| [0x81, 0x41, index]).collect();
    let places: Vec<_> = ids
        .iter()
        .map(|id| DeviceComponent {
            id: ComponentId::from_encoded(id).unwrap(),
            capacity: 4096,
            slot: None,
        })
        .collect();
    let device = DeviceIdentity {
        vendor: VENDOR,
        class: CLASS,
        device: Some(DEVICE),
        components: &places,
    };
    let policy = Policy {
        now: Some(UnixTime(NOW)),
        ..Policy::newer_than(SequenceNumber(6))
    };
    let mut hash = Sha256::default();
    let accepted = Envelope::parse(envelope, &Limits::DEFAULT)?
        .authenticate(&TrustAnchors::new(&anchors, threshold)?, &mut hash)?
        .admit(&device, &policy, &mut hash)?;
    Ok(then(&accepted))
}

#[test]
fn everything_that_is_written_is_admitted() {
    let app = component(&ID_0, b"application", Payload::Uri("https://fw.example/app"));
    let radio = component(
        &ID_1,
        b"radio",
        Payload::Integrated {
            name: "#radio",
            bytes: b"radio",
        },
    );
    let present = component(&ID_1, b"loader", Payload::Present);
    let plain = [app];
    let mixed = [app, radio];
    let kept = [app, present];
    for components in [&plain[..], &mixed, &kept] {
        let all = builder(components)
            .device(DEVICE)
            .use_before(UnixTime(NOW + 1))
            .reference_uri("https://fw.example/m")
            .description("Closes a hole")
            .sever_install();
        let variants = [
            builder(components),
            builder(components).device(DEVICE),
            builder(components).use_before(UnixTime(NOW + 1)),
            builder(components).reference_uri("https://fw.example/m"),
            builder(components).description("Closes a hole"),
            builder(components).sever_install(),
            all,
        ];
        for variant in variants {
            let envelope = write(&variant, &[1, 2]).unwrap();
            let seen = admit(&envelope, 2, |accepted| {
                assert_eq!(accepted.sequence_number(), SequenceNumber(7));
                let plans = accepted.components().iter();
                plans
                    .map(|plan| (plan.id().encoded()[2], plan.size(), plan.invoke()))
                    .collect()
            });
            let seen: Vec<(u8, u32, bool)> = seen.unwrap();
            let expected: Vec<_> = components
                .iter()
                .map(|component| (component.id.encoded()[2], component.size, component.invoke))
                .collect();
            assert_eq!(seen, expected);
        }
    }
}

#[test]
fn the_payload_is_told_apart_from_the_image() {
    let chunks = [[1; 32], [2; 32]];
    let transport = Transport {
        size: 300,
        digest: Some(&[3; 32]),
        chunks: Some(Chunks::new(256, &chunks).unwrap()),
        encoding: Encoding::Delta {
            base: &[4; 32],
            base_size: 9000,
        },
        encryption: Some(b"COSE"),
    };
    let patched = ManifestComponent {
        transport: Some(transport),
        ..component(&ID_0, b"application", Payload::Uri("https://fw"))
    };
    let radio = Payload::Integrated {
        name: "#radio",
        bytes: &[5; 300],
    };
    let integrated = ManifestComponent {
        transport: Some(transport),
        ..component(&ID_1, b"radio", radio)
    };
    let envelope = write(&builder(&[patched, integrated]), &[1]).unwrap();
    let seen = admit(&envelope, 1, |accepted| {
        for plan in accepted.components() {
            assert_eq!(plan.transport(), Ok(transport));
        }
        accepted.components().len()
    });
    assert_eq!(seen, Ok(2));
    // Digests for fewer chunks than there are, a plain payload of another size than the image.
    let short = Transport {
        size: 600,
        ..transport
    };
    let other = Transport {
        encoding: Encoding::Plain,
        encryption: None,
        ..transport
    };
    for transport in [short, other] {
        let component = ManifestComponent {
            transport: Some(transport),
            ..patched
        };
        let envelope = write(&builder(&[component]), &[1]).unwrap();
        assert_eq!(admit(&envelope, 1, |_| ()), Err(UpdateError::Transport));
    }
}

#[test]
fn expiry_and_device_are_enforced_by_what_was_written() {
    let components = [component(&ID_0, b"application", Payload::Uri("https://fw"))];
    let expired = write(&builder(&components).use_before(UnixTime(NOW)), &[1]).unwrap();
    assert_eq!(admit(&expired, 1, |_| ()), Err(UpdateError::Expired));
    let other = write(&builder(&components).device([9; 16]), &[1]).unwrap();
    assert_eq!(admit(&other, 1, |_| ()), Err(UpdateError::WrongDevice));
}

#[test]
fn eight_components_fit_the_default_limits() {
    let ids: Vec<[u8; 3]> = (0..8).map(|index| [0x81, 0x41, index]).collect();
    let names = ["#0", "#1", "#22", "#3", "#444", "#5", "#6", "#77"];
    let components: Vec<_> = ids
        .iter()
        .zip(names)
        .map(|(id, name)| component(id, &id[..], Payload::Integrated { name, bytes: id }))
        .collect();
    let envelope = write(&builder(&components), &[1]).unwrap();
    admit(&envelope, 1, |accepted| {
        for (plan, id) in accepted.components().iter().zip(&ids) {
            assert_eq!(plan.source(), Source::Integrated(id));
        }
        assert_eq!(accepted.components().len(), 8);
    })
    .unwrap();
}

#[test]
fn what_cannot_be_said_is_not_written() {
    let app = component(&ID_0, b"application", Payload::Uri("https://fw"));
    let of = |component: ManifestComponent<'_>| write(&builder(&[component]), &[1]);
    assert_eq!(write(&builder(&[app]), &[]), Err(UpdateError::Builder));
    assert_eq!(write(&builder(&[]), &[1]), Err(UpdateError::Builder));
    assert_eq!(write(&builder(&[app, app]), &[1]), Err(UpdateError::Builder));
    assert_eq!(write(&builder(&[app; 9]), &[1]), Err(UpdateError::Builder));
    assert_eq!(
        of(ManifestComponent { size: 0, ..app }),
        Err(UpdateError::Builder)
    );
    let fragment = Payload::Uri("#app");
    assert_eq!(
        of(ManifestComponent {
            payload: fragment,
            ..app
        }),
        Err(UpdateError::Builder)
    );
    for (name, bytes) in [("app", &b"application"[..]), ("#app", b"short")] {
        let payload = Payload::Integrated { name, bytes };
        assert_eq!(
            of(ManifestComponent { payload, ..app }),
            Err(UpdateError::Builder)
        );
    }
    let present = component(&ID_0, b"application", Payload::Present);
    assert!(of(present).is_ok());
    let severed = write(&builder(&[present]).sever_install(), &[1]);
    assert_eq!(severed, Err(UpdateError::Builder));
    let one = Payload::Integrated {
        name: "#app",
        bytes: b"application",
    };
    let two = component(&ID_1, b"application", one);
    let twice = [ManifestComponent { payload: one, ..app }, two];
    assert_eq!(write(&builder(&twice), &[1]), Err(UpdateError::Builder));
}

#[test]
fn a_buffer_that_is_too_small_is_an_error_at_every_length() {
    let components = [component(&ID_0, b"application", Payload::Uri("https://fw"))];
    let builder = builder(&components).description("text");
    let good = write(&builder, &[1]).unwrap();
    let signer = key(1);
    let signers = [Signer {
        key: &signer,
        kid: Some(b"k"),
    }];
    for len in 0..good.len() {
        let (mut scratch, mut out) = ([0; 4096], [0; 8192]);
        let hash = &mut Sha256::default();
        assert!(
            builder
                .write(&signers, hash, &mut scratch, &mut out[..len])
                .is_err()
        );
    }
    for len in 0..300 {
        let (mut scratch, mut out) = ([0; 300], [0; 8192]);
        let hash = &mut Sha256::default();
        if let Ok(envelope) = builder.write(&signers, hash, &mut scratch[..len], &mut out) {
            assert_eq!(envelope, good);
        }
    }
}
