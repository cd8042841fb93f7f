use std::vec::Vec;

use super::TlsError;

/// What is spoken inside (RFC 7301), so that bytes for one service cannot be brought to another.
///
/// ```
/// use iotsec_net::tls::Alpn;
///
/// const MQTT: Alpn = Alpn::Require(&[b"mqtt"]);
/// const FILES: Alpn = Alpn::Offer(&[b"http/1.1"]);
/// # let _ = (MQTT, FILES);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alpn {
    /// One of these, the first being liked most. A server that does not say which is refused.
    Require(&'static [&'static [u8]]),
    /// One of these, or a server that does not know of this extension, as older brokers do not.
    Offer(&'static [&'static [u8]]),
    /// The extension is not sent, and a server that answers it is refused.
    Absent,
}

impl Alpn {
    /// Protocols of one list; more than any application speaks.
    const MAX: usize = 8;

    pub(super) fn check(self) -> Result<Self, TlsError> {
        let is_good = match self {
            Self::Absent => true,
            Self::Require(names) | Self::Offer(names) => {
                let fits = |name: &&[u8]| !name.is_empty() && name.len() <= 255;
                !names.is_empty() && names.len() <= Self::MAX && names.iter().all(fits)
            }
        };
        is_good.then_some(self).ok_or(TlsError::AlpnList)
    }

    pub(super) const fn names(self) -> &'static [&'static [u8]] {
        match self {
            Self::Require(names) | Self::Offer(names) => names,
            Self::Absent => &[],
        }
    }

    pub(super) fn to_wire(self) -> Vec<Vec<u8>> {
        self.names().iter().map(|name| name.to_vec()).collect()
    }

    /// Whether this is an answer that was wanted.
    pub(super) fn accepts(self, chosen: Option<&[u8]>) -> Result<(), TlsError> {
        let is_good = match (self, chosen) {
            (_, Some(chosen)) => self.names().contains(&chosen),
            (Self::Require(_), None) => false,
            (Self::Offer(_) | Self::Absent, None) => true,
        };
        is_good.then_some(()).ok_or(TlsError::Alpn)
    }
}
