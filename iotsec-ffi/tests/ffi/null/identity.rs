use super::*;

pub(super) fn calls(calls: &mut Calls) {
    call!(calls, iotsec_identity_use_ed25519, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_identity_use_p256, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_identity_make, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_identity_adopt, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &[7u8; 32]).cast()
    ));
    call!(calls, iotsec_identity_status, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_identity_start, |t, b| (t.mutable(0, &mut zeroed())));
    call!(calls, iotsec_identity_request, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_IDENTITY_ACTIVE,
        t.shared(1, b"SN-1").cast(),
        4,
        t.mutable(2, &mut [0u8; IOTSEC_IDENTITY_REQUEST_MAX]).cast(),
        IOTSEC_IDENTITY_REQUEST_MAX,
        t.mutable(3, &mut 0)
    ));
    call!(calls, iotsec_identity_certify, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_IDENTITY_ACTIVE,
        t.shared(1, &0x30),
        1
    ));
    call!(calls, iotsec_identity_certificate, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_IDENTITY_ACTIVE,
        t.mutable(1, &mut [0u8; 64]).cast(),
        64,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_identity_signer, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_IDENTITY_ACTIVE,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_identity_commit, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_identity_cancel, |t, b| (t
        .mutable(0, &mut zeroed())));
}
