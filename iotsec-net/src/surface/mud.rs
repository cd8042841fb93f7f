//! A Manufacturer Usage Description (RFC 8520) of the table: the network learns what the device needs, and may refuse
//! it the rest.

mod json;

use core::fmt::{self, Write};

use iotsec_core::{
    error::{ErrorCode, Fault},
    input::Url,
};

use super::{Endpoint, Host, InterfaceTable, Phases, Scope, Service, Socket};
use json::Json;

/// Characters of the description of a device at most (RFC 8520 §3.7: should not exceed 60).
pub const MAX_SYSTEMINFO_LEN: usize = 60;
/// Hours that a network may keep the file, at most (RFC 8520 §3.5).
pub const MAX_CACHE_HOURS: u8 = 168;

/// What a MUD file says besides the interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MudInfo<'a> {
    /// Where the file is published: `https` and nothing else. Devices name it in DHCP, LLDP or their certificate.
    pub url: &'a str,
    /// When it was made: `2026-11-29T09:00:00Z` (RFC 3339, in UTC).
    pub last_update: &'a str,
    /// Hours that a network may keep it: 1 to [`MAX_CACHE_HOURS`].
    pub cache_hours: u8,
    /// Whether the maker still supports the product.
    pub is_supported: bool,
    /// What it is, for whoever lets it into the network: up to [`MAX_SYSTEMINFO_LEN`] characters.
    pub systeminfo: &'a str,
    /// The maker.
    pub manufacturer: &'a str,
    /// The model.
    pub model: &'a str,
    /// Where people read about it: `https`.
    pub documentation: Option<&'a str>,
}

/// A MUD file was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum MudError {
    /// A URL is malformed, or of another scheme than `https`.
    #[error("not an https URL")]
    Url,
    /// The time is not in UTC as RFC 3339 writes it.
    #[error("not a time of RFC 3339 in UTC")]
    LastUpdate,
    /// Zero hours, or more than a week.
    #[error("cache validity is 1 to 168 hours")]
    CacheValidity,
    /// The description is empty or too long.
    #[error("description is 1 to 60 characters")]
    SystemInfo,
    /// The destination takes no more.
    #[error("destination full")]
    Full,
}

impl ErrorCode for MudError {
    fn code(&self) -> u16 {
        match self {
            Self::Url => 5381,
            Self::LastUpdate => 5382,
            Self::CacheValidity => 5383,
            Self::SystemInfo => 5384,
            Self::Full => 5385,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Misuse
    }
}

impl From<fmt::Error> for MudError {
    fn from(_: fmt::Error) -> Self {
        Self::Full
    }
}

/// Writes the MUD file of a product, in JSON (RFC 7951), in one line.
///
/// Endpoints and network services of the phases in which the device is used become rules for IPv4 and IPv6: a named
/// endpoint by its name, the owner's choice as `my-controller`, and what is local as `local-networks`. Raw and packet
/// sockets, and what stays on the device, have no rules. A service of scope [`Scope::Any`] may be reached from anywhere.
///
/// The file has to be signed before it is published (RFC 8520 §13), which is for the maker's own tools.
///
/// ```
/// use iotsec_net::{interfaces, surface::{Endpoint, Host, Interface, Protocol, mud::{MudInfo, write_mud}}};
///
/// interfaces!(static LAMP = [Interface::endpoint(
///     "cloud", "Control from afar",
///     Endpoint::new(Host::Name("mqtt.example.com"), 8883, Protocol::Mqtts),
/// )]);
/// let info = MudInfo {
///     url: "https://lighting.example.com/lamp-2.json",
///     last_update: "2026-11-29T09:00:00Z",
///     cache_hours: 48,
///     is_supported: true,
///     systeminfo: "Lamp",
///     manufacturer: "Example Lighting Ltd",
///     model: "lamp-2",
///     documentation: None,
/// };
/// let mut file = String::new();
/// write_mud(&LAMP, &info, &mut file)?;
/// assert!(file.contains("\"ietf-acldns:dst-dnsname\":\"mqtt.example.com\""));
/// # Ok::<(), iotsec_net::surface::mud::MudError>(())
/// ```
///
/// # Errors
/// [`MudError`]; what was written before [`MudError::Full`] is of no use.
pub fn write_mud(table: &InterfaceTable, info: &MudInfo<'_>, out: &mut dyn Write) -> Result<(), MudError> {
    check(info)?;
    let mut json = Json::new(out);
    json.begin('{')?;
    json.key("ietf-mud:mud")?.begin('{')?;
    json.key("mud-version")?.plain("1")?;
    json.key("mud-url")?.text(info.url)?;
    json.key("last-update")?.text(info.last_update)?;
    json.key("cache-validity")?.plain(info.cache_hours)?;
    json.key("is-supported")?.plain(info.is_supported)?;
    json.key("systeminfo")?.text(info.systeminfo)?;
    json.key("mfg-name")?.text(info.manufacturer)?;
    json.key("model-name")?.text(info.model)?;
    if let Some(url) = info.documentation {
        json.key("documentation")?.text(url)?;
    }
    for direction in [Direction::From, Direction::To] {
        json.key(direction.policy())?.begin('{')?;
        json.key("access-lists")?
            .begin('{')?
            .key("access-list")?
            .begin('[')?;
        for version in [Version::V4, Version::V6] {
            json.begin('{')?
                .key("name")?
                .text(list_name(direction, version))?
                .end('}')?;
        }
        json.end(']')?.end('}')?.end('}')?;
    }
    json.end('}')?;
    json.key("ietf-access-control-list:acls")?
        .begin('{')?
        .key("acl")?
        .begin('[')?;
    for direction in [Direction::From, Direction::To] {
        for version in [Version::V4, Version::V6] {
            write_list(&mut json, table, direction, version)?;
        }
    }
    json.end(']')?.end('}')?.end('}')?;
    Ok(())
}

fn check(info: &MudInfo<'_>) -> Result<(), MudError> {
    for url in [Some(info.url), info.documentation].into_iter().flatten() {
        Url::parse(url.as_bytes()).map_err(|_| MudError::Url)?;
        if !url.starts_with("https://") {
            return Err(MudError::Url);
        }
    }
    let shape = b"dddd-dd-ddTdd:dd:ddZ";
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'd' => byte.is_ascii_digit(),
        _ => byte == shape,
    };
    if info.last_update.len() != shape.len() || !info.last_update.as_bytes().iter().zip(shape).all(fits) {
        return Err(MudError::LastUpdate);
    }
    if !(1..=MAX_CACHE_HOURS).contains(&info.cache_hours) {
        return Err(MudError::CacheValidity);
    }
    if !(1..=MAX_SYSTEMINFO_LEN).contains(&info.systeminfo.chars().count()) {
        return Err(MudError::SystemInfo);
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    From,
    To,
}

impl Direction {
    const fn policy(self) -> &'static str {
        match self {
            Self::From => "from-device-policy",
            Self::To => "to-device-policy",
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::From => "from-device",
            Self::To => "to-device",
        }
    }
}

#[derive(Clone, Copy)]
enum Version {
    V4,
    V6,
}

const fn list_name(direction: Direction, version: Version) -> &'static str {
    match (direction, version) {
        (Direction::From, Version::V4) => "from-device-ipv4",
        (Direction::From, Version::V6) => "from-device-ipv6",
        (Direction::To, Version::V4) => "to-device-ipv4",
        (Direction::To, Version::V6) => "to-device-ipv6",
    }
}

/// One conversation, whoever's packets.
struct Rule<'a> {
    id: &'a str,
    peer: Peer,
    tcp: bool,
    port: u16,
    /// Who begins it, and so on whose side the port is.
    initiated: Direction,
}

enum Peer {
    Name(&'static str),
    Class(&'static str),
    MyController,
    LocalNetworks,
    Anybody,
}

impl<'a> Rule<'a> {
    fn of_endpoint(id: &'a str, endpoint: &Endpoint) -> Self {
        Self {
            id,
            peer: match endpoint.host() {
                Host::Name(name) => Peer::Name(name),
                Host::Controller => Peer::MyController,
                Host::Local => Peer::LocalNetworks,
                Host::Resolver => Peer::Class("urn:ietf:params:mud:dns"),
                Host::TimeServer => Peer::Class("urn:ietf:params:mud:ntp"),
            },
            tcp: endpoint.protocol().is_tcp(),
            port: endpoint.port(),
            initiated: Direction::From,
        }
    }

    fn of_service(id: &'a str, service: &Service) -> Option<Self> {
        let (tcp, port, scope) = match service.socket() {
            Socket::Tcp { port, scope } => (true, port, scope),
            Socket::Udp { port, scope } => (false, port, scope),
            Socket::Unix(_) | Socket::Raw(_) | Socket::Packet(_) => return None,
        };
        Some(Self {
            id,
            peer: match scope {
                Scope::Loopback => return None,
                Scope::Local => Peer::LocalNetworks,
                Scope::Any => Peer::Anybody,
            },
            tcp,
            port,
            initiated: Direction::To,
        })
    }

    fn write(&self, json: &mut Json<'_>, direction: Direction, version: Version) -> fmt::Result {
        json.begin('{')?.key("name")?.text(self.id)?;
        json.key("matches")?.begin('{')?;
        match self.peer {
            Peer::Name(_) | Peer::Anybody => {}
            Peer::Class(class) => {
                json.key("ietf-mud:mud")?
                    .begin('{')?
                    .key("controller")?
                    .text(class)?
                    .end('}')?;
            }
            Peer::MyController => empty(json, "my-controller")?,
            Peer::LocalNetworks => empty(json, "local-networks")?,
        }
        json.key(match version {
            Version::V4 => "ipv4",
            Version::V6 => "ipv6",
        })?;
        json.begin('{')?;
        if let Peer::Name(name) = self.peer {
            json.key(match direction {
                Direction::From => "ietf-acldns:dst-dnsname",
                Direction::To => "ietf-acldns:src-dnsname",
            })?;
            json.text(name)?;
        }
        json.key("protocol")?
            .plain(if self.tcp { 6 } else { 17 })?
            .end('}')?;
        json.key(if self.tcp { "tcp" } else { "udp" })?.begin('{')?;
        if self.tcp {
            json.key("ietf-mud:direction-initiated")?
                .text(self.initiated.name())?;
        }
        // The port is that of the side which is spoken to first.
        json.key(if direction == self.initiated {
            "destination-port"
        } else {
            "source-port"
        })?;
        json.begin('{')?
            .key("operator")?
            .text("eq")?
            .key("port")?
            .plain(self.port)?
            .end('}')?;
        json.end('}')?.end('}')?;
        json.key("actions")?
            .begin('{')?
            .key("forwarding")?
            .text("accept")?
            .end('}')?
            .end('}')?;
        Ok(())
    }
}

/// A leaf of type `empty` (RFC 7951 §6.9).
fn empty(json: &mut Json<'_>, name: &str) -> fmt::Result {
    json.key("ietf-mud:mud")?
        .begin('{')?
        .key(name)?
        .plain("[null]")?
        .end('}')?;
    Ok(())
}

fn write_list(
    json: &mut Json<'_>,
    table: &InterfaceTable,
    direction: Direction,
    version: Version,
) -> fmt::Result {
    json.begin('{')?
        .key("name")?
        .text(list_name(direction, version))?;
    json.key("type")?.text(match version {
        Version::V4 => "ietf-access-control-list:ipv4-acl-type",
        Version::V6 => "ietf-access-control-list:ipv6-acl-type",
    })?;
    json.key("aces")?.begin('{')?.key("ace")?.begin('[')?;
    for (interface, endpoint) in table.endpoints() {
        if interface.phases().meet(Phases::IN_USE) {
            Rule::of_endpoint(interface.id(), &endpoint).write(json, direction, version)?;
        }
    }
    for (interface, service) in table.services() {
        if interface.phases().meet(Phases::IN_USE)
            && let Some(rule) = Rule::of_service(interface.id(), &service)
        {
            rule.write(json, direction, version)?;
        }
    }
    json.end(']')?.end('}')?.end('}')?;
    Ok(())
}

#[cfg(test)]
mod tests;
