use super::{Base, Decode, Decoded, Encoding, PayloadError, Saved, Transport};

/// The payload is the image.
///
/// ```
/// use iotsec_update::payload::{Decode, Plain, Transport};
///
/// let mut decoder = Plain::default();
/// decoder.begin(&Transport::plain(5), 5)?;
/// let mut image = [0; 8];
/// let step = decoder.decode(b"hello", &mut image, &mut &b""[..])?;
/// assert_eq!((step.taken, step.given), (5, 5));
/// decoder.end()?;
/// # Ok::<(), iotsec_update::payload::PayloadError>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Plain {
    size: u32,
    at: u32,
}

impl Decode for Plain {
    fn begin(&mut self, transport: &Transport<'_>, image_size: u32) -> Result<(), PayloadError> {
        if transport.encoding != Encoding::Plain || transport.encryption.is_some() {
            return Err(PayloadError::Encoding);
        }
        *self = Self {
            size: image_size,
            at: 0,
        };
        Ok(())
    }

    fn decode(
        &mut self,
        input: &[u8],
        output: &mut [u8],
        _base: &mut dyn Base,
    ) -> Result<Decoded, PayloadError> {
        let room = usize::try_from(self.size.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = input.len().min(output.len()).min(room);
        if count == 0 && !input.is_empty() && !output.is_empty() {
            return Err(PayloadError::TooLong);
        }
        let (Some(to), Some(from)) = (output.get_mut(..count), input.get(..count)) else {
            return Err(PayloadError::TooLong);
        };
        to.copy_from_slice(from);
        self.at = u32::try_from(count).map_or(u32::MAX, |count| self.at.saturating_add(count));
        Ok(Decoded {
            taken: count,
            given: count,
        })
    }

    fn end(&mut self) -> Result<(), PayloadError> {
        if self.at == self.size {
            Ok(())
        } else {
            Err(PayloadError::TooShort)
        }
    }

    fn save(&self, state: &mut [u8]) -> Option<Saved> {
        let bytes = self.at.to_le_bytes();
        state.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        Some(Saved {
            len: bytes.len(),
            payload_offset: self.at,
        })
    }

    fn restore(&mut self, state: &[u8]) -> Result<u32, PayloadError> {
        let at = state.try_into().map(u32::from_le_bytes);
        self.at = at.ok().filter(|at| *at <= self.size).ok_or(PayloadError::State)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_no_more_than_the_image_and_notices_less() {
        let mut plain = Plain::default();
        plain.begin(&Transport::plain(3), 3).unwrap();
        let mut out = [0; 8];
        assert_eq!(plain.decode(b"ab", &mut out, &mut &b""[..]).unwrap().given, 2);
        assert_eq!(plain.end(), Err(PayloadError::TooShort));
        let mut state = [0; 8];
        let saved = plain.save(&mut state).unwrap();
        assert_eq!((saved.len, saved.payload_offset), (4, 2));
        assert_eq!(plain.decode(b"cd", &mut out, &mut &b""[..]).unwrap().given, 1);
        assert_eq!(
            plain.decode(b"d", &mut out, &mut &b""[..]),
            Err(PayloadError::TooLong)
        );
        assert_eq!(plain.end(), Ok(()));
        assert_eq!(plain.restore(&state[..4]), Ok(2));
        assert_eq!(plain.restore(&[9, 0, 0, 0]), Err(PayloadError::State));
    }

    #[test]
    fn refuses_what_it_cannot_decode() {
        let patch = Transport {
            encoding: Encoding::Delta {
                base: &[0; 32],
                base_size: 1,
            },
            ..Transport::plain(3)
        };
        assert_eq!(Plain::default().begin(&patch, 3), Err(PayloadError::Encoding));
        let encrypted = Transport {
            encryption: Some(b""),
            ..Transport::plain(3)
        };
        assert_eq!(Plain::default().begin(&encrypted, 3), Err(PayloadError::Encoding));
    }
}
