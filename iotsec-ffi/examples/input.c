/*
 * Input in C: what a set-up page sends, checked before anything is done with it, and a token for a service that
 * wants to know what it talks to.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "check.h"

#define TEXT(text) ((const uint8_t *)(text)), (sizeof(text) - 1)

/* Each field of the page has one check. A refusal has a name and a place, and none of the text. */
static iotsec_status_t page(void) {
    size_t at;
    TRY(iotsec_input_check(IOTSEC_INPUT_SSID, TEXT("Home"), NULL));
    TRY(iotsec_input_check(IOTSEC_INPUT_PSK, TEXT("correct horse"), NULL));
    TRY(iotsec_input_check(IOTSEC_INPUT_TIME_ZONE, TEXT("CET-1CEST,M3.5.0,M10.5.0/3"), NULL));
    REFUSED(IOTSEC_ERR_INPUT_CHARACTER, iotsec_input_check(IOTSEC_INPUT_HOSTNAME, TEXT("lamp;reboot"), &at));
    if (at != 4) {
        return IOTSEC_ERR_STATE;
    }
    puts("page: good fields taken, a bad one refused at its fifth byte");
    return IOTSEC_OK;
}

/* Text becomes what it stands for. */
static iotsec_status_t values(void) {
    static const char text[] = "https://updates.example.com:8443/lamp/7";
    uint8_t address[16];
    size_t len;
    int64_t seconds;
    iotsec_url_t url;
    TRY(iotsec_input_decode(IOTSEC_INPUT_IPV6, TEXT("2001:db8::1"), address, sizeof address, &len, NULL));
    TRY(iotsec_input_integer(TEXT("300"), 60, 3600, &seconds, NULL));
    REFUSED(IOTSEC_ERR_INPUT_RANGE, iotsec_input_integer(TEXT("5"), 60, 3600, &seconds, NULL));
    TRY(iotsec_input_url(TEXT(text), &url, NULL));
    if (len != 16 || seconds != 300 || url.port != 8443 || memcmp(text + url.path_offset, "/lamp/7", url.path_len) != 0) {
        return IOTSEC_ERR_STATE;
    }
    puts("values: an address, a number within bounds, the parts of a URL");
    return IOTSEC_OK;
}

/* What a lamp takes, once for JSON from the app and for CBOR from the cloud: names, types and bounds in flash. */
enum { ROOM, LEVEL, MODE, SETTINGS };
static const char *const modes[] = {"quiet", "loud"};
static const iotsec_document_field_t settings[SETTINGS] = {
    [ROOM] = {.name = "room", .kind = IOTSEC_DOCUMENT_TEXT, .min = 1, .max = 32, .input = IOTSEC_INPUT_LABEL},
    [LEVEL] = {.name = "level", .kind = IOTSEC_DOCUMENT_INTEGER, .min = 0, .max = 100},
    [MODE] = {.name = "mode", .kind = IOTSEC_DOCUMENT_CHOICE, .presence = IOTSEC_DOCUMENT_DEFAULT, .count = 2, .choices = modes},
};
static const iotsec_document_t lamp = {sizeof lamp, 256, settings, SETTINGS, 0};

static iotsec_status_t documents(void) {
    static const uint8_t cbor[] = {0xa2, 0x64, 'r', 'o', 'o', 'm', 0x62, 'W', 'C', 0x65, 'l', 'e', 'v', 'e', 'l', 7};
    iotsec_document_value_t values[SETTINGS];
    iotsec_document_place_t place;
    size_t count;
    TRY(iotsec_document_read(IOTSEC_DOCUMENT_JSON, &lamp, TEXT("{\"level\": 70, \"mode\": \"loud\", \"room\": \"Attic\"}"), NULL, 0,
                             values, SETTINGS, &count, &place));
    if (values[LEVEL].number != 70 || values[MODE].number != 1 || memcmp(values[ROOM].text, "Attic", values[ROOM].text_len) != 0) {
        return IOTSEC_ERR_STATE;
    }
    TRY(iotsec_document_read(IOTSEC_DOCUMENT_CBOR, &lamp, cbor, sizeof cbor, NULL, 0, values, SETTINGS, &count, &place));
    REFUSED(IOTSEC_ERR_DOCUMENT_RANGE, iotsec_document_read(IOTSEC_DOCUMENT_JSON, &lamp, TEXT("{\"level\": 101}"), NULL, 0, values,
                                                            SETTINGS, &count, &place));
    if (place.offset != 10 || place.steps[0] != LEVEL) {
        return IOTSEC_ERR_STATE;
    }
    puts("documents: JSON and CBOR by one table, a level beyond its bound refused");
    return IOTSEC_OK;
}

/* A seed for the example. A product's key is in a secure element, or in the store. */
static const uint8_t seed[32] = "an example's key, for no product";

static int32_t sign(void *ctx, const uint8_t *message, size_t len, uint8_t *signature) {
    (void)ctx;
    return iotsec_ed25519_sign(seed, message, len, signature) == IOTSEC_OK ? 0 : -1;
}

static const uint8_t digest[32] = {1}, signed_by[32] = {2}, hardware[32] = {3}, nonce[32] = {4};
static const iotsec_attest_component_t app = {"App", "1.4.2", digest, signed_by};
static const iotsec_attest_claims_t claims = {
    .struct_size = sizeof claims,
    .client_id = 1,
    .lifecycle = IOTSEC_LIFECYCLE_SECURED,
    .debug = IOTSEC_DEBUG_CLOSED,
    .implementation_id = hardware,
    .nonce = nonce,
    .nonce_len = sizeof nonce,
    .components = &app,
    .component_count = 1,
};

static iotsec_status_t example_signer(iotsec_signer_t *signer) {
    *signer = (iotsec_signer_t){.struct_size = sizeof *signer, .key_type = IOTSEC_KEY_ED25519, .sign = sign};
    return iotsec_ed25519_public_key(seed, signer->public_key);
}

static iotsec_status_t attested(void) {
    static uint8_t token[IOTSEC_ATTEST_TOKEN_MAX(1)], scratch[IOTSEC_ATTEST_SCRATCH_MAX(1)];
    iotsec_signer_t signer;
    iotsec_attest_claims_t wrong = claims;
    size_t len;
    TRY(example_signer(&signer));
    TRY(iotsec_attest_token(&signer, &claims, scratch, sizeof scratch, token, sizeof token, &len));
    wrong.nonce_len = 31;
    REFUSED(IOTSEC_ERR_ATTEST_NONCE_LENGTH,
            iotsec_attest_token(&signer, &wrong, scratch, sizeof scratch, token, sizeof token, &len));
    puts("attested: a token for whoever sent the nonce");
    return IOTSEC_OK;
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {page, values, documents, attested};
    return run(parts, sizeof parts / sizeof parts[0]);
}
