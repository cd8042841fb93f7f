//! What an envelope is before it is begun with, signed statements that decide which one may be begun with, and the report
//! of what became of it.

use std::{mem::MaybeUninit, ptr};

use iotsec::{
    core::hal::UnixTime,
    update::{
        SequenceNumber,
        trust::{DowngradeContent, LatestContent},
    },
};
use iotsec_ffi::{
    status::{IOTSEC_OK, iotsec_status_t},
    update::{freshness::*, report::*, *},
};

use super::{
    Step, filled,
    statement::{DIGEST, signer},
    update::envelope,
};
use crate::{
    Input,
    board::{self, size},
    guarded::Guarded,
    vectors::{self, By},
    world::World,
};

/// What an updater was told since it was opened.
#[derive(Default)]
pub(crate) struct Told {
    /// The challenge that was drawn last.
    challenge: [u8; IOTSEC_UPDATE_CHALLENGE_LEN],
    /// It has no answer yet, or one by which the trust bundle is behind.
    is_pending: bool,
    /// The release that is the latest.
    latest: Option<iotsec_manifest_t>,
    /// The release that it may go back to.
    leave: Option<iotsec_manifest_t>,
}

/// An updater that was just opened knows nothing of what was said before.
pub(super) fn opened(world: &mut World, status: iotsec_status_t) -> iotsec_status_t {
    if status == IOTSEC_OK {
        world.told = Told::default();
    }
    status
}

/// What was begun with is what may be.
pub(super) fn begun(world: &World) {
    let manifests = manifests(world).expect("an updater that is open");
    judge(world, &manifests.update);
}

/// An updater admits no release that is older than what is installed without leave, and none but the latest once it has
/// asked for it.
fn judge(world: &World, admitted: &iotsec_manifest_t) {
    let mut status = MaybeUninit::uninit();
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and below.
    let known = unsafe { iotsec_update_status(world.update.at(), status.as_mut_ptr()) };
    assert_eq!(known, IOTSEC_OK);
    // SAFETY: it was written, as the status says.
    let status: iotsec_update_status_t = unsafe { status.assume_init() };
    assert!(vectors::manifests().contains(admitted), "what nobody signed");
    let told = &world.told;
    if told.leave == Some(*admitted) && admitted.sequence < status.installed {
        return;
    }
    assert!(admitted.sequence > status.installed, "back without leave");
    assert!(!told.is_pending, "admitted without an answer");
    assert!(told.latest.is_none_or(|latest| latest == *admitted));
}

fn manifests(world: &World) -> Result<iotsec_update_manifests_t, iotsec_status_t> {
    let mut manifests = MaybeUninit::uninit();
    // SAFETY: as above.
    match unsafe { iotsec_update_manifests(world.update.at(), manifests.as_mut_ptr()) } {
        // SAFETY: it was written, as the status says.
        IOTSEC_OK => Ok(unsafe { manifests.assume_init() }),
        status => Err(status),
    }
}

/// Who signs: the one whose word it is, or another.
fn by(input: &mut Input<'_>, right: By) -> By {
    match input.byte() % 4 {
        0 => right,
        1 => By::Maker,
        2 => By::Freshness,
        _ => By::Recovery,
    }
}

/// A message with a piece of the input in it.
pub(super) fn changed(mut message: Vec<u8>, input: &mut Input<'_>) -> Vec<u8> {
    let (at, piece) = (usize::from(input.byte()), input.piece());
    for (to, from) in message.iter_mut().skip(at).zip(piece) {
        *to = *from;
    }
    message
}

fn time(input: &mut Input<'_>) -> Option<UnixTime> {
    Some(input.wide()).filter(|time| *time != 0).map(UnixTime)
}

/// A statement of what is the latest, to the challenge that was drawn last or to another one.
fn latest(world: &World, input: &mut Input<'_>) -> LatestContent {
    let mut nonce = world.told.challenge;
    nonce[0] ^= input.byte();
    let manifest = vectors::manifest(input.byte());
    LatestContent {
        nonce,
        vendor: vectors::VENDOR,
        class: vectors::CLASS,
        sequence: SequenceNumber(manifest.sequence),
        manifest_digest: manifest.digest,
        trust_version: input.byte().into(),
        time: time(input),
    }
}

/// Leave to go from one release to another, for this device or another one.
fn downgrade(input: &mut Input<'_>) -> DowngradeContent {
    let mut device = vectors::UNIT;
    device[0] ^= input.byte();
    DowngradeContent {
        vendor: vectors::VENDOR,
        class: vectors::CLASS,
        device,
        from: vectors::manifest(input.byte()).digest,
        to: vectors::manifest(input.byte()).digest,
        expires: time(input),
    }
}

fn latest_payload(content: &LatestContent) -> Vec<u8> {
    let mut out = [0; LatestContent::MAX_LEN];
    content.write(&mut out).expect("room for any").to_vec()
}

fn downgrade_payload(content: &DowngradeContent) -> Vec<u8> {
    let mut out = [0; DowngradeContent::MAX_LEN];
    content.write(&mut out).expect("room for any").to_vec()
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("a counter of every 256th release", |world, _| {
        world.counter_shift = 8;
        IOTSEC_OK
    }),
    ("iotsec_update_manifests", |world, _| match manifests(world) {
        Ok(manifests) => {
            assert!(vectors::manifests().contains(&manifests.running));
            IOTSEC_OK
        }
        Err(status) => status,
    }),
    ("iotsec_update_authenticate", |world, input| {
        let ((envelope, _), mut digest) = (envelope(input), Guarded::new(32));
        let (at, out) = (world.update.at(), digest.at());
        // SAFETY: as above.
        let status = unsafe { iotsec_update_authenticate(at, envelope.as_ptr(), envelope.len(), out) };
        let digest = digest.sides();
        if status == IOTSEC_OK {
            let mut all = vectors::manifests().iter();
            assert!(
                all.any(|manifest| manifest.digest == digest),
                "what nobody signed"
            );
        }
        status
    }),
    ("iotsec_update_inspect", |world, input| {
        let (now, (envelope, _), at) = (input.wide(), envelope(input), world.update.at());
        let mut manifest = MaybeUninit::uninit();
        // SAFETY: as above.
        let status = unsafe {
            iotsec_update_inspect(at, envelope.as_ptr(), envelope.len(), now, manifest.as_mut_ptr())
        };
        if status == IOTSEC_OK {
            // SAFETY: it was written, as the status says.
            judge(world, unsafe { manifest.assume_init_ref() });
        }
        status
    }),
    ("iotsec_update_challenge", |world, _| {
        let (entropy, mut challenge) = (board::entropy(world.ctx()), [0; IOTSEC_UPDATE_CHALLENGE_LEN]);
        let (at, out) = (world.update.at(), challenge.as_mut_ptr());
        // SAFETY: as above.
        let status = unsafe { iotsec_update_challenge(at, &raw const entropy, out) };
        if status == IOTSEC_OK {
            assert_ne!(challenge, world.told.challenge, "a challenge twice");
            (world.told.challenge, world.told.is_pending) = (challenge, true);
            world.told.latest = None;
        }
        status
    }),
    ("iotsec_update_latest", |world, input| {
        let (config, now, is_other) = (world.trust_config(), input.wide(), input.byte() % 2 == 1);
        let (by, content) = (by(input, By::Freshness), latest(world, input));
        let payload = if is_other {
            downgrade_payload(&downgrade(input))
        } else {
            latest_payload(&content)
        };
        let answer = changed(vectors::sign(&payload, by), input);
        let (at, mut latest) = (world.update.at(), MaybeUninit::uninit());
        let (from, len) = (answer.as_ptr(), answer.len());
        // SAFETY: as above.
        let status =
            unsafe { iotsec_update_latest(at, &raw const config, from, len, now, latest.as_mut_ptr()) };
        if status != IOTSEC_OK {
            return status;
        }
        assert!(world.told.is_pending, "an answer to nothing");
        assert!(by == By::Freshness && !is_other && content.nonce == world.told.challenge);
        // SAFETY: it was written, as the status says.
        let latest: iotsec_latest_t = unsafe { latest.assume_init() };
        assert_eq!(
            (latest.manifest.sequence, latest.manifest.digest),
            (content.sequence.0, content.manifest_digest)
        );
        assert_eq!(latest.trust_version, content.trust_version);
        assert_eq!(latest.time_s, content.time.unwrap_or_default().0);
        world.told.is_pending = latest.trust_is_behind != 0;
        world.told.latest = Some(latest.manifest);
        status
    }),
    ("iotsec_update_downgrade", |world, input| {
        let (config, now, is_other) = (world.trust_config(), input.wide(), input.byte() % 2 == 1);
        let (by, content) = (by(input, By::Recovery), downgrade(input));
        let payload = if is_other {
            latest_payload(&latest(world, input))
        } else {
            downgrade_payload(&content)
        };
        let token = changed(vectors::sign(&payload, by), input);
        let (at, from, len) = (world.update.at(), token.as_ptr(), token.len());
        // SAFETY: as above.
        let status = unsafe { iotsec_update_downgrade(at, &raw const config, from, len, now) };
        if status != IOTSEC_OK {
            return status;
        }
        assert!(by == By::Recovery && !is_other && content.device == vectors::UNIT);
        assert!(
            content.expires.is_none_or(|end| now != 0 && now <= end.0),
            "too late"
        );
        let running = manifests(world).expect("an updater that is open").running;
        assert_eq!(content.from, running.digest);
        let mut all = vectors::manifests().iter();
        world.told.leave = all.find(|manifest| manifest.digest == content.to).copied();
        status
    }),
    ("iotsec_update_uri", |world, input| {
        let at = world.update.at();
        // SAFETY: as above.
        let (status, uri) = filled(input, |out, size, len| unsafe {
            iotsec_update_uri(at, out.cast(), size, len)
        });
        assert!(status != IOTSEC_OK || uri == vectors::URI.as_bytes());
        status
    }),
    ("iotsec_update_report", report),
];

fn report(_: &mut World, input: &mut Input<'_>) -> iotsec_status_t {
    let (signer, cause, has_uri) = (signer(), input.wide(), input.byte() % 2 == 1);
    let (nonce, key_id, count) = (input.piece(), input.piece(), usize::from(input.byte() % 10));
    let measured = iotsec_update_measured_t {
        component: vectors::COMPONENT.as_ptr(),
        component_len: vectors::COMPONENT.len(),
        digest: DIGEST.as_ptr(),
        size: 1300,
        reserved: 0,
    };
    let components = vec![measured; count];
    let report = iotsec_update_report_t {
        struct_size: size::<iotsec_update_report_t>(),
        cause: i32::try_from(cause).unwrap_or(-1),
        manifest_digest: DIGEST.as_ptr(),
        reference_uri: if has_uri {
            c"https://fw.example/app".as_ptr()
        } else {
            ptr::null()
        },
        nonce: nonce.as_ptr(),
        nonce_len: nonce.len(),
        key_id: key_id.as_ptr(),
        key_id_len: key_id.len(),
        components: components.as_ptr(),
        component_count: count,
    };
    // What the header says is enough.
    let uri = if has_uri { vectors::URI.len() } else { 0 };
    let bytes = uri + nonce.len() + key_id.len() + count * vectors::COMPONENT.len();
    let most = IOTSEC_UPDATE_REPORT_BASE + count * IOTSEC_UPDATE_REPORT_COMPONENT + bytes;
    let mut scratch = Guarded::new(2 * most - usize::from(input.byte()));
    let (room, room_size) = (scratch.at(), scratch.size());
    // SAFETY: as above.
    let (status, message) = filled(input, |out, size, len| unsafe {
        iotsec_update_report(
            &raw const signer,
            &raw const report,
            room,
            room_size,
            out,
            size,
            len,
        )
    });
    scratch.sides();
    assert!(message.len() <= most);
    status
}
