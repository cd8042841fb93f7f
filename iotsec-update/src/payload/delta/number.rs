use crate::payload::{
    PayloadError,
    state::{Load, Store},
};

/// A number of the patch format, as far as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Number {
    magnitude: u32,
    negative: bool,
    /// Bits read.
    bits: u8,
}

impl Number {
    /// Nothing was read.
    pub(super) const START: Self = Self {
        magnitude: 0,
        negative: false,
        bits: 0,
    };

    /// Takes the next byte; the number is there with its last one. Only the shortest form is taken, and
    /// 32 bits.
    pub(super) fn push(&mut self, byte: u8) -> Result<Option<Self>, PayloadError> {
        let (part, width) = match self.bits {
            0 => {
                self.negative = byte & 0x40 != 0;
                (byte & 0x3F, 6)
            }
            _ => (byte & 0x7F, 7),
        };
        let part = u32::from(part);
        let shifted = part.checked_shl(self.bits.into()).unwrap_or(0);
        if shifted.checked_shr(self.bits.into()) != Some(part) {
            return Err(PayloadError::PatchNumber);
        }
        self.magnitude |= shifted;
        let longer = self.bits > 0;
        self.bits = self.bits.saturating_add(width);
        if byte & 0x80 != 0 {
            return if self.bits < 32 {
                Ok(None)
            } else {
                Err(PayloadError::PatchNumber)
            };
        }
        let padded = longer && part == 0;
        let minus_zero = self.negative && self.magnitude == 0;
        if padded || minus_zero {
            return Err(PayloadError::PatchNumber);
        }
        Ok(Some(core::mem::take(self)))
    }

    /// The number where only a size makes sense.
    pub(super) fn size(self) -> Result<u32, PayloadError> {
        if self.negative {
            Err(PayloadError::PatchNumber)
        } else {
            Ok(self.magnitude)
        }
    }

    /// `from` moved by the number.
    pub(super) fn moved(self, from: u32) -> Option<u32> {
        if self.negative {
            from.checked_sub(self.magnitude)
        } else {
            from.checked_add(self.magnitude)
        }
    }

    pub(super) fn save(self, store: &mut Store<'_>) -> Option<()> {
        store.put(&self.magnitude.to_le_bytes())?;
        store.put(&[self.negative.into(), self.bits])
    }

    pub(super) fn restore(load: &mut Load<'_>) -> Result<Self, PayloadError> {
        let magnitude = load.u32()?;
        let [negative, bits] = load.array()?;
        let negative = match negative {
            0 => false,
            1 => true,
            _ => return Err(PayloadError::State),
        };
        let known = matches!(bits, 0 | 6 | 13 | 20 | 27);
        // Only what those bits hold; nothing at all before the first byte.
        let beyond = magnitude.checked_shr(bits.into()).unwrap_or(0);
        if !known || beyond != 0 || (bits == 0 && negative) {
            return Err(PayloadError::State);
        }
        Ok(Self {
            magnitude,
            negative,
            bits,
        })
    }
}

/// A number within CRLE: seven bits a byte, unsigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Length {
    value: u32,
    bits: u8,
}

impl Length {
    pub(super) fn push(&mut self, byte: u8) -> Result<Option<u32>, PayloadError> {
        let part = u32::from(byte & 0x7F);
        let shifted = part.checked_shl(self.bits.into()).unwrap_or(0);
        let padded = self.bits > 0 && byte == 0;
        if padded || shifted.checked_shr(self.bits.into()) != Some(part) {
            return Err(PayloadError::PatchNumber);
        }
        self.value |= shifted;
        self.bits = self.bits.saturating_add(7);
        if byte & 0x80 != 0 {
            return if self.bits < 32 {
                Ok(None)
            } else {
                Err(PayloadError::PatchNumber)
            };
        }
        Ok(Some(core::mem::take(self).value))
    }

    pub(super) fn save(self, store: &mut Store<'_>) -> Option<()> {
        store.put(&self.value.to_le_bytes())?;
        store.put(&[self.bits])
    }

    pub(super) fn restore(load: &mut Load<'_>) -> Result<Self, PayloadError> {
        let value = load.u32()?;
        let [bits] = load.array()?;
        let known = matches!(bits, 0 | 7 | 14 | 21 | 28);
        if !known || value.checked_shr(bits.into()).unwrap_or(0) != 0 {
            return Err(PayloadError::State);
        }
        Ok(Self { value, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<Number>, PayloadError> {
        let mut number = Number::default();
        for (index, byte) in bytes.iter().enumerate() {
            if let Some(whole) = number.push(*byte)? {
                assert_eq!(index + 1, bytes.len());
                return Ok(Some(whole));
            }
        }
        Ok(None)
    }

    #[test]
    fn numbers_as_detools_packs_them() {
        // detools.create.pack_size(n) of version 0.53.0.
        let cases: [(&[u8], i64); 9] = [
            (&[0x00], 0),
            (&[0x3F], 63),
            (&[0x80, 0x01], 64),
            (&[0x41], -1),
            (&[0xC0, 0x01], -64),
            (&[0xA8, 0x0F], 1000),
            (&[0xE8, 0x0F], -1000),
            (&[0xBF, 0xFF, 0xFF, 0xFF, 0x1F], 0xFFFF_FFFF),
            (&[0x80, 0x80, 0x80, 0x80, 0x08], 0x4000_0000),
        ];
        for (bytes, value) in cases {
            let number = read(bytes).unwrap().unwrap();
            let sign = if number.negative { -1 } else { 1 };
            assert_eq!(i64::from(number.magnitude) * sign, value, "{bytes:02x?}");
            assert_eq!(number.size().is_ok(), value >= 0);
        }
    }

    #[test]
    fn other_forms_are_refused() {
        let refused: [&[u8]; 6] = [
            &[0xBF, 0xFF, 0xFF, 0xFF, 0x9F],
            &[0x40],
            &[0x80, 0x00],
            &[0x81, 0x80, 0x00],
            &[0x80, 0x80, 0x80, 0x80, 0x20],
            &[0xBF, 0xFF, 0xFF, 0xFF, 0x9F, 0x01],
        ];
        for bytes in refused {
            assert_eq!(read(bytes), Err(PayloadError::PatchNumber), "{bytes:02x?}");
        }
        let mut length = Length::default();
        assert_eq!(length.push(0x80), Ok(None));
        assert_eq!(length.push(0x00), Err(PayloadError::PatchNumber));
    }
}
