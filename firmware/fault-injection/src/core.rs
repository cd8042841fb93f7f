//! The attacked code's share of the core: registers, privileges, and a clock that stops it after a number of
//! instructions.
//!
//! The monitor runs privileged on the main stack, the attacked code unprivileged on the process stack. Every
//! exception leads to one handler: from the monitor it is the call in [`go_on`] and starts the attacked code, from
//! the attacked code it goes back to the monitor.

use core::arch::asm;

use crate::memory;

/// What the core holds of the attacked code while the monitor runs. The rest is in the exception frame.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Registers {
    r4_to_r11: [u32; 8],
    /// Where the exception frame lies.
    sp: u32,
    /// The exception that gave the core to the monitor.
    exception: u32,
}

/// Why the attacked code stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The clock.
    Clock,
    /// A call with this in r0.
    Call(u32),
    /// Another exception.
    Fault,
}

/// Words in an exception frame: r0 to r3, r12, lr, pc, xPSR.
const FRAME: u32 = 8;
const LR: u32 = 5;
const PC: u32 = 6;
const STATUS: u32 = 7;
const THUMB: u32 = 1 << 24;
/// The frame was moved down by a word, to lie at a multiple of eight.
const PADDED: u32 = 1 << 9;

const SUPERVISOR_CALL: u32 = 11;
const SYSTEM_TIMER: u32 = 15;

impl Registers {
    /// At the beginning of a function with one argument.
    pub(crate) fn at(function: u32, argument: u32, sp: u32) -> Self {
        let frame = [argument, 0, 0, 0, 0, u32::MAX, function & !1, THUMB];
        let at = sp - FRAME * 4;
        for (index, word) in (0..).zip(frame) {
            memory::write(at + index * 4, word);
        }
        Self {
            r4_to_r11: [0; 8],
            sp: at,
            exception: 0,
        }
    }

    pub(crate) fn pc(&self) -> u32 {
        memory::read(self.sp + PC * 4)
    }

    /// What tells one execution of an instruction from another: the calls that led to it.
    pub(crate) fn place(&self) -> [u32; 3] {
        let padding = (memory::read(self.sp + STATUS * 4) & PADDED) >> 7;
        [
            self.pc(),
            memory::read(self.sp + LR * 4),
            self.sp + FRAME * 4 + padding,
        ]
    }

    /// Passes over `bytes` bytes, or without a number over one instruction.
    pub(crate) fn skip(&self, bytes: u32) {
        let pc = self.pc();
        let width = match bytes {
            0 if memory::read_half(pc) >> 11 >= 0b11101 => 4,
            0 => 2,
            bytes => bytes,
        };
        memory::write(self.sp + PC * 4, pc.wrapping_add(width));
        let status = memory::read(self.sp + STATUS * 4);
        memory::write(self.sp + STATUS * 4, after_it(status));
    }

    fn stop(&self) -> Stop {
        match self.exception {
            SUPERVISOR_CALL => Stop::Call(memory::read(self.sp)),
            SYSTEM_TIMER => Stop::Clock,
            _ => Stop::Fault,
        }
    }
}

/// The status register one instruction further in an IT block (Armv7-M Architecture Reference Manual, A7.3.3).
fn after_it(status: u32) -> u32 {
    const LOW: u32 = 3 << 25;
    const HIGH: u32 = 0x3F << 10;
    let it = (status & LOW) >> 25 | (status & HIGH) >> 8;
    let next = match it & 7 {
        0 => 0,
        _ => it & 0xE0 | it << 1 & 0x1F,
    };
    status & !(LOW | HIGH) | (next & 3) << 25 | (next >> 2) << 10
}

/// Ticks and instructions from the start of the clock to its exception.
///
/// QEMU lets a nanosecond pass with each instruction and 40 with each tick, so a delay within the monitor makes the
/// exception come after any number of instructions of the attacked code.
#[derive(Clone, Copy)]
pub(crate) struct Delay {
    ticks: u32,
    pad: u32,
}

impl Delay {
    /// At least so many instructions.
    pub(crate) const fn long(instructions: u32) -> Self {
        Self {
            ticks: instructions / 40 + 3,
            pad: 2,
        }
    }

    /// Finds the delay that lets one instruction pass, by looking how far a row of `nop` comes.
    pub(crate) fn step() -> Option<Self> {
        let start = row_of_nops as extern "C" fn() as usize as u32;
        let passed = |delay| {
            let mut registers = Registers::at(start, 0, memory::STACK_TOP);
            (go_on(&mut registers, delay) == Stop::Clock).then(|| registers.pc() - (start & !1))
        };
        let delays = (2..=200).rev().map(|pad| Self { ticks: 1, pad });
        let found = delays.into_iter().find(|delay| passed(*delay) == Some(2))?;
        let longer = |by: u32| {
            passed(Self {
                pad: found.pad - by,
                ..found
            }) == Some(2 + 2 * by)
        };
        (found.pad > 12 && (1..=10).all(longer)).then_some(found)
    }
}

/// Lets the attacked code run until the clock stops it, or it stops itself.
pub(crate) fn go_on(registers: &mut Registers, delay: Delay) -> Stop {
    // SAFETY: the handler restores all registers but those that hold arguments here, and the attacked code can
    // write nothing but its own memory.
    #[allow(unsafe_code, reason = "another stack, other registers")]
    unsafe {
        asm!(
            "str {ticks}, [{timer}, #4]",
            "str {timer}, [{timer}, #8]",
            "str {enable}, [{timer}]",
            // As many instructions as the padding has, and two more.
            "lsrs {ticks}, {pad}, #1",
            "2: subs {ticks}, #1",
            "bne 2b",
            "lsls {ticks}, {pad}, #31",
            "beq 3f",
            "nop",
            "3: svc 0",
            timer = in(reg) 0xE000_E010_u32,
            enable = in(reg) 7,
            pad = in(reg) delay.pad,
            ticks = inout(reg) delay.ticks => _,
            in("r0") registers,
            lateout("r0") _, lateout("r1") _, lateout("r2") _, lateout("r3") _, lateout("r12") _,
        );
    }
    registers.stop()
}

#[allow(unsafe_code, reason = "the linker finds it below")]
mod assembly {
    unsafe extern "C" {
        pub(super) safe fn row_of_nops();
    }
}
use assembly::row_of_nops;

#[allow(
    unsafe_code,
    reason = "the exceptions of cortex-m-rt, with registers that it does not save"
)]
mod handler {
    use core::arch::global_asm;

    global_asm!(
        ".syntax unified",
        ".thumb",
        // Takes every exception. r0 of the monitor points at the registers, and is kept on its stack.
        ".global HardFault, DefaultHandler",
        ".thumb_func",
        "HardFault:",
        ".thumb_func",
        "DefaultHandler:",
        "tst lr, #4",
        "bne 1f",
        "push {{r0, r4-r11, lr}}",
        "ldmia r0!, {{r4-r11}}",
        "ldr r1, [r0]",
        "msr psp, r1",
        "movs r1, #1",
        "msr control, r1",
        "isb",
        "mvn lr, #2",
        "bx lr",
        // The clock stands still before the monitor goes on.
        "1: ldr r0, =0xE000E010",
        "movs r1, #0",
        "str r1, [r0]",
        "ldr r0, =0xE000ED04",
        "mov r1, #0x02000000",
        "str r1, [r0]",
        "pop {{r0}}",
        "stmia r0!, {{r4-r11}}",
        "mrs r1, psp",
        "mrs r2, ipsr",
        "stmia r0!, {{r1, r2}}",
        "movs r1, #0",
        "msr control, r1",
        "isb",
        "pop {{r4-r11, lr}}",
        "bx lr",
        ".ltorg",
        ".global row_of_nops",
        ".thumb_func",
        "row_of_nops:",
        ".rept 128",
        "nop",
        ".endr",
        "svc 0",
    );
}
