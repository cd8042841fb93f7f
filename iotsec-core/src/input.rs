//! What comes from people and networks, read whole and into types that cannot hold anything else.
//!
//! Each type has one parser, private fields and no other way in: where a function takes a [`Hostname`], nobody has to
//! ask again whether it is one. A parser takes bytes, looks at each of them, and says at which byte and why it refuses
//! them; it never repeats what it was given, so that an error can be logged. Nothing here allocates, panics, or takes
//! longer than its input is long, with the one exception that [`json`] names.
//!
//! | type | what it is | from |
//! |---|---|---|
//! | [`Ssid`], [`Psk`] | name and key of a Wi-Fi network | IEEE 802.11-2020 §9.4.2.2, annex J.4 |
//! | [`Hostname`], [`Host`] | a name in the DNS, or an address | RFC 1123 §2.1, RFC 5890 |
//! | [`Ipv4`], [`Ipv6`], [`MacAddr`], [`Port`] | addresses | RFC 6943 §3.1.1, RFC 4291 §2.2, IEEE 802 §8.2 |
//! | [`Url`] | where a service is | RFC 3986 |
//! | [`MqttTopic`], [`MqttFilter`] | names and filters of topics | MQTT 5.0 §4.7 |
//! | [`Email`] | the address of a mailbox | RFC 5321 §4.1.2 |
//! | [`TimeZone`] | rules of local time | POSIX.1-2024, `TZ` |
//! | [`SemVer`] | a version | Semantic Versioning 2.0.0 |
//! | [`DeviceSerial`], [`Label`] | serial number; a name that people give | |
//! | [`Hex`], [`Base32`], [`Base64`], [`Base64Url`], [`Encoding`] | bytes as text | RFC 4648 |
//! | [`Ranged`], [`Quantity`] | integers between bounds, with a unit | |
//! | [`json`] | strict JSON | RFC 8259, RFC 7493 |
//! | [`document`] | documents with bounds, from JSON or CBOR | RFC 8610, JSON Schema 2020-12 |
//! | [`source`] | the table of where inputs come from | EN 303 645, 5.13-1 |
//!
//! Strict CBOR is in [`cbor`](crate::cbor).
//!
//! ```
//! use iotsec_core::input::{Host, InputError, InputKind, Port, Url};
//!
//! let url = Url::parse(b"mqtts://broker.example.com/fleet")?;
//! assert_eq!((url.host().to_string(), url.port()), ("broker.example.com".into(), Port::parse(b"8883")?));
//! let error = Url::parse(b"https://user:pw@example.com/").unwrap_err();
//! assert_eq!((error.kind, error.offset), (InputKind::UserInfo, 8));
//! # Ok::<(), InputError>(())
//! ```
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod address;
mod base;
pub mod document;
mod email;
mod error;
mod hostname;
pub mod json;
mod mqtt;
mod number;
mod punycode;
pub(crate) mod scan;
pub mod source;
mod text;
mod time_zone;
mod url;
mod version;
mod wifi;
mod zone_name;

pub use address::{Ipv4, Ipv6, MacAddr, Port};
pub use base::{Base32, Base64, Base64Url, Encoding, Hex};
pub use email::Email;
pub use error::{InputError, InputKind};
pub use hostname::{Host, Hostname};
pub use mqtt::{MqttFilter, MqttTopic};
pub use number::{Quantity, Ranged, Unit, unit};
pub use text::{DeviceSerial, Label};
pub use time_zone::{Change, ChangeDay, Daylight, TimeZone};
pub use url::{Scheme, Url};
pub use version::SemVer;
pub use wifi::{Psk, Ssid};
#[cfg(feature = "std")]
pub use zone_name::ZoneName;
pub use zone_name::check_zone_name;
