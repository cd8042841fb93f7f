/*
 * A device's life in C: factory, set-up with the label's code, guesses, a key, an update, attestation, security status,
 * erasure with a receipt.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "board.h"
#include "check.h"
#include "update_config.h"

#define CHECK(fact) do { if (!(fact)) return IOTSEC_ERR_STATE; } while (0)
#define TEXT(text) (text), (sizeof(text) - 1)
#define KEY IOTSEC_KEY_ID(IOTSEC_DOMAIN_USER, 1, 1)

static const char password[] = "seven small otters swim";
static const uint8_t network[] = "WIFI:T:WPA;S:Home;P:correct horse;;";
static const char *const context[] = {"LAMP-0042"};
static const uint8_t nonce[32] = "what whoever asks has drawn now", hardware[32] = {3};
static const iotsec_interface_t app_port = {"app", "The owner's app", NULL, IOTSEC_INTERFACE_TCP, 8443,
                                            IOTSEC_PHASE_OWNED, IOTSEC_SCOPE_LOCAL, IOTSEC_AUTHENTICATION_PASSWORD, 0, 0};

static iotsec_device_t device;
static iotsec_update_t update;
static iotsec_index_entry_t names[IOTSEC_DEVICE_INDEX + 8];
static uint8_t buffer[512], seed[32], receipt[IOTSEC_RECEIPT_MAX];
static char label[IOTSEC_LABEL_MAX];
static size_t label_len, len;
static iotsec_enrolment_t enrolled;
static iotsec_owner_t owner;

typedef iotsec_status_t (*how_t)(iotsec_device_t *, const iotsec_device_config_t *);

static iotsec_status_t start(how_t how, iotsec_device_state_t expected) {
    const iotsec_device_config_t config = {
        .struct_size = sizeof config, .index_count = sizeof names / sizeof names[0], .flash = board_flash,
        .region = PAGES(0, 5), .entropy = board_entropy, .root_key = board_root_key, .index = names,
        .buffer = buffer, .buffer_size = sizeof buffer,
    };
    iotsec_device_state_t state;
    TRY(how(&device, &config));
    TRY(iotsec_device_state(&device, &state));
    CHECK(state == expected);
    return IOTSEC_OK;
}

static iotsec_status_t factory(void) {
    TRY(start(iotsec_device_format, IOTSEC_DEVICE_FACTORY));
    TRY(iotsec_device_draw_code(&device, IOTSEC_EXPOSURE_ONLINE, label, sizeof label, &label_len));
    TRY(iotsec_device_provision(&device, TEXT("LAMP-0042"), &enrolled));
    puts("factory: a serial number, keys of its own, a label");
    return iotsec_device_close(&device);
}

/* Each step refuses what belongs to a later one. Afterwards the code of the label opens nothing. */
static iotsec_status_t set_up(void) {
    const iotsec_setup_plan_t plan = {sizeof plan, 1, 1, 0, 1790000000};
    iotsec_setup_status_t stands;
    TRY(start(iotsec_device_open, IOTSEC_DEVICE_PROVISIONED));
    TRY(iotsec_setup_begin(&device, &plan));
    REFUSED(IOTSEC_ERR_SETUP_NOT_YET, iotsec_setup_give_network(&device, TEXT(network)));
    REFUSED(IOTSEC_ERR_LOGIN_REFUSED, iotsec_setup_present_label(&device, TEXT("K2M4-P6R8-T0V3-6"), 5000));
    TRY(iotsec_setup_present_label(&device, label, label_len, 9000));
    TRY(iotsec_setup_give_network(&device, TEXT(network)));
    TRY(iotsec_setup_report(&device, IOTSEC_REPORT_NETWORK_JOINED));
    TRY(iotsec_setup_set_time(&device, 1795000000));
    TRY(iotsec_setup_report(&device, IOTSEC_REPORT_UPDATE_CURRENT));
    TRY(iotsec_setup_report(&device, IOTSEC_REPORT_IDENTITY_ACCEPTED));
    TRY(iotsec_setup_status(&device, 9000, &stands));
    CHECK(stands.step == IOTSEC_SETUP_OWNER && stands.decisions == 1);
    TRY(iotsec_setup_claim(&device, IOTSEC_EXPOSURE_ONLINE, IOTSEC_ITERATIONS_MCU, TEXT(password), context, 1));
    puts("set-up: the label's code, a network, a password of the owner's own");
    return IOTSEC_OK;
}

/* Pulling the plug gains no guess. The key stays in the store over the reboot. */
static iotsec_status_t use(void) {
    iotsec_status_t status = IOTSEC_ERR_LOGIN_REFUSED;
    iotsec_login_status_t told;
    for (int guess = 0; guess < 10 && status == IOTSEC_ERR_LOGIN_REFUSED; guess++) {
        status = iotsec_device_login(&device, TEXT("password1234"), 20000, &owner);
    }
    REFUSED(IOTSEC_ERR_THROTTLE_WAIT, status);
    TRY(board_random(NULL, seed, sizeof seed) == 0 ? IOTSEC_OK : IOTSEC_ERR_CALLBACK);
    TRY(iotsec_device_put(&device, KEY, seed, sizeof seed));
    TRY(iotsec_device_close(&device));
    TRY(start(iotsec_device_open, IOTSEC_DEVICE_OWNED));
    REFUSED(IOTSEC_ERR_THROTTLE_WAIT, iotsec_device_login(&device, TEXT(password), 1, &owner));
    TRY(iotsec_device_login_status(&device, 1, &told));
    TRY(iotsec_device_login(&device, TEXT(password), 1 + told.remaining_ms, &owner));
    memset(seed, 0, sizeof seed);
    TRY(iotsec_device_get(&device, KEY, seed, sizeof seed, &len));
    CHECK(len == sizeof seed);
    puts("use: guesses counted over a reboot, a key kept");
    return IOTSEC_OK;
}

static int32_t sign(void *ctx, const uint8_t *message, size_t message_len, uint8_t *signature) {
    (void)ctx;
    return iotsec_ed25519_sign(seed, message, message_len, signature) == IOTSEC_OK ? 0 : -1;
}

/* A signed update, tried and measured; the token says what runs now. */
static iotsec_status_t updated(void) {
    const iotsec_update_config_t config = update_config();
    static uint8_t flipped[sizeof envelope], token[IOTSEC_ATTEST_TOKEN_MAX(1)], scratch[IOTSEC_ATTEST_SCRATCH_MAX(1)];
    iotsec_boot_t boot;
    uint32_t at;
    int32_t done = 0;
    TRY(iotsec_slot_provision(&config, IOTSEC_SLOT_A, factory_envelope, sizeof factory_envelope, factory_image,
                              sizeof factory_image));
    TRY(iotsec_boot_select(&config, &boot));
    TRY(iotsec_update_open(&update, &config, boot.slot));
    memcpy(flipped, envelope, sizeof flipped);
    flipped[150] ^= 1;
    REFUSED(IOTSEC_ERR_UPDATE_MANIFEST_DIGEST, iotsec_update_begin(&update, flipped, sizeof flipped, 0, &at));
    TRY(iotsec_update_begin(&update, envelope, sizeof envelope, 0, &at));
    for (size_t taken; at < sizeof payload; at += (uint32_t)taken) {
        TRY(iotsec_update_write(&update, payload + at, sizeof payload - at, &taken));
    }
    while (done == 0) {
        TRY(iotsec_update_finish(&update, &done));
    }
    TRY(iotsec_update_install(&update));
    TRY(iotsec_update_close(&update));
    TRY(iotsec_boot_select(&config, &boot));
    CHECK(boot.reason == IOTSEC_BOOT_TRIAL && boot.slot == IOTSEC_SLOT_B);
    TRY(iotsec_update_open(&update, &config, boot.slot));
    TRY(iotsec_update_accept(&update));
    TRY(iotsec_update_close(&update));
    const iotsec_attest_component_t app = {"App", "2.0.0", boot.digest, maker_key};
    const iotsec_attest_claims_t claims = {sizeof claims, 1, IOTSEC_LIFECYCLE_SECURED, 0, IOTSEC_DEBUG_CLOSED,
                                           hardware, nonce, sizeof nonce, NULL, 0, &app, 1};
    iotsec_signer_t signer = {.struct_size = sizeof signer, .key_type = IOTSEC_KEY_ED25519, .sign = sign};
    TRY(iotsec_ed25519_public_key(seed, signer.public_key));
    TRY(iotsec_attest_token(&signer, &claims, scratch, sizeof scratch, token, sizeof token, &len));
    puts("update: a flipped bit refused, the genuine one tried, accepted, attested");
    return IOTSEC_OK;
}

/* A forgotten telnet server is found, and the status says so. */
static iotsec_status_t judged(void) {
    const iotsec_listener_t sockets[] = {{.kind = IOTSEC_INTERFACE_TCP, .number = 8443, .address = {192, 0, 2, 7}, .address_len = 4},
                                         {.kind = IOTSEC_INTERFACE_TCP, .number = 23, .address_len = 4}};
    iotsec_observed_t seen = {.struct_size = sizeof seen, .software = IOTSEC_OBSERVED_SOFTWARE_INTACT, .debug = IOTSEC_DEBUG_CLOSED,
                              .updates = IOTSEC_OBSERVED_UPDATES_CURRENT, .support_until_s = 1956528000, .time_s = 1795000000};
    iotsec_surface_finding_t found;
    iotsec_finding_t findings[IOTSEC_CHECKS];
    iotsec_verdict_t verdict;
    uint32_t open;
    TRY(iotsec_surface_audit(&app_port, 1, IOTSEC_DEVICE_OWNED, 0, sockets, 2, &found, 1, &len, &open));
    CHECK(len == 1 && open == 1 && found.kind == IOTSEC_SURFACE_UNDECLARED && found.listener == 1);
    seen.undeclared = (int32_t)open;
    TRY(iotsec_security_status(&device, &seen, 30000, findings, IOTSEC_CHECKS, &len, &verdict));
    CHECK(verdict == IOTSEC_VERDICT_FAIL);
    seen.undeclared = 0;
    TRY(iotsec_security_status(&device, &seen, 30000, findings, IOTSEC_CHECKS, &len, &verdict));
    CHECK(verdict == IOTSEC_VERDICT_WARN); /* a copy of the flash would not be noticed: there is no counter for it */
    puts("status: telnet found; nothing else to be done");
    return IOTSEC_OK;
}

static iotsec_status_t erased(void) {
    iotsec_erased_t said;
    int32_t done = 0;
    TRY(iotsec_device_reset(&device, owner, 40000, 1795000000));
    REFUSED(IOTSEC_ERR_STATE, iotsec_device_get(&device, KEY, seed, sizeof seed, &len));
    while (done == 0) {
        TRY(iotsec_device_scrub_step(&device, &done));
    }
    TRY(iotsec_device_receipt(&device, nonce, sizeof nonce, receipt, sizeof receipt, &len));
    TRY(iotsec_device_close(&device));
    TRY(iotsec_erased_verify(IOTSEC_KEY_ED25519, enrolled.identity, 32, receipt, len, nonce, sizeof nonce, &said));
    CHECK(said.reason == IOTSEC_ERASED_RESET && said.scrubbed == 1 && said.erasures == 1 && said.time_s == 1795000000);
    receipt[len - 1] ^= 1;
    REFUSED(IOTSEC_ERR_CRYPTO_SIGNATURE,
            iotsec_erased_verify(IOTSEC_KEY_ED25519, enrolled.identity, 32, receipt, len, nonce, sizeof nonce, &said));
    puts("erased: a receipt that the device signed, and a flipped bit of it refused");
    TRY(start(iotsec_device_open, IOTSEC_DEVICE_PROVISIONED));
    return iotsec_device_close(&device);
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {factory, set_up, use, updated, judged, erased};
    return run(parts, sizeof parts / sizeof parts[0]);
}
