use super::{
    blocklist::MAX_BYTES,
    password::{DevicePassword, Exposure, PasswordError},
    symbol::{self, Symbols},
};
use crate::{
    error::{ErrorCode, Fault},
    secret::Secret,
};

/// The text of a [`DevicePassword`], for the printer: groups of four with hyphens, the check symbol in
/// a group of its own at the end. Wiped on drop.
///
/// ```text
/// label   = 3group check / 4group check
/// group   = 4symbol "-"
/// symbol  = %x30-39 / %x41-48 / "J" / "K" / "M" / "N" / %x50-54 / %x56-5A   ; Crockford base 32
/// check   = symbol        ; Σ α^(i+1)·dᵢ in GF(2^5), α a root of x^5 + x^2 + 1
/// ```
pub struct Label {
    text: Secret<{ Self::MAX_LEN }>,
    len: usize,
}

impl Label {
    /// Bytes of the longest label: 16 symbols, four hyphens, one check symbol.
    pub const MAX_LEN: usize = 21;

    /// The text. Every use of this is a place to review.
    pub fn as_str(&self) -> &str {
        let text = self.text.expose().get(..self.len).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(place) = self.text.expose_mut().get_mut(self.len) {
            *place = byte;
            self.len = self.len.saturating_add(1);
        }
    }
}

impl core::fmt::Debug for Label {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Label(..)")
    }
}

impl DevicePassword {
    /// The text to print.
    pub fn label(&self) -> Label {
        let mut label = Label {
            text: Secret::zero(),
            len: 0,
        };
        for group in self.symbols().chunks(4) {
            for symbol in group {
                label.push(symbol::encode(*symbol));
            }
            label.push(b'-');
        }
        label.push(symbol::encode(symbol::check_symbol(self.symbols())));
        label
    }
}

/// What somebody typed to get in. Good for one thing: to be compared by a
/// [`Login`](super::Login) or, with a permit, by a [`Verifier`](super::Verifier).
///
/// ```
/// use iotsec_core::credential::{Attempt, LabelError};
///
/// assert!(Attempt::from_label("k2m4 p6r8 tov3 6").is_ok());
/// assert_eq!(Attempt::from_label("K2M4-P6R8-T0V3-M").err(), Some(LabelError::Check));
/// assert_eq!(
///     Attempt::from_label("K2M4-U6R8-T0V3-6").err(),
///     Some(LabelError::Character { position: 5 })
/// );
/// ```
///
/// It never becomes a password that a device would be set up with:
/// ```compile_fail,E0308
/// use iotsec_core::credential::{Attempt, DevicePassword};
///
/// let password: DevicePassword = Attempt::from_label("K2M4-P6R8-T0V3-6").unwrap();
/// ```
pub struct Attempt<'a>(Typed<'a>);

enum Typed<'a> {
    Code(Symbols),
    Text(&'a str),
}

impl<'a> Attempt<'a> {
    /// Reads a label as a person types it: case, hyphens and spaces do not matter, `O` reads as `0`,
    /// `I` and `L` as `1`. The check symbol is required and catches every single wrong symbol and every
    /// swap of two.
    ///
    /// A label that does not read is a slip of the hand. It cannot be the password of any device, so it
    /// costs no attempt.
    ///
    /// # Errors
    /// [`LabelError`], with the position where there is one.
    pub fn from_label(text: &str) -> Result<Self, LabelError> {
        let mut symbols = Symbols::empty();
        let mut last = None;
        for (position, character) in text.chars().enumerate() {
            if matches!(character, '-' | ' ') {
                continue;
            }
            let position = u16::try_from(position).unwrap_or(u16::MAX);
            let symbol = symbol::decode(character).ok_or(LabelError::Character { position })?;
            // The symbol before this one turns out not to be the check symbol.
            if let Some(before) = last.replace(symbol)
                && !symbols.push(before)
            {
                return Err(LabelError::TooLong { position });
            }
        }
        let count = symbols.as_slice().len();
        let check = last.ok_or(LabelError::TooShort)?;
        if count < Exposure::Online.symbols() {
            return Err(LabelError::TooShort);
        }
        if count != Exposure::Online.symbols() && count != Exposure::Offline.symbols() {
            return Err(LabelError::Length);
        }
        if symbol::check_symbol(symbols.as_slice()) != check {
            return Err(LabelError::Check);
        }
        Ok(Self(Typed::Code(symbols)))
    }

    /// Takes a text as a person chose it, unchanged.
    ///
    /// # Errors
    /// [`PasswordError::TooLong`] beyond [`UserPassword::MAX_BYTES`](super::UserPassword::MAX_BYTES),
    /// which no chosen password exceeds.
    pub fn from_text(text: &'a str) -> Result<Self, PasswordError> {
        if text.len() > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        Ok(Self(Typed::Text(text)))
    }

    /// The bytes to authenticate, and whether they are symbols of a code.
    pub(super) fn material(&self) -> (&[u8], bool) {
        match &self.0 {
            Typed::Code(symbols) => (symbols.as_slice(), true),
            Typed::Text(text) => (text.as_bytes(), false),
        }
    }
}

impl core::fmt::Debug for Attempt<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Attempt(..)")
    }
}

/// Why a typed label does not read. Safe to show to the person who typed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LabelError {
    /// A character that is on no label.
    #[error("no such character on a label, at {position}")]
    Character {
        /// Characters before it in the text as typed.
        position: u16,
    },
    /// Symbols are missing.
    #[error("label too short")]
    TooShort,
    /// The label should have ended before this symbol.
    #[error("label too long, at {position}")]
    TooLong {
        /// Characters before it in the text as typed.
        position: u16,
    },
    /// Neither 13 nor 17 symbols with the check symbol: too many for the short label, too few for the
    /// long one.
    #[error("wrong number of symbols")]
    Length,
    /// The check symbol does not fit: a symbol is wrong, or two are swapped.
    #[error("check symbol does not fit")]
    Check,
}

impl ErrorCode for LabelError {
    fn code(&self) -> u16 {
        match self {
            Self::Character { .. } => 1301,
            Self::TooShort => 1302,
            Self::TooLong { .. } => 1303,
            Self::Length => 1304,
            Self::Check => 1305,
        }
    }

    fn fault(&self) -> Fault {
        Fault::Input
    }
}
