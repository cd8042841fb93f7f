/*
 * What is learnt about all devices and about none alone, in C: a noised answer that is paid for, a number that two
 * servers add up, a value that one person reads, and the page that says so.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "board.h"
#include "check.h"

static const char *const answers[] = {"no", "yes"};
enum { PULSE = 1, NIGHT = 1, LIT = 2 };
static const iotsec_event_field_t rate = {.kind = IOTSEC_FIELD_NUMBER, .name = "rate", .unit = "/min", .min = 20, .max = 250};
static const iotsec_event_t events[] = {{PULSE, 1, IOTSEC_EVENT_USAGE, "pulse", "Shows the owner their pulse", &rate, NULL}};
static const iotsec_metric_t metrics[] = {
    {.id = NIGHT, .aggregate = IOTSEC_AGGREGATE_RESPONSE, .purpose = IOTSEC_PURPOSE_USAGE, .name = "on-at-night",
     .unit = "1", .why = "Tells whether a night mode is worth having", .count = 2, .labels = answers, .epsilon = {1, 1}},
    {.id = LIT, .aggregate = IOTSEC_AGGREGATE_SUM, .purpose = IOTSEC_PURPOSE_USAGE, .name = "lit", .unit = "h",
     .why = "Tells how long lamps have to last", .max = 24},
};

/* The ledger has a counter of its own: what keeps a copy of the flash from being put back, and the budget with it. */
static uint64_t spent;

static int32_t read_spent(void *ctx, uint64_t *value) {
    (void)ctx;
    *value = spent;
    return 0;
}

static int32_t advance_spent(void *ctx, uint64_t value) {
    (void)ctx;
    spent = value > spent ? value : spent;
    return 0;
}

static const iotsec_ledger_t ledger = {
    .struct_size = sizeof ledger, .renewals = 12, .per_metric = {1, 1}, .in_all = {2, 1},
    .counter = {.struct_size = sizeof(iotsec_counter_t), .read = read_spent, .advance_to = advance_spent}};

/* What the maker's two servers publish: the task adds up numbers to 24; their keys are those of RFC 7748, section 6.1. */
static const uint8_t id[32] = {9}, owner_key[32] = "an example's key, for no product";
static const uint8_t task[] = "\1t\0\11https://l\0\11https://h\0\0\0\0\0\0\16\20\0\0\0\0\0\0\0d\1\0\0\0\0\0\2\0\10\0\0\0\0\0\0\0\30\0";
static const uint8_t leader[] = {
    0, 41, 1, 0, 32, 0, 1, 0, 3, 0, 32, 0x85, 0x20, 0xf0, 0x09, 0x89, 0x30, 0xa7, 0x54, 0x74, 0x8b, 0x7d, 0xdc, 0xb4, 0x3e,
    0xf7, 0x5a, 0x0d, 0xbf, 0x3a, 0x0d, 0x26, 0x38, 0x1a, 0xf4, 0xeb, 0xa4, 0xa9, 0x8e, 0xaa, 0x9b, 0x4e, 0x6a};
static const uint8_t helper[] = {
    0, 41, 1, 0, 32, 0, 1, 0, 3, 0, 32, 0xde, 0x9e, 0xdb, 0x7d, 0x7b, 0x7d, 0xc1, 0xb4, 0xd3, 0x5b, 0x61, 0xc2, 0xec, 0xe4,
    0x35, 0x37, 0x3f, 0x83, 0x43, 0xc8, 0x5b, 0x78, 0x67, 0x4d, 0xad, 0xfc, 0x7e, 0x14, 0x6f, 0x88, 0x2b, 0x4f};
static const iotsec_dap_task_t lit_hours = {sizeof lit_hours, 0, id, task, sizeof task, leader, sizeof leader, helper, sizeof helper};
static const iotsec_service_t owners_phone = {
    .struct_size = sizeof owners_phone, .seal = IOTSEC_SEAL_SHARED, .largest = 256, .key = owner_key};

static iotsec_store_t store;
static iotsec_index_entry_t names[16];
static uint8_t buffer[IOTSEC_LEDGER_RECORD_MAX + 32];
static iotsec_telemetry_t telemetry;
static uint64_t arena[IOTSEC_TELEMETRY_ARENA_WORDS(1, 1, 0) + IOTSEC_TELEMETRY_METRIC_WORDS(2, 2)];
static uint8_t report[512];
static char page[8192];
static size_t len;

static iotsec_status_t start(iotsec_telemetry_t *object,
                             iotsec_status_t (*how)(iotsec_store_t *, const iotsec_store_config_t *)) {
    const iotsec_store_config_t where = {
        .struct_size = sizeof where, .index_count = sizeof names / sizeof names[0], .flash = board_flash,
        .region = {0, BOARD_PAGE_SIZE, 4, BOARD_WORD_SIZE, 0xFF}, .entropy = board_entropy, .root_key = board_root_key,
        .index = names, .buffer = buffer, .buffer_size = sizeof buffer};
    iotsec_telemetry_config_t config = {
        .struct_size = sizeof config, .event_count = 1, .flash = board_flash, .entropy = board_entropy,
        .region = {4 * BOARD_PAGE_SIZE, BOARD_PAGE_SIZE, 10, BOARD_WORD_SIZE, 0xFF},
        .pages = {.journal = 2, .critical = 2, .security = 2, .health = 2, .usage = 2}, .events = events,
        .handling = {.owner = "data@lamps.example", .recipient = "Lamps Ltd", .kept_days = 90},
        .arena = arena, .arena_words = sizeof arena / sizeof arena[0], .metrics = metrics, .metric_count = 2};
    TRY(how(&store, &where));
    TRY(iotsec_store_record(&store, IOTSEC_KEY_ID(IOTSEC_DOMAIN_USER, 3, 0), &config.owner_records));
    TRY(iotsec_store_record(&store, IOTSEC_KEY_ID(IOTSEC_DOMAIN_DEVICE, 3, 0), &config.device_records));
    return iotsec_telemetry_open(object, &config);
}

/* At the factory and for each new owner: an empty ledger, and nothing that leaves before they agree. */
static iotsec_status_t begin(void) {
    const iotsec_value_t yes = {.number = 1, .personal = IOTSEC_PURPOSE_USAGE};
    TRY(start(&telemetry, iotsec_store_format));
    TRY(iotsec_telemetry_format_ledger(&telemetry, &ledger));
    REFUSED(IOTSEC_ERR_NOISE_NOT_CONSENTED,
            iotsec_telemetry_report(&telemetry, &ledger, NIGHT, &yes, 0, report, sizeof report, &len));
    puts("no consent: no answer");
    return iotsec_telemetry_grant(&telemetry, IOTSEC_PURPOSE_USAGE, 1, 0);
}

/* The same value has one answer in an epoch, also after a power cut; another one is not paid for. */
static iotsec_status_t noised(void) {
    const iotsec_value_t yes = {.number = 1, .personal = IOTSEC_PURPOSE_USAGE};
    const iotsec_value_t no = {.number = 0, .personal = IOTSEC_PURPOSE_USAGE};
    uint8_t before[IOTSEC_REPORT_MAX];
    TRY(iotsec_telemetry_report(&telemetry, &ledger, NIGHT, &yes, 0, before, sizeof before, &len));
    memset(&telemetry, 0, sizeof telemetry); /* the power fails: all memory is gone */
    memset(&store, 0, sizeof store);
    TRY(start(&telemetry, iotsec_store_mount));
    TRY(iotsec_telemetry_report(&telemetry, &ledger, NIGHT, &yes, 0, report, sizeof report, &len));
    if (memcmp(before, report, len) != 0) {
        return IOTSEC_ERR_STATE;
    }
    REFUSED(IOTSEC_ERR_LEDGER_METRIC_EXHAUSTED,
            iotsec_telemetry_report(&telemetry, &ledger, NIGHT, &no, 0, report, sizeof report, &len));
    puts("noised: one answer, the same after a power cut, and no other");
    return IOTSEC_OK;
}

static iotsec_status_t added_up(void) {
    const iotsec_value_t hours = {.number = 7, .personal = IOTSEC_PURPOSE_USAGE};
    const iotsec_value_t rate_now = {.number = 62, .personal = IOTSEC_PURPOSE_USAGE};
    TRY(iotsec_telemetry_share(&telemetry, &lit_hours, LIT, &hours, 1800000000, report, sizeof report, &len));
    puts("added up: a share for each of two servers, neither of which learns the number");
    TRY(iotsec_telemetry_seal_value(&telemetry, &owners_phone, PULSE, &rate_now, report, sizeof report, &len));
    puts("sealed: a value that the owner's phone reads, and nothing between");
    return IOTSEC_OK;
}

static iotsec_status_t told(void) {
    TRY(iotsec_telemetry_data_map_page(&telemetry, "Lamp 3", 6, page, sizeof page, &len));
    puts("told: a page that says all of this to people");
    TRY(iotsec_telemetry_close(&telemetry));
    return iotsec_store_close(&store);
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {begin, noised, added_up, told};
    return run(parts, sizeof parts / sizeof parts[0]);
}
