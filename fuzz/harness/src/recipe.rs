//! What an attacker with a programmer and old copies of a flash can make of it, as a list of steps that
//! a fuzzer can shuffle.

use iotsec_testkit::SimFlash;

/// Bytes of one step: what, and four parameters.
pub(crate) const STEP: usize = 5;

/// Applies the whole steps in `recipe` to `flash`.
///
/// | first byte, modulo 5 | step |
/// |---:|---|
/// | 0 | changes the bits `d` of the byte at 256 `a` + `b` |
/// | 1 | takes page `b` from snapshot `a` |
/// | 2 | takes page `b` from snapshot `a`, and puts it in place of page `c` |
/// | 3 | erases page `a` |
/// | 4 | takes the 16-byte line 256 `b` + `c` from snapshot `a` |
pub(crate) fn cook(flash: &mut SimFlash, snapshots: &[&SimFlash], recipe: &[u8]) {
    const PAGE: usize = 256;
    let capacity = flash.image().len();
    for step in recipe.chunks_exact(STEP) {
        let [what, a, b, c, d] = *step else {
            return;
        };
        let [a_, b_, c_] = [a, b, c].map(usize::from);
        let snapshot = snapshots[a_ % snapshots.len()];
        let page = |number: usize| number % (capacity / PAGE) * PAGE;
        match what % 5 {
            0 => {
                let at = (a_ * PAGE + b_) % capacity;
                let byte = flash.image()[at] ^ d;
                flash.tamper(address(at), &[byte]);
            }
            1 => copy(flash, snapshot, page(b_), page(b_), PAGE),
            2 => copy(flash, snapshot, page(b_), page(c_), PAGE),
            3 => {
                let blank = vec![flash.geometry().erased(); PAGE];
                flash.tamper(address(page(a_)), &blank);
            }
            _ => {
                let line = (b_ * PAGE + c_) % (capacity / 16) * 16;
                copy(flash, snapshot, line, line, 16);
            }
        }
    }
}

fn copy(flash: &mut SimFlash, from: &SimFlash, source: usize, target: usize, len: usize) {
    flash.tamper(address(target), &from.image()[source..source + len]);
}

fn address(at: usize) -> u32 {
    u32::try_from(at).expect("the flash is small")
}
