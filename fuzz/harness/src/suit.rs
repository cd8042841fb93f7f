//! SUIT envelopes: the signature around them, and the manifest inside.

use iotsec_core::{
    crypto::{Ed25519PublicKey, Ed25519SigningKey, P256PublicKey, Sha256, Sign, Verify},
    hal::UnixTime,
    secret::Secret,
};
use iotsec_update::{
    Authenticated, ComponentId, ComponentPlan, DeviceComponent, DeviceIdentity, Envelope, Limits, Policy,
    SequenceNumber, Source, TrustAnchor, TrustAnchors, UpdateError,
    builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
};

use crate::{
    Seed,
    model::{self, Value},
};

/// An envelope is authentic only if the model finds the digest of its manifest, and over that digest a
/// signature of a trusted key; never under a key that signed nothing; and two signatures are no fewer
/// than one.
pub fn envelope(input: &[u8]) -> bool {
    let Ok(envelope) = Envelope::parse(input, &Limits::DEFAULT) else {
        return false;
    };
    assert_eq!(envelope.bytes(), input);
    let parts = Parts::of(input).expect("what parses has the shape of an envelope");

    let maker = public(&harness_key());
    let maker_2 = vector_key(include_str!("../../../vectors/suit/keys/ed25519_a.pub.hex"));
    let maker_p256 = vector_key(include_str!("../../../vectors/suit/keys/p256_a.pub.hex"));
    let stranger = public(&Ed25519SigningKey::from_seed(&Secret::from_bytes([0x51; 32])));
    let trusted = [&maker as &dyn Verify, &*maker_2, &*maker_p256];
    let authenticate = |keys: &[&dyn Verify], threshold| {
        let anchors: Vec<_> = keys
            .iter()
            .map(|key| TrustAnchor { key: *key, kid: None })
            .collect();
        let anchors = TrustAnchors::new(&anchors, threshold).expect("different keys");
        envelope.clone().authenticate(&anchors, &mut Sha256::new())
    };

    assert!(
        authenticate(&[&stranger], 1).is_err(),
        "a stranger signed nothing"
    );
    let one = authenticate(&trusted, 1);
    let two = authenticate(&trusted, 2);
    assert!(two.is_err() || one.is_ok());
    let Ok(authentic) = one else {
        return false;
    };
    assert_eq!(authentic.manifest().ok(), Some(&parts.manifest[..]));
    assert_eq!(*authentic.manifest_digest(), parts.manifest_digest());
    let signers = trusted.iter().filter(|key| parts.is_signed_by(**key)).count();
    assert!(
        signers >= 1 && (two.is_err() || signers >= 2),
        "{signers} signers"
    );

    // Admission of what the real makers signed, by a device that none of them knows.
    let elsewhere = DeviceIdentity {
        vendor: [9; 16],
        ..device(&[])
    };
    let refused = authentic
        .clone()
        .admit(&elsewhere, &policy(0), &mut Sha256::new());
    assert!(refused.is_err());
    true
}

/// Whatever a signed manifest says, admission lets through only what is for this device, newer than what
/// it has, and within its components; another device refuses the same manifest.
///
/// The input is an envelope that is signed anew here, so that the signature does not hide the manifest
/// from the fuzzer.
pub fn manifest(input: &[u8]) -> bool {
    let Some(signed) = Parts::of(input).map(Parts::signed) else {
        return false;
    };
    let Ok(envelope) = Envelope::parse(&signed, &Limits::DEFAULT) else {
        return false;
    };
    let key = public(&harness_key());
    let anchors = [TrustAnchor { key: &key, kid: None }];
    let anchors = TrustAnchors::new(&anchors, 1).expect("one key");
    let authentic = envelope
        .authenticate(&anchors, &mut Sha256::new())
        .expect("signed a moment ago");

    let components = device_components();
    let device = device(&components);
    let installed = 10;
    let boot = authentic
        .clone()
        .admit_for_boot(&device, &policy(0), &mut Sha256::new());
    if let Ok(bootable) = &boot {
        holds_for(&authentic, &device, bootable.components());
        let refused = |device: &DeviceIdentity<'_>, installed| {
            authentic
                .clone()
                .admit_for_boot(device, &policy(installed), &mut Sha256::new())
                .is_err()
        };
        only_for(&device, |device| refused(device, 0));
        if let Some(above) = bootable.sequence_number().0.checked_add(1) {
            assert!(refused(&device, above), "a rollback");
        }
    }

    let admit = |device: &DeviceIdentity<'_>, policy: &Policy| {
        authentic.clone().admit(device, policy, &mut Sha256::new())
    };
    let Ok(accepted) = admit(&device, &policy(installed)) else {
        return boot.is_ok();
    };
    assert_eq!(accepted.envelope(), signed);
    assert_eq!(accepted.manifest_digest(), authentic.manifest_digest());
    let sequence = accepted.sequence_number().0;
    assert!(sequence > installed && sequence - installed <= policy(installed).max_jump);
    holds_for(&authentic, &device, accepted.components());
    only_for(&device, |device| admit(device, &policy(installed)).is_err());
    let error = |installed| admit(&device, &policy(installed)).err();
    assert_eq!(error(sequence), Some(UpdateError::Installed));
    if let Some(above) = sequence.checked_add(1) {
        assert_eq!(error(above), Some(UpdateError::Rollback));
    }
    let again = admit(&device, &policy(installed)).expect("the same answer twice");
    assert_eq!(again.components(), accepted.components());
    true
}

/// Every step of a plan is about one of the device's components, fits it, and comes from the manifest.
fn holds_for(authentic: &Authenticated<'_>, device: &DeviceIdentity<'_>, plan: &[ComponentPlan<'_>]) {
    let manifest = authentic.manifest().expect("a byte string");
    let says = |bytes: &[u8]| manifest.windows(bytes.len()).any(|window| window == bytes);
    for (index, step) in plan.iter().enumerate() {
        let place = device
            .components
            .iter()
            .find(|component| component.id == step.id())
            .expect("a component of the device");
        assert!(step.size() <= place.capacity);
        assert!(plan[..index].iter().all(|earlier| earlier.id() != step.id()));
        for source in [Some(step.source()), step.load()].into_iter().flatten() {
            if let Source::Copy { from } = source {
                assert!(from != step.id() && device.components.iter().any(|component| component.id == from));
            }
        }
        let content = match step.source() {
            Source::Integrated(bytes) | Source::Content(bytes) => Some(bytes),
            _ => None,
        };
        // A digest comes from the manifest, or from a severed part whose digest is there.
        let digest = Sha256::of(&[content.unwrap_or_default()]);
        assert!(
            says(step.digest()) || content.is_none() || digest == *step.digest(),
            "a digest from nowhere"
        );
    }
    assert!(says(&device.vendor) && says(&device.class), "for whom?");
}

fn only_for(device: &DeviceIdentity<'_>, refuses: impl Fn(&DeviceIdentity<'_>) -> bool) {
    let mut other = *device;
    other.vendor[0] ^= 1;
    assert!(refuses(&other), "another vendor");
    let mut other = *device;
    other.class[15] ^= 1;
    assert!(refuses(&other), "another class");
}

const VENDOR: [u8; 16] = [
    0x0E, 0x01, 0x1A, 0x35, 0xE5, 0x98, 0x55, 0x69, 0x81, 0x98, 0xAE, 0x31, 0x7F, 0x6D, 0xA1, 0x78,
];
const CLASS: [u8; 16] = [
    0x35, 0xC5, 0x00, 0xE3, 0x28, 0xA3, 0x5F, 0xC1, 0xBD, 0x5D, 0x0E, 0x07, 0x9A, 0xB2, 0x96, 0x6F,
];

/// The device of `vectors/suit`.
fn device<'a>(components: &'a [DeviceComponent<'a>]) -> DeviceIdentity<'a> {
    DeviceIdentity {
        vendor: VENDOR,
        class: CLASS,
        device: None,
        components,
    }
}

fn device_components() -> [DeviceComponent<'static>; 2] {
    [&[0x81, 0x41, 0x00], &[0x81, 0x41, 0x01]].map(|id| DeviceComponent {
        id: ComponentId::from_encoded(id).expect("an array of byte strings"),
        capacity: 65536,
        slot: Some(0),
    })
}

const fn policy(installed: u64) -> Policy {
    Policy {
        now: Some(UnixTime(1_767_225_600)),
        ..Policy::newer_than(SequenceNumber(installed))
    }
}

fn harness_key() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([0x5E; 32]))
}

fn public(key: &Ed25519SigningKey) -> Ed25519PublicKey {
    Ed25519PublicKey::from_bytes(key.public_key()).expect("a good key")
}

fn vector_key(hex: &str) -> Box<dyn Verify> {
    let bytes: Vec<u8> = hex
        .trim()
        .as_bytes()
        .chunks(2)
        .map(|digits| {
            let digits = core::str::from_utf8(digits).expect("hexadecimal");
            u8::from_str_radix(digits, 16).expect("hexadecimal")
        })
        .collect();
    if bytes.len() == 32 {
        Box::new(Ed25519PublicKey::from_bytes(&bytes).expect("a good key"))
    } else {
        Box::new(P256PublicKey::from_sec1(&bytes).expect("a good key"))
    }
}

/// An envelope as the model sees it.
struct Parts {
    /// Content of the manifest's byte string.
    manifest: Vec<u8>,
    /// Contents of the authentication wrapper: the digest, then the blocks.
    authentication: Vec<Vec<u8>>,
    /// All entries of the outer map but the authentication.
    others: Vec<(Value, Value)>,
}

impl Parts {
    fn of(input: &[u8]) -> Option<Self> {
        let Value::Tag(107, map) = model::decode(input)? else {
            return None;
        };
        let authentication = match model::decode(map.at(2)?.bytes()?) {
            Some(Value::Array(elements)) => elements
                .iter()
                .filter_map(|element| element.bytes().map(<[u8]>::to_vec))
                .collect(),
            _ => Vec::new(),
        };
        let manifest = map.at(3)?.bytes()?.to_vec();
        let Value::Map(mut others) = *map else {
            return None;
        };
        others.retain(|(key, _)| *key != Value::Uint(2));
        Some(Self {
            manifest,
            authentication,
            others,
        })
    }

    /// SHA-256 of the manifest with the head of its byte string.
    fn manifest_digest(&self) -> [u8; 32] {
        Sha256::of(&[&Value::Bytes(self.manifest.clone()).encode()])
    }

    /// [-16, digest]: SHA-256.
    fn digest(&self) -> Value {
        Value::Array(vec![
            Value::Nint(15),
            Value::Bytes(self.manifest_digest().to_vec()),
        ])
    }

    /// Whether a block holds a signature of `key` over the right digest.
    fn is_signed_by(&self, key: &dyn Verify) -> bool {
        let Some((digest, blocks)) = self.authentication.split_first() else {
            return false;
        };
        *digest == self.digest().encode()
            && blocks.iter().any(|block| {
                let Some(Value::Tag(18, block)) = model::decode(block) else {
                    return false;
                };
                let Value::Array(parts) = *block else {
                    return false;
                };
                match &parts[..] {
                    [
                        Value::Bytes(protected),
                        Value::Map(_),
                        Value::Null,
                        Value::Bytes(signature),
                    ] => key
                        .verify(&signed_structure(protected, digest), signature)
                        .is_ok(),
                    _ => false,
                }
            })
    }

    /// The same envelope with one good signature of the harness's key and no other.
    fn signed(mut self) -> Vec<u8> {
        let digest = self.digest().encode();
        // {1: -19}: Ed25519.
        let protected = Value::Map(vec![(Value::Uint(1), Value::Nint(18))]).encode();
        let mut signature = [0; 64];
        harness_key()
            .sign(&signed_structure(&protected, &digest), &mut signature)
            .expect("a key in memory signs");
        let block = Value::Tag(
            18,
            Box::new(Value::Array(vec![
                Value::Bytes(protected),
                Value::Map(Vec::new()),
                Value::Null,
                Value::Bytes(signature.to_vec()),
            ])),
        );
        let wrapper = Value::Array(vec![Value::Bytes(digest), Value::Bytes(block.encode())]);
        let mut entries = vec![(Value::Uint(2), Value::Bytes(wrapper.encode()))];
        entries.append(&mut self.others);
        entries.sort_by_key(|(key, _)| key.encode());
        Value::Tag(107, Box::new(Value::Map(entries))).encode()
    }
}

/// Sig_structure of RFC 9052 without additional data.
fn signed_structure(protected: &[u8], payload: &[u8]) -> Vec<u8> {
    Value::Array(vec![
        Value::Text("Signature1".to_owned()),
        Value::Bytes(protected.to_vec()),
        Value::Bytes(Vec::new()),
        Value::Bytes(payload.to_vec()),
    ])
    .encode()
}

/// Envelopes of the harness's key; the real ones are in `vectors/suit`.
#[must_use]
pub fn seeds() -> Vec<Seed> {
    let image = b"an image";
    let [first, second] = device_components().map(|component| component.id);
    let component = |id, payload| ManifestComponent {
        id,
        digest: Sha256::of(&[image]),
        size: 8,
        payload,
        transport: None,
        invoke: id == first,
    };
    let fetched = component(first, Payload::Uri("https://fw.example/2.bin"));
    let integrated = component(
        second,
        Payload::Integrated {
            name: "#radio",
            bytes: image,
        },
    );
    let one = [fetched];
    let both = [fetched, integrated];
    let builder = |components| EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(11), components);
    let write = |builder: EnvelopeBuilder<'_>, key: &dyn Sign| {
        let (mut scratch, mut out) = ([0; 2048], [0; 2048]);
        builder
            .write(
                &[Signer {
                    key,
                    kid: Some(b"maker"),
                }],
                &mut Sha256::new(),
                &mut scratch,
                &mut out,
            )
            .expect("the buffers are large enough")
            .to_vec()
    };
    let key = harness_key();
    let good = write(builder(&one), &key);
    let full = builder(&both)
        .description("a lamp that hums less")
        .sever_install()
        .use_before(UnixTime(1_900_000_000));
    vec![
        Seed::new("valid-full", write(full, &key)),
        Seed::new("near-cut", &good[..good.len() - 1]),
        Seed::new("near-untagged", &good[2..]),
        Seed::new("valid-one", good),
    ]
}
