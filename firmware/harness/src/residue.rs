//! What a call leaves of a secret in the stack.
//!
//! The call is made twice, with two secrets and all else the same. Where the stack below differs afterwards, something
//! was left that depends on the secret: a copy, a round key, half of a state. What was overwritten does not differ.

use core::hint::black_box;

use crate::{
    cpu,
    stack::{self, MARGIN},
};

/// What is compared of the stack, in bytes below the call.
pub const DEPTH: usize = 16 * 1024;

/// Two calls, one after the other.
pub struct Residue<'a> {
    before: &'a mut [u8; DEPTH],
    calls: usize,
    /// Bytes of the stack that depend on the secret.
    pub differences: usize,
    /// How far below its caller the call went.
    pub depth: usize,
}

impl<'a> Residue<'a> {
    /// Neither call was made.
    pub fn new(before: &'a mut [u8; DEPTH]) -> Self {
        Self {
            before,
            calls: 0,
            differences: 0,
            depth: 0,
        }
    }

    /// Makes the call, and looks at the stack below. The results belong into places above.
    #[inline(never)]
    pub fn of<T>(&mut self, call: impl FnOnce() -> T) -> T {
        let top = cpu::stack_pointer() - MARGIN;
        stack::paint(top);
        let result = apart(call);
        self.depth = top - stack::lowest_touched(top);
        if self.calls == 0 {
            stack::copy(top, self.before);
        } else {
            self.differences = stack::differences(top, self.before);
        }
        self.calls += 1;
        result
    }
}

// A frame of its own that ends below the margin, so that all that the call leaves is compared.
#[inline(never)]
fn apart<T>(call: impl FnOnce() -> T) -> T {
    let spacer = black_box([0u8; MARGIN]);
    let result = call();
    black_box(&spacer);
    result
}
