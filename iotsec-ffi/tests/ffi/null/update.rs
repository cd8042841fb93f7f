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
    call!(calls, iotsec_update_uri, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut [0u8; 64]).cast(),
        64,
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
    call!(calls, iotsec_update_manifests, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_update_authenticate, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &0),
        1,
        t.mutable(2, &mut [0u8; 32]).cast()
    ));
    call!(calls, iotsec_update_inspect, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &0),
        1,
        0,
        t.mutable(2, &mut zeroed())
    ));
    call!(calls, iotsec_update_challenge, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.entropy),
        t.mutable(2, &mut [0u8; 16]).cast()
    ));
    call!(calls, iotsec_update_report, |t, b| (
        t.shared(0, &crate::attest::signer()),
        t.shared(1, &crate::report::done()),
        t.mutable(2, &mut [0u8; 1024]).cast(),
        1024,
        t.mutable(3, &mut [0u8; 1024]).cast(),
        1024,
        t.mutable(4, &mut 0)
    ));
    statements(calls);
    integrity(calls);
    planner(calls);
}

/// With an updater that is there: a null pointer to the bundle is looked at last.
fn statements(calls: &mut Calls) {
    call!(calls, iotsec_update_latest, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.trust),
        t.shared(2, &0),
        1,
        0,
        t.mutable(3, &mut zeroed())
    ));
    call!(calls, iotsec_update_downgrade, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.trust),
        t.shared(2, &0),
        1,
        0
    ));
}

fn integrity(calls: &mut Calls) {
    call!(calls, iotsec_integrity_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.update),
        IOTSEC_SLOT_A,
        IOTSEC_OK
    ));
    call!(calls, iotsec_integrity_step, |t, b| (
        t.mutable(0, &mut zeroed()),
        1024,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_integrity_least, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_integrity_close, |t, b| (t
        .mutable(0, &mut zeroed())));
}

fn planner(calls: &mut Calls) {
    call!(calls, iotsec_planner_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.credential.verifier),
        t.shared(2, &b.entropy),
        t.shared(3, &crate::planner::DEFAULTS),
        0
    ));
    call!(calls, iotsec_planner_next, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::planner::IDLE),
        0,
        t.mutable(2, &mut zeroed())
    ));
    call!(calls, iotsec_planner_checked, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_CHECK_FAILED,
        0
    ));
    call!(calls, iotsec_planner_found, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::planner::SECURITY),
        0
    ));
    call!(calls, iotsec_planner_decide, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_DECISION_INSTALL,
        0,
        0
    ));
    call!(calls, iotsec_planner_installed, |t, b| (
        t.mutable(0, &mut zeroed()),
        0
    ));
    call!(calls, iotsec_planner_failed, |t, b| (
        t.mutable(0, &mut zeroed()),
        0
    ));
    call!(calls, iotsec_planner_interrupted, |t, b| (
        t.mutable(0, &mut zeroed()),
        0
    ));
    call!(calls, iotsec_planner_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::planner::IDLE),
        0,
        t.mutable(2, &mut zeroed())
    ));
    call!(calls, iotsec_planner_close, |t, b| (t.mutable(0, &mut zeroed())));
}
