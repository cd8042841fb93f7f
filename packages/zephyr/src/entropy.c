/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <zephyr/device.h>
#include <zephyr/drivers/entropy.h>

#include "iotsec_zephyr.h"

static const struct device *const source = DEVICE_DT_GET(DT_CHOSEN(zephyr_entropy));

static int32_t fill(void *ctx, uint8_t *bytes, size_t len) {
    (void)ctx;
    if (!device_is_ready(source)) {
        return -1;
    }
    while (len > 0) {
        const uint16_t now = len > UINT16_MAX ? UINT16_MAX : (uint16_t)len;
        if (entropy_get_entropy(source, bytes, now) != 0) {
            return -1;
        }
        bytes += now;
        len -= now;
    }
    return 0;
}

const iotsec_entropy_t iotsec_zephyr_entropy = {
    .struct_size = sizeof(iotsec_entropy_t),
    .fill = fill,
};
