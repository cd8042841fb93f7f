use super::*;

pub(super) fn calls(calls: &mut Calls) {
    call!(calls, iotsec_root_key_derive, |t, b| (
        t.shared(0, &[7u8; 32]).cast(),
        t.shared(1, &0),
        1,
        t.mutable(2, &mut [0u8; 32]).cast(),
    ));
    call!(calls, iotsec_ed25519_sign, |t, b| (
        t.shared(0, &[7u8; 32]).cast(),
        t.shared(1, &0),
        1,
        t.mutable(2, &mut [0u8; IOTSEC_SIGNATURE_LEN]).cast(),
    ));
    call!(calls, iotsec_ed25519_public_key, |t, b| (
        t.shared(0, &[7u8; 32]).cast(),
        t.mutable(1, &mut [0u8; 32]).cast(),
    ));
    call!(calls, iotsec_attest_token, |t, b| (
        t.shared(0, &crate::attest::signer()),
        t.shared(1, &crate::attest::claims(&[crate::attest::APP])),
        t.mutable(2, &mut [0u8; 2_000]).cast(),
        2_000,
        t.mutable(3, &mut [0u8; 1_000]).cast(),
        1_000,
        t.mutable(4, &mut 0),
    ));
    call!(calls, iotsec_certificate_verify_server, |t, b| (
        t.shared(0, &crate::certificate::policy()),
        if t.is_on(1) {
            ptr::null()
        } else {
            crate::certificate::pointer(&crate::certificate::CHAIN)
        },
        1,
        t.shared(2, b"broker.example").cast(),
        14,
        t.mutable(3, &mut zeroed()),
    ));
    call!(calls, iotsec_input_check, |t, b| (
        IOTSEC_INPUT_PORT,
        t.shared(0, &b'7'),
        1,
        t.mutable(1, &mut 0),
    ));
    call!(calls, iotsec_input_decode, |t, b| (
        IOTSEC_INPUT_HEX,
        t.shared(0, b"00ff").cast(),
        4,
        t.mutable(1, &mut [0u8; 2]).cast(),
        2,
        t.mutable(2, &mut 0),
        t.mutable(3, &mut 0),
    ));
    call!(calls, iotsec_input_integer, |t, b| (
        t.shared(0, &b'7'),
        1,
        0,
        9,
        t.mutable(1, &mut 0),
        t.mutable(2, &mut 0),
    ));
    call!(calls, iotsec_input_quantity, |t, b| (
        t.shared(0, b"7s").cast(),
        2,
        t.shared(1, b"s\0").cast(),
        0,
        9,
        t.mutable(2, &mut 0),
        t.mutable(3, &mut 0),
    ));
    call!(calls, iotsec_wifi_parse, |t, b| (
        t.shared(0, b"WIFI:S:a;;").cast(),
        10,
        t.mutable(1, &mut zeroed()),
    ));
    call!(calls, iotsec_wifi_write, |t, b| (
        t.shared(0, &crate::input::wifi::network()),
        t.mutable(1, &mut [0u8; 40]).cast(),
        40,
        t.mutable(2, &mut 0),
    ));
    call!(calls, iotsec_document_read, |t, b| (
        IOTSEC_DOCUMENT_JSON,
        t.shared(
            0,
            &crate::input::document::document(&[crate::input::document::field(c"a", IOTSEC_DOCUMENT_BOOL)])
        ),
        t.shared(1, b"{}").cast(),
        2,
        t.mutable(2, &mut [0u8; 2]).cast(),
        2,
        t.mutable(3, &mut zeroed()),
        1,
        t.mutable(4, &mut 0),
        t.mutable(5, &mut zeroed()),
    ));
    call!(calls, iotsec_json_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        ptr::null(),
        {
            t.is_on(1);
            t.shared(2, &b'7')
        },
        1,
        t.mutable(3, &mut 0),
    ));
    call!(calls, iotsec_json_next, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut zeroed()),
    ));
    call!(calls, iotsec_json_pass, |t, b| (t.mutable(0, &mut zeroed()),));
    call!(calls, iotsec_json_text, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut [0u8; 4]).cast(),
        4,
        t.mutable(2, &mut 0),
    ));
    call!(calls, iotsec_json_is, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"a\0").cast(),
        t.mutable(2, &mut 0),
    ));
    call!(calls, iotsec_json_close, |t, b| (t.mutable(0, &mut zeroed()),));
    call!(calls, iotsec_input_version, |t, b| (
        t.shared(0, b"1.2.3").cast(),
        5,
        t.mutable(1, &mut zeroed()),
        t.mutable(2, &mut 0),
    ));
    call!(calls, iotsec_input_url, |t, b| (
        t.shared(0, b"wss://a.example").cast(),
        15,
        t.mutable(1, &mut zeroed()),
        t.mutable(2, &mut 0),
    ));
    call!(calls, iotsec_input_mqtt_matches, |t, b| (
        t.shared(0, &b'a'),
        1,
        t.shared(1, &b'a'),
        1,
        t.mutable(2, &mut 0),
        t.mutable(3, &mut 0),
    ));
    call!(calls, iotsec_surface_check, |t, b| (
        t.shared(0, &crate::surface::APP),
        1
    ));
    call!(calls, iotsec_surface_may_listen, |t, b| (
        t.shared(0, &crate::surface::APP),
        1,
        IOTSEC_DEVICE_OWNED,
        0,
        t.shared(1, b"app").cast(),
        3
    ));
    call!(calls, iotsec_surface_may_connect, |t, b| (
        t.shared(0, &crate::surface::APP),
        1,
        IOTSEC_DEVICE_OWNED,
        0,
        t.shared(1, b"app").cast(),
        3,
        t.shared(2, b"a.example").cast(),
        9,
        443
    ));
    call!(calls, iotsec_surface_audit, |t, b| (
        t.shared(0, &crate::surface::APP),
        1,
        IOTSEC_DEVICE_OWNED,
        0,
        t.shared(1, &crate::surface::TELNET),
        1,
        t.mutable(2, &mut zeroed()),
        1,
        t.mutable(3, &mut 0),
        t.mutable(4, &mut 0)
    ));
    call!(calls, iotsec_surface_read_sockets, |t, b| (
        IOTSEC_SOCKET_FILE_TCP,
        t.shared(0, b"sl local_address").cast(),
        16,
        t.mutable(1, &mut zeroed()),
        1,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_surface_check_debug, |t, b| (
        t.shared(0, &crate::debug::SWD),
        1,
        IOTSEC_DEVICE_OWNED,
        IOTSEC_DEBUG_CLOSED
    ));
    call!(calls, iotsec_unlock_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, b"LAMP-0042").cast(),
        9,
        t.shared(2, &b.entropy),
        0
    ));
    call!(calls, iotsec_unlock_challenge, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut [0u8; 96]).cast(),
        96,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_unlock_answer, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::debug::anchor(&crate::attest::PUBLIC)),
        t.shared(2, &0),
        1,
        0,
        t.mutable(3, &mut 0)
    ));
    call!(calls, iotsec_unlock_is_open, |t, b| (
        t.mutable(0, &mut zeroed()),
        0,
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_unlock_close, |t, b| (t.mutable(0, &mut zeroed())));
}
