use std::{
    fmt,
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs},
    time::{Duration, Instant},
    vec::Vec,
};

use iotsec_core::{hal::Millis, input::Host};

use super::{Client, Handshake, Server, Session, Step, TlsError};
use crate::{
    surface::{Authentication, ListenGrant, OutboundGrant, Protocol, Socket},
    time::CertificateTime,
};

/// Addresses of one host that are tried.
const MAX_ADDRESSES: usize = 4;

/// Connects to the host that was granted, and returns when the server is verified or
/// [`Limits::handshake`](super::Limits::handshake) is over, whatever it does. The time that the system's resolver takes
/// does not count; who has another resolver takes [`connect_at`].
///
/// ```no_run
/// use iotsec_net::{interfaces, surface::{Endpoint, Host, Interface, Phase, Protocol}};
/// use iotsec_net::{time::CertificateTime, tls::{self, Client}};
/// use std::io::{Read, Write};
///
/// interfaces!(static LAMP = [Interface::endpoint(
///     "cloud", "Control from afar",
///     Endpoint::new(Host::Name("mqtt.example.com"), 8883, Protocol::Mqtts),
/// )]);
///
/// fn hello(client: &Client, now: CertificateTime) -> Result<(), Box<dyn std::error::Error>> {
///     let grant = LAMP.gate(Phase::Owned).grant_outbound("cloud", "mqtt.example.com", 8883)?;
///     let mut connection = tls::connect(grant, client, now)?;
///     connection.write_all(b"hello")?;
///     connection.read_exact(&mut [0; 5])?;
///     Ok(connection.close()?)
/// }
/// ```
///
/// # Errors
/// [`TlsError`].
pub fn connect(
    grant: OutboundGrant<'_>,
    client: &Client,
    time: CertificateTime,
) -> Result<Connection, TlsError> {
    let addresses = resolve(&grant)?;
    connect_at(grant, &addresses, client, time)
}

/// As [`connect`], at addresses that the caller has found for the host. What answers there must still be the host.
///
/// # Errors
/// [`TlsError`]; [`TlsError::Port`] for an address with another port than was granted.
#[allow(clippy::needless_pass_by_value, reason = "a grant is for one connection")]
pub fn connect_at(
    grant: OutboundGrant<'_>,
    addresses: &[SocketAddr],
    client: &Client,
    time: CertificateTime,
) -> Result<Connection, TlsError> {
    let host = Host::parse(grant.host().as_bytes()).map_err(|_| TlsError::Host)?;
    let clock = Clock::start();
    let deadline = client.limits().handshake;
    let stream = open(&grant, addresses, clock, deadline)?;
    // The time to reach the host is part of the handshake's.
    let handshake = client.start(&host, time, Millis(0))?;
    let session = finish(handshake, &stream, clock, deadline)?;
    Connection::new(stream, session, clock, client.limits().idle)
}

/// The addresses of the host that was granted.
pub(super) fn resolve(grant: &OutboundGrant<'_>) -> Result<Vec<SocketAddr>, TlsError> {
    let port = grant.port();
    match Host::parse(grant.host().as_bytes()).map_err(|_| TlsError::Host)? {
        Host::V4(address) => Ok(Vec::from([SocketAddr::from((address.addr(), port))])),
        Host::V6(address) => Ok(Vec::from([SocketAddr::from((address.addr(), port))])),
        Host::Name(name) => {
            let found = (name.as_str(), port).to_socket_addrs();
            Ok(found
                .map_err(|_| TlsError::Resolve)?
                .take(MAX_ADDRESSES)
                .collect())
        }
    }
}

/// Opens a socket to the first address that answers.
pub(super) fn open(
    grant: &OutboundGrant<'_>,
    addresses: &[SocketAddr],
    clock: Clock,
    deadline: Millis,
) -> Result<TcpStream, TlsError> {
    if !matches!(
        grant.protocol(),
        Protocol::Https | Protocol::Mqtts | Protocol::Tls
    ) {
        return Err(TlsError::Protocol);
    }
    if addresses.iter().any(|address| address.port() != grant.port()) {
        return Err(TlsError::Port);
    }
    let mut error = TlsError::Resolve;
    for address in addresses.iter().take(MAX_ADDRESSES) {
        let left = clock.left(deadline)?;
        match TcpStream::connect_timeout(address, left) {
            Ok(stream) => {
                stream.set_nodelay(true).map_err(|_| TlsError::Io)?;
                return Ok(stream);
            }
            Err(_) => error = TlsError::Unreachable,
        }
    }
    Err(error)
}

/// Advances a handshake to its end.
pub(super) fn finish(
    mut handshake: Handshake,
    stream: &TcpStream,
    clock: Clock,
    deadline: Millis,
) -> Result<Session, TlsError> {
    let mut timed = Timed {
        stream,
        clock,
        deadline,
    };
    loop {
        match handshake.advance(&mut timed, clock.now())? {
            Step::Done(session) => return Ok(session),
            Step::Pending(pending) => handshake = pending,
        }
    }
}

/// Time since a connection was begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    fn now(self) -> Millis {
        Millis(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn left(self, deadline: Millis) -> Result<Duration, TlsError> {
        match deadline.since(self.now()) {
            Millis(0) => Err(TlsError::Deadline),
            left => Ok(Duration::from_millis(left.0)),
        }
    }
}

/// A socket each call of which ends with the handshake's time, so that a byte now and then buys none.
struct Timed<'s> {
    stream: &'s TcpStream,
    clock: Clock,
    deadline: Millis,
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream
            .set_read_timeout(Some(self.clock.left(self.deadline)?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream
            .set_write_timeout(Some(self.clock.left(self.deadline)?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A verified connection over a socket, to read from and write to. Errors are those of [`TlsError`], which
/// [`TlsError::of`] takes out of an [`io::Error`].
///
/// A call waits for at most [`Limits::idle`](super::Limits::idle) and then fails with
/// [`WouldBlock`](io::ErrorKind::WouldBlock); nothing is lost, and the same call may be made again.
pub struct Connection {
    stream: TcpStream,
    session: Session,
    clock: Clock,
}

impl Connection {
    fn new(stream: TcpStream, session: Session, clock: Clock, idle: Millis) -> Result<Self, TlsError> {
        let connection = Self {
            stream,
            session,
            clock,
        };
        let idle = Duration::from_millis(idle.0);
        connection.set_read_timeout(idle)?;
        connection
            .stream
            .set_write_timeout(Some(idle))
            .map_err(|_| TlsError::Io)?;
        Ok(connection)
    }

    /// What was agreed with the peer.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// How long a read waits for bytes.
    ///
    /// # Errors
    /// [`TlsError::Limits`] for no time at all.
    pub fn set_read_timeout(&self, timeout: Duration) -> Result<(), TlsError> {
        self.stream
            .set_read_timeout(Some(timeout))
            .map_err(|_| TlsError::Limits)
    }

    /// The address of the peer.
    ///
    /// # Errors
    /// [`TlsError::Io`].
    pub fn peer_address(&self) -> Result<SocketAddr, TlsError> {
        self.stream.peer_addr().map_err(|_| TlsError::Io)
    }

    /// Tells the peer that nothing more comes, and closes.
    ///
    /// # Errors
    /// [`TlsError`], after which it is closed too.
    pub fn close(mut self) -> Result<(), TlsError> {
        self.session.close(&mut self.stream)
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(self.session.read(&mut self.stream, buffer, self.clock.now())?)
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.session.write(&mut self.stream, bytes, self.clock.now())?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(self.session.flush(&mut self.stream)?)
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}

/// A declared service that waits for those who come.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    authentication: Authentication,
}

impl Listener {
    /// Listens at this address of the device, which must be within the declared scope, and at the declared port.
    ///
    /// # Errors
    /// [`TlsError::Protocol`] for a service that is not on TCP; [`TlsError::Surface`] for an address that is wider than
    /// declared; [`TlsError::Io`].
    #[allow(clippy::needless_pass_by_value, reason = "a grant is for one listener")]
    pub fn bind(grant: ListenGrant, address: IpAddr) -> Result<Self, TlsError> {
        let Socket::Tcp { port, .. } = grant.socket() else {
            return Err(TlsError::Protocol);
        };
        grant.covers(address)?;
        Ok(Self {
            listener: TcpListener::bind((address, port)).map_err(|_| TlsError::Io)?,
            authentication: grant.service().authentication(),
        })
    }

    /// Waits for somebody, and has yet to hear who it is. The handshake may take as long as its limit allows, so a
    /// service for more than one client makes it in another thread.
    ///
    /// # Errors
    /// [`TlsError::Io`].
    pub fn accept(&self) -> Result<Incoming, TlsError> {
        let (stream, _) = self.listener.accept().map_err(|_| TlsError::Io)?;
        stream.set_nodelay(true).map_err(|_| TlsError::Io)?;
        Ok(Incoming {
            stream,
            authentication: self.authentication,
        })
    }
}

/// Somebody who came to a [`Listener`].
#[derive(Debug)]
pub struct Incoming {
    stream: TcpStream,
    authentication: Authentication,
}

impl Incoming {
    /// Does the handshake.
    ///
    /// # Errors
    /// [`TlsError::Authentication`] when the service is declared to ask for certificates and the server does not.
    pub fn handshake(self, server: &Server, time: CertificateTime) -> Result<Connection, TlsError> {
        if self.authentication == Authentication::Certificate && !server.asks_for_certificates() {
            return Err(TlsError::Authentication);
        }
        let clock = Clock::start();
        let limits = server.limits();
        let handshake = server.start(time, Millis(0))?;
        let session = finish(handshake, &self.stream, clock, limits.handshake)?;
        Connection::new(self.stream, session, clock, limits.idle)
    }
}
