//! What a device can be reached by, and what it reaches.

/// One interface of the device: what it is, what it is for, and when it is there.
///
/// ```
/// use iotsec_net::surface::{Authentication, Interface, Phases, Scope, Service};
///
/// const APP: Interface = Interface::service(
///     "app", "The owner's app on the local network",
///     Service::tcp(8443, Scope::Local, Authentication::Password),
/// ).during(Phases::OWNED);
/// assert_eq!(APP.provisions(), ["5.5-4", "5.5-5", "5.6-1", "5.6-2", "5.6-5", "5.13-1B"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    id: &'static str,
    purpose: &'static str,
    kind: Kind,
    phases: Phases,
    destination: Destination,
}

/// What an interface is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Others come to the device.
    Service(Service),
    /// The device goes to others.
    Endpoint(Endpoint),
    /// A connector.
    Port(Port),
    /// An antenna.
    Radio(Radio),
    /// A way into the chip or the boot loader.
    Debug(Debug),
}

impl Interface {
    /// Declares a service, which others come to. It is checked when it joins a table.
    pub const fn service(id: &'static str, purpose: &'static str, service: Service) -> Self {
        Self::new(id, purpose, Kind::Service(service))
    }

    /// Declares an endpoint, which the device goes to.
    pub const fn endpoint(id: &'static str, purpose: &'static str, endpoint: Endpoint) -> Self {
        Self::new(id, purpose, Kind::Endpoint(endpoint))
    }

    /// Declares a connector.
    pub const fn port(id: &'static str, purpose: &'static str, port: Port) -> Self {
        Self::new(id, purpose, Kind::Port(port))
    }

    /// Declares an antenna.
    pub const fn radio(id: &'static str, purpose: &'static str, radio: Radio) -> Self {
        Self::new(id, purpose, Kind::Radio(radio))
    }

    /// Declares a debug interface. Unless [`during`](Self::during) says otherwise, it is for the factory alone.
    pub const fn debug(id: &'static str, purpose: &'static str, debug: Debug) -> Self {
        Self::new(id, purpose, Kind::Debug(debug)).during(Phases::FACTORY)
    }

    const fn new(id: &'static str, purpose: &'static str, kind: Kind) -> Self {
        Self {
            id,
            purpose,
            kind,
            phases: Phases::ALWAYS,
            destination: Destination::Any,
        }
    }

    /// In which phases of its life the device has it. Without this, in all.
    pub const fn during(self, phases: Phases) -> Self {
        Self { phases, ..self }
    }

    /// What its connections are for, which decides whether they stay open under least connectivity. Without this,
    /// [`Destination::Any`].
    pub const fn serving(self, destination: Destination) -> Self {
        Self { destination, ..self }
    }

    /// Its name in grants, findings and documents.
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// What it is for.
    pub const fn purpose(&self) -> &'static str {
        self.purpose
    }

    /// What it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// When it is there.
    pub const fn phases(&self) -> Phases {
        self.phases
    }

    /// What its connections are for.
    pub const fn destination(&self) -> Destination {
        self.destination
    }

    /// The provisions of EN 303 645 that speak of such an interface.
    pub const fn provisions(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Service(service) if service.socket.is_network() => {
                &["5.5-4", "5.5-5", "5.6-1", "5.6-2", "5.6-5", "5.13-1B"]
            }
            Kind::Service(_) => &["5.6-5"],
            Kind::Endpoint(_) => &["5.5-1", "5.6-1", "5.13-1B"],
            Kind::Port(port) if port.is_network() => &["5.6-1", "5.6-3"],
            Kind::Port(_) => &["5.6-3"],
            Kind::Radio(_) => &["5.6-1"],
            Kind::Debug(debug) if debug.is_physical() => &["5.6-3", "5.6-4A", "5.6-4B"],
            Kind::Debug(_) => &["5.6-4A"],
        }
    }
}

/// A part of a device's life; the words of `iotsec::device::State`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// On the production line.
    Factory,
    /// Sold, and not yet set up.
    Provisioned,
    /// Somebody's.
    Owned,
    /// The owner's data are lost, and it waits to be reset.
    Orphaned,
    /// Taken out of use.
    Retired,
}

/// Some of the phases.
///
/// ```
/// use iotsec_net::surface::{Phase, Phases};
///
/// const SETUP: Phases = Phases::FACTORY.and(Phases::PROVISIONED);
/// assert!(SETUP.contains(Phase::Provisioned) && !SETUP.contains(Phase::Owned));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Phases(u8);

impl Phases {
    /// In none.
    pub const NONE: Self = Self(0);
    /// On the production line.
    pub const FACTORY: Self = Self(1);
    /// Before the device is set up.
    pub const PROVISIONED: Self = Self(2);
    /// While it is somebody's.
    pub const OWNED: Self = Self(4);
    /// While it waits to be reset.
    pub const ORPHANED: Self = Self(8);
    /// After it was taken out of use.
    pub const RETIRED: Self = Self(16);
    /// While it is set up, and while it is somebody's.
    pub const IN_USE: Self = Self::PROVISIONED.and(Self::OWNED);
    /// In all.
    pub const ALWAYS: Self = Self(31);

    /// These and `others`.
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// `phase` and no other.
    pub const fn only(phase: Phase) -> Self {
        match phase {
            Phase::Factory => Self::FACTORY,
            Phase::Provisioned => Self::PROVISIONED,
            Phase::Owned => Self::OWNED,
            Phase::Orphaned => Self::ORPHANED,
            Phase::Retired => Self::RETIRED,
        }
    }

    /// Whether one of these is among `others`.
    pub const fn meet(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Whether `phase` is among them.
    pub const fn contains(self, phase: Phase) -> bool {
        self.meet(Self::only(phase))
    }
}

/// What a connection is for; the words of `iotsec_update::boot::Destination`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// Telling the owner or the maker what is wrong.
    Alert,
    /// Fetching good software.
    Update,
    /// Anything else.
    Any,
}

/// A service that others come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    socket: Socket,
    authentication: Authentication,
    discloses: &'static [Fact],
}

impl Service {
    /// On a TCP port.
    pub const fn tcp(port: u16, scope: Scope, authentication: Authentication) -> Self {
        Self::new(Socket::Tcp { port, scope }, authentication)
    }

    /// On a UDP port.
    pub const fn udp(port: u16, scope: Scope, authentication: Authentication) -> Self {
        Self::new(Socket::Udp { port, scope }, authentication)
    }

    /// On any kind of socket.
    pub const fn new(socket: Socket, authentication: Authentication) -> Self {
        Self {
            socket,
            authentication,
            discloses: &[],
        }
    }

    /// What it tells everybody, before they have authenticated. Without this, nothing.
    pub const fn disclosing(self, facts: &'static [Fact]) -> Self {
        Self {
            discloses: facts,
            ..self
        }
    }

    /// Where it listens.
    pub const fn socket(&self) -> Socket {
        self.socket
    }

    /// What it asks of those who come.
    pub const fn authentication(&self) -> Authentication {
        self.authentication
    }

    /// What it tells everybody.
    pub const fn discloses(&self) -> &'static [Fact] {
        self.discloses
    }
}

/// What a service listens on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Socket {
    /// Connections.
    Tcp {
        /// 1 to 65,535.
        port: u16,
        /// Who can reach it.
        scope: Scope,
    },
    /// Datagrams.
    Udp {
        /// 1 to 65,535.
        port: u16,
        /// Who can reach it.
        scope: Scope,
    },
    /// A path, or an abstract name after `@`, that processes on the same machine can reach.
    Unix(&'static str),
    /// Every packet of this IP protocol number that reaches the device.
    Raw(u8),
    /// Every frame of this EtherType that reaches the device; 3 for all of them.
    Packet(u16),
}

impl Socket {
    /// Whether somebody else than the machine itself can reach it.
    pub const fn is_network(self) -> bool {
        match self {
            Self::Tcp { scope, .. } | Self::Udp { scope, .. } => !matches!(scope, Scope::Loopback),
            Self::Unix(_) => false,
            Self::Raw(_) | Self::Packet(_) => true,
        }
    }
}

/// From where a service can be reached. Later ones are wider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// From the machine itself: 127.0.0.0/8 and ::1.
    Loopback,
    /// From one network: the address of one interface.
    Local,
    /// From every network that the device is in: 0.0.0.0 and ::.
    Any,
}

/// What a service asks of those who come, before it does anything for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Authentication {
    /// Nothing.
    None,
    /// A password.
    Password,
    /// The set-up code on the label.
    Pairing,
    /// A key that both have.
    SharedKey,
    /// A certificate.
    Certificate,
    /// The operating system knows who it is: owner and mode of a path.
    Peer,
}

/// What a device may tell before it knows to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fact {
    /// What kind of product it is.
    Product,
    /// A name that the owner gave it.
    Name,
    /// Whether it waits to be set up.
    SetupState,
    /// A number drawn anew at each boot or set-up.
    RandomId,
    /// The protocols that it speaks.
    Protocols,
    /// The version of its software. Tells an attacker which holes are open.
    SoftwareVersion,
    /// Its serial number. Tells who made it and when, and follows it wherever it goes.
    SerialNumber,
    /// Its hardware address. Follows it wherever it goes.
    HardwareAddress,
}

impl Fact {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Product,
        Self::Name,
        Self::SetupState,
        Self::RandomId,
        Self::Protocols,
        Self::SoftwareVersion,
        Self::SerialNumber,
        Self::HardwareAddress,
    ];

    /// Which of [`ALL`](Self::ALL) it is, as a bit.
    pub(super) const fn bit(self) -> u8 {
        match self {
            Self::Product => 1,
            Self::Name => 2,
            Self::SetupState => 4,
            Self::RandomId => 8,
            Self::Protocols => 16,
            Self::SoftwareVersion => 32,
            Self::SerialNumber => 64,
            Self::HardwareAddress => 128,
        }
    }

    /// Whether it helps an attacker (EN 303 645, 5.6-2).
    pub const fn is_security_relevant(self) -> bool {
        matches!(
            self,
            Self::SoftwareVersion | Self::SerialNumber | Self::HardwareAddress
        )
    }
}

/// Somebody that the device goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    host: Host,
    port: u16,
    protocol: Protocol,
}

impl Endpoint {
    /// Who, at which port, and how.
    pub const fn new(host: Host, port: u16, protocol: Protocol) -> Self {
        Self { host, port, protocol }
    }

    /// Who.
    pub const fn host(&self) -> Host {
        self.host
    }

    /// At which port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// How.
    pub const fn protocol(&self) -> Protocol {
        self.protocol
    }
}

/// Who an endpoint is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// This name and no other, in lower case. There are no patterns.
    Name(&'static str),
    /// The name or address that the owner or the maker's service configured (RFC 8520 §3: `my-controller`).
    Controller,
    /// Something in the owner's network: a private, link-local or loopback address, a name of one label, or one under `.local`
    /// or `.home.arpa`.
    Local,
    /// The resolver that the network names.
    Resolver,
    /// The time server that the network names.
    TimeServer,
}

/// How the device speaks to an endpoint. What is not here cannot be declared: plain HTTP, MQTT and Telnet are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// HTTP over TLS.
    Https,
    /// MQTT over TLS.
    Mqtts,
    /// Anything else over TLS.
    Tls,
    /// CoAP over DTLS.
    Coaps,
    /// Anything else over DTLS or QUIC.
    Dtls,
    /// Name resolution.
    Dns,
    /// The time.
    Ntp,
    /// An address from the network.
    Dhcp,
}

impl Protocol {
    /// Whether it goes over TCP; otherwise over UDP.
    pub const fn is_tcp(self) -> bool {
        matches!(self, Self::Https | Self::Mqtts | Self::Tls)
    }

    /// Whether others can neither read nor change it (EN 303 645, 5.5-1).
    pub const fn is_protected(self) -> bool {
        !matches!(self, Self::Dns | Self::Ntp | Self::Dhcp)
    }
}

/// A connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    /// Ethernet.
    Ethernet,
    /// USB, as host or device.
    Usb,
    /// A serial line.
    Serial,
    /// A card slot.
    Card,
    /// A field bus.
    Bus,
    /// Power alone, and whatever carries no data.
    Power,
}

impl Port {
    /// Whether a network is behind it.
    pub const fn is_network(self) -> bool {
        matches!(self, Self::Ethernet | Self::Bus)
    }
}

/// An antenna.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Radio {
    /// IEEE 802.11.
    Wifi,
    /// Bluetooth Low Energy or classic.
    Bluetooth,
    /// IEEE 802.15.4: Thread, Zigbee.
    Ieee802154,
    /// GSM, LTE, 5G.
    Cellular,
    /// LoRa, Sigfox and others of long range.
    LongRange,
    /// Near-field communication.
    Nfc,
    /// Infrared.
    Infrared,
}

/// A way into the chip or the boot loader.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Debug {
    /// JTAG.
    Jtag,
    /// Serial Wire Debug.
    Swd,
    /// A console on a serial line.
    Console,
    /// A loader in ROM that takes images.
    RomLoader,
    /// A shell or a debug service behind a network.
    Remote,
}

impl Debug {
    /// Whether it is a port that one can touch.
    pub const fn is_physical(self) -> bool {
        !matches!(self, Self::Remote)
    }
}
