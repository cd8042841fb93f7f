/*
 * A device in C, from the factory to its first update: an encrypted store, a password, an update that is fed
 * in chunks, tried and accepted, and one with a flipped bit, which is refused.
 *
 * Everything lives in static storage. board.h has the callbacks that a port writes.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "update_vectors.h" /* made by `cargo xtask c`: what the maker's tools would deliver */

/* Leaves the function with the first status that is not IOTSEC_OK. */
#define TRY(call) \
    do { \
        const iotsec_status_t tried_ = (call); \
        if (tried_ != IOTSEC_OK) return tried_; \
    } while (0)

/* Where everything is: the store, two slots with a page for the envelope each, and the journal. */
#define PAGES(first, count) {(first) * BOARD_PAGE_SIZE, BOARD_PAGE_SIZE, (count), BOARD_WORD_SIZE, 0xFF}
static const iotsec_region_t store_region = PAGES(0, 5);
static const iotsec_slot_layout_t slot_a = {PAGES(5, 1), PAGES(6, 2)};
static const iotsec_slot_layout_t slot_b = {PAGES(8, 1), PAGES(9, 2)};
static const iotsec_region_t journal = PAGES(11, 3);

/* What is kept in the store. */
#define WIFI_KEY IOTSEC_KEY_ID(IOTSEC_DOMAIN_USER, 1, 1)
#define VERIFIER IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 2, 1)
#define THROTTLE IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 2, 2)

static iotsec_store_t store;
static iotsec_index_entry_t store_index[8];
static uint8_t store_buffer[256];
static iotsec_login_t login;
static iotsec_update_t update;
static uint8_t envelope_buffer[1024];

/* Who signs, and for which device. */
static const iotsec_trust_anchor_t anchors[] = {
    {sizeof(iotsec_trust_anchor_t), IOTSEC_KEY_ED25519, maker_key, sizeof maker_key},
};
static const uint8_t component[] = {0x81, 0x41, 0x00}; /* [h'00'] */

static iotsec_update_config_t update_config(void) {
    return (iotsec_update_config_t){
        .struct_size = sizeof(iotsec_update_config_t),
        .threshold = 1,
        .trial_boots = 3,
        .max_jump = 65536,
        .flash = board_flash,
        .counter = board_counter,
        .slot_a = slot_a,
        .slot_b = slot_b,
        .journal = journal,
        .vendor_id = {0x0e, 0x01, 0x1a, 0x35, 0xe5, 0x98, 0x55, 0x69, 0x81, 0x98, 0xae, 0x31, 0x7f, 0x6d, 0xa1, 0x78},
        .class_id = {0x35, 0xc5, 0x00, 0xe3, 0x28, 0xa3, 0x5f, 0xc1, 0xbd, 0x5d, 0x0e, 0x07, 0x9a, 0xb2, 0x96, 0x6f},
        .component = component,
        .component_len = sizeof component,
        .anchors = anchors,
        .anchor_count = sizeof anchors / sizeof anchors[0],
        .scratch = envelope_buffer,
        .scratch_size = sizeof envelope_buffer,
    };
}

/* A value is stored and read back. The factory formats; a device in the field mounts. */
static iotsec_status_t keep_a_key(void) {
    const iotsec_store_config_t config = {
        .struct_size = sizeof config,
        .index_count = sizeof store_index / sizeof store_index[0],
        .flash = board_flash,
        .region = store_region,
        .entropy = board_entropy,
        .root_key = board_root_key,
        .index = store_index,
        .buffer = store_buffer,
        .buffer_size = sizeof store_buffer,
    };
    static const uint8_t secret[] = "correct horse battery staple";
    uint8_t value[64];
    size_t len;

    TRY(iotsec_store_format(&store, &config));
    TRY(iotsec_store_put(&store, WIFI_KEY, secret, sizeof secret));
    TRY(iotsec_store_close(&store));

    TRY(iotsec_store_mount(&store, &config));
    TRY(iotsec_store_get(&store, WIFI_KEY, value, sizeof value, &len));
    if (len != sizeof secret || memcmp(value, secret, len) != 0) {
        return IOTSEC_ERR_STORE_TAMPERED;
    }
    puts("store: kept across a reboot");
    return IOTSEC_OK;
}

/* The factory prints a password; whoever types it gets in, and each wrong guess is counted. */
static iotsec_status_t check_a_password(void) {
    static const char wrong[] = "K2M4-P6R8-T0V3-6";
    iotsec_credential_t credential = {.struct_size = sizeof credential, .root_key = board_root_key};
    char label[IOTSEC_LABEL_MAX];
    size_t len;
    iotsec_scheme_t scheme;

    TRY(iotsec_store_record(&store, VERIFIER, &credential.verifier));
    TRY(iotsec_store_record(&store, THROTTLE, &credential.throttle));
    TRY(iotsec_password_generate(&credential, &board_entropy, IOTSEC_EXPOSURE_ONLINE, label, sizeof label, &len));

    TRY(iotsec_login_open(&login, &credential, NULL));
    if (iotsec_login_attempt_label(&login, wrong, sizeof wrong - 1, 5000, &scheme) != IOTSEC_ERR_LOGIN_REFUSED) {
        return IOTSEC_ERR_STATE;
    }
    puts("password: the wrong one was refused");
    TRY(iotsec_login_attempt_label(&login, label, len, 6000, &scheme));
    puts("password: the one on the label was accepted");
    return iotsec_login_close(&login);
}

/* The boot loader verifies what it starts. The application then opens the updater. */
static iotsec_status_t reboot(const iotsec_update_config_t *config, iotsec_boot_t *boot) {
    TRY(iotsec_boot_select(config, boot));
    return iotsec_update_open(&update, config, boot->slot);
}

/* The envelope says what is coming; the payload then arrives in chunks of any size. */
static iotsec_status_t install_an_update(const iotsec_update_config_t *config) {
    iotsec_boot_t boot;
    uint32_t resume;
    int32_t done = 0;

    TRY(iotsec_slot_provision(config, IOTSEC_SLOT_A, factory_envelope, sizeof factory_envelope, factory_image,
                              sizeof factory_image));
    TRY(reboot(config, &boot));

    TRY(iotsec_update_begin(&update, envelope, sizeof envelope, 0, &resume));
    for (size_t at = resume, taken; at < sizeof payload; at += taken) {
        const size_t left = sizeof payload - at;
        TRY(iotsec_update_write(&update, payload + at, left < 500 ? left : 500, &taken));
    }
    while (done == 0) {
        TRY(iotsec_update_finish(&update, &done));
    }
    TRY(iotsec_update_install(&update));
    TRY(iotsec_update_close(&update));
    puts("update: written, read back, staged");

    TRY(reboot(config, &boot));
    if (boot.slot != IOTSEC_SLOT_B || boot.reason != IOTSEC_BOOT_TRIAL) {
        return IOTSEC_ERR_STATE;
    }
    TRY(iotsec_update_accept(&update));
    puts("update: booted on trial, accepted");
    return IOTSEC_OK;
}

/* One flipped bit, anywhere in the manifest, and the envelope is nobody's. */
static iotsec_status_t refuse_a_flipped_bit(void) {
    static uint8_t flipped[sizeof envelope];
    uint32_t resume;
    int32_t done = 0;

    while (done == 0) {
        TRY(iotsec_update_clean(&update, &done));
    }
    memcpy(flipped, envelope, sizeof flipped);
    flipped[sizeof flipped - 1] ^= 1;
    const iotsec_status_t refusal = iotsec_update_begin(&update, flipped, sizeof flipped, 0, &resume);
    if (refusal == IOTSEC_OK) {
        return IOTSEC_ERR_STATE;
    }
    puts("update: one flipped bit, refused with");
    puts(iotsec_status_name(refusal));
    return iotsec_update_close(&update);
}

static int ended(const char *what, iotsec_status_t status) {
    puts(what);
    puts(iotsec_status_name(status));
    return 1;
}

int main(void) {
    const iotsec_update_config_t config = update_config();
    iotsec_status_t status;

    if (!iotsec_abi_matches()) {
        return ended("header and library differ", IOTSEC_ERR_CONFIG);
    }
    if ((status = keep_a_key()) != IOTSEC_OK || (status = check_a_password()) != IOTSEC_OK) {
        return ended("store or password failed", status);
    }
    if ((status = install_an_update(&config)) != IOTSEC_OK || (status = refuse_a_flipped_bit()) != IOTSEC_OK) {
        return ended("update refused", status);
    }
    puts("all passed");
    return 0;
}
