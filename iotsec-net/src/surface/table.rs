use super::{
    Endpoint, Gate, Host, Interface, Kind, Phase, Service, Socket, TableError,
    name::{is_host_name, is_id, same},
};

/// Interfaces of one table at most: a device with more has too many.
pub const MAX_INTERFACES: usize = 64;
/// Bytes of an id at most.
pub const MAX_ID_LEN: usize = 32;
/// Bytes of a purpose at most: two plain sentences.
pub const MAX_PURPOSE_LEN: usize = 200;
/// Bytes of the path of a service at most: `sun_path` of Linux has 108 with the zero at its end.
pub const MAX_PATH_LEN: usize = 107;

/// All interfaces of a product, checked.
///
/// Make it with [`interfaces!`](crate::interfaces!), so that a mistake does not compile.
#[derive(Clone, Copy, Debug)]
pub struct InterfaceTable {
    interfaces: &'static [Interface],
}

impl InterfaceTable {
    /// Joins declarations.
    ///
    /// # Errors
    /// [`TableError`] for the first rule that is broken.
    ///
    /// ```
    /// use iotsec_net::surface::{Interface, InterfaceTable, Radio, TableError};
    ///
    /// const WIFI: Interface = Interface::radio("wifi", "The owner's network", Radio::Wifi);
    /// assert!(InterfaceTable::new(&[WIFI]).is_ok());
    /// assert_eq!(InterfaceTable::new(&[WIFI, WIFI]).err(), Some(TableError::Duplicate));
    /// ```
    pub const fn new(interfaces: &'static [Interface]) -> Result<Self, TableError> {
        if interfaces.is_empty() || interfaces.len() > MAX_INTERFACES {
            return Err(TableError::Count);
        }
        let mut left = interfaces;
        while let [interface, rest @ ..] = left {
            if let Err(error) = check(interface) {
                return Err(error);
            }
            let mut others = rest;
            while let [other, more @ ..] = others {
                if same(interface.id(), other.id()) {
                    return Err(TableError::Duplicate);
                }
                if let (Kind::Service(one), Kind::Service(two)) = (interface.kind(), other.kind())
                    && same_socket(one.socket(), two.socket())
                {
                    return Err(TableError::SameSocket);
                }
                others = more;
            }
            left = rest;
        }
        Ok(Self { interfaces })
    }

    /// The declarations.
    pub const fn interfaces(&self) -> &'static [Interface] {
        self.interfaces
    }

    /// The declaration of this id.
    pub fn find(&self, id: &str) -> Option<&'static Interface> {
        self.interfaces.iter().find(|interface| interface.id() == id)
    }

    /// The services, which others come to.
    pub fn services(&self) -> impl Iterator<Item = (&'static Interface, Service)> {
        self.interfaces
            .iter()
            .filter_map(|interface| match interface.kind() {
                Kind::Service(service) => Some((interface, service)),
                _ => None,
            })
    }

    /// The endpoints, which the device goes to.
    pub fn endpoints(&self) -> impl Iterator<Item = (&'static Interface, Endpoint)> {
        self.interfaces
            .iter()
            .filter_map(|interface| match interface.kind() {
                Kind::Endpoint(endpoint) => Some((interface, endpoint)),
                _ => None,
            })
    }

    /// What opens them in this phase of the device's life.
    pub const fn gate(&self, phase: Phase) -> Gate<'_> {
        Gate::new(self, phase)
    }
}

const fn check(interface: &Interface) -> Result<(), TableError> {
    if !is_id(interface.id(), MAX_ID_LEN) {
        return Err(TableError::Id);
    }
    if interface.purpose().is_empty() || interface.purpose().len() > MAX_PURPOSE_LEN {
        return Err(TableError::Purpose);
    }
    if interface.phases().is_empty() {
        return Err(TableError::Never);
    }
    match interface.kind() {
        Kind::Service(service) => check_service(service),
        Kind::Endpoint(endpoint) => match endpoint.host() {
            _ if endpoint.port() == 0 => Err(TableError::Port),
            Host::Name(name) if !is_host_name(name) => Err(TableError::Host),
            _ => Ok(()),
        },
        Kind::Port(_) | Kind::Radio(_) | Kind::Debug(_) => Ok(()),
    }
}

const fn check_service(service: Service) -> Result<(), TableError> {
    match service.socket() {
        Socket::Tcp { port: 0, .. } | Socket::Udp { port: 0, .. } => return Err(TableError::Port),
        Socket::Unix(path) if path.is_empty() || path.len() > MAX_PATH_LEN => {
            return Err(TableError::Path);
        }
        _ => {}
    }
    let (mut facts, mut seen) = (service.discloses(), 0u8);
    while let [fact, rest @ ..] = facts {
        if seen & fact.bit() != 0 {
            return Err(TableError::Disclosure);
        }
        seen |= fact.bit();
        facts = rest;
    }
    Ok(())
}

/// One port can be taken once, whatever the address.
const fn same_socket(one: Socket, two: Socket) -> bool {
    match (one, two) {
        (Socket::Tcp { port: one, .. }, Socket::Tcp { port: two, .. })
        | (Socket::Udp { port: one, .. }, Socket::Udp { port: two, .. })
        | (Socket::Packet(one), Socket::Packet(two)) => one == two,
        (Socket::Raw(one), Socket::Raw(two)) => one == two,
        (Socket::Unix(one), Socket::Unix(two)) => same(one, two),
        _ => false,
    }
}

/// Declares an [`InterfaceTable`] as a static and checks it while compiling.
///
/// ```
/// use iotsec_net::{interfaces, surface::{Endpoint, Host, Interface, Protocol}};
///
/// interfaces!(
///     /// All that this product opens.
///     pub static PRODUCT = [Interface::endpoint(
///         "updates", "New software",
///         Endpoint::new(Host::Name("updates.example.com"), 443, Protocol::Https),
///     )]
/// );
/// assert_eq!(PRODUCT.endpoints().count(), 1);
/// ```
///
/// ```compile_fail
/// # use iotsec_net::{interfaces, surface::{Endpoint, Host, Interface, Protocol}};
/// interfaces!(static PRODUCT = [Interface::endpoint(
///     "updates", "New software",
///     Endpoint::new(Host::Name("*.example.com"), 443, Protocol::Https),
/// )]);
/// ```
#[macro_export]
macro_rules! interfaces {
    ($(#[$meta:meta])* $visibility:vis static $name:ident = [$($interface:expr),* $(,)?]) => {
        $(#[$meta])*
        $visibility static $name: $crate::surface::InterfaceTable = {
            const CHECKED: ::core::result::Result<
                $crate::surface::InterfaceTable,
                $crate::surface::TableError,
            > = $crate::surface::InterfaceTable::new(&[$($interface),*]);
            match CHECKED {
                ::core::result::Result::Ok(table) => table,
                ::core::result::Result::Err(error) => ::core::panic!("{}", error.message()),
            }
        };
    };
}
