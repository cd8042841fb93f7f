use iotsec_net::surface::{Gate, Socket};
use iotsec_telemetry::detect::{DeclaredSockets, Listening, Mode, Transport};

/// A gate as the detector of new listeners sees it: what the table declares for this phase may listen.
///
/// Scopes are left to `net::surface::audit`, which knows the addresses that sockets are bound to.
///
/// ```
/// use iotsec::{
///     connection::GateSockets,
///     core::hal::Millis,
///     net::{interfaces, surface::{Authentication, Interface, Phase, Scope, Service}},
///     telemetry::detect::{LISTENER, Listening, NewListeners, Transport},
/// };
///
/// interfaces!(static LAMP = [Interface::service(
///     "app", "The owner's app", Service::tcp(8443, Scope::Local, Authentication::Password),
/// )]);
///
/// let declared = GateSockets(LAMP.gate(Phase::Owned));
/// let mut listeners = NewListeners::new();
/// let app = Listening { transport: Transport::Tcp, number: 8443 };
/// let telnet = Listening { transport: Transport::Tcp, number: 23 };
/// assert!(listeners.saw(app, &declared, Millis(0)).is_none());
/// assert_eq!(listeners.saw(telnet, &declared, Millis(0)).unwrap().event(), &LISTENER);
/// listeners.looked();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GateSockets<'t>(pub Gate<'t>);

impl DeclaredSockets for GateSockets<'_> {
    fn may_listen(&self, socket: &Listening) -> bool {
        let mut services = self.0.table().services();
        services.any(|(interface, service)| {
            listening(service.socket()) == *socket && self.0.allows(interface.id()).is_ok()
        })
    }
}

/// A declared socket without its scope.
fn listening(socket: Socket) -> Listening {
    let (transport, number) = match socket {
        Socket::Tcp { port, .. } => (Transport::Tcp, port),
        Socket::Udp { port, .. } => (Transport::Udp, port),
        Socket::Raw(protocol) => (Transport::Raw, protocol.into()),
        Socket::Packet(ethertype) => (Transport::Packet, ethertype),
        Socket::Unix(path) => return Listening::named(path.as_bytes()),
    };
    Listening { transport, number }
}

/// The gate for a mode: under least connectivity where the mode says so.
///
/// ```
/// # use iotsec::net::{interfaces, surface::{Destination, Endpoint, Host, Interface, Phase, Protocol}};
/// # interfaces!(static LAMP = [
/// #     Interface::endpoint(
/// #         "updates", "New software",
/// #         Endpoint::new(Host::Name("updates.example.com"), 443, Protocol::Https),
/// #     ).serving(Destination::Update),
/// #     Interface::endpoint(
/// #         "cloud", "Control from afar",
/// #         Endpoint::new(Host::Name("mqtt.example.com"), 8883, Protocol::Mqtts),
/// #     ),
/// # ]);
/// use iotsec::{connection::gate_in, telemetry::detect::Mode};
///
/// let gate = gate_in(Mode::LeastConnectivity, LAMP.gate(Phase::Owned));
/// assert!(gate.allows("cloud").is_err() && gate.allows("updates").is_ok());
/// ```
#[must_use]
pub const fn gate_in(mode: Mode, gate: Gate<'_>) -> Gate<'_> {
    if mode.is_least_connectivity() {
        gate.least()
    } else {
        gate
    }
}

/// A socket that an audit of this Linux system found, for the detector of new listeners.
#[cfg(feature = "std")]
#[must_use]
pub fn found(listener: &iotsec_net::surface::audit::Listener<'_>) -> Listening {
    use iotsec_net::surface::audit::Bound;
    let (transport, number) = match listener.bound {
        Bound::Tcp(address) => (Transport::Tcp, address.port()),
        Bound::Udp(address) => (Transport::Udp, address.port()),
        Bound::Raw { protocol, .. } => (Transport::Raw, protocol.into()),
        Bound::Packet(ethertype) => (Transport::Packet, ethertype),
        Bound::Unix(path) => return Listening::named(path),
    };
    Listening { transport, number }
}
