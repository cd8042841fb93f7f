use super::*;

pub(super) fn calls(calls: &mut Calls) {
    call!(calls, iotsec_device_format, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.device)
    ));
    call!(calls, iotsec_device_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.device)
    ));
    call!(calls, iotsec_device_state, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_device_draw_code, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_EXPOSURE_ONLINE,
        t.mutable(1, &mut [0u8; 21]).cast(),
        21,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_device_draw_setup_code, |t, b| (
        t.mutable(0, &mut zeroed()),
        1000,
        t.mutable(1, &mut [0u8; IOTSEC_SETUP_CODE_LEN]).cast(),
        IOTSEC_SETUP_CODE_LEN,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_device_provision, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"SN-1").cast(),
        4,
        t.mutable(2, &mut zeroed())
    ));
    call!(calls, iotsec_device_serial, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut [0u8; 32]).cast(),
        32,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_device_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_device_login, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"green kettle").cast(),
        12,
        0,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_device_logout, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_device_login_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_device_unlock, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.presence)
    ));
    call!(calls, iotsec_device_set_password, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        IOTSEC_EXPOSURE_ONLINE,
        IOTSEC_ITERATIONS_MCU,
        t.shared(1, b"kettle").cast(),
        6,
        t.shared(2, &c"Acme".as_ptr()),
        1
    ));
    call!(calls, iotsec_device_set_network, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, b"net").cast(),
        3
    ));
    call!(calls, iotsec_device_network, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut [0u8; 256]).cast(),
        256,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_device_put, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, b"x").cast(),
        1
    ));
    call!(calls, iotsec_device_get, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut [0u8; 8]).cast(),
        8,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_device_remove, |t, b| (
        t.mutable(0, &mut zeroed()),
        1
    ));
    call!(calls, iotsec_device_record, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_device_reset, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        0,
        0
    ));
    call!(calls, iotsec_device_transfer, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        0,
        0
    ));
    call!(calls, iotsec_device_retire, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        0,
        0,
        ptr::null(),
        0
    ));
    call!(calls, iotsec_device_give_up, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"K2M4-P6R8-T0V3-6").cast(),
        16,
        0,
        0
    ));
    call!(calls, iotsec_device_give_up_by_presence, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.presence),
        0,
        0
    ));
    call!(calls, iotsec_device_begin_scrub, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_device_scrub_step, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_device_receipt, |t, b| (
        t.mutable(0, &mut zeroed()),
        ptr::null(),
        0,
        t.mutable(2, &mut [0u8; 295]).cast(),
        295,
        t.mutable(3, &mut 0)
    ));
    call!(calls, iotsec_device_login_with_rehash, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_ITERATIONS_MCU,
        t.shared(1, b"green kettle").cast(),
        12,
        0,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_device_lend_argon2id, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.argon2id)
    ));
}
