/*
 * What the examples share: leaving early, and saying how it ended.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>

#include "iotsec.h"

/* Leaves the function with the first status that is not IOTSEC_OK. */
#define TRY(call) \
    do { \
        const iotsec_status_t tried_ = (call); \
        if (tried_ != IOTSEC_OK) return tried_; \
    } while (0)

/* Leaves the function unless `call` is refused with `status`. */
#define REFUSED(status, call) \
    do { \
        const iotsec_status_t tried_ = (call); \
        if (tried_ != (status)) return tried_ == IOTSEC_OK ? IOTSEC_ERR_STATE : tried_; \
    } while (0)

/* Runs the parts of an example and says how it ended. */
static inline int run(iotsec_status_t (*const parts[])(void), size_t count) {
    iotsec_status_t status = iotsec_abi_matches() ? IOTSEC_OK : IOTSEC_ERR_CONFIG;
    for (size_t at = 0; at < count && status == IOTSEC_OK; at++) {
        status = parts[at]();
    }
    if (status != IOTSEC_OK) {
        puts("failed");
        puts(iotsec_status_name(status));
        return 1;
    }
    puts("all passed");
    return 0;
}

#endif /* CHECK_H */
