//! What is known of a set-up after a power cut, besides the network.

/// | offset | size | content |
/// |---:|---:|---|
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | bit 0: updates were looked for, bit 1: the identity was accepted |
/// | 2 | 4 | the device's life in which that was, between two erasures |
///
/// Anything else than this, and that of another life, is no progress.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) updated: bool,
    pub(super) identified: bool,
}

const VERSION: u8 = 1;

impl Progress {
    pub(super) const LEN: usize = 6;

    pub(super) fn to_bytes(self, [a, b, c, d]: [u8; 4]) -> [u8; Self::LEN] {
        let flags = u8::from(self.updated) | u8::from(self.identified) << 1;
        [VERSION, flags, a, b, c, d]
    }

    pub(super) fn from_bytes(bytes: &[u8], life: [u8; 4]) -> Self {
        match bytes {
            [VERSION, flags @ 0..=3, of @ ..] if *of == life => Self {
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

    const LIFE: [u8; 4] = [2, 0, 0, 1];

    #[test]
    fn progress_reads_back_and_anything_else_is_none() {
        for updated in [false, true] {
            for identified in [false, true] {
                let progress = Progress { updated, identified };
                let bytes = progress.to_bytes(LIFE);
                assert_eq!(Progress::from_bytes(&bytes, LIFE), progress);
                assert_eq!(Progress::from_bytes(&bytes, [3, 0, 0, 1]), Progress::default());
            }
        }
        let strange: [&[u8]; 6] = [
            &[],
            &[1, 3],
            &[2, 3, 2, 0, 0, 1],
            &[1, 4, 2, 0, 0, 1],
            &[1, 3, 2, 0, 0],
            &[1, 3, 2, 0, 0, 1, 0],
        ];
        for bytes in strange {
            assert_eq!(
                Progress::from_bytes(bytes, LIFE),
                Progress::default(),
                "{bytes:?}"
            );
        }
    }
}
