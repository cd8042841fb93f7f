/*
 * Telemetry in C: nothing without the owner's consent, events that wait over a power cut, sealed batches, and a
 * withdrawal that leaves nothing behind.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "board.h"
#include "check.h"

/* What the product reports. The service has the same tables: iotsec_telemetry_registry() writes them for it. */
static const char *const interfaces[] = {"web", "radio"};
static const int64_t minutes[] = {1, 10, 60};
static const iotsec_event_field_t login_fields[] = {
    {.kind = IOTSEC_FIELD_CHOICE, .count = 2, .name = "interface", .labels = interfaces},
    {.kind = IOTSEC_FIELD_NUMBER, .name = "attempts", .unit = "1", .min = 1, .max = 255},
};
static const iotsec_event_field_t door_fields[] = {
    {.kind = IOTSEC_FIELD_BUCKET, .count = 3, .name = "open", .unit = "min", .edges = minutes},
};
enum { LOGIN_FAILED = 1, DOOR_OPEN = 2, WEEK = 2900 };
static const iotsec_event_t events[] = {
    {LOGIN_FAILED, 2, IOTSEC_EVENT_SECURITY, "login.failed", "Shows attacks on the password", login_fields, NULL},
    {DOOR_OPEN, 1, IOTSEC_EVENT_USAGE, "door.open", "Tells how long doors stay open", door_fields, NULL},
};

/* The store has four pages; the events have two for each class and two for the journal. */
#define PAGES(first, count) {(first) * BOARD_PAGE_SIZE, BOARD_PAGE_SIZE, (count), BOARD_WORD_SIZE, 0xFF}
#define FIRST_PAGE_OF_USAGE 12u

static const uint8_t shared_key[32] = "an example's key, for no product";
static const iotsec_service_t service = {
    .struct_size = sizeof service, .seal = IOTSEC_SEAL_SHARED, .largest = 256, .key = shared_key};

static iotsec_store_t store;
static iotsec_index_entry_t names[16];
static uint8_t buffer[256];
static iotsec_telemetry_t telemetry;
static uint64_t arena[IOTSEC_TELEMETRY_ARENA_WORDS(2, 3, 2)];
static uint8_t scratch[256], batch[256];

static iotsec_status_t purge(void) {
    int32_t done = 0;
    while (done == 0) {
        TRY(iotsec_telemetry_purge_step(&telemetry, &done));
    }
    return IOTSEC_OK;
}

/* Mounts the store and opens telemetry, as at every boot. */
static iotsec_status_t start(iotsec_telemetry_t *object,
                             iotsec_status_t (*how)(iotsec_store_t *, const iotsec_store_config_t *)) {
    const iotsec_store_config_t where = {
        .struct_size = sizeof where,
        .index_count = sizeof names / sizeof names[0],
        .flash = board_flash,
        .region = PAGES(0, 4),
        .entropy = board_entropy,
        .root_key = board_root_key,
        .index = names,
        .buffer = buffer, .buffer_size = sizeof buffer,
    };
    iotsec_telemetry_config_t config = {
        .struct_size = sizeof config,
        .event_count = sizeof events / sizeof events[0],
        .flash = board_flash,
        .region = PAGES(4, 10),
        .pages = {.journal = 2, .critical = 2, .security = 2, .health = 2, .usage = 2},
        .entropy = board_entropy,
        .events = events,
        .handling = {.owner = "data@doors.example", .recipient = "Doors Ltd", .kept_days = 90},
        .arena = arena, .arena_words = sizeof arena / sizeof arena[0],
    };
    TRY(how(&store, &where));
    TRY(iotsec_store_record(&store, IOTSEC_KEY_ID(IOTSEC_DOMAIN_USER, 3, 0), &config.owner_records));
    TRY(iotsec_store_record(&store, IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 3, 0), &config.device_records));
    return iotsec_telemetry_open(object, &config);
}

static iotsec_status_t boot(iotsec_status_t (*how)(iotsec_store_t *, const iotsec_store_config_t *)) {
    TRY(start(&telemetry, how));
    return purge();
}

/* A sum over the pages of events, from one on; 0 where all of them are erased. */
static uint32_t flash_sum(uint32_t page) {
    uint32_t sum = 0;
    for (uint32_t at = page * BOARD_PAGE_SIZE; at < board_flash.capacity; at += sizeof scratch) {
        board_flash.read(board_flash.ctx, at, scratch, sizeof scratch);
        for (size_t byte = 0; byte < sizeof scratch; byte++) {
            sum = sum * 31 + (0xFFu ^ scratch[byte]);
        }
    }
    return sum;
}

static iotsec_status_t without_consent(void) {
    const iotsec_value_t open_minutes = {.number = 12, .personal = IOTSEC_PURPOSE_USAGE};
    size_t len = 1;
    uint32_t receipt;
    TRY(boot(iotsec_store_format));
    const uint32_t before = flash_sum(4);
    REFUSED(IOTSEC_ERR_RECORD_NOT_CONSENTED, iotsec_telemetry_record(&telemetry, DOOR_OPEN, &open_minutes, 1, 1000));
    TRY(iotsec_telemetry_batch(&telemetry, &service, scratch, sizeof scratch, batch, sizeof batch, &len, &receipt));
    if (len != 0 || flash_sum(4) != before) {
        return IOTSEC_ERR_STATE;
    }
    puts("no consent: not one byte kept or sent");
    return IOTSEC_OK;
}

static iotsec_status_t over_a_power_cut(void) {
    const iotsec_value_t login[] = {{.number = 1}, {.number = 5}};
    const iotsec_value_t open_minutes = {.number = 12, .personal = IOTSEC_PURPOSE_USAGE};
    size_t len;
    uint32_t receipt;
    TRY(iotsec_telemetry_grant(&telemetry, IOTSEC_PURPOSE_USAGE, 1, 0));
    TRY(iotsec_telemetry_record(&telemetry, LOGIN_FAILED, login, 2, 2000));
    TRY(iotsec_telemetry_record(&telemetry, DOOR_OPEN, &open_minutes, 1, 3000));
    memset(&telemetry, 0, sizeof telemetry); /* the power fails: all memory is gone */
    memset(&store, 0, sizeof store);
    TRY(boot(iotsec_store_mount));
    /* Under the device's name what is most urgent, and usage under this week's pseudonym. */
    TRY(iotsec_telemetry_batch(&telemetry, &service, scratch, sizeof scratch, batch, sizeof batch, &len, &receipt));
    TRY(iotsec_telemetry_acknowledge(&telemetry, receipt)); /* sent to the service, which answers */
    TRY(iotsec_telemetry_batch_for(&telemetry, IOTSEC_PURPOSE_USAGE, WEEK, &service, scratch, sizeof scratch, batch,
                                   sizeof batch, &len, &receipt));
    TRY(iotsec_telemetry_acknowledge(&telemetry, receipt));
    TRY(iotsec_telemetry_batch(&telemetry, &service, scratch, sizeof scratch, batch, sizeof batch, &len, &receipt));
    puts(len == 0 ? "after a power cut: two events sent, once" : "sent again");
    return len == 0 ? IOTSEC_OK : IOTSEC_ERR_STATE;
}

static iotsec_status_t withdrawal(void) {
    TRY(iotsec_telemetry_withdraw(&telemetry, IOTSEC_PURPOSE_USAGE, 0));
    TRY(purge());
    if (flash_sum(FIRST_PAGE_OF_USAGE) != 0) {
        return IOTSEC_ERR_STATE;
    }
    puts("withdrawn: the pages of usage are erased");
    TRY(iotsec_telemetry_close(&telemetry));
    return iotsec_store_close(&store);
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {without_consent, over_a_power_cut, withdrawal};
    return run(parts, sizeof parts / sizeof parts[0]);
}
