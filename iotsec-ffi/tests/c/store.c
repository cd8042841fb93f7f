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
