use iotsec_ffi::device::{identity::*, *};

use super::{Succeeded, ok};
use crate::{
    device::{
        Unit,
        identity::{SEED, certificate_for},
    },
    login::zeroed,
};

#[test]
fn identity() {
    let mut seen = Succeeded::default();
    let unit = Unit::provisioned();
    let (at, mut step) = (unit.device.at(), 0);
    ok!(seen, iotsec_identity_use_ed25519(at));
    ok!(seen, iotsec_identity_make(at));
    let (mut request, mut len) = ([0; IOTSEC_IDENTITY_REQUEST_MAX], 0);
    let mut certified = [0; 128];
    for which in [IOTSEC_IDENTITY_ACTIVE, IOTSEC_IDENTITY_NEW] {
        if which == IOTSEC_IDENTITY_NEW {
            ok!(seen, iotsec_identity_start(at));
        }
        let (subject, out) = (b"LAMP-0042".as_ptr().cast(), request.as_mut_ptr());
        ok!(
            seen,
            iotsec_identity_request(
                at,
                which,
                subject,
                9,
                out,
                IOTSEC_IDENTITY_REQUEST_MAX,
                &raw mut len
            )
        );
        let certificate = certificate_for(&request[..len]);
        ok!(
            seen,
            iotsec_identity_certify(at, which, certificate.as_ptr(), certificate.len())
        );
        ok!(
            seen,
            iotsec_identity_certificate(at, which, certified.as_mut_ptr(), 128, &raw mut len)
        );
        assert_eq!(&certified[..len], certificate);
        let mut signer = zeroed();
        ok!(seen, iotsec_identity_signer(at, which, &raw mut signer));
    }
    ok!(seen, iotsec_identity_commit(at));
    ok!(seen, iotsec_identity_start(at));
    ok!(seen, iotsec_identity_cancel(at));
    ok!(seen, iotsec_identity_status(at, &raw mut step));
    assert_eq!(step, IOTSEC_IDENTITY_IDLE);
    ok!(seen, iotsec_device_close(at));
    let other = Unit::provisioned();
    ok!(seen, iotsec_identity_use_p256(other.device.at()));
    ok!(seen, iotsec_identity_adopt(other.device.at(), SEED.as_ptr()));
    ok!(seen, iotsec_device_close(other.device.at()));
    seen.all_of("identity");
}
