use iotsec_core::hal::UnixTime;

use super::{HttpsError, date};

/// Most fields of a head; servers and the caches before them send ten to twenty.
const MAX_FIELDS: usize = 48;
/// Most bytes of an entity tag with its quotes; those of object stores have 34 to 40.
const MAX_TAG: usize = 80;
/// A hint beyond a year means nothing.
const MAX_RETRY_AFTER: u64 = 365 * 86_400;

/// What the head of an answer says, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// 200 to 999; those below 200 are passed over.
    pub status: u16,
    /// Bytes of the content, if the server says so.
    pub length: Option<u64>,
    /// Which part of the whole this is (RFC 9110 §14.4).
    pub range: Option<ContentRange>,
    /// When to come again.
    pub retry_after: Option<RetryAfter>,
    /// The server's clock. As true as the server, once its certificate was checked against a time of which it is not
    /// the source.
    pub date: Option<UnixTime>,
    /// What to send with the next question, so that the answer is short if nothing changed.
    pub tag: Option<EntityTag>,
    /// Whether the connection ends with this answer.
    pub closes: bool,
    pub(super) chunked: bool,
    pub(super) location: Option<(usize, usize)>,
}

/// A part of a representation, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentRange {
    /// Its first byte and its last, unless there is no such part (416).
    pub part: Option<(u64, u64)>,
    /// Bytes of the whole, if known.
    pub whole: Option<u64>,
}

/// When a server that is busy wants to be asked again (RFC 9110 §10.2.3). A hint: what asks again clamps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// After so many seconds, at most a year.
    Seconds(u32),
    /// At this time.
    At(UnixTime),
}

/// What a server calls one state of what it has (RFC 9110 §8.8.3), with its quotes; opaque.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EntityTag {
    text: [u8; MAX_TAG],
    len: u8,
}

impl EntityTag {
    /// Reads a tag, as it stands in an answer, or was stored by the application.
    ///
    /// ```
    /// use iotsec_net::https::EntityTag;
    ///
    /// assert_eq!(EntityTag::parse(b"\"33a64df5\"").unwrap().as_str(), "\"33a64df5\"");
    /// assert!(EntityTag::parse(b"W/\"33a6\"").is_some());
    /// assert!(EntityTag::parse(b"\"a\r\nX: y\"").is_none());
    /// ```
    pub fn parse(text: &[u8]) -> Option<Self> {
        let quoted = text.strip_prefix(b"W/").unwrap_or(text);
        let inner = quoted.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        let allowed = |byte: &u8| *byte == b'!' || (b'#'..=b'~').contains(byte);
        if !inner.iter().all(allowed) {
            return None;
        }
        let len = u8::try_from(text.len()).ok()?;
        let mut tag = Self {
            text: [0; MAX_TAG],
            len,
        };
        for (to, from) in tag.text.get_mut(..text.len())?.iter_mut().zip(text) {
            *to = *from;
        }
        Some(tag)
    }

    /// As it is sent.
    pub fn as_str(&self) -> &str {
        let text = self.text.get(..usize::from(self.len)).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
}

impl core::fmt::Debug for EntityTag {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Head {
    /// Reads a whole head, up to and with its empty line.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, HttpsError> {
        let (line, mut rest) = split_line(bytes).ok_or(HttpsError::Malformed)?;
        let status = status_of(line).ok_or(HttpsError::Malformed)?;
        let mut head = Self {
            status,
            length: None,
            range: None,
            retry_after: None,
            date: None,
            tag: None,
            closes: false,
            chunked: false,
            location: None,
        };
        for count in 0.. {
            let (line, behind) = split_line(rest).ok_or(HttpsError::Malformed)?;
            if line.is_empty() {
                break;
            }
            if count == MAX_FIELDS {
                return Err(HttpsError::HeadTooLarge);
            }
            let (name, value) = field_of(line).ok_or(HttpsError::Malformed)?;
            head.field(name, value, bytes)?;
            rest = behind;
        }
        if head.chunked && head.length.is_some() {
            return Err(HttpsError::Contradiction);
        }
        Ok(head)
    }

    fn field(&mut self, name: &[u8], value: &[u8], bytes: &[u8]) -> Result<(), HttpsError> {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        let says = |other: &str| value.eq_ignore_ascii_case(other.as_bytes());
        if is("content-length") {
            let length = decimal(value).ok_or(HttpsError::Malformed)?;
            return once(&mut self.length, length);
        }
        if is("content-range") {
            let range = ContentRange::parse(value).ok_or(HttpsError::Malformed)?;
            return once(&mut self.range, range);
        }
        if is("transfer-encoding") {
            if !says("chunked") || self.chunked {
                return Err(HttpsError::Encoding);
            }
            self.chunked = true;
        } else if is("content-encoding") && !says("identity") {
            return Err(HttpsError::Encoding);
        } else if is("content-type") {
            // Several parts in one answer; only one was asked for.
            let start = value.get(..BYTERANGES.len()).unwrap_or_default();
            if start.eq_ignore_ascii_case(BYTERANGES) {
                return Err(HttpsError::Encoding);
            }
        } else if is("connection") {
            self.closes |= says("close");
        } else if is("retry-after") {
            self.retry_after = match decimal(value) {
                Some(seconds) => u32::try_from(seconds.min(MAX_RETRY_AFTER))
                    .ok()
                    .map(RetryAfter::Seconds),
                None => date::parse(value).map(RetryAfter::At),
            };
        } else if is("date") {
            self.date = date::parse(value);
        } else if is("etag") {
            self.tag = EntityTag::parse(value);
        } else if is("location") {
            // Where it lies in the buffer: what borrows it would keep the head from being copied.
            let start = value.as_ptr().addr().checked_sub(bytes.as_ptr().addr());
            self.location = start.map(|start| (start, value.len()));
        }
        Ok(())
    }

    /// Nothing, for a status between 200 and 299, or an error that says what to do.
    ///
    /// # Errors
    /// [`HttpsError::Missing`], [`HttpsError::Refused`], [`HttpsError::Busy`] with
    /// [`retry_after`](Self::retry_after), [`HttpsError::Range`], [`HttpsError::Redirect`], [`HttpsError::Server`],
    /// [`HttpsError::Status`].
    pub const fn success(&self) -> Result<(), HttpsError> {
        Err(match self.status {
            200..=299 => return Ok(()),
            301 | 302 | 303 | 307 | 308 => HttpsError::Redirect,
            401 | 403 => HttpsError::Refused,
            404 | 410 => HttpsError::Missing,
            416 => HttpsError::Range,
            429 | 503 => HttpsError::Busy,
            500..=599 => HttpsError::Server,
            _ => HttpsError::Status,
        })
    }

    /// Whether there is no content whatever the fields say (RFC 9110 §6.4.1).
    pub(super) const fn is_bare(&self) -> bool {
        matches!(self.status, 100..=199 | 204 | 304)
    }
}

const BYTERANGES: &[u8] = b"multipart/byteranges";

impl ContentRange {
    fn parse(value: &[u8]) -> Option<Self> {
        let value = value.strip_prefix(b"bytes ")?;
        let slash = value.iter().position(|byte| *byte == b'/')?;
        let (part, whole) = value.split_at_checked(slash)?;
        let whole = match whole.strip_prefix(b"/")? {
            b"*" => None,
            digits => Some(decimal(digits)?),
        };
        let part = match part {
            b"*" => None,
            part => {
                let dash = part.iter().position(|byte| *byte == b'-')?;
                let (first, last) = part.split_at_checked(dash)?;
                let (first, last) = (decimal(first)?, decimal(last.strip_prefix(b"-")?)?);
                if first > last || whole.is_some_and(|whole| last >= whole) {
                    return None;
                }
                Some((first, last))
            }
        };
        Some(Self { part, whole })
    }
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((line.strip_suffix(b"\r")?, rest.strip_prefix(b"\n")?))
}

/// The status line (RFC 9112 §4); its reason is for people.
fn status_of(line: &[u8]) -> Option<u16> {
    let (status, reason) = line.strip_prefix(b"HTTP/1.1 ")?.split_at_checked(3)?;
    let reason = reason
        .strip_prefix(b" ")
        .or(reason.is_empty().then_some(reason))?;
    let status = u16::try_from(decimal(status)?).ok()?;
    (is_text(reason) && status >= 100).then_some(status)
}

/// A name, a colon, and a value without the white space around it (RFC 9112 §5).
fn field_of(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(colon)?;
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    let value = value.strip_prefix(b":")?;
    let sound = !name.is_empty() && name.iter().all(is_token) && is_text(value);
    sound.then(|| (name, value.trim_ascii()))
}

/// No control characters but tabs: a carriage return alone ends a line for some.
fn is_text(text: &[u8]) -> bool {
    text.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control())
}

fn once<T>(place: &mut Option<T>, value: T) -> Result<(), HttpsError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(HttpsError::Contradiction),
    }
}

/// Digits and nothing else.
fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.is_ascii_digit().then_some(*byte)?.checked_sub(b'0')?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
