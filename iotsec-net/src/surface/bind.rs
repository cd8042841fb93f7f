use core::net::{IpAddr, SocketAddr};
use std::{
    io,
    net::{TcpListener, UdpSocket},
};

use iotsec_core::error::{ErrorCode, Fault};

use super::{ListenGrant, Socket, SurfaceError};

/// A socket was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// The grant is not for this.
    #[error(transparent)]
    Surface(#[from] SurfaceError),
    /// The operating system did not do it.
    #[error("socket cannot be opened: {0}")]
    System(io::ErrorKind),
}

impl ErrorCode for BindError {
    fn code(&self) -> u16 {
        match self {
            Self::Surface(error) => error.code(),
            Self::System(_) => 5329,
        }
    }
    fn fault(&self) -> Fault {
        match self {
            Self::Surface(error) => error.fault(),
            Self::System(_) => Fault::Device,
        }
    }
}

impl ListenGrant {
    /// Listens on the declared TCP port of `address`, which may not be wider than the declared scope.
    ///
    /// ```
    /// use std::net::{IpAddr, Ipv4Addr};
    ///
    /// use iotsec_net::{interfaces, surface::{
    ///     Authentication, BindError, Interface, Phase, Scope, Service, SurfaceError,
    /// }};
    ///
    /// interfaces!(static LAMP = [Interface::service(
    ///     "agent", "Takes updates", Service::tcp(49_317, Scope::Loopback, Authentication::SharedKey),
    /// )]);
    /// let grant = LAMP.gate(Phase::Owned).grant_listen("agent")?;
    /// let refused = grant.bind_tcp(IpAddr::from(Ipv4Addr::UNSPECIFIED));
    /// assert_eq!(refused.err(), Some(BindError::Surface(SurfaceError::Scope)));
    /// # Ok::<(), SurfaceError>(())
    /// ```
    ///
    /// # Errors
    /// [`BindError`].
    pub fn bind_tcp(&self, address: IpAddr) -> Result<TcpListener, BindError> {
        let Socket::Tcp { port, .. } = self.socket() else {
            return Err(SurfaceError::Kind.into());
        };
        self.covers(address)?;
        TcpListener::bind(SocketAddr::new(address, port)).map_err(|cause| BindError::System(cause.kind()))
    }

    /// Takes datagrams on the declared UDP port of `address`, which may not be wider than the declared scope.
    ///
    /// # Errors
    /// [`BindError`].
    pub fn bind_udp(&self, address: IpAddr) -> Result<UdpSocket, BindError> {
        let Socket::Udp { port, .. } = self.socket() else {
            return Err(SurfaceError::Kind.into());
        };
        self.covers(address)?;
        UdpSocket::bind(SocketAddr::new(address, port)).map_err(|cause| BindError::System(cause.kind()))
    }
}
