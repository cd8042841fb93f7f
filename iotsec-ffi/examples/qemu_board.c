/*
 * Start-up, output and exit for a Cortex-M4 in QEMU (machine mps2-an386), through semihosting.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "board.h"

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end; /* qemu_board.ld */
int main(void);

/* Semihosting operations (Arm IHI 0067). */
#define SYS_OPEN 0x01
#define SYS_WRITE 0x05
#define SYS_EXIT_EXTENDED 0x20
#define APPLICATION_EXIT 0x20026

static uint32_t semihosting(uint32_t operation, const void *argument) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static void leave(uint32_t code) {
    const uint32_t block[2] = {APPLICATION_EXIT, code};
    semihosting(SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}

static void print(const char *text, size_t len) {
    static uint32_t console;
    static const char name[] = ":tt";
    if (console == 0) {
        const uintptr_t block[3] = {(uintptr_t)name, 4 /* for writing */, sizeof name - 1};
        console = semihosting(SYS_OPEN, block);
    }
    const uintptr_t block[3] = {console, (uintptr_t)text, len};
    semihosting(SYS_WRITE, block);
}

int puts(const char *text) {
    print(text, strlen(text));
    print("\n", 1);
    return 0;
}

/*
 * QEMU's machine has no hardware generator, so this one repeats itself at every start. A product that
 * does this has no secrets.
 */
int32_t board_random(void *ctx, uint8_t *bytes, size_t len) {
    static uint32_t state = 0x9E3779B9u;
    (void)ctx;
    for (size_t at = 0; at < len; at++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[at] = (uint8_t)(state >> 24);
    }
    return 0;
}

void reset(void) {
    uint32_t *from = &data_load;
    for (uint32_t *to = &data_start; to < &data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = &bss_start; to < &bss_end; to++) {
        *to = 0;
    }
    leave((uint32_t)main());
}

static void fault(void) {
    leave(99);
}

/* The first words of flash (Armv7-M B1.5.3): the stack, then the handlers of reset and of the faults. */
struct vectors {
    const uint32_t *stack;
    void (*handlers[6])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    &stack_top,
    {reset, fault, fault, fault, fault, fault},
};
