//! A table of interfaces out of C structs, for the length of a call.

use iotsec::net::surface::{
    Authentication, Debug, Destination, Endpoint, Gate, Host, Interface, InterfaceTable, Phase, Phases,
    Protocol, Scope, Service, Socket, TableError,
};

use super::{
    debug::{
        IOTSEC_DEBUG_PORT_CONSOLE, IOTSEC_DEBUG_PORT_JTAG, IOTSEC_DEBUG_PORT_REMOTE,
        IOTSEC_DEBUG_PORT_ROM_LOADER, IOTSEC_DEBUG_PORT_SWD, iotsec_debug_port_t,
    },
    *,
};
use crate::device::{
    IOTSEC_DEVICE_FACTORY, IOTSEC_DEVICE_ORPHANED, IOTSEC_DEVICE_OWNED, IOTSEC_DEVICE_PROVISIONED,
    IOTSEC_DEVICE_RETIRED,
};

/// Lends a table to `work` that was made of C structs and checked.
///
/// # Safety
/// `table` is null, or points to `count` structs whose texts are null or end in zero; nobody writes them during the call.
pub(super) unsafe fn with_table(
    table: *const iotsec_interface_t,
    count: usize,
    work: impl FnOnce(&InterfaceTable) -> Result<(), Status>,
) -> Result<(), Status> {
    const NONE: Interface = Interface::service(
        "none",
        "none",
        Service::tcp(1, Scope::Loopback, Authentication::None),
    );
    // SAFETY: the caller's word, passed on.
    let given = unsafe { argument::slice(table, count) }?;
    let mut interfaces = [NONE; IOTSEC_INTERFACES_MAX];
    for (place, given) in interfaces.iter_mut().zip(given) {
        // SAFETY: as above.
        *place = unsafe { interface(given) }?;
    }
    let interfaces = match interfaces.get(..count) {
        Some(interfaces) => interfaces,
        // One too many is enough for the table to say so.
        None => return Err(TableError::Count.into()),
    };
    // SAFETY: a table wants interfaces that live as long as the program. These live as long as the call, and so does the
    // table: `work` gets it behind a reference of any lifetime and can keep neither, and nothing that leaves this module
    // borrows from it.
    let interfaces = unsafe { core::mem::transmute::<&[Interface], &'static [Interface]>(interfaces) };
    work(&InterfaceTable::new(interfaces)?)
}

/// # Safety
/// The texts of `given` are null or end in zero; the interface is used as long as they stay as they are.
unsafe fn interface(given: &iotsec_interface_t) -> Result<Interface, Status> {
    if strays(given) {
        return Err(CallError::Config.into());
    }
    // SAFETY: the caller's word, passed on; here and below.
    let (id, purpose) = unsafe {
        (
            argument::zero_ended::<'static>(given.id)?,
            argument::zero_ended::<'static>(given.purpose)?,
        )
    };
    let named = matches!(given.kind, IOTSEC_INTERFACE_UNIX | IOTSEC_INTERFACE_ENDPOINT);
    let name = if named {
        // SAFETY: as above.
        unsafe { argument::zero_ended::<'static>(given.name) }?
    } else {
        ""
    };
    let port = || u16::try_from(given.number).map_err(|_| CallError::Config);
    let socket = match given.kind {
        IOTSEC_INTERFACE_TCP => Socket::Tcp {
            port: port()?,
            scope: scope_of(given.scope)?,
        },
        IOTSEC_INTERFACE_UDP => Socket::Udp {
            port: port()?,
            scope: scope_of(given.scope)?,
        },
        IOTSEC_INTERFACE_UNIX => Socket::Unix(name),
        IOTSEC_INTERFACE_RAW => Socket::Raw(u8::try_from(given.number).map_err(|_| CallError::Config)?),
        IOTSEC_INTERFACE_PACKET => Socket::Packet(port()?),
        IOTSEC_INTERFACE_ENDPOINT => {
            let endpoint = Endpoint::new(Host::Name(name), port()?, protocol_of(given.protocol)?);
            return finish(Interface::endpoint(id, purpose, endpoint), given);
        }
        IOTSEC_INTERFACE_DEBUG => {
            return finish(Interface::debug(id, purpose, debug_of(given.number)?), given);
        }
        _ => return Err(CallError::Config.into()),
    };
    let service = Service::new(socket, authentication_of(given.authentication)?);
    finish(Interface::service(id, purpose, service), given)
}

/// Whether a field is set that the kind does not have: somebody believes that it is heeded.
const fn strays(given: &iotsec_interface_t) -> bool {
    let (name, number) = (!given.name.is_null(), given.number != 0);
    let (scope, authentication) = (given.scope != 0, given.authentication != 0);
    let protocol = given.protocol != 0;
    match given.kind {
        IOTSEC_INTERFACE_TCP | IOTSEC_INTERFACE_UDP => name || protocol,
        IOTSEC_INTERFACE_UNIX => number || scope || protocol,
        IOTSEC_INTERFACE_RAW | IOTSEC_INTERFACE_PACKET => name || scope || protocol,
        IOTSEC_INTERFACE_ENDPOINT => scope || authentication,
        IOTSEC_INTERFACE_DEBUG => name || scope || authentication || protocol,
        // No kind, and refused as such.
        _ => false,
    }
}

fn finish(interface: Interface, given: &iotsec_interface_t) -> Result<Interface, Status> {
    let all = [
        (IOTSEC_PHASE_FACTORY, Phases::FACTORY),
        (IOTSEC_PHASE_PROVISIONED, Phases::PROVISIONED),
        (IOTSEC_PHASE_OWNED, Phases::OWNED),
        (IOTSEC_PHASE_ORPHANED, Phases::ORPHANED),
        (IOTSEC_PHASE_RETIRED, Phases::RETIRED),
    ];
    let (mut phases, mut known) = (Phases::NONE, 0);
    for (bit, phase) in all {
        known |= bit;
        if given.phases & bit != 0 {
            phases = phases.and(phase);
        }
    }
    if given.phases & !known != 0 {
        return Err(CallError::Config.into());
    }
    let destination = match given.destination {
        IOTSEC_DESTINATION_ANY => Destination::Any,
        IOTSEC_DESTINATION_ALERT => Destination::Alert,
        IOTSEC_DESTINATION_UPDATE => Destination::Update,
        _ => return Err(CallError::Config.into()),
    };
    Ok(interface.during(phases).serving(destination))
}

fn debug_of(number: u32) -> Result<Debug, CallError> {
    match iotsec_debug_port_t::try_from(number) {
        Ok(IOTSEC_DEBUG_PORT_JTAG) => Ok(Debug::Jtag),
        Ok(IOTSEC_DEBUG_PORT_SWD) => Ok(Debug::Swd),
        Ok(IOTSEC_DEBUG_PORT_CONSOLE) => Ok(Debug::Console),
        Ok(IOTSEC_DEBUG_PORT_ROM_LOADER) => Ok(Debug::RomLoader),
        Ok(IOTSEC_DEBUG_PORT_REMOTE) => Ok(Debug::Remote),
        _ => Err(CallError::Config),
    }
}

fn scope_of(scope: iotsec_scope_t) -> Result<Scope, CallError> {
    match scope {
        IOTSEC_SCOPE_LOOPBACK => Ok(Scope::Loopback),
        IOTSEC_SCOPE_LOCAL => Ok(Scope::Local),
        IOTSEC_SCOPE_ANY => Ok(Scope::Any),
        _ => Err(CallError::Config),
    }
}

fn authentication_of(authentication: iotsec_authentication_t) -> Result<Authentication, CallError> {
    match authentication {
        IOTSEC_AUTHENTICATION_NONE => Ok(Authentication::None),
        IOTSEC_AUTHENTICATION_PASSWORD => Ok(Authentication::Password),
        IOTSEC_AUTHENTICATION_PAIRING => Ok(Authentication::Pairing),
        IOTSEC_AUTHENTICATION_SHARED_KEY => Ok(Authentication::SharedKey),
        IOTSEC_AUTHENTICATION_CERTIFICATE => Ok(Authentication::Certificate),
        IOTSEC_AUTHENTICATION_PEER => Ok(Authentication::Peer),
        _ => Err(CallError::Config),
    }
}

fn protocol_of(protocol: iotsec_protocol_t) -> Result<Protocol, CallError> {
    match protocol {
        IOTSEC_PROTOCOL_HTTPS => Ok(Protocol::Https),
        IOTSEC_PROTOCOL_MQTTS => Ok(Protocol::Mqtts),
        IOTSEC_PROTOCOL_TLS => Ok(Protocol::Tls),
        IOTSEC_PROTOCOL_COAPS => Ok(Protocol::Coaps),
        IOTSEC_PROTOCOL_DTLS => Ok(Protocol::Dtls),
        _ => Err(CallError::Config),
    }
}

pub(super) fn gate(
    table: &InterfaceTable,
    phase: iotsec_device_state_t,
    least: i32,
) -> Result<Gate<'_>, CallError> {
    let phase = match phase {
        IOTSEC_DEVICE_FACTORY => Phase::Factory,
        IOTSEC_DEVICE_PROVISIONED => Phase::Provisioned,
        IOTSEC_DEVICE_OWNED => Phase::Owned,
        IOTSEC_DEVICE_ORPHANED => Phase::Orphaned,
        IOTSEC_DEVICE_RETIRED => Phase::Retired,
        _ => return Err(CallError::Config),
    };
    match least {
        0 => Ok(table.gate(phase)),
        1 => Ok(table.gate(phase).least()),
        _ => Err(CallError::Config),
    }
}
