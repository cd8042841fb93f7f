/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "esp_random.h"

#include "iotsec_esp.h"

static int32_t fill(void *ctx, uint8_t *bytes, size_t len) {
    (void)ctx;
    esp_fill_random(bytes, len);
    return 0;
}

const iotsec_entropy_t iotsec_esp_entropy = {
    .struct_size = sizeof(iotsec_entropy_t),
    .fill = fill,
};
