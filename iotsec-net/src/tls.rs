//! TLS that cannot be weakened.
//!
//! | what | rule |
//! |---|---|
//! | cryptography | a [`Provider`] that the application names; nothing is taken from the process |
//! | version | TLS 1.3 (RFC 8446); 1.2 with the feature `tls12` and a call, then with extended master secret |
//! | key exchange | X25519, P-256, and X25519MLKEM768 with AWS-LC, preferred or required |
//! | server | [`Anchors`], [`RawKeys`] or a [`Pin`] of an owner; there is no fourth way |
//! | host | of each connection, always |
//! | protocol | what both speak is agreed (ALPN, RFC 7301) and checked, see [`Alpn`] |
//! | client | an [`Identity`] whose key may be in a store or a chip; a server that does not ask for it is refused |
//! | off | early data, resumption, compressed certificates, export of keys, key logs |
//! | bounds | [`Limits`]: time and bytes of a handshake, records, keys that are used for long |
//!
//! Without resumption each connection verifies its server anew, and nothing that opens an old one stays in memory.
//!
//! | part | for |
//! |---|---|
//! | [`connect`], [`Connection`] | sockets, with a grant of the [interface table](crate::surface) |
//! | [`Handshake`], [`Session`] | any stream, with the time as an argument |
//! | [`observe`], [`Observation`] | a server that certifies itself, once its owner has compared the fingerprint |
//! | [`lend`], [`SignWith`] | keys that stay in a store or a chip |
//! | [`Server`], [`Listener`] | a service of the device in its local network |

mod alpn;
mod client;
mod error;
mod identity;
mod lend;
mod limits;
mod pin;
mod provider;
mod server;
mod session;
mod socket;
mod trust;
mod verifier;

pub use alpn::Alpn;
pub use client::Client;
pub use error::TlsError;
pub use identity::{Identity, SignWith};
pub use lend::lend;
pub use limits::{Limits, MAX_HANDSHAKE_LEN};
pub use pin::{Fingerprint, Observation, Observed, Pin, Watch, observe};
#[cfg(feature = "aws-lc")]
pub use provider::PostQuantum;
pub use provider::Provider;
pub use server::{ClientAnchors, Server};
pub use session::{Handshake, Session, Step, Version};
pub use socket::{Connection, Incoming, Listener, connect, connect_at};
pub use trust::{Anchors, RawKeys, Trust};
