/*
 * Updates in C: one that is fed in chunks, tried and accepted, and one with a flipped bit, which is refused.
 *
 * Everything lives in static storage. board.h has the callbacks that a port writes.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "board.h"
#include "check.h"
#include "update_config.h"

static iotsec_update_t update;

/* The boot loader verifies what it starts. The application then opens the updater. */
static iotsec_status_t reboot(const iotsec_update_config_t *config, iotsec_boot_t *boot) {
    TRY(iotsec_boot_select(config, boot));
    return iotsec_update_open(&update, config, boot->slot);
}

/* The envelope says what is coming; the payload then arrives in chunks of any size. */
static iotsec_status_t install_an_update(void) {
    const iotsec_update_config_t config = update_config();
    iotsec_boot_t boot;
    uint32_t resume;
    int32_t done = 0;

    TRY(iotsec_slot_provision(&config, IOTSEC_SLOT_A, factory_envelope, sizeof factory_envelope, factory_image,
                              sizeof factory_image));
    TRY(reboot(&config, &boot));

    TRY(iotsec_update_begin(&update, envelope, sizeof envelope, 0, &resume));
    for (size_t at = resume, taken; at < sizeof payload; at += taken) {
        const size_t left = sizeof payload - at;
        TRY(iotsec_update_write(&update, payload + at, left < 500 ? left : 500, &taken));
    }
    while (done == 0) {
        TRY(iotsec_update_finish(&update, &done));
    }
    TRY(iotsec_update_install(&update));
    TRY(iotsec_update_close(&update));
    puts("update: written, read back, staged");

    TRY(reboot(&config, &boot));
    if (boot.slot != IOTSEC_SLOT_B || boot.reason != IOTSEC_BOOT_TRIAL) {
        return IOTSEC_ERR_STATE;
    }
    TRY(iotsec_update_accept(&update));
    puts("update: booted on trial, accepted");
    return IOTSEC_OK;
}

/* One flipped bit, anywhere in the manifest, and the envelope is nobody's. */
static iotsec_status_t refuse_a_flipped_bit(void) {
    static uint8_t flipped[sizeof envelope];
    uint32_t resume;
    int32_t done = 0;

    while (done == 0) {
        TRY(iotsec_update_clean(&update, &done));
    }
    memcpy(flipped, envelope, sizeof flipped);
    flipped[sizeof flipped - 1] ^= 1;
    const iotsec_status_t refusal = iotsec_update_begin(&update, flipped, sizeof flipped, 0, &resume);
    if (refusal == IOTSEC_OK) {
        return IOTSEC_ERR_STATE;
    }
    puts("update: one flipped bit, refused with");
    puts(iotsec_status_name(refusal));
    return iotsec_update_close(&update);
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {install_an_update, refuse_a_flipped_bit};
    return run(parts, sizeof parts / sizeof parts[0]);
}
