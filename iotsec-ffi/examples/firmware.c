/*
 * A firmware in C, from its first start in the factory to a verified update: mounts the encrypted store, checks the
 * password of its owner, verifies an update as it arrives, and says how it stands.
 *
 * Runs on Cortex-M0, M4 and M33 and on RISC-V with qemu_board.c, and on Linux with linux_board.c.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "board.h"
#include "check.h"
#include "update_vectors.h" /* what the maker's tools would deliver */

#define VERIFIER IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 2, 1)
#define THROTTLE IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 2, 2)

/* Where everything is: pages 0 to 4 for the store, then two slots and the journal of the updater. */
#define PAGES(first, count) {(first) * BOARD_PAGE_SIZE, BOARD_PAGE_SIZE, (count), BOARD_WORD_SIZE, 0xFF}

/* Objects and what they work with; nothing is allocated. */
static iotsec_store_t store;
static iotsec_index_entry_t names[8];
static uint8_t record_buffer[256];
static iotsec_login_t login;
static iotsec_update_t update;
static uint8_t envelope_buffer[1024];

static iotsec_store_config_t store_config(void) {
    return (iotsec_store_config_t){
        .struct_size = sizeof(iotsec_store_config_t),
        .index_count = sizeof names / sizeof names[0],
        .flash = board_flash,
        .region = PAGES(0, 5),
        .entropy = board_entropy,
        .root_key = board_root_key,
        .index = names,
        .buffer = record_buffer,
        .buffer_size = sizeof record_buffer,
    };
}

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
        .slot_a = {PAGES(5, 1), PAGES(6, 2)},
        .slot_b = {PAGES(8, 1), PAGES(9, 2)},
        .journal = PAGES(11, 3),
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

/* A device in the field mounts. This board's flash is empty at every start, so the factory comes first. */
static iotsec_status_t mount(void) {
    const iotsec_store_config_t where = store_config();
    iotsec_status_t status = iotsec_store_mount(&store, &where);
    if (status == IOTSEC_ERR_STORE_UNFORMATTED) {
        TRY(iotsec_store_format(&store, &where));
        TRY(iotsec_store_close(&store));
        status = iotsec_store_mount(&store, &where);
    }
    if (status == IOTSEC_OK) {
        puts("store: mounted");
    }
    return status;
}

/* The password of this unit, and two who try it. A product reads from the set-up page what is `label` here. */
static iotsec_status_t let_the_owner_in(void) {
    static const char wrong[] = "K2M4-P6R8-T0V3-6";
    iotsec_credential_t credential = {.struct_size = sizeof credential, .root_key = board_root_key};
    char label[IOTSEC_LABEL_MAX];
    size_t label_len;
    iotsec_scheme_t scheme;
    TRY(iotsec_store_record(&store, VERIFIER, &credential.verifier));
    TRY(iotsec_store_record(&store, THROTTLE, &credential.throttle));
    TRY(iotsec_password_generate(&credential, &board_entropy, IOTSEC_EXPOSURE_ONLINE, label, sizeof label, &label_len));
    TRY(iotsec_login_open(&login, &credential, NULL));
    REFUSED(IOTSEC_ERR_LOGIN_REFUSED, iotsec_login_attempt_label(&login, wrong, sizeof wrong - 1, 5000, &scheme));
    TRY(iotsec_login_attempt_label(&login, label, label_len, 10000, &scheme));
    puts("password: a wrong one refused, the right one taken");
    return iotsec_login_close(&login);
}

/* The envelope says what is coming; the payload arrives in pieces; nothing counts before all of it is verified. */
static iotsec_status_t verify_an_update(void) {
    const iotsec_update_config_t config = update_config();
    iotsec_boot_t boot;
    uint32_t resume;
    int32_t done = 0;
    TRY(iotsec_slot_provision(&config, IOTSEC_SLOT_A, factory_envelope, sizeof factory_envelope, factory_image,
                              sizeof factory_image));
    TRY(iotsec_boot_select(&config, &boot));
    TRY(iotsec_update_open(&update, &config, boot.slot));
    TRY(iotsec_update_begin(&update, envelope, sizeof envelope, 0, &resume));
    for (size_t at = resume, taken; at < sizeof payload; at += taken) {
        const size_t left = sizeof payload - at;
        TRY(iotsec_update_write(&update, payload + at, left < 256 ? left : 256, &taken));
    }
    while (done == 0) {
        TRY(iotsec_update_finish(&update, &done));
    }
    puts("update: signed by the maker, for this device, newer, complete");
    return iotsec_update_install(&update);
}

static iotsec_status_t say_how_it_stands(void) {
    iotsec_update_status_t status;
    TRY(iotsec_update_status(&update, &status));
    puts("status: the installer says");
    puts(iotsec_status_name(status.cause));
    if (status.state != IOTSEC_UPDATE_STAGED) {
        return IOTSEC_ERR_STATE;
    }
    puts("status: the update starts at the next boot");
    TRY(iotsec_update_close(&update));
    return iotsec_store_close(&store);
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {mount, let_the_owner_in, verify_an_update, say_how_it_stands};
    return run(parts, sizeof parts / sizeof parts[0]);
}
