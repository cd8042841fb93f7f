//! Sockets as C and Rust have them.

use core::net::{IpAddr, SocketAddr};

use iotsec::net::surface::audit::{Bound, Listener};

use super::*;

/// A socket of C. Its number is its place in the list here, which findings carry on.
///
/// # Safety
/// The path of `given` is null, or as long as it says.
pub(super) unsafe fn in_rust(at: usize, given: &iotsec_listener_t) -> Result<Listener<'_>, Status> {
    argument::zero(given.reserved)?;
    let address = || {
        let [a, b, c, d, ..] = given.address;
        match given.address_len {
            4 => Ok(IpAddr::from([a, b, c, d])),
            16 => Ok(IpAddr::from(given.address)),
            _ => Err(CallError::Config),
        }
    };
    let port = || u16::try_from(given.number).map_err(|_| CallError::Config);
    let bound = match given.kind {
        IOTSEC_INTERFACE_TCP => Bound::Tcp(SocketAddr::new(address()?, port()?)),
        IOTSEC_INTERFACE_UDP => Bound::Udp(SocketAddr::new(address()?, port()?)),
        // SAFETY: the caller's word, passed on.
        IOTSEC_INTERFACE_UNIX => Bound::Unix(unsafe { argument::bytes(given.path, given.path_len) }?),
        IOTSEC_INTERFACE_RAW => Bound::Raw {
            address: address()?,
            protocol: u8::try_from(given.number).map_err(|_| CallError::Config)?,
        },
        IOTSEC_INTERFACE_PACKET => Bound::Packet(port()?),
        _ => return Err(CallError::Config.into()),
    };
    Ok(Listener {
        bound,
        inode: u64::try_from(at).map_err(|_| CallError::Size)?,
    })
}

pub(super) fn listener_to_c(socket: &Listener<'_>) -> iotsec_listener_t {
    let mut listener = iotsec_listener_t {
        kind: IOTSEC_INTERFACE_PACKET,
        number: 0,
        address: [0; 16],
        address_len: 0,
        reserved: 0,
        path: core::ptr::null(),
        path_len: 0,
        inode: socket.inode,
    };
    let address = match socket.bound {
        Bound::Tcp(address) | Bound::Udp(address) => {
            listener.number = address.port().into();
            Some(address.ip())
        }
        Bound::Raw { address, protocol } => {
            listener.number = protocol.into();
            Some(address)
        }
        Bound::Packet(ethertype) => {
            listener.number = ethertype.into();
            None
        }
        Bound::Unix(path) => {
            (listener.path, listener.path_len) = (path.as_ptr(), path.len());
            None
        }
    };
    listener.kind = match socket.bound {
        Bound::Tcp(_) => IOTSEC_INTERFACE_TCP,
        Bound::Udp(_) => IOTSEC_INTERFACE_UDP,
        Bound::Raw { .. } => IOTSEC_INTERFACE_RAW,
        Bound::Packet(_) => IOTSEC_INTERFACE_PACKET,
        Bound::Unix(_) => IOTSEC_INTERFACE_UNIX,
    };
    match address {
        Some(IpAddr::V4(address)) => {
            let [a, b, c, d] = address.octets();
            listener.address = [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            listener.address_len = 4;
        }
        Some(IpAddr::V6(address)) => (listener.address, listener.address_len) = (address.octets(), 16),
        None => {}
    }
    listener
}
