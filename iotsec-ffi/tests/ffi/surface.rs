//! Interfaces through the C interface: declared, asked for, compared with what listens.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use std::ptr;

use iotsec_ffi::{device::*, status::*, surface::*};

use crate::{debug::SWD, login::zeroed};

pub(crate) const APP: iotsec_interface_t = iotsec_interface_t {
    id: c"app".as_ptr(),
    purpose: c"The owner's app".as_ptr(),
    name: ptr::null(),
    kind: IOTSEC_INTERFACE_TCP,
    number: 8443,
    phases: IOTSEC_PHASE_OWNED,
    scope: IOTSEC_SCOPE_LOCAL,
    authentication: IOTSEC_AUTHENTICATION_PASSWORD,
    protocol: 0,
    destination: IOTSEC_DESTINATION_ANY,
};
pub(crate) const UPDATES: iotsec_interface_t = iotsec_interface_t {
    id: c"updates".as_ptr(),
    purpose: c"New software".as_ptr(),
    name: c"updates.example.com".as_ptr(),
    kind: IOTSEC_INTERFACE_ENDPOINT,
    number: 443,
    phases: IOTSEC_PHASE_PROVISIONED | IOTSEC_PHASE_OWNED,
    scope: 0,
    authentication: 0,
    protocol: IOTSEC_PROTOCOL_HTTPS,
    destination: IOTSEC_DESTINATION_UPDATE,
};
pub(crate) const CONTROL: iotsec_interface_t = iotsec_interface_t {
    id: c"control".as_ptr(),
    purpose: c"Commands from the same machine".as_ptr(),
    name: c"/run/lamp".as_ptr(),
    kind: IOTSEC_INTERFACE_UNIX,
    number: 0,
    scope: 0,
    authentication: IOTSEC_AUTHENTICATION_PEER,
    ..APP
};
pub(crate) const TELNET: iotsec_listener_t = iotsec_listener_t {
    kind: IOTSEC_INTERFACE_TCP,
    number: 23,
    address: [0; 16],
    address_len: 4,
    reserved: 0,
    path: ptr::null(),
    path_len: 0,
    inode: 0,
};

/// What the kernel says of one socket.
pub(crate) const KERNEL: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
    \x20   0: 0100007F:20FB 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 1673 1 0 100 0 0 10 0\n";

fn check(table: &[iotsec_interface_t]) -> iotsec_status_t {
    // SAFETY: see the top.
    unsafe { iotsec_surface_check(table.as_ptr(), table.len()) }
}

type Audit = Result<(Vec<iotsec_surface_finding_t>, u32), iotsec_status_t>;

fn audit(phase: iotsec_device_state_t, least: i32, listeners: &[iotsec_listener_t]) -> Audit {
    let (table, mut found, mut len, mut open) = ([APP, UPDATES, CONTROL], [zeroed(); 8], 0, 0);
    // SAFETY: see the top.
    let status = unsafe {
        iotsec_surface_audit(
            table.as_ptr(),
            table.len(),
            phase,
            least,
            listeners.as_ptr(),
            listeners.len(),
            found.as_mut_ptr(),
            found.len(),
            &raw mut len,
            &raw mut open,
        )
    };
    if status == IOTSEC_OK {
        Ok((found[..len].to_vec(), open))
    } else {
        Err(status)
    }
}

#[test]
fn a_table_is_refused_by_the_rule_that_it_breaks() {
    assert_eq!(check(&[APP, UPDATES, CONTROL]), IOTSEC_OK);
    let broken = |change: fn(&mut iotsec_interface_t)| {
        let mut interface = APP;
        change(&mut interface);
        check(&[interface])
    };
    assert_eq!(check(&[]), IOTSEC_ERR_TABLE_COUNT);
    assert_eq!(check(&[APP; 65]), IOTSEC_ERR_TABLE_COUNT);
    assert_eq!(check(&[APP, APP]), IOTSEC_ERR_TABLE_DUPLICATE);
    let twin = iotsec_interface_t {
        id: c"twin".as_ptr(),
        ..APP
    };
    assert_eq!(check(&[APP, twin]), IOTSEC_ERR_TABLE_SAME_SOCKET);
    assert_eq!(broken(|app| app.id = c"App".as_ptr()), IOTSEC_ERR_TABLE_ID);
    assert_eq!(broken(|app| app.id = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(broken(|app| app.purpose = c"".as_ptr()), IOTSEC_ERR_TABLE_PURPOSE);
    assert_eq!(broken(|app| app.number = 0), IOTSEC_ERR_TABLE_PORT);
    assert_eq!(broken(|app| app.number = 65_536), IOTSEC_ERR_CONFIG);
    assert_eq!(broken(|app| app.phases = 0), IOTSEC_ERR_TABLE_NEVER);
    assert_eq!(broken(|app| app.phases = 32), IOTSEC_ERR_CONFIG);
    assert_eq!(broken(|app| app.kind = 8), IOTSEC_ERR_CONFIG);
    assert_eq!(broken(|app| app.scope = 0), IOTSEC_ERR_CONFIG);
    assert_eq!(broken(|app| app.authentication = 0), IOTSEC_ERR_CONFIG);
    let pattern = iotsec_interface_t {
        name: c"*.example.com".as_ptr(),
        ..UPDATES
    };
    assert_eq!(check(&[pattern]), IOTSEC_ERR_TABLE_HOST);
    let plain = iotsec_interface_t {
        protocol: 0,
        ..UPDATES
    };
    assert_eq!(check(&[plain]), IOTSEC_ERR_CONFIG);
}

/// What is set in vain, somebody believes to be heeded: a scope that no path has, the name of a port.
#[test]
fn a_field_that_a_kind_does_not_have_is_refused() {
    type Change = fn(&mut iotsec_interface_t);
    const NAME: Change = |it| it.name = c"lamp".as_ptr();
    const NUMBER: Change = |it| it.number = 1;
    const SCOPE: Change = |it| it.scope = IOTSEC_SCOPE_LOCAL;
    const AUTHENTICATION: Change = |it| it.authentication = IOTSEC_AUTHENTICATION_PEER;
    const PROTOCOL: Change = |it| it.protocol = IOTSEC_PROTOCOL_TLS;
    let of = |kind| iotsec_interface_t {
        kind,
        number: 17,
        scope: 0,
        ..APP
    };
    let port = [NAME, PROTOCOL];
    let packets = [NAME, SCOPE, PROTOCOL];
    let kinds: [(iotsec_interface_t, &[Change]); 7] = [
        (APP, &port),
        (
            iotsec_interface_t {
                kind: IOTSEC_INTERFACE_UDP,
                ..APP
            },
            &port,
        ),
        (CONTROL, &[NUMBER, SCOPE, PROTOCOL]),
        (of(IOTSEC_INTERFACE_RAW), &packets),
        (of(IOTSEC_INTERFACE_PACKET), &packets),
        (UPDATES, &[SCOPE, AUTHENTICATION]),
        (SWD, &[NAME, SCOPE, AUTHENTICATION, PROTOCOL]),
    ];
    for (good, changes) in kinds {
        assert_eq!(check(&[good]), IOTSEC_OK, "kind {}", good.kind);
        for (at, change) in changes.iter().enumerate() {
            let mut stray = good;
            change(&mut stray);
            assert_eq!(check(&[stray]), IOTSEC_ERR_CONFIG, "kind {}, {at}", good.kind);
        }
    }
}

#[test]
fn nothing_opens_that_is_not_declared_for_now() {
    let table = [APP, UPDATES, CONTROL];
    let listen = |phase, least, id: &str| {
        // SAFETY: see the top.
        unsafe { iotsec_surface_may_listen(table.as_ptr(), 3, phase, least, id.as_ptr().cast(), id.len()) }
    };
    assert_eq!(listen(IOTSEC_DEVICE_OWNED, 0, "app"), IOTSEC_OK);
    assert_eq!(listen(IOTSEC_DEVICE_FACTORY, 0, "app"), IOTSEC_ERR_SURFACE_PHASE);
    assert_eq!(
        listen(IOTSEC_DEVICE_OWNED, 1, "app"),
        IOTSEC_ERR_SURFACE_LEAST_CONNECTIVITY
    );
    assert_eq!(
        listen(IOTSEC_DEVICE_OWNED, 0, "telnet"),
        IOTSEC_ERR_SURFACE_UNDECLARED
    );
    assert_eq!(listen(IOTSEC_DEVICE_OWNED, 0, "updates"), IOTSEC_ERR_SURFACE_KIND);
    assert_eq!(listen(0, 0, "app"), IOTSEC_ERR_CONFIG);
    let connect = |host: &str, port| {
        let (id, at) = ("updates", host.as_ptr().cast());
        // SAFETY: see the top.
        unsafe {
            let id_at = id.as_ptr().cast();
            iotsec_surface_may_connect(
                table.as_ptr(),
                3,
                IOTSEC_DEVICE_OWNED,
                1,
                id_at,
                7,
                at,
                host.len(),
                port,
            )
        }
    };
    assert_eq!(connect("updates.example.com", 443), IOTSEC_OK);
    assert_eq!(connect("updates.example.net", 443), IOTSEC_ERR_SURFACE_HOST);
    assert_eq!(connect("updates.example.com", 80), IOTSEC_ERR_SURFACE_PORT);
}

#[test]
fn what_listens_is_compared_with_the_table() {
    let local = [192, 0, 2, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let app = iotsec_listener_t {
        number: 8443,
        address: local,
        ..TELNET
    };
    let everywhere = iotsec_listener_t {
        address: [0; 16],
        address_len: 16,
        ..app
    };
    let path = b"/run/lamp";
    let control = iotsec_listener_t {
        kind: IOTSEC_INTERFACE_UNIX,
        address_len: 0,
        path: path.as_ptr(),
        path_len: path.len(),
        ..TELNET
    };
    let finding = |kind, interface, listener| iotsec_surface_finding_t {
        kind,
        interface,
        listener,
        reason: IOTSEC_OK,
    };
    assert_eq!(audit(IOTSEC_DEVICE_OWNED, 0, &[app, control]), Ok((vec![], 0)));
    let absent = [
        finding(IOTSEC_SURFACE_ABSENT, 0, -1),
        finding(IOTSEC_SURFACE_ABSENT, 2, -1),
    ];
    assert_eq!(audit(IOTSEC_DEVICE_OWNED, 0, &[]), Ok((absent.to_vec(), 0)));
    let worse = [
        finding(IOTSEC_SURFACE_UNDECLARED, -1, 1),
        finding(IOTSEC_SURFACE_WIDER, 0, 2),
    ];
    assert_eq!(
        audit(IOTSEC_DEVICE_OWNED, 0, &[control, TELNET, everywhere]),
        Ok((worse.to_vec(), 2))
    );
    let closed = iotsec_surface_finding_t {
        reason: IOTSEC_ERR_SURFACE_PHASE,
        ..finding(IOTSEC_SURFACE_CLOSED, 0, 0)
    };
    assert_eq!(audit(IOTSEC_DEVICE_PROVISIONED, 0, &[app]), Ok((vec![closed], 1)));
    let strange = iotsec_listener_t {
        address_len: 5,
        ..TELNET
    };
    assert_eq!(audit(IOTSEC_DEVICE_OWNED, 0, &[strange]), Err(IOTSEC_ERR_CONFIG));
    let reserved = iotsec_listener_t {
        reserved: 1,
        ..TELNET
    };
    assert_eq!(audit(IOTSEC_DEVICE_OWNED, 0, &[reserved]), Err(IOTSEC_ERR_CONFIG));
    assert_eq!(audit(IOTSEC_DEVICE_OWNED, 2, &[]), Err(IOTSEC_ERR_CONFIG));
    assert_eq!(
        audit(IOTSEC_DEVICE_OWNED, 0, &[TELNET; 7]),
        Err(IOTSEC_ERR_SHORT_BUFFER)
    );
}

#[test]
fn sockets_are_read_from_the_text_of_the_kernel() {
    let (mut found, mut len) = ([zeroed::<iotsec_listener_t>(); 2], 0);
    let mut read = |text: &str, room| {
        let (at, to) = (text.as_ptr(), found.as_mut_ptr());
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_surface_read_sockets(IOTSEC_SOCKET_FILE_TCP, at, text.len(), to, room, &raw mut len)
        };
        (status, len, found[0])
    };
    assert_eq!(read(KERNEL, 0).0, IOTSEC_ERR_SHORT_BUFFER);
    let (status, len, socket) = read(KERNEL, 2);
    assert_eq!((status, len), (IOTSEC_OK, 1));
    assert_eq!(
        (socket.kind, socket.number, socket.inode),
        (IOTSEC_INTERFACE_TCP, 8443, 1673)
    );
    let mut address = [127, 0, 0, 1];
    if cfg!(target_endian = "big") {
        address.reverse();
    }
    assert_eq!((&socket.address[..4], socket.address_len), (&address[..], 4));
    assert_eq!(read("no table", 2).0, IOTSEC_ERR_PROC_HEADER);
}
