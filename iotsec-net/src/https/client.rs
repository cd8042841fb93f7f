use std::{
    boxed::Box,
    io::{Read, Write},
};

use iotsec_core::input::Url;

use super::{Download, EntityTag, Event, Head, HttpsError, Request, Response, RetryAfter};

/// Bytes that the head of an answer may have.
const HEAD: usize = 8 * 1024;
/// Bytes of the longest request without its content: a URL of 2,048, a host name of 255, and fields.
const REQUEST: usize = 3 * 1024;
/// What is read at once.
const READ: usize = 16 * 1024;

/// Requests over one connection, one after the other.
///
/// The connection is whatever reads and writes; a socket comes from `tls::connect`, which takes a grant of the
/// interface table and holds to its deadlines.
///
/// ```no_run
/// # fn open() -> std::net::TcpStream { unimplemented!() }
/// use iotsec_core::input::Url;
/// use iotsec_net::https::{Client, Download, HttpsError};
///
/// let mut client = Client::new(open());
/// let url = Url::parse(b"https://updates.example.com/lamp/7.bin")?;
/// let mut download = Download::new(0, 100_000)?;
/// let mut image = Vec::new();
/// client.download(&url, &mut download, |part| {
///     image.extend_from_slice(part);
///     Ok::<(), HttpsError>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client<S> {
    stream: S,
    /// What was read and belongs to the answer under way.
    buffer: Box<[u8; READ]>,
    unread: (usize, usize),
    usable: bool,
    retry_after: Option<RetryAfter>,
}

impl<S: Read + Write> Client<S> {
    /// A client over an open connection.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: Box::new([0; READ]),
            unread: (0, 0),
            usable: true,
            retry_after: None,
        }
    }

    /// When the server that last answered wants to be asked again, if it said so: with [`HttpsError::Busy`] the hint for
    /// [`Failure::Busy`](crate::retry::Failure::Busy).
    pub fn retry_after(&self) -> Option<RetryAfter> {
        self.retry_after
    }

    /// Whether another request may follow. After an error, or when the server ends it, the connection is over.
    pub fn is_usable(&self) -> bool {
        self.usable
    }

    /// Fetches a small document, unless it is still the one with this tag; how many bytes of `out` it has. With
    /// status 304 there is none.
    ///
    /// # Errors
    /// [`HttpsError::TooLong`] when it is longer than `out`; those of [`Head::success`] but for 304; what is wrong with
    /// the answer or the connection.
    pub fn get(
        &mut self,
        url: &Url<'_>,
        unless: Option<EntityTag>,
        out: &mut [u8],
    ) -> Result<(Head, usize), HttpsError> {
        let request = Request::get(url);
        let request = unless.map_or(request, |tag| request.unless(tag));
        let mut len = 0;
        let limit = u64::try_from(out.len()).unwrap_or(u64::MAX);
        let head = self.exchange(&request, &[], limit, |event| {
            match event {
                Event::Head(head) if unless.is_some() && head.status == 304 => {}
                Event::Head(head) => head.success()?,
                Event::Body(part) => {
                    let place = out.get_mut(len..).and_then(|rest| rest.get_mut(..part.len()));
                    place.ok_or(HttpsError::TooLong)?.copy_from_slice(part);
                    len = len.saturating_add(part.len());
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok((head, len))
    }

    /// Sends a document; its answer's content, of at most 64 KiB, is passed over.
    ///
    /// # Errors
    /// Those of [`Head::success`]; what is wrong with the answer or the connection.
    pub fn post(&mut self, url: &Url<'_>, media_type: &str, content: &[u8]) -> Result<Head, HttpsError> {
        let len = u64::try_from(content.len()).unwrap_or(u64::MAX);
        let request = Request::post(url, media_type, len);
        self.exchange(&request, content, 64 * 1024, |event| match event {
            Event::Head(head) => head.success(),
            _ => Ok(()),
        })
    }

    /// Goes on with a download, part by part. When it fails, `download` says where to go on with another connection.
    ///
    /// # Errors
    /// Those of [`Download::begin`] and of `sink`, after which the download counts the part as taken; what is wrong
    /// with the answer or the connection.
    pub fn download<E: From<HttpsError>>(
        &mut self,
        url: &Url<'_>,
        download: &mut Download,
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if download.is_complete() {
            return Ok(());
        }
        let request = download.request(url);
        self.exchange(&request, &[], download.limit(), |event| match event {
            Event::Head(head) => Ok(download.begin(&head)?),
            Event::Body(part) => match download.part(part)? {
                [] => Ok(()),
                fresh => sink(fresh),
            },
            _ => Ok(()),
        })?;
        if download.is_complete() {
            Ok(())
        } else {
            Err(HttpsError::Truncated.into())
        }
    }

    fn exchange<E: From<HttpsError>>(
        &mut self,
        request: &Request<'_>,
        content: &[u8],
        limit: u64,
        mut event: impl FnMut(Event<'_>) -> Result<(), E>,
    ) -> Result<Head, E> {
        if !std::mem::replace(&mut self.usable, false) {
            return Err(HttpsError::Over.into());
        }
        let mut text = [0; REQUEST];
        let len = request.write(&mut text)?;
        let text = text.get(..len).unwrap_or_default();
        let sent = self
            .stream
            .write_all(text)
            .and_then(|()| self.stream.write_all(content));
        sent.and_then(|()| self.stream.flush())
            .map_err(|_| HttpsError::Connection)?;

        let mut response = Response::<HEAD>::new(limit);
        let mut last = None;
        loop {
            let (start, end) = self.unread;
            let bytes = self.buffer.get(start..end).unwrap_or_default();
            let (used, happened) = response.take(bytes)?;
            self.unread = (start.saturating_add(used), end);
            if let Event::Head(head) = happened {
                self.retry_after = head.retry_after;
                last = Some(head);
            }
            if matches!(happened, Event::Head(_) | Event::Body(_)) {
                event(happened)?;
                continue;
            }
            let complete = happened == Event::End;
            if !complete {
                if self.fill()? {
                    continue;
                }
                response.closed()?;
            }
            let head = last.ok_or(HttpsError::Truncated)?;
            // What follows an answer that nobody asked for is not the next one's.
            let nothing_left = self.unread.0 == self.unread.1;
            self.usable = complete && nothing_left && !head.closes;
            return Ok(head);
        }
    }

    /// Whether something came.
    fn fill(&mut self) -> Result<bool, HttpsError> {
        let len = loop {
            match self.stream.read(&mut self.buffer[..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other.map_err(|_| HttpsError::Connection)?,
            }
        };
        self.unread = (0, len);
        Ok(len > 0)
    }
}
