/*
 * A device's life in C: factory, set-up, guesses, a key, an update, attestation, security status, erasure with a receipt.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "update_steps.h"
#include <string.h>

#define CHECK(fact) TRY((fact) ? IOTSEC_OK : IOTSEC_ERR_STATE)
#define NAMES (IOTSEC_DEVICE_INDEX + 8u)
#define TEXT(text) (text), (sizeof(text) - 1)
#define KEY IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 1, 1)

static const char password[] = "seven small otters swim";
static const uint8_t network[] = "WIFI:T:WPA;S:Home;P:correct horse;;";
static const char *const context[] = {"LAMP-0042"};
static const uint8_t nonce[32] = "what whoever asks has drawn now", hardware[32] = {3}, maker_id[32] = {2};
static const iotsec_interface_t app_port = {"app", "The owner's app", NULL, IOTSEC_INTERFACE_TCP, 8443,
                                            IOTSEC_PHASE_OWNED, IOTSEC_SCOPE_LOCAL, IOTSEC_AUTHENTICATION_PASSWORD, 0, 0};

static iotsec_device_t device;
static iotsec_index_entry_t names[NAMES];
static uint8_t buffer[512], seed[32], receipt[IOTSEC_RECEIPT_MAX];
static char label[IOTSEC_LABEL_MAX];
static size_t label_len, len;
static iotsec_enrolment_t enrolled;
static iotsec_owner_t owner;

static iotsec_status_t start(iotsec_device_state_t expected) {
    const iotsec_device_config_t config = {
        .struct_size = sizeof config, .index_count = NAMES, .flash = board_flash, .region = PAGES(0, 5), .index = names,
        .entropy = board_entropy, .root_key = board_root_key, .buffer = buffer, .buffer_size = sizeof buffer};
    iotsec_device_state_t state;
    TRY(expected == IOTSEC_DEVICE_FACTORY ? iotsec_device_format(&device, &config) : iotsec_device_open(&device, &config));
    TRY(iotsec_device_state(&device, &state));
    return state == expected ? IOTSEC_OK : IOTSEC_ERR_STATE;
}

static iotsec_status_t factory(void) {
    TRY(start(IOTSEC_DEVICE_FACTORY));
    TRY(iotsec_device_draw_code(&device, IOTSEC_EXPOSURE_ONLINE, label, sizeof label, &label_len));
    TRY(iotsec_device_provision(&device, TEXT("LAMP-0042"), &enrolled));
    puts("factory: a serial number, keys of its own, a label");
    return iotsec_device_close(&device);
}

/* Each step refuses what belongs to a later one. Afterwards the code of the label opens nothing. */
static iotsec_status_t set_up(void) {
    const iotsec_setup_plan_t plan = {sizeof plan, 1, 1, 0, 1790000000};
    TRY(start(IOTSEC_DEVICE_PROVISIONED));
    TRY(iotsec_setup_begin(&device, &plan));
    REFUSED(IOTSEC_ERR_SETUP_NOT_YET, iotsec_setup_give_network(&device, TEXT(network)));
    REFUSED(IOTSEC_ERR_LOGIN_REFUSED, iotsec_setup_present_label(&device, TEXT("K2M4-P6R8-T0V3-6"), 5000));
    TRY(iotsec_setup_present_label(&device, label, label_len, 9000));
    TRY(iotsec_setup_give_network(&device, TEXT(network)));
    TRY(iotsec_setup_report(&device, IOTSEC_REPORT_NETWORK_JOINED));
    TRY(iotsec_setup_set_time(&device, 1795000000));
    TRY(iotsec_setup_report(&device, IOTSEC_REPORT_UPDATE_CURRENT));
    TRY(iotsec_setup_report(&device, IOTSEC_REPORT_IDENTITY_ACCEPTED));
    TRY(iotsec_setup_claim(&device, IOTSEC_EXPOSURE_ONLINE, IOTSEC_ITERATIONS_MCU, TEXT(password), context, 1));
    puts("set-up: the label's code, a network, a password of the owner's own");
    return IOTSEC_OK;
}

/* Pulling the plug gains no guess. The key stays in the store over the reboot. */
static iotsec_status_t use(void) {
    iotsec_status_t status = IOTSEC_ERR_LOGIN_REFUSED;
    iotsec_login_status_t told;
    uint8_t kept[sizeof seed];
    for (int guess = 0; guess < 10 && status == IOTSEC_ERR_LOGIN_REFUSED; guess++)
        status = iotsec_device_login(&device, TEXT("password1234"), 20000, &owner);
    REFUSED(IOTSEC_ERR_THROTTLE_WAIT, status);
    CHECK(board_random(NULL, seed, sizeof seed) == 0);
    TRY(iotsec_device_put(&device, KEY, seed, sizeof seed));
    TRY(iotsec_device_close(&device));
    TRY(start(IOTSEC_DEVICE_OWNED));
    REFUSED(IOTSEC_ERR_THROTTLE_WAIT, iotsec_device_login(&device, TEXT(password), 1, &owner));
    TRY(iotsec_device_login_status(&device, 1, &told));
    TRY(iotsec_device_login(&device, TEXT(password), 1 + told.remaining_ms, &owner));
    TRY(iotsec_device_get(&device, KEY, kept, sizeof kept, &len));
    CHECK(len == sizeof kept && memcmp(kept, seed, len) == 0);
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
    static uint8_t token[IOTSEC_ATTEST_TOKEN_MAX(1)], scratch[IOTSEC_ATTEST_SCRATCH_MAX(1)];
    iotsec_boot_t boot;
    TRY(provision_the_factory_release(&config));
    TRY(install_an_update(&config, &boot));
    TRY(iotsec_update_close(&update));
    const iotsec_attest_component_t app = {"App", "2.0.0", boot.digest, maker_id};
    const iotsec_attest_claims_t claims = {sizeof claims, 1, IOTSEC_LIFECYCLE_SECURED, 0, IOTSEC_DEBUG_CLOSED,
                                           hardware, nonce, sizeof nonce, NULL, 0, &app, 1};
    iotsec_signer_t signer = {.struct_size = sizeof signer, .key_type = IOTSEC_KEY_ED25519, .sign = sign};
    TRY(iotsec_ed25519_public_key(seed, signer.public_key));
    TRY(iotsec_attest_token(&signer, &claims, scratch, sizeof scratch, token, sizeof token, &len));
    puts("attested: a token that names the new image");
    return IOTSEC_OK;
}

/* A forgotten telnet server is found, and the status says so. */
static iotsec_status_t judged(void) {
    const iotsec_listener_t sockets[] = {
        {.kind = IOTSEC_INTERFACE_TCP, .number = 8443, .address = {192, 0, 2, 7}, .address_len = 4},
        {.kind = IOTSEC_INTERFACE_TCP, .number = 23, .address_len = 4}};
    iotsec_observed_t seen = {sizeof seen, IOTSEC_OBSERVED_SOFTWARE_INTACT, IOTSEC_OBSERVED_UPDATES_CURRENT, 0, 0,
                              IOTSEC_DEBUG_CLOSED, 1956528000, 1795000000};
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
    while (done == 0) TRY(iotsec_device_scrub_step(&device, &done));
    TRY(iotsec_device_receipt(&device, nonce, sizeof nonce, receipt, sizeof receipt, &len));
    TRY(iotsec_device_close(&device));
    TRY(iotsec_erased_verify(IOTSEC_KEY_ED25519, enrolled.identity, 32, receipt, len, nonce, sizeof nonce, &said));
    CHECK(said.reason == IOTSEC_ERASED_RESET && said.scrubbed == 1 && said.erasures == 1 && said.time_s == 1795000000);
    puts("erased: scrubbed, with a receipt that the device signed");
    return start(IOTSEC_DEVICE_PROVISIONED);
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {factory, set_up, use, updated, judged, erased};
    return run(parts, sizeof parts / sizeof parts[0]);
}
