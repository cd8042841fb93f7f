//! Certificates of a server through C pointers.
//!
//! SAFETY of every call: pointers are to live bytes, as many as the length beside them says.

use iotsec_ffi::{certificate::*, signer::*, status::*};

const ROOT: &[u8] = include_bytes!("../../../vectors/certificate/root.der");
const GOOD: &[u8] = include_bytes!("../../../vectors/certificate/good.der");
const IMPOSTOR: &[u8] = include_bytes!("../../../vectors/certificate/impostor.der");
const HOST: &[u8] = b"broker.example";
const NOW: u64 = 1_800_000_000;

pub(crate) const fn lent(bytes: &'static [u8]) -> iotsec_bytes_t {
    iotsec_bytes_t {
        bytes: bytes.as_ptr(),
        len: bytes.len(),
    }
}

pub(crate) static TRUSTED: [Lent; 2] = [Lent(lent(ROOT)), Lent(lent(IMPOSTOR))];
pub(crate) static CHAIN: [Lent; 1] = [Lent(lent(GOOD))];

/// Bytes that live for ever.
#[repr(transparent)]
pub(crate) struct Lent(iotsec_bytes_t);
// SAFETY: nobody writes them.
unsafe impl Sync for Lent {}

pub(crate) fn pointer(lent: &'static [Lent]) -> *const iotsec_bytes_t {
    lent.as_ptr().cast()
}

pub(crate) fn policy() -> iotsec_server_policy_t {
    iotsec_server_policy_t {
        struct_size: size_of::<iotsec_server_policy_t>() as u32,
        anchor_count: 1,
        anchors: pointer(&TRUSTED),
        time: NOW,
        time_slack: 0,
    }
}

fn verify(
    policy: &iotsec_server_policy_t,
    chain: &[iotsec_bytes_t],
    host: &[u8],
) -> (iotsec_status_t, iotsec_server_key_t) {
    let mut key = iotsec_server_key_t {
        key_type: 0,
        offset: 0,
        len: 0,
        reserved: 0,
    };
    // SAFETY: see the top.
    let status = unsafe {
        iotsec_certificate_verify_server(
            policy,
            chain.as_ptr(),
            chain.len(),
            host.as_ptr(),
            host.len(),
            &mut key,
        )
    };
    (status, key)
}

#[test]
fn a_good_server_is_believed_and_its_key_found_in_its_certificate() {
    let (status, key) = verify(&policy(), &[lent(GOOD)], HOST);
    assert_eq!((status, key.key_type), (IOTSEC_OK, IOTSEC_KEY_P256));
    let info = &GOOD[key.offset as usize..][..key.len as usize];
    // A sequence of 89 bytes, of which the last 65 are the point.
    assert_eq!((info.len(), &info[..2], info[26]), (91, &[0x30, 0x59][..], 4));
    // Another anchor beside the right one does no harm.
    let mut both = policy();
    both.anchor_count = 2;
    assert_eq!(verify(&both, &[lent(GOOD)], HOST).0, IOTSEC_OK);
    // A clock that knows only a moment that has passed.
    let mut behind = policy();
    (behind.time, behind.time_slack) = (NOW - 400 * 86_400, 500 * 86_400);
    assert_eq!(verify(&behind, &[lent(GOOD)], HOST).0, IOTSEC_OK);
    behind.time_slack = 0;
    assert_ne!(verify(&behind, &[lent(GOOD)], HOST).0, IOTSEC_OK);
}

#[test]
fn every_other_server_is_refused_by_name() {
    let refused = |policy: &iotsec_server_policy_t, chain: &[iotsec_bytes_t], host: &[u8]| {
        let (status, key) = verify(policy, chain, host);
        assert_eq!((key.key_type, key.len), (0, 0));
        status
    };
    let good = [lent(GOOD)];
    assert_eq!(
        refused(&policy(), &good, b"evil.example"),
        IOTSEC_ERR_CERTIFICATE_HOST
    );
    assert_eq!(
        refused(&policy(), &good, b"evil example"),
        IOTSEC_ERR_INPUT_CHARACTER
    );
    let mut impostor = policy();
    impostor.anchors = pointer(&TRUSTED[1..]);
    let status = refused(&impostor, &good, HOST);
    assert!((5001..5100).contains(&status), "{status}");
    let mut leaf = policy();
    leaf.anchors = pointer(&CHAIN);
    assert_eq!(refused(&leaf, &good, HOST), IOTSEC_ERR_ANCHOR_NOT_CA);
    for (anchors, chain) in [(0, 1), (10, 1), (1, 5)] {
        let mut policy = policy();
        policy.anchor_count = anchors;
        assert_eq!(refused(&policy, &vec![lent(GOOD); chain], HOST), IOTSEC_ERR_SIZE);
    }
    let cut = [lent(&GOOD[..GOOD.len() - 1])];
    let status = refused(&policy(), &cut, HOST);
    assert!((5001..5100).contains(&status), "{status}");
    assert_ne!(refused(&policy(), &[], HOST), IOTSEC_OK);
}
