use super::{
    check::{self, Limits},
    error::{CborError, Kind},
    head::{self, Head},
};

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// Unsigned integer.
    Uint,
    /// Negative integer.
    Nint,
    /// Byte string.
    Bytes,
    /// Text string.
    Text,
    /// Array.
    Array,
    /// Map.
    Map,
    /// Tag.
    Tag,
    /// `false` or `true`.
    Bool,
    /// `null`.
    Null,
}

/// A map key as this SDK's formats use them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// An integer label.
    Int(i64),
    /// A text label.
    Text(&'a str),
}

/// Walks over an input that was checked as a whole when the reader was made.
///
/// Every method reads the next item and moves past its head; the elements of an array and the keys and
/// values of a map follow as items of their own. A method that fails does not move.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// The outermost input, up to the end of what is read.
    input: &'a [u8],
    pos: usize,
}

impl<'a> Reader<'a> {
    /// Checks that `input` is one item within `limits`, and starts at it.
    ///
    /// # Errors
    /// Whatever [`check()`](super::check()) finds.
    pub fn new(input: &'a [u8], limits: &Limits) -> Result<Self, CborError> {
        check::check(input, limits)?;
        Ok(Self { input, pos: 0 })
    }

    /// Checks a CBOR sequence (RFC 8742) and starts at its first item.
    ///
    /// # Errors
    /// Whatever [`check_sequence`](super::check_sequence) finds.
    pub fn sequence(input: &'a [u8], limits: &Limits) -> Result<Self, CborError> {
        check::check_sequence(input, limits)?;
        Ok(Self { input, pos: 0 })
    }

    /// Offset of the next item in the outermost input.
    pub const fn offset(&self) -> usize {
        self.pos
    }

    /// A reader of the same input that stands at byte `offset` of it, where one stood before: what
    /// [`offset`](Self::offset) told is enough to come back. Elsewhere it reads nonsense or fails.
    #[must_use]
    pub const fn seek(&self, offset: usize) -> Self {
        Self {
            input: self.input,
            pos: offset,
        }
    }

    /// The bytes from the next item to the end: of a reader that was just made by [`embedded`](Self::embedded), the
    /// content of the byte string.
    ///
    /// ```
    /// use iotsec_core::cbor::{Limits, Reader};
    ///
    /// let mut reader = Reader::new(&[0x82, 0x42, 0x81, 0x05, 0x06], &Limits::SMALL)?;
    /// reader.array()?;
    /// assert_eq!(reader.embedded(&Limits::SMALL)?.rest(), [0x81, 0x05]);
    /// assert_eq!(reader.rest(), [0x06]);
    /// # Ok::<(), iotsec_core::cbor::CborError>(())
    /// ```
    pub fn rest(&self) -> &'a [u8] {
        self.input.get(self.pos..).unwrap_or_default()
    }

    /// True after the last item.
    pub fn is_at_end(&self) -> bool {
        self.pos >= self.input.len()
    }

    /// An error at the next item, for the format's own rules.
    // Out of line: it is called from everywhere.
    #[inline(never)]
    pub fn error(&self, kind: Kind) -> CborError {
        CborError::new(kind, self.pos)
    }

    /// The type of the next item.
    ///
    /// # Errors
    /// [`Kind::Truncated`] at the end.
    pub fn peek(&self) -> Result<Type, CborError> {
        let Head { major, value, .. } = self.head()?;
        Ok(match major {
            head::UINT => Type::Uint,
            head::NINT => Type::Nint,
            head::BYTES => Type::Bytes,
            head::TEXT => Type::Text,
            head::ARRAY => Type::Array,
            head::MAP => Type::Map,
            head::TAG => Type::Tag,
            _ if value == head::NULL => Type::Null,
            _ => Type::Bool,
        })
    }

    /// An unsigned integer.
    ///
    /// # Errors
    /// [`Kind::Type`] for anything else.
    pub fn uint(&mut self) -> Result<u64, CborError> {
        self.take(head::UINT)
    }

    /// An integer.
    ///
    /// # Errors
    /// [`Kind::Type`]; [`Kind::Range`] outside `i64`.
    pub fn int(&mut self) -> Result<i64, CborError> {
        let Head { major, value, len } = self.head()?;
        if !matches!(major, head::UINT | head::NINT) {
            return Err(self.error(Kind::Type));
        }
        let value = i64::try_from(value).map_err(|_| self.error(Kind::Range))?;
        let value = if major == head::NINT { !value } else { value };
        self.pos = self.pos.saturating_add(len);
        Ok(value)
    }

    /// An unsigned integer that fits `T`.
    ///
    /// # Errors
    /// [`Kind::Type`]; [`Kind::Range`] when it does not fit.
    pub fn uint_as<T: TryFrom<u64>>(&mut self) -> Result<T, CborError> {
        let start = self.pos;
        let value = T::try_from(self.uint()?);
        value.map_err(|_| self.back(start, Kind::Range))
    }

    /// A byte string.
    ///
    /// # Errors
    /// [`Kind::Type`] for anything else.
    pub fn bytes(&mut self) -> Result<&'a [u8], CborError> {
        self.string(head::BYTES)
    }

    /// A byte string of exactly `N` bytes.
    ///
    /// # Errors
    /// [`Kind::Type`]; [`Kind::Length`] for another length.
    pub fn array_of<const N: usize>(&mut self) -> Result<&'a [u8; N], CborError> {
        let start = self.pos;
        let bytes = self.bytes()?.try_into();
        bytes.map_err(|_| self.back(start, Kind::Length))
    }

    /// A text string.
    ///
    /// # Errors
    /// [`Kind::Type`] for anything else.
    pub fn text(&mut self) -> Result<&'a str, CborError> {
        let start = self.pos;
        let text = self.string(head::TEXT)?;
        core::str::from_utf8(text).map_err(|_| self.seek(start).error(Kind::Utf8))
    }

    /// A byte string that holds one item of its own (`bstr .cbor`), checked under its own limits.
    ///
    /// # Errors
    /// [`Kind::Type`], or what is wrong inside, at its offset in the outermost input.
    pub fn embedded(&mut self, limits: &Limits) -> Result<Self, CborError> {
        let (start, end) = self.bounds(head::BYTES)?;
        let input = self.input.get(..end).unwrap_or_default();
        check::check_from(input, start, limits)?;
        self.pos = end;
        Ok(Self { input, pos: start })
    }

    /// The number of elements of an array; they follow.
    ///
    /// # Errors
    /// [`Kind::Type`] for anything else.
    pub fn array(&mut self) -> Result<u64, CborError> {
        self.take(head::ARRAY)
    }

    /// An array of exactly `len` elements.
    ///
    /// # Errors
    /// [`Kind::Type`]; [`Kind::Length`] for another number.
    pub fn array_len(&mut self, len: u64) -> Result<(), CborError> {
        let start = self.pos;
        if self.array()? == len {
            return Ok(());
        }
        Err(self.back(start, Kind::Length))
    }

    /// The number of entries of a map; keys and values follow, in order.
    ///
    /// # Errors
    /// [`Kind::Type`] for anything else.
    pub fn map(&mut self) -> Result<u64, CborError> {
        self.take(head::MAP)
    }

    /// A map key.
    ///
    /// # Errors
    /// [`Kind::UnknownKey`] for a key that is neither an integer within `i64` nor text.
    pub fn key(&mut self) -> Result<Key<'a>, CborError> {
        match self.peek()? {
            Type::Uint | Type::Nint => self.int().map(Key::Int).map_err(|_| self.error(Kind::UnknownKey)),
            Type::Text => self.text().map(Key::Text),
            _ => Err(self.error(Kind::UnknownKey)),
        }
    }

    /// An integer within `i32`, as the keys and codes of nearly every format are. `None`, and the reader stays
    /// where it is, for anything else: what that means is for the format to say. It takes less code than
    /// [`key`](Self::key) and [`int`](Self::int), which know what is wrong.
    ///
    /// ```
    /// use iotsec_core::cbor::{Limits, Reader};
    ///
    /// let mut reader = Reader::new(&[0xA1, 0x38, 0x1E, 0x61, 0x61], &Limits::SMALL)?;
    /// assert_eq!(reader.map()?, 1);
    /// assert_eq!(reader.label(), Some(-31));
    /// assert_eq!(reader.label(), None);
    /// assert_eq!(reader.text()?, "a");
    /// # Ok::<(), iotsec_core::cbor::CborError>(())
    /// ```
    #[inline(never)]
    pub fn label(&mut self) -> Option<i32> {
        let Head { major, value, len } = self.head().ok()?;
        let value = i32::try_from(value).ok()?;
        let value = match major {
            head::UINT => value,
            head::NINT => !value,
            _ => return None,
        };
        self.pos = self.pos.saturating_add(len);
        Some(value)
    }

    /// The next map key, which must be this small integer: how formats are read whose keys are all there and in order.
    ///
    /// # Errors
    /// [`Kind::MissingKey`] for anything else.
    ///
    /// ```
    /// use iotsec_core::cbor::{Kind, Limits, Reader};
    ///
    /// let mut reader = Reader::new(&[0xA1, 0x02, 0x05], &Limits::SMALL)?;
    /// reader.map()?;
    /// assert_eq!(reader.expect_label(1).err().map(|error| error.kind), Some(Kind::MissingKey));
    /// # Ok::<(), iotsec_core::cbor::CborError>(())
    /// ```
    pub fn expect_label(&mut self, label: i32) -> Result<(), CborError> {
        let missing = self.error(Kind::MissingKey);
        match self.label() {
            Some(found) if found == label => Ok(()),
            _ => Err(missing),
        }
    }

    /// Reads a map, and notes where the value under each of some integer keys stands, for [`seek`](Self::seek) to find
    /// it again: zero for a key that the map does not have. Returns where the first key stands that is none of them,
    /// and zero without one: what that means is for the format to say. Keys come in order, integers within `i32` that
    /// are not negative before all others.
    ///
    /// # Errors
    /// [`Kind::Type`] for anything but a map.
    ///
    /// ```
    /// use iotsec_core::cbor::{Limits, Reader};
    ///
    /// let mut reader = Reader::new(&[0xA3, 0x01, 0x05, 0x03, 0x06, 0x07, 0x00], &Limits::SMALL)?;
    /// let mut places = [0; 3];
    /// assert_eq!(reader.places(&[1, 2, 3], &mut places)?, 5);
    /// assert_eq!(places, [2, 0, 4]);
    /// assert_eq!(reader.seek(places[2]).uint()?, 6);
    /// assert!(reader.is_at_end());
    /// # Ok::<(), iotsec_core::cbor::CborError>(())
    /// ```
    // Out of line: every format is read by it.
    #[inline(never)]
    pub fn places(&mut self, labels: &[i32], places: &mut [usize]) -> Result<usize, CborError> {
        let mut other = 0;
        let mut left = self.take(head::MAP)?;
        while let Some(rest) = left.checked_sub(1) {
            left = rest;
            let at = self.pos;
            let label = self.label();
            if label.is_none() {
                self.skip()?;
            }
            let mut known = labels.iter().zip(&mut *places);
            match known.find(|(known, _)| Some(**known) == label) {
                Some((_, place)) => *place = self.pos,
                None if other == 0 => other = at,
                None => {}
            }
            self.skip()?;
        }
        Ok(other)
    }

    /// A tag number; the tagged item follows.
    ///
    /// # Errors
    /// [`Kind::Type`] for anything else.
    pub fn tag(&mut self) -> Result<u64, CborError> {
        self.take(head::TAG)
    }

    /// A boolean.
    ///
    /// # Errors
    /// [`Kind::Type`] for anything else.
    pub fn bool(&mut self) -> Result<bool, CborError> {
        if self.peek()? != Type::Bool {
            return Err(self.error(Kind::Type));
        }
        Ok(self.simple()? == head::TRUE)
    }

    /// `null`.
    ///
    /// # Errors
    /// [`Kind::Type`] for anything else.
    pub fn null(&mut self) -> Result<(), CborError> {
        if self.peek()? != Type::Null {
            return Err(self.error(Kind::Type));
        }
        self.simple()?;
        Ok(())
    }

    /// Moves past the next item with everything in it, and returns its encoding.
    ///
    /// # Errors
    /// [`Kind::Truncated`] at the end.
    pub fn skip(&mut self) -> Result<&'a [u8], CborError> {
        let start = self.pos;
        let mut left = 1usize;
        while left > 0 {
            let Head { major, value, len } = self.head()?;
            // What was checked has no more bytes and items than fit the input.
            let value = usize::try_from(value).unwrap_or(usize::MAX);
            let (body, items) = match major {
                head::BYTES | head::TEXT => (value, 0),
                head::ARRAY => (0, value),
                head::MAP => (0, value.saturating_mul(2)),
                head::TAG => (0, 1),
                _ => (0, 0),
            };
            left = left.saturating_sub(1).saturating_add(items);
            self.pos = self.pos.saturating_add(len).saturating_add(body);
        }
        self.input.get(start..self.pos).ok_or(self.error(Kind::Truncated))
    }

    /// Nothing may follow.
    ///
    /// # Errors
    /// [`Kind::Length`] when items remain.
    pub fn finish(&self) -> Result<(), CborError> {
        if self.is_at_end() {
            Ok(())
        } else {
            Err(self.error(Kind::Length))
        }
    }

    /// An error at `start`, where it goes back to.
    fn back(&mut self, start: usize, kind: Kind) -> CborError {
        self.pos = start;
        self.error(kind)
    }

    /// Moves only when `read` succeeds.
    fn head(&self) -> Result<Head, CborError> {
        head::read(self.input, self.pos)
    }

    fn take(&mut self, wanted: u8) -> Result<u64, CborError> {
        let Head { major, value, len } = self.head()?;
        if major != wanted {
            return Err(self.error(Kind::Type));
        }
        self.pos = self.pos.saturating_add(len);
        Ok(value)
    }

    fn simple(&mut self) -> Result<u64, CborError> {
        self.take(head::SIMPLE)
    }

    fn string(&mut self, wanted: u8) -> Result<&'a [u8], CborError> {
        let (start, end) = self.bounds(wanted)?;
        self.pos = end;
        Ok(self.input.get(start..end).unwrap_or_default())
    }

    /// Where the content of the string here lies in the input.
    fn bounds(&self, wanted: u8) -> Result<(usize, usize), CborError> {
        let Head { major, value, len } = self.head()?;
        if major != wanted {
            return Err(self.error(Kind::Type));
        }
        let start = self.pos.saturating_add(len);
        let end = usize::try_from(value).ok().and_then(|n| start.checked_add(n));
        let end = end.filter(|end| *end <= self.input.len());
        Ok((start, end.ok_or(self.error(Kind::Truncated))?))
    }
}
