/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <errno.h>

#include <zephyr/drivers/flash.h>
#include <zephyr/storage/flash_map.h>

#include "iotsec_zephyr.h"

static int32_t read(void *ctx, uint32_t offset, uint8_t *bytes, size_t len) {
    return flash_area_read(ctx, (off_t)offset, bytes, len);
}

static int32_t write(void *ctx, uint32_t offset, const uint8_t *bytes, size_t len) {
    return flash_area_write(ctx, (off_t)offset, bytes, len);
}

static int32_t erase(void *ctx, uint32_t offset, uint32_t len) {
    return flash_area_erase(ctx, (off_t)offset, len);
}

/* The size of all pages of the area, or 0 when they differ or do not fill it. */
static size_t page_size(const struct flash_area *area) {
    size_t size = 0;
    for (off_t at = area->fa_off; at < area->fa_off + (off_t)area->fa_size;) {
        struct flash_pages_info page;
        if (flash_get_page_info_by_offs(flash_area_get_device(area), at, &page) != 0 || page.start_offset != at ||
            page.size == 0 || (size != 0 && size != page.size)) {
            return 0;
        }
        size = page.size;
        at += (off_t)size;
    }
    return size != 0 && area->fa_size % size == 0 ? size : 0;
}

int iotsec_zephyr_flash(uint8_t id, iotsec_flash_t *flash, iotsec_region_t *region) {
    const struct flash_area *area;
    const int error = flash_area_open(id, &area);
    if (error != 0) {
        return error;
    }
    const size_t page = page_size(area);
    if (page == 0) {
        flash_area_close(area);
        return -EINVAL;
    }
    /* The area is part of the flash map, which is constant: it stays open and is never written to. */
    *flash = (iotsec_flash_t){
        .struct_size = sizeof(iotsec_flash_t),
        .capacity = (uint32_t)area->fa_size,
        .ctx = (void *)area,
        .read = read,
        .write = write,
        .erase = erase,
    };
    *region = (iotsec_region_t){
        .page_size = (uint32_t)page,
        .page_count = (uint32_t)(area->fa_size / page),
        .word_size = flash_area_align(area),
        .erased = flash_area_erased_val(area),
    };
    return 0;
}
