/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "esp_hmac.h"

#include "iotsec_esp.h"

static int32_t derive(void *ctx, const uint8_t *label, size_t label_len, uint8_t *key) {
    (void)ctx;
    return esp_hmac_calculate((hmac_key_id_t)CONFIG_IOTSEC_ROOT_KEY_BLOCK, label, label_len, key) == ESP_OK ? 0 : -1;
}

const iotsec_root_key_t iotsec_esp_root_key = {
    .struct_size = sizeof(iotsec_root_key_t),
    .derive = derive,
};
