//! What an envelope is, the statement of what is latest, and the way back, with keys out of a trust bundle.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use iotsec::{
    core::{
        cose::{Key, SignBuilder, Signer},
        crypto::{Ed25519PublicKey, Sha256, Sign},
        hal::UnixTime,
    },
    update::{
        Envelope, Limits, SequenceNumber, TrustAnchor, TrustAnchors,
        trust::{DowngradeContent, LatestContent, Role, TrustBundleContent},
    },
};
use iotsec_ffi::{
    entropy::iotsec_entropy_t,
    status::*,
    update::{config::iotsec_update_config_t, freshness::*, *},
};

use crate::{
    login::zeroed,
    trust::{Bench, key, public},
    update::{Device, UNIT, envelope, image, maker},
};

const NOW: u64 = 1_800_000_000;

/// Key 1 is the root, 2 says what is latest, 3 lets devices go back, 4 signs updates.
pub(crate) fn bundle(version: u64, signer: u8) -> Vec<u8> {
    let keys = [1, 2, 3, 4].map(public);
    let content = TrustBundleContent {
        version,
        expires: None,
        vendor: [1; 16],
        class: [2; 16],
        keys: &keys.each_ref().map(Key::ed25519),
        roles: &[
            (Role::Root, 1, &[0]),
            (Role::Update, 1, &[3]),
            (Role::Freshness, 1, &[1]),
            (Role::Recovery, 1, &[2]),
        ],
        revoked: &[],
        tls: &[],
    };
    let mut payload = [0; 1024];
    sign(content.write(&mut Sha256::new(), &mut payload).unwrap(), signer)
}

fn sign(payload: &[u8], signer: u8) -> Vec<u8> {
    let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
    let key = key(signer);
    let signers = [Signer { key: &key, kid: None }];
    let signed = SignBuilder::new(&signers).sign(payload, b"", &mut scratch, &mut out);
    signed.unwrap().to_vec()
}

/// What Rust says that an envelope is.
pub(crate) fn digest(envelope: &[u8]) -> [u8; 32] {
    let public = Ed25519PublicKey::from_bytes(maker().public_key()).unwrap();
    let anchors = [TrustAnchor {
        key: &public,
        kid: None,
    }];
    let anchors = TrustAnchors::new(&anchors, 1).unwrap();
    let parsed = Envelope::parse(envelope, &Limits::DEFAULT).unwrap();
    *parsed
        .authenticate(&anchors, &mut Sha256::new())
        .unwrap()
        .manifest_digest()
}

/// The answer that this release is the latest.
pub(crate) fn latest(nonce: [u8; 16], release: u64) -> LatestContent {
    LatestContent {
        nonce,
        vendor: [1; 16],
        class: [2; 16],
        sequence: SequenceNumber(release),
        manifest_digest: digest(&envelope(release, &maker())),
        trust_version: 1,
        time: Some(UnixTime(NOW)),
    }
}

pub(crate) fn answered(content: &LatestContent, signer: u8) -> Vec<u8> {
    sign(content.write(&mut [0; LatestContent::MAX_LEN]).unwrap(), signer)
}

/// Leave for this unit to go back from one release to another.
pub(crate) fn downgrade(from: u64, to: u64) -> DowngradeContent {
    DowngradeContent {
        vendor: [1; 16],
        class: [2; 16],
        device: UNIT,
        from: digest(&envelope(from, &maker())),
        to: digest(&envelope(to, &maker())),
        expires: None,
    }
}

pub(crate) fn token(content: &DowngradeContent, signer: u8) -> Vec<u8> {
    sign(
        content.write(&mut [0; DowngradeContent::MAX_LEN]).unwrap(),
        signer,
    )
}

/// A device that runs a release, and its trust bundle.
struct Unit {
    device: Device,
    trust: Bench,
}

impl Unit {
    fn new(shift: u32) -> Self {
        let unit = Self {
            device: Device::with_shift(shift),
            trust: Bench::new(),
        };
        assert_eq!(unit.trust.install(&bundle(1, 1)), IOTSEC_OK);
        unit.device.boot();
        unit
    }

    /// Installs release 2 and keeps it.
    fn at_release_2(self) -> Self {
        self.device.stage(2);
        self.device.boot();
        assert_eq!(self.device.verb(iotsec_update_accept), IOTSEC_OK);
        self.device.clean();
        self
    }

    fn challenge(&self) -> [u8; 16] {
        let (entropy, mut challenge) = (self.device.board.entropy(), [0; 16]);
        // SAFETY: see the top; here and below.
        let status = unsafe {
            iotsec_update_challenge(
                self.device.update.at(),
                &raw const entropy,
                challenge.as_mut_ptr(),
            )
        };
        assert_eq!(status, IOTSEC_OK);
        challenge
    }

    fn latest(&self, answer: &[u8]) -> Result<iotsec_latest_t, iotsec_status_t> {
        let (config, mut latest) = (self.trust.config(), zeroed());
        let (at, len) = (answer.as_ptr(), answer.len());
        // SAFETY: as above.
        match unsafe {
            iotsec_update_latest(
                self.device.update.at(),
                &raw const config,
                at,
                len,
                0,
                &raw mut latest,
            )
        } {
            IOTSEC_OK => Ok(latest),
            error => Err(error),
        }
    }

    fn downgrade(&self, token: &[u8], now_s: u64) -> iotsec_status_t {
        let config = self.trust.config();
        let (at, len) = (token.as_ptr(), token.len());
        // SAFETY: as above.
        unsafe { iotsec_update_downgrade(self.device.update.at(), &raw const config, at, len, now_s) }
    }

    fn inspect(&self, release: u64) -> Result<iotsec_manifest_t, iotsec_status_t> {
        let (envelope, mut manifest) = (envelope(release, &maker()), zeroed());
        let (at, len) = (envelope.as_ptr(), envelope.len());
        // SAFETY: as above.
        match unsafe { iotsec_update_inspect(self.device.update.at(), at, len, 0, &raw mut manifest) } {
            IOTSEC_OK => Ok(manifest),
            error => Err(error),
        }
    }

    fn manifests(&self) -> iotsec_update_manifests_t {
        let mut result = zeroed();
        // SAFETY: as above.
        let status = unsafe { iotsec_update_manifests(self.device.update.at(), &raw mut result) };
        assert_eq!(status, IOTSEC_OK);
        result
    }
}

fn manifest(release: u64) -> iotsec_manifest_t {
    iotsec_manifest_t {
        sequence: release,
        digest: digest(&envelope(release, &maker())),
    }
}

#[test]
fn an_envelope_says_what_it_is_before_anything_is_begun() {
    let unit = Unit::new(0);
    assert_eq!(unit.inspect(2), Ok(manifest(2)));
    assert_eq!(unit.inspect(1), Err(IOTSEC_ERR_UPDATE_INSTALLED));
    assert_eq!(unit.inspect(102), Err(IOTSEC_ERR_UPDATE_FAST_FORWARD));
    assert_eq!(unit.device.status().state, IOTSEC_UPDATE_READY);
    let none = zeroed();
    assert_eq!(
        unit.manifests(),
        iotsec_update_manifests_t {
            running: manifest(1),
            update: none,
            rejected: none
        }
    );
    // Signed, and refused: there is something to report about.
    let (update, mut found) = (unit.device.update.at(), [0; 32]);
    let mut authenticate = |envelope: &[u8]| {
        let (at, len) = (envelope.as_ptr(), envelope.len());
        // SAFETY: see the top.
        let status = unsafe { iotsec_update_authenticate(update, at, len, found.as_mut_ptr()) };
        (status, found)
    };
    let old = envelope(1, &maker());
    assert_eq!(authenticate(&old), (IOTSEC_OK, digest(&old)));
    let foreign = envelope(2, &key(9));
    assert_eq!(authenticate(&foreign).0, IOTSEC_ERR_UPDATE_THRESHOLD);
    // On its way, and rejected.
    unit.device.stage(2);
    assert_eq!(unit.manifests().update, manifest(2));
    unit.device.boot();
    assert_eq!(unit.device.verb(iotsec_update_reject), IOTSEC_OK);
    unit.device.boot();
    unit.device.clean();
    assert_eq!(
        (unit.manifests().running, unit.manifests().rejected),
        (manifest(1), manifest(2))
    );
}

#[test]
fn an_update_that_was_begun_says_where_its_payload_is() {
    let unit = Unit::new(0);
    let uri = |room: usize| {
        let (mut bytes, mut len) = (vec![0xA5u8; room], 77);
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_update_uri(
                unit.device.update.at(),
                bytes.as_mut_ptr().cast(),
                room,
                &raw mut len,
            )
        };
        (status, len, bytes)
    };
    assert_eq!(uri(64).0, IOTSEC_ERR_INSTALL_STATE, "nothing was begun");
    assert_eq!(unit.device.begin(&envelope(2, &maker())).0, IOTSEC_OK);
    let text = b"https://fw.example/app".to_vec();
    assert_eq!(
        uri(text.len() - 1),
        (IOTSEC_ERR_SHORT_BUFFER, text.len(), vec![0xA5; text.len() - 1])
    );
    assert_eq!(uri(text.len()), (IOTSEC_OK, text.len(), text));
    assert_eq!(unit.device.write(&image(2)), IOTSEC_OK);
    assert_eq!(unit.device.finish(), IOTSEC_OK);
    assert_eq!(uri(64).0, IOTSEC_ERR_INSTALL_STATE, "all is in place");
}

#[test]
fn only_what_is_latest_is_admitted_and_nothing_until_that_is_known() {
    let unit = Unit::new(0);
    assert_eq!(
        unit.latest(&answered(&latest([0; 16], 3), 2)),
        Err(IOTSEC_ERR_STATE),
        "nothing was asked"
    );
    let first = unit.challenge();
    for release in [2, 3] {
        assert_eq!(unit.inspect(release), Err(IOTSEC_ERR_UPDATE_NOT_LATEST));
        let begun = unit.device.begin(&envelope(release, &maker()));
        assert_eq!(begun, (IOTSEC_ERR_UPDATE_NOT_LATEST, 77));
    }
    // The answer to another challenge, by another role, for another product; each leaves the challenge as it is.
    let second = unit.challenge();
    assert_ne!(first, second);
    let good = latest(second, 3);
    let other_class = LatestContent {
        class: [9; 16],
        ..good
    };
    for (answer, refusal) in [
        (answered(&latest(first, 3), 2), IOTSEC_ERR_TRUST_NONCE),
        (answered(&good, 3), IOTSEC_ERR_TRUST_ROLE_THRESHOLD),
        (answered(&good, 4), IOTSEC_ERR_TRUST_ROLE_THRESHOLD),
        (answered(&other_class, 2), IOTSEC_ERR_TRUST_PRODUCT),
        (token(&downgrade(1, 2), 2), IOTSEC_ERR_TRUST_DOMAIN),
    ] {
        assert_eq!(unit.latest(&answer), Err(refusal));
        assert_eq!(unit.inspect(3), Err(IOTSEC_ERR_UPDATE_NOT_LATEST));
    }
    let mut flipped = answered(&good, 2);
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(unit.latest(&flipped), Err(IOTSEC_ERR_TRUST_ROLE_THRESHOLD));

    let answer = answered(&good, 2);
    let said = iotsec_latest_t {
        manifest: manifest(3),
        trust_version: 1,
        time_s: NOW,
        trust_is_behind: 0,
        reserved: 0,
    };
    assert_eq!(unit.latest(&answer), Ok(said));
    assert_eq!(unit.latest(&answer), Err(IOTSEC_ERR_STATE), "it is used up");
    assert_eq!(unit.inspect(2), Err(IOTSEC_ERR_UPDATE_NOT_LATEST), "held back");
    assert_eq!(
        unit.device.begin(&envelope(2, &maker())),
        (IOTSEC_ERR_UPDATE_NOT_LATEST, 77)
    );
    unit.device.stage(3);
    // A reboot forgets it, and asks for no answer.
    unit.device.boot();
    assert_eq!(unit.device.verb(iotsec_update_reject), IOTSEC_OK);
    unit.device.boot();
    unit.device.clean();
    assert_eq!(unit.inspect(2), Ok(manifest(2)));
}

#[test]
fn nothing_is_admitted_while_the_trust_bundle_is_behind() {
    let unit = Unit::new(0);
    let content = LatestContent {
        trust_version: 2,
        time: None,
        ..latest(unit.challenge(), 2)
    };
    let answer = answered(&content, 2);
    let behind = unit.latest(&answer).unwrap();
    assert_eq!(
        (behind.trust_is_behind, behind.trust_version, behind.time_s),
        (1, 2, 0)
    );
    assert_eq!(unit.inspect(2), Err(IOTSEC_ERR_UPDATE_TRUST_BEHIND));
    assert_eq!(unit.trust.rotate(&bundle(2, 1)), (IOTSEC_OK, 1));
    assert_eq!(unit.latest(&answer).unwrap().trust_is_behind, 0);
    assert_eq!(unit.inspect(2), Ok(manifest(2)));
}

#[test]
fn a_challenge_needs_random_numbers() {
    unsafe extern "C" fn stuck(_: *mut std::ffi::c_void, bytes: *mut u8, len: usize) -> i32 {
        // SAFETY: see the top.
        unsafe { bytes.write_bytes(0xFF, len) };
        0
    }
    unsafe extern "C" fn none(_: *mut std::ffi::c_void, _: *mut u8, _: usize) -> i32 {
        1
    }
    let unit = Unit::new(0);
    for fill in [stuck, none] {
        let entropy = iotsec_entropy_t {
            fill: Some(fill),
            ..unit.device.board.entropy()
        };
        let mut challenge = [5; 16];
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_update_challenge(
                unit.device.update.at(),
                &raw const entropy,
                challenge.as_mut_ptr(),
            )
        };
        assert_eq!((status, challenge), (IOTSEC_ERR_CRYPTO_ENTROPY, [5; 16]));
    }
    assert_eq!(unit.inspect(2), Ok(manifest(2)), "nothing was asked");
}

#[test]
fn a_token_lets_one_device_go_back_once() {
    let unit = Unit::new(8).at_release_2();
    let old = envelope(1, &maker());
    assert_eq!(unit.device.begin(&old), (IOTSEC_ERR_UPDATE_ROLLBACK, 77));
    let good = downgrade(2, 1);
    let other_device = DowngradeContent {
        device: [4; 16],
        ..good
    };
    let other_class = DowngradeContent {
        class: [9; 16],
        ..good
    };
    let expires = DowngradeContent {
        expires: Some(UnixTime(NOW)),
        ..good
    };
    for (token, now, refusal) in [
        (token(&other_device, 3), 0, IOTSEC_ERR_TRUST_WRONG_DEVICE),
        (token(&other_class, 3), 0, IOTSEC_ERR_TRUST_PRODUCT),
        (token(&downgrade(3, 1), 3), 0, IOTSEC_ERR_TRUST_WRONG_START),
        (token(&good, 2), 0, IOTSEC_ERR_TRUST_ROLE_THRESHOLD),
        (token(&expires, 3), 0, IOTSEC_ERR_TRUST_TIME_UNKNOWN),
        (token(&expires, 3), NOW + 1, IOTSEC_ERR_TRUST_TOKEN_EXPIRED),
    ] {
        assert_eq!(unit.downgrade(&token, now), refusal);
        assert_eq!(unit.inspect(1), Err(IOTSEC_ERR_UPDATE_ROLLBACK));
    }
    assert_eq!(unit.downgrade(&token(&expires, 3), NOW), IOTSEC_OK);
    let token = token(&good, 3);
    assert_eq!(unit.downgrade(&token, 0), IOTSEC_OK);
    // It lifts the order, and that there is a later one, and nothing else.
    unit.challenge();
    assert_eq!(unit.inspect(3), Err(IOTSEC_ERR_UPDATE_NOT_LATEST));
    assert_eq!(unit.inspect(1), Ok(manifest(1)));
    unit.device.stage(1);
    assert_eq!(unit.device.boot().sequence, 1);
    assert_eq!(unit.device.verb(iotsec_update_accept), IOTSEC_OK);
    assert_eq!(unit.device.status().installed, 1);
    unit.device.clean();
    assert_eq!(unit.downgrade(&token, 0), IOTSEC_ERR_TRUST_WRONG_START, "once");
    assert_eq!(image(1).len(), unit.device.boot().size as usize);
}

#[test]
fn no_token_lowers_the_security_counter_and_none_is_for_a_device_without_a_name() {
    let unit = Unit::new(0).at_release_2();
    let token = token(&downgrade(2, 1), 3);
    assert_eq!(unit.downgrade(&token, 0), IOTSEC_OK);
    assert_eq!(unit.inspect(1), Ok(manifest(1)));
    let begun = unit.device.begin(&envelope(1, &maker()));
    assert_eq!(begun, (IOTSEC_ERR_ROLLBACK_BELOW_FLOOR, 77));
    // A reboot forgets the token.
    let slot = unit.device.boot().slot;
    assert_eq!(unit.inspect(1), Err(IOTSEC_ERR_UPDATE_ROLLBACK));
    let nameless = iotsec_update_config_t {
        device_id: std::ptr::null(),
        ..unit.device.config()
    };
    assert_eq!(unit.device.verb(iotsec_update_close), IOTSEC_OK);
    // SAFETY: see the top.
    let opened = unsafe { iotsec_update_open(unit.device.update.at(), &raw const nameless, slot) };
    assert_eq!(opened, IOTSEC_OK);
    assert_eq!(unit.downgrade(&token, 0), IOTSEC_ERR_TRUST_WRONG_DEVICE);
}
