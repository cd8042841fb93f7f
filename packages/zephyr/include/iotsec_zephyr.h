/*
 * What Zephyr has for iotsec: a flash partition, the entropy driver, the time since boot. The root key and the
 * counter are the board's: fuses, a PUF or a secure element.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef IOTSEC_ZEPHYR_H
#define IOTSEC_ZEPHYR_H

#include <stdint.h>

#include <iotsec.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The partition `id` (FIXED_PARTITION_ID(label)) as the flash of an object, all of it one region. Its pages must be of
 * one size. Returns 0 or a negative errno: -EINVAL for pages of different sizes.
 */
int iotsec_zephyr_flash(uint8_t id, iotsec_flash_t *flash, iotsec_region_t *region);

/* The entropy driver that the devicetree chooses as zephyr,entropy. */
extern const iotsec_entropy_t iotsec_zephyr_entropy;

/* Milliseconds since boot. */
uint64_t iotsec_zephyr_uptime_ms(void);

#ifdef __cplusplus
}
#endif

#endif /* IOTSEC_ZEPHYR_H */
