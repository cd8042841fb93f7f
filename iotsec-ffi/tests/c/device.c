/*
 * A device as the example of its life has it, in the state that each buffer needs.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#define main device_example
#include "../../examples/device_life.c"
#undef main

iotsec_status_t open_iotsec_device_t(iotsec_device_t *object);
iotsec_status_t open_iotsec_pairing_t(iotsec_pairing_t *object);
iotsec_status_t good_iotsec_device_draw_code(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_device_draw_setup_code(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_device_serial(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_device_network(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_device_get(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_device_receipt(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_erased_sign(uint8_t *bytes, size_t size, size_t *len_);
iotsec_status_t good_iotsec_device_about_json(uint8_t *bytes, size_t size, size_t *len_);
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

static int32_t somebody(void *ctx) {
    (void)ctx;
    return 1;
}

/* The owner's share may be any point of the curve but one: this is its base point (SEC 2, 2.4.2). */
iotsec_status_t open_iotsec_pairing_t(iotsec_pairing_t *object) {
    static const uint8_t share[IOTSEC_PAIRING_SHARE_LEN] = {
        0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
        0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f,
        0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce,
        0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5};
    static const uint8_t app[] = {'a', 'p', 'p'};
    const iotsec_setup_plan_t plan = {sizeof plan, 1, 1, 0, 1790000000};
    const iotsec_presence_t present = {.struct_size = sizeof present, .is_asserted = somebody};
    char code[IOTSEC_SETUP_CODE_LEN];
    uint8_t answer[IOTSEC_PAIRING_ANSWER_LEN];
    (void)iotsec_device_close(&device);
    TRY(blank());
    TRY(iotsec_device_draw_code(&device, IOTSEC_EXPOSURE_ONLINE, label, sizeof label, &label_len));
    TRY(iotsec_device_draw_setup_code(&device, 1000, code, sizeof code, &len));
    TRY(iotsec_device_provision(&device, TEXT("LAMP-0042"), &enrolled));
    TRY(iotsec_setup_begin(&device, &plan));
    TRY(iotsec_pairing_open_by_presence(&device, &present, 1000, 60000));
    return iotsec_pairing_answer(object, &device, app, sizeof app, share, 2000, answer);
}

iotsec_status_t good_iotsec_device_draw_setup_code(uint8_t *bytes, size_t size, size_t *len_) {
    TRY(begin(size, blank));
    return iotsec_device_draw_setup_code(&device, 1000, (char *)bytes, size, len_);
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

static iotsec_status_t logged_in(void) {
    TRY(owned());
    return iotsec_device_login(&device, TEXT(password), 20000, &owner);
}

iotsec_status_t good_iotsec_device_about_json(uint8_t *bytes, size_t size, size_t *len_) {
    const iotsec_about_t about = {
        .struct_size = sizeof about, .name = "Lamp", .model = "lamp-2", .vendor = "Example Lighting Ltd", .version = "1.4.2"};
    TRY(begin(size, logged_in));
    return iotsec_device_about_json(&device, owner, &about, (char *)bytes, size, len_);
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
