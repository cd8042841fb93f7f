/*
 * A store as the store example has it.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main store_example
#include "../../examples/store.c"
#undef main

iotsec_status_t open_iotsec_store_t(iotsec_store_t *object);
iotsec_status_t good_iotsec_store_get(uint8_t *bytes, size_t size, size_t *len);
iotsec_status_t good_iotsec_key_export(uint8_t *bytes, size_t size, size_t *len);
iotsec_status_t good_iotsec_key_public(uint8_t *bytes, size_t size, size_t *len);
iotsec_status_t good_iotsec_key_encrypt(uint8_t *bytes, size_t size, size_t *len);
iotsec_status_t good_iotsec_key_decrypt(uint8_t *bytes, size_t size, size_t *len);

iotsec_status_t open_iotsec_store_t(iotsec_store_t *object) {
    const iotsec_store_config_t where = config();
    return iotsec_store_format(object, &where);
}

iotsec_status_t good_iotsec_store_get(uint8_t *bytes, size_t size, size_t *len) {
    const iotsec_store_config_t where = config();
    (void)iotsec_store_close(&store);
    TRY(iotsec_store_format(&store, &where));
    TRY(iotsec_store_put(&store, WIFI_KEY, wifi_key, sizeof wifi_key));
    return iotsec_store_get(&store, WIFI_KEY, bytes, size, len);
}

static iotsec_key_t key;

/* A store with one key in it; a table begins with no room at all. */
static iotsec_status_t begin(size_t size, iotsec_key_kind_t kind, uint32_t usage) {
    const iotsec_store_config_t where = config();
    const iotsec_key_spec_t spec = {REPORTS, kind, usage};
    if (size != 0) {
        return IOTSEC_OK;
    }
    (void)iotsec_store_close(&store);
    TRY(iotsec_store_format(&store, &where));
    return iotsec_key_generate(&store, &spec, &key);
}

iotsec_status_t good_iotsec_key_export(uint8_t *bytes, size_t size, size_t *len) {
    TRY(begin(size, IOTSEC_KEY_KIND_HMAC_SHA256, IOTSEC_KEY_USAGE_SIGN | IOTSEC_KEY_USAGE_EXPORT));
    return iotsec_key_export(&store, &key, bytes, size, len);
}

iotsec_status_t good_iotsec_key_public(uint8_t *bytes, size_t size, size_t *len) {
    TRY(begin(size, IOTSEC_KEY_KIND_P256, IOTSEC_KEY_USAGE_SIGN));
    return iotsec_key_public(&store, &key, bytes, size, len);
}

iotsec_status_t good_iotsec_key_encrypt(uint8_t *bytes, size_t size, size_t *len) {
    TRY(begin(size, IOTSEC_KEY_KIND_AES_256_GCM_SIV, IOTSEC_KEY_USAGE_ENCRYPT));
    return iotsec_key_encrypt(&store, &key, NULL, 0, wifi_key, sizeof wifi_key, bytes, size, len);
}

iotsec_status_t good_iotsec_key_decrypt(uint8_t *bytes, size_t size, size_t *len) {
    static uint8_t sealed[sizeof wifi_key + IOTSEC_KEY_SEAL_LEN];
    size_t sealed_len = sizeof sealed;
    TRY(begin(size, IOTSEC_KEY_KIND_CHACHA20_POLY1305, IOTSEC_KEY_USAGE_ENCRYPT | IOTSEC_KEY_USAGE_DECRYPT));
    if (size == 0) {
        TRY(iotsec_key_encrypt(&store, &key, NULL, 0, wifi_key, sizeof wifi_key, sealed, sizeof sealed, &sealed_len));
    }
    return iotsec_key_decrypt(&store, &key, NULL, 0, sealed, sizeof sealed, bytes, size, len);
}
