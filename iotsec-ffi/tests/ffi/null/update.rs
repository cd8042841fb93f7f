use super::*;

pub(super) fn calls(calls: &mut Calls) {
    call!(calls, iotsec_boot_select, |t, b| (
        t.shared(0, &b.update),
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_boot_verify, |t, b| (
        t.shared(0, &b.update),
        IOTSEC_SLOT_A,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_slot_provision, |t, b| (
        t.shared(0, &b.update),
        IOTSEC_SLOT_B,
        t.shared(1, &0),
        1,
        t.shared(2, &0),
        1,
    ));
    call!(calls, iotsec_update_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.update),
        IOTSEC_SLOT_A
    ));
    call!(calls, iotsec_update_begin, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &0),
        1,
        0,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_update_write, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &0),
        1,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_update_finish, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_update_install, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_update_accept, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_update_reject, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_update_cancel, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_update_forget_rejected, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_update_clean, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_update_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_update_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_trust_install, |t, b| (
        t.shared(0, &b.trust),
        t.shared(1, b"x").cast(),
        1
    ));
    call!(calls, iotsec_trust_rotate, |t, b| (
        t.shared(0, &b.trust),
        t.shared(1, b"x").cast(),
        1,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_trust_status, |t, b| (
        t.shared(0, &b.trust),
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_trust_anchors, |t, b| (
        t.shared(0, &b.trust),
        IOTSEC_TRUST_UPDATE,
        0,
        t.mutable(1, &mut zeroed()),
        t.mutable(2, &mut zeroed()),
        1,
        t.mutable(3, &mut 0),
        t.mutable(4, &mut 0)
    ));
    call!(calls, iotsec_trust_tls_anchors, |t, b| (
        t.shared(0, &b.trust),
        0,
        t.mutable(1, &mut zeroed()),
        1,
        t.mutable(2, &mut 0)
    ));
}
