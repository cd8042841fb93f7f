use core::fmt::{self, Write};

use iotsec_core::input::{Scheme, Url};

use super::{EntityTag, HttpsError};

/// One request (RFC 9112 §3), written into a buffer of the caller's.
///
/// It asks for no encoding of the content, and for no connection to be kept beyond what the server offers. What
/// identifies the device is its certificate: nothing in the request names product or version, which EN 303 645
/// 5.6-2 would have justified.
///
/// ```
/// use iotsec_core::input::Url;
/// use iotsec_net::https::Request;
///
/// let url = Url::parse(b"https://updates.example.com/lamp/7.bin")?;
/// let mut out = [0; 512];
/// let len = Request::get(&url).part_from(4096).write(&mut out)?;
/// let text = core::str::from_utf8(&out[..len])?;
/// assert!(text.starts_with("GET /lamp/7.bin HTTP/1.1\r\nHost: updates.example.com\r\n"));
/// assert!(text.contains("\r\nRange: bytes=4096-\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    url: &'a Url<'a>,
    from: Option<u64>,
    unless: Option<EntityTag>,
    body: Option<(&'a str, u64)>,
}

impl<'a> Request<'a> {
    /// Fetches what is at `url`.
    pub const fn get(url: &'a Url<'a>) -> Self {
        Self {
            url,
            from: None,
            unless: None,
            body: None,
        }
    }

    /// Sends `len` bytes of this media type (RFC 9110 §8.3.1), which the caller writes after the request.
    pub const fn post(url: &'a Url<'a>, media_type: &'a str, len: u64) -> Self {
        Self {
            url,
            from: None,
            unless: None,
            body: Some((media_type, len)),
        }
    }

    /// Only what begins at this byte (RFC 9110 §14.2). A server may answer with everything all the same.
    #[must_use]
    pub const fn part_from(mut self, byte: u64) -> Self {
        self.from = Some(byte);
        self
    }

    /// Only if it is another than this (RFC 9110 §13.1.2): else the answer is 304, without content.
    #[must_use]
    pub const fn unless(mut self, tag: EntityTag) -> Self {
        self.unless = Some(tag);
        self
    }

    /// Writes the head, and says how many bytes it has.
    ///
    /// # Errors
    /// [`HttpsError::BufferFull`]; [`HttpsError::Request`] for a URL of another scheme, or a media type that would
    /// break the head.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, HttpsError> {
        let is_break = |byte: &u8| !(b' '..=b'~').contains(byte);
        let media_type = self.body.map_or("", |(media_type, _)| media_type);
        if self.url.scheme() != Scheme::Https || media_type.as_bytes().iter().any(is_break) {
            return Err(HttpsError::Request);
        }
        let mut writer = Slice { out, len: 0 };
        self.text(&mut writer).map_err(|_| HttpsError::BufferFull)?;
        Ok(writer.len)
    }

    fn text(&self, out: &mut Slice<'_>) -> fmt::Result {
        let method = if self.body.is_some() { "POST" } else { "GET" };
        let path = match self.url.path() {
            "" => "/",
            path => path,
        };
        write!(out, "{method} {path}")?;
        if let Some(query) = self.url.query() {
            write!(out, "?{query}")?;
        }
        write!(out, " HTTP/1.1\r\nHost: {}", self.url.authority())?;
        out.write_str("\r\nAccept-Encoding: identity\r\n")?;
        if let Some(from) = self.from {
            write!(out, "Range: bytes={from}-\r\n")?;
        }
        if let Some(tag) = &self.unless {
            write!(out, "If-None-Match: {}\r\n", tag.as_str())?;
        }
        if let Some((media_type, len)) = self.body {
            write!(out, "Content-Type: {media_type}\r\nContent-Length: {len}\r\n")?;
        }
        out.write_str("\r\n")
    }
}

/// Writes text into a slice.
struct Slice<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl Write for Slice<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.checked_add(text.len()).ok_or(fmt::Error)?;
        let place = self.out.get_mut(self.len..end).ok_or(fmt::Error)?;
        for (to, from) in place.iter_mut().zip(text.as_bytes()) {
            *to = *from;
        }
        self.len = end;
        Ok(())
    }
}
