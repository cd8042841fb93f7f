/*
 * What the examples with an update share: where the slots are, who signs, for which model; and the way of an update.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef UPDATE_STEPS_H
#define UPDATE_STEPS_H

#include "board.h"
#include "check.h"
#include "update_vectors.h" /* what the maker's tools would deliver */

/* Where everything is: two slots with a page for the envelope each, and the journal. */
#define PAGES(first, count) {(first) * BOARD_PAGE_SIZE, BOARD_PAGE_SIZE, (count), BOARD_WORD_SIZE, 0xFF}
static const iotsec_slot_layout_t slot_a = {PAGES(5, 1), PAGES(6, 2)};
static const iotsec_slot_layout_t slot_b = {PAGES(8, 1), PAGES(9, 2)};
static const iotsec_region_t journal = PAGES(11, 3);

static uint8_t envelope_buffer[1024];

/* Who signs, and for which device. */
static const iotsec_trust_anchor_t anchors[] = {
    {sizeof(iotsec_trust_anchor_t), IOTSEC_KEY_ED25519, maker_key, sizeof maker_key},
};
static const uint8_t component[] = {0x81, 0x41, 0x00}; /* [h'00'] */

static iotsec_update_config_t update_config(void) {
    return (iotsec_update_config_t){
        .struct_size = sizeof(iotsec_update_config_t),
        .threshold = 1,
        .trial_boots = 3,
        .max_jump = 65536,
        .flash = board_flash,
        .counter = board_counter,
        .slot_a = slot_a,
        .slot_b = slot_b,
        .journal = journal,
        .vendor_id = {0x0e, 0x01, 0x1a, 0x35, 0xe5, 0x98, 0x55, 0x69, 0x81, 0x98, 0xae, 0x31, 0x7f, 0x6d, 0xa1, 0x78},
        .class_id = {0x35, 0xc5, 0x00, 0xe3, 0x28, 0xa3, 0x5f, 0xc1, 0xbd, 0x5d, 0x0e, 0x07, 0x9a, 0xb2, 0x96, 0x6f},
        .component = component,
        .component_len = sizeof component,
        .anchors = anchors,
        .anchor_count = sizeof anchors / sizeof anchors[0],
        .scratch = envelope_buffer,
        .scratch_size = sizeof envelope_buffer,
    };
}

static iotsec_update_t update;

/* The release that the device leaves the factory with. */
static iotsec_status_t provision_the_factory_release(const iotsec_update_config_t *config) {
    return iotsec_slot_provision(config, IOTSEC_SLOT_A, factory_envelope, sizeof factory_envelope, factory_image,
                                 sizeof factory_image);
}

/* The boot loader verifies what it starts. The application then opens the updater. */
static iotsec_status_t reboot(const iotsec_update_config_t *config, iotsec_boot_t *boot) {
    TRY(iotsec_boot_select(config, boot));
    return iotsec_update_open(&update, config, boot->slot);
}

/* The envelope says what is coming; the payload then arrives in chunks of any size; nothing counts before all of it is
   verified. */
static iotsec_status_t receive_an_update(void) {
    uint32_t resume;
    int32_t done = 0;

    TRY(iotsec_update_begin(&update, envelope, sizeof envelope, 0, &resume));
    for (size_t at = resume, taken; at < sizeof payload; at += taken) {
        const size_t left = sizeof payload - at;
        TRY(iotsec_update_write(&update, payload + at, left < 500 ? left : 500, &taken));
    }
    while (done == 0) {
        TRY(iotsec_update_finish(&update, &done));
    }
    TRY(iotsec_update_install(&update));
    puts("update: written, read back, staged");
    return IOTSEC_OK;
}

/* It is tried in the next boot, and accepted when it works. */
static inline iotsec_status_t install_an_update(const iotsec_update_config_t *config, iotsec_boot_t *boot) {
    TRY(reboot(config, boot));
    TRY(receive_an_update());
    TRY(iotsec_update_close(&update));

    TRY(reboot(config, boot));
    if (boot->slot != IOTSEC_SLOT_B || boot->reason != IOTSEC_BOOT_TRIAL) {
        return IOTSEC_ERR_STATE;
    }
    TRY(iotsec_update_accept(&update));
    puts("update: booted on trial, accepted");
    return IOTSEC_OK;
}

#endif /* UPDATE_STEPS_H */
