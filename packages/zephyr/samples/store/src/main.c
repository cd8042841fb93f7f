/*
 * Counts in an encrypted store how often the board was started.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include <zephyr/kernel.h>
#include <zephyr/storage/flash_map.h>
#include <zephyr/sys/printk.h>

#include <iotsec_zephyr.h>

#define STARTS IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 1, 1)

static iotsec_store_t store;
static iotsec_index_entry_t names[8];
static uint8_t record[256];

/* A product reads these 32 bytes from fuses or a PUF, or has TF-M derive; this key is known to everybody. */
static int32_t derive(void *ctx, const uint8_t *label, size_t label_len, uint8_t *key) {
    static const uint8_t root[32] = "an example's key, for no product";
    (void)ctx;
    return iotsec_root_key_derive(root, label, label_len, key) == IOTSEC_OK ? 0 : -1;
}

static iotsec_status_t count_starts(uint32_t *starts) {
    iotsec_store_config_t config = {
        .struct_size = sizeof config,
        .entropy = iotsec_zephyr_entropy,
        .root_key = {.struct_size = sizeof(iotsec_root_key_t), .derive = derive},
        .index = names,
        .index_count = ARRAY_SIZE(names),
        .buffer = record,
        .buffer_size = sizeof record,
    };
    if (iotsec_zephyr_flash(FIXED_PARTITION_ID(storage_partition), &config.flash, &config.region) != 0) {
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

int main(void) {
    uint32_t starts = 0;
    const iotsec_status_t status = iotsec_abi_matches() ? count_starts(&starts) : IOTSEC_ERR_STATE;
    if (status == IOTSEC_OK) {
        printk("iotsec: started %u times, %u ms after boot\n", starts, (unsigned int)iotsec_zephyr_uptime_ms());
    } else {
        printk("iotsec: %s\n", iotsec_status_name(status));
    }
    return 0;
}
