/*
 * Passwords in C: one for each unit, made in the factory; guesses counted over reboots; one that the owner chooses.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "board.h"
#include "check.h"

#define VERIFIER IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 2, 1)
#define THROTTLE IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 2, 2)

static iotsec_store_t store;
static iotsec_index_entry_t names[8];
static uint8_t buffer[256];
static iotsec_credential_t credential;
static iotsec_login_t login;

/* The label is printed and wiped: the device keeps a keyed hash. */
static char label[IOTSEC_LABEL_MAX];
static size_t label_len;

static iotsec_status_t factory(void) {
    const iotsec_store_config_t where = {
        .struct_size = sizeof where,
        .index_count = sizeof names / sizeof names[0],
        .flash = board_flash,
        .region = {0, BOARD_PAGE_SIZE, 5, BOARD_WORD_SIZE, 0xFF},
        .entropy = board_entropy,
        .root_key = board_root_key,
        .index = names,
        .buffer = buffer,
        .buffer_size = sizeof buffer,
    };
    TRY(iotsec_store_format(&store, &where));
    credential = (iotsec_credential_t){.struct_size = sizeof credential, .root_key = board_root_key};
    TRY(iotsec_store_record(&store, VERIFIER, &credential.verifier));
    TRY(iotsec_store_record(&store, THROTTLE, &credential.throttle));
    TRY(iotsec_password_generate(&credential, &board_entropy, IOTSEC_EXPOSURE_ONLINE, label, sizeof label, &label_len));
    puts("factory: a password of its own for this unit");
    return IOTSEC_OK;
}

/* A wrong guess is counted in the store before it is judged, so that pulling the plug gains nothing. */
static iotsec_status_t guesses(void) {
    static const char wrong[] = "K2M4-P6R8-T0V3-6";
    iotsec_scheme_t scheme;
    iotsec_login_status_t told;
    iotsec_status_t status = IOTSEC_ERR_LOGIN_REFUSED;
    uint64_t now_ms = 5000;
    TRY(iotsec_login_open(&login, &credential, NULL));
    for (int guess = 0; guess < 10 && status == IOTSEC_ERR_LOGIN_REFUSED; guess++) {
        status = iotsec_login_attempt_label(&login, wrong, sizeof wrong - 1, now_ms, &scheme);
    }
    REFUSED(IOTSEC_ERR_THROTTLE_WAIT, status);
    puts("login: after some wrong guesses none is taken for a while");
    TRY(iotsec_login_status(&login, now_ms, &told));
    now_ms += told.remaining_ms;
    TRY(iotsec_login_attempt_label(&login, label, label_len, now_ms, &scheme));
    puts("login: the one on the label is right");
    return iotsec_login_close(&login);
}

/* What the owner chooses must not be short, and must not show what can be read off the device. */
static iotsec_status_t chosen(void) {
    static const char weak[] = "LMP-0042-2026", good[] = "seven green lamps";
    static const char *const context[] = {"LMP-0042"};
    iotsec_scheme_t scheme;
    if (iotsec_password_choose(&credential, &board_entropy, IOTSEC_EXPOSURE_ONLINE, IOTSEC_ITERATIONS_MCU, weak,
                               sizeof weak - 1, context, 1) == IOTSEC_OK) {
        return IOTSEC_ERR_STATE;
    }
    TRY(iotsec_password_choose(&credential, &board_entropy, IOTSEC_EXPOSURE_ONLINE, IOTSEC_ITERATIONS_MCU, good,
                               sizeof good - 1, context, 1));
    TRY(iotsec_login_open(&login, &credential, NULL));
    TRY(iotsec_login_attempt_text(&login, good, sizeof good - 1, 5000, &scheme));
    if (scheme != IOTSEC_SCHEME_CHOSEN) {
        return IOTSEC_ERR_STATE;
    }
    puts("owner: a password of their own");
    return IOTSEC_OK;
}

/* A later version has memory for Argon2id: the next right password is stretched anew, and needs the memory from then on. */
static iotsec_status_t stretched_anew(void) {
    static const char good[] = "seven green lamps";
    static uint64_t memory[IOTSEC_ARGON2ID_WORDS(64)];
    const iotsec_argon2id_t lent = {
        .struct_size = sizeof lent, .kib = 64, .passes = 3, .memory = memory, .memory_words = sizeof memory / 8};
    iotsec_scheme_t scheme;
    TRY(iotsec_login_lend_argon2id(&login, &lent));
    TRY(iotsec_login_attempt_with_rehash(&login, &board_entropy, IOTSEC_ITERATIONS_MCU, good, sizeof good - 1, 6000,
                                         &scheme));
    TRY(iotsec_login_close(&login));
    TRY(iotsec_login_open(&login, &credential, NULL));
    REFUSED(IOTSEC_ERR_CRYPTO_ALGORITHM, iotsec_login_attempt_text(&login, good, sizeof good - 1, 7000, &scheme));
    TRY(iotsec_login_lend_argon2id(&login, &lent));
    TRY(iotsec_login_attempt_text(&login, good, sizeof good - 1, 7000, &scheme));
    puts("owner: the same password, now under Argon2id");
    TRY(iotsec_login_close(&login));
    return iotsec_store_close(&store);
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {factory, guesses, chosen, stretched_anew};
    return run(parts, sizeof parts / sizeof parts[0]);
}
