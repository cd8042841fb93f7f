/*
 * A login and a factory as the credential example has them.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main credential_example
#include "../../examples/credential.c"
#undef main

iotsec_status_t open_iotsec_login_t(iotsec_login_t *object);
iotsec_status_t good_iotsec_password_generate(uint8_t *bytes, size_t size, size_t *len);

iotsec_status_t open_iotsec_login_t(iotsec_login_t *object) {
    (void)iotsec_store_close(&store);
    TRY(factory());
    return iotsec_login_open(object, &credential, NULL);
}

iotsec_status_t good_iotsec_password_generate(uint8_t *bytes, size_t size, size_t *len) {
    (void)iotsec_store_close(&store);
    TRY(factory());
    TRY(iotsec_store_remove(&store, VERIFIER));
    TRY(iotsec_store_remove(&store, THROTTLE));
    return iotsec_password_generate(&credential, &board_entropy, IOTSEC_EXPOSURE_ONLINE, (char *)bytes, size, len);
}
