/*
 * A board in RAM. The flash behaves like NOR flash: erasing sets a page to 0xFF, a word is written
 * once between two erases, and anything else is refused.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "board.h"

#define CAPACITY (BOARD_PAGE_SIZE * BOARD_PAGE_COUNT)

static uint8_t memory[CAPACITY];
static uint8_t written[CAPACITY / BOARD_WORD_SIZE]; /* 0: erased since, 1: written or never erased */
static uint64_t updates, changes;

static int32_t flash_read(void *ctx, uint32_t offset, uint8_t *bytes, size_t len) {
    (void)ctx;
    memcpy(bytes, memory + offset, len);
    return 0;
}

static int32_t flash_write(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len) {
    (void)ctx;
    if (offset % BOARD_WORD_SIZE != 0 || len % BOARD_WORD_SIZE != 0) {
        return -1;
    }
    for (size_t word = 0; word < len / BOARD_WORD_SIZE; word++) {
        uint8_t *mark = &written[offset / BOARD_WORD_SIZE + word];
        if (*mark != 0) {
            return -1;
        }
        *mark = 1;
    }
    memcpy(memory + offset, bytes, len);
    return 0;
}

static int32_t flash_erase(void *ctx, uint32_t offset, uint32_t len) {
    (void)ctx;
    if (offset % BOARD_PAGE_SIZE != 0 || len % BOARD_PAGE_SIZE != 0) {
        return -1;
    }
    memset(memory + offset, 0xFF, len);
    memset(written + offset / BOARD_WORD_SIZE, 0, len / BOARD_WORD_SIZE);
    return 0;
}

/* A product counts in fuses, RPMB, a TPM or a secure element. */
static int32_t counter_read(void *ctx, uint64_t *value) {
    *value = *(const uint64_t *)ctx;
    return 0;
}

static int32_t counter_advance_to(void *ctx, uint64_t value) {
    uint64_t *counter = ctx;
    if (value > *counter) {
        *counter = value;
    }
    return 0;
}

/* A product reads these 32 bytes from fuses or a PUF, or lets the hardware derive. */
static int32_t root_key_derive(void *ctx, const uint8_t *label, size_t label_len, uint8_t *key) {
    static const uint8_t root[32] = "an example's key, for no product";
    (void)ctx;
    return iotsec_root_key_derive(root, label, label_len, key) == IOTSEC_OK ? 0 : -1;
}

const iotsec_flash_t board_flash = {
    .struct_size = sizeof(iotsec_flash_t),
    .capacity = CAPACITY,
    .read = flash_read,
    .write = flash_write,
    .erase = flash_erase,
};

const iotsec_entropy_t board_entropy = {
    .struct_size = sizeof(iotsec_entropy_t),
    .fill = board_random,
};

const iotsec_counter_t board_counter = {
    .struct_size = sizeof(iotsec_counter_t),
    .ctx = &updates,
    .read = counter_read,
    .advance_to = counter_advance_to,
};

const iotsec_counter_t board_store_counter = {
    .struct_size = sizeof(iotsec_counter_t),
    .ctx = &changes,
    .read = counter_read,
    .advance_to = counter_advance_to,
};

const iotsec_root_key_t board_root_key = {
    .struct_size = sizeof(iotsec_root_key_t),
    .derive = root_key_derive,
};
