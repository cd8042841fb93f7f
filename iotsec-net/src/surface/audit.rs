//! What listens, compared with what was declared.
//!
//! On Linux, with the feature `std`, `Snapshot` reads `/proc` and [`audit`] lists what is wrong; [`read_sockets`] makes
//! listeners of the text of one file, and [`findings`] compares any with a table, without an allocator. Only the first
//! touches the system. What a process opens between two looks is not seen: audit at boot,
//! then every few minutes, and in continuous integration with `iotsec surface check`.
//!
//! ```
//! use iotsec_net::{interfaces, surface::{
//!     Authentication, Interface, Phase, Scope, Service, audit::{Finding, SocketFile, audit, read_sockets},
//! }};
//!
//! interfaces!(static LAMP = [Interface::service(
//!     "app", "The owner's app", Service::tcp(8443, Scope::Loopback, Authentication::Password),
//! )]);
//!
//! # #[cfg(target_endian = "little")] {
//! // What /proc/net/tcp says: port 0x20FB on all addresses, and port 0x0017.
//! let text = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
//!     0: 00000000:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 1673 1 0 100 0 0 10 0\n\
//!     1: 00000000:0017 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 1674 1 0 100 0 0 10 0\n";
//! let mut listeners = Vec::new();
//! for socket in read_sockets(SocketFile::Tcp, text) {
//!     listeners.push(socket?);
//! }
//! let report = audit(&LAMP.gate(Phase::Owned), &listeners);
//! assert!(matches!(report.findings()[0], Finding::Wider { .. }));
//! assert!(matches!(report.findings()[1], Finding::Undeclared(_)));
//! assert_eq!((report.counts().undeclared, report.ids().next()), (1, Some("app")));
//! # }
//! # Ok::<(), iotsec_net::surface::audit::ProcError>(())
//! ```

mod proc_net;
#[cfg(feature = "std")]
mod snapshot;

use core::fmt;
#[cfg(feature = "std")]
use std::vec::Vec;

pub use proc_net::{
    Bound, Listener, MAX_LINE_LEN, MAX_LINES, ProcError, ProcErrorKind, SocketFile, read_sockets,
    socket_inode,
};
#[cfg(feature = "std")]
pub use snapshot::{AuditError, MAX_FILE_LEN, Owner, Snapshot};

use super::{Gate, Interface, Scope, Service, Socket, SurfaceError};

/// Something that is not as it was declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding<'a> {
    /// It listens, and the table knows nothing of it.
    Undeclared(Listener<'a>),
    /// It listens on a wider address than was declared.
    Wider {
        /// As declared.
        interface: &'static Interface,
        /// As found.
        listener: Listener<'a>,
    },
    /// It listens although it should be closed: [`SurfaceError::Phase`] or [`SurfaceError::LeastConnectivity`].
    Closed {
        /// As declared.
        interface: &'static Interface,
        /// As found.
        listener: Listener<'a>,
        /// Why it should be closed.
        reason: SurfaceError,
    },
    /// It was declared, and nothing listens.
    Absent(&'static Interface),
}

impl<'a> Finding<'a> {
    /// Its name in documents.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Undeclared(_) => "undeclared",
            Self::Wider { .. } => "wider",
            Self::Closed { .. } => "closed",
            Self::Absent(_) => "absent",
        }
    }

    /// The interface, if the table knows it.
    pub const fn interface(&self) -> Option<&'static Interface> {
        match self {
            Self::Undeclared(_) => None,
            Self::Wider { interface, .. } | Self::Closed { interface, .. } | Self::Absent(interface) => {
                Some(interface)
            }
        }
    }

    /// The socket, if there is one.
    pub const fn listener(&self) -> Option<&Listener<'a>> {
        match self {
            Self::Undeclared(listener) | Self::Wider { listener, .. } | Self::Closed { listener, .. } => {
                Some(listener)
            }
            Self::Absent(_) => None,
        }
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Undeclared(_) => "stop what listens there, or declare it with its purpose",
            Self::Wider { .. } => "bind it to the address that its scope names, or declare the wider scope",
            Self::Closed { .. } => "close it when the device leaves the phases that it is declared for",
            Self::Absent(_) => "start it, or take it out of the table: what is not used is not declared",
        }
    }
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undeclared(listener) => write!(f, "{} listens and is not declared", listener.bound),
            Self::Wider { interface, listener } => write!(
                f,
                "{} listens on {}, which is wider than declared",
                interface.id(),
                listener.bound
            ),
            Self::Closed {
                interface,
                listener,
                reason,
            } => write!(f, "{} listens on {}: {reason}", interface.id(), listener.bound),
            Self::Absent(interface) => write!(f, "{} is declared, and nothing listens", interface.id()),
        }
    }
}

/// How often each finding was made; small numbers for a status document or a telemetry event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sockets that the table does not know.
    pub undeclared: u16,
    /// Sockets on wider addresses than declared.
    pub wider: u16,
    /// Sockets that should be closed.
    pub closed: u16,
    /// Services that do not listen.
    pub absent: u16,
}

impl Counts {
    /// How many sockets are open that should not be.
    pub const fn open(&self) -> u16 {
        self.undeclared
            .saturating_add(self.wider)
            .saturating_add(self.closed)
    }
}

impl Counts {
    /// Counts one more.
    pub const fn add(&mut self, finding: &Finding<'_>) {
        let count = match finding {
            Finding::Undeclared(_) => &mut self.undeclared,
            Finding::Wider { .. } => &mut self.wider,
            Finding::Closed { .. } => &mut self.closed,
            Finding::Absent(_) => &mut self.absent,
        };
        *count = count.saturating_add(1);
    }
}

/// What an audit found.
#[cfg(feature = "std")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<'a> {
    findings: Vec<Finding<'a>>,
}

#[cfg(feature = "std")]
impl<'a> Report<'a> {
    /// All of it: sockets in the order in which they were given, then services that do not listen.
    pub fn findings(&self) -> &[Finding<'a>] {
        &self.findings
    }

    /// Whether all is as declared.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The ids of the interfaces that are not as declared.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> {
        self.findings
            .iter()
            .filter_map(|finding| finding.interface().map(Interface::id))
    }

    /// How often each finding was made.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        self.findings.iter().for_each(|finding| counts.add(finding));
        counts
    }
}

/// Compares what listens with what may listen now.
#[cfg(feature = "std")]
pub fn audit<'a>(gate: &Gate<'_>, listeners: &[Listener<'a>]) -> Report<'a> {
    Report {
        findings: findings(gate, listeners.iter().copied()).collect(),
    }
}

iotsec_core::claim! {
    provisions: ["5.6-1", "5.6-5"],
    claims: "Whatever listens on a Linux device undeclared, wider than declared or in another phase than declared is a finding",
    code: [audit],
    tests: [
        "iotsec-net::iotsec_net::surface::audit::tests::each_kind_of_deviation_is_found",
        "iotsec-net::iotsec_net::surface::audit::tests::what_should_be_closed_by_now_is_found",
    ],
}

/// The same without a list: sockets in the order in which they were given, then services that do not listen.
///
/// ```
/// use iotsec_net::{interfaces, surface::{
///     Authentication, Interface, Phase, Scope, Service, audit::{Bound, Counts, Listener, findings},
/// }};
///
/// interfaces!(static LAMP = [Interface::service(
///     "app", "The owner's app", Service::tcp(8443, Scope::Local, Authentication::Password),
/// )]);
///
/// let telnet = Listener { bound: Bound::Tcp(([0, 0, 0, 0], 23).into()), inode: 0 };
/// let mut counts = Counts::default();
/// findings(&LAMP.gate(Phase::Owned), [telnet].into_iter()).for_each(|finding| counts.add(&finding));
/// assert_eq!((counts.undeclared, counts.absent), (1, 1));
/// ```
pub fn findings<'a, 'g>(
    gate: &'g Gate<'_>,
    listeners: impl Iterator<Item = Listener<'a>> + Clone + 'g,
) -> impl Iterator<Item = Finding<'a>> + 'g
where
    'a: 'g,
{
    let all = listeners.clone();
    let absent = gate.table().services().filter_map(move |(interface, service)| {
        let listens = |listener: Listener<'_>| listener.bound.is_of(&service);
        let missing = gate.allows(interface.id()).is_ok() && !all.clone().any(listens);
        missing.then_some(Finding::Absent(interface))
    });
    let open = listeners.filter_map(move |listener| judge(gate, &listener));
    open.chain(absent)
}

fn judge<'a>(gate: &Gate<'_>, listener: &Listener<'a>) -> Option<Finding<'a>> {
    let listener = *listener;
    let mut services = gate.table().services();
    let Some((interface, service)) = services.find(|(_, service)| listener.bound.is_of(service)) else {
        return Some(Finding::Undeclared(listener));
    };
    if let Err(reason) = gate.allows(interface.id()) {
        return Some(Finding::Closed {
            interface,
            listener,
            reason,
        });
    }
    (listener.bound.scope() > scope(&service)).then_some(Finding::Wider { interface, listener })
}

impl Bound<'_> {
    /// Whether this is the socket that the service is declared on, whatever the address.
    fn is_of(&self, service: &Service) -> bool {
        match (self, service.socket()) {
            (Self::Tcp(address), Socket::Tcp { port, .. })
            | (Self::Udp(address), Socket::Udp { port, .. }) => address.port() == port,
            (Self::Unix(path), Socket::Unix(declared)) => *path == declared.as_bytes(),
            (Self::Raw { protocol, .. }, Socket::Raw(declared)) => *protocol == declared,
            (Self::Packet(ethertype), Socket::Packet(declared)) => *ethertype == declared,
            _ => false,
        }
    }

    fn scope(&self) -> Scope {
        match self {
            Self::Tcp(address) | Self::Udp(address) => Scope::of(address.ip()),
            Self::Unix(_) => Scope::Loopback,
            // As wide as these can be declared.
            Self::Raw { .. } | Self::Packet(_) => Scope::Any,
        }
    }
}

const fn scope(service: &Service) -> Scope {
    match service.socket() {
        Socket::Tcp { scope, .. } | Socket::Udp { scope, .. } => scope,
        Socket::Unix(_) => Scope::Loopback,
        Socket::Raw(_) | Socket::Packet(_) => Scope::Any,
    }
}

#[cfg(test)]
mod tests;
