/*
 * Start-up, output and exit in QEMU, through semihosting: a Cortex-M on the machines mps2-an385 (M0 and M3), mps2-an386
 * (M4) and mps2-an505 (M33), and a 32-bit RISC-V on the machine virt.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */
#include <stdio.h>
#include <string.h>

#include "board.h"

extern uint32_t stack_top, data_load, data_start, data_end, bss_start, bss_end; /* qemu_board.ld */
int main(void);
void reset(void);
void fault(void);

/* Semihosting operations (Arm IHI 0067; RISC-V takes the same). */
#define SYS_OPEN 0x01
#define SYS_WRITE 0x05
#define SYS_EXIT_EXTENDED 0x20
#define APPLICATION_EXIT 0x20026

static uintptr_t semihosting(uintptr_t operation, const void *argument) {
#ifdef __riscv
    register uintptr_t a0 __asm__("a0") = operation;
    register const void *a1 __asm__("a1") = argument;
    /* Three instructions that do nothing, uncompressed and in one page, are the call. */
    __asm__ volatile(".option push\n.option norvc\n.balign 16\n"
                     "slli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n.option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
#else
    register uintptr_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#endif
}

static void leave(uintptr_t code) {
    const uintptr_t block[2] = {APPLICATION_EXIT, code};
    semihosting(SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}

static void print(const char *text, size_t len) {
    static uintptr_t console;
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
#ifdef __ARM_FP
    /* The FPU is off after reset (Armv7-M B3.2.20): access for all to coprocessors 10 and 11. */
    *(volatile uint32_t *)0xE000ED88u |= 0xFu << 20;
    __asm__ volatile("dsb\nisb" ::: "memory");
#endif
    uint32_t *from = &data_load;
    for (uint32_t *to = &data_start; to < &data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = &bss_start; to < &bss_end; to++) {
        *to = 0;
    }
    leave((uintptr_t)main());
}

void fault(void) {
    leave(99);
}

#ifdef __riscv
/* The first instructions, at the address that QEMU starts at. */
__asm__(".pushsection .vectors, \"ax\"\n.option arch, +zicsr\n"
        "la sp, stack_top\nla t0, trap\ncsrw mtvec, t0\nj reset\n.balign 4\ntrap: j fault\n.popsection");
#else
/* The first words of flash (Armv7-M B1.5.3): the stack, then the handlers of reset and of the faults. */
struct vectors {
    const uint32_t *stack;
    void (*handlers[6])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    &stack_top,
    {reset, fault, fault, fault, fault, fault},
};
#endif
