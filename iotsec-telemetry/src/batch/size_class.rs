/// Bytes of everything around the plaintext but the ciphertext's length: tag and array, protected header,
/// salt, nonce, authentication tag.
const AROUND: usize = 1 + 1 + 5 + 1 + 10 + 14 + 16;

/// The lengths that a sealed batch can have, so that its length tells little about what happened.
///
/// Four steps from 256 bytes on to each power of two, two below: padding costs at most a fifth of the
/// message there, and the length tells one of fifteen sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u16)]
pub enum SizeClass {
    /// 128 bytes: room for one event, whatever it is.
    B128 = 128,
    /// 192 bytes.
    B192 = 192,
    /// 256 bytes.
    B256 = 256,
    /// 320 bytes.
    B320 = 320,
    /// 384 bytes.
    B384 = 384,
    /// 448 bytes.
    B448 = 448,
    /// 512 bytes.
    B512 = 512,
    /// 640 bytes.
    B640 = 640,
    /// 768 bytes.
    B768 = 768,
    /// 896 bytes.
    B896 = 896,
    /// 1024 bytes.
    B1024 = 1024,
    /// 1280 bytes.
    B1280 = 1280,
    /// 1536 bytes.
    B1536 = 1536,
    /// 1792 bytes.
    B1792 = 1792,
    /// 2048 bytes.
    B2048 = 2048,
}

impl SizeClass {
    /// All of them, the shortest first.
    pub const ALL: [Self; 15] = [
        Self::B128,
        Self::B192,
        Self::B256,
        Self::B320,
        Self::B384,
        Self::B448,
        Self::B512,
        Self::B640,
        Self::B768,
        Self::B896,
        Self::B1024,
        Self::B1280,
        Self::B1536,
        Self::B1792,
        Self::B2048,
    ];

    /// Bytes of the sealed message.
    #[expect(clippy::as_conversions, reason = "each is its own length")]
    pub const fn sealed_len(self) -> usize {
        self as usize
    }

    /// Bytes of the plaintext in it, padding included.
    pub const fn plain_len(self) -> usize {
        // The ciphertext's length takes one byte up to 255, and two above.
        let length_len = if self.sealed_len() <= 256 { 2 } else { 3 };
        self.sealed_len()
            .saturating_sub(AROUND)
            .saturating_sub(length_len)
    }

    pub(super) fn of_len(len: usize) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.sealed_len() == len)
    }
}

/// The sizes that a device uses.
///
/// ```
/// use iotsec_telemetry::batch::{SizeClass, Sizes};
///
/// let quiet = Sizes::fixed(SizeClass::B512);
/// assert_eq!(quiet.largest().sealed_len(), 512);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    smallest: SizeClass,
    largest: SizeClass,
}

impl Sizes {
    /// The smallest that fits, up to `largest`.
    pub const fn up_to(largest: SizeClass) -> Self {
        Self {
            smallest: SizeClass::B128,
            largest,
        }
    }

    /// Always the same, so that the length tells nothing at all.
    pub const fn fixed(class: SizeClass) -> Self {
        Self {
            smallest: class,
            largest: class,
        }
    }

    /// The largest.
    pub const fn largest(self) -> SizeClass {
        self.largest
    }

    /// The smallest of them that fits.
    pub(super) fn find(self, fits: impl Fn(SizeClass) -> bool) -> Option<SizeClass> {
        SizeClass::ALL
            .into_iter()
            .find(|class| *class >= self.smallest && *class <= self.largest && fits(*class))
    }
}
