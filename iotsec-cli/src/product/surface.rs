//! The interfaces of a product: `[surface]` of its manifest.

use iotsec::net::surface::{
    Authentication, Debug, Destination, Endpoint, Fact, Host, Interface, InterfaceTable, Phase, Phases, Port,
    Protocol, Radio, Scope, Service, Socket,
};
use serde::Deserialize;

use super::Text;

/// Everything that is not listed here stays closed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Surface {
    pub(crate) mud: Option<Mud>,
    #[serde(default)]
    service: Vec<ServiceEntry>,
    #[serde(default)]
    endpoint: Vec<EndpointEntry>,
    #[serde(default)]
    port: Vec<PortEntry>,
    #[serde(default)]
    radio: Vec<RadioEntry>,
    #[serde(default)]
    debug: Vec<DebugEntry>,
}

/// What its MUD file says besides.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Mud {
    /// Where the file is published.
    pub(crate) url: String,
    /// How long a network may keep it.
    #[serde(default = "two_days")]
    pub(crate) cache_hours: u8,
    /// In place of the product's name.
    pub(crate) description: Option<Text>,
    /// Where people read about the product.
    pub(crate) documentation: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceEntry {
    id: String,
    purpose: String,
    tcp: Option<u16>,
    udp: Option<u16>,
    unix: Option<String>,
    raw: Option<u8>,
    packet: Option<u16>,
    scope: Option<ScopeName>,
    authentication: AuthenticationName,
    #[serde(default)]
    discloses: Vec<FactName>,
    phases: Option<Vec<PhaseName>>,
    serves: Option<DestinationName>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointEntry {
    id: String,
    purpose: String,
    host: Option<String>,
    peer: Option<PeerName>,
    port: u16,
    protocol: ProtocolName,
    phases: Option<Vec<PhaseName>>,
    serves: Option<DestinationName>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PortEntry {
    id: String,
    purpose: String,
    kind: PortName,
    phases: Option<Vec<PhaseName>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RadioEntry {
    id: String,
    purpose: String,
    kind: RadioName,
    phases: Option<Vec<PhaseName>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DebugEntry {
    id: String,
    purpose: String,
    kind: DebugName,
    phases: Option<Vec<PhaseName>>,
}

/// Names in the manifest, in kebab case, for the values of an enum of the SDK.
macro_rules! names {
    ($(#[$meta:meta])* $name:ident for $target:ident: $($variant:ident),+ $(,)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum $name {
            $($variant),+
        }

        impl From<$name> for $target {
            fn from(name: $name) -> Self {
                match name {
                    $($name::$variant => Self::$variant),+
                }
            }
        }
    };
}

names!(ScopeName for Scope: Loopback, Local, Any);
names!(AuthenticationName for Authentication: None, Password, Pairing, SharedKey, Certificate, Peer);
names!(FactName for Fact: Product, Name, SetupState, RandomId, Protocols, SoftwareVersion, SerialNumber, HardwareAddress);
names!(PhaseName for Phase: Factory, Provisioned, Owned, Orphaned, Retired);
names!(DestinationName for Destination: Alert, Update, Any);
names!(PeerName for Host: Controller, Local, Resolver, TimeServer);
names!(ProtocolName for Protocol: Https, Mqtts, Tls, Coaps, Dtls, Dns, Ntp, Dhcp);
names!(PortName for Port: Ethernet, Usb, Serial, Card, Bus, Power);
names!(RadioName for Radio: Wifi, Bluetooth, Ieee802154, Cellular, LongRange, Nfc, Infrared);
names!(DebugName for Debug: Jtag, Swd, Console, RomLoader, Remote);

impl Surface {
    /// The table that a device has, checked by the rules that its compiler checks.
    ///
    /// A table lives as long as the program, so its memory is never given back: a manifest is read once.
    pub(crate) fn table(&self) -> Result<InterfaceTable, String> {
        let mut interfaces = Vec::new();
        for entry in &self.service {
            let id = leak(&entry.id);
            let service = Service::new(entry.socket()?, entry.authentication.into()).disclosing(
                entry
                    .discloses
                    .iter()
                    .copied()
                    .map(Fact::from)
                    .collect::<Vec<_>>()
                    .leak(),
            );
            let interface = Interface::service(id, leak(&entry.purpose), service);
            interfaces.push(serving(during(interface, entry.phases.as_deref()), entry.serves));
        }
        for entry in &self.endpoint {
            let host = match (&entry.host, entry.peer) {
                (Some(name), None) => Host::Name(leak(name)),
                (None, Some(peer)) => peer.into(),
                _ => return Err(format!("endpoint {:?} has either a host or a peer", entry.id)),
            };
            let endpoint = Endpoint::new(host, entry.port, entry.protocol.into());
            let interface = Interface::endpoint(leak(&entry.id), leak(&entry.purpose), endpoint);
            interfaces.push(serving(during(interface, entry.phases.as_deref()), entry.serves));
        }
        for entry in &self.port {
            let interface = Interface::port(leak(&entry.id), leak(&entry.purpose), entry.kind.into());
            interfaces.push(during(interface, entry.phases.as_deref()));
        }
        for entry in &self.radio {
            let interface = Interface::radio(leak(&entry.id), leak(&entry.purpose), entry.kind.into());
            interfaces.push(during(interface, entry.phases.as_deref()));
        }
        for entry in &self.debug {
            let interface = Interface::debug(leak(&entry.id), leak(&entry.purpose), entry.kind.into());
            interfaces.push(during(interface, entry.phases.as_deref()));
        }
        // The first one alone that breaks a rule has a name to show.
        for interface in &interfaces {
            InterfaceTable::new(vec![*interface].leak())
                .map_err(|cause| format!("interface {:?}: {cause}", interface.id()))?;
        }
        InterfaceTable::new(interfaces.leak()).map_err(|cause| format!("[surface]: {cause}"))
    }
}

impl ServiceEntry {
    fn socket(&self) -> Result<Socket, String> {
        let scope = || {
            let scope = self.scope.map(Scope::from);
            scope.ok_or_else(|| format!("service {:?} has no scope: loopback, local or any", self.id))
        };
        let local = |socket| match self.scope {
            None => Ok(socket),
            Some(_) => Err(format!(
                "service {:?} has a scope, which is for tcp and udp",
                self.id
            )),
        };
        match (self.tcp, self.udp, &self.unix, self.raw, self.packet) {
            (Some(port), None, None, None, None) => Ok(Socket::Tcp {
                port,
                scope: scope()?,
            }),
            (None, Some(port), None, None, None) => Ok(Socket::Udp {
                port,
                scope: scope()?,
            }),
            (None, None, Some(path), None, None) => local(Socket::Unix(leak(path))),
            (None, None, None, Some(protocol), None) => local(Socket::Raw(protocol)),
            (None, None, None, None, Some(ethertype)) => local(Socket::Packet(ethertype)),
            _ => Err(format!(
                "service {:?} has one of tcp, udp, unix, raw, packet",
                self.id
            )),
        }
    }
}

fn during(interface: Interface, phases: Option<&[PhaseName]>) -> Interface {
    match phases {
        None => interface,
        Some(phases) => {
            let all = phases.iter().copied().map(Phase::from).map(Phases::only);
            interface.during(all.fold(Phases::NONE, Phases::and))
        }
    }
}

fn serving(interface: Interface, destination: Option<DestinationName>) -> Interface {
    match destination {
        None => interface,
        Some(destination) => interface.serving(destination.into()),
    }
}

fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}

const fn two_days() -> u8 {
    48
}
