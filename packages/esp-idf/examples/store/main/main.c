/*
 * Counts in an encrypted store how often the chip was started. Its root key is in the fuses: without one the store is
 * refused.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bootloader_random.h"

#include "iotsec_esp.h"

#define STARTS IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 1, 1)

static iotsec_store_t store;
static iotsec_index_entry_t names[8];
static uint8_t record[256];

static iotsec_status_t count_starts(uint32_t *starts) {
    iotsec_store_config_t config = {
        .struct_size = sizeof config,
        .entropy = iotsec_esp_entropy,
        .root_key = iotsec_esp_root_key,
        .index = names,
        .index_count = sizeof names / sizeof names[0],
        .buffer = record,
        .buffer_size = sizeof record,
    };
    const esp_partition_t *partition =
        esp_partition_find_first(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_UNDEFINED, "iotsec");
    if (iotsec_esp_flash(partition, &config.flash, &config.region) != ESP_OK) {
        return IOTSEC_ERR_STATE;
    }
    iotsec_status_t status = iotsec_store_mount(&store, &config);
    if (status == IOTSEC_ERR_STORE_UNFORMATTED) {
        status = iotsec_store_format(&store, &config);
    }
    if (status != IOTSEC_OK) {
        return status;
    }
    uint8_t kept[4] = {0};
    size_t len;
    status = iotsec_store_get(&store, STARTS, kept, sizeof kept, &len);
    if (status == IOTSEC_OK || status == IOTSEC_ERR_STORE_NOT_FOUND) {
        memcpy(starts, kept, sizeof kept);
        *starts += 1;
        memcpy(kept, starts, sizeof kept);
        status = iotsec_store_put(&store, STARTS, kept, sizeof kept);
    }
    const iotsec_status_t closed = iotsec_store_close(&store);
    return status != IOTSEC_OK ? status : closed;
}

void app_main(void) {
    uint32_t starts = 0;
    /* The radio is off, and the hardware's randomness needs a source. */
    bootloader_random_enable();
    const iotsec_status_t status = iotsec_abi_matches() ? count_starts(&starts) : IOTSEC_ERR_STATE;
    bootloader_random_disable();
    if (status == IOTSEC_OK) {
        printf("iotsec: started %" PRIu32 " times, %" PRIu64 " ms after boot\n", starts, iotsec_esp_uptime_ms());
    } else {
        printf("iotsec: %s\n", iotsec_status_name(status));
    }
}
