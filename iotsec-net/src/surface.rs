//! The interfaces of a device, declared once: whatever is not in the table does not open (EN 303 645, 5.6).
//!
//! A maker declares services, endpoints, connectors, antennas and debug interfaces with
//! [`interfaces!`](crate::interfaces!), which checks them while compiling. The transports of this SDK take a grant for
//! each connection, and only a [`Gate`] over the table makes one.
//!
//! | step | what it guarantees |
//! |---|---|
//! | [`InterfaceTable`] | each interface has an id, a purpose and a time; no patterns, no port twice |
//! | [`Gate`] | default deny: not declared, not in this phase, not under least connectivity: no grant |
//! | [`OutboundGrant`], [`ListenGrant`] | tokens that transports take |
//! | [`disclosure`] | before authentication a service tells what its declaration allows |
//! | [`debug`] | a debug port that is open outside the factory is noticed at boot; a signed token opens it for a time |
//! | [`audit`] | what listens although it was not declared, or wider than it was |
//! | [`mud`] | the network learns from the same table what the device needs |

pub mod audit;
#[cfg(feature = "std")]
mod bind;
pub mod debug;
pub mod disclosure;
mod error;
mod gate;
mod interface;
pub mod mud;
mod name;
mod table;

#[cfg(feature = "std")]
pub use bind::BindError;
pub use error::{SurfaceError, TableError};
pub use gate::{Gate, ListenGrant, OutboundGrant};
pub use interface::{
    Authentication, Debug, Destination, Endpoint, Fact, Host, Interface, Kind, Phase, Phases, Port, Protocol,
    Radio, Scope, Service, Socket,
};
pub use table::{InterfaceTable, MAX_ID_LEN, MAX_INTERFACES, MAX_PATH_LEN, MAX_PURPOSE_LEN};

#[cfg(test)]
mod tests;
