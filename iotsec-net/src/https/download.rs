use iotsec_core::input::Url;

use super::{Head, HttpsError, Request};

/// The download of an artefact whose size and digest a signed manifest has told, from wherever an earlier one ended.
///
/// It needs nothing that the server says: a server that does not know ranges sends everything, and what is there
/// already is passed over; one whose artefact has another size is refused before a byte is used. What has changed
/// without changing its size, the digest tells.
///
/// *Power loss:* nothing is stored here. The place to go on from is what the update session wants next.
///
/// ```
/// use iotsec_core::input::Url;
/// use iotsec_net::https::{Download, Event, Response};
///
/// let url = Url::parse(b"https://updates.example.com/lamp/7.bin")?;
/// // 8 of 12 bytes were there before the reset.
/// let mut download = Download::new(8, 12)?;
/// let mut request = [0; 256];
/// let len = download.request(&url).write(&mut request)?;
/// # let _ = len;
///
/// let answer = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 8-11/12\r\nContent-Length: 4\r\n\r\nware";
/// let (mut response, mut bytes) = (Response::<1024>::new(download.limit()), &answer[..]);
/// while !download.is_complete() {
///     let (used, event) = response.take(bytes)?;
///     bytes = &bytes[used..];
///     match event {
///         Event::Head(head) => download.begin(&head)?,
///         Event::Body(part) => assert_eq!(download.part(part)?, b"ware"),
///         Event::More | Event::End => break,
///     }
/// }
/// assert!(download.is_complete());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Download {
    at: u64,
    size: u64,
    /// Bytes of the answer that are there already.
    skip: u64,
}

impl Download {
    /// From byte `at` of `size`.
    ///
    /// # Errors
    /// [`HttpsError::Size`] when `at` lies beyond the end.
    pub const fn new(at: u64, size: u64) -> Result<Self, HttpsError> {
        if at > size {
            return Err(HttpsError::Size);
        }
        Ok(Self { at, size, skip: 0 })
    }

    /// What to ask for.
    pub const fn request<'u>(&self, url: &'u Url<'u>) -> Request<'u> {
        match self.at {
            0 => Request::get(url),
            at => Request::get(url).part_from(at),
        }
    }

    /// Most bytes that the answer may have, also when the server sends everything.
    pub const fn limit(&self) -> u64 {
        self.size
    }

    /// Judges the head of the answer.
    ///
    /// # Errors
    /// Those of [`Head::success`]; [`HttpsError::Size`] when what the server has is longer or shorter;
    /// [`HttpsError::Range`] when it sends another part.
    pub fn begin(&mut self, head: &Head) -> Result<(), HttpsError> {
        head.success()?;
        let whole = match (head.status, head.range) {
            (200, None) => {
                self.skip = self.at;
                head.length
            }
            (206, Some(range)) => {
                self.skip = 0;
                let (first, last) = range.part.ok_or(HttpsError::Range)?;
                let end = last.checked_add(1).ok_or(HttpsError::Range)?;
                let len = end.checked_sub(first).ok_or(HttpsError::Range)?;
                if first != self.at || head.length.is_some_and(|length| length != len) {
                    return Err(HttpsError::Range);
                }
                if end > self.size {
                    return Err(HttpsError::Size);
                }
                range.whole
            }
            _ => return Err(HttpsError::Status),
        };
        match whole {
            Some(whole) if whole != self.size => Err(HttpsError::Size),
            _ => Ok(()),
        }
    }

    /// The bytes of this part of the answer that are new, perhaps none.
    ///
    /// # Errors
    /// [`HttpsError::TooLong`] when there are more than the artefact has.
    pub fn part<'b>(&mut self, part: &'b [u8]) -> Result<&'b [u8], HttpsError> {
        let skip = usize::try_from(self.skip).unwrap_or(usize::MAX).min(part.len());
        let fresh = part.get(skip..).unwrap_or_default();
        self.skip = self.skip.saturating_sub(length(skip));
        let at = self.at.saturating_add(length(fresh.len()));
        if at > self.size {
            return Err(HttpsError::TooLong);
        }
        self.at = at;
        Ok(fresh)
    }

    /// The byte that comes next.
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// Whether all bytes have come.
    pub const fn is_complete(&self) -> bool {
        self.at == self.size
    }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
