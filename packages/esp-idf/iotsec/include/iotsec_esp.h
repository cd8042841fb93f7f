/*
 * What ESP-IDF has for iotsec: a partition, the hardware's randomness, a root key in the fuses, the time since boot. The
 * counter is the product's: a field of the fuses, or a secure element.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef IOTSEC_ESP_H
#define IOTSEC_ESP_H

#include <stdint.h>

#include "esp_err.h"
#include "esp_partition.h"
#include "sdkconfig.h"

#include "iotsec.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * `partition` as the flash of an object, all of it one region. ESP_ERR_NOT_SUPPORTED for an encrypted partition: what
 * is erased there does not read as erased.
 */
esp_err_t iotsec_esp_flash(const esp_partition_t *partition, iotsec_flash_t *flash, iotsec_region_t *region);

/* esp_fill_random(). Fit for keys only while the radio is on, or after bootloader_random_enable(). */
extern const iotsec_entropy_t iotsec_esp_entropy;

#if CONFIG_IOTSEC_ROOT_KEY
/* The key block CONFIG_IOTSEC_ROOT_KEY_BLOCK, which the HMAC peripheral derives from and nothing reads. */
extern const iotsec_root_key_t iotsec_esp_root_key;
#endif

/* Milliseconds since boot. */
uint64_t iotsec_esp_uptime_ms(void);

#ifdef __cplusplus
}
#endif

#endif /* IOTSEC_ESP_H */
