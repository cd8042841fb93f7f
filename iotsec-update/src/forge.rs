//! Makes envelopes of any shape, well-formed or not, for tests.

use std::{boxed::Box, vec, vec::Vec};

use iotsec_core::{
    cbor::Writer,
    crypto::{Digest, Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign, Verify},
    hal::UnixTime,
    secret::Secret,
};

use crate::{
    Accepted, Bootable, ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, Policy,
    SequenceNumber, TrustAnchor, TrustAnchors, UpdateError,
};

/// A CBOR item as it is written, in whatever order and form.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    Int(i64),
    Bytes(Vec<u8>),
    Text(&'static str),
    Array(Vec<Item>),
    Map(Vec<(i64, Item)>),
    Bool(bool),
    Null,
    Tag(u64, Box<Item>),
}
use Item::{Array, Bool, Bytes, Int, Map, Text};

impl Item {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; 16384];
        let mut writer = Writer::new(&mut out);
        self.write(&mut writer);
        let len = writer.len();
        out.truncate(len);
        out
    }

    fn write(&self, writer: &mut Writer<'_>) {
        match self {
            Int(value) => writer.int(*value).unwrap(),
            Bytes(bytes) => writer.bytes(bytes).unwrap(),
            Text(text) => writer.text(text).unwrap(),
            Bool(value) => writer.bool(*value).unwrap(),
            Item::Null => writer.null().unwrap(),
            Array(items) => {
                writer.array(items.len() as u64).unwrap();
                items.iter().for_each(|item| item.write(writer));
                writer
            }
            Map(entries) => {
                writer.map(entries.len() as u64).unwrap();
                for (key, value) in entries {
                    writer.int(*key).unwrap();
                    value.write(writer);
                }
                writer
            }
            Item::Tag(tag, item) => {
                writer.tag(*tag).unwrap();
                item.write(writer);
                writer
            }
        };
    }

    /// `bstr .cbor`
    pub(crate) fn wrapped(&self) -> Self {
        Bytes(self.encode())
    }
}

/// A command with a reporting policy.
pub(crate) fn command(code: i64) -> Vec<Item> {
    vec![Int(code), Int(15)]
}

pub(crate) fn select(index: Item) -> Vec<Item> {
    vec![Int(12), index]
}

pub(crate) fn set(parameters: &[(i64, Item)]) -> Vec<Item> {
    vec![Int(20), Map(parameters.to_vec())]
}

pub(crate) fn run(commands: &[Vec<Item>]) -> Vec<Item> {
    vec![Int(32), sequence(commands)]
}

/// A try-each; `None` is nil.
pub(crate) fn attempt(alternatives: &[Option<Vec<Vec<Item>>>]) -> Vec<Item> {
    let alternative = |commands: &Option<Vec<Vec<Item>>>| match commands {
        Some(commands) => sequence(commands),
        None => Item::Null,
    };
    vec![Int(15), Array(alternatives.iter().map(alternative).collect())]
}

pub(crate) fn sequence(commands: &[Vec<Item>]) -> Item {
    Array(commands.concat()).wrapped()
}

pub(crate) fn digest(bytes: &[u8]) -> Item {
    Array(vec![Int(-16), Bytes(sha256(bytes).to_vec())])
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::default();
    hash.update(bytes);
    hash.finish()
}

pub(crate) const IMAGE: &[u8] = b"the image that is installed";
pub(crate) const VENDOR: [u8; 16] = [0xA1; 16];
pub(crate) const CLASS: [u8; 16] = [0xB2; 16];
pub(crate) const DEVICE: [u8; 16] = [0xC3; 16];
pub(crate) const ID_0: [u8; 3] = [0x81, 0x41, 0x00];
pub(crate) const ID_1: [u8; 3] = [0x81, 0x41, 0x01];
pub(crate) const NOW: u64 = 1_800_000_000;

pub(crate) const URI: &str = "https://fw.example/2.bin";

/// Digest and size of an image, as parameters.
pub(crate) fn image(bytes: &[u8]) -> Vec<Item> {
    set(&[(3, digest(bytes).wrapped()), (14, Int(bytes.len() as i64))])
}

pub(crate) fn identity() -> Vec<Vec<Item>> {
    let ids = [(1, Bytes(VENDOR.to_vec())), (2, Bytes(CLASS.to_vec()))];
    vec![set(&ids), command(1), command(2)]
}

/// Sets the URI, fetches, matches.
pub(crate) fn fetch() -> Vec<Vec<Item>> {
    vec![set(&[(21, Text(URI))]), command(21), command(3)]
}

/// An envelope in the making. What is not changed is a good update of one component.
#[derive(Clone, Debug)]
pub(crate) struct Forge {
    pub(crate) version: i64,
    pub(crate) sequence: i64,
    pub(crate) components: Vec<Item>,
    pub(crate) shared: Vec<Vec<Item>>,
    /// Sections and other entries of the manifest.
    pub(crate) sections: Vec<(i64, Item)>,
    /// Entries of the envelope after the manifest.
    pub(crate) elements: Vec<(i64, Item)>,
    pub(crate) payload: Option<(&'static str, Vec<u8>)>,
    pub(crate) signers: Vec<u8>,
}

impl Default for Forge {
    fn default() -> Self {
        Self {
            version: 1,
            sequence: 2,
            components: vec![Array(vec![Bytes(vec![0])])],
            shared: [identity(), vec![image(IMAGE)]].concat(),
            sections: vec![
                (7, sequence(&[command(3)])),
                (9, sequence(&[command(23)])),
                (20, sequence(&fetch())),
            ],
            elements: vec![],
            payload: None,
            signers: vec![1],
        }
    }
}

impl Forge {
    /// A good update of two components with different images.
    pub(crate) fn two() -> Self {
        let install = |index| [vec![select(Int(index))], fetch()].concat();
        Self {
            components: vec![Array(vec![Bytes(vec![0])]), Array(vec![Bytes(vec![1])])],
            shared: [
                vec![select(Int(0))],
                identity(),
                vec![image(IMAGE), select(Int(1)), image(b"radio")],
            ]
            .concat(),
            sections: vec![
                (7, sequence(&[select(Bool(true)), command(3)])),
                (9, sequence(&[select(Int(0)), command(23)])),
                (20, sequence(&[install(0), install(1)].concat())),
            ],
            ..Self::default()
        }
    }

    /// Replaces a section, or adds it.
    pub(crate) fn with(mut self, key: i64, value: Item) -> Self {
        self = self.without(key);
        self.sections.push((key, value));
        self.sections.sort_by_key(|(key, _)| *key);
        self
    }

    pub(crate) fn without(mut self, key: i64) -> Self {
        self.sections.retain(|(other, _)| *other != key);
        self
    }

    pub(crate) fn manifest(&self) -> Item {
        let common = Map(vec![
            (2, Array(self.components.clone())),
            (4, sequence(&self.shared)),
        ]);
        let mut manifest = vec![
            (1, Int(self.version)),
            (2, Int(self.sequence)),
            (3, common.wrapped()),
        ];
        manifest.extend(self.sections.clone());
        Map(manifest).wrapped()
    }

    pub(crate) fn envelope(&self) -> Vec<u8> {
        let manifest = self.manifest();
        let signed = digest(&manifest.encode());
        let mut wrapper = vec![signed.wrapped()];
        for seed in &self.signers {
            wrapper.push(block(*seed, &signed.encode()));
        }
        let mut map = vec![(2, Array(wrapper).wrapped()), (3, manifest)];
        map.extend(self.elements.clone());
        let mut out = Item::Tag(107, Box::new(Map(map.clone()))).encode();
        if let Some((name, bytes)) = &self.payload {
            // Two bytes of tag, then a map head of one byte.
            out[2] += 1;
            out.extend(Text(name).encode());
            out.extend(Bytes(bytes.clone()).encode());
        }
        out
    }

    pub(crate) fn admit(&self) -> Result<Owned, UpdateError> {
        self.admit_on(Some(0), &policy())
    }

    pub(crate) fn admit_on(&self, slot: Option<u64>, policy: &Policy) -> Result<Owned, UpdateError> {
        admit(&self.envelope(), slot, policy)
    }

    pub(crate) fn boot(&self) -> Result<Owned, UpdateError> {
        let envelope = self.envelope();
        let mut hash = Sha256::default();
        with_device(Some(0), |device| {
            let bootable =
                authenticated(&envelope, &Limits::DEFAULT)?.admit_for_boot(device, &policy(), &mut hash)?;
            Ok(Owned::from_bootable(&bootable))
        })
    }
}

/// A detached COSE_Sign1.
pub(crate) fn block(seed: u8, signed: &[u8]) -> Item {
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let message = iotsec_core::cose::Sign1Builder::new()
        .sign_detached(&key(seed), signed, b"", &mut scratch, &mut out)
        .unwrap();
    Bytes(message.to_vec())
}

pub(crate) fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

pub(crate) fn public(seed: u8) -> Ed25519PublicKey {
    Ed25519PublicKey::from_bytes(key(seed).public_key()).unwrap()
}

pub(crate) fn policy() -> Policy {
    Policy {
        now: Some(UnixTime(NOW)),
        ..Policy::newer_than(SequenceNumber(1))
    }
}

/// What a plan says, without its borrows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) sequence: u64,
    pub(crate) manifest_digest: [u8; 32],
    /// Identifier, digest, size, source, load, invoke.
    pub(crate) components: Vec<std::string::String>,
}

impl Owned {
    pub(crate) fn from_accepted(plan: &Accepted<'_>) -> Self {
        let components = plan.components().iter();
        Self {
            sequence: plan.sequence_number().0,
            manifest_digest: *plan.manifest_digest(),
            components: components
                .map(|component| std::format!("{component:?}"))
                .collect(),
        }
    }

    fn from_bootable(plan: &Bootable<'_>) -> Self {
        let components = plan.components().iter();
        Self {
            sequence: plan.sequence_number().0,
            manifest_digest: *plan.manifest_digest(),
            components: components
                .map(|component| std::format!("{component:?}"))
                .collect(),
        }
    }
}

/// Parses and authenticates with key 1.
pub(crate) fn authenticated<'a>(
    envelope: &'a [u8],
    limits: &Limits,
) -> Result<crate::Authenticated<'a>, UpdateError> {
    let public = public(1);
    let anchors = [TrustAnchor {
        key: &public as &dyn Verify,
        kid: None,
    }];
    let anchors = TrustAnchors::new(&anchors, 1)?;
    Envelope::parse(envelope, limits)?.authenticate(&anchors, &mut Sha256::default())
}

pub(crate) fn admit(envelope: &[u8], slot: Option<u64>, policy: &Policy) -> Result<Owned, UpdateError> {
    let mut hash = Sha256::default();
    with_device(slot, |device| {
        let accepted = authenticated(envelope, &Limits::DEFAULT)?.admit(device, policy, &mut hash)?;
        Ok(Owned::from_accepted(&accepted))
    })
}

pub(crate) fn with_device<T>(slot: Option<u64>, then: impl FnOnce(&DeviceIdentity<'_>) -> T) -> T {
    let place = |id| DeviceComponent {
        id: ComponentId::from_encoded(id).unwrap(),
        capacity: 4096,
        slot,
    };
    let components = [place(&ID_0), place(&ID_1)];
    then(&DeviceIdentity {
        vendor: VENDOR,
        class: CLASS,
        device: Some(DEVICE),
        components: &components,
    })
}
