/*
 * A device as the example of its life has it, in the state that each buffer needs.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main device_example
#include "../../examples/device_life.c"
#undef main

iotsec_status_t open_iotsec_device_t(iotsec_device_t *object);
iotsec_status_t good_iotsec_device_draw_code(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_device_serial(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_device_network(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_device_get(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_device_receipt(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_erased_sign(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_security_status_json(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_setup_status_json(uint8_t *bytes, size_t size, size_t *len_);

/* A table begins with no room at all. The flash is another's until then. */
static iotsec_status_t begin(size_t size, iotsec_status_t (*state)(void)) {
    if (size != 0) {
        return IOTSEC_OK;
    }
    (void)iotsec_device_close(&device);
    return state();
}

static iotsec_status_t blank(void) {
    return start(IOTSEC_DEVICE_FACTORY);
}

static iotsec_status_t in_set_up(void) {
    const iotsec_setup_plan_t plan = {sizeof plan, 1, 1, 0, 1790000000};
    TRY(factory());
    TRY(start(IOTSEC_DEVICE_PROVISIONED));
    return iotsec_setup_begin(&device, &plan);
}

static iotsec_status_t owned(void) {
    TRY(factory());
    TRY(set_up());
    return iotsec_device_put(&device, KEY, hardware, sizeof hardware);
}

static iotsec_status_t reset(void) {
    TRY(owned());
    TRY(iotsec_device_login(&device, TEXT(password), 20000, &owner));
    return iotsec_device_reset(&device, owner, 40000, 1795000000);
}

iotsec_status_t open_iotsec_device_t(iotsec_device_t *object) {
    const iotsec_device_config_t config = {
        .struct_size = sizeof config, .index_count = NAMES, .flash = board_flash, .region = PAGES(0, 5), .index = names,
        .entropy = board_entropy, .root_key = board_root_key, .buffer = buffer, .buffer_size = sizeof buffer};
    return iotsec_device_format(object, &config);
}

iotsec_status_t good_iotsec_device_draw_code(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(begin(size, blank));
    return iotsec_device_draw_code(&device, IOTSEC_EXPOSURE_ONLINE, (char *)bytes, size, len_);
}

iotsec_status_t good_iotsec_device_serial(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(begin(size, owned));
    return iotsec_device_serial(&device, (char *)bytes, size, len_);
}

iotsec_status_t good_iotsec_device_network(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(begin(size, owned));
    return iotsec_device_network(&device, bytes, size, len_);
}

iotsec_status_t good_iotsec_device_get(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(begin(size, owned));
    return iotsec_device_get(&device, KEY, bytes, size, len_);
}

iotsec_status_t good_iotsec_device_receipt(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(begin(size, reset));
    return iotsec_device_receipt(&device, nonce, sizeof nonce, bytes, size, len_);
}

iotsec_status_t good_iotsec_erased_sign(uint8_t *bytes, size_t size, size_t *len_) {
    const iotsec_erased_t said = {
        .struct_size = sizeof said, .reason = IOTSEC_ERASED_RESET, .scope = IOTSEC_ERASED_USER, .erasures = 1, .boot = 1};
    iotsec_signer_t signer = {.struct_size = sizeof signer, .key_type = IOTSEC_KEY_ED25519, .sign = sign};
    TRY(iotsec_ed25519_public_key(seed, signer.public_key));
    return iotsec_erased_sign(&signer, &said, nonce, sizeof nonce, bytes, size, len_);
}

iotsec_status_t good_iotsec_security_status_json(uint8_t *bytes, size_t size, size_t *len_) {
    const iotsec_observed_t seen = {.struct_size = sizeof seen, .debug = IOTSEC_DEBUG_CLOSED};
    TRY(begin(size, owned));
    return iotsec_security_status_json(&device, &seen, 30000, (char *)bytes, size, len_);
}

iotsec_status_t good_iotsec_setup_status_json(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(begin(size, in_set_up));
    return iotsec_setup_status_json(&device, 5000, (char *)bytes, size, len_);
}
