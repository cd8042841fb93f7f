/*
 * An identity as its example has it.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main identity_example
#include "../../examples/identity.c"
#undef main

iotsec_status_t good_iotsec_identity_request(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_identity_certificate(uint8_t *bytes, size_t size, size_t *len_);

/* A table begins with no room at all. The flash is another's until then. */
static iotsec_status_t begin(size_t size) {
    if (size != 0) {
        return IOTSEC_OK;
    }
    (void)iotsec_device_close(&device);
    return factory();
}

iotsec_status_t good_iotsec_identity_request(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(begin(size));
    return iotsec_identity_request(&device, IOTSEC_IDENTITY_ACTIVE, TEXT("LAMP-0042"), bytes, size, len_);
}

iotsec_status_t good_iotsec_identity_certificate(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(begin(size));
    return iotsec_identity_certificate(&device, IOTSEC_IDENTITY_ACTIVE, bytes, size, len_);
}
