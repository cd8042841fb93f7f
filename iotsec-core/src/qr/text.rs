use super::error::QrError;

/// Writes ASCII and UTF-8 into a slice.
pub(super) struct Text<'b> {
    out: &'b mut [u8],
    len: usize,
}

impl<'b> Text<'b> {
    pub(super) fn new(out: &'b mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    pub(super) fn push(&mut self, byte: u8) -> Result<(), QrError> {
        *self.out.get_mut(self.len).ok_or(QrError::BufferFull)? = byte;
        self.len = self.len.saturating_add(1);
        Ok(())
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), QrError> {
        bytes.iter().try_for_each(|byte| self.push(*byte))
    }

    /// Decimal digits with zeros in front.
    pub(super) fn decimal(&mut self, number: u32, digits: usize) -> Result<(), QrError> {
        let mut text = [b'0'; 10];
        let mut rest = number;
        for place in text.iter_mut().rev() {
            let digit = u8::try_from(rest % 10).unwrap_or(0);
            *place = digit.saturating_add(b'0');
            rest /= 10;
        }
        let skipped = text.len().saturating_sub(digits);
        self.bytes(text.get(skipped..).unwrap_or_default())
    }

    pub(super) fn written(&self) -> &[u8] {
        self.out.get(..self.len).unwrap_or_default()
    }

    pub(super) fn finish(self) -> Result<&'b str, QrError> {
        let bytes = self.out.get(..self.len).ok_or(QrError::BufferFull)?;
        // Whoever wrote bytes cut no character in two.
        core::str::from_utf8(bytes).map_err(|_| QrError::Value)
    }
}

/// Where something stands, for an error.
pub(super) fn position(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

/// A number of decimal digits alone.
pub(super) fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0u32, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })
}
