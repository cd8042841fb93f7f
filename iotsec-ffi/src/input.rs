//! What comes from people and networks, checked whole before it is used.
//!
//! ```
//! use iotsec_ffi::input::{IOTSEC_INPUT_HOSTNAME, iotsec_input_check};
//! use iotsec_ffi::status::{IOTSEC_ERR_INPUT_CHARACTER, IOTSEC_OK};
//!
//! let mut at = 0;
//! // SAFETY: the text is as long as it is said to be.
//! let status = unsafe { iotsec_input_check(IOTSEC_INPUT_HOSTNAME, b"lamp_7.local".as_ptr(), 12, &mut at) };
//! assert_eq!((status, at), (IOTSEC_ERR_INPUT_CHARACTER, 4));
//! ```

pub mod document;
pub mod json;
mod url;
pub mod wifi;

use core::ffi::c_char;

use iotsec::core::input::{
    DeviceSerial, Email, Encoding, Host, Hostname, InputError, InputKind, Ipv4, Ipv6, Label, MacAddr,
    MqttFilter, MqttTopic, Port, Psk, Ranged, SemVer, Ssid, TimeZone, Url, check_zone_name,
};
pub use url::*;

use crate::{
    argument,
    status::{CallError, Status, iotsec_status_t, status},
};

/// What a text should be.
pub type iotsec_input_kind_t = i32;

/// The name of a Wi-Fi network: 1 to 32 bytes (IEEE 802.11).
pub const IOTSEC_INPUT_SSID: iotsec_input_kind_t = 1;
/// The key of a Wi-Fi network: 8 to 63 printable characters, or 64 hexadecimal digits (IEEE 802.11).
pub const IOTSEC_INPUT_PSK: iotsec_input_kind_t = 2;
/// A host name (RFC 1123).
pub const IOTSEC_INPUT_HOSTNAME: iotsec_input_kind_t = 3;
/// A host name, an IPv4 address, or an IPv6 address in brackets.
pub const IOTSEC_INPUT_HOST: iotsec_input_kind_t = 4;
/// An IPv4 address, in four decimal parts (RFC 6943).
pub const IOTSEC_INPUT_IPV4: iotsec_input_kind_t = 5;
/// An IPv6 address without a zone (RFC 4291).
pub const IOTSEC_INPUT_IPV6: iotsec_input_kind_t = 6;
/// The address of a network interface, six pairs of digits with `:` or `-` between them.
pub const IOTSEC_INPUT_MAC: iotsec_input_kind_t = 7;
/// The number of a port, 1 to 65535.
pub const IOTSEC_INPUT_PORT: iotsec_input_kind_t = 8;
/// A URL of a scheme with encryption (RFC 3986).
pub const IOTSEC_INPUT_URL: iotsec_input_kind_t = 9;
/// The name of an MQTT topic (MQTT 5.0).
pub const IOTSEC_INPUT_MQTT_TOPIC: iotsec_input_kind_t = 10;
/// A filter of MQTT topics (MQTT 5.0).
pub const IOTSEC_INPUT_MQTT_FILTER: iotsec_input_kind_t = 11;
/// The address of a mailbox (RFC 5321).
pub const IOTSEC_INPUT_EMAIL: iotsec_input_kind_t = 12;
/// Rules of local time as in `TZ` (POSIX.1-2024).
pub const IOTSEC_INPUT_TIME_ZONE: iotsec_input_kind_t = 13;
/// A version (Semantic Versioning 2.0.0).
pub const IOTSEC_INPUT_VERSION: iotsec_input_kind_t = 14;
/// The serial number of a device.
pub const IOTSEC_INPUT_SERIAL: iotsec_input_kind_t = 15;
/// A name that people give: UTF-8 of at most `IOTSEC_INPUT_LABEL_MAX` bytes that can be shown.
pub const IOTSEC_INPUT_LABEL: iotsec_input_kind_t = 16;
/// Bytes in hexadecimal, both cases (RFC 4648).
pub const IOTSEC_INPUT_HEX: iotsec_input_kind_t = 17;
/// Bytes in base 32 (RFC 4648).
pub const IOTSEC_INPUT_BASE32: iotsec_input_kind_t = 18;
/// Bytes in base 64 (RFC 4648).
pub const IOTSEC_INPUT_BASE64: iotsec_input_kind_t = 19;
/// Bytes in the base 64 of URLs (RFC 4648).
pub const IOTSEC_INPUT_BASE64URL: iotsec_input_kind_t = 20;
/// The name of a time zone as the IANA database writes it, `Europe/Berlin`. Such a name leads nowhere but below the folder,
/// or into the table, in which it is looked up then: there need not be such a zone.
pub const IOTSEC_INPUT_ZONE_NAME: iotsec_input_kind_t = 21;

/// Bytes of the longest name that people give.
pub const IOTSEC_INPUT_LABEL_MAX: usize = 64;

/// Tells whether `text`, of `text_len` bytes, is what it should be. It needs no final zero, and every byte of it
/// is looked at.
///
/// `IOTSEC_ERR_INPUT_*` says why it is refused, and `offset` then gets the number of the byte at which; `offset`
/// may be null. Nothing of the text is in the answer, so that it can be logged. Takes time in proportion to
/// `text_len` and no heap.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_input_check(
    kind: iotsec_input_kind_t,
    text: *const u8,
    text_len: usize,
    offset: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    unsafe {
        parsed(text, text_len, offset, |text| {
            check(kind, text)?;
            Ok(())
        })
    }
}

/// Decodes a text of one of the kinds `IOTSEC_INPUT_HEX`, `_BASE32`, `_BASE64`, `_BASE64URL`, or the bytes that an
/// address stands for: `_IPV4` gives 4, `_IPV6` 16, `_MAC` 6, in the order in which they are sent.
///
/// `text` has `text_len` bytes; `bytes` holds `size`, and `len` gets how many were written. `offset` is as in
/// `iotsec_input_check()`. `IOTSEC_ERR_CONFIG` for a kind that does not stand for bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_input_decode(
    kind: iotsec_input_kind_t,
    text: *const u8,
    text_len: usize,
    bytes: *mut u8,
    size: usize,
    len: *mut usize,
    offset: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    unsafe {
        parsed(text, text_len, offset, |text| {
            let buffer = argument::buffer(bytes, size, len)?;
            if let Some(encoding) = encoding_of(kind) {
                let needed = encoding.decoded_len(text);
                let buffer = buffer.at_least(needed)?;
                let mut refusal = None;
                buffer
                    .fill(|bytes| match encoding.decode(text, bytes) {
                        Ok(decoded) => Ok(decoded.len()),
                        Err(error) => {
                            refusal = Some(error);
                            Err(error.into())
                        }
                    })
                    .map_err(|status| refusal.map_or(Refusal::Call(status), Refusal::Input))?;
                return Ok(());
            }
            match kind {
                IOTSEC_INPUT_IPV4 => buffer.copy(&Ipv4::parse(text)?.addr().octets())?,
                IOTSEC_INPUT_IPV6 => buffer.copy(&Ipv6::parse(text)?.addr().octets())?,
                IOTSEC_INPUT_MAC => buffer.copy(&MacAddr::parse(text)?.octets())?,
                _ => return Err(CallError::Config.into()),
            }
            Ok(())
        })
    }
}

/// Reads a decimal integer from `min` to `max`, both included: an optional `-`, digits, nothing else and no zeros in
/// front. `text` has `text_len` bytes; `value` gets the integer; `offset` is as in `iotsec_input_check()`.
///
/// `IOTSEC_ERR_INPUT_RANGE` for one that lies outside. A port is an integer from 1 to 65535.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_input_integer(
    text: *const u8,
    text_len: usize,
    min: i64,
    max: i64,
    value: *mut i64,
    offset: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    unsafe {
        parsed(text, text_len, offset, |text| {
            let value = argument::out(value)?;
            value.set(between(text, min, max)?);
            Ok(())
        })
    }
}

/// Reads an integer from `min` to `max` with its unit behind it, a blank between them or none: `250 ms`, `21 °C`. `unit` is
/// UTF-8 that ends in zero, and neither begins nor ends with a digit or a blank; the rest is as in `iotsec_input_integer()`.
///
/// `IOTSEC_ERR_INPUT_FORM` for another unit, or none. `IOTSEC_ERR_CONFIG` for a `unit` that cannot be one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_input_quantity(
    text: *const u8,
    text_len: usize,
    unit: *const c_char,
    min: i64,
    max: i64,
    value: *mut i64,
    offset: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    unsafe {
        parsed(text, text_len, offset, |text| {
            let (unit, value) = (argument::zero_ended(unit)?, argument::out(value)?);
            let of_number = |letter: char| letter.is_ascii_digit() || letter == ' ';
            if unit.is_empty() || unit.starts_with(of_number) || unit.ends_with(of_number) {
                return Err(CallError::Config.into());
            }
            let number = text.strip_suffix(unit.as_bytes());
            let number = number.ok_or(InputError::new(InputKind::Form, text.len()))?;
            let number = number.strip_suffix(b" ").unwrap_or(number);
            value.set(between(number, min, max)?);
            Ok(())
        })
    }
}

fn between(text: &[u8], min: i64, max: i64) -> Result<i64, InputError> {
    let integer = Ranged::<{ i64::MIN }, { i64::MAX }>::parse(text)?.get();
    if integer < min || integer > max {
        return Err(InputError::new(InputKind::Range, 0));
    }
    Ok(integer)
}

/// A version, without what follows its three numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_version_t {
    /// Changes when something is taken away.
    pub major: u64,
    /// Changes when something is added.
    pub minor: u64,
    /// Changes when something is mended.
    pub patch: u64,
    /// Bytes of what follows `-`, as in `1.4.0-rc.2`; 0 for a release.
    pub pre_len: u32,
    /// Zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<iotsec_version_t>() == 32);

/// Reads a version into `version`. `text` has `text_len` bytes, at most 64; `offset` is as in
/// `iotsec_input_check()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_input_version(
    text: *const u8,
    text_len: usize,
    version: *mut iotsec_version_t,
    offset: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    unsafe {
        parsed(text, text_len, offset, |text| {
            let out = argument::out(version)?;
            let version = SemVer::parse(text)?;
            out.set(iotsec_version_t {
                major: version.major,
                minor: version.minor,
                patch: version.patch,
                pre_len: u32::try_from(version.pre().len()).unwrap_or(u32::MAX),
                reserved: 0,
            });
            Ok(())
        })
    }
}

/// Tells whether an MQTT filter matches a topic: `matches` gets 1 or 0. Both are checked, the filter first, and
/// `offset` counts in the one that is refused. `filter` has `filter_len` bytes and `topic` has `topic_len`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_input_mqtt_matches(
    filter: *const u8,
    filter_len: usize,
    topic: *const u8,
    topic_len: usize,
    matches: *mut i32,
    offset: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    unsafe {
        parsed(filter, filter_len, offset, |filter| {
            let (topic, matches) = (argument::bytes(topic, topic_len)?, argument::out(matches)?);
            let filter = MqttFilter::parse(filter)?;
            matches.set(i32::from(filter.matches(&MqttTopic::parse(topic)?)));
            Ok(())
        })
    }
}

/// Why a call was refused.
pub(crate) enum Refusal {
    /// Because of the input, which has a place.
    Input(InputError),
    Call(Status),
}

impl From<InputError> for Refusal {
    fn from(error: InputError) -> Self {
        Self::Input(error)
    }
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Call(status)
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        Self::Call(error.into())
    }
}

/// Runs a parser over a text of C, and writes where it was refused.
///
/// # Safety
/// `text` as in [`argument::bytes`]; `offset` is null or as in [`argument::out`].
pub(crate) unsafe fn parsed<'a>(
    text: *const u8,
    text_len: usize,
    offset: *mut usize,
    parse: impl FnOnce(&'a [u8]) -> Result<(), Refusal>,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, passed on.
        let text = unsafe { argument::bytes(text, text_len) }?;
        let offset = if offset.is_null() {
            None
        } else {
            // SAFETY: as above.
            Some(unsafe { argument::out(offset) }?)
        };
        parse(text).map_err(|refusal| match refusal {
            Refusal::Call(status) => status,
            Refusal::Input(error) => {
                if let Some(offset) = offset {
                    offset.set(usize::try_from(error.offset).unwrap_or(usize::MAX));
                }
                error.into()
            }
        })
    })
}

/// Whether there is such a kind.
const fn is_kind(kind: iotsec_input_kind_t) -> bool {
    IOTSEC_INPUT_SSID <= kind && kind <= IOTSEC_INPUT_ZONE_NAME
}

fn encoding_of(kind: iotsec_input_kind_t) -> Option<Encoding> {
    match kind {
        IOTSEC_INPUT_HEX => Some(Encoding::Hex),
        IOTSEC_INPUT_BASE32 => Some(Encoding::Base32),
        IOTSEC_INPUT_BASE64 => Some(Encoding::Base64),
        IOTSEC_INPUT_BASE64URL => Some(Encoding::Base64Url),
        _ => None,
    }
}

fn check(kind: iotsec_input_kind_t, text: &[u8]) -> Result<(), Refusal> {
    if let Some(encoding) = encoding_of(kind) {
        return Ok(encoding.check(text)?);
    }
    match kind {
        IOTSEC_INPUT_SSID => drop(Ssid::parse(text)?),
        IOTSEC_INPUT_PSK => drop(Psk::parse(text)?),
        IOTSEC_INPUT_HOSTNAME => drop(Hostname::parse(text)?),
        IOTSEC_INPUT_HOST => drop(Host::parse(text)?),
        IOTSEC_INPUT_IPV4 => drop(Ipv4::parse(text)?),
        IOTSEC_INPUT_IPV6 => drop(Ipv6::parse(text)?),
        IOTSEC_INPUT_MAC => drop(MacAddr::parse(text)?),
        IOTSEC_INPUT_PORT => drop(Port::parse(text)?),
        IOTSEC_INPUT_URL => drop(Url::parse(text)?),
        IOTSEC_INPUT_MQTT_TOPIC => drop(MqttTopic::parse(text)?),
        IOTSEC_INPUT_MQTT_FILTER => drop(MqttFilter::parse(text)?),
        IOTSEC_INPUT_EMAIL => drop(Email::parse(text)?),
        IOTSEC_INPUT_TIME_ZONE => drop(TimeZone::parse(text)?),
        IOTSEC_INPUT_VERSION => drop(SemVer::parse(text)?),
        IOTSEC_INPUT_SERIAL => drop(DeviceSerial::parse(text)?),
        IOTSEC_INPUT_LABEL => drop(Label::<IOTSEC_INPUT_LABEL_MAX>::parse(text)?),
        IOTSEC_INPUT_ZONE_NAME => {
            check_zone_name(text)?;
        }
        _ => return Err(CallError::Config.into()),
    }
    Ok(())
}
