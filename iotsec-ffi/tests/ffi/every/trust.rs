use iotsec_ffi::{certificate::iotsec_bytes_t, trust::*, update::config::iotsec_trust_anchor_t};

use super::{Succeeded, ok};
use crate::{
    login::zeroed,
    trust::{Bench, bundle},
};

#[test]
fn trust() {
    let mut seen = Succeeded::default();
    let bench = Bench::new();
    let (config, mut status, mut rotated) = (bench.config(), zeroed(), 0);
    let (first, second) = (bundle(1, 4, [1, 2]), bundle(2, 5, [2, 3]));
    ok!(
        seen,
        iotsec_trust_install(&raw const config, first.as_ptr(), first.len())
    );
    ok!(
        seen,
        iotsec_trust_rotate(&raw const config, second.as_ptr(), second.len(), &raw mut rotated)
    );
    ok!(seen, iotsec_trust_status(&raw const config, &raw mut status));
    assert_eq!((rotated, status.version), (1, 2));
    let (mut keys, mut anchors) = (
        [zeroed::<iotsec_trust_key_t>(); 8],
        [zeroed::<iotsec_trust_anchor_t>(); 8],
    );
    let (mut len, mut threshold) = (0, 0);
    ok!(
        seen,
        iotsec_trust_anchors(
            &raw const config,
            IOTSEC_TRUST_ROOT,
            0,
            keys.as_mut_ptr(),
            anchors.as_mut_ptr(),
            8,
            &raw mut len,
            &raw mut threshold
        )
    );
    assert_eq!((len, threshold), (3, 2));
    let mut tls = [zeroed::<iotsec_bytes_t>(); 8];
    ok!(
        seen,
        iotsec_trust_tls_anchors(&raw const config, 0, tls.as_mut_ptr(), 8, &raw mut len)
    );
    // SAFETY: it points into the buffer of the bench.
    let der = unsafe { std::slice::from_raw_parts(tls[0].bytes, tls[0].len) };
    assert_eq!((len, der), (1, crate::trust::CERTIFICATE));
    seen.all_of("trust");
}
