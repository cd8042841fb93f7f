/*
 * Telemetry as its example has it, with an event that waits and a deletion that is due.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main telemetry_example
#include "../../examples/telemetry.c"
#undef main

iotsec_status_t open_iotsec_telemetry_t(iotsec_telemetry_t *object);
iotsec_status_t good_iotsec_telemetry_registry(uint8_t *bytes, size_t size, size_t *len);
iotsec_status_t good_iotsec_telemetry_batch(uint8_t *bytes, size_t size, size_t *len);
iotsec_status_t good_iotsec_telemetry_batch_for(uint8_t *bytes, size_t size, size_t *len);
iotsec_status_t good_iotsec_telemetry_deletion_request(uint8_t *bytes, size_t size, size_t *len);

/* A table begins with no room at all. The flash is another's until then. */
static iotsec_status_t begin(size_t size) {
    const iotsec_value_t login[] = {{.number = 1}, {.number = 5}};
    uint8_t pseudonym[IOTSEC_PSEUDONYM_LEN];
    if (size != 0) {
        return IOTSEC_OK;
    }
    (void)iotsec_telemetry_close(&telemetry);
    (void)iotsec_store_close(&store);
    TRY(boot(iotsec_store_format));
    TRY(iotsec_telemetry_record(&telemetry, LOGIN_FAILED, login, 2, 2000));
    TRY(iotsec_telemetry_pseudonym(&telemetry, IOTSEC_PURPOSE_SECURITY, 2900, pseudonym));
    return iotsec_telemetry_ask_deletion(&telemetry, IOTSEC_PURPOSE_SECURITY);
}

iotsec_status_t open_iotsec_telemetry_t(iotsec_telemetry_t *object) {
    (void)iotsec_store_close(&store);
    return start(object, iotsec_store_format);
}

iotsec_status_t good_iotsec_telemetry_registry(uint8_t *bytes, size_t size, size_t *len) {
    TRY(begin(size));
    return iotsec_telemetry_registry(&telemetry, bytes, size, len);
}

iotsec_status_t good_iotsec_telemetry_batch(uint8_t *bytes, size_t size, size_t *len) {
    uint32_t receipt;
    TRY(begin(size));
    return iotsec_telemetry_batch(&telemetry, &service, scratch, sizeof scratch, bytes, size, len, &receipt);
}

iotsec_status_t good_iotsec_telemetry_batch_for(uint8_t *bytes, size_t size, size_t *len) {
    uint32_t receipt;
    TRY(begin(size));
    return iotsec_telemetry_batch_for(&telemetry, IOTSEC_PURPOSE_SECURITY, 2900, &service, scratch, sizeof scratch,
                                      bytes, size, len, &receipt);
}

iotsec_status_t good_iotsec_telemetry_deletion_request(uint8_t *bytes, size_t size, size_t *len) {
    TRY(begin(size));
    return iotsec_telemetry_deletion_request(&telemetry, &service, bytes, size, len);
}
