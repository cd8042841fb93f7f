/*
 * What the generated table of calls judges them by. `cargo xtask c` writes the table from iotsec.h.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef JUDGE_H
#define JUDGE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iotsec.h"

#define PLACES 16

/* Where the pointers of a call point: one for each parameter, larger than anything that a parameter points to. */
static union place {
    uint64_t words[1024];
    uint8_t bytes[8192];
    uint32_t struct_size;
} places[PLACES], before[PLACES];
static uint8_t may_change[PLACES];
static unsigned cases;

/* Zeros everywhere, as in storage that nobody used yet. */
static inline void clear(void) {
    memset(places, 0, sizeof places);
    memset(may_change, 0, sizeof may_change);
}

static inline void fail(const char *function, const char *about, const char *what, iotsec_status_t status) {
    printf("%s, %s: %s (%s)\n", function, about, what, iotsec_status_name(status));
    exit(1);
}

/* The call must be refused, and write nothing but what is documented. `optional`: it may also be taken. */
static inline void judge(const char *function, const char *about, int optional, iotsec_status_t status) {
    cases++;
    if (optional) {
        return;
    }
    if (status == IOTSEC_OK) {
        fail(function, about, "was not refused", status);
    }
    for (size_t at = 0; at < PLACES; at++) {
        if (!may_change[at] && memcmp(&places[at], &before[at], sizeof places[at]) != 0) {
            fail(function, about, "was refused and wrote", status);
        }
    }
}

#define CASE(function, about, optional, call) \
    do { \
        memcpy(before, places, sizeof before); \
        judge(function, about, optional, (call)); \
    } while (0)

#define MUST(function, about, want, call) \
    do { \
        const iotsec_status_t got_ = (call); \
        cases++; \
        if (got_ != (want)) fail(function, about, "ended otherwise", got_); \
    } while (0)

/* A call that succeeds as long as its buffer is large enough. */
typedef iotsec_status_t good_call(uint8_t *bytes, size_t size, size_t *len);

/* Every size that is too small is refused with the size that is needed, and the sanitizer watches the heap beyond. */
static inline void short_buffer(const char *function, good_call *call) {
    size_t needed = 0, len = 0;
    MUST(function, "asked for the size", IOTSEC_ERR_SHORT_BUFFER, call(NULL, 0, &needed));
    if (needed == 0) {
        fail(function, "asked for the size", "needs nothing", IOTSEC_OK);
    }
    for (size_t size = 0; size <= needed; size++) {
        uint8_t *bytes = malloc(size == 0 ? 1 : size);
        if (bytes == NULL) {
            fail(function, "buffer", "no memory", IOTSEC_OK);
        }
        memset(bytes, 0xA5, size);
        len = 0;
        if (size < needed) {
            MUST(function, "short buffer", IOTSEC_ERR_SHORT_BUFFER, call(bytes, size, &len));
            if (len != needed) {
                fail(function, "short buffer", "said another size", IOTSEC_OK);
            }
            for (size_t at = 0; at < size; at++) {
                if (bytes[at] != 0xA5) {
                    fail(function, "short buffer", "was refused and wrote", IOTSEC_OK);
                }
            }
        } else {
            MUST(function, "buffer of the size that it asked for", IOTSEC_OK, call(bytes, size, &len));
            if (len > size) {
                fail(function, "buffer", "says that it wrote more", IOTSEC_OK);
            }
        }
        free(bytes);
        /* A long result is tried at its ends. */
        if (size == 64 && needed > 80) {
            size = needed - 9;
        }
    }
}

#endif /* JUDGE_H */
