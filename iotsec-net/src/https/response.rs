use super::{Head, HttpsError};

/// Answers below 200 that are passed over before the one that counts (RFC 9110 §15.2). One or two are known.
const MAX_INTERIM: u8 = 4;
/// Digits of the length of a chunk: 2^60 bytes.
const MAX_CHUNK_DIGITS: u8 = 15;

/// Reads one answer (RFC 9112 §4), whatever pieces it comes in. `H` is the most bytes that its head may have; 4,096
/// do for object stores and content delivery networks.
///
/// ```
/// use iotsec_net::https::{Event, Response};
///
/// let mut response = Response::<1024>::new(100);
/// let (mut bytes, mut content) = (&b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"[..], Vec::new());
/// loop {
///     let (used, event) = response.take(bytes)?;
///     bytes = &bytes[used..];
///     match event {
///         Event::Head(head) => assert_eq!((head.status, head.length), (200, Some(5))),
///         Event::Body(part) => content.extend_from_slice(part),
///         Event::More => panic!("the server has to send more"),
///         Event::End => break,
///     }
/// }
/// assert_eq!(content, b"hello");
/// # Ok::<(), iotsec_net::https::HttpsError>(())
/// ```
#[derive(Debug)]
pub struct Response<const H: usize> {
    head: [u8; H],
    filled: usize,
    state: State,
    /// Bytes of content that may still come.
    budget: u64,
    interim: u8,
}

/// What the bytes were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'b> {
    /// Not enough for anything: bring more.
    More,
    /// The head.
    Head(Head),
    /// A part of the content, never empty.
    Body(&'b [u8]),
    /// The answer is complete. What follows in the buffer is not part of it.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    /// So many bytes of content are left.
    Length(u64),
    ChunkSize {
        value: u64,
        digits: u8,
    },
    ChunkSizeEnd {
        value: u64,
    },
    ChunkData(u64),
    ChunkDataLf,
    LastCr,
    LastLf,
    UntilClose,
    End,
    /// The end was told, or an error.
    Over,
}

impl<const H: usize> Response<H> {
    /// An answer whose content has at most `limit` bytes.
    pub const fn new(limit: u64) -> Self {
        Self {
            head: [0; H],
            filled: 0,
            state: State::Head,
            budget: limit,
            interim: 0,
        }
    }

    /// Takes bytes from the connection: how many it used, and what they were. Call it again with the rest, also with
    /// nothing, until it says [`Event::More`] or [`Event::End`].
    ///
    /// # Errors
    /// [`HttpsError`]; the connection is of no use then.
    pub fn take<'b>(&mut self, bytes: &'b [u8]) -> Result<(usize, Event<'b>), HttpsError> {
        let result = self.step(bytes);
        if matches!(result, Err(_) | Ok((_, Event::End))) {
            self.state = State::Over;
        }
        result
    }

    /// The connection has ended: whether the answer was complete.
    ///
    /// # Errors
    /// [`HttpsError::Truncated`] if not.
    pub const fn closed(&mut self) -> Result<(), HttpsError> {
        let complete = matches!(self.state, State::UntilClose | State::End | State::Over);
        self.state = State::Over;
        if complete {
            Ok(())
        } else {
            Err(HttpsError::Truncated)
        }
    }

    /// Where a server points that answers with [`HttpsError::Redirect`]: text that nobody has checked.
    pub fn location(&self, head: &Head) -> Option<&[u8]> {
        let (start, len) = head.location?;
        self.head.get(start..start.checked_add(len)?)
    }

    fn step<'b>(&mut self, bytes: &'b [u8]) -> Result<(usize, Event<'b>), HttpsError> {
        let mut used: usize = 0;
        loop {
            match self.state {
                State::Over => return Err(HttpsError::Over),
                State::End | State::Length(0) => return Ok((used, Event::End)),
                _ => {}
            }
            let rest = bytes.get(used..).unwrap_or_default();
            match self.state {
                // Not before the head was told: what a server says of an error is longer than what was asked for.
                State::Length(left) if left > self.budget => return Err(HttpsError::TooLong),
                State::Length(left) => return self.body(rest, left, used, State::Length),
                State::ChunkData(left) if left > 0 => return self.body(rest, left, used, State::ChunkData),
                State::UntilClose => return self.body(rest, u64::MAX, used, |_| State::UntilClose),
                _ => {}
            }
            let Some(byte) = rest.first() else {
                return Ok((used, Event::More));
            };
            if self.state == State::Head {
                if let Some(head) = self.head_byte(*byte)? {
                    return Ok((used.saturating_add(1), Event::Head(head)));
                }
            } else {
                self.state = self.chunk_byte(*byte)?;
            }
            used = used.saturating_add(1);
        }
    }

    fn body<'b>(
        &mut self,
        rest: &'b [u8],
        left: u64,
        used: usize,
        next: fn(u64) -> State,
    ) -> Result<(usize, Event<'b>), HttpsError> {
        let fits = usize::try_from(left).unwrap_or(usize::MAX);
        let part = rest.get(..fits).unwrap_or(rest);
        if part.is_empty() {
            return Ok((used, Event::More));
        }
        let len = u64::try_from(part.len()).unwrap_or(u64::MAX);
        self.budget = self.budget.checked_sub(len).ok_or(HttpsError::TooLong)?;
        self.state = next(left.saturating_sub(len));
        Ok((used.saturating_add(part.len()), Event::Body(part)))
    }

    fn head_byte(&mut self, byte: u8) -> Result<Option<Head>, HttpsError> {
        let place = self.head.get_mut(self.filled).ok_or(HttpsError::HeadTooLarge)?;
        *place = byte;
        self.filled = self.filled.saturating_add(1);
        let bytes = self.head.get(..self.filled).unwrap_or_default();
        // A lone line feed ends a line for some and not for others (RFC 9112 §2.2).
        if byte == b'\n' && !bytes.ends_with(b"\r\n") {
            return Err(HttpsError::Malformed);
        }
        if !bytes.ends_with(b"\r\n\r\n") {
            return Ok(None);
        }
        let head = Head::parse(bytes)?;
        self.filled = 0;
        if head.status < 200 {
            self.interim = self.interim.saturating_add(1);
            // 101 would turn the connection into something else.
            let passed = head.status != 101 && self.interim <= MAX_INTERIM;
            return if passed { Ok(None) } else { Err(HttpsError::Status) };
        }
        self.state = match head.length {
            _ if head.is_bare() => State::End,
            _ if head.chunked => State::CHUNK,
            Some(length) => State::Length(length),
            None => State::UntilClose,
        };
        Ok(Some(head))
    }

    fn chunk_byte(&self, byte: u8) -> Result<State, HttpsError> {
        let malformed = Err(HttpsError::Malformed);
        Ok(match (self.state, byte) {
            (State::ChunkSize { value, digits: 1.. }, b'\r') => State::ChunkSizeEnd { value },
            // An extension (RFC 9112 §7.1.1) would be for those who know it.
            (State::ChunkSize { digits: 1.., .. }, b';') => return Err(HttpsError::Encoding),
            (State::ChunkSize { value, digits }, byte) => {
                let digit = match byte {
                    b'0'..=b'9' => byte.wrapping_sub(b'0'),
                    b'a'..=b'f' => byte.wrapping_sub(b'a').wrapping_add(10),
                    b'A'..=b'F' => byte.wrapping_sub(b'A').wrapping_add(10),
                    _ => return malformed,
                };
                if digits >= MAX_CHUNK_DIGITS {
                    return malformed;
                }
                let value = value.wrapping_shl(4) | u64::from(digit);
                if value > self.budget {
                    return Err(HttpsError::TooLong);
                }
                State::ChunkSize {
                    value,
                    digits: digits.saturating_add(1),
                }
            }
            (State::ChunkSizeEnd { value: 0 }, b'\n') => State::LastCr,
            (State::ChunkSizeEnd { value }, b'\n') => State::ChunkData(value),
            (State::ChunkData(_), b'\r') => State::ChunkDataLf,
            (State::ChunkDataLf, b'\n') => State::CHUNK,
            // Trailers are sent to those who ask for them.
            (State::LastCr, b'\r') => State::LastLf,
            (State::LastLf, b'\n') => State::End,
            _ => return malformed,
        })
    }
}

iotsec_core::claim! {
    provisions: ["5.13-1B"],
    claims: "An answer of a server that has two readings, or does not end, is refused",
    code: [Response::take],
    tests: [
        "iotsec-net::iotsec_net::https::tests::a_head_with_two_readings_is_refused",
        "iotsec-net::iotsec_net::https::tests::a_server_that_does_not_stop_is_stopped",
    ],
}

impl State {
    const CHUNK: Self = Self::ChunkSize { value: 0, digits: 0 };
}
