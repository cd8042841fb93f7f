//! The heatshrink encoder.

/// Sizes of the window and of the longest repetition, as powers of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shrink {
    pub(crate) window: u8,
    pub(crate) lookahead: u8,
}

impl Shrink {
    /// The shortest stream for `bytes`. A literal costs 9 bits and a repetition always the same, so the
    /// cheapest way from each byte to the end is known from those behind it, and of all repetitions only
    /// the longest matters.
    pub(crate) fn encode(self, bytes: &[u8]) -> Vec<u8> {
        let repetition = 1 + u64::from(self.window) + u64::from(self.lookahead);
        let longest = self.repetitions(bytes);
        let mut cost = vec![0; bytes.len() + 1];
        for at in (0..bytes.len()).rev() {
            let literal = 9 + cost[at + 1];
            let (_, len) = longest[at];
            let repeated = repetition + cost[at + len as usize];
            cost[at] = if len > 0 { literal.min(repeated) } else { literal };
        }
        let mut out = Bits::default();
        let mut at = 0;
        while at < bytes.len() {
            let (distance, len) = longest[at];
            if len > 0 && cost[at] == repetition + cost[at + len as usize] {
                out.put(0, 1);
                out.put(distance - 1, self.window);
                out.put(len - 1, self.lookahead);
                at += len as usize;
            } else {
                out.put(1, 1);
                out.put(bytes[at].into(), 8);
                at += 1;
            }
        }
        out.bytes
    }

    /// For each byte, distance and length of the longest repetition that begins there; length 0 for none
    /// of two bytes.
    fn repetitions(self, bytes: &[u8]) -> Vec<(u32, u32)> {
        let (window, most) = (1 << self.window, 1 << self.lookahead);
        // Where two bytes stood last, and for each place where the same two stood before.
        let mut last = vec![usize::MAX; 1 << 16];
        let mut before = vec![usize::MAX; bytes.len()];
        let mut found = vec![(0, 0); bytes.len()];
        for (at, pair) in bytes.windows(2).enumerate() {
            let end = bytes.len().min(at + most);
            let (mut far, mut length) = (0, 0);
            let place = &mut last[usize::from(u16::from_le_bytes([pair[0], pair[1]]))];
            before[at] = std::mem::replace(place, at);
            let mut candidate = before[at];
            while candidate != usize::MAX && at - candidate <= window && length < end - at {
                // Anything longer has to be equal here.
                if bytes[candidate + length] == bytes[at + length] {
                    let same = bytes[candidate..].iter().zip(&bytes[at..end]);
                    let same = same.take_while(|(a, b)| a == b).count();
                    if same > length {
                        (far, length) = (at - candidate, same);
                    }
                }
                candidate = before[candidate];
            }
            // Both are at most 2^15.
            found[at] = (
                u32::try_from(far).unwrap_or(0),
                u32::try_from(length).unwrap_or(0),
            );
        }
        found
    }
}

/// Bits, highest first; the last byte is filled up with zeros.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u8,
}

impl Bits {
    fn put(&mut self, value: u32, count: u8) {
        for bit in (0..count).rev() {
            if self.used == 0 {
                self.bytes.push(0);
            }
            if let Some(byte) = self.bytes.last_mut() {
                *byte |= u8::from((value >> bit) & 1 == 1) << (7 - self.used);
            }
            self.used = (self.used + 1) % 8;
        }
    }
}
