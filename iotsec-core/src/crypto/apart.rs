//! Work on secrets in frames of the stack that are overwritten afterwards.

use core::hint::black_box;

/// Does `work` in frames of its own, and overwrites the `N` bytes of the stack where they were.
///
/// Cryptography that wipes its objects still leaves key schedules, intermediate states and moved copies behind in its
/// frames, where the next bug that reads stale memory finds them. `N` is about as deep as the work goes: a larger one
/// would cost stack.
#[inline(always)]
pub(super) fn apart<const N: usize, T>(work: impl FnOnce() -> T) -> T {
    let result = call(work);
    overwrite::<N>();
    result
}

#[inline(never)]
fn call<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn overwrite<const N: usize>() {
    black_box(&mut [0u8; N]);
}
