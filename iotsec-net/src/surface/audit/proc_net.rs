//! The tables of sockets in `/proc/net` (Linux, `Documentation/networking/proc_net_tcp.rst` and the code that prints
//! them).

use core::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use iotsec_core::error::{ErrorCode, Fault};

/// Bytes of a line at most: the longest is that of a Unix socket, 62 and a path of 108.
pub const MAX_LINE_LEN: usize = 512;
/// Lines of a file at most: as many sockets as a server has, and far more than a device.
pub const MAX_LINES: u32 = 65_536;

/// States of a socket in `include/net/tcp_states.h`.
const LISTEN: u64 = 0x0A;
const UNCONNECTED: u64 = 0x07;
/// `__SO_ACCEPTCON` in `include/uapi/linux/net.h`: it accepts connections.
const ACCEPTS: u64 = 1 << 16;
/// `SOCK_DGRAM`.
const DATAGRAM: u64 = 2;

/// One of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketFile {
    /// TCP over IPv4.
    Tcp,
    /// TCP over IPv6.
    Tcp6,
    /// UDP over IPv4.
    Udp,
    /// UDP over IPv6.
    Udp6,
    /// IPv4 packets of one protocol.
    Raw,
    /// IPv6 packets of one protocol.
    Raw6,
    /// Frames.
    Packet,
    /// Paths and names on the same machine.
    Unix,
}

impl SocketFile {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Tcp,
        Self::Tcp6,
        Self::Udp,
        Self::Udp6,
        Self::Raw,
        Self::Raw6,
        Self::Packet,
        Self::Unix,
    ];

    /// Its name in `/proc/net`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tcp6 => "tcp6",
            Self::Udp => "udp",
            Self::Udp6 => "udp6",
            Self::Raw => "raw",
            Self::Raw6 => "raw6",
            Self::Packet => "packet",
            Self::Unix => "unix",
        }
    }

    /// The first words of its first line.
    const fn header(self) -> [&'static [u8]; 2] {
        match self {
            Self::Packet => [b"sk", b"RefCnt"],
            Self::Unix => [b"Num", b"RefCount"],
            _ => [b"sl", b"local_address"],
        }
    }
}

/// What a socket is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound<'a> {
    /// A TCP port.
    Tcp(SocketAddr),
    /// A UDP port.
    Udp(SocketAddr),
    /// An IP protocol.
    Raw {
        /// Its own address.
        address: IpAddr,
        /// IANA protocol number.
        protocol: u8,
    },
    /// An EtherType; 3 for all.
    Packet(u16),
    /// A path, or an abstract name after `@`.
    Unix(&'a [u8]),
}

impl fmt::Display for Bound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp {address}"),
            Self::Udp(address) => write!(f, "udp {address}"),
            Self::Raw { address, protocol } => write!(f, "raw {address} protocol {protocol}"),
            Self::Packet(ethertype) => write!(f, "packet {ethertype:#06x}"),
            Self::Unix(path) => write!(f, "unix {}", path.escape_ascii()),
        }
    }
}

/// A socket that others can send to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listener<'a> {
    /// What it is bound to.
    pub bound: Bound<'a>,
    /// Its number, by which its process is found; zero when no process has it.
    pub inode: u64,
}

/// A file of sockets is not as the kernel writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("/proc/net/{} line {line}: {kind}", file.name())]
pub struct ProcError {
    /// In which file.
    pub file: SocketFile,
    /// In which line, from 1.
    pub line: u32,
    /// What is wrong.
    pub kind: ProcErrorKind,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ProcErrorKind {
    /// The first line does not name the columns.
    #[error("not a table of sockets")]
    Header,
    /// A line is longer than any that the kernel writes.
    #[error("line too long")]
    LineTooLong,
    /// More sockets than are looked at.
    #[error("too many sockets")]
    TooManyLines,
    /// A column is missing or is no number.
    #[error("malformed column")]
    Column,
    /// An address is malformed.
    #[error("malformed address")]
    Address,
}

impl ErrorCode for ProcError {
    fn code(&self) -> u16 {
        match self.kind {
            ProcErrorKind::Header => 5341,
            ProcErrorKind::LineTooLong => 5342,
            ProcErrorKind::TooManyLines => 5343,
            ProcErrorKind::Column => 5344,
            ProcErrorKind::Address => 5345,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Input
    }
}

/// Reads one file: every socket in it that others can send to, or the first error.
///
/// These are TCP sockets that listen, UDP sockets that are not connected, raw and packet sockets, and Unix sockets that
/// accept connections or take datagrams under a name that was not made up by the kernel. Connections are left out.
///
/// A path may have a line break in it, so a process can write lines of its own into the file of Unix sockets. It can
/// make an audit fail that way, or find too much; it cannot hide a line.
///
/// After an error there is nothing more.
///
/// # Errors
/// Each item may be a [`ProcError`].
pub fn read_sockets(file: SocketFile, text: &[u8]) -> impl Iterator<Item = Result<Listener<'_>, ProcError>> {
    Sockets {
        file,
        rest: text,
        line: 0,
        done: false,
    }
}

struct Sockets<'a> {
    file: SocketFile,
    rest: &'a [u8],
    line: u32,
    done: bool,
}

impl<'a> Iterator for Sockets<'a> {
    type Item = Result<Listener<'a>, ProcError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            match self.step() {
                Ok(Some(listener)) => return Some(Ok(listener)),
                Ok(None) => {}
                Err(kind) => {
                    self.done = true;
                    return Some(Err(ProcError {
                        file: self.file,
                        line: self.line,
                        kind,
                    }));
                }
            }
        }
        None
    }
}

impl<'a> Sockets<'a> {
    /// Reads one line.
    fn step(&mut self) -> Result<Option<Listener<'a>>, ProcErrorKind> {
        self.line = self.line.saturating_add(1);
        let header = self.line == 1;
        if self.rest.is_empty() && !header {
            self.done = true;
            return Ok(None);
        }
        let mut parts = self.rest.splitn(2, |byte| *byte == b'\n');
        let line = parts.next().unwrap_or_default();
        self.rest = parts.next().unwrap_or_default();
        if line.len() > MAX_LINE_LEN {
            return Err(ProcErrorKind::LineTooLong);
        }
        if self.line > MAX_LINES {
            return Err(ProcErrorKind::TooManyLines);
        }
        let mut columns = Columns(line);
        if header {
            let is = self
                .file
                .header()
                .into_iter()
                .all(|word| columns.next() == Some(word));
            return if is { Ok(None) } else { Err(ProcErrorKind::Header) };
        }
        match self.file {
            SocketFile::Packet => packet(columns),
            SocketFile::Unix => unix(columns),
            file => internet(file, columns),
        }
    }
}

/// `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode …`
fn internet<'a>(file: SocketFile, mut columns: Columns<'a>) -> Result<Option<Listener<'a>>, ProcErrorKind> {
    columns
        .next()
        .filter(|number| number.ends_with(b":"))
        .ok_or(ProcErrorKind::Column)?;
    let local = columns.next().ok_or(ProcErrorKind::Column)?;
    columns.next().ok_or(ProcErrorKind::Column)?;
    let state = columns.number(16)?;
    // Queues, timer, retransmissions, user, time-out.
    columns.nth(4).ok_or(ProcErrorKind::Column)?;
    let inode = columns.number(10)?;
    let (address, port) = address(local).ok_or(ProcErrorKind::Address)?;
    let is_v6 = matches!(file, SocketFile::Tcp6 | SocketFile::Udp6 | SocketFile::Raw6);
    if address.is_ipv6() != is_v6 {
        return Err(ProcErrorKind::Address);
    }
    let bound = match file {
        SocketFile::Tcp | SocketFile::Tcp6 if state == LISTEN => Bound::Tcp(SocketAddr::new(address, port)),
        SocketFile::Udp | SocketFile::Udp6 if state == UNCONNECTED => {
            Bound::Udp(SocketAddr::new(address, port))
        }
        // In place of the port stands the protocol.
        SocketFile::Raw | SocketFile::Raw6 => Bound::Raw {
            address,
            protocol: u8::try_from(port).map_err(|_| ProcErrorKind::Address)?,
        },
        _ => return Ok(None),
    };
    Ok(Some(Listener { bound, inode }))
}

/// `sk RefCnt Type Proto Iface R Rmem User Inode`
fn packet(mut columns: Columns<'_>) -> Result<Option<Listener<'_>>, ProcErrorKind> {
    columns.nth(2).ok_or(ProcErrorKind::Column)?;
    let ethertype = columns.number(16)?;
    let ethertype = u16::try_from(ethertype).map_err(|_| ProcErrorKind::Column)?;
    columns.nth(3).ok_or(ProcErrorKind::Column)?;
    let inode = columns.number(10)?;
    // Of protocol zero nothing is received.
    Ok((ethertype != 0).then_some(Listener {
        bound: Bound::Packet(ethertype),
        inode,
    }))
}

/// `Num RefCount Protocol Flags Type St Inode Path`
fn unix(mut columns: Columns<'_>) -> Result<Option<Listener<'_>>, ProcErrorKind> {
    columns.nth(2).ok_or(ProcErrorKind::Column)?;
    let flags = columns.number(16)?;
    let kind = columns.number(16)?;
    columns.next().ok_or(ProcErrorKind::Column)?;
    let inode = columns.number(10)?;
    // One space, and then a path that may have more of them.
    let path = match columns.0 {
        [b' ', path @ ..] => path,
        _ => &[],
    };
    let listens = flags & ACCEPTS != 0 || kind == DATAGRAM && !path.is_empty() && !is_made_up(path);
    Ok(listens.then_some(Listener {
        bound: Bound::Unix(path),
        inode,
    }))
}

/// Names that the kernel gives to clients that ask for none: five digits (`unix(7)`, "Autobind feature").
fn is_made_up(path: &[u8]) -> bool {
    matches!(path, [b'@', digits @ ..] if digits.len() == 5 && digits.iter().all(u8::is_ascii_hexdigit))
}

/// Words between spaces.
struct Columns<'a>(&'a [u8]);

impl<'a> Iterator for Columns<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let text = self.0.trim_ascii_start();
        let len = text.iter().take_while(|byte| !byte.is_ascii_whitespace()).count();
        let (word, rest) = text.split_at_checked(len)?;
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }
}

impl Columns<'_> {
    fn number(&mut self, radix: u32) -> Result<u64, ProcErrorKind> {
        self.next()
            .and_then(|word| number(word, radix))
            .ok_or(ProcErrorKind::Column)
    }
}

/// Digits and nothing else: no sign.
fn number(word: &[u8], radix: u32) -> Option<u64> {
    if !word.iter().all(u8::is_ascii_alphanumeric) {
        return None;
    }
    u64::from_str_radix(str::from_utf8(word).ok()?, radix).ok()
}

/// `0100007F:07E8`: words of four bytes as this machine reads them from memory, where they are in network order.
fn address(column: &[u8]) -> Option<(IpAddr, u16)> {
    let mut parts = column.splitn(2, |byte| *byte == b':');
    let (address, port) = (parts.next()?, parts.next()?);
    if port.len() != 4 {
        return None;
    }
    let port = u16::try_from(number(port, 16)?).ok()?;
    let word =
        |digits: &[u8]| -> Option<[u8; 4]> { Some(u32::try_from(number(digits, 16)?).ok()?.to_ne_bytes()) };
    let address = match address.len() {
        8 => IpAddr::from(Ipv4Addr::from(word(address)?)),
        32 => {
            let mut octets = [0; 16];
            for (to, digits) in octets.chunks_exact_mut(4).zip(address.chunks_exact(8)) {
                to.copy_from_slice(&word(digits)?);
            }
            IpAddr::from(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some((address, port))
}

/// The number in the target of a link in `/proc/PID/fd`, if it is a socket: `socket:[1673]`.
///
/// ```
/// use iotsec_net::surface::audit::socket_inode;
///
/// assert_eq!(socket_inode(b"socket:[1673]"), Some(1673));
/// assert_eq!(socket_inode(b"/dev/null"), None);
/// ```
pub fn socket_inode(link: &[u8]) -> Option<u64> {
    number(link.strip_prefix(b"socket:[")?.strip_suffix(b"]")?, 10)
}
