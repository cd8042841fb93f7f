/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "esp_timer.h"

#include "iotsec_esp.h"

uint64_t iotsec_esp_uptime_ms(void) {
    return (uint64_t)esp_timer_get_time() / 1000;
}
