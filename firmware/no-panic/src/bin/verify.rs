//! Everything between the bytes of an envelope and an accepted manifest, and the digest. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{crypto::Sha256, hal::UnixTime};
use iotsec_update::{
    ComponentId, DeviceComponent, DeviceIdentity, Envelope, Limits, Policy, SequenceNumber, TrustAnchor,
    TrustAnchors, UpdateError,
};
use no_panic::{KeyInHardware, halt, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    black_box(verify(unknown(&input)).is_ok());
    black_box(Sha256::of(&[unknown(&input)]));
    halt()
}

fn verify(input: &[u8]) -> Result<(), UpdateError> {
    let anchors = black_box(
        [TrustAnchor {
            key: &KeyInHardware,
            kid: Some(input),
        }; 3],
    );
    let components = [DeviceComponent {
        id: ComponentId::from_encoded(input)?,
        capacity: black_box(8192),
        slot: black_box(Some(0)),
    }; 2];
    let device = DeviceIdentity {
        vendor: black_box([0; 16]),
        class: black_box([1; 16]),
        device: black_box(Some([2; 16])),
        components: black_box(&components),
    };
    let policy = black_box(Policy {
        reinstall: true,
        max_jump: 1,
        now: Some(UnixTime(0)),
        ..Policy::newer_than(SequenceNumber(0))
    });
    let mut hash = Sha256::new();
    let anchors = TrustAnchors::new(black_box(&anchors), black_box(2))?;
    let accepted = Envelope::parse(input, &black_box(Limits::DEFAULT))?
        .authenticate(&anchors, &mut hash)?
        .admit(&device, &policy, &mut hash)?;
    black_box(&accepted);
    Ok(())
}
