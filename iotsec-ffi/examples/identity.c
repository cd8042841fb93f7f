/*
 * An identity in C: a key that never leaves the device, a certificate over it, and a new one of each without ever being
 * without.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <string.h>

#include "board.h"
#include "check.h"

#define NAMES (IOTSEC_DEVICE_INDEX + 8u)
#define TEXT(text) (text), (sizeof(text) - 1)

static iotsec_device_t device;
static iotsec_index_entry_t names[NAMES];
static uint8_t buffer[1024], request[IOTSEC_IDENTITY_REQUEST_MAX], certificate[128];
static size_t len, certificate_len;
static iotsec_signer_t first;

static iotsec_status_t open_device(iotsec_status_t (*how)(iotsec_device_t *, const iotsec_device_config_t *)) {
    const iotsec_device_config_t config = {
        .struct_size = sizeof config,
        .index_count = NAMES,
        .flash = board_flash,
        .region = {0, BOARD_PAGE_SIZE, 6, BOARD_WORD_SIZE, 0xFF},
        .entropy = board_entropy,
        .root_key = board_root_key,
        .index = names,
        .buffer = buffer,
        .buffer_size = sizeof buffer,
    };
    TRY(how(&device, &config));
    return iotsec_identity_use_ed25519(&device);
}

/* Stands for the maker's CA: the least that has the shape of a certificate, around the key in the request. */
static iotsec_status_t ca(void) {
    static const uint8_t key[] = {0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70};
    static const uint8_t head[] = {0x30, 0x43, 0x30, 0x3C, 0xA0, 3, 2, 1, 2, 2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0};
    static const uint8_t tail[] = {0x30, 0, 0x03, 1, 0};
    size_t at = 0;
    while (at + 44 <= len && memcmp(request + at, key, sizeof key) != 0) {
        at++;
    }
    if (at + 44 > len) {
        return IOTSEC_ERR_IDENTITY_CERTIFICATE;
    }
    memcpy(certificate, head, sizeof head);
    memcpy(certificate + sizeof head, request + at, 44);
    memcpy(certificate + sizeof head + 44, tail, sizeof tail);
    certificate_len = sizeof head + 44 + sizeof tail;
    return IOTSEC_OK;
}

static iotsec_status_t factory(void) {
    char label[IOTSEC_LABEL_MAX];
    iotsec_enrolment_t enrolled;
    TRY(open_device(iotsec_device_format));
    TRY(iotsec_device_draw_code(&device, IOTSEC_EXPOSURE_ONLINE, label, sizeof label, &len));
    TRY(iotsec_device_provision(&device, TEXT("LAMP-0042"), &enrolled));
    TRY(iotsec_identity_make(&device));
    TRY(iotsec_identity_request(&device, IOTSEC_IDENTITY_ACTIVE, TEXT("LAMP-0042"), request, sizeof request, &len));
    TRY(ca());
    TRY(iotsec_identity_certify(&device, IOTSEC_IDENTITY_ACTIVE, certificate, certificate_len));
    TRY(iotsec_identity_signer(&device, IOTSEC_IDENTITY_ACTIVE, &first));
    puts("factory: a key of this unit, and a certificate over it");
    return IOTSEC_OK;
}

/* Whatever asks for a signature, TLS or an attestation token, gets it from the key that counts. */
static iotsec_status_t attest(void) {
    static const uint8_t hardware[32] = {3}, maker[32] = {2}, digest[32] = {1}, nonce[32] = {4};
    static uint8_t token[IOTSEC_ATTEST_TOKEN_MAX(1)], scratch[IOTSEC_ATTEST_SCRATCH_MAX(1)];
    const iotsec_attest_component_t app = {"App", "1.0.0", digest, maker};
    const iotsec_attest_claims_t claims = {
        .struct_size = sizeof claims, .client_id = 1, .lifecycle = IOTSEC_LIFECYCLE_SECURED, .debug = IOTSEC_DEBUG_CLOSED,
        .implementation_id = hardware, .nonce = nonce, .nonce_len = sizeof nonce, .components = &app, .component_count = 1};
    return iotsec_attest_token(&first, &claims, scratch, sizeof scratch, token, sizeof token, &len);
}

/* Years later, and over a power cut: the old identity counts until somebody has answered to the new one. */
static iotsec_status_t rotate(void) {
    iotsec_identity_step_t step;
    iotsec_signer_t tried, now;
    uint8_t signature[IOTSEC_SIGNATURE_LEN];
    TRY(iotsec_identity_start(&device));
    TRY(iotsec_identity_request(&device, IOTSEC_IDENTITY_NEW, TEXT("LAMP-0042"), request, sizeof request, &len));
    memset(&device, 0, sizeof device); /* the power fails: all memory is gone */
    TRY(open_device(iotsec_device_open));
    TRY(iotsec_identity_status(&device, &step));
    if (step != IOTSEC_IDENTITY_NEEDS_CERTIFICATE) {
        return IOTSEC_ERR_STATE;
    }
    REFUSED(IOTSEC_ERR_IDENTITY_FOREIGN_KEY,
            iotsec_identity_certify(&device, IOTSEC_IDENTITY_NEW, certificate, certificate_len));
    TRY(ca());
    TRY(iotsec_identity_certify(&device, IOTSEC_IDENTITY_NEW, certificate, certificate_len));
    TRY(attest());
    TRY(iotsec_identity_signer(&device, IOTSEC_IDENTITY_NEW, &tried));
    if (tried.sign(tried.ctx, request, len, signature) != 0) {
        return IOTSEC_ERR_STATE;
    }
    TRY(iotsec_identity_commit(&device)); /* the service has answered to the new key */
    TRY(iotsec_identity_signer(&device, IOTSEC_IDENTITY_ACTIVE, &now));
    if (memcmp(now.public_key, tried.public_key, 32) != 0 || memcmp(now.public_key, first.public_key, 32) == 0) {
        return IOTSEC_ERR_STATE;
    }
    puts("rotated over a power cut: a new key and certificate, and the old key is gone");
    return IOTSEC_OK;
}

static iotsec_status_t end(void) {
    TRY(attest());
    return iotsec_device_close(&device);
}

int main(void) {
    static iotsec_status_t (*const parts[])(void) = {factory, attest, rotate, end};
    return run(parts, sizeof parts / sizeof parts[0]);
}
