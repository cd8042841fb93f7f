//! A C program that a fuzzer writes.
//!
//! An input is a list of calls: each begins with a byte that says which, and takes its arguments from the bytes that
//! follow. They come in any order, on objects that are open, closed or copied, with buffers that are too small, with
//! callbacks that fail, lie or call back in, with the power going during a write, and on flash that somebody changed.
//!
//! After each call: the status has a name in the header; a buffer that is too small stays as it was and its length is
//! said; one that is large enough is not left; no other call writes a length; not a byte beside a buffer changes; a call
//! into an object that is in a call is refused; and nothing panics, which in C would be the end of the program.
#![allow(unsafe_code, reason = "this is what a C program does, in Rust")]
#![allow(clippy::missing_panics_doc, reason = "to panic is what this crate is for")]

mod board;
mod guarded;
mod step;
mod vectors;
mod world;

use std::ffi::CStr;

use iotsec_ffi::status::{iotsec_status_name, iotsec_status_t};

/// Calls of one input at most: each may take a PBKDF2.
const MOST: usize = 48;

/// Makes the calls that `input` says. True when every one of them succeeded, and there was one.
pub fn run(input: &[u8]) -> bool {
    let mut world = world::World::new();
    let mut input = Input(input);
    let (mut calls, mut succeeded) = (0, 0);
    while calls < MOST && !input.0.is_empty() {
        let status = step::take(&mut world, &mut input);
        assert!(is_known(status), "status {status}");
        calls += 1;
        succeeded += usize::from(status == 0);
    }
    calls > 0 && succeeded == calls
}

/// What the call of this name begins with, for seeds.
pub fn number(name: &str) -> Vec<u8> {
    let at = step::names().position(|step| step == name);
    let at = at.unwrap_or_else(|| panic!("{name} is no call"));
    let rest = at.saturating_sub(usize::from(u8::MAX));
    let rest = u8::try_from(rest).expect("so many calls");
    match u8::try_from(at) {
        Ok(at) if at < u8::MAX => vec![at],
        _ => vec![u8::MAX, rest],
    }
}

/// The functions of the interface that are called: what a step is named after, if need be with words before it.
pub fn called() -> impl Iterator<Item = &'static str> {
    step::names().filter_map(|name| name.split(' ').find(|word| word.starts_with("iotsec_")))
}

fn is_known(status: iotsec_status_t) -> bool {
    // SAFETY: the name ends in zero and lives as long as the program.
    let name = unsafe { CStr::from_ptr(iotsec_status_name(status)) };
    name != c"UNKNOWN"
}

/// What is left of the input. At its end everything is zero.
struct Input<'i>(&'i [u8]);

impl<'i> Input<'i> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self
            .0
            .split_first()
            .map_or((0, &[][..]), |(first, rest)| (*first, rest));
        self.0 = rest;
        first
    }

    /// A piece with its length before it.
    fn piece(&mut self) -> &'i [u8] {
        let len = usize::from(self.byte()).min(self.0.len());
        let (piece, rest) = self.0.split_at(len);
        self.0 = rest;
        piece
    }

    /// The length of a buffer: the bytes that are there, or all that anything asks for.
    fn size(&mut self) -> usize {
        match self.byte() {
            255 => 8192,
            size => usize::from(size),
        }
    }

    fn wide(&mut self) -> u64 {
        let [a, b] = [self.byte(), self.byte()].map(u64::from);
        // Small numbers, and the ends of all ranges.
        match a {
            0xFF => u64::MAX - b,
            0xFE => u64::from(u32::MAX) + b,
            _ => a << 8 | b,
        }
    }

    fn number(&mut self) -> i32 {
        i32::from(self.byte().cast_signed())
    }
}
