use std::{
    format,
    io::{self, Read, Write},
    string::String,
    vec::Vec,
};

use iotsec_core::{hal::UnixTime, input::Url};

use super::*;

/// What an answer is when it comes in pieces of `piece` bytes, and what is left of it.
fn read(bytes: &[u8], piece: usize, limit: u64) -> Result<(Head, Vec<u8>, usize), HttpsError> {
    let mut response = Response::<512>::new(limit);
    let (mut head, mut content, mut at) = (None, Vec::new(), 0);
    let mut until = 0;
    loop {
        let (used, event) = response.take(&bytes[at..until])?;
        at += used;
        match event {
            Event::Head(found) => head = Some(found),
            Event::Body(part) => content.extend_from_slice(part),
            Event::More if until == bytes.len() => {
                response.closed()?;
                return Ok((head.ok_or(HttpsError::Truncated)?, content, 0));
            }
            Event::More => until = bytes.len().min(until + piece),
            Event::End => return Ok((head.unwrap(), content, bytes.len() - at)),
        }
    }
}

const CHUNKED: &[u8] =
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n00B\r\n, lamp no. \r\n1\r\n7\r\n0\r\n\r\n";
const LENGTH: &[u8] =
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    ETag: W/\"33a6\"\r\nContent-Length: 5\r\nConnection: Close\r\n\r\nhello";

#[test]
fn an_answer_is_the_same_in_whatever_pieces_it_comes() {
    for (bytes, content) in [(CHUNKED, &b"hello, lamp no. 7"[..]), (LENGTH, b"hello")] {
        let whole = read(bytes, bytes.len(), 100).unwrap();
        assert_eq!((&whole.1[..], whole.2), (content, 0));
        for piece in 1..bytes.len() {
            assert_eq!(read(bytes, piece, 100).unwrap(), whole);
        }
    }
    let (head, ..) = read(LENGTH, 1, 5).unwrap();
    assert_eq!(head.date, Some(UnixTime(784_111_777)));
    assert_eq!(head.tag.unwrap().as_str(), "W/\"33a6\"");
    assert!(head.closes);
}

#[test]
fn every_strict_prefix_is_truncated() {
    for bytes in [CHUNKED, LENGTH] {
        for len in 0..bytes.len() {
            assert_eq!(read(&bytes[..len], 7, 100), Err(HttpsError::Truncated), "{len}");
        }
    }
}

#[test]
fn what_follows_an_answer_is_not_taken() {
    let two = [CHUNKED, LENGTH].concat();
    assert_eq!(read(&two, two.len(), 100).unwrap().2, LENGTH.len());
}

#[test]
fn a_head_with_two_readings_is_refused() {
    let refused =
        |fields: &str| read(format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes(), 9, 10).unwrap_err();
    use HttpsError::{Contradiction, Encoding, Malformed, TooLong};
    for (fields, error) in [
        ("Content-Length: 3\r\nContent-Length: 3\r\n", Contradiction),
        (
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            Contradiction,
        ),
        ("Transfer-Encoding: gzip, chunked\r\n", Encoding),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            Encoding,
        ),
        ("Content-Encoding: gzip\r\n", Encoding),
        ("Content-Type: multipart/byteranges; boundary=x\r\n", Encoding),
        ("Content-Length: +3\r\n", Malformed),
        ("Content-Length: 3, 3\r\n", Malformed),
        ("Content-Length: 18446744073709551616\r\n", Malformed),
        ("Content-Length: 11\r\n", TooLong),
        ("Content-Length : 3\r\n", Malformed),
        ("Content-Length: 3\n", Malformed),
        (" folded\r\n", Malformed),
        ("X: a\rb\r\n", Malformed),
        ("X\0: a\r\n", Malformed),
        (": a\r\n", Malformed),
        ("no colon\r\n", Malformed),
        ("Content-Range: bytes 5-4/10\r\n", Malformed),
        ("Content-Range: bytes 0-10/10\r\n", Malformed),
        (
            "Content-Range: bytes 0-4/10\r\nContent-Range: bytes 0-4/10\r\n",
            Contradiction,
        ),
    ] {
        assert_eq!(refused(fields), error, "{fields}");
    }
    for (answer, error) in [
        ("HTTP/1.0 200 OK\r\n\r\n", Malformed),
        ("HTTP/2 200 OK\r\n\r\n", Malformed),
        ("HTTP/1.1 20 OK\r\n\r\n", Malformed),
        ("HTTP/1.1 2000 OK\r\n\r\n", Malformed),
        ("HTTP/1.1 099 OK\r\n\r\n", Malformed),
        ("HTTP/1.1  200 OK\r\n\r\n", Malformed),
        ("ICY 200 OK\r\n\r\n", Malformed),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", HttpsError::Status),
    ] {
        assert_eq!(read(answer.as_bytes(), 9, 10), Err(error), "{answer}");
    }
    let interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(5);
    assert_eq!(read(interim.as_bytes(), 9, 10), Err(HttpsError::Status));
}

#[test]
fn a_server_that_does_not_stop_is_stopped() {
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(10_000));
    assert_eq!(read(endless.as_bytes(), 100, 10), Err(HttpsError::HeadTooLarge));
    let fields: String = (0..60).map(|at| format!("a{at}:\r\n")).collect();
    let many = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
    assert_eq!(read(many.as_bytes(), 100, 10), Err(HttpsError::HeadTooLarge));
    let until_close = format!("HTTP/1.1 200 OK\r\n\r\n{}", "z".repeat(11));
    assert_eq!(read(until_close.as_bytes(), 100, 10), Err(HttpsError::TooLong));
    let chunks = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}",
        "4\r\nwxyz\r\n".repeat(3)
    );
    assert_eq!(read(chunks.as_bytes(), 100, 10), Err(HttpsError::TooLong));
}

#[test]
fn chunks_are_strict() {
    let refused = |chunks: &str| {
        let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        read(answer.as_bytes(), 3, 1 << 40).unwrap_err()
    };
    for chunks in [
        "\r\n",
        "g\r\n",
        "+1\r\na\r\n",
        "0x1\r\na\r\n",
        "1 \r\na\r\n",
        "1\na\r\n0\r\n\r\n",
        "1\r\nab\r\n",
        "1\r\na\n",
        "0\r\nTrailer: x\r\n\r\n",
        "0000000000000001\r\n",
    ] {
        assert_eq!(refused(chunks), HttpsError::Malformed, "{chunks:?}");
    }
    assert_eq!(refused("1;name=value\r\n"), HttpsError::Encoding);
    assert_eq!(refused("fffffffffffffff\r\n"), HttpsError::TooLong);
}

#[test]
fn no_flipped_bit_does_more_than_change_the_answer() {
    for bytes in [CHUNKED, LENGTH] {
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok((_, content, _)) = read(&flipped, 5, 64) {
                assert!(content.len() <= 64);
            }
        }
    }
}

fn url() -> Url<'static> {
    Url::parse(b"https://cdn.example.com:8443/lamp/7.bin?v=2").unwrap()
}

#[test]
fn a_request_cannot_be_split() {
    let url = url();
    let mut out = [0; 512];
    let request = Request::post(&url, "application/cbor", 3);
    let len = request.write(&mut out).unwrap();
    let text = "POST /lamp/7.bin?v=2 HTTP/1.1\r\nHost: cdn.example.com:8443\r\nAccept-Encoding: identity\r\n\
        Content-Type: application/cbor\r\nContent-Length: 3\r\n\r\n";
    assert_eq!(core::str::from_utf8(&out[..len]).unwrap(), text);
    for len in 0..text.len() {
        assert_eq!(request.write(&mut out[..len]), Err(HttpsError::BufferFull));
    }
    let split = Request::post(&url, "text/plain\r\nX: y", 0);
    assert_eq!(split.write(&mut out), Err(HttpsError::Request));
    let other = Url::parse(b"mqtts://cdn.example.com").unwrap();
    assert_eq!(Request::get(&other).write(&mut out), Err(HttpsError::Request));
    assert!(EntityTag::parse(&[b'"'; 81]).is_none());
}

/// A server that has an artefact, in one connection: what it is asked, and what it answers.
struct Server<'s> {
    asked: Vec<u8>,
    answer: &'s [u8],
    piece: usize,
}

impl Read for Server<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.piece.min(out.len()).min(self.answer.len());
        out[..len].copy_from_slice(&self.answer[..len]);
        self.answer = &self.answer[len..];
        Ok(len)
    }
}

impl Write for Server<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.asked.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

const ARTEFACT: &[u8] = b"0123456789abcdef";

/// Downloads from byte `at`; what came, and where it goes on.
fn download(at: u64, answer: &str) -> (Result<(), HttpsError>, Vec<u8>, u64) {
    let server = Server {
        asked: Vec::new(),
        answer: answer.as_bytes(),
        piece: 11,
    };
    let mut client = Client::new(server);
    let mut download = Download::new(at, 16).unwrap();
    let mut came = Vec::new();
    let result = client.download(&url(), &mut download, |part| {
        came.extend_from_slice(part);
        Ok::<(), HttpsError>(())
    });
    (result, came, download.at())
}

#[test]
fn a_download_goes_on_where_the_connection_was_cut() {
    let mut image = Vec::new();
    let mut at = 0;
    for cut in [0, 3, 9, 16] {
        let rest = core::str::from_utf8(&ARTEFACT[usize::try_from(at).unwrap()..cut]).unwrap();
        let answer = match at {
            0 => format!("HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{rest}"),
            _ => format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {at}-15/16\r\nContent-Length: {}\r\n\r\n{rest}",
                16 - at
            ),
        };
        let (result, came, next) = download(at, &answer);
        assert_eq!(result.is_ok(), cut == 16, "{result:?}");
        image.extend(came);
        at = next;
    }
    assert_eq!(image, ARTEFACT);
}

#[test]
fn a_server_without_ranges_sends_all_and_only_the_rest_is_used() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n0123456789abcdef";
    assert_eq!(download(10, answer), (Ok(()), b"abcdef".to_vec(), 16));
}

#[test]
fn an_artefact_of_another_size_or_place_is_refused_before_a_byte_of_it_is_used() {
    use HttpsError::{Busy, Missing, Range, Redirect, Refused, Server, Size, Status};
    for (at, head, error) in [
        (0, "200 OK\r\nContent-Length: 15", Size),
        (
            4,
            "206 P\r\nContent-Range: bytes 4-15/17\r\nContent-Length: 12",
            Size,
        ),
        (
            4,
            "206 P\r\nContent-Range: bytes 4-16/*\r\nContent-Length: 13",
            Size,
        ),
        (
            4,
            "206 P\r\nContent-Range: bytes 0-15/16\r\nContent-Length: 16",
            Range,
        ),
        (
            4,
            "206 P\r\nContent-Range: bytes 5-15/16\r\nContent-Length: 11",
            Range,
        ),
        (
            4,
            "206 P\r\nContent-Range: bytes 4-15/16\r\nContent-Length: 11",
            Range,
        ),
        (
            4,
            "206 P\r\nContent-Range: bytes */16\r\nContent-Length: 12",
            Range,
        ),
        (4, "206 P\r\nContent-Length: 12", Status),
        (
            0,
            "200 OK\r\nContent-Range: bytes 0-15/16\r\nContent-Length: 16",
            Status,
        ),
        (
            4,
            "416 No\r\nContent-Range: bytes */3\r\nContent-Length: 0",
            Range,
        ),
        (
            0,
            "302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0",
            Redirect,
        ),
        (0, "401 No\r\nContent-Length: 0", Refused),
        (0, "404 No\r\nContent-Length: 0", Missing),
        (0, "429 Slow\r\nContent-Length: 0", Busy),
        (0, "500 Oops\r\nContent-Length: 0", Server),
        (0, "304 Same", Status),
    ] {
        let answer = format!("HTTP/1.1 {head}\r\n\r\n{}", "0123456789abcdef!");
        assert_eq!(download(at, &answer), (Err(error), Vec::new(), at), "{head}");
    }
}

#[test]
fn more_than_the_artefact_is_never_used() {
    let endless = format!("HTTP/1.1 200 OK\r\n\r\n{}", "0123456789abcdef".repeat(100));
    let (result, came, _) = download(0, &endless);
    assert_eq!(result, Err(HttpsError::TooLong));
    assert!(came.len() <= 16);
}

#[test]
fn a_busy_server_says_when_to_come_again_and_its_hint_is_bounded() {
    let after = |value: &str| {
        let answer = format!("HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
        read(answer.as_bytes(), 100, 0).unwrap().0.retry_after
    };
    assert_eq!(after("120"), Some(RetryAfter::Seconds(120)));
    assert_eq!(after("99999999999"), Some(RetryAfter::Seconds(365 * 86_400)));
    let at = Some(RetryAfter::At(UnixTime(784_111_777)));
    assert_eq!(after("Sun, 06 Nov 1994 08:49:37 GMT"), at);
    assert_eq!(after("soon"), None);
}

#[test]
fn a_question_with_a_tag_is_answered_by_nothing_new_and_the_connection_goes_on() {
    let answer = b"HTTP/1.1 200 OK\r\nETag: \"7\"\r\nContent-Length: 3\r\n\r\nnewHTTP/1.1 304 Same\r\nETag: \"7\"\r\n\r\n";
    let server = Server {
        asked: Vec::new(),
        answer,
        // Otherwise the next answer would come before it was asked for.
        piece: 1,
    };
    let mut client = Client::new(server);
    let mut out = [0; 3];
    let (head, len) = client.get(&url(), None, &mut out).unwrap();
    assert_eq!((head.status, &out[..len]), (200, &b"new"[..]));
    let (head, len) = client.get(&url(), head.tag, &mut out).unwrap();
    assert_eq!((head.status, len), (304, 0));
    assert!(client.is_usable());
}

#[test]
fn an_answer_that_nobody_asked_for_ends_the_connection() {
    let answer = b"HTTP/1.1 204 Done\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    let server = Server {
        asked: Vec::new(),
        answer,
        piece: 100,
    };
    let mut client = Client::new(server);
    client.post(&url(), "application/cbor", b"report").unwrap();
    assert!(!client.is_usable());
    assert_eq!(
        client.post(&url(), "application/cbor", b"report"),
        Err(HttpsError::Over)
    );
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let answer = b"HTTP/1.1 307 Elsewhere\r\nServer: x\r\nLocation: https://other.example/7\r\nContent-Length: 0\r\n\r\n";
    let mut response = Response::<256>::new(0);
    let (_, Event::Head(head)) = response.take(answer).unwrap() else {
        panic!()
    };
    assert_eq!(head.success(), Err(HttpsError::Redirect));
    assert_eq!(response.location(&head), Some(&b"https://other.example/7"[..]));
}
