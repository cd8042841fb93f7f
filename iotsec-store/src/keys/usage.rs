/// What a key may be used for: a set.
///
/// ```
/// use iotsec_store::keys::KeyUsage;
///
/// const BOTH: KeyUsage = KeyUsage::ENCRYPT.and(KeyUsage::DECRYPT);
/// assert_eq!(BOTH, KeyUsage::ENCRYPT | KeyUsage::DECRYPT);
/// assert!(BOTH.contains(KeyUsage::DECRYPT) && !BOTH.contains(KeyUsage::EXPORT));
/// assert_eq!(format!("{BOTH:?}"), "KeyUsage(ENCRYPT | DECRYPT)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// Make signatures, or MACs.
    pub const SIGN: Self = Self(1);
    /// Check signatures, or MACs.
    pub const VERIFY: Self = Self(1 << 1);
    /// Make other stored keys of it.
    pub const DERIVE: Self = Self(1 << 2);
    /// Encrypt.
    pub const ENCRYPT: Self = Self(1 << 3);
    /// Decrypt.
    pub const DECRYPT: Self = Self(1 << 4);
    /// Store other keys that are wrapped under it.
    pub const UNWRAP: Self = Self(1 << 5);
    /// Leave the store.
    pub const EXPORT: Self = Self(1 << 6);
    /// What it derives or unwraps may leave the store.
    pub const REVEAL: Self = Self(1 << 7);

    const NAMES: [(Self, &str); 8] = [
        (Self::SIGN, "SIGN"),
        (Self::VERIFY, "VERIFY"),
        (Self::DERIVE, "DERIVE"),
        (Self::ENCRYPT, "ENCRYPT"),
        (Self::DECRYPT, "DECRYPT"),
        (Self::UNWRAP, "UNWRAP"),
        (Self::EXPORT, "EXPORT"),
        (Self::REVEAL, "REVEAL"),
    ];

    /// This and `other`.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether everything in `other` is in it.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether anything in `other` is in it.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// What is left of it when a key is the previous one: it finishes what was begun, and begins nothing.
    pub(super) const fn of_previous(self) -> Self {
        Self(self.0 & (Self::VERIFY.0 | Self::DECRYPT.0))
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn code(self) -> u16 {
        self.0
    }

    pub(super) const fn from_code(code: u16) -> Self {
        Self(code)
    }
}

impl core::ops::BitOr for KeyUsage {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        self.and(other)
    }
}

impl core::fmt::Debug for KeyUsage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeyUsage(")?;
        let mut gap = "";
        for (_, name) in Self::NAMES.iter().filter(|(usage, _)| self.contains(*usage)) {
            f.write_str(gap)?;
            f.write_str(name)?;
            gap = " | ";
        }
        f.write_str(")")
    }
}
