use std::{ffi::CStr, ptr};

use iotsec_ffi::{
    abi::*,
    attest::*,
    certificate::*,
    device::{IOTSEC_DEVICE_FACTORY, IOTSEC_DEVICE_OWNED},
    erased::*,
    input::{document::*, json::*, wifi::*, *},
    root_key::*,
    signer::*,
    status::*,
    surface::{debug::*, *},
};

use super::{Succeeded, ok};
use crate::{
    attest,
    board::{Board, Fixed},
    certificate, debug,
    device::{ERASED, NONCE},
    input::document,
    login::zeroed,
    surface,
};

#[test]
fn plain() {
    let mut seen = Succeeded::default();
    numbers(&mut seen);
    signatures(&mut seen);
    inputs(&mut seen);
    documents(&mut seen);
    interfaces(&mut seen);
    debug_port(&mut seen);
    seen.all_of("plain");
}

/// The two that return no status.
fn numbers(seen: &mut Succeeded) {
    assert_eq!(iotsec_abi_version(), IOTSEC_ABI_VERSION);
    seen.0.insert("iotsec_abi_version");
    // SAFETY: the name ends in zero and lives as long as the program.
    let name = unsafe { CStr::from_ptr(iotsec_status_name(IOTSEC_ERR_NULL)) };
    assert_eq!(name, c"NULL");
    seen.0.insert("iotsec_status_name");
}

fn signatures(seen: &mut Succeeded) {
    let (seed, mut key, mut derived) = (*b"the root key of one lamp in rows", [0; 32], [0; 32]);
    ok!(
        seen,
        iotsec_root_key_derive(seed.as_ptr(), b"label".as_ptr(), 5, derived.as_mut_ptr())
    );
    ok!(seen, iotsec_ed25519_public_key(seed.as_ptr(), key.as_mut_ptr()));
    let mut signature = [0; IOTSEC_SIGNATURE_LEN];
    ok!(
        seen,
        iotsec_ed25519_sign(seed.as_ptr(), b"message".as_ptr(), 7, signature.as_mut_ptr())
    );
    let (signer, components) = (attest::signer(), [attest::APP]);
    let claims = attest::claims(&components);
    let (mut scratch, mut token, mut len) = ([0; 2000], [0; 1000], 0);
    ok!(
        seen,
        iotsec_attest_token(
            &raw const signer,
            &raw const claims,
            scratch.as_mut_ptr(),
            2000,
            token.as_mut_ptr(),
            1000,
            &raw mut len
        )
    );
    let (mut receipt, mut erased) = ([0; IOTSEC_RECEIPT_MAX], zeroed());
    ok!(
        seen,
        iotsec_erased_sign(
            &raw const signer,
            &ERASED,
            NONCE.as_ptr(),
            NONCE.len(),
            receipt.as_mut_ptr(),
            IOTSEC_RECEIPT_MAX,
            &raw mut len
        )
    );
    ok!(
        seen,
        iotsec_erased_verify(
            IOTSEC_KEY_ED25519,
            signer.public_key.as_ptr(),
            32,
            receipt.as_ptr(),
            len,
            NONCE.as_ptr(),
            NONCE.len(),
            &raw mut erased
        )
    );
    let (policy, mut key) = (certificate::policy(), zeroed());
    ok!(
        seen,
        iotsec_certificate_verify_server(
            &raw const policy,
            certificate::pointer(&certificate::CHAIN),
            1,
            b"broker.example".as_ptr(),
            14,
            &raw mut key
        )
    );
}

fn inputs(seen: &mut Succeeded) {
    let (mut offset, mut bytes, mut len) = (0, [0; 2], 0);
    ok!(
        seen,
        iotsec_input_check(IOTSEC_INPUT_PORT, b"8883".as_ptr(), 4, &raw mut offset)
    );
    ok!(
        seen,
        iotsec_input_decode(
            IOTSEC_INPUT_HEX,
            b"00ff".as_ptr(),
            4,
            bytes.as_mut_ptr(),
            2,
            &raw mut len,
            ptr::null_mut()
        )
    );
    assert_eq!(bytes, [0, 0xFF]);
    let (mut value, mut version, mut url, mut matches) = (0, zeroed(), zeroed(), 0);
    ok!(
        seen,
        iotsec_input_integer(b"-5".as_ptr(), 2, -5, 5, &raw mut value, &raw mut offset)
    );
    ok!(
        seen,
        iotsec_input_version(b"1.4.10-rc.2".as_ptr(), 11, &raw mut version, ptr::null_mut())
    );
    ok!(
        seen,
        iotsec_input_url(b"wss://a.example?x".as_ptr(), 17, &raw mut url, ptr::null_mut())
    );
    ok!(
        seen,
        iotsec_input_mqtt_matches(
            b"lamps/+".as_ptr(),
            7,
            b"lamps/7".as_ptr(),
            7,
            &raw mut matches,
            ptr::null_mut()
        )
    );
    assert_eq!((value, matches), (-5, 1));
    ok!(
        seen,
        iotsec_input_quantity(
            b"7 s".as_ptr(),
            3,
            c"s".as_ptr(),
            0,
            9,
            &raw mut value,
            &raw mut offset
        )
    );
    assert_eq!(value, 7);
    let (code, mut wifi, mut text) = (b"WIFI:T:WPA;S:a;P:12345678;;", zeroed(), [0u8; 27]);
    ok!(seen, iotsec_wifi_parse(code.as_ptr().cast(), 27, &raw mut wifi));
    ok!(
        seen,
        iotsec_wifi_write(&raw const wifi, text.as_mut_ptr().cast(), 27, &raw mut len)
    );
    assert_eq!(&text, code);
}

fn documents(seen: &mut Succeeded) {
    let text = br#"{"a": "b\n"}"#;
    let fields = [iotsec_document_field_t {
        max: 9,
        ..document::field(c"a", IOTSEC_DOCUMENT_TEXT)
    }];
    let table = document::document(&fields);
    let (mut scratch, mut values, mut len, mut place) = ([0; 2], [zeroed(); 1], 0, zeroed());
    ok!(
        seen,
        iotsec_document_read(
            IOTSEC_DOCUMENT_JSON,
            &raw const table,
            text.as_ptr(),
            text.len(),
            scratch.as_mut_ptr(),
            2,
            values.as_mut_ptr(),
            1,
            &raw mut len,
            &raw mut place
        )
    );
    let value: iotsec_document_value_t = values[0];
    // SAFETY: see the top; it is in the scratch.
    let read = unsafe { std::slice::from_raw_parts(value.text, value.text_len) };
    assert_eq!((len, read), (1, &b"b\n"[..]));

    let (json, mut token, mut same) = (Fixed::<iotsec_json_t>::new(zeroed()), zeroed(), 0);
    let at = json.at();
    ok!(
        seen,
        iotsec_json_open(at, ptr::null(), text.as_ptr(), text.len(), ptr::null_mut())
    );
    for _ in 0..2 {
        ok!(seen, iotsec_json_next(at, &raw mut token));
    }
    ok!(seen, iotsec_json_is(at, c"a".as_ptr(), &raw mut same));
    let mut out = [0u8; 2];
    ok!(
        seen,
        iotsec_json_text(at, out.as_mut_ptr().cast(), 2, &raw mut len)
    );
    assert_eq!((same, len, out[0]), (1, 1, b'a'));
    ok!(seen, iotsec_json_pass(at));
    ok!(seen, iotsec_json_close(at));
}

fn interfaces(seen: &mut Succeeded) {
    let (table, sockets) = (
        [surface::APP, surface::UPDATES, surface::CONTROL],
        [surface::TELNET],
    );
    let at = table.as_ptr();
    ok!(seen, iotsec_surface_check(at, 3));
    ok!(
        seen,
        iotsec_surface_may_listen(at, 3, IOTSEC_DEVICE_OWNED, 0, c"app".as_ptr(), 3)
    );
    let (id, host) = (c"updates".as_ptr(), c"updates.example.com".as_ptr());
    ok!(
        seen,
        iotsec_surface_may_connect(at, 3, IOTSEC_DEVICE_OWNED, 0, id, 7, host, 19, 443)
    );
    let (mut found, mut len, mut open) = ([zeroed(); 4], 0, 0);
    ok!(
        seen,
        iotsec_surface_audit(
            at,
            3,
            IOTSEC_DEVICE_OWNED,
            0,
            sockets.as_ptr(),
            1,
            found.as_mut_ptr(),
            4,
            &raw mut len,
            &raw mut open
        )
    );
    assert_eq!((len, open), (3, 1));
    let (text, mut listeners) = (surface::KERNEL.as_bytes(), [zeroed(); 2]);
    ok!(
        seen,
        iotsec_surface_read_sockets(
            IOTSEC_SOCKET_FILE_TCP,
            text.as_ptr(),
            text.len(),
            listeners.as_mut_ptr(),
            2,
            &raw mut len
        )
    );
    assert_eq!(len, 1);
}

fn debug_port(seen: &mut Succeeded) {
    let (table, board, serial) = ([debug::SWD], Board::new(), b"LAMP-0042");
    ok!(
        seen,
        iotsec_surface_check_debug(table.as_ptr(), 1, IOTSEC_DEVICE_FACTORY, IOTSEC_DEBUG_OPEN)
    );
    let (unlock, entropy) = (Fixed::new(zeroed::<iotsec_unlock_t>()), board.entropy());
    ok!(
        seen,
        iotsec_unlock_open(unlock.at(), serial.as_ptr().cast(), 9, &raw const entropy, 1000)
    );
    let (mut challenge, mut len) = ([0; IOTSEC_UNLOCK_CHALLENGE_MAX], 0);
    ok!(
        seen,
        iotsec_unlock_challenge(unlock.at(), challenge.as_mut_ptr(), challenge.len(), &raw mut len)
    );
    let token = debug::answer(&challenge[..len], 60, &debug::maker());
    let key = attest::signer().public_key[..32].try_into().unwrap();
    let (anchor, mut until, mut is_open) = (debug::anchor(&key), 0, 0);
    ok!(
        seen,
        iotsec_unlock_answer(
            unlock.at(),
            &raw const anchor,
            token.as_ptr(),
            token.len(),
            2000,
            &raw mut until
        )
    );
    ok!(seen, iotsec_unlock_is_open(unlock.at(), 2000, &raw mut is_open));
    assert_eq!((until, is_open), (61_000, 1));
    ok!(seen, iotsec_unlock_close(unlock.at()));
}
