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

iotsec_status_t good_iotsec_input_decode(uint8_t *bytes, size_t size, size_t *len) {
    return iotsec_input_decode(IOTSEC_INPUT_IPV6, TEXT("2001:db8::1"), bytes, size, len, NULL);
}

iotsec_status_t good_iotsec_attest_token(uint8_t *bytes, size_t size, size_t *len) {
    static uint8_t scratch[IOTSEC_ATTEST_SCRATCH_MAX(1)];
    iotsec_signer_t signer;
    TRY(example_signer(&signer));
    return iotsec_attest_token(&signer, &claims, scratch, sizeof scratch, bytes, size, len);
}
