// Arguments are in r0 to r2; r0 to r3 and r12 need not be kept, and what is returned is in r0 (AAPCS32 §6.1.1).
// Of __aeabi_memset the second argument is the length and the third the byte (Run-time ABI §4.3.4).
.syntax unified
.thumb

.macro begin names:vararg
.irp name, \names
.global \name
.type \name, %function
\name:
.endr
.endm

.macro end names:vararg
.irp name, \names
.size \name, . - \name
.endr
.endm

.section .text.memcpy, "ax", %progbits
.p2align 1
begin memcpy, __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8
.Lcopy:
    push {r0, r4, r5, r6, r7, lr}
    movs r3, r0
    orrs r3, r1
    lsls r3, r3, #30
    bne 5f
    b 2f
1:  ldmia r1!, {r4, r5, r6, r7}
    stmia r0!, {r4, r5, r6, r7}
2:  subs r2, #16
    bhs 1b
    adds r2, #12
    blo 4f
3:  ldmia r1!, {r4}
    stmia r0!, {r4}
    subs r2, #4
    bhs 3b
4:  adds r2, #4
5:  subs r2, #1
    blo 6f
    ldrb r4, [r1]
    strb r4, [r0]
    adds r1, #1
    adds r0, #1
    b 5b
6:  pop {r0, r4, r5, r6, r7, pc}
end memcpy, __aeabi_memcpy, __aeabi_memcpy4, __aeabi_memcpy8

// From the end, where writing from the front would overwrite what is still to be read.
begin memmove, __aeabi_memmove, __aeabi_memmove4, __aeabi_memmove8
    subs r3, r0, r1
    cmp r3, r2
    bhs .Lcopy
    push {r4, lr}
    b 2f
1:  ldrb r4, [r1, r2]
    strb r4, [r0, r2]
2:  subs r2, #1
    bhs 1b
    pop {r4, pc}
end memmove, __aeabi_memmove, __aeabi_memmove4, __aeabi_memmove8

.section .text.memset, "ax", %progbits
.p2align 1
begin memset
    movs r3, r1
    movs r1, r2
    movs r2, r3
    b .Lfill
end memset

begin __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8
    movs r2, #0
    b .Lfill
end __aeabi_memclr, __aeabi_memclr4, __aeabi_memclr8

// Byte by byte to a word, then words, and byte by byte what is left.
begin __aeabi_memset, __aeabi_memset4, __aeabi_memset8
.Lfill:
    push {r0, r4, r5, lr}
    uxtb r2, r2
    lsls r3, r2, #8
    orrs r2, r3
    lsls r3, r2, #16
    orrs r2, r3
    movs r3, r2
    movs r5, r2
    b 2f
1:  strb r2, [r0]
    adds r0, #1
2:  subs r1, #1
    blo 6f
    lsls r4, r0, #30
    bne 1b
    movs r4, r2
    subs r1, #15
    blo 4f
3:  stmia r0!, {r2, r3, r4, r5}
    subs r1, #16
    bhs 3b
4:  adds r1, #16
    b 5f
7:  strb r2, [r0]
    adds r0, #1
5:  subs r1, #1
    bhs 7b
6:  pop {r0, r4, r5, pc}
end __aeabi_memset, __aeabi_memset4, __aeabi_memset8

.section .text.memcmp, "ax", %progbits
.p2align 1
begin memcmp, bcmp
    push {r4, r5, lr}
    movs r3, #0
    b 2f
1:  ldrb r4, [r0, r3]
    ldrb r5, [r1, r3]
    adds r3, #1
    cmp r4, r5
    bne 3f
2:  cmp r3, r2
    blo 1b
    movs r0, #0
    pop {r4, r5, pc}
3:  subs r0, r4, r5
    pop {r4, r5, pc}
end memcmp, bcmp
