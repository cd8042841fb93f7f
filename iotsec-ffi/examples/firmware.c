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
#include "update_steps.h"

#define VERIFIER IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 2, 1)
#define THROTTLE IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 2, 2)

/* Objects and what they work with; nothing is allocated. Pages 0 to 4 are the store's, before those of the updater. */
static iotsec_store_t store;
static iotsec_index_entry_t names[8];
static uint8_t record_buffer[256];
static iotsec_login_t login;

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
        .replay_counter = &board_store_counter, /* an earlier image of the flash is refused */
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

static iotsec_status_t verify_an_update(void) {
    const iotsec_update_config_t config = update_config();
    iotsec_boot_t boot;
    TRY(provision_the_factory_release(&config));
    TRY(reboot(&config, &boot));
    TRY(receive_an_update());
    puts("update: signed by the maker, for this device, newer, complete");
    return IOTSEC_OK;
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
