use super::{
    error::QrError,
    matter::{CommissioningFlow, MatterPayload},
    passcode::Passcode,
    text::{Text, number, position},
    verhoeff::check_digit,
};

/// The digits to type where no camera is (Matter core specification 1.4 §5.1.4): 11, or 21 with vendor and product.
///
/// ```text
/// code  = digit 5digit 4digit [ vendor 5digit, product 5digit ] check
/// first = with vendor and product 4, and the upper two bits of the discriminator
/// next  = the two bits after them, and the lower 14 of the passcode; then its upper 13
/// check = Verhoeff's digit
/// ```
///
/// ```
/// use iotsec_core::qr::{MatterCode, QrError};
///
/// let code = MatterCode::parse("3497-011-2332")?;
/// assert_eq!((code.short_discriminator(), code.passcode().expose()), (15, 20202021));
/// let mut out = [0; MatterCode::MAX_LEN];
/// assert_eq!(code.write(&mut out)?, "34970112332");
/// assert_eq!(MatterCode::parse("34970112323").err(), Some(QrError::Check));
/// # Ok::<(), QrError>(())
/// ```
#[derive(Debug)]
pub struct MatterCode {
    short_discriminator: u8,
    passcode: Passcode,
    ids: Option<(u16, u16)>,
}

impl MatterCode {
    /// Bytes of the longest code.
    pub const MAX_LEN: usize = 21;

    /// The code for a payload: with vendor and product unless the flow is the standard one.
    ///
    /// # Errors
    /// None in practice: what a payload holds fits.
    pub fn of(payload: &MatterPayload) -> Result<Self, QrError> {
        let short = u8::try_from(payload.discriminator() >> 8).map_err(|_| QrError::Value)?;
        let ids = (payload.vendor(), payload.product());
        Ok(Self {
            short_discriminator: short,
            passcode: Passcode::new(payload.passcode().expose())?,
            ids: (payload.flow() != CommissioningFlow::Standard).then_some(ids),
        })
    }

    /// The upper four bits of the discriminator.
    pub const fn short_discriminator(&self) -> u8 {
        self.short_discriminator
    }
    /// The passcode.
    pub const fn passcode(&self) -> &Passcode {
        &self.passcode
    }
    /// Vendor and product.
    pub const fn ids(&self) -> Option<(u16, u16)> {
        self.ids
    }

    /// Writes the digits.
    ///
    /// # Errors
    /// [`QrError::BufferFull`]; [`MAX_LEN`](Self::MAX_LEN) bytes are enough.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, QrError> {
        let (short, passcode) = (u32::from(self.short_discriminator), self.passcode.expose());
        let long = if self.ids.is_some() { 4 } else { 0 };
        let mut text = Text::new(out);
        text.decimal(long | short >> 2, 1)?;
        text.decimal((short & 3) << 14 | passcode & 0x3FFF, 5)?;
        text.decimal(passcode >> 14, 4)?;
        if let Some((vendor, product)) = self.ids {
            text.decimal(vendor.into(), 5)?;
            text.decimal(product.into(), 5)?;
        }
        let check = check_digit(text.written());
        text.push(check)?;
        text.finish()
    }

    /// Reads digits as a person types them: spaces and hyphens do not matter.
    ///
    /// # Errors
    /// [`QrError`], by what is wrong.
    pub fn parse(text: &str) -> Result<Self, QrError> {
        let mut digits = [0; Self::MAX_LEN];
        let mut typed = Text::new(&mut digits);
        for (at, byte) in text.bytes().enumerate() {
            match byte {
                b' ' | b'-' => {}
                b'0'..=b'9' => typed.push(byte).map_err(|_| QrError::Length)?,
                _ => {
                    return Err(QrError::Character {
                        position: position(at),
                    });
                }
            }
        }
        let Some((check, body)) = typed.written().split_last() else {
            return Err(QrError::Length);
        };
        let wanted = match body.first() {
            Some(b'0'..=b'3') => 10,
            Some(b'4'..=b'7') => 20,
            // 8 and 9 are for codes of another version.
            Some(_) => return Err(QrError::Unsupported),
            None => return Err(QrError::Length),
        };
        if body.len() != wanted {
            return Err(QrError::Length);
        }
        if check_digit(body) != *check {
            return Err(QrError::Check);
        }
        let field = |from: usize, to: usize| {
            let digits = body.get(from..to).unwrap_or_default();
            number(digits).ok_or(QrError::Value)
        };
        let (first, middle, upper) = (field(0, 1)?, field(1, 6)?, field(6, 10)?);
        if middle > 0xFFFF || upper > 0x1FFF {
            return Err(QrError::Value);
        }
        let short = u16::try_from((first & 3) << 2 | middle >> 14).map_err(|_| QrError::Value)?;
        let id = |from: usize, to: usize| {
            let number = field(from, to)?;
            u16::try_from(number).map_err(|_| QrError::Value)
        };
        Ok(Self {
            short_discriminator: u8::try_from(short).map_err(|_| QrError::Value)?,
            passcode: Passcode::new(upper << 14 | middle & 0x3FFF)?,
            ids: if wanted == 20 {
                Some((id(10, 15)?, id(15, 20)?))
            } else {
                None
            },
        })
    }
}
