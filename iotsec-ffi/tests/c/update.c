/*
 * An updater as the update example has it.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main update_example
#include "../../examples/update.c"
#undef main

iotsec_status_t open_iotsec_update_t(iotsec_update_t *object);

iotsec_status_t good_iotsec_update_uri(uint8_t *bytes, size_t size, size_t *len);

iotsec_status_t good_iotsec_update_uri(uint8_t *bytes, size_t size, size_t *len) {
    uint32_t resume;
    if (size == 0) {
        (void)iotsec_update_close(&update);
        TRY(open_iotsec_update_t(&update));
        TRY(iotsec_update_begin(&update, envelope, sizeof envelope, 0, &resume));
    }
    return iotsec_update_uri(&update, (char *)bytes, size, len);
}

iotsec_status_t open_iotsec_update_t(iotsec_update_t *object) {
    static int in_the_field;
    const iotsec_update_config_t config = update_config();
    iotsec_boot_t boot;
    if (!in_the_field) {
        TRY(iotsec_slot_provision(&config, IOTSEC_SLOT_A, factory_envelope, sizeof factory_envelope, factory_image,
                                  sizeof factory_image));
        in_the_field = 1;
    }
    TRY(iotsec_boot_select(&config, &boot));
    return iotsec_update_open(object, &config, boot.slot);
}
