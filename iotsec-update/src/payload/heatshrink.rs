//! Streaming heatshrink decoder: a stream of bits, highest first, of literals and repetitions.
//!
//! | bits | meaning |
//! |---|---|
//! | `1`, 8 bits | the byte |
//! | `0`, `window` bits `d`, `lookahead` bits `n` | repeat the `n + 1` bytes that begin `d + 1` bytes back |
//!
//! What lies before the first byte is zeros, and encoders do repeat it. The last byte is filled up with
//! zero bits; they are too few for a repetition.
//!
//! The crates for this format either want the whole stream in memory or allocate, and none can be stopped
//! and saved; they serve the tests as a second opinion.

use super::{
    PayloadError,
    state::{Load, Store},
};

/// Decodes one stream whose window is at most `WINDOW` bytes.
#[derive(Clone, Debug)]
pub(super) struct Heatshrink<const WINDOW: usize> {
    /// Sizes of the two fields in bits; the first is the window as a power of two.
    window: u8,
    lookahead: u8,
    /// Bits taken from the input and not used yet: the lowest `held`, the others are zero.
    bits: u32,
    held: u8,
    next: Next,
    /// Where the next byte goes in the ring, of which the stream's window is the beginning.
    head: u16,
    ring: [u8; WINDOW],
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Tag,
    Literal,
    Distance,
    /// The length of a repetition.
    Length {
        distance: u16,
    },
    Repeat {
        distance: u16,
        left: u16,
    },
}

impl<const WINDOW: usize> Heatshrink<WINDOW> {
    pub(super) const fn new() -> Self {
        Self {
            window: MIN_WINDOW,
            lookahead: MIN_LOOKAHEAD,
            bits: 0,
            held: 0,
            next: Next::Tag,
            head: 0,
            ring: [0; WINDOW],
        }
    }

    /// Begins a stream.
    pub(super) fn start(&mut self, window: u8, lookahead: u8) -> Result<(), PayloadError> {
        let known =
            (MIN_WINDOW..=MAX_WINDOW).contains(&window) && (MIN_LOOKAHEAD..window).contains(&lookahead);
        if !known || usize::from(power(window)) > WINDOW {
            return Err(PayloadError::Window);
        }
        (self.window, self.lookahead) = (window, lookahead);
        (self.bits, self.held, self.next, self.head) = (0, 0, Next::Tag, 0);
        self.ring.fill(0);
        Ok(())
    }

    /// Takes bytes off the front of `input` and fills `output`, as far as both go. Returns the bytes given.
    pub(super) fn decode(&mut self, input: &mut &[u8], output: &mut [u8]) -> usize {
        let mut given: usize = 0;
        loop {
            match self.next {
                Next::Tag => match self.take(1, input) {
                    None => return given,
                    Some(0) => self.next = Next::Distance,
                    Some(_) => self.next = Next::Literal,
                },
                Next::Literal => {
                    let Some(to) = output.get_mut(given) else {
                        return given;
                    };
                    let Some(value) = self.take(8, input) else {
                        return given;
                    };
                    let [_, byte] = value.to_be_bytes();
                    *to = byte;
                    self.push(byte);
                    given = given.saturating_add(1);
                    self.next = Next::Tag;
                }
                Next::Distance => {
                    let Some(value) = self.take(self.window, input) else {
                        return given;
                    };
                    let distance = value.saturating_add(1);
                    self.next = Next::Length { distance };
                }
                Next::Length { distance } => {
                    let Some(value) = self.take(self.lookahead, input) else {
                        return given;
                    };
                    let left = value.saturating_add(1);
                    self.next = Next::Repeat { distance, left };
                }
                Next::Repeat { distance, left } => {
                    let room = output.get_mut(given..).unwrap_or_default();
                    let (more, left) = self.repeat(distance, left, room);
                    given = given.saturating_add(more);
                    if left > 0 {
                        self.next = Next::Repeat { distance, left };
                        return given;
                    }
                    self.next = Next::Tag;
                }
            }
        }
    }

    /// Whether the stream may end here: nothing is left but the zero bits that fill the last byte.
    pub(super) fn is_finished(&self) -> bool {
        let begun = match self.next {
            Next::Tag => 0,
            Next::Distance => 1,
            Next::Length { distance: 1 } => self.window.saturating_add(1),
            _ => return false,
        };
        self.bits == 0 && self.held.saturating_add(begun) < 8
    }

    /// | bytes | what |
    /// |---|---|
    /// | 2 | window, lookahead |
    /// | 1, 2 | number of bits held, the bits |
    /// | 1, 2, 2 | what comes next, its distance and length |
    /// | 2 | head |
    /// | 2^window | the window |
    pub(super) fn save(&self, store: &mut Store<'_>) -> Option<()> {
        let (next, distance, left) = match self.next {
            Next::Tag => (0, 0, 0),
            Next::Literal => (1, 0, 0),
            Next::Distance => (2, 0, 0),
            Next::Length { distance } => (3, distance, 0),
            Next::Repeat { distance, left } => (4, distance, left),
        };
        // Fewer bits are held than the longest field has, and that is 15.
        let bits = u16::try_from(self.bits).ok()?;
        store.put(&[self.window, self.lookahead, self.held])?;
        store.put(&bits.to_le_bytes())?;
        store.put(&[next])?;
        for value in [distance, left, self.head] {
            store.put(&value.to_le_bytes())?;
        }
        store.put(self.ring.get(..usize::from(power(self.window)))?)
    }

    /// Returns window and lookahead.
    pub(super) fn restore(&mut self, load: &mut Load<'_>) -> Result<(u8, u8), PayloadError> {
        let [window, lookahead, held] = load.array()?;
        self.start(window, lookahead).map_err(|_| PayloadError::State)?;
        let bits = load.u16()?;
        let [next] = load.array()?;
        let (distance, left, head) = (load.u16()?, load.u16()?, load.u16()?);
        let far = (1..=power(window)).contains(&distance);
        let long = (1..=power(lookahead)).contains(&left);
        self.next = match (next, distance, left) {
            (0, 0, 0) => Next::Tag,
            (1, 0, 0) => Next::Literal,
            (2, 0, 0) => Next::Distance,
            (3, _, 0) if far => Next::Length { distance },
            (4, ..) if far && long => Next::Repeat { distance, left },
            _ => return Err(PayloadError::State),
        };
        if held > MAX_WINDOW || u32::from(bits) > low(held) || head >= power(window) {
            return Err(PayloadError::State);
        }
        (self.bits, self.held, self.head) = (bits.into(), held, head);
        let ring = self.ring.get_mut(..usize::from(power(window)));
        load.fill(ring.ok_or(PayloadError::State)?)?;
        Ok((window, lookahead))
    }

    /// The next `count` bits, at most 15, or `None` when the input has too few. What it has is kept then.
    fn take(&mut self, count: u8, input: &mut &[u8]) -> Option<u16> {
        while self.held < count {
            let (first, rest) = input.split_first()?;
            *input = rest;
            self.bits = (self.bits << 8) | u32::from(*first);
            self.held = self.held.saturating_add(8);
        }
        self.held = self.held.saturating_sub(count);
        let value = self.bits.checked_shr(self.held.into()).unwrap_or(0);
        self.bits &= low(self.held);
        u16::try_from(value).ok()
    }

    /// Repeats into `output`; returns how many bytes and how many are left.
    fn repeat(&mut self, distance: u16, left: u16, output: &mut [u8]) -> (usize, u16) {
        let count = output.len().min(left.into());
        for to in output.iter_mut().take(count) {
            let at = self.head.wrapping_sub(distance) & self.mask();
            let byte = self.ring.get(usize::from(at)).copied().unwrap_or(0);
            *to = byte;
            self.push(byte);
        }
        (count, left.saturating_sub(u16::try_from(count).unwrap_or(left)))
    }

    fn push(&mut self, byte: u8) {
        if let Some(cell) = self.ring.get_mut(usize::from(self.head)) {
            *cell = byte;
        }
        self.head = self.head.wrapping_add(1) & self.mask();
    }

    fn mask(&self) -> u16 {
        power(self.window).wrapping_sub(1)
    }
}

/// 2^`bits`, for at most 15 bits.
fn power(bits: u8) -> u16 {
    1u16.checked_shl(bits.into()).unwrap_or(0)
}

/// The lowest `bits` bits set.
fn low(bits: u8) -> u32 {
    1u32.checked_shl(bits.into()).unwrap_or(0).wrapping_sub(1)
}

/// The bounds of the format.
const MIN_WINDOW: u8 = 4;
const MAX_WINDOW: u8 = 15;
const MIN_LOOKAHEAD: u8 = 3;

#[cfg(test)]
mod tests;
