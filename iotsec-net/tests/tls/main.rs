//! The TLS of devices against servers that are good, and servers that are not.

mod damage;
mod handshake;
mod identity;
mod pin;
mod pki;
mod server;
mod session;
mod socket;
#[path = "../certificate/vector.rs"]
#[allow(dead_code, reason = "another test uses the rest")]
mod vector;
mod wire;
