//! What instructions of Thumb do to the stack and whom they call (Armv7-M Architecture Reference Manual, A5 to A7).

/// What one instruction does, as far as a bound of the stack is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing of that.
    None,
    /// The stack grows by so many bytes.
    Grows(u32),
    /// The stack pointer is set from a register that has held it: at the end of a function, or to align it.
    Restored,
    /// The stack grows by what is in a register.
    Unbounded,
    /// A call or a jump to this address.
    To(u32),
    /// A call or a jump to an address in a register.
    Indirect,
    /// The lower half of a register.
    Low(u8, u16),
    /// Its upper half.
    High(u8, u16),
}

/// The effect of the instruction `first`, of which `second` is a part if it is long, at `address`; and its length.
pub(super) fn decode(first: u16, second: u16, address: u32) -> (Effect, u32) {
    if first < 0xE800 {
        (short(first, address), 2)
    } else {
        (long(first, second, address), 4)
    }
}

fn short(code: u16, address: u32) -> Effect {
    let branch = |offset: u32| Effect::To(address.wrapping_add(4).wrapping_add(offset));
    match code {
        // PUSH, with the link register or not.
        0xB400..=0xB5FF => Effect::Grows((code & 0x01FF).count_ones() * 4),
        // SUB (SP minus immediate).
        0xB080..=0xB0FF => Effect::Grows(u32::from(code & 0x7F) * 4),
        // BX other than to the link register, BLX.
        0x4700..=0x47FF if code & 0xFF78 != 0x4770 => Effect::Indirect,
        // ADD and MOV of registers, into the stack pointer or the program counter.
        0x4400..=0x44FF if (code >> 4 & 8) | (code & 7) == 13 => Effect::Unbounded,
        0x4400..=0x44FF | 0x4600..=0x46FF => match (code >> 4 & 8) | (code & 7) {
            13 => Effect::Restored,
            15 => Effect::Indirect,
            _ => Effect::None,
        },
        // B with a condition; the two last of them are UDF and SVC.
        0xD000..=0xDDFF => branch(extend(u32::from(code & 0xFF) << 1, 9)),
        // B.
        0xE000..=0xE7FF => branch(extend(u32::from(code & 0x7FF) << 1, 12)),
        _ => Effect::None,
    }
}

fn long(first: u16, second: u16, address: u32) -> Effect {
    let (a, b) = (u32::from(first), u32::from(second));
    let target = |offset: u32| Effect::To(address.wrapping_add(4).wrapping_add(offset));
    let sign = a >> 10 & 1;
    // BL and B, whose upper bits are mixed with the sign.
    let far = || {
        let [i1, i2] = [13, 11].map(|bit| (b >> bit & 1) ^ sign ^ 1);
        let offset = sign << 24 | i1 << 23 | i2 << 22 | (a & 0x3FF) << 12 | (b & 0x7FF) << 1;
        target(extend(offset, 25))
    };
    let immediate = (a >> 10 & 1) << 11 | (b >> 12 & 7) << 8 | b & 0xFF;
    match (a, b) {
        // STMDB SP!, which is PUSH.
        (0xE92D, _) => Effect::Grows(b.count_ones() * 4),
        // STR Rt, [SP, #-n]!
        (0xF84D, _) if b & 0x0F00 == 0x0D00 => Effect::Grows(b & 0xFF),
        // STRD Rt, Rt2, [SP, #-n]!
        (0xE96D, _) => Effect::Grows((b & 0xFF) * 4),
        // VPUSH.
        (0xED2D | 0xED6D, _) if b & 0x0E00 == 0x0A00 => Effect::Grows((b & 0xFF) * 4),
        // SUB.W SP, SP, #constant; SUBW SP, SP, #n.
        (0xF1AD | 0xF5AD, _) if b & 0x8F00 == 0x0D00 => Effect::Grows(expand(immediate)),
        (0xF2AD | 0xF6AD, _) if b & 0x8F00 == 0x0D00 => Effect::Grows(immediate),
        // Other data processing into the stack pointer, but for additions of a constant to it.
        (0xF10D | 0xF50D | 0xF20D | 0xF60D, _) => Effect::None,
        (0xEA00..=0xEBFF, _) if b >> 8 & 15 == 13 && a & 0x10 == 0 => Effect::Unbounded,
        (0xF000..=0xF7FF, _) if b & 0x8F00 == 0x0D00 && a & 0x10 == 0 => Effect::Restored,
        (0xF000..=0xF7FF, _) if b & 0xD000 == 0xD000 || b & 0xD000 == 0x9000 => far(),
        // B.W with a condition; 14 and 15 in its place are other instructions.
        (0xF000..=0xF7FF, _) if b & 0xD000 == 0x8000 && a >> 6 & 14 != 14 => {
            let offset =
                sign << 20 | (b >> 11 & 1) << 19 | (b >> 13 & 1) << 18 | (a & 0x3F) << 12 | (b & 0x7FF) << 1;
            target(extend(offset, 21))
        }
        // MOVW and MOVT.
        (0xF240..=0xF24F | 0xF640..=0xF64F, _) if b & 0x8000 == 0 => half(a, b, immediate, Effect::Low),
        (0xF2C0..=0xF2CF | 0xF6C0..=0xF6CF, _) if b & 0x8000 == 0 => half(a, b, immediate, Effect::High),
        // LDR PC, other than POP of the return address.
        (0xF850..=0xF8DF, _) if a & 0x70 == 0x50 && b >> 12 == 15 && (a, b) != (0xF85D, 0xFB04) => {
            Effect::Indirect
        }
        _ => Effect::None,
    }
}

fn half(a: u32, b: u32, immediate: u32, effect: fn(u8, u16) -> Effect) -> Effect {
    let register = u8::try_from(b >> 8 & 15).unwrap_or_default();
    effect(
        register,
        u16::try_from((a & 15) << 12 | immediate).unwrap_or_default(),
    )
}

/// `ThumbExpandImm` (A5.3.2).
fn expand(immediate: u32) -> u32 {
    let byte = immediate & 0xFF;
    match immediate >> 8 {
        0 => byte,
        1 => byte << 16 | byte,
        2 => byte << 24 | byte << 8,
        3 => byte << 24 | byte << 16 | byte << 8 | byte,
        _ => (byte | 0x80).rotate_right(immediate >> 7),
    }
}

fn extend(value: u32, bits: u32) -> u32 {
    let unused = 32 - bits;
    (value << unused)
        .cast_signed()
        .wrapping_shr(unused)
        .cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodings as the GNU assembler makes them.
    #[test]
    fn what_moves_the_stack_pointer_is_seen() {
        for (code, effect) in [
            (&[0xB5F0][..], Effect::Grows(20)),       // push {r4-r7, lr}
            (&[0xB401], Effect::Grows(4)),            // push {r0}
            (&[0xB082], Effect::Grows(8)),            // sub sp, #8
            (&[0xB002], Effect::None),                // add sp, #8
            (&[0xE92D, 0x4FF0], Effect::Grows(36)),   // push {r4-r11, lr}
            (&[0xF84D, 0xBD04], Effect::Grows(4)),    // push {r11}
            (&[0xED2D, 0x8B04], Effect::Grows(16)),   // vpush {d8-d9}
            (&[0xF5AD, 0x5D80], Effect::Grows(4096)), // sub.w sp, sp, #4096
            (&[0xF2AD, 0x4D04], Effect::Grows(1028)), // subw sp, sp, #1028
            (&[0xF5AD, 0x7D1D], Effect::Grows(628)),  // sub.w sp, sp, #628
            (&[0xF50D, 0x5D80], Effect::None),        // add.w sp, sp, #4096
            (&[0x46A5], Effect::Restored),            // mov sp, r4
            (&[0xF1A7, 0x0D08], Effect::Restored),    // sub.w sp, r7, #8
            (&[0x449D], Effect::Unbounded),           // add sp, r3
            (&[0xEBAD, 0x0D03], Effect::Unbounded),   // sub.w sp, sp, r3
            (&[0xEBBD, 0x0F03], Effect::None),        // cmp.w sp, r3
        ] {
            check(code, effect);
        }
    }

    #[test]
    fn whom_it_calls_is_seen() {
        for (code, effect) in [
            (&[0x4798][..], Effect::Indirect),            // blx r3
            (&[0x4718], Effect::Indirect),                // bx r3
            (&[0x4770], Effect::None),                    // bx lr
            (&[0x469F], Effect::Indirect),                // mov pc, r3
            (&[0xF000, 0xF800], Effect::To(0x1004)),      // bl to the next
            (&[0xF7FF, 0xFFFE], Effect::To(0x1000)),      // bl to itself
            (&[0xF000, 0xB802], Effect::To(0x1008)),      // b.w
            (&[0xF43F, 0xAFFE], Effect::To(0x1000)),      // beq.w to itself
            (&[0xE7FE], Effect::To(0x1000)),              // b to itself
            (&[0xD0FE], Effect::To(0x1000)),              // beq to itself
            (&[0xDE00], Effect::None),                    // udf
            (&[0xF3BF, 0x8F4F], Effect::None),            // dsb
            (&[0xF243, 0x2401], Effect::Low(4, 0x3201)),  // movw r4, #0x3201
            (&[0xF2C2, 0x0500], Effect::High(5, 0x2000)), // movt r5, #0x2000
            (&[0xF8DF, 0xF004], Effect::Indirect),        // ldr.w pc, [pc, #4]
            (&[0xF85D, 0xFB04], Effect::None),            // pop {pc}
        ] {
            check(code, effect);
        }
    }

    fn check(code: &[u16], effect: Effect) {
        let second = code.get(1).copied().unwrap_or_default();
        let (seen, len) = decode(code[0], second, 0x1000);
        assert_eq!(seen, effect, "{code:04x?}");
        assert_eq!(len as usize, code.len() * 2);
    }
}
