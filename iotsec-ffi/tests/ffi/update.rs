//! Updates through the C interface.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use std::ptr;

use iotsec::core::{
    crypto::{Ed25519SigningKey, P256SigningKey, Sha256, Sign},
    secret::Secret,
};
use iotsec::update::{
    ComponentId, SequenceNumber,
    builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
};
use iotsec_ffi::{
    boot::*,
    signer::*,
    status::*,
    update::{config::*, *},
};

use crate::{
    board::{Board, Fixed},
    login::zeroed,
};

const COMPONENT: [u8; 3] = [0x81, 0x41, 0x00];

pub(crate) fn image(release: u64) -> Vec<u8> {
    let len = if cfg!(miri) { 500 } else { 5000 };
    (0..len).map(|at| (at * 7 + release * 13) as u8).collect()
}

pub(crate) fn envelope(release: u64, signer: &dyn Sign) -> Vec<u8> {
    let image = image(release);
    let component = ManifestComponent {
        id: ComponentId::from_encoded(&COMPONENT).unwrap(),
        digest: Sha256::of(&[&image]),
        size: image.len() as u32,
        payload: Payload::Uri("https://fw.example/app"),
        transport: None,
        invoke: true,
    };
    let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
    EnvelopeBuilder::new([1; 16], [2; 16], SequenceNumber(release), &[component])
        .write(
            &[Signer {
                key: signer,
                kid: None,
            }],
            &mut Sha256::new(),
            &mut scratch,
            &mut out,
        )
        .unwrap()
        .to_vec()
}

pub(crate) fn maker() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]))
}

/// The public keys of [`maker`] and [`second`]: under Miri a key is not made where its half will do.
const MAKER: [u8; 32] = [
    0xEA, 0x4A, 0x6C, 0x63, 0xE2, 0x9C, 0x52, 0x0A, 0xBE, 0xF5, 0x50, 0x7B, 0x13, 0x2E, 0xC5, 0xF9, 0x95,
    0x47, 0x76, 0xAE, 0xBE, 0xBE, 0x7B, 0x92, 0x42, 0x1E, 0xEA, 0x69, 0x14, 0x46, 0xD2, 0x2C,
];
const SECOND: [u8; 65] = [
    0x04, 0x71, 0x35, 0xFA, 0x4F, 0xD9, 0x3A, 0x09, 0xDC, 0xE9, 0x8B, 0xBF, 0x68, 0x1B, 0x4B, 0xFC, 0xF5,
    0x0E, 0x7C, 0x0D, 0x63, 0x54, 0xE6, 0x2A, 0xFB, 0x0B, 0xFF, 0x2A, 0x34, 0x29, 0x61, 0x78, 0x65, 0xED,
    0x4C, 0x1F, 0x02, 0xDD, 0xB9, 0x02, 0x3E, 0xE5, 0x6A, 0x55, 0x7E, 0x51, 0x5D, 0x6A, 0x9D, 0xC6, 0x6C,
    0x11, 0xF2, 0x20, 0x96, 0x0D, 0xE5, 0x94, 0x33, 0x4D, 0xF5, 0x88, 0x77, 0x67, 0x24,
];

fn second() -> P256SigningKey {
    P256SigningKey::from_scalar(&Secret::from_bytes([9; 32])).unwrap()
}

#[test]
fn public_keys_are_those_of_the_private_ones() {
    assert_eq!(maker().public_key(), MAKER);
    assert_eq!(second().public_key(), SECOND);
}

/// A device with release 1 in slot A, as the factory leaves it.
pub(crate) struct Device {
    pub(crate) board: Board,
    pub(crate) update: Fixed<iotsec_update_t>,
    /// The configuration points into these.
    keys: Vec<Vec<u8>>,
    anchors: Vec<iotsec_trust_anchor_t>,
    scratch: Fixed<[u8; 1024]>,
    id: Fixed<[u8; 16]>,
    /// How far the sequence number is shifted for the security counter.
    shift: u32,
}

/// Which unit it is.
pub(crate) const UNIT: [u8; 16] = [3; 16];

impl Device {
    /// With keys, and nothing in its slots.
    pub(crate) fn blank() -> Self {
        let keys = vec![MAKER.to_vec(), SECOND.to_vec()];
        let types = [IOTSEC_KEY_ED25519, IOTSEC_KEY_P256];
        let anchor = |(key, key_type): (&Vec<u8>, i32)| iotsec_trust_anchor_t {
            struct_size: size_of::<iotsec_trust_anchor_t>() as u32,
            key_type,
            key: key.as_ptr(),
            key_len: key.len(),
        };
        Self {
            board: Board::new(),
            update: Fixed::new(zeroed()),
            anchors: keys.iter().zip(types).map(anchor).collect(),
            keys,
            scratch: Fixed::new([0; 1024]),
            id: Fixed::new(UNIT),
            shift: 0,
        }
    }

    pub(crate) fn new() -> Self {
        Self::with_shift(0)
    }

    /// On which releases with one security counter may follow each other in any order.
    pub(crate) fn with_shift(shift: u32) -> Self {
        let mut device = Self::blank();
        device.shift = shift;
        let (config, envelope, image) = (device.config(), envelope(1, &maker()), image(1));
        // SAFETY: see the top.
        let status = unsafe {
            let (envelope_at, image_at) = (envelope.as_ptr(), image.as_ptr());
            iotsec_slot_provision(
                &raw const config,
                IOTSEC_SLOT_A,
                envelope_at,
                envelope.len(),
                image_at,
                image.len(),
            )
        };
        assert_eq!(status, IOTSEC_OK);
        device
    }

    pub(crate) fn config(&self) -> iotsec_update_config_t {
        assert_eq!(self.keys.len(), self.anchors.len());
        let slot = |board: &Board, first| iotsec_slot_layout_t {
            manifest: board.region(first, 1),
            image: board.region(first + 1, 3),
        };
        iotsec_update_config_t {
            struct_size: size_of::<iotsec_update_config_t>() as u32,
            threshold: 1,
            trial_boots: 2,
            counter_shift: self.shift,
            max_jump: 100,
            flash: self.board.flash(),
            counter: self.board.counter(),
            slot_a: slot(&self.board, 0),
            slot_b: slot(&self.board, 4),
            journal: self.board.region(8, 3),
            vendor_id: [1; 16],
            class_id: [2; 16],
            device_id: self.id.at().cast(),
            component: COMPONENT.as_ptr(),
            component_len: COMPONENT.len(),
            anchors: self.anchors.as_ptr(),
            anchor_count: self.anchors.len(),
            scratch: self.scratch.at().cast(),
            scratch_size: self.scratch.len(),
        }
    }

    fn select(&self) -> Result<iotsec_boot_t, iotsec_status_t> {
        let (config, mut boot) = (self.config(), zeroed());
        // SAFETY: see the top.
        match unsafe { iotsec_boot_select(&raw const config, &raw mut boot) } {
            IOTSEC_OK => Ok(boot),
            status => Err(status),
        }
    }

    /// Boots and opens the updater.
    pub(crate) fn boot(&self) -> iotsec_boot_t {
        self.verb(iotsec_update_close);
        let boot = self.select().unwrap();
        let config = self.config();
        // SAFETY: see the top.
        let status = unsafe { iotsec_update_open(self.update.at(), &raw const config, boot.slot) };
        assert_eq!(status, IOTSEC_OK);
        boot
    }

    pub(crate) fn begin(&self, envelope: &[u8]) -> (iotsec_status_t, u32) {
        let mut resume = 77;
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_update_begin(
                self.update.at(),
                envelope.as_ptr(),
                envelope.len(),
                0,
                &raw mut resume,
            )
        };
        (status, resume)
    }

    pub(crate) fn write(&self, mut bytes: &[u8]) -> iotsec_status_t {
        while !bytes.is_empty() {
            let (chunk, mut taken) = (&bytes[..bytes.len().min(300)], 0);
            // SAFETY: see the top.
            let status =
                unsafe { iotsec_update_write(self.update.at(), chunk.as_ptr(), chunk.len(), &raw mut taken) };
            if status != IOTSEC_OK {
                return status;
            }
            bytes = &bytes[taken..];
        }
        IOTSEC_OK
    }

    pub(crate) fn finish(&self) -> iotsec_status_t {
        let mut done = 0;
        while done == 0 {
            // SAFETY: see the top.
            let status = unsafe { iotsec_update_finish(self.update.at(), &raw mut done) };
            if status != IOTSEC_OK {
                return status;
            }
        }
        IOTSEC_OK
    }

    pub(crate) fn verb(
        &self,
        verb: unsafe extern "C" fn(*mut iotsec_update_t) -> iotsec_status_t,
    ) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { verb(self.update.at()) }
    }

    pub(crate) fn clean(&self) {
        let mut done = 0;
        while done == 0 {
            // SAFETY: see the top.
            let status = unsafe { iotsec_update_clean(self.update.at(), &raw mut done) };
            assert_eq!(status, IOTSEC_OK);
        }
    }

    pub(crate) fn status(&self) -> iotsec_update_status_t {
        let mut result = zeroed();
        // SAFETY: see the top.
        let status = unsafe { iotsec_update_status(self.update.at(), &raw mut result) };
        assert_eq!(status, IOTSEC_OK);
        result
    }

    /// Installs a release, up to the boot that tries it.
    pub(crate) fn stage(&self, release: u64) {
        assert_eq!(self.begin(&envelope(release, &maker())), (IOTSEC_OK, 0));
        assert_eq!(self.write(&image(release)), IOTSEC_OK);
        assert_eq!(self.finish(), IOTSEC_OK);
        assert_eq!(self.verb(iotsec_update_install), IOTSEC_OK);
        assert_eq!(self.status().state, IOTSEC_UPDATE_STAGED);
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.verb(iotsec_update_close);
    }
}

#[test]
fn an_update_is_fed_tried_and_accepted() {
    let device = Device::new();
    let boot = device.boot();
    assert_eq!((boot.slot, boot.sequence, boot.size), (IOTSEC_SLOT_A, 1, 5000));
    assert_eq!(boot.digest, Sha256::of(&[&image(1)]));
    device.stage(2);
    let boot = device.boot();
    assert_eq!(
        (boot.slot, boot.reason, boot.trial_boot),
        (IOTSEC_SLOT_B, IOTSEC_BOOT_TRIAL, 1)
    );
    assert_eq!(device.status().state, IOTSEC_UPDATE_TRIAL);
    assert_eq!(device.verb(iotsec_update_accept), IOTSEC_OK);
    let status = device.status();
    assert_eq!(
        (status.state, status.installed, status.running),
        (IOTSEC_UPDATE_UPDATED, 2, IOTSEC_SLOT_B)
    );
    let boot = device.boot();
    assert_eq!(
        (boot.slot, boot.reason, boot.sequence),
        (IOTSEC_SLOT_B, IOTSEC_BOOT_ACTIVE, 2)
    );
    device.clean();
    assert_eq!(device.begin(&envelope(1, &maker())).0, IOTSEC_ERR_UPDATE_ROLLBACK);
}

#[test]
fn a_trial_that_nobody_accepts_ends_by_itself() {
    let device = Device::new();
    device.boot();
    device.stage(2);
    for trial in [1, 2] {
        assert_eq!(device.boot().trial_boot, trial);
    }
    let boot = device.boot();
    assert_eq!((boot.slot, boot.sequence), (IOTSEC_SLOT_A, 1));
    let status = device.status();
    assert_eq!(status.state, IOTSEC_UPDATE_FAILED);
    assert_eq!(status.cause, IOTSEC_ERR_INSTALL_TRIAL_EXPIRED);
}

#[test]
fn a_rejected_image_is_left_at_the_next_boot() {
    let device = Device::new();
    device.boot();
    device.stage(2);
    device.boot();
    assert_eq!(device.verb(iotsec_update_reject), IOTSEC_OK);
    assert_eq!(device.status().state, IOTSEC_UPDATE_REJECTED);
    assert_eq!(device.boot().slot, IOTSEC_SLOT_A);
    device.clean();
    assert_eq!(
        device.begin(&envelope(2, &maker())).0,
        IOTSEC_ERR_INSTALL_ALREADY_REJECTED
    );
    assert_eq!(device.verb(iotsec_update_forget_rejected), IOTSEC_OK);
    assert_eq!(device.begin(&envelope(2, &maker())), (IOTSEC_OK, 0));
}

#[test]
fn every_flipped_bit_of_an_envelope_is_refused() {
    let device = Device::new();
    device.boot();
    let mut envelope = envelope(2, &maker());
    for bit in (0..envelope.len() * 8).step_by(7) {
        envelope[bit / 8] ^= 1 << (bit % 8);
        let (status, resume) = device.begin(&envelope);
        assert_ne!(status, IOTSEC_OK, "bit {bit}");
        assert_eq!(resume, 77, "bit {bit}");
        envelope[bit / 8] ^= 1 << (bit % 8);
    }
    assert_eq!(device.status().state, IOTSEC_UPDATE_READY);
    assert_eq!(device.begin(&envelope), (IOTSEC_OK, 0));
}

#[test]
fn other_bytes_than_were_signed_end_the_update() {
    let device = Device::new();
    device.boot();
    assert_eq!(device.begin(&envelope(2, &maker())).0, IOTSEC_OK);
    assert_eq!(device.finish(), IOTSEC_ERR_INSTALL_INCOMPLETE);
    let mut payload = image(2);
    payload[1234] ^= 1;
    assert_eq!(device.write(&payload), IOTSEC_OK);
    assert_eq!(device.finish(), IOTSEC_ERR_INSTALL_PAYLOAD_DIGEST);
    assert_eq!(device.status().cause, IOTSEC_ERR_INSTALL_PAYLOAD_DIGEST);
    assert_eq!(device.verb(iotsec_update_install), IOTSEC_ERR_STATE);
}

#[test]
fn an_interrupted_download_goes_on_where_it_was() {
    let device = Device::new();
    device.boot();
    let envelope = envelope(2, &maker());
    assert_eq!(device.begin(&envelope), (IOTSEC_OK, 0));
    assert_eq!(device.write(&image(2)[..4500]), IOTSEC_OK);
    assert_eq!(device.verb(iotsec_update_close), IOTSEC_OK);
    device.boot();
    let (status, resume) = device.begin(&envelope);
    assert_eq!(status, IOTSEC_OK);
    assert!((4096..=4500).contains(&resume), "{resume}");
    assert_eq!(device.write(&image(2)[resume as usize..]), IOTSEC_OK);
    assert_eq!(device.finish(), IOTSEC_OK);
    assert_eq!(device.verb(iotsec_update_install), IOTSEC_OK);
}

#[test]
fn keys_of_both_kinds_count_and_a_foreign_one_does_not() {
    let device = Device::new();
    device.boot();
    let stranger = Ed25519SigningKey::from_seed(&Secret::from_bytes([8; 32]));
    assert_eq!(
        device.begin(&envelope(2, &stranger)).0,
        IOTSEC_ERR_UPDATE_THRESHOLD
    );
    let second = second();
    assert_eq!(device.begin(&envelope(2, &second)), (IOTSEC_OK, 0));
    assert_eq!(device.verb(iotsec_update_cancel), IOTSEC_OK);
    assert_eq!(device.status().cause, IOTSEC_ERR_INSTALL_CANCELLED);
}

#[test]
fn a_device_with_two_bad_slots_boots_nothing_and_says_why() {
    let mut device = Device::new();
    let at = device.config().slot_a.image.start;
    device.board.flash.tamper(at + 100, &[0xA5]);
    assert_eq!(device.select(), Err(IOTSEC_ERR_NOTHING_TO_BOOT));
    let config = device.config();
    for (slot, expected) in [
        (IOTSEC_SLOT_A, IOTSEC_ERR_REFUSAL_IMAGE_DIGEST),
        (IOTSEC_SLOT_B, IOTSEC_ERR_SLOT_EMPTY),
        (2, IOTSEC_ERR_CONFIG),
    ] {
        let mut boot = zeroed();
        // SAFETY: see the top.
        let status = unsafe { iotsec_boot_verify(&raw const config, slot, &raw mut boot) };
        assert_eq!(status, expected);
    }
}

#[test]
fn verbs_out_of_order_are_refused() {
    let device = Device::new();
    assert_eq!(device.verb(iotsec_update_accept), IOTSEC_ERR_STATE);
    device.boot();
    assert_eq!(device.verb(iotsec_update_install), IOTSEC_ERR_STATE);
    for verb in [iotsec_update_accept, iotsec_update_reject, iotsec_update_cancel] {
        assert_eq!(device.verb(verb), IOTSEC_ERR_INSTALL_STATE);
    }
    assert_eq!(device.write(b"early"), IOTSEC_ERR_INSTALL_STATE);
    assert_eq!(device.finish(), IOTSEC_ERR_INSTALL_STATE);
    assert_eq!(device.verb(iotsec_update_close), IOTSEC_OK);
    assert_eq!(device.verb(iotsec_update_close), IOTSEC_ERR_STATE);
    assert_eq!(device.begin(&envelope(2, &maker())), (IOTSEC_ERR_STATE, 77));
}

#[test]
fn a_configuration_that_cannot_work_is_refused_at_once() {
    let device = Device::new();
    let good = device.config();
    let short = [iotsec_trust_anchor_t {
        key_len: 31,
        ..device.anchors[0]
    }];
    let unknown = [iotsec_trust_anchor_t {
        key_type: 9,
        ..device.anchors[0]
    }];
    let twice = [device.anchors[0], device.anchors[0]];
    let absent = [iotsec_trust_anchor_t {
        key: ptr::null(),
        ..device.anchors[0]
    }];
    let with = |anchors: &[iotsec_trust_anchor_t]| iotsec_update_config_t {
        anchors: anchors.as_ptr(),
        anchor_count: anchors.len(),
        ..good
    };
    for (config, expected) in [
        (
            iotsec_update_config_t {
                struct_size: 8,
                ..good
            },
            IOTSEC_ERR_CONFIG,
        ),
        (
            iotsec_update_config_t { threshold: 0, ..good },
            IOTSEC_ERR_UPDATE_TRUST_ANCHORS,
        ),
        (
            iotsec_update_config_t { threshold: 3, ..good },
            IOTSEC_ERR_UPDATE_TRUST_ANCHORS,
        ),
        (
            iotsec_update_config_t {
                threshold: 257,
                ..good
            },
            IOTSEC_ERR_CONFIG,
        ),
        (
            iotsec_update_config_t {
                trial_boots: 0,
                ..good
            },
            IOTSEC_ERR_CONFIG,
        ),
        (
            iotsec_update_config_t {
                counter_shift: 64,
                ..good
            },
            IOTSEC_ERR_ROLLBACK_SHIFT,
        ),
        (
            iotsec_update_config_t {
                slot_b: good.slot_a,
                ..good
            },
            IOTSEC_ERR_LAYOUT_OVERLAP,
        ),
        (
            iotsec_update_config_t {
                component: ptr::null(),
                ..good
            },
            IOTSEC_ERR_NULL,
        ),
        (
            iotsec_update_config_t {
                scratch: ptr::null_mut(),
                ..good
            },
            IOTSEC_ERR_NULL,
        ),
        (
            iotsec_update_config_t {
                anchors: ptr::null(),
                ..good
            },
            IOTSEC_ERR_NULL,
        ),
        (
            iotsec_update_config_t {
                anchor_count: 0,
                ..good
            },
            IOTSEC_ERR_CONFIG,
        ),
        (
            iotsec_update_config_t {
                anchor_count: IOTSEC_TRUST_ANCHORS_MAX + 1,
                ..good
            },
            IOTSEC_ERR_CONFIG,
        ),
        (with(&short), IOTSEC_ERR_CRYPTO_KEY_LENGTH),
        (with(&unknown), IOTSEC_ERR_CONFIG),
        (with(&twice), IOTSEC_ERR_UPDATE_TRUST_ANCHORS),
        (with(&absent), IOTSEC_ERR_NULL),
    ] {
        let mut boot = zeroed();
        // SAFETY: see the top.
        let status = unsafe { iotsec_boot_select(&raw const config, &raw mut boot) };
        assert_eq!(status, expected);
    }
}
