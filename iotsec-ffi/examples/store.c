/*
 * An encrypted key store in C: formatted in the factory, mounted at every boot, a user domain that can be erased for
 * good, and a counter that knows an earlier image of the flash.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "board.h"
#include "check.h"

/* Names: a domain, a namespace for each part of the firmware, a number in it. */
#define CALIBRATION IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 1, 1)
#define WIFI_KEY IOTSEC_KEY_ID(IOTSEC_DOMAIN_USER, 1, 1)
#define WIFI_NAME IOTSEC_KEY_ID(IOTSEC_DOMAIN_USER, 1, 2)
#define BOOTS IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 2, 1)
#define REPORTS IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 7, 1)

static const uint8_t calibration[] = {0x12, 0x34, 0x56};
static const uint8_t wifi_key[] = "correct horse battery staple";

#define STORE_PAGES 5u

static iotsec_store_t store;
static iotsec_index_entry_t names[8];
static uint8_t buffer[256];

static iotsec_store_config_t config(void) {
    return (iotsec_store_config_t){
        .struct_size = sizeof(iotsec_store_config_t),
        .index_count = sizeof names / sizeof names[0],
        .flash = board_flash,
        .region = {0, BOARD_PAGE_SIZE, STORE_PAGES, BOARD_WORD_SIZE, 0xFF},
        .entropy = board_entropy,
        .root_key = board_root_key,
        .index = names,
        .buffer = buffer,
        .buffer_size = sizeof buffer,
        .replay_counter = &board_store_counter,
    };
}

/* The factory formats, once. A device in the field never does: a store that does not mount is a fault to report. */
static iotsec_status_t factory(void) {
    const iotsec_store_config_t where = config();
    REFUSED(IOTSEC_ERR_STORE_UNFORMATTED, iotsec_store_mount(&store, &where));
    TRY(iotsec_store_format(&store, &where));
    TRY(iotsec_store_put_once(&store, CALIBRATION, calibration, sizeof calibration));
    puts("factory: formatted, calibrated");
    return iotsec_store_close(&store);
}

/* Values come back after a reboot. A buffer that is too small is told the size. */
static iotsec_status_t field(void) {
    const iotsec_store_config_t where = config();
    uint8_t value[64];
    size_t len;
    TRY(iotsec_store_mount(&store, &where));
    TRY(iotsec_store_put(&store, WIFI_KEY, wifi_key, sizeof wifi_key));
    TRY(iotsec_store_close(&store));

    TRY(iotsec_store_mount(&store, &where));
    REFUSED(IOTSEC_ERR_SHORT_BUFFER, iotsec_store_get(&store, WIFI_KEY, value, 4, &len));
    if (len != sizeof wifi_key) {
        return IOTSEC_ERR_SIZE;
    }
    TRY(iotsec_store_get(&store, WIFI_KEY, value, sizeof value, &len));
    if (len != sizeof wifi_key || memcmp(value, wifi_key, len) != 0) {
        return IOTSEC_ERR_STORE_TAMPERED;
    }
    puts("field: the key survived a reboot");
    return IOTSEC_OK;
}

/* Another network: name and key change together, whenever the power goes. The owner's part of the flash has its bounds,
   and each boot its number. */
static iotsec_status_t moved(void) {
    static const uint8_t name[] = {'h', 'o', 'u', 's', 'e'}, key[] = "another horse";
    const iotsec_change_t changes[] = {
        {WIFI_NAME, IOTSEC_CHANGE_PUT, 0, name, sizeof name},
        {WIFI_KEY, IOTSEC_CHANGE_PUT, 0, key, sizeof key},
    };
    uint32_t boots;
    TRY(iotsec_store_set_limit(&store, IOTSEC_DOMAIN_USER, 512));
    TRY(iotsec_store_apply(&store, changes, 2));
    REFUSED(IOTSEC_ERR_STORE_WRITE_ONCE, iotsec_store_put(&store, CALIBRATION, name, sizeof name));
    TRY(iotsec_store_increment(&store, BOOTS, &boots));
    if (boots != 1) {
        return IOTSEC_ERR_SIZE;
    }
    puts("moved: name and key at once, the calibration for good");
    return IOTSEC_OK;
}

/* A key that the device draws signs in the store; what it may be used for is sealed with it, and its bytes stay. */
static iotsec_status_t signed_in_the_store(void) {
    static const uint8_t message[] = {'a', ' ', 'r', 'e', 'p', 'o', 'r', 't'};
    const iotsec_key_spec_t spec = {REPORTS, IOTSEC_KEY_KIND_ED25519, IOTSEC_KEY_USAGE_SIGN | IOTSEC_KEY_USAGE_VERIFY};
    uint8_t signature[IOTSEC_SIGNATURE_LEN], bytes[IOTSEC_KEY_LEN];
    iotsec_key_t key;
    size_t len;
    TRY(iotsec_key_generate(&store, &spec, &key));
    TRY(iotsec_key_sign(&store, &key, message, sizeof message, signature));
    TRY(iotsec_key_verify(&store, &key, message, sizeof message, signature, sizeof signature));
    REFUSED(IOTSEC_ERR_KEY_USAGE, iotsec_key_export(&store, &key, bytes, sizeof bytes, &len));
    puts("signed: by a key that nobody is given");
    return IOTSEC_OK;
}

/* The owner sells the device: their domain loses its key, and with it every copy in flash. */
static iotsec_status_t sold(void) {
    uint8_t value[64];
    size_t len;
    TRY(iotsec_store_erase_user(&store));
    REFUSED(IOTSEC_ERR_STORE_NOT_FOUND, iotsec_store_get(&store, WIFI_KEY, value, sizeof value, &len));
    TRY(iotsec_store_get(&store, CALIBRATION, value, sizeof value, &len));
    puts("sold: the owner's key is gone, the calibration is not");
    return iotsec_store_close(&store);
}

static iotsec_status_t kept(const uint8_t *key, size_t len) {
    const iotsec_store_config_t where = config();
    TRY(iotsec_store_mount(&store, &where));
    TRY(iotsec_store_put(&store, WIFI_KEY, key, len));
    return iotsec_store_close(&store);
}

/* Somebody copies the flash and puts it back when another key is in use. Without a counter that would go unnoticed. */
static iotsec_status_t put_back(void) {
    static const uint8_t next[] = "a third horse";
    static uint8_t image[STORE_PAGES * BOARD_PAGE_SIZE];
    const iotsec_store_config_t where = config();
    TRY(kept(wifi_key, sizeof wifi_key));
    TRY(board_flash.read(board_flash.ctx, 0, image, sizeof image));
    TRY(kept(next, sizeof next));
    TRY(board_flash.erase(board_flash.ctx, 0, sizeof image));
    TRY(board_flash.write(board_flash.ctx, 0, image, sizeof image));
    REFUSED(IOTSEC_ERR_STORE_ROLLED_BACK, iotsec_store_mount(&store, &where));
    puts("put back: yesterday's flash is not taken for today's");
    return IOTSEC_OK;
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {factory, field, moved, signed_in_the_store, sold, put_back};
    return run(parts, sizeof parts / sizeof parts[0]);
}
