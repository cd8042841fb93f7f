/*
 * Randomness on Linux.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>

#include "board.h"

int32_t board_random(void *ctx, uint8_t *bytes, size_t len) {
    (void)ctx;
    FILE *source = fopen("/dev/urandom", "rb");
    if (source == NULL) {
        return -1;
    }
    const size_t got = fread(bytes, 1, len, source);
    fclose(source);
    return got == len ? 0 : -1;
}
