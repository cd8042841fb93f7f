/*
 * A detector and a guard as their example has them, and what a device says of itself.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main detect_example
#include "../../examples/detect.c"
#undef main

iotsec_status_t open_iotsec_detector_t(iotsec_detector_t *object);
iotsec_status_t open_iotsec_guard_t(iotsec_guard_t *object);
iotsec_status_t open_iotsec_retry_t(iotsec_retry_t *object);
iotsec_status_t good_iotsec_about_json(uint8_t *bytes, size_t size, size_t *len);

static iotsec_status_t in_store(uint16_t number, iotsec_record_t *kept) {
    (void)iotsec_telemetry_close(&telemetry);
    (void)iotsec_detector_close(&guesses);
    (void)iotsec_detector_close(&restarts);
    (void)iotsec_detector_close(&integrity);
    (void)iotsec_guard_close(&guard);
    (void)iotsec_store_close(&store);
    TRY(boot(iotsec_store_format, IOTSEC_RESTART_ASKED));
    return iotsec_store_record(&store, IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 5, number), kept);
}

iotsec_status_t open_iotsec_detector_t(iotsec_detector_t *object) {
    iotsec_record_t kept;
    const iotsec_detector_config_t config = {
        .struct_size = sizeof config, .kind = IOTSEC_DETECTOR_TRAFFIC, .ceiling = 500, .period_ms = HOUR, .record = &kept};
    TRY(in_store(0, &kept));
    return iotsec_detector_open(object, &config, 0);
}

iotsec_status_t open_iotsec_guard_t(iotsec_guard_t *object) {
    static const iotsec_rule_t rules[] = {{7, IOTSEC_REACTION_SAFE}};
    static const iotsec_guard_policy_t policy = {sizeof policy, 1, rules, 600000, 0};
    iotsec_record_t kept;
    TRY(in_store(1, &kept));
    return iotsec_guard_open(object, &kept, &policy, 0);
}

iotsec_status_t open_iotsec_retry_t(iotsec_retry_t *object) {
    static const iotsec_retry_policy_t policy = {.struct_size = sizeof policy, .first_ms = 1000};
    iotsec_record_t kept;
    TRY(in_store(2, &kept));
    return iotsec_retry_open(object, &kept, &board_entropy, &policy, 0);
}

iotsec_status_t good_iotsec_about_json(uint8_t *bytes, size_t size, size_t *len) {
    static const iotsec_about_t about = {
        .struct_size = sizeof about, .name = "Lamp", .model = "lamp-2", .vendor = "Example Lighting Ltd",
        .version = "1.4.2", .disclosure_policy = "https://lighting.example.com/security/policy",
        .support_until_s = 1956527999};
    return iotsec_about_json(&about, (char *)bytes, size, len);
}
