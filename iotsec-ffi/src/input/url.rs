use iotsec::core::input::{Host, Scheme, Url};

use super::parsed;
use crate::{
    argument,
    status::{CallError, iotsec_status_t},
};

/// How a service is reached.
pub type iotsec_url_scheme_t = i32;

/// HTTP over TLS.
pub const IOTSEC_URL_HTTPS: iotsec_url_scheme_t = 1;
/// MQTT over TLS.
pub const IOTSEC_URL_MQTTS: iotsec_url_scheme_t = 2;
/// CoAP over DTLS.
pub const IOTSEC_URL_COAPS: iotsec_url_scheme_t = 3;
/// WebSocket over TLS.
pub const IOTSEC_URL_WSS: iotsec_url_scheme_t = 4;

/// What the host of a URL is: `IOTSEC_INPUT_HOSTNAME`, `IOTSEC_INPUT_IPV4` or `IOTSEC_INPUT_IPV6`.
pub type iotsec_host_kind_t = super::iotsec_input_kind_t;

/// Where the parts of a URL are in its text. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_url_t {
    /// `IOTSEC_URL_*`.
    pub scheme: iotsec_url_scheme_t,
    /// What the host is.
    pub host_kind: iotsec_host_kind_t,
    /// Where the host begins, without the bracket of an IPv6 address.
    pub host_offset: u16,
    /// Bytes of the host, without brackets.
    pub host_len: u16,
    /// Where the path begins.
    pub path_offset: u16,
    /// Bytes of the path, its slash included; 0 when there is none.
    pub path_len: u16,
    /// Where the query begins, behind its question mark.
    pub query_offset: u16,
    /// Bytes of the query; 0 when there is none.
    pub query_len: u16,
    /// The port, that of the scheme where the URL has none.
    pub port: u16,
    /// Zero.
    pub reserved: u16,
}

const _: () = assert!(size_of::<iotsec_url_t>() == 24);

/// Reads a URL into `url`, with one of the schemes `IOTSEC_URL_*`. `text` has `text_len` bytes, at most 2,048;
/// `offset` is as in `iotsec_input_check()`.
///
/// Refused are names and passwords of users, fragments, `.` and `..` in the path, and escapes that would become
/// another path where they are decoded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_input_url(
    text: *const u8,
    text_len: usize,
    url: *mut iotsec_url_t,
    offset: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    unsafe {
        parsed(text, text_len, offset, |text| {
            let out = argument::out(url)?;
            let url = Url::parse(text)?;
            out.set(parts(text, &url).ok_or(CallError::Size)?);
            Ok(())
        })
    }
}

/// `None` only for a URL beyond 64 KiB, which no parser accepts.
fn parts(text: &[u8], url: &Url<'_>) -> Option<iotsec_url_t> {
    let place = |part: &str| {
        let at = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
        Some((u16::try_from(at).ok()?, u16::try_from(part.len()).ok()?))
    };
    let (host_kind, host) = match url.host() {
        Host::Name(_) => (super::IOTSEC_INPUT_HOSTNAME, url.authority().split(':').next()?),
        Host::V4(_) => (super::IOTSEC_INPUT_IPV4, url.authority().split(':').next()?),
        Host::V6(_) => (
            super::IOTSEC_INPUT_IPV6,
            url.authority().strip_prefix('[')?.split(']').next()?,
        ),
    };
    let scheme = match url.scheme() {
        Scheme::Https => IOTSEC_URL_HTTPS,
        Scheme::Mqtts => IOTSEC_URL_MQTTS,
        Scheme::Coaps => IOTSEC_URL_COAPS,
        Scheme::Wss => IOTSEC_URL_WSS,
        _ => return None,
    };
    let (host_offset, host_len) = place(host)?;
    let path = Some(url.path()).filter(|path| !path.is_empty());
    let (path_offset, path_len) = path.map_or(Some((0, 0)), place)?;
    let (query_offset, query_len) = url.query().map_or(Some((0, 0)), place)?;
    Some(iotsec_url_t {
        scheme,
        host_kind,
        host_offset,
        host_len,
        path_offset,
        path_len,
        query_offset,
        query_len,
        port: url.port().get(),
        reserved: 0,
    })
}
