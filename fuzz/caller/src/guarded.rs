use iotsec_ffi::status::{IOTSEC_ERR_SHORT_BUFFER, IOTSEC_OK, iotsec_status_t};

/// Bytes on either side.
const SIDE: usize = 32;
const FILL: u8 = 0xA5;
/// What no call writes as a length.
const UNTOUCHED: usize = usize::MAX - 7;

/// A buffer of the size that is wanted, with bytes beside it that nobody may touch, and the place for its length.
pub(crate) struct Guarded {
    bytes: Vec<u8>,
    len: usize,
}

impl Guarded {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            bytes: vec![FILL; SIDE + size + SIDE],
            len: UNTOUCHED,
        }
    }

    pub(crate) fn at(&mut self) -> *mut u8 {
        // One pointer to all of it, as C has it: what lies beside must be reachable to be hit.
        self.bytes.as_mut_ptr().wrapping_add(SIDE)
    }

    pub(crate) const fn size(&self) -> usize {
        self.bytes.len() - 2 * SIDE
    }

    pub(crate) fn len(&mut self) -> *mut usize {
        &raw mut self.len
    }

    /// Nothing beside it was touched. Gives what is in it.
    pub(crate) fn sides(&self) -> &[u8] {
        let (before, rest) = self.bytes.split_at(SIDE);
        let (buffer, after) = rest.split_at(self.size());
        for side in [before, after] {
            assert!(side.iter().all(|byte| *byte == FILL), "bytes beside a buffer");
        }
        buffer
    }

    /// Holds the call to its word, and gives what it wrote.
    pub(crate) fn judge(&self, status: iotsec_status_t) -> &[u8] {
        let buffer = self.sides();
        match status {
            IOTSEC_OK => &buffer[..self.len],
            IOTSEC_ERR_SHORT_BUFFER => {
                assert!(self.len > self.size(), "{} of {}", self.len, self.size());
                assert!(buffer.iter().all(|byte| *byte == FILL), "refused, and wrote");
                &[]
            }
            _ => {
                assert_eq!(self.len, UNTOUCHED, "status {status}, and a length");
                &[]
            }
        }
    }
}
