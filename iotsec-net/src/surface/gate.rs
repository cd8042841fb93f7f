use iotsec_core::input;

use super::{
    Destination, Endpoint, Host, Interface, InterfaceTable, Kind, Phase, Protocol, Scope, Service, Socket,
    SurfaceError,
};

/// What opens interfaces: the table, and the state that the device is in.
///
/// Make a new one when the state changes, and ask it again for each connection: what was granted before a device was
/// set up, or before its software was found changed, does not hold afterwards.
///
/// ```
/// use iotsec_net::{interfaces, surface::{
///     Authentication, Destination, Endpoint, Host, Interface, Phase, Phases, Protocol, Scope, Service, SurfaceError,
/// }};
///
/// interfaces!(static LAMP = [
///     Interface::service(
///         "set-up", "The owner's app names the network",
///         Service::tcp(8443, Scope::Local, Authentication::Pairing),
///     ).during(Phases::PROVISIONED),
///     Interface::endpoint(
///         "updates", "New software",
///         Endpoint::new(Host::Name("updates.example.com"), 443, Protocol::Https),
///     ).serving(Destination::Update),
///     Interface::endpoint(
///         "cloud", "Control from afar",
///         Endpoint::new(Host::Name("mqtt.example.com"), 8883, Protocol::Mqtts),
///     ).during(Phases::OWNED),
/// ]);
///
/// let gate = LAMP.gate(Phase::Owned);
/// assert_eq!(gate.grant_outbound("cloud", "mqtt.example.com", 8883)?.host(), "mqtt.example.com");
/// assert_eq!(gate.grant_outbound("cloud", "evil.example.com", 8883).err(), Some(SurfaceError::Host));
/// assert_eq!(gate.grant_listen("telnet").err(), Some(SurfaceError::Undeclared));
/// assert_eq!(gate.grant_listen("set-up").err(), Some(SurfaceError::Phase));
///
/// // The software that runs was found changed.
/// let gate = gate.least();
/// assert!(gate.grant_outbound("updates", "updates.example.com", 443).is_ok());
/// assert_eq!(gate.allows("cloud"), Err(SurfaceError::LeastConnectivity));
/// # Ok::<(), SurfaceError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gate<'t> {
    table: &'t InterfaceTable,
    phase: Phase,
    least: bool,
}

impl<'t> Gate<'t> {
    pub(super) const fn new(table: &'t InterfaceTable, phase: Phase) -> Self {
        Self {
            table,
            phase,
            least: false,
        }
    }

    /// Under least connectivity (EN 303 645, 5.7-2): only what is for [`Destination::Alert`] or
    /// [`Destination::Update`] opens. There is no way back but a new gate.
    #[must_use]
    pub const fn least(self) -> Self {
        Self { least: true, ..self }
    }

    /// The table.
    pub const fn table(&self) -> &'t InterfaceTable {
        self.table
    }

    /// The phase.
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether this interface may be opened now, and may stay open.
    ///
    /// # Errors
    /// [`SurfaceError::Undeclared`], [`SurfaceError::Phase`], [`SurfaceError::LeastConnectivity`].
    pub fn allows(&self, id: &str) -> Result<&'static Interface, SurfaceError> {
        let interface = self.table.find(id).ok_or(SurfaceError::Undeclared)?;
        if !interface.phases().contains(self.phase) {
            return Err(SurfaceError::Phase);
        }
        if self.least && interface.destination() == Destination::Any {
            return Err(SurfaceError::LeastConnectivity);
        }
        Ok(interface)
    }

    /// Grants one connection to `host` at `port`. Nothing is granted that is not declared.
    ///
    /// `host` is compared without regard to case; to an endpoint that the owner configures it may also be an IPv4
    /// address, or an IPv6 address between brackets.
    ///
    /// # Errors
    /// [`SurfaceError`].
    pub fn grant_outbound<'h>(
        &self,
        id: &str,
        host: &'h str,
        port: u16,
    ) -> Result<OutboundGrant<'h>, SurfaceError> {
        let interface = self.allows(id)?;
        let Kind::Endpoint(endpoint) = interface.kind() else {
            return Err(SurfaceError::Kind);
        };
        let host = match endpoint.host() {
            Host::Name(name) if name.eq_ignore_ascii_case(host) => name,
            Host::Name(_) => return Err(SurfaceError::Host),
            Host::Local if !is_local(host) => return Err(SurfaceError::Host),
            Host::Local | Host::Controller | Host::Resolver | Host::TimeServer => {
                input::Host::parse(host.as_bytes()).map_err(|_| SurfaceError::Host)?;
                host
            }
        };
        if endpoint.port() != port {
            return Err(SurfaceError::Port);
        }
        Ok(OutboundGrant {
            interface,
            endpoint,
            host,
        })
    }

    /// Grants one service the right to listen.
    ///
    /// # Errors
    /// [`SurfaceError`].
    pub fn grant_listen(&self, id: &str) -> Result<ListenGrant, SurfaceError> {
        let interface = self.allows(id)?;
        match interface.kind() {
            Kind::Service(service) => Ok(ListenGrant { interface, service }),
            _ => Err(SurfaceError::Kind),
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.6-1", "5.6-5"],
    claims: "What the interface table does not declare, or not for this phase of the device's life, is not opened",
    code: [Gate::allows],
    tests: [
        "iotsec-net::iotsec_net::surface::tests::what_is_not_declared_is_not_granted",
        "iotsec-net::iotsec_net::surface::tests::a_phase_opens_what_it_has",
    ],
}

iotsec_core::claim! {
    provisions: ["5.7-2"],
    claims: "In least connectivity nothing is granted but what is declared for the alarm and the repair",
    code: [Gate::allows],
    tests: ["iotsec-net::iotsec_net::surface::tests::a_phase_opens_what_it_has"],
}

/// The right to open one connection. Only a [`Gate`] makes it, and the transport takes it.
#[derive(Debug)]
pub struct OutboundGrant<'h> {
    interface: &'static Interface,
    endpoint: Endpoint,
    host: &'h str,
}

impl<'h> OutboundGrant<'h> {
    /// The interface.
    pub const fn interface(&self) -> &'static Interface {
        self.interface
    }

    /// To whom: a host name in lower case as it is declared, or what the owner configured.
    pub const fn host(&self) -> &'h str {
        self.host
    }

    /// At which port.
    pub const fn port(&self) -> u16 {
        self.endpoint.port()
    }

    /// How.
    pub const fn protocol(&self) -> Protocol {
        self.endpoint.protocol()
    }
}

/// The right to listen. Only a [`Gate`] makes it.
#[derive(Debug)]
pub struct ListenGrant {
    interface: &'static Interface,
    service: Service,
}

impl ListenGrant {
    /// The interface.
    pub const fn interface(&self) -> &'static Interface {
        self.interface
    }

    /// The service.
    pub const fn service(&self) -> Service {
        self.service
    }

    /// On what.
    pub const fn socket(&self) -> Socket {
        self.service.socket()
    }

    /// Whether the declared scope covers this address.
    ///
    /// # Errors
    /// [`SurfaceError::Scope`].
    pub fn covers(&self, address: core::net::IpAddr) -> Result<(), SurfaceError> {
        match self.socket() {
            Socket::Tcp { scope, .. } | Socket::Udp { scope, .. } if Scope::of(address) <= scope => Ok(()),
            _ => Err(SurfaceError::Scope),
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.6-1"],
    claims: "A service listens on no wider address than was declared",
    code: [ListenGrant::covers],
    tests: [
        "iotsec-net::iotsec_net::surface::tests::a_grant_covers_no_wider_address_than_declared",
        "iotsec-net::tls::socket::a_service_listens_as_it_is_declared",
    ],
}

/// A private, link-local or loopback address, a name of one label, or one under `.local` (RFC 6762) or `.home.arpa` (RFC 8375).
fn is_local(host: &str) -> bool {
    match input::Host::parse(host.as_bytes()) {
        Ok(input::Host::V4(address)) => {
            let address = address.addr();
            address.is_private() || address.is_link_local() || address.is_loopback()
        }
        Ok(input::Host::V6(address)) => {
            let address = address.addr();
            address.is_unique_local() || address.is_unicast_link_local() || address.is_loopback()
        }
        Ok(input::Host::Name(name)) => {
            let under = |domain: &str| {
                let name = name.as_str().as_bytes();
                let start = name.len().saturating_sub(domain.len());
                name.get(start..)
                    .is_some_and(|end| end.eq_ignore_ascii_case(domain.as_bytes()))
            };
            name.is_single_label() || under(".local") || under(".home.arpa")
        }
        Err(_) => false,
    }
}

impl Scope {
    /// How far a socket that is bound to `address` can be reached.
    pub fn of(address: core::net::IpAddr) -> Self {
        let address = address.to_canonical();
        if address.is_loopback() {
            Self::Loopback
        } else if address.is_unspecified() {
            Self::Any
        } else {
            Self::Local
        }
    }
}
