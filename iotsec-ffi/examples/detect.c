/*
 * A device that notices attacks, in C: guesses at a password, a restart after the other, software that was changed. All
 * of it is reported; what nobody can cause from outside also closes the connections, until it is quiet again.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "board.h"
#include "check.h"

#define CHECK(fact) TRY((fact) ? IOTSEC_OK : IOTSEC_ERR_STATE)
#define PAGES(first, count) {(first) * BOARD_PAGE_SIZE, BOARD_PAGE_SIZE, (count), BOARD_WORD_SIZE, 0xFF}
#define HOUR ((uint64_t)3600000)

/* What may be reported besides the product's own events, and to whom the device goes. */
#define EVENTS (IOTSEC_DETECTED_BIT(IOTSEC_DETECTED_AUTH_BURST) | IOTSEC_DETECTED_BIT(IOTSEC_DETECTED_BOOT_LOOP) \
                | IOTSEC_DETECTED_BIT(IOTSEC_DETECTED_INTEGRITY) | IOTSEC_DETECTED_BIT(IOTSEC_DETECTED_MODE))
static const iotsec_interface_t endpoints[] = {
    {"cloud", "The owner's app from afar", "cloud.example.com", IOTSEC_INTERFACE_ENDPOINT, 443, IOTSEC_PHASE_OWNED, 0, 0,
     IOTSEC_PROTOCOL_HTTPS, IOTSEC_DESTINATION_ANY},
    {"updates", "New software", "updates.example.com", IOTSEC_INTERFACE_ENDPOINT, 443, IOTSEC_PHASE_OWNED, 0, 0,
     IOTSEC_PROTOCOL_HTTPS, IOTSEC_DESTINATION_UPDATE}};

static iotsec_store_t store;
static iotsec_index_entry_t names[24];
static uint8_t buffer[256];
static iotsec_telemetry_t telemetry;
static uint64_t arena[IOTSEC_TELEMETRY_ARENA_WORDS(4, 0, 0)];
static iotsec_detector_t guesses, restarts, integrity;
static iotsec_guard_t guard;

static iotsec_status_t watch(iotsec_detector_t *detector, iotsec_detector_kind_t kind) {
    iotsec_record_t kept;
    const iotsec_detector_config_t config = {.struct_size = sizeof config, .kind = kind, .number = 0, .record = &kept};
    TRY(iotsec_store_record(&store, IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 4, 0), &kept));
    return iotsec_detector_open(detector, &config, 0);
}

/* Reports what was found, and does about it what the policy says; that is reported too. */
static iotsec_status_t judge(const iotsec_detected_t *found, uint64_t uptime_ms) {
    iotsec_detected_t mode;
    if (found->event == 0) {
        return IOTSEC_OK;
    }
    TRY(iotsec_telemetry_record(&telemetry, found->event, found->values, found->value_count, uptime_ms));
    if (found->event == IOTSEC_DETECTED_MODE) {
        return IOTSEC_OK;
    }
    TRY(iotsec_guard_note(&guard, found->event, uptime_ms, &mode));
    return judge(&mode, uptime_ms);
}

/* Opens everything, as at every boot, and says how that came about. */
static iotsec_status_t boot(iotsec_status_t (*how)(iotsec_store_t *, const iotsec_store_config_t *),
                            iotsec_restart_t restart) {
    const iotsec_store_config_t where = {
        .struct_size = sizeof where, .index_count = sizeof names / sizeof names[0], .flash = board_flash,
        .region = PAGES(0, 4), .entropy = board_entropy, .root_key = board_root_key, .index = names, .buffer = buffer,
        .buffer_size = sizeof buffer};
    iotsec_telemetry_config_t config = {
        .struct_size = sizeof config, .flash = board_flash, .region = PAGES(4, 10), .entropy = board_entropy,
        .pages = {.journal = 2, .critical = 2, .security = 2, .health = 2, .usage = 2}, .detectors = EVENTS,
        .arena = arena, .arena_words = sizeof arena / sizeof arena[0]};
    iotsec_detected_t found;
    iotsec_record_t kept;
    int32_t done = 0;
    memset(&store, 0, sizeof store); /* the power was away, and all memory with it */
    memset(&telemetry, 0, sizeof telemetry);
    memset(&guesses, 0, sizeof guesses);
    memset(&restarts, 0, sizeof restarts);
    memset(&integrity, 0, sizeof integrity);
    memset(&guard, 0, sizeof guard);
    TRY(how(&store, &where));
    TRY(iotsec_store_record(&store, IOTSEC_KEY_ID(IOTSEC_DOMAIN_USER, 3, 0), &config.owner_records));
    TRY(iotsec_store_record(&store, IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 3, 0), &config.device_records));
    TRY(iotsec_telemetry_open(&telemetry, &config));
    while (done == 0) TRY(iotsec_telemetry_purge_step(&telemetry, &done));
    TRY(iotsec_store_record(&store, IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 4, 1), &kept));
    TRY(iotsec_guard_open(&guard, &kept, NULL, 0));
    TRY(watch(&guesses, IOTSEC_DETECTOR_AUTH_BURST));
    TRY(watch(&integrity, IOTSEC_DETECTOR_INTEGRITY));
    TRY(watch(&restarts, IOTSEC_DETECTOR_BOOT_LOOP));
    TRY(iotsec_detector_started(&restarts, restart, &found));
    return judge(&found, 0);
}

static iotsec_status_t may_go(const char *id, const char *host) {
    iotsec_guard_status_t now;
    TRY(iotsec_guard_status(&guard, &now));
    return iotsec_surface_may_connect(endpoints, 2, IOTSEC_DEVICE_OWNED, now.mode != IOTSEC_MODE_NORMAL, id, strlen(id),
                                      host, strlen(host), 443);
}

/* Anybody can guess at a password: it is told, and nothing is closed. */
static iotsec_status_t guessed(void) {
    iotsec_telemetry_status_t counts;
    iotsec_detected_t found;
    TRY(boot(iotsec_store_format, IOTSEC_RESTART_ASKED));
    for (uint64_t guess = 0; guess < 5; guess++) {
        TRY(iotsec_detector_happened(&guesses, 1000 * guess, &found));
        TRY(judge(&found, 1000 * guess));
    }
    TRY(iotsec_telemetry_status(&telemetry, IOTSEC_EVENT_SECURITY, &counts));
    CHECK(counts.waiting == 1);
    TRY(may_go("cloud", "cloud.example.com"));
    puts("guessed: five wrong passwords are one event, and nothing is closed");
    return IOTSEC_OK;
}

/* What iotsec_boot_verify() says of the image that runs: it is not what was signed. */
static iotsec_status_t changed(void) {
    iotsec_detected_t found;
    TRY(iotsec_detector_changed(&integrity, 0, IOTSEC_ERR_REFUSAL_IMAGE_DIGEST, 9000, &found));
    TRY(judge(&found, 9000));
    REFUSED(IOTSEC_ERR_SURFACE_LEAST_CONNECTIVITY, may_go("cloud", "cloud.example.com"));
    TRY(boot(iotsec_store_mount, IOTSEC_RESTART_UNASKED)); /* pulling the plug does not help */
    REFUSED(IOTSEC_ERR_SURFACE_LEAST_CONNECTIVITY, may_go("cloud", "cloud.example.com"));
    TRY(may_go("updates", "updates.example.com"));
    puts("changed: the device goes nowhere but to its updates, after a power cut too");
    return IOTSEC_OK;
}

static iotsec_status_t in_a_loop(void) {
    iotsec_guard_status_t now;
    iotsec_detected_t found;
    TRY(boot(iotsec_store_mount, IOTSEC_RESTART_UNASKED));
    TRY(boot(iotsec_store_mount, IOTSEC_RESTART_WATCHDOG));
    TRY(iotsec_guard_status(&guard, &now));
    CHECK(now.mode == IOTSEC_MODE_SAFE && now.cause == IOTSEC_DETECTED_BOOT_LOOP);
    TRY(iotsec_detector_tend(&restarts, HOUR, &found)); /* it stays up: the loop has ended */
    TRY(iotsec_guard_tend(&guard, 0, HOUR, &found));
    TRY(judge(&found, HOUR));
    TRY(may_go("cloud", "cloud.example.com"));
    puts("in a loop: safe mode at the third restart, and an hour of quiet ends it");
    return IOTSEC_OK;
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {guessed, changed, in_a_loop};
    return run(parts, sizeof parts / sizeof parts[0]);
}
