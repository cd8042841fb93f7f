/*
 * The upkeep of a device in C: when to look for an update and what its owner says, the outcome signed for the maker, the
 * software measured while it runs, the debug port.
 *
 * Everything lives in static storage. board.h has the callbacks that a port writes, update_steps.h the way of an update.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include "board.h"
#include "check.h"
#include "update_steps.h"

#define CHOICES IOTSEC_KEY_ID(IOTSEC_DOMAIN_USER, 3, 1)

static iotsec_store_t store;
static iotsec_index_entry_t names[8];
static uint8_t record_buffer[256];
static iotsec_planner_t planner;
static iotsec_integrity_t integrity;
static iotsec_unlock_t unlock;
static iotsec_manifest_t tried;
static uint64_t now = 1000; /* milliseconds since the start */

static iotsec_status_t begin(iotsec_planner_t *object) {
    const iotsec_store_config_t where = {
        .struct_size = sizeof where, .index_count = sizeof names / sizeof names[0], .flash = board_flash,
        .region = PAGES(0, 5), .entropy = board_entropy, .root_key = board_root_key, .index = names,
        .buffer = record_buffer, .buffer_size = sizeof record_buffer};
    const iotsec_update_policy_t policy = {.struct_size = sizeof policy, .support_until_s = 1956527999, .ask = 1};
    iotsec_record_t choices;
    TRY(iotsec_store_format(&store, &where));
    TRY(iotsec_store_record(&store, CHOICES, &choices));
    return iotsec_planner_open(object, &choices, &board_entropy, &policy, now);
}

static iotsec_status_t factory(void) {
    const iotsec_update_config_t config = update_config();
    iotsec_boot_t boot;
    TRY(provision_the_factory_release(&config));
    TRY(reboot(&config, &boot));
    return begin(&planner);
}

/* What there is to do: this device asks its server, its owner, and then installs. */
static iotsec_status_t one_step(int *installed) {
    const iotsec_conditions_t idle = {.struct_size = sizeof idle, .battery = 80};
    iotsec_offer_t offer = {.struct_size = sizeof offer, .importance = IOTSEC_IMPORTANCE_SECURITY, .away_ms = 30000};
    iotsec_planner_step_t step;
    TRY(iotsec_planner_next(&planner, &idle, now, &step));
    switch (step.kind) {
    case IOTSEC_PLANNER_WAIT: /* a product sleeps until then, or until something happens */
        now = step.at_ms;
        return IOTSEC_OK;
    case IOTSEC_PLANNER_CHECK: /* its server has this envelope */
        TRY(iotsec_update_inspect(&update, envelope, sizeof envelope, 0, &offer.manifest));
        return iotsec_planner_found(&planner, &offer, now);
    case IOTSEC_PLANNER_TELL:
        puts("owner: there is an update that closes a hole; the lamp will be dark for 30 seconds");
        return iotsec_planner_decide(&planner, IOTSEC_DECISION_INSTALL, 0, now);
    case IOTSEC_PLANNER_INSTALL:
        TRY(receive_an_update());
        tried = step.offer.manifest;
        *installed = 1;
        return iotsec_planner_installed(&planner, now);
    default: /* the end of support, which is to be shown */
        return IOTSEC_OK;
    }
}

static iotsec_status_t keep_up_to_date(void) {
    int installed = 0;
    for (int steps = 0; !installed; steps++) {
        TRY(steps < 20 ? one_step(&installed) : IOTSEC_ERR_STATE);
    }
    TRY(iotsec_planner_close(&planner));
    return iotsec_update_close(&update);
}

static const uint8_t seed[32] = "a device's key, of this example";

static int32_t sign(void *ctx, const uint8_t *message, size_t len, uint8_t *signature) {
    (void)ctx;
    return iotsec_ed25519_sign(seed, message, len, signature) == IOTSEC_OK ? 0 : -1;
}

static iotsec_status_t report(const iotsec_update_report_t *said, uint8_t *out, size_t size, size_t *len) {
    static uint8_t scratch[IOTSEC_UPDATE_REPORT_SCRATCH_MAX(1, 64)];
    iotsec_signer_t signer = {.struct_size = sizeof signer, .key_type = IOTSEC_KEY_ED25519, .sign = sign};
    TRY(iotsec_ed25519_public_key(seed, signer.public_key));
    return iotsec_update_report(&signer, said, scratch, sizeof scratch, out, size, len);
}

static iotsec_status_t tell_how_it_ended(void) {
    static const uint8_t asked[] = "what the server asked with";
    static uint8_t message[IOTSEC_UPDATE_REPORT_MAX(1, 64)];
    const iotsec_update_config_t config = update_config();
    iotsec_boot_t boot;
    size_t len;
    TRY(reboot(&config, &boot));
    TRY(iotsec_update_accept(&update));
    const iotsec_update_measured_t found = {component, sizeof component, boot.digest, boot.size, 0};
    const iotsec_update_report_t said = {
        .struct_size = sizeof said, .cause = IOTSEC_OK, .manifest_digest = tried.digest, .nonce = asked,
        .nonce_len = sizeof asked, .components = &found, .component_count = 1};
    TRY(report(&said, message, sizeof message, &len));
    TRY(iotsec_integrity_open(&integrity, &config, boot.slot, boot.refusal));
    puts("update: accepted, and its report signed for the maker");
    return iotsec_update_close(&update);
}

/* Called when there is nothing else to do. */
static iotsec_status_t measured(iotsec_integrity_result_t expected) {
    iotsec_integrity_step_t step = {.result = IOTSEC_INTEGRITY_MORE};
    while (step.result == IOTSEC_INTEGRITY_MORE) {
        TRY(iotsec_integrity_step(&integrity, 1024, &step));
    }
    return step.result == expected && step.least == (expected == IOTSEC_INTEGRITY_CHANGED) ? IOTSEC_OK : IOTSEC_ERR_STATE;
}

static iotsec_status_t watch_what_runs(void) {
    TRY(measured(IOTSEC_INTEGRITY_SAME));
    board_flash.erase(board_flash.ctx, slot_b.image.start, BOARD_PAGE_SIZE);
    TRY(measured(IOTSEC_INTEGRITY_CHANGED));
    puts("software: changed while it runs, told; only alarm and repair stay connected");
    return iotsec_integrity_close(&integrity);
}

static iotsec_status_t guard_the_debug_port(void) {
    static const iotsec_interface_t table[] = {
        {.id = "swd", .purpose = "Repair, by the maker's leave", .kind = IOTSEC_INTERFACE_DEBUG,
         .number = IOTSEC_DEBUG_PORT_SWD, .phases = IOTSEC_PHASE_FACTORY | IOTSEC_PHASE_OWNED}};
    uint8_t challenge[IOTSEC_UNLOCK_CHALLENGE_MAX];
    size_t len;
    REFUSED(IOTSEC_ERR_DEBUG_OPEN, iotsec_surface_check_debug(table, 1, IOTSEC_DEVICE_OWNED, IOTSEC_DEBUG_OPEN));
    TRY(iotsec_surface_check_debug(table, 1, IOTSEC_DEVICE_OWNED, IOTSEC_DEBUG_AUTHENTICATED));
    TRY(iotsec_unlock_open(&unlock, "LAMP-0042", 9, &board_entropy, now));
    TRY(iotsec_unlock_challenge(&unlock, challenge, sizeof challenge, &len));
    puts("debug port: opens to what the maker signs for this challenge, and closes again");
    return iotsec_unlock_close(&unlock);
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {factory, keep_up_to_date, tell_how_it_ended, watch_what_runs,
                                                     guard_the_debug_port};
    return run(parts, sizeof parts / sizeof parts[0]);
}
