/*
 * A planner, an integrity check, a report and an unlocking as their example has them.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main upkeep_example
#include "../../examples/upkeep.c"
#undef main

iotsec_status_t open_iotsec_planner_t(iotsec_planner_t *object);
iotsec_status_t open_iotsec_integrity_t(iotsec_integrity_t *object);
iotsec_status_t open_iotsec_unlock_t(iotsec_unlock_t *object);
iotsec_status_t good_iotsec_update_report(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_unlock_challenge(uint8_t *bytes, size_t size, size_t *len_);

iotsec_status_t open_iotsec_planner_t(iotsec_planner_t *object) {
    (void)iotsec_store_close(&store);
    return begin(object);
}

iotsec_status_t open_iotsec_integrity_t(iotsec_integrity_t *object) {
    const iotsec_update_config_t config = update_config();
    iotsec_boot_t boot;
    TRY(provision_the_factory_release(&config));
    TRY(iotsec_boot_select(&config, &boot));
    return iotsec_integrity_open(object, &config, boot.slot, boot.refusal);
}

iotsec_status_t open_iotsec_unlock_t(iotsec_unlock_t *object) {
    return iotsec_unlock_open(object, "LAMP-0042", 9, &board_entropy, now);
}

iotsec_status_t good_iotsec_update_report(uint8_t *bytes, size_t size, size_t *len_) {
    static const uint8_t digest[32] = {7};
    const iotsec_update_measured_t found = {component, sizeof component, digest, 5000, 0};
    const iotsec_update_report_t said = {
        .struct_size = sizeof said, .cause = IOTSEC_ERR_INSTALL_PAYLOAD_DIGEST, .manifest_digest = digest,
        .reference_uri = "https://fw.example/m", .components = &found, .component_count = 1};
    return report(&said, bytes, size, len_);
}

iotsec_status_t good_iotsec_unlock_challenge(uint8_t *bytes, size_t size, size_t *len_) {
    if (size == 0) {
        (void)iotsec_unlock_close(&unlock);
        TRY(open_iotsec_unlock_t(&unlock));
    }
    return iotsec_unlock_challenge(&unlock, bytes, size, len_);
}
