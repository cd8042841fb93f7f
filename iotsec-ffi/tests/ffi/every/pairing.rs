use iotsec::core::{
    credential::pairing::{Owner, PairingCode, PairingNames, PairingParameters},
    crypto::HkdfSha256,
};
use iotsec_ffi::pairing::*;
use iotsec_testkit::SimRng;

use super::{Succeeded, device::draw_setup_code, ok};
use crate::{
    board::Fixed,
    device::{Unit, presence},
    login::zeroed,
};

const APP: &[u8] = b"phone-7";

#[test]
fn pairing() {
    let mut seen = Succeeded::default();
    let mut unit = Unit::blank();
    let code = draw_setup_code(&mut seen, &unit);
    unit.begin_with_label();
    let (device, pairing) = (unit.device.at(), Fixed::<iotsec_pairing_t>::new(zeroed()));
    let mut parameters = [0; IOTSEC_PAIRING_PARAMETERS_LEN];
    ok!(seen, iotsec_pairing_parameters(device, parameters.as_mut_ptr()));
    ok!(seen, iotsec_pairing_open(device, 1000, 60_000));
    let somebody = presence(true);
    ok!(
        seen,
        iotsec_pairing_open_by_presence(device, &raw const somebody, 1000, 60_000)
    );

    // The owner's app.
    let parameters = PairingParameters::parse(&parameters).unwrap();
    let names = PairingNames::new(APP, b"LAMP-0042").unwrap();
    let code = PairingCode::parse(&code).unwrap();
    let owner = Owner::new(&code, names, &parameters, &HkdfSha256).unwrap();
    let (waiting, share) = owner.start(&mut SimRng::new(5), &HkdfSha256).unwrap();

    let mut answer = [0; IOTSEC_PAIRING_ANSWER_LEN];
    for attempt in [2000, 3000] {
        ok!(
            seen,
            iotsec_pairing_answer(
                pairing.at(),
                device,
                APP.as_ptr(),
                APP.len(),
                share.as_ptr(),
                attempt,
                answer.as_mut_ptr()
            )
        );
        if attempt == 2000 {
            ok!(seen, iotsec_pairing_close(pairing.at()));
        }
    }
    let (confirm, theirs) = waiting.finish(&answer, &HkdfSha256).unwrap();
    let mut keys: iotsec_pairing_keys_t = zeroed();
    ok!(
        seen,
        iotsec_pairing_finish(pairing.at(), device, confirm.as_ptr(), 4000, &raw mut keys)
    );
    assert_eq!(&keys.owner_to_device, theirs.owner_to_device().expose());
    assert_eq!(&keys.exporter, theirs.exporter().expose());
    seen.all_of("pairing");
}
