use super::*;

pub(super) fn calls(calls: &mut Calls) {
    call!(calls, iotsec_password_generate, |t, b| (
        t.shared(0, &b.credential),
        t.shared(1, &b.entropy),
        IOTSEC_EXPOSURE_ONLINE,
        t.mutable(2, &mut [0u8; IOTSEC_LABEL_MAX]).cast(),
        IOTSEC_LABEL_MAX,
        t.mutable(3, &mut 0),
    ));
    call!(calls, iotsec_password_choose, |t, b| (
        t.shared(0, &b.credential),
        t.shared(1, &b.entropy),
        IOTSEC_EXPOSURE_ONLINE,
        IOTSEC_ITERATIONS_MCU,
        t.shared(2, b"kettle").cast(),
        6,
        t.shared(3, &c"Acme".as_ptr()),
        1,
    ));
    call!(calls, iotsec_password_choose_argon2id, |t, b| (
        t.shared(0, &b.credential),
        t.shared(1, &b.entropy),
        IOTSEC_EXPOSURE_ONLINE,
        t.shared(2, &b.argon2id),
        t.shared(3, b"kettle").cast(),
        6,
        t.shared(4, &c"Acme".as_ptr()),
        1,
    ));
    call!(calls, iotsec_login_lend_argon2id, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.argon2id)
    ));
    call!(calls, iotsec_login_attempt_with_rehash, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.entropy),
        IOTSEC_ITERATIONS_MCU,
        t.shared(2, b"green kettle").cast(),
        12,
        0,
        t.mutable(3, &mut 0),
    ));
    call!(calls, iotsec_login_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.credential),
        ptr::null(),
    ));
    call!(calls, iotsec_login_attempt_label, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"K2M4-P6R8-T0V3-6").cast(),
        16,
        0,
        t.mutable(2, &mut 0),
    ));
    call!(calls, iotsec_login_attempt_text, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"green kettle").cast(),
        12,
        0,
        t.mutable(2, &mut 0),
    ));
    call!(calls, iotsec_login_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_login_unlock, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.presence)
    ));
    call!(calls, iotsec_login_close, |t, b| (t.mutable(0, &mut zeroed())));
}
