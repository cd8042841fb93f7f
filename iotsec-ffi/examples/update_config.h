/*
 * What the examples with an update know about their device: where its slots are, who signs, for which model.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef UPDATE_CONFIG_H
#define UPDATE_CONFIG_H

#include "board.h"
#include "update_vectors.h" /* made by `cargo xtask c`: what the maker's tools would deliver */

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

#endif /* UPDATE_CONFIG_H */
