/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <zephyr/kernel.h>

#include "iotsec_zephyr.h"

uint64_t iotsec_zephyr_uptime_ms(void) {
    return (uint64_t)k_uptime_get();
}
