//! What a device listens on and whom it goes to, declared once, and compared with what is open.

pub mod debug;
mod listener;
mod table;

use core::ffi::c_char;

use iotsec::net::surface::{
    InterfaceTable,
    audit::{Counts, Finding, SocketFile, findings, read_sockets},
};

use self::{
    listener::{in_rust, listener_to_c},
    table::{gate, with_table},
};
use crate::{
    argument,
    device::iotsec_device_state_t,
    status::{CallError, IOTSEC_OK, Status, iotsec_status_t, status},
};

/// Interfaces of one table at most.
pub const IOTSEC_INTERFACES_MAX: usize = 64;

const _: () = assert!(IOTSEC_INTERFACES_MAX == iotsec::net::surface::MAX_INTERFACES);

/// What an interface is, or what a socket is bound to.
pub type iotsec_interface_kind_t = i32;

/// A TCP port that others come to.
pub const IOTSEC_INTERFACE_TCP: iotsec_interface_kind_t = 1;
/// A UDP port that others come to.
pub const IOTSEC_INTERFACE_UDP: iotsec_interface_kind_t = 2;
/// A path, or an abstract name after `@`, that processes on the same machine come to.
pub const IOTSEC_INTERFACE_UNIX: iotsec_interface_kind_t = 3;
/// Every packet of an IP protocol.
pub const IOTSEC_INTERFACE_RAW: iotsec_interface_kind_t = 4;
/// Every frame of an EtherType; 3 for all of them.
pub const IOTSEC_INTERFACE_PACKET: iotsec_interface_kind_t = 5;
/// A host that the device goes to.
pub const IOTSEC_INTERFACE_ENDPOINT: iotsec_interface_kind_t = 6;
/// A way into the chip or its boot loader, for `iotsec_surface_check_debug()`.
pub const IOTSEC_INTERFACE_DEBUG: iotsec_interface_kind_t = 7;

/// From where a service can be reached. Larger is wider.
pub type iotsec_scope_t = i32;

/// From the machine itself.
pub const IOTSEC_SCOPE_LOOPBACK: iotsec_scope_t = 1;
/// From one network: the address of one interface.
pub const IOTSEC_SCOPE_LOCAL: iotsec_scope_t = 2;
/// From every network that the device is in.
pub const IOTSEC_SCOPE_ANY: iotsec_scope_t = 3;

/// What a service asks of those who come.
pub type iotsec_authentication_t = i32;

/// Nothing.
pub const IOTSEC_AUTHENTICATION_NONE: iotsec_authentication_t = 1;
/// A password.
pub const IOTSEC_AUTHENTICATION_PASSWORD: iotsec_authentication_t = 2;
/// The set-up code on the label.
pub const IOTSEC_AUTHENTICATION_PAIRING: iotsec_authentication_t = 3;
/// A key that both have.
pub const IOTSEC_AUTHENTICATION_SHARED_KEY: iotsec_authentication_t = 4;
/// A certificate.
pub const IOTSEC_AUTHENTICATION_CERTIFICATE: iotsec_authentication_t = 5;
/// The operating system knows who it is: owner and mode of a path.
pub const IOTSEC_AUTHENTICATION_PEER: iotsec_authentication_t = 6;

/// How the device speaks to an endpoint. What is not here cannot be declared.
pub type iotsec_protocol_t = i32;

/// HTTP over TLS.
pub const IOTSEC_PROTOCOL_HTTPS: iotsec_protocol_t = 1;
/// MQTT over TLS.
pub const IOTSEC_PROTOCOL_MQTTS: iotsec_protocol_t = 2;
/// Anything else over TLS.
pub const IOTSEC_PROTOCOL_TLS: iotsec_protocol_t = 3;
/// CoAP over DTLS.
pub const IOTSEC_PROTOCOL_COAPS: iotsec_protocol_t = 4;
/// Anything else over DTLS or QUIC.
pub const IOTSEC_PROTOCOL_DTLS: iotsec_protocol_t = 5;

/// What a connection is for.
pub type iotsec_destination_t = i32;

/// Anything: closed when the software was changed.
pub const IOTSEC_DESTINATION_ANY: iotsec_destination_t = 0;
/// Telling the owner or the maker what is wrong.
pub const IOTSEC_DESTINATION_ALERT: iotsec_destination_t = 1;
/// Fetching good software.
pub const IOTSEC_DESTINATION_UPDATE: iotsec_destination_t = 2;

/// There on the production line. Bits of `phases`, one for each `IOTSEC_DEVICE_*`.
pub const IOTSEC_PHASE_FACTORY: u32 = 1;
/// There before the device is set up.
pub const IOTSEC_PHASE_PROVISIONED: u32 = 2;
/// There while it is somebody's.
pub const IOTSEC_PHASE_OWNED: u32 = 4;
/// There while it waits to be given up.
pub const IOTSEC_PHASE_ORPHANED: u32 = 8;
/// There after it was taken out of use.
pub const IOTSEC_PHASE_RETIRED: u32 = 16;

/// One interface of the device, declared. An array of them is not versioned by size: this struct never grows. Make the
/// array `static const`; fields that a kind does not have are zero.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_interface_t {
    /// Its name: 1 to 32 lower-case letters, digits and hyphens, ending in zero.
    pub id: *const c_char,
    /// What it is for, for people: 1 to 200 bytes of text that ends in zero.
    pub purpose: *const c_char,
    /// The path of `IOTSEC_INTERFACE_UNIX`, or the host name of `IOTSEC_INTERFACE_ENDPOINT` in lower case, which ends in
    /// zero; else null.
    pub name: *const c_char,
    /// `IOTSEC_INTERFACE_*`.
    pub kind: iotsec_interface_kind_t,
    /// The port, the IP protocol, the EtherType, or `IOTSEC_DEBUG_PORT_*`.
    pub number: u32,
    /// When it is there: `IOTSEC_PHASE_*`, or-ed.
    pub phases: u32,
    /// From where a port can be reached: `IOTSEC_SCOPE_*`.
    pub scope: iotsec_scope_t,
    /// What a service asks for: `IOTSEC_AUTHENTICATION_*`.
    pub authentication: iotsec_authentication_t,
    /// How the device speaks to an endpoint: `IOTSEC_PROTOCOL_*`.
    pub protocol: iotsec_protocol_t,
    /// What its connections are for: `IOTSEC_DESTINATION_*`.
    pub destination: iotsec_destination_t,
}

/// A socket that others can send to, as the operating system or the network stack says. An array of them is not versioned
/// by size: this struct never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_listener_t {
    /// `IOTSEC_INTERFACE_TCP` to `_PACKET`.
    pub kind: iotsec_interface_kind_t,
    /// The port, the IP protocol or the EtherType.
    pub number: u32,
    /// The address that a port or a protocol is bound to, in network order.
    pub address: [u8; 16],
    /// Bytes of `address`: 4 or 16, and 0 for paths and frames.
    pub address_len: u32,
    /// Zero.
    pub reserved: u32,
    /// The path, or null.
    pub path: *const u8,
    /// Bytes of `path`.
    pub path_len: usize,
    /// Its number in `/proc`, by which its process is found; zero when it is not known. Not looked at by the audit.
    pub inode: u64,
}

/// What is not as it was declared.
pub type iotsec_surface_finding_kind_t = i32;

/// It listens, and the table knows nothing of it.
pub const IOTSEC_SURFACE_UNDECLARED: iotsec_surface_finding_kind_t = 1;
/// It listens on a wider address than was declared.
pub const IOTSEC_SURFACE_WIDER: iotsec_surface_finding_kind_t = 2;
/// It listens although it should be closed; `reason` says why.
pub const IOTSEC_SURFACE_CLOSED: iotsec_surface_finding_kind_t = 3;
/// It was declared, and nothing listens.
pub const IOTSEC_SURFACE_ABSENT: iotsec_surface_finding_kind_t = 4;

/// One finding of an audit. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_surface_finding_t {
    /// `IOTSEC_SURFACE_*`.
    pub kind: iotsec_surface_finding_kind_t,
    /// The place of the interface in the table, or -1 for none.
    pub interface: i32,
    /// The place of the socket in the list, or -1 for none.
    pub listener: i32,
    /// Why it should be closed: `IOTSEC_ERR_SURFACE_PHASE` or `_LEAST_CONNECTIVITY`; else `IOTSEC_OK`.
    pub reason: iotsec_status_t,
}

const _: () = assert!(size_of::<iotsec_surface_finding_t>() == 16);

/// One of the files of `/proc/net` on Linux.
pub type iotsec_socket_file_t = i32;

/// `tcp`.
pub const IOTSEC_SOCKET_FILE_TCP: iotsec_socket_file_t = 1;
/// `tcp6`.
pub const IOTSEC_SOCKET_FILE_TCP6: iotsec_socket_file_t = 2;
/// `udp`.
pub const IOTSEC_SOCKET_FILE_UDP: iotsec_socket_file_t = 3;
/// `udp6`.
pub const IOTSEC_SOCKET_FILE_UDP6: iotsec_socket_file_t = 4;
/// `raw`.
pub const IOTSEC_SOCKET_FILE_RAW: iotsec_socket_file_t = 5;
/// `raw6`.
pub const IOTSEC_SOCKET_FILE_RAW6: iotsec_socket_file_t = 6;
/// `packet`.
pub const IOTSEC_SOCKET_FILE_PACKET: iotsec_socket_file_t = 7;
/// `unix`.
pub const IOTSEC_SOCKET_FILE_UNIX: iotsec_socket_file_t = 8;

/// Checks a table of `count` interfaces, 1 to `IOTSEC_INTERFACES_MAX`: each with an id, a purpose and a phase, no id and no
/// socket twice. `IOTSEC_ERR_TABLE_*` says which rule is broken. Call it in a test: the other functions refuse such a table
/// too.
///
/// Tables hold what can be opened by software, and debug ports; connectors and antennas are declared in the maker's tools.
/// The functions over a table copy it to the stack, where there is room for `IOTSEC_INTERFACES_MAX` however few there
/// are: 3.5 KB at most on a Cortex-M4, as `docs/footprint.md` has it. They need no heap, and write no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_surface_check(
    table: *const iotsec_interface_t,
    count: usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    status(|| unsafe { with_table(table, count, |_| Ok(())) })
}

/// Whether the service of this id, `id_len` bytes, may listen now: `phase` is the state of the device
/// (`IOTSEC_DEVICE_*`), `least` is 1 when its software was changed and only what raises the alarm or brings good software
/// stays open, as `iotsec_integrity_least()` and `iotsec_guard_status()` say, else 0. Ask before each `bind()`, and open
/// nothing else.
///
/// `IOTSEC_OK`, or `IOTSEC_ERR_SURFACE_*` for why not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_surface_may_listen(
    table: *const iotsec_interface_t,
    count: usize,
    phase: iotsec_device_state_t,
    least: i32,
    id: *const c_char,
    id_len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        unsafe {
            let id = argument::text(id, id_len)?;
            with_table(table, count, |table| {
                gate(table, phase, least)?.grant_listen(id)?;
                Ok(())
            })
        }
    })
}

/// Whether the device may go to the endpoint of this id, at this `host` of `host_len` bytes and this port, now; for the rest
/// see `iotsec_surface_may_listen()`. Ask before each `connect()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_surface_may_connect(
    table: *const iotsec_interface_t,
    count: usize,
    phase: iotsec_device_state_t,
    least: i32,
    id: *const c_char,
    id_len: usize,
    host: *const c_char,
    host_len: usize,
    port: u16,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        unsafe {
            let (id, host) = (argument::text(id, id_len)?, argument::text(host, host_len)?);
            with_table(table, count, |table| {
                gate(table, phase, least)?.grant_outbound(id, host, port)?;
                Ok(())
            })
        }
    })
}

/// Compares what listens, `listener_count` sockets in `listeners` (null with 0 for none), with what may listen now; `phase` and `least` as in
/// `iotsec_surface_may_listen()`. Findings go to `results`, which has room for `result_count`, sockets first, in their
/// order, then services that do not listen; `len` gets their number, 0 when all is as declared. `open` gets how many
/// sockets are open that should not be: `undeclared` of `iotsec_observed_t`.
///
/// What a process opens between two looks is not seen: audit at boot, then every few minutes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_surface_audit(
    table: *const iotsec_interface_t,
    count: usize,
    phase: iotsec_device_state_t,
    least: i32,
    listeners: *const iotsec_listener_t,
    listener_count: usize,
    results: *mut iotsec_surface_finding_t,
    result_count: usize,
    len: *mut usize,
    open: *mut u32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        unsafe {
            let listeners = argument::slice(listeners, listener_count)?;
            let results = argument::array(results, result_count, len)?;
            let open = argument::out(open)?;
            for (at, listener) in listeners.iter().enumerate() {
                in_rust(at, listener)?;
            }
            with_table(table, count, |table| {
                let gate = gate(table, phase, least)?;
                let sockets = listeners.iter().enumerate();
                // All of them were read once, above.
                let sockets = sockets.filter_map(|(at, listener)| in_rust(at, listener).ok());
                let mut counts = Counts::default();
                let mut number = 0usize;
                for finding in findings(&gate, sockets.clone()) {
                    counts.add(&finding);
                    number = number.saturating_add(1);
                }
                results.write(number, findings(&gate, sockets).map(|found| to_c(table, &found)))?;
                open.set(counts.open().into());
                Ok(())
            })
        }
    })
}

/// Reads the text of one file of `/proc/net` on Linux, `text_len` bytes of `file` (`IOTSEC_SOCKET_FILE_*`), which the caller
/// has read whole, and writes every socket that others can send to to `listeners`, which has room for `count`; `len` gets
/// their number. Paths point into `text`.
///
/// `IOTSEC_ERR_PROC_*` when it is not as the kernel writes it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_surface_read_sockets(
    file: iotsec_socket_file_t,
    text: *const u8,
    text_len: usize,
    listeners: *mut iotsec_listener_t,
    count: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        unsafe {
            let text = argument::bytes(text, text_len)?;
            let places = argument::array(listeners, count, len)?;
            let at = usize::try_from(file).ok().and_then(|file| file.checked_sub(1));
            let file = *at
                .and_then(|at| SocketFile::ALL.get(at))
                .ok_or(CallError::Config)?;
            let mut number = 0usize;
            for socket in read_sockets(file, text) {
                socket?;
                number = number.saturating_add(1);
            }
            let sockets = read_sockets(file, text).filter_map(Result::ok);
            places.write(number, sockets.map(|socket| listener_to_c(&socket)))
        }
    })
}

fn to_c(table: &InterfaceTable, finding: &Finding<'_>) -> iotsec_surface_finding_t {
    let (kind, reason) = match finding {
        Finding::Undeclared(_) => (IOTSEC_SURFACE_UNDECLARED, None),
        Finding::Wider { .. } => (IOTSEC_SURFACE_WIDER, None),
        Finding::Closed { reason, .. } => (IOTSEC_SURFACE_CLOSED, Some(Status::from(*reason))),
        Finding::Absent(_) => (IOTSEC_SURFACE_ABSENT, None),
    };
    let place = finding.interface().and_then(|found| {
        let mut all = table.interfaces().iter();
        all.position(|interface| interface.id() == found.id())
    });
    let listener = finding
        .listener()
        .and_then(|listener| i32::try_from(listener.inode).ok());
    iotsec_surface_finding_t {
        kind,
        interface: place.and_then(|place| i32::try_from(place).ok()).unwrap_or(-1),
        listener: listener.unwrap_or(-1),
        reason: reason.map_or(IOTSEC_OK, |reason| status(|| Err(reason))),
    }
}
