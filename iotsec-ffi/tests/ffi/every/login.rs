use std::ptr;

use iotsec_ffi::{guard::*, login::*, password::*};

use super::{Succeeded, ok};
use crate::{
    board::{Board, Fixed},
    device::presence,
    login::{Memory, Records, credential, zeroed},
};

#[test]
fn login() {
    let mut seen = Succeeded::default();
    let (board, records) = (Board::new(), Fixed::new(Records::default()));
    let (credential, entropy) = (credential(&board, &records), board.entropy());
    let (mut label, mut len) = ([0u8; IOTSEC_LABEL_MAX], 0);
    let out = label.as_mut_ptr().cast();
    ok!(
        seen,
        iotsec_password_generate(
            &raw const credential,
            &raw const entropy,
            IOTSEC_EXPOSURE_ONLINE,
            out,
            IOTSEC_LABEL_MAX,
            &raw mut len
        )
    );
    let (login, mut scheme): (Fixed<iotsec_login_t>, _) = (Fixed::new(zeroed()), 0);
    let at = login.at();
    ok!(seen, iotsec_login_open(at, &raw const credential, ptr::null()));
    ok!(
        seen,
        iotsec_login_attempt_label(at, label.as_ptr().cast(), len, 1000, &raw mut scheme)
    );
    assert_eq!(scheme, IOTSEC_SCHEME_GENERATED);
    let (password, context) = ("seven small otters", [c"LAMP-0042".as_ptr()]);
    let (text, text_len) = (password.as_ptr().cast(), password.len());
    ok!(
        seen,
        iotsec_password_choose(
            &raw const credential,
            &raw const entropy,
            IOTSEC_EXPOSURE_ONLINE,
            IOTSEC_ITERATIONS_MCU,
            text,
            text_len,
            context.as_ptr(),
            1
        )
    );
    ok!(
        seen,
        iotsec_login_attempt_text(at, text, text_len, 2000, &raw mut scheme)
    );
    assert_eq!(scheme, IOTSEC_SCHEME_CHOSEN);
    let memory = Memory::new();
    let lent = memory.lend();
    ok!(seen, iotsec_login_lend_argon2id(at, &raw const lent));
    ok!(
        seen,
        iotsec_login_attempt_with_rehash(
            at,
            &raw const entropy,
            IOTSEC_ITERATIONS_MCU,
            text,
            text_len,
            3000,
            &raw mut scheme
        )
    );
    ok!(
        seen,
        iotsec_password_choose_argon2id(
            &raw const credential,
            &raw const entropy,
            IOTSEC_EXPOSURE_ONLINE,
            &raw const lent,
            text,
            text_len,
            context.as_ptr(),
            1
        )
    );
    let guard: Fixed<iotsec_guard_t> = Fixed::new(zeroed());
    let (records, mut found) = (Fixed::new(crate::telemetry::Records::default()), zeroed());
    let kept = crate::telemetry::record(&records, 1);
    ok!(
        seen,
        iotsec_guard_open(guard.at(), &raw const kept, ptr::null(), 0)
    );
    ok!(
        seen,
        iotsec_login_release_guard(at, guard.at(), text, text_len, 4000, &raw mut found)
    );
    ok!(seen, iotsec_guard_close(guard.at()));
    let mut status = zeroed();
    ok!(seen, iotsec_login_status(at, 2000, &raw mut status));
    let somebody = presence(true);
    ok!(seen, iotsec_login_unlock(at, &raw const somebody));
    ok!(seen, iotsec_login_close(at));
    seen.all_of("login");
}
