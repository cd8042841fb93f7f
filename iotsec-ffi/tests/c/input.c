/*
 * An address and a token as the input example has them.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main input_example
#include "../../examples/input.c"
#undef main

iotsec_status_t good_iotsec_input_decode(uint8_t *bytes, size_t size, size_t *len);
iotsec_status_t good_iotsec_attest_token(uint8_t *bytes, size_t size, size_t *len);

iotsec_status_t open_iotsec_json_t(iotsec_json_t *object);
iotsec_status_t good_iotsec_json_text(uint8_t *bytes, size_t size, size_t *len);
iotsec_status_t good_iotsec_wifi_write(uint8_t *bytes, size_t size, size_t *len);

iotsec_status_t open_iotsec_json_t(iotsec_json_t *object) {
    return iotsec_json_open(object, NULL, TEXT("{\"a\": \"b\"}"), NULL);
}

iotsec_status_t good_iotsec_json_text(uint8_t *bytes, size_t size, size_t *len) {
    static iotsec_json_t json;
    iotsec_json_token_t token;
    if (size == 0) {
        (void)iotsec_json_close(&json);
        TRY(iotsec_json_open(&json, NULL, TEXT("\"gr\\u00fcn\""), NULL));
        TRY(iotsec_json_next(&json, &token));
    }
    return iotsec_json_text(&json, (char *)bytes, size, len);
}

iotsec_status_t good_iotsec_wifi_write(uint8_t *bytes, size_t size, size_t *len) {
    iotsec_wifi_t wifi;
    TRY(iotsec_wifi_parse("WIFI:T:WPA;S:a;P:12345678;;", 27, &wifi));
    return iotsec_wifi_write(&wifi, (char *)bytes, size, len);
}

iotsec_status_t good_iotsec_input_decode(uint8_t *bytes, size_t size, size_t *len) {
    return iotsec_input_decode(IOTSEC_INPUT_IPV6, TEXT("2001:db8::1"), bytes, size, len, NULL);
}

iotsec_status_t good_iotsec_attest_token(uint8_t *bytes, size_t size, size_t *len) {
    static uint8_t scratch[IOTSEC_ATTEST_SCRATCH_MAX(1)];
    iotsec_signer_t signer;
    TRY(example_signer(&signer));
    return iotsec_attest_token(&signer, &claims, scratch, sizeof scratch, bytes, size, len);
}
