//! The trust bundle through the C interface: installed, rotated, refused, cut.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use std::ptr;

use iotsec::{
    core::{
        cose::{Key, SignBuilder, Signer},
        crypto::{Ed25519SigningKey, Sha256, Sign},
        secret::Secret,
    },
    update::trust::{Role, TlsAnchor, TrustBundleContent},
};
use iotsec_ffi::{
    certificate::iotsec_bytes_t, counter::iotsec_counter_t, root_key::iotsec_root_key_t, signer::*,
    status::*, trust::*, update::config::iotsec_trust_anchor_t,
};
use iotsec_testkit::SimFlash;

use crate::{
    board::{Board, Fixed},
    login::zeroed,
};

pub(crate) const CERTIFICATE: &[u8] = b"in place of a certificate";

pub(crate) fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

/// Public keys of the first seeds, which take long to make under Miri.
const PUBLIC: [[u8; 32]; 5] = [
    [
        0x8A, 0x88, 0xE3, 0xDD, 0x74, 0x09, 0xF1, 0x95, 0xFD, 0x52, 0xDB, 0x2D, 0x3C, 0xBA, 0x5D, 0x72, 0xCA,
        0x67, 0x09, 0xBF, 0x1D, 0x94, 0x12, 0x1B, 0xF3, 0x74, 0x88, 0x01, 0xB4, 0x0F, 0x6F, 0x5C,
    ],
    [
        0x81, 0x39, 0x77, 0x0E, 0xA8, 0x7D, 0x17, 0x5F, 0x56, 0xA3, 0x54, 0x66, 0xC3, 0x4C, 0x7E, 0xCC, 0xCB,
        0x8D, 0x8A, 0x91, 0xB4, 0xEE, 0x37, 0xA2, 0x5D, 0xF6, 0x0F, 0x5B, 0x8F, 0xC9, 0xB3, 0x94,
    ],
    [
        0xED, 0x49, 0x28, 0xC6, 0x28, 0xD1, 0xC2, 0xC6, 0xEA, 0xE9, 0x03, 0x38, 0x90, 0x59, 0x95, 0x61, 0x29,
        0x59, 0x27, 0x3A, 0x5C, 0x63, 0xF9, 0x36, 0x36, 0xC1, 0x46, 0x14, 0xAC, 0x87, 0x37, 0xD1,
    ],
    [
        0xCA, 0x93, 0xAC, 0x17, 0x05, 0x18, 0x70, 0x71, 0xD6, 0x7B, 0x83, 0xC7, 0xFF, 0x0E, 0xFE, 0x81, 0x08,
        0xE8, 0xEC, 0x45, 0x30, 0x57, 0x5D, 0x77, 0x26, 0x87, 0x93, 0x33, 0xDB, 0xDA, 0xBE, 0x7C,
    ],
    [
        0x6E, 0x7A, 0x1C, 0xDD, 0x29, 0xB0, 0xB7, 0x8F, 0xD1, 0x3A, 0xF4, 0xC5, 0x59, 0x8F, 0xEF, 0xF4, 0xEF,
        0x2A, 0x97, 0x16, 0x6E, 0x3C, 0xA6, 0xF2, 0xE4, 0xFB, 0xFC, 0xCD, 0x80, 0x50, 0x5B, 0xF1,
    ],
];

pub(crate) fn public(seed: u8) -> [u8; 32] {
    let known = PUBLIC.get(usize::from(seed) - 1);
    known
        .copied()
        .unwrap_or_else(|| key(seed).public_key().try_into().unwrap())
}

#[test]
fn public_keys_are_those_of_their_seeds() {
    for (seed, public) in (1..).zip(PUBLIC) {
        assert_eq!(key(seed).public_key(), public);
    }
}

/// Root keys 1, 2 and 3, of which two sign, and one update key.
pub(crate) fn bundle(version: u64, update: u8, signers: [u8; 2]) -> Vec<u8> {
    let keys = [1, 2, 3, update].map(public);
    let content = TrustBundleContent {
        version,
        expires: Some(iotsec::core::hal::UnixTime(1_800_000_000)),
        vendor: [1; 16],
        class: [2; 16],
        keys: &keys.each_ref().map(Key::ed25519),
        roles: &[(Role::Root, 2, &[0, 1, 2]), (Role::Update, 1, &[3])],
        revoked: &[],
        tls: &[TlsAnchor::Certificate(CERTIFICATE), TlsAnchor::Spki(&[9; 32])],
    };
    let (mut payload, mut scratch, mut out) = ([0; 1024], [0; 1024], [0; 1024]);
    let payload = content.write(&mut Sha256::new(), &mut payload).unwrap();
    let root = signers.map(key);
    let signers = root.each_ref().map(|key| Signer { key, kid: None });
    let signed = SignBuilder::new(&signers).sign(payload, b"", &mut scratch, &mut out);
    signed.unwrap().to_vec()
}

pub(crate) struct Bench {
    board: Board,
    counter: Option<Fixed<iotsec_counter_t>>,
    root_key: Fixed<iotsec_root_key_t>,
    buffer: Fixed<[u8; 1024]>,
    scratch: Fixed<[u8; 1024]>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(true)
    }

    fn with(counter: bool) -> Self {
        let board = Board::new();
        Self {
            counter: counter.then(|| Fixed::new(board.counter())),
            root_key: Fixed::new(board.root_key()),
            board,
            buffer: Fixed::new([0; 1024]),
            scratch: Fixed::new([0; 1024]),
        }
    }

    pub(crate) fn config(&self) -> iotsec_trust_config_t {
        iotsec_trust_config_t {
            struct_size: size_of::<iotsec_trust_config_t>() as u32,
            reserved: 0,
            flash: self.board.flash(),
            // Two pages, or as many as they are smaller under Miri.
            region: self.board.region(0, if cfg!(miri) { 4 } else { 2 }),
            counter: self.counter.as_ref().map_or(ptr::null(), |counter| counter.at()),
            root_key: self.root_key.at(),
            vendor_id: [1; 16],
            class_id: [2; 16],
            buffer: self.buffer.at().cast(),
            buffer_size: 1024,
            scratch: self.scratch.at().cast(),
            scratch_size: 1024,
        }
    }

    pub(crate) fn install(&self, bundle: &[u8]) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe {
            iotsec_trust_install(
                &raw const *Fixed::new(self.config()),
                bundle.as_ptr(),
                bundle.len(),
            )
        }
    }

    pub(crate) fn rotate(&self, bundle: &[u8]) -> (iotsec_status_t, i32) {
        let (config, mut rotated) = (self.config(), -1);
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_trust_rotate(&raw const config, bundle.as_ptr(), bundle.len(), &raw mut rotated)
        };
        (status, rotated)
    }

    fn status(&self) -> Result<iotsec_trust_status_t, iotsec_status_t> {
        let (config, mut status) = (self.config(), zeroed());
        // SAFETY: see the top.
        match unsafe { iotsec_trust_status(&raw const config, &raw mut status) } {
            IOTSEC_OK => Ok(status),
            error => Err(error),
        }
    }

    fn update_key(&self, now_s: u64) -> Result<Vec<u8>, iotsec_status_t> {
        let config = self.config();
        let (mut keys, mut anchors) = (
            [zeroed::<iotsec_trust_key_t>(); 8],
            [zeroed::<iotsec_trust_anchor_t>(); 8],
        );
        let (mut len, mut threshold) = (0, 0);
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_trust_anchors(
                &raw const config,
                IOTSEC_TRUST_UPDATE,
                now_s,
                keys.as_mut_ptr(),
                anchors.as_mut_ptr(),
                8,
                &raw mut len,
                &raw mut threshold,
            )
        };
        if status != IOTSEC_OK {
            return Err(status);
        }
        assert_eq!((len, threshold, anchors[0].key_type), (1, 1, IOTSEC_KEY_ED25519));
        assert_eq!(
            anchors[0].struct_size as usize,
            size_of::<iotsec_trust_anchor_t>()
        );
        // SAFETY: the anchor points into `keys`.
        Ok(unsafe { std::slice::from_raw_parts(anchors[0].key, anchors[0].key_len) }.to_vec())
    }
}

#[test]
fn the_next_bundle_takes_over_and_no_other_does() {
    let bench = Bench::new();
    assert_eq!(bench.status(), Err(IOTSEC_ERR_TRUST_MISSING));
    let (first, second) = (bundle(1, 4, [1, 2]), bundle(2, 5, [2, 3]));
    assert_eq!(bench.install(&bundle(1, 4, [1, 9])), IOTSEC_ERR_TRUST_NEW_ROOT);
    assert_eq!(bench.install(&first), IOTSEC_OK);
    assert_eq!(bench.update_key(0), Ok(public(4).to_vec()));
    assert_eq!(bench.rotate(&first), (IOTSEC_OK, 0));
    assert_eq!(
        bench.rotate(&bundle(2, 5, [2, 9])),
        (IOTSEC_ERR_TRUST_OLD_ROOT, -1)
    );
    assert_eq!(
        bench.rotate(&bundle(3, 5, [2, 3])),
        (IOTSEC_ERR_TRUST_SKIPPED, -1)
    );
    assert_eq!(bench.rotate(&second), (IOTSEC_OK, 1));
    assert_eq!(bench.update_key(0), Ok(public(5).to_vec()));
    assert_eq!(bench.rotate(&first), (IOTSEC_ERR_TRUST_ROLLBACK, -1));
    assert_eq!(bench.install(&first), IOTSEC_ERR_TRUST_BELOW_COUNTER);
    let status = bench.status().unwrap();
    assert_eq!(
        (status.version, status.expires_s, status.tls_anchors),
        (2, 1_800_000_000, 2)
    );
    assert_eq!(bench.update_key(1_800_000_001), Err(IOTSEC_ERR_TRUST_EXPIRED));

    let (config, mut anchors, mut len) = (bench.config(), [zeroed::<iotsec_bytes_t>(); 8], 0);
    let mut tls = |now, room| {
        // SAFETY: see the top.
        unsafe { iotsec_trust_tls_anchors(&raw const config, now, anchors.as_mut_ptr(), room, &raw mut len) }
    };
    assert_eq!(tls(1_800_000_001, 8), IOTSEC_ERR_TRUST_EXPIRED);
    assert_eq!(tls(0, 0), IOTSEC_ERR_SHORT_BUFFER);
    assert_eq!(tls(0, 1), IOTSEC_OK);
    // SAFETY: it points into the buffer of the bench.
    let der = unsafe { std::slice::from_raw_parts(anchors[0].bytes, anchors[0].len) };
    assert_eq!((len, der), (1, CERTIFICATE));
}

#[test]
fn a_configuration_with_something_in_its_reserved_field_is_refused() {
    let (bench, first) = (Bench::new(), bundle(1, 4, [1, 2]));
    let config = iotsec_trust_config_t {
        reserved: 1,
        ..bench.config()
    };
    // SAFETY: see the top.
    let refused = unsafe { iotsec_trust_install(&raw const config, first.as_ptr(), first.len()) };
    assert_eq!(refused, IOTSEC_ERR_CONFIG);
    assert_eq!(bench.status(), Err(IOTSEC_ERR_TRUST_MISSING));
    assert_eq!(bench.install(&first), IOTSEC_OK);
}

#[test]
fn a_power_cut_anywhere_in_a_rotation_leaves_one_of_the_two() {
    let mut bench = Bench::with(false);
    assert_eq!(bench.install(&bundle(1, 4, [1, 2])), IOTSEC_OK);
    let (before, second): (SimFlash, _) = (bench.board.flash.clone(), bundle(2, 5, [2, 3]));
    let (mut cut, mut old, mut new) = (0, 0, 0);
    loop {
        *bench.board.flash = before.clone();
        bench.board.flash.cut_after(cut);
        let (status, _) = bench.rotate(&second);
        bench.board.flash.power_on();
        match bench.update_key(0) {
            Ok(key) if key == public(4) => old += 1,
            Ok(key) if key == public(5) => new += 1,
            other => panic!("cut {cut}: {other:?}"),
        }
        if status == IOTSEC_OK {
            break;
        }
        cut += 1;
    }
    assert!(old > 10 && new >= 1, "{old} old, {new} new");
}
