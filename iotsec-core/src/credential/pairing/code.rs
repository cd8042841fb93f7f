use super::error::PairingError;
use crate::{credential::is_setup_code, secret::Secret};

/// A set-up code as somebody typed it or a camera read it: eight decimal digits.
///
/// 26.6 bits are too few for anything but counted attempts, which is what a [`PairingWindow`](super::PairingWindow)
/// gives it. Wiped on drop.
///
/// ```
/// use iotsec_core::credential::pairing::{PairingCode, PairingError};
///
/// assert!(PairingCode::parse("2020-2021").is_ok());
/// assert_eq!(PairingCode::parse("1234 5678").err(), Some(PairingError::Code));
/// assert_eq!(PairingCode::parse("2020202").err(), Some(PairingError::Code));
/// ```
pub struct PairingCode(Secret<8>);

impl PairingCode {
    /// Reads a code; spaces and hyphens do not matter. Codes that no label has are refused: eight times one digit,
    /// 12345678 and 87654321 (Matter core specification 1.4 §5.1.7.1).
    ///
    /// # Errors
    /// [`PairingError::Code`].
    pub fn parse(text: &str) -> Result<Self, PairingError> {
        let mut code = Self(Secret::zero());
        let mut digits = text.bytes().filter(|byte| !matches!(byte, b' ' | b'-'));
        for place in code.0.expose_mut() {
            *place = digits.next().ok_or(PairingError::Code)?;
        }
        if digits.next().is_some() || !is_setup_code(code.0.expose()) {
            return Err(PairingError::Code);
        }
        Ok(code)
    }

    pub(super) const fn digits(&self) -> &[u8; 8] {
        self.0.expose()
    }
}

impl core::fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PairingCode(..)")
    }
}
