use super::*;

pub(super) fn calls(calls: &mut Calls) {
    call!(calls, iotsec_pairing_parameters, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut [0u8; IOTSEC_PAIRING_PARAMETERS_LEN]).cast(),
    ));
    call!(calls, iotsec_pairing_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        1
    ));
    call!(calls, iotsec_pairing_open_by_presence, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.presence),
        0,
        1
    ));
    call!(calls, iotsec_pairing_answer, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut zeroed()),
        t.shared(2, b"phone-7").cast(),
        7,
        t.shared(3, &[0u8; IOTSEC_PAIRING_SHARE_LEN]).cast(),
        0,
        t.mutable(4, &mut [0u8; IOTSEC_PAIRING_ANSWER_LEN]).cast(),
    ));
    call!(calls, iotsec_pairing_finish, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut zeroed()),
        t.shared(2, &[0u8; IOTSEC_PAIRING_CONFIRM_LEN]).cast(),
        0,
        t.mutable(3, &mut zeroed()),
    ));
    call!(calls, iotsec_pairing_close, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_erased_sign, |t, b| (
        t.shared(0, &crate::attest::signer()),
        t.shared(1, &crate::device::ERASED),
        ptr::null(),
        0,
        t.mutable(3, &mut [0u8; 295]).cast(),
        295,
        t.mutable(4, &mut 0)
    ));
    call!(calls, iotsec_erased_verify, |t, b| (
        IOTSEC_KEY_ED25519,
        t.shared(0, &[7u8; 32]).cast(),
        32,
        t.shared(1, b"x").cast(),
        1,
        ptr::null(),
        0,
        t.mutable(3, &mut zeroed())
    ));
    call!(calls, iotsec_security_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::device::OBSERVED),
        0,
        t.mutable(2, &mut zeroed()),
        1,
        t.mutable(3, &mut 0),
        t.mutable(4, &mut 0)
    ));
    call!(calls, iotsec_security_status_json, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::device::OBSERVED),
        0,
        t.mutable(2, &mut [0u8; 8]).cast(),
        8,
        t.mutable(3, &mut 0)
    ));
    call!(calls, iotsec_setup_begin, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::device::PLAN)
    ));
    call!(calls, iotsec_setup_present_label, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"K2M4").cast(),
        4,
        0
    ));
    call!(calls, iotsec_setup_leave, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_setup_give_network, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"net").cast(),
        3
    ));
    call!(calls, iotsec_setup_report, |t, b| (
        t.mutable(0, &mut zeroed()),
        10
    ));
    call!(calls, iotsec_setup_set_time, |t, b| (
        t.mutable(0, &mut zeroed()),
        1
    ));
    call!(calls, iotsec_setup_restart, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.presence),
        0,
        0
    ));
    call!(calls, iotsec_setup_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_setup_status_json, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut [0u8; 8]).cast(),
        8,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_setup_claim, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_EXPOSURE_ONLINE,
        IOTSEC_ITERATIONS_MCU,
        t.shared(1, b"kettle").cast(),
        6,
        t.shared(2, &c"Acme".as_ptr()),
        1
    ));
}
