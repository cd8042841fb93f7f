use super::error::QrError;
use crate::{credential::is_setup_code, secret::Secret};

/// A Matter passcode: 1 to 99999998, without the ones that everybody tries (core specification 1.4 §5.1.7). Wiped on
/// drop, and `Debug` shows nothing.
pub struct Passcode(Secret<4>);

impl Passcode {
    /// Takes a number.
    ///
    /// # Errors
    /// [`QrError::Value`] for one that no device may have.
    pub fn new(number: u32) -> Result<Self, QrError> {
        let mut digits = [0; 8];
        let mut text = super::text::Text::new(&mut digits);
        text.decimal(number, 8)?;
        if number > 99_999_998 || !is_setup_code(&digits) {
            return Err(QrError::Value);
        }
        Ok(Self(Secret::from_bytes(number.to_be_bytes())))
    }

    /// The number. Every use of this is a place to review.
    pub const fn expose(&self) -> u32 {
        u32::from_be_bytes(*self.0.expose())
    }

    /// Equality in constant time.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0)
    }
}

impl core::fmt::Debug for Passcode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Passcode(..)")
    }
}
