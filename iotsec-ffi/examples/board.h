/*
 * What the examples need of a board: the four callbacks that a port writes once.
 *
 * ram_board.c simulates them in RAM; linux_board.c and qemu_board.c add randomness.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef BOARD_H
#define BOARD_H

#include "iotsec.h"

/* Layout of the simulated flash: pages of 4096 bytes, words of 4 bytes. */
#define BOARD_PAGE_SIZE 4096u
#define BOARD_PAGE_COUNT 14u
#define BOARD_WORD_SIZE 4u

extern const iotsec_flash_t board_flash;
extern const iotsec_entropy_t board_entropy;
extern const iotsec_counter_t board_counter;       /* of updates */
extern const iotsec_counter_t board_store_counter; /* of the store */
extern const iotsec_root_key_t board_root_key;

/* Fills `bytes` with randomness fit for keys; 0 for success. */
int32_t board_random(void *ctx, uint8_t *bytes, size_t len);

#endif /* BOARD_H */
