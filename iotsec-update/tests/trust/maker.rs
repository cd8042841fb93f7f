//! A maker with numbered keys, and a device of its.

use iotsec_core::{
    cbor::{CborError, Writer},
    cose::{Key, SignBuilder, Signer},
    crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
    hal::UnixTime,
    secret::Secret,
};
use iotsec_update::{
    Accepted, ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, Policy, SequenceNumber,
    UpdateError,
    builder::{self, EnvelopeBuilder, ManifestComponent, Payload},
    trust::{Role, Rotation, Trust, TrustBundle, TrustError},
};

pub const VENDOR: [u8; 16] = [0xA1; 16];
pub const CLASS: [u8; 16] = [0xB2; 16];
pub const UNIT: [u8; 16] = [0xC3; 16];
pub const NOW: UnixTime = UnixTime(1_800_000_000);
const COMPONENT: &[u8] = &[0x81, 0x41, 0x00];

pub fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed, 7, 8, 9].repeat(8).try_into().unwrap()))
}

pub fn public(seed: u8) -> [u8; 32] {
    key(seed).public_key().try_into().unwrap()
}

pub fn thumbprint(seed: u8) -> [u8; 32] {
    Key::ed25519(&public(seed)).thumbprint(&mut Sha256::new())
}

pub fn device() -> DeviceIdentity<'static> {
    DeviceIdentity {
        vendor: VENDOR,
        class: CLASS,
        device: Some(UNIT),
        components: &[],
    }
}

pub fn load(key: &Key<'_>) -> Result<Ed25519PublicKey, iotsec_core::crypto::CryptoError> {
    Ed25519PublicKey::from_cose(key)
}

/// A bundle as it is written, good or bad, encoded by hand so that nothing here depends on the encoder
/// under test.
#[derive(Clone)]
pub struct Bundle {
    pub domain: &'static str,
    pub version: u64,
    pub expires: Option<u64>,
    pub class: [u8; 16],
    /// Encoded keys.
    pub keys: Vec<Vec<u8>>,
    /// Number, threshold, places.
    pub roles: Vec<(u64, u64, Vec<u64>)>,
    pub revoked: Vec<Vec<u8>>,
    pub tls: Vec<(u64, Vec<u8>)>,
    /// Seeds of the keys that sign.
    pub signers: Vec<u8>,
}

impl Bundle {
    /// Keys 1 to 3 are root, two of them sign; 4 signs updates, 5 statements, 6 downgrades.
    pub fn new(version: u64) -> Self {
        Self {
            domain: "iotsec-trust/1",
            version,
            expires: None,
            class: CLASS,
            keys: (1..=6).map(cose_key).collect(),
            roles: vec![
                (1, 2, vec![0, 1, 2]),
                (2, 1, vec![3]),
                (3, 1, vec![4]),
                (4, 1, vec![5]),
            ],
            revoked: vec![],
            tls: vec![],
            signers: vec![1, 2],
        }
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// With these seeds for the list of keys.
    pub fn with_keys(self, seeds: &[u8]) -> Self {
        self.with(|bundle| bundle.keys = seeds.iter().map(|seed| cose_key(*seed)).collect())
    }

    pub fn revoking(self, seeds: &[u8]) -> Self {
        let mut thumbprints: Vec<_> = seeds.iter().map(|seed| thumbprint(*seed).to_vec()).collect();
        thumbprints.sort();
        self.with(|bundle| bundle.revoked = thumbprints)
    }

    pub fn signed_by(self, seeds: &[u8]) -> Self {
        self.with(|bundle| bundle.signers = seeds.to_vec())
    }

    pub fn payload(&self) -> Vec<u8> {
        written(|w| {
            let optional = [
                self.expires.is_some(),
                !self.revoked.is_empty(),
                !self.tls.is_empty(),
            ];
            w.map(6 + optional.iter().filter(|present| **present).count() as u64)?;
            w.uint(0)?.text(self.domain)?.uint(1)?.uint(self.version)?;
            if let Some(expires) = self.expires {
                w.uint(2)?.uint(expires)?;
            }
            w.uint(3)?.bytes(&VENDOR)?.uint(4)?.bytes(&self.class)?;
            w.uint(5)?.array(self.keys.len() as u64)?;
            for key in &self.keys {
                w.raw(key)?;
            }
            w.uint(6)?.map(self.roles.len() as u64)?;
            for (role, threshold, places) in &self.roles {
                w.uint(*role)?
                    .array(2)?
                    .uint(*threshold)?
                    .array(places.len() as u64)?;
                for place in places {
                    w.uint(*place)?;
                }
            }
            if !self.revoked.is_empty() {
                w.uint(7)?.array(self.revoked.len() as u64)?;
                for thumbprint in &self.revoked {
                    w.bytes(thumbprint)?;
                }
            }
            if !self.tls.is_empty() {
                w.uint(8)?.array(self.tls.len() as u64)?;
                for (kind, bytes) in &self.tls {
                    w.array(2)?.uint(*kind)?.bytes(bytes)?;
                }
            }
            Ok(w)
        })
    }

    pub fn parse(&self) -> Result<(), TrustError> {
        TrustBundle::parse(&self.payload(), &mut Sha256::new()).map(|_| ())
    }

    pub fn signed(&self) -> Vec<u8> {
        sign(&self.payload(), &self.signers)
    }
}

/// An encoded COSE_Key without a kid.
pub fn cose_key(seed: u8) -> Vec<u8> {
    Key::ed25519(&public(seed))
        .write(&mut [0; Key::MAX_LEN])
        .unwrap()
        .to_vec()
}

/// A COSE_Sign over `payload` by these keys.
pub fn sign(payload: &[u8], seeds: &[u8]) -> Vec<u8> {
    let keys: Vec<_> = seeds.iter().map(|seed| key(*seed)).collect();
    let signers: Vec<_> = keys.iter().map(|key| Signer { key, kid: None }).collect();
    let (mut scratch, mut out) = ([0; 8192], [0; 8192]);
    SignBuilder::new(&signers)
        .sign(payload, b"", &mut scratch, &mut out)
        .unwrap()
        .to_vec()
}

pub fn factory(message: &[u8]) -> Result<Trust<'_>, TrustError> {
    Trust::factory(message, &device(), load, &mut Sha256::new(), &mut [0; 4096])
}

pub fn rotate<'n>(trust: &Trust<'_>, message: &'n [u8]) -> Result<Option<Rotation<'n>>, TrustError> {
    trust.rotate(message, &device(), load, &mut Sha256::new(), &mut [0; 4096])
}

/// The reason why `next` may not follow `present`.
pub fn refusal(present: &Bundle, next: &Bundle) -> Option<TrustError> {
    let (present, next) = (present.signed(), next.signed());
    rotate(&factory(&present).unwrap(), &next).err()
}

/// An update with this number, signed by the key of `seed`, and its digest.
pub fn update(sequence: u64, seed: u8) -> (Vec<u8>, [u8; 32]) {
    let signer = key(seed);
    let component = ManifestComponent {
        id: ComponentId::from_encoded(COMPONENT).unwrap(),
        digest: Sha256::of(&[&sequence.to_be_bytes()]),
        size: 8,
        payload: Payload::Uri("https://fw.example/app"),
        invoke: true,
        transport: None,
    };
    let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
    let envelope = EnvelopeBuilder::new(VENDOR, CLASS, SequenceNumber(sequence), &[component])
        .write(
            &[builder::Signer {
                key: &signer,
                kid: None,
            }],
            &mut Sha256::new(),
            &mut scratch,
            &mut out,
        )
        .unwrap()
        .to_vec();
    let digest = {
        let public = Ed25519PublicKey::from_bytes(signer.public_key()).unwrap();
        let anchors = [iotsec_update::TrustAnchor {
            key: &public,
            kid: None,
        }];
        let anchors = iotsec_update::TrustAnchors::new(&anchors, 1).unwrap();
        let authenticated = Envelope::parse(&envelope, &Limits::DEFAULT)
            .unwrap()
            .authenticate(&anchors, &mut Sha256::new())
            .unwrap();
        *authenticated.manifest_digest()
    };
    (envelope, digest)
}

/// What a device that trusts so says of an update.
#[derive(Debug, PartialEq, Eq)]
pub enum Refused {
    Trust(TrustError),
    Update(UpdateError),
}

/// Authenticates under the update role of `trust`, and admits.
pub fn admit<'e>(
    trust: &Trust<'_>,
    now: Option<UnixTime>,
    envelope: &'e [u8],
    policy: &Policy,
) -> Result<Accepted<'e>, Refused> {
    let keys = trust.keys(Role::Update, now, load).map_err(Refused::Trust)?;
    let list = keys.list();
    let place = DeviceComponent {
        id: ComponentId::from_encoded(COMPONENT).unwrap(),
        capacity: 4096,
        slot: None,
    };
    let device = DeviceIdentity {
        components: &[place],
        ..device()
    };
    Envelope::parse(envelope, &Limits::DEFAULT)
        .and_then(|envelope| envelope.authenticate(&list.anchors()?, &mut Sha256::new()))
        .and_then(|authentic| authentic.admit(&device, policy, &mut Sha256::new()))
        .map_err(Refused::Update)
}

pub fn written(
    write: impl for<'w, 'b> FnOnce(&'w mut Writer<'b>) -> Result<&'w mut Writer<'b>, CborError>,
) -> Vec<u8> {
    let mut out = [0; 8192];
    let mut writer = Writer::new(&mut out);
    write(&mut writer).unwrap();
    writer.finish().unwrap().to_vec()
}
