use iotsec_core::hal::Millis;

use super::TlsError;

/// Bytes that a peer may send before the handshake is done: four certificates of 8 KB, and a quarter more.
pub const MAX_HANDSHAKE_LEN: usize = 40_960;
/// Bytes that wait to be sent at most: one record (RFC 8446 §5.1).
pub(super) const SEND_BUFFER: usize = 16_384;

/// How long, and how much.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_net::tls::Limits;
///
/// let hasty = Limits { handshake: Millis::from_secs(10), ..Limits::default() };
/// assert_eq!(hasty.fragment, 4096);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the first byte to the end of the handshake, and with [`connect`](super::connect) from the first attempt to
    /// reach the host. 1 ms to 5 minutes. Without change 30 s: two round trips over satellite and a signature by a slow
    /// chip, many times over.
    pub handshake: Millis,
    /// Bytes in both directions under the same keys. Without change 64 MiB; AES-GCM bears about 24 million full records
    /// (RFC 8446 §5.5), which is far beyond it.
    pub refresh_bytes: u64,
    /// Time under the same keys. Without change an hour: who takes the keys out of memory reads that much.
    pub refresh_after: Millis,
    /// Bytes of plaintext in one record that is sent. 512 to 16,384. Without change 4096: the first message, with a key
    /// exchange of 1.2 KB in it, stays in one record, which some servers want, and the peer need not wait for 16 KB
    /// before it can use the first byte.
    pub fragment: u16,
    /// Most time that [`Connection`](super::Connection) waits for bytes before it says that there are none, and for
    /// room to send. Without change 60 s.
    pub idle: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Millis::from_secs(30),
            refresh_bytes: 64 << 20,
            refresh_after: Millis::from_secs(3600),
            fragment: 4096,
            idle: Millis::from_secs(60),
        }
    }
}

impl Limits {
    pub(super) fn check(self) -> Result<Self, TlsError> {
        let is_good = (1..=300_000).contains(&self.handshake.0)
            && self.refresh_bytes > 0
            && self.refresh_after.0 > 0
            && (512..=16_384).contains(&self.fragment)
            && self.idle.0 > 0;
        is_good.then_some(self).ok_or(TlsError::Limits)
    }
}
