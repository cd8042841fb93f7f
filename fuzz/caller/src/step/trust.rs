use std::mem::MaybeUninit;

use iotsec_ffi::{
    certificate::iotsec_bytes_t,
    status::{IOTSEC_ERR_SHORT_BUFFER, IOTSEC_OK},
    trust::*,
    update::config::iotsec_trust_anchor_t,
};

use super::Step;
use crate::{Input, vectors};

/// A bundle that is right, or one with a piece of the input in it.
fn bundle(input: &mut Input<'_>) -> Vec<u8> {
    let mut bundle = vectors::bundle(input.byte()).to_vec();
    let (at, piece) = (usize::from(input.byte()), input.piece());
    for (to, from) in bundle.iter_mut().skip(at).zip(piece) {
        *to = *from;
    }
    bundle
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_trust_install", |world, input| {
        let (config, bundle) = (world.trust_config(), bundle(input));
        // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and
        // below.
        unsafe { iotsec_trust_install(&raw const config, bundle.as_ptr(), bundle.len()) }
    }),
    ("iotsec_trust_rotate", |world, input| {
        let (config, bundle, mut rotated) = (world.trust_config(), bundle(input), 7);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_trust_rotate(&raw const config, bundle.as_ptr(), bundle.len(), &raw mut rotated)
        };
        assert_eq!(rotated == 7, status != IOTSEC_OK);
        status
    }),
    ("iotsec_trust_status", |world, _| {
        let (config, mut status) = (world.trust_config(), MaybeUninit::uninit());
        // SAFETY: as above.
        unsafe { iotsec_trust_status(&raw const config, status.as_mut_ptr()) }
    }),
    ("iotsec_trust_anchors", |world, input| {
        let (config, role, now) = (world.trust_config(), input.number(), input.wide());
        let room = usize::from(input.byte() % 9);
        // As large as the room that is said, so that a sanitizer sees what goes beyond.
        let (mut keys, mut anchors) = (
            vec![MaybeUninit::<iotsec_trust_key_t>::uninit(); room],
            vec![MaybeUninit::<iotsec_trust_anchor_t>::uninit(); room],
        );
        let (mut len, mut threshold) = (usize::MAX, 0);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_trust_anchors(
                &raw const config,
                role,
                now,
                keys.as_mut_ptr().cast(),
                anchors.as_mut_ptr().cast(),
                room,
                &raw mut len,
                &raw mut threshold,
            )
        };
        match status {
            IOTSEC_OK => assert!(len <= room && threshold > 0),
            IOTSEC_ERR_SHORT_BUFFER => assert!(len > room && threshold == 0),
            _ => assert_eq!((len, threshold), (usize::MAX, 0)),
        }
        status
    }),
    ("iotsec_trust_tls_anchors", |world, input| {
        let (config, now, mut len) = (world.trust_config(), input.wide(), usize::MAX);
        let mut anchors = [MaybeUninit::<iotsec_bytes_t>::uninit(); 8];
        let at = anchors.as_mut_ptr().cast();
        // SAFETY: as above.
        unsafe { iotsec_trust_tls_anchors(&raw const config, now, at, 8, &raw mut len) }
    }),
];
