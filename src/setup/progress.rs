//! What is known of a set-up after a power cut, besides the network.

/// | offset | size | content |
/// |---:|---:|---|
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | bit 0: updates were looked for, bit 1: the identity was accepted |
///
/// In the user domain: it goes with whoever set the device up. Anything else than this is no progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) updated: bool,
    pub(super) identified: bool,
}

const VERSION: u8 = 1;

impl Progress {
    pub(super) const LEN: usize = 2;

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        [VERSION, u8::from(self.updated) | u8::from(self.identified) << 1]
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        match bytes {
            [VERSION, flags @ 0..=3] => Self {
                updated: flags & 1 != 0,
                identified: flags & 2 != 0,
            },
            _ => Self::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_reads_back_and_anything_else_is_none() {
        for updated in [false, true] {
            for identified in [false, true] {
                let progress = Progress { updated, identified };
                assert_eq!(Progress::from_bytes(&progress.to_bytes()), progress);
            }
        }
        for bytes in [&[][..], &[1], &[2, 3], &[1, 4], &[1, 0x83], &[1, 3, 0], &[0, 3]] {
            assert_eq!(Progress::from_bytes(bytes), Progress::default(), "{bytes:?}");
        }
    }
}
