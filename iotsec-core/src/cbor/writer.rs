use super::{
    error::{CborError, Kind},
    head,
};

/// Writes deterministic CBOR into a slice.
///
/// Heads are always in shortest form. The caller announces the number of elements or entries and
/// writes map keys in bytewise order; what is written can be checked with [`check()`](super::check()).
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut [u8],
    pos: usize,
}

impl<'b> Writer<'b> {
    /// Starts at the beginning of `out`.
    pub fn new(out: &'b mut [u8]) -> Self {
        Self { out, pos: 0 }
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.pos
    }

    /// True before the first write.
    pub fn is_empty(&self) -> bool {
        self.pos == 0
    }

    /// What was written.
    ///
    /// # Errors
    /// None in practice: the writer never passes the end of its buffer.
    pub fn finish(self) -> Result<&'b [u8], CborError> {
        let full = CborError::new(Kind::BufferFull, self.pos);
        self.out.get(..self.pos).ok_or(full)
    }

    /// An unsigned integer.
    ///
    /// # Errors
    /// [`Kind::BufferFull`], as every method here; the offset is where the item would have started.
    pub fn uint(&mut self, value: u64) -> Result<&mut Self, CborError> {
        self.head(head::UINT, value)
    }

    /// An integer.
    ///
    /// # Errors
    /// [`Kind::BufferFull`].
    pub fn int(&mut self, value: i64) -> Result<&mut Self, CborError> {
        match u64::try_from(value) {
            Ok(value) => self.head(head::UINT, value),
            Err(_) => self.head(head::NINT, (!value).unsigned_abs()),
        }
    }

    /// A byte string.
    ///
    /// # Errors
    /// [`Kind::BufferFull`].
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<&mut Self, CborError> {
        self.string(head::BYTES, bytes)
    }

    /// A text string.
    ///
    /// # Errors
    /// [`Kind::BufferFull`].
    pub fn text(&mut self, text: &str) -> Result<&mut Self, CborError> {
        self.string(head::TEXT, text.as_bytes())
    }

    /// The head of an array; `len` elements follow.
    ///
    /// # Errors
    /// [`Kind::BufferFull`].
    pub fn array(&mut self, len: u64) -> Result<&mut Self, CborError> {
        self.head(head::ARRAY, len)
    }

    /// The head of a map; `len` keys and values follow.
    ///
    /// # Errors
    /// [`Kind::BufferFull`].
    pub fn map(&mut self, len: u64) -> Result<&mut Self, CborError> {
        self.head(head::MAP, len)
    }

    /// A tag; the tagged item follows.
    ///
    /// # Errors
    /// [`Kind::BufferFull`].
    pub fn tag(&mut self, tag: u64) -> Result<&mut Self, CborError> {
        self.head(head::TAG, tag)
    }

    /// A boolean.
    ///
    /// # Errors
    /// [`Kind::BufferFull`].
    pub fn bool(&mut self, value: bool) -> Result<&mut Self, CborError> {
        self.head(head::SIMPLE, if value { head::TRUE } else { head::FALSE })
    }

    /// `null`.
    ///
    /// # Errors
    /// [`Kind::BufferFull`].
    pub fn null(&mut self) -> Result<&mut Self, CborError> {
        self.head(head::SIMPLE, head::NULL)
    }

    /// Items that are encoded already.
    ///
    /// # Errors
    /// [`Kind::BufferFull`].
    pub fn raw(&mut self, encoded: &[u8]) -> Result<&mut Self, CborError> {
        let full = CborError::new(Kind::BufferFull, self.pos);
        let end = self.pos.checked_add(encoded.len()).ok_or(full)?;
        self.out
            .get_mut(self.pos..end)
            .ok_or(full)?
            .copy_from_slice(encoded);
        self.pos = end;
        Ok(self)
    }

    /// A byte string around what `content` writes (`bstr .cbor`).
    ///
    /// # Errors
    /// [`Kind::BufferFull`], or the error of `content`.
    pub fn embedded<E: From<CborError>>(
        &mut self,
        content: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<&mut Self, E> {
        let full = CborError::new(Kind::BufferFull, self.pos);
        let start = self.pos;
        let mut inner = Writer::new(self.out.get_mut(start..).ok_or(full)?);
        content(&mut inner)?;
        let len = inner.pos;
        // The length is known only now: make room for its head in front of the content.
        let (head, head_len) = head::encode(head::BYTES, u64::try_from(len).unwrap_or(u64::MAX));
        let end = start.checked_add(len).and_then(|n| n.checked_add(head_len));
        let end = end.filter(|end| *end <= self.out.len()).ok_or(full)?;
        let place = self.out.get_mut(start..end).ok_or(full)?;
        for index in (0..len).rev() {
            let byte = place.get(index).copied().unwrap_or_default();
            if let Some(to) = index.checked_add(head_len).and_then(|index| place.get_mut(index)) {
                *to = byte;
            }
        }
        for (to, from) in place.iter_mut().zip(head.iter().take(head_len)) {
            *to = *from;
        }
        self.pos = end;
        Ok(self)
    }

    /// A byte string of `len` bytes that `fill` writes in place, such as a ciphertext.
    ///
    /// # Errors
    /// [`Kind::BufferFull`], or the error of `fill`.
    pub fn bytes_with<E: From<CborError>>(
        &mut self,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<&mut Self, E> {
        let full = CborError::new(Kind::BufferFull, self.pos);
        let start = self.pos;
        self.head(head::BYTES, u64::try_from(len).map_err(|_| full)?)?;
        let end = self.pos.checked_add(len).ok_or(full)?;
        match self.out.get_mut(self.pos..end) {
            Some(place) => fill(place)?,
            None => {
                self.pos = start;
                return Err(full.into());
            }
        }
        self.pos = end;
        Ok(self)
    }

    fn string(&mut self, major: u8, bytes: &[u8]) -> Result<&mut Self, CborError> {
        let full = CborError::new(Kind::BufferFull, self.pos);
        let len = u64::try_from(bytes.len()).map_err(|_| full)?;
        let start = self.pos;
        self.head(major, len)?;
        if self.raw(bytes).is_err() {
            self.pos = start;
            return Err(full);
        }
        Ok(self)
    }

    fn head(&mut self, major: u8, value: u64) -> Result<&mut Self, CborError> {
        let (bytes, len) = head::encode(major, value);
        self.raw(bytes.get(..len).unwrap_or_default())
    }
}
