/*
 * Updates in C: one that is fed in chunks, tried and accepted, and one with a flipped bit, which is refused.
 *
 * Everything lives in static storage. board.h has the callbacks that a port writes, update_steps.h the way of an update.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "board.h"
#include "check.h"
#include "update_steps.h"

static iotsec_status_t factory(void) {
    const iotsec_update_config_t config = update_config();
    return provision_the_factory_release(&config);
}

static iotsec_status_t installed(void) {
    const iotsec_update_config_t config = update_config();
    iotsec_boot_t boot;
    return install_an_update(&config, &boot);
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
    static iotsec_status_t (*const parts[])(void) = {factory, installed, refuse_a_flipped_bit};
    return run(parts, sizeof parts / sizeof parts[0]);
}
