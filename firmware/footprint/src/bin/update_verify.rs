//! A SUIT envelope authenticated under an Ed25519 key, and its manifest admitted.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use harness::{measure, vector};
use iotsec_core::crypto::{Ed25519PublicKey, Sha256};
use iotsec_update::{
    ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, Policy, SequenceNumber, TrustAnchor,
    TrustAnchors, UpdateError,
};

#[entry]
fn main() -> ! {
    measure::report(|| probe().is_ok())
}

fn probe() -> Result<(), UpdateError> {
    let key = Ed25519PublicKey::from_bytes(black_box(&vector::KEY_ED25519))
        .map_err(|_| UpdateError::TrustAnchors)?;
    let anchors = [TrustAnchor { key: &key, kid: None }];
    let components = [DeviceComponent {
        id: ComponentId::from_encoded(black_box(vector::COMPONENT))?,
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
    let accepted = Envelope::parse(black_box(&vector::ENVELOPE_ED25519), &Limits::DEFAULT)?
        .authenticate(&TrustAnchors::new(&anchors, 1)?, &mut hash)?
        .admit(&device, &policy, &mut hash)?;
    black_box(&accepted);
    Ok(())
}
