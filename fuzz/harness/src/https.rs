//! What servers answer.

use iotsec_net::https::{Event, HttpsError, Response};

use crate::Seed;

/// Most bytes of content.
const LIMIT: u64 = 64;

/// An answer ends within its bytes, keeps to the limit, and is the same in whatever pieces it comes.
pub fn response(input: &[u8]) -> bool {
    let whole = read(input, input.len().max(1));
    for piece in [1, 7] {
        assert_eq!(read(input, piece), whole);
    }
    whole.is_ok()
}

/// Status, content, and how much the answer left of the bytes.
type Answer = (u16, Vec<u8>, usize);

fn read(bytes: &[u8], piece: usize) -> Result<Answer, HttpsError> {
    let mut response = Response::<256>::new(LIMIT);
    let (mut status, mut content) = (None, Vec::new());
    let (mut at, mut until) = (0, 0);
    loop {
        let (used, event) = response.take(&bytes[at..until])?;
        at += used;
        match event {
            Event::Head(head) => {
                assert!(status.is_none() && head.status >= 200);
                status = Some(head.status);
            }
            Event::Body(part) => {
                assert!(status.is_some() && !part.is_empty());
                content.extend_from_slice(part);
                assert!(u64::try_from(content.len()).is_ok_and(|len| len <= LIMIT));
            }
            Event::More if until < bytes.len() => until = bytes.len().min(until + piece),
            Event::More => {
                response.closed()?;
                return Ok((status.ok_or(HttpsError::Truncated)?, content, 0));
            }
            Event::End => {
                assert_eq!(response.take(&[]), Err(HttpsError::Over));
                return Ok((status.expect("a head comes first"), content, bytes.len() - at));
            }
        }
    }
}

/// Answers of each framing, and some that two servers would read differently.
pub fn response_seeds() -> Vec<Seed> {
    let ok = "HTTP/1.1 200 OK\r\n";
    let seed = |name: &str, text: String| Seed::new(name, text);
    vec![
        seed("valid-length", format!("{ok}Content-Length: 5\r\nETag: \"7\"\r\n\r\nhello")),
        seed("valid-chunks", format!("{ok}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")),
        seed("valid-close", format!("{ok}Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nhello")),
        seed(
            "valid-part",
            "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 206 Part\r\nContent-Range: bytes 4-5/6\r\nContent-Length: 2\r\n\r\nlo".to_owned(),
        ),
        seed("valid-busy", "HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 0\r\n\r\n".to_owned()),
        seed("near-both", format!("{ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        seed("near-twice", format!("{ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")),
        seed("near-cut", format!("{ok}Content-Length: 5\r\n\r\nhell")),
        seed("near-line-feed", format!("{ok}Content-Length: 5\n\r\nhello")),
        seed("near-chunk", format!("{ok}Transfer-Encoding: chunked\r\n\r\n3 \r\nhel\r\n0\r\n\r\n")),
    ]
}
