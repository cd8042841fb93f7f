use iotsec_core::hal::Millis;

use super::{Finding, LISTENER, pace::Pace};

/// Sockets that are remembered. A product declares fewer, and more are seen once an hour each at most.
const KNOWN: usize = 16;

/// How a socket is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// A TCP port.
    Tcp,
    /// A UDP port.
    Udp,
    /// An IP protocol.
    Raw,
    /// An EtherType.
    Packet,
    /// A name on this machine.
    Unix,
}

impl Transport {
    const fn number(self) -> u8 {
        match self {
            Self::Tcp => 0,
            Self::Udp => 1,
            Self::Raw => 2,
            Self::Packet => 3,
            Self::Unix => 4,
        }
    }
}

/// A socket that others can send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listening {
    /// How it is reached.
    pub transport: Transport,
    /// Port, protocol or EtherType; for a name a number made of it, which two names may share.
    pub number: u16,
}

impl Listening {
    /// On a name: FNV-1a of its bytes, folded to 16 bits.
    pub fn named(path: &[u8]) -> Self {
        let hash = path.iter().fold(0x811C_9DC5u32, |hash, byte| {
            (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
        });
        let [a, b, c, d] = hash.to_be_bytes();
        Self {
            transport: Transport::Unix,
            number: u16::from_be_bytes([a ^ c, b ^ d]),
        }
    }
}

/// What may listen now: the interface table behind a narrow trait. `iotsec::connection` has the adapter for
/// `iotsec-net`'s gate; a list of sockets will do as well.
pub trait DeclaredSockets {
    /// Whether this may listen.
    fn may_listen(&self, socket: &Listening) -> bool;
}

impl DeclaredSockets for [Listening] {
    fn may_listen(&self, socket: &Listening) -> bool {
        self.contains(socket)
    }
}

/// Notices sockets that were not declared: each when it is first seen, and again when it comes back after it was gone.
///
/// A look is one call of [`saw`](Self::saw) for each socket that listens, then [`looked`](Self::looked).
///
/// State: 112 bytes at most, lost at a reboot.
///
/// ```
/// use iotsec_core::hal::Millis;
/// use iotsec_telemetry::detect::{Listening, NewListeners, Transport};
///
/// let declared = [Listening { transport: Transport::Tcp, number: 8443 }];
/// let telnet = Listening { transport: Transport::Tcp, number: 23 };
/// let mut listeners = NewListeners::new();
/// for (minute, expected) in [(0, true), (5, false)] {
///     let now = Millis::from_secs(minute * 60);
///     assert!(listeners.saw(declared[0], declared.as_slice(), now).is_none());
///     assert_eq!(listeners.saw(telnet, declared.as_slice(), now).is_some(), expected);
///     listeners.looked();
/// }
/// ```
#[derive(Clone, Debug)]
pub struct NewListeners {
    /// What was reported and listened at the last look.
    known: [Option<Known>; KNOWN],
    /// The place that is given up when there is none left.
    next: u8,
    pace: Pace,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    number: u16,
    transport: u8,
    seen: bool,
}

impl NewListeners {
    /// Nothing was seen yet.
    pub const fn new() -> Self {
        Self {
            known: [None; KNOWN],
            next: 0,
            pace: Pace::new(),
        }
    }

    /// A socket that listens.
    pub fn saw(
        &mut self,
        socket: Listening,
        declared: &(impl DeclaredSockets + ?Sized),
        now: Millis,
    ) -> Option<Finding> {
        if declared.may_listen(&socket) {
            return None;
        }
        let transport = socket.transport.number();
        let is_it = |known: &Known| known.number == socket.number && known.transport == transport;
        if let Some(known) = self.known.iter_mut().flatten().find(|known| is_it(known)) {
            known.seen = true;
            return None;
        }
        // Not yet: it is noticed again at the next look.
        if !self.pace.allows(now) {
            return None;
        }
        self.remember(Known {
            number: socket.number,
            transport,
            seen: true,
        });
        Some(Finding::new(&LISTENER, transport, socket.number))
    }

    /// All were shown: what was not among them is gone, and would be new.
    pub fn looked(&mut self) {
        for place in &mut self.known {
            *place = place
                .filter(|known| known.seen)
                .map(|known| Known { seen: false, ..known });
        }
    }

    /// Whether one that was reported is open still, as far as the last look showed.
    pub fn is_alarmed(&self) -> bool {
        self.known.iter().any(Option::is_some)
    }

    fn remember(&mut self, known: Known) {
        if let Some(free) = self.known.iter_mut().find(|place| place.is_none()) {
            *free = Some(known);
            return;
        }
        let oldest = usize::from(self.next).checked_rem(KNOWN).unwrap_or_default();
        if let Some(place) = self.known.get_mut(oldest) {
            *place = Some(known);
        }
        self.next = self.next.wrapping_add(1);
    }
}

iotsec_core::claim! {
    provisions: ["5.10-1", "5.6-1"],
    claims: "A socket that listens undeclared becomes an event",
    code: [NewListeners::saw],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::detect::new_listeners::tests::one_that_stays_is_reported_once_and_one_that_comes_back_again",
    ],
}

impl Default for NewListeners {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [Listening; 0] = [];

    fn tcp(number: u16) -> Listening {
        Listening {
            transport: Transport::Tcp,
            number,
        }
    }

    #[test]
    fn one_that_stays_is_reported_once_and_one_that_comes_back_again() {
        let mut listeners = NewListeners::new();
        let mut look = |open: &[Listening], minute: u64| {
            let now = Millis::from_secs(minute * 60);
            let found = open
                .iter()
                .filter(|socket| listeners.saw(**socket, NONE.as_slice(), now).is_some());
            let found = found.count();
            listeners.looked();
            found
        };
        assert_eq!(look(&[tcp(23)], 0), 1);
        assert_eq!(look(&[tcp(23)], 5), 0);
        assert_eq!(look(&[tcp(23), tcp(2323)], 10), 1);
        assert_eq!(look(&[], 15), 0);
        assert_eq!(look(&[tcp(23)], 20), 1);
    }

    #[test]
    fn the_same_number_over_another_transport_is_another_socket() {
        let mut listeners = NewListeners::new();
        let udp = Listening {
            transport: Transport::Udp,
            number: 53,
        };
        assert!(listeners.saw(tcp(53), [udp].as_slice(), Millis(0)).is_some());
        assert!(listeners.saw(udp, [udp].as_slice(), Millis(0)).is_none());
        assert!(listeners.saw(udp, NONE.as_slice(), Millis(0)).is_some());
    }

    #[test]
    fn a_process_that_opens_every_port_in_turn_gets_no_more_than_the_pace() {
        let mut listeners = NewListeners::new();
        let mut reports = 0;
        for port in 1..=u16::MAX {
            let now = Millis::from_secs(u64::from(port));
            reports += u32::from(listeners.saw(tcp(port), NONE.as_slice(), now).is_some());
            listeners.looked();
        }
        assert_eq!(reports, 8 + 65_535 / 3600);
    }

    #[test]
    fn what_the_pace_held_back_is_reported_later_and_not_forgotten() {
        let mut listeners = NewListeners::new();
        let mut look = |hour: u64| {
            let now = Millis::from_secs(hour * 3600);
            let found = (1..=12).filter(|port| listeners.saw(tcp(*port), NONE.as_slice(), now).is_some());
            let found = found.count();
            listeners.looked();
            found
        };
        assert_eq!(look(0), 8);
        assert_eq!((1..100).map(look).sum::<usize>(), 4);
    }

    #[test]
    fn names_are_told_apart() {
        let one = Listening::named(b"/run/app.sock");
        assert_ne!(one, Listening::named(b"/run/bpp.sock"));
        assert_eq!(one.transport, Transport::Unix);
    }
}
