//! `[surface]`: everything that the product opens, and every way by which others could reach it.

use iotsec_net::surface::{
    Authentication, Debug, Destination, Endpoint, Fact, Host, Interface, InterfaceTable, Phase, Phases, Port,
    Protocol, Radio, Scope, Service, Socket,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::text::{Link, Prose, Text};

/// Everything that is not listed here stays closed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Surface {
    /// For the MUD file.
    pub mud: Option<Mud>,
    /// What listens.
    #[serde(default)]
    pub service: Vec<ServiceEntry>,
    /// What it connects to.
    #[serde(default)]
    pub endpoint: Vec<EndpointEntry>,
    /// Sockets and connectors.
    #[serde(default)]
    pub port: Vec<PortEntry>,
    /// Radios.
    #[serde(default)]
    pub radio: Vec<RadioEntry>,
    /// Debug interfaces.
    #[serde(default)]
    pub debug: Vec<DebugEntry>,
}

/// What its MUD file says besides.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mud {
    /// Where the file is published.
    pub url: Link,
    /// How long a network may keep it.
    #[serde(default = "two_days")]
    pub cache_hours: u8,
    /// In place of the product's name.
    pub description: Option<Text>,
    /// Where people read about the product.
    pub documentation: Option<Link>,
}

/// `[[surface.service]]`: listens on the device.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceEntry {
    /// The name of the entry.
    pub id: String,
    /// What it is for: why it is open (EN 303 645 5.6-1, 5.6-5).
    pub purpose: String,
    /// A TCP port.
    pub tcp: Option<u16>,
    /// A UDP port.
    pub udp: Option<u16>,
    /// The path of a Unix socket.
    pub unix: Option<String>,
    /// A protocol number of IP.
    pub raw: Option<u8>,
    /// An EtherType.
    pub packet: Option<u16>,
    /// From where a TCP or UDP port can be reached.
    pub scope: Option<ScopeName>,
    /// By what those who use it show who they are.
    pub authentication: AuthenticationName,
    /// What it tells everybody.
    #[serde(default)]
    pub discloses: Vec<FactName>,
    /// Security-relevant settings can be changed through it (EN 303 645 5.5-5).
    #[serde(default)]
    pub configures: bool,
    /// In which phases of life; all when left out, debug interfaces in the factory alone.
    pub phases: Option<Vec<PhaseName>>,
    /// What stays reachable when the software was changed.
    pub serves: Option<DestinationName>,
    /// It is there, is not used, and is switched off (EN 303 645 5.6-1).
    #[serde(default)]
    pub disabled: bool,
}

/// `[[surface.endpoint]]`: the device connects to it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointEntry {
    /// The name of the entry.
    pub id: String,
    /// What it is for: why it is open (EN 303 645 5.6-1, 5.6-5).
    pub purpose: String,
    /// A name in the network; or `peer`.
    pub host: Option<String>,
    /// A role in the network; or `host`.
    pub peer: Option<PeerName>,
    /// The port there.
    pub port: u16,
    /// What is spoken.
    pub protocol: ProtocolName,
    /// In which phases of life; all when left out, debug interfaces in the factory alone.
    pub phases: Option<Vec<PhaseName>>,
    /// What stays reachable when the software was changed.
    pub serves: Option<DestinationName>,
}

/// `[[surface.port]]`: a connector.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortEntry {
    /// The name of the entry.
    pub id: String,
    /// What it is for: why it is open (EN 303 645 5.6-1, 5.6-5).
    pub purpose: String,
    /// Which kind.
    pub kind: PortName,
    /// In which phases of life; all when left out, debug interfaces in the factory alone.
    pub phases: Option<Vec<PhaseName>>,
    /// It is there, is not used, and is switched off (EN 303 645 5.6-1).
    #[serde(default)]
    pub disabled: bool,
}

/// `[[surface.radio]]`: a radio.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RadioEntry {
    /// The name of the entry.
    pub id: String,
    /// What it is for: why it is open (EN 303 645 5.6-1, 5.6-5).
    pub purpose: String,
    /// Which kind.
    pub kind: RadioName,
    /// In which phases of life; all when left out, debug interfaces in the factory alone.
    pub phases: Option<Vec<PhaseName>>,
    /// It is there, is not used, and is switched off (EN 303 645 5.6-1).
    #[serde(default)]
    pub disabled: bool,
}

/// `[[surface.debug]]`: a debug interface.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DebugEntry {
    /// The name of the entry.
    pub id: String,
    /// What it is for: why it is open (EN 303 645 5.6-1, 5.6-5).
    pub purpose: String,
    /// Which kind.
    pub kind: DebugName,
    /// What keeps others out when it is not closed for good (EN 303 645 5.6-4).
    pub protection: Option<Prose>,
    /// What keeps hands off the contacts.
    pub physical_protection: Option<Prose>,
    /// In which phases of life; all when left out, debug interfaces in the factory alone.
    pub phases: Option<Vec<PhaseName>>,
}

/// Names in the manifest, in kebab case, for the values of an enum of the SDK.
macro_rules! names {
    ($(#[$meta:meta])* $name:ident for $target:ident: $($variant:ident),+ $(,)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
        #[doc = concat!("`iotsec_net::surface::", stringify!($target), "`, as the manifest names it.")]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $(
                #[doc = concat!("`", stringify!($target), "::", stringify!($variant), "`.")]
                $variant
            ),+
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
    ///
    /// # Errors
    /// Which entry breaks which rule.
    pub fn table(&self) -> Result<InterfaceTable, String> {
        let mut interfaces = Vec::new();
        for entry in self.service.iter().filter(|entry| !entry.disabled) {
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
        for entry in self.port.iter().filter(|entry| !entry.disabled) {
            let interface = Interface::port(leak(&entry.id), leak(&entry.purpose), entry.kind.into());
            interfaces.push(during(interface, entry.phases.as_deref()));
        }
        for entry in self.radio.iter().filter(|entry| !entry.disabled) {
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
