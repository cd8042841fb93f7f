//! An update made by another implementation is installed, and no bit of it can change.

use harness::{
    console::{self, require},
    vector,
};
use iotsec_core::crypto::{Ed25519PublicKey, Sha256};
use iotsec_update::{
    Accepted, ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, Policy, SequenceNumber,
    TrustAnchor, TrustAnchors, UpdateError,
};

pub(crate) fn run() {
    let mut envelope = vector::ENVELOPE_ED25519;
    require(admit(&envelope).is_ok(), "a genuine envelope was refused");
    for at in 0..envelope.len() {
        let bit = 1 << (at % 8);
        envelope[at] ^= bit;
        require(
            admit(&envelope).is_err(),
            "an envelope with a flipped bit was accepted",
        );
        envelope[at] ^= bit;
    }
    console::number(
        "update: genuine envelope accepted, flipped bits refused: ",
        envelope.len() as u32,
    );
}

fn admit(envelope: &[u8]) -> Result<Accepted<'_>, UpdateError> {
    let key = Ed25519PublicKey::from_bytes(&vector::KEY_ED25519).map_err(|_| UpdateError::TrustAnchors)?;
    let anchors = [TrustAnchor { key: &key, kid: None }];
    let components = [DeviceComponent {
        id: ComponentId::from_encoded(vector::COMPONENT)?,
        capacity: 8192,
        slot: None,
    }];
    let device = DeviceIdentity {
        vendor: vector::VENDOR,
        class: vector::CLASS,
        device: None,
        components: &components,
    };
    let policy = Policy::newer_than(SequenceNumber(vector::SEQUENCE_NUMBER - 1));
    let mut hash = Sha256::new();
    Envelope::parse(envelope, &Limits::DEFAULT)?
        .authenticate(&TrustAnchors::new(&anchors, 1)?, &mut hash)?
        .admit(&device, &policy, &mut hash)
}
