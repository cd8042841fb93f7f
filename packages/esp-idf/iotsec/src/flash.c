/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "iotsec_esp.h"

/* The flash programs bytes, and caches and drivers work in words. */
#define WORD_SIZE 4

static int32_t read(void *ctx, uint32_t offset, uint8_t *bytes, size_t len) {
    return esp_partition_read(ctx, offset, bytes, len);
}

static int32_t write(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len) {
    return esp_partition_write(ctx, offset, bytes, len);
}

static int32_t erase(void *ctx, uint32_t offset, uint32_t len) {
    return esp_partition_erase_range(ctx, offset, len);
}

esp_err_t iotsec_esp_flash(const esp_partition_t *partition, iotsec_flash_t *flash, iotsec_region_t *region) {
    if (partition == NULL || flash == NULL || region == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    if (partition->encrypted) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    /* The table of partitions is constant: the callbacks never write to it. */
    *flash = (iotsec_flash_t){
        .struct_size = sizeof(iotsec_flash_t),
        .capacity = partition->size,
        .ctx = (void *)partition,
        .read = read,
        .write = write,
        .erase = erase,
    };
    *region = (iotsec_region_t){
        .page_size = partition->erase_size,
        .page_count = partition->size / partition->erase_size,
        .word_size = WORD_SIZE,
        .erased = 0xFF,
    };
    return ESP_OK;
}
