/*
 * Reports, shares and sealed values as their example has them.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main report_example
#include "../../examples/report.c"
#undef main

iotsec_status_t good_iotsec_telemetry_report(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_telemetry_share(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_telemetry_split(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_telemetry_seal_value(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_telemetry_data_map_json(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_telemetry_data_map_page(uint8_t *bytes, size_t size, size_t *len_);

static const iotsec_value_t one = {.number = 1, .personal = IOTSEC_PURPOSE_USAGE};

/* A table begins with no room at all. The flash is another's until then. */
static iotsec_status_t anew(size_t size) {
    if (size != 0) {
        return IOTSEC_OK;
    }
    (void)iotsec_telemetry_close(&telemetry);
    (void)iotsec_store_close(&store);
    return begin();
}

iotsec_status_t good_iotsec_telemetry_report(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(anew(size));
    return iotsec_telemetry_report(&telemetry, &ledger, NIGHT, &one, 0, bytes, size, len_);
}

iotsec_status_t good_iotsec_telemetry_share(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(anew(size));
    return iotsec_telemetry_share(&telemetry, &lit_hours, LIT, &one, 1800000000, bytes, size, len_);
}

iotsec_status_t good_iotsec_telemetry_split(uint8_t *bytes, size_t size, size_t *len_) {
    static const uint8_t nonce[IOTSEC_SHARES_NONCE_LEN] = {7}, context[] = {'l', 'i', 't'};
    iotsec_shares_t shares;
    TRY(anew(size));
    return iotsec_telemetry_split(&telemetry, LIT, &one, 1800000000, context, sizeof context, nonce, 0, bytes, size, len_,
                                  &shares);
}

iotsec_status_t good_iotsec_telemetry_seal_value(uint8_t *bytes, size_t size, size_t *len_) {
    const iotsec_value_t pulse = {.number = 62, .personal = IOTSEC_PURPOSE_USAGE};
    TRY(anew(size));
    return iotsec_telemetry_seal_value(&telemetry, &owners_phone, PULSE, &pulse, bytes, size, len_);
}

iotsec_status_t good_iotsec_telemetry_data_map_json(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(anew(size));
    return iotsec_telemetry_data_map_json(&telemetry, "Lamp 3", 6, (char *)bytes, size, len_);
}

iotsec_status_t good_iotsec_telemetry_data_map_page(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(anew(size));
    return iotsec_telemetry_data_map_page(&telemetry, "Lamp 3", 6, (char *)bytes, size, len_);
}
