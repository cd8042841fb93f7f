//! Copying, filling and comparing: what the compiler calls for them is `firmware/mem`.

use core::{cmp::Ordering, hint::black_box};

use harness::console::{self, require};

const ROOM: usize = 64;
/// More than two rounds of four words, from every place in a word.
const LONGEST: usize = 37;
const PLACES: usize = 5;

type Bytes = [u8; ROOM];

#[inline(never)]
pub(crate) fn is_copied_filled_and_compared() {
    for len in 0..=LONGEST {
        for to in 0..PLACES {
            filled(to, len);
            for from in 0..PLACES {
                copied(to, from, len);
                moved(to, from, len);
                compared(to, from, len);
            }
        }
    }
    console::text("memory: copied, moved, filled, compared\n");
}

/// Different bytes, none of them zero, made one by one.
fn bytes(first: u8) -> Bytes {
    let mut bytes = [0; ROOM];
    for (byte, value) in bytes.iter_mut().zip(first..) {
        *byte = black_box(value);
    }
    bytes
}

/// Whether `found` is `before` with the bytes from `to` on replaced by `len` others, asked byte by byte.
fn is(found: &Bytes, before: &Bytes, (to, len): (usize, usize), other: impl Fn(usize) -> u8) -> bool {
    (0..ROOM).all(|place| {
        let wanted = match place.checked_sub(to).filter(|index| *index < len) {
            Some(index) => other(index),
            None => before[place],
        };
        black_box(found[place]) == wanted
    })
}

fn copied(to: usize, from: usize, len: usize) {
    let (source, before) = (bytes(1), bytes(101));
    let mut found = before;
    let len = black_box(len);
    found[to..to + len].copy_from_slice(&source[from..from + len]);
    let is_copied = is(&found, &before, (to, len), |index| source[from + index]);
    require(is_copied, "copied wrongly");
}

fn moved(to: usize, from: usize, len: usize) {
    let before = bytes(1);
    let mut found = before;
    let len = black_box(len);
    found.copy_within(from..from + len, to);
    let is_moved = is(&found, &before, (to, len), |index| before[from + index]);
    require(is_moved, "moved wrongly");
}

fn filled(to: usize, len: usize) {
    let before = bytes(1);
    for byte in [0, 0xA5] {
        let mut found = before;
        found[to..to + black_box(len)].fill(black_box(byte));
        require(is(&found, &before, (to, len), |_| byte), "filled wrongly");
    }
}

fn compared(left: usize, right: usize, len: usize) {
    let source = bytes(1);
    let mut other = [0; ROOM];
    for place in 0..len {
        other[right + place] = black_box(source[left + place]);
    }
    let order =
        |other: &Bytes| source[left..left + black_box(len)].cmp(&other[right..right + black_box(len)]);
    require(order(&other) == Ordering::Equal, "equal bytes differ");
    for place in 0..len {
        let byte = other[right + place];
        for (changed, wanted) in [(byte - 1, Ordering::Greater), (0xFF, Ordering::Less)] {
            other[right + place] = changed;
            require(order(&other) == wanted, "different bytes are in the wrong order");
        }
        other[right + place] = byte;
    }
}
