use std::{net::UdpSocket, string::String, vec};

use super::*;
use crate::{
    interfaces,
    surface::{Authentication, Interface, Phase, Phases},
};
use ProcErrorKind::{Address, Column, Header, LineTooLong, TooManyLines};

interfaces!(static TABLE = [
    Interface::service("app", "x", Service::tcp(8443, Scope::Local, Authentication::Password)).during(Phases::OWNED),
    Interface::service("admin", "x", Service::tcp(9000, Scope::Loopback, Authentication::SharedKey)),
    Interface::service("find", "x", Service::udp(5353, Scope::Any, Authentication::None)),
    Interface::service("agent", "x", Service::new(Socket::Unix("@agent"), Authentication::Peer)),
    Interface::service("ping", "x", Service::new(Socket::Raw(1), Authentication::None)),
    Interface::service("lldp", "x", Service::new(Socket::Packet(0x88CC), Authentication::None)),
]);

fn tcp(address: &str) -> Listener<'static> {
    Listener {
        bound: Bound::Tcp(address.parse().unwrap()),
        inode: 7,
    }
}

fn other(bound: Bound<'static>) -> Listener<'static> {
    Listener { bound, inode: 8 }
}

fn all() -> Vec<Listener<'static>> {
    vec![
        tcp("192.168.1.2:8443"),
        tcp("127.0.0.1:9000"),
        tcp("[::1]:9000"),
        other(Bound::Udp("0.0.0.0:5353".parse().unwrap())),
        other(Bound::Unix(b"@agent")),
        other(Bound::Raw {
            address: "0.0.0.0".parse().unwrap(),
            protocol: 1,
        }),
        other(Bound::Packet(0x88CC)),
    ]
}

#[test]
fn what_is_as_declared_is_no_finding() {
    let report = audit(&TABLE.gate(Phase::Owned), &all());
    assert_eq!(report.findings(), []);
    assert_eq!((report.is_clean(), report.counts()), (true, Counts::default()));
}

#[test]
fn each_kind_of_deviation_is_found() {
    let gate = TABLE.gate(Phase::Owned);
    for (listener, name, id) in [
        (tcp("127.0.0.1:23"), "undeclared", None),
        (
            other(Bound::Udp("192.168.1.2:8443".parse().unwrap())),
            "undeclared",
            None,
        ),
        (other(Bound::Unix(b"agent")), "undeclared", None),
        (other(Bound::Unix(b"")), "undeclared", None),
        (other(Bound::Packet(3)), "undeclared", None),
        (tcp("0.0.0.0:9000"), "wider", Some("admin")),
        (tcp("10.0.0.2:9000"), "wider", Some("admin")),
        (tcp("[::]:8443"), "wider", Some("app")),
        (tcp("[::ffff:0.0.0.0]:8443"), "wider", Some("app")),
    ] {
        let mut listeners = all();
        listeners.push(listener);
        let report = audit(&gate, &listeners);
        let [finding] = report.findings() else {
            panic!("{report:?}")
        };
        assert_eq!((finding.name(), report.ids().next()), (name, id), "{finding}");
        assert_eq!((finding.listener(), report.counts().open()), (Some(&listener), 1));
        assert!(!finding.remedy().is_empty());
    }
    let report = audit(&gate, &all()[1..]);
    assert_eq!(report.findings(), [Finding::Absent(TABLE.find("app").unwrap())]);
    assert_eq!((report.counts().absent, report.counts().open()), (1, 0));
}

#[test]
fn what_should_be_closed_by_now_is_found() {
    let report = audit(&TABLE.gate(Phase::Provisioned), &all());
    let app = TABLE.find("app").unwrap();
    let closed = |interface, listener, reason| Finding::Closed {
        interface,
        listener,
        reason,
    };
    assert_eq!(
        report.findings(),
        [closed(app, tcp("192.168.1.2:8443"), SurfaceError::Phase)]
    );
    let report = audit(&TABLE.gate(Phase::Owned).least(), &all());
    assert_eq!((report.counts().closed, report.counts().absent), (7, 0));
}

const TCP: &str =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
const UNIX: &str = "Num       RefCount Protocol Flags    Type St Inode Path\n";
const PACKET: &str = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n";

fn read<'a>(file: SocketFile, text: &'a str) -> Result<Vec<Listener<'a>>, ProcError> {
    read_sockets(file, text.as_bytes()).collect()
}

/// `0: LOCAL REMOTE STATE …`, with the words of an address as this machine has them.
fn line(local: &str, state: &str) -> String {
    let (address, port) = local.split_once(':').unwrap();
    let words = address.as_bytes().chunks(8).map(|word| {
        let word = u32::from_str_radix(str::from_utf8(word).unwrap(), 16).unwrap();
        std::format!("{:08X}", u32::from_ne_bytes(word.to_be_bytes()))
    });
    let address: String = words.collect();
    let zero = "0".repeat(address.len());
    std::format!(
        "   0: {address}:{port} {zero}:0000 {state} 00000000:00000000 00:00000000 00000000  1000        0 1673 1 0 100\n"
    )
}

#[test]
fn the_tables_of_the_kernel_are_read() {
    let v6 = "20010DB8000000000000000000000001:20FB";
    for (file, line, expected) in [
        (
            SocketFile::Tcp,
            line("7F000001:07E8", "0A"),
            Some("tcp 127.0.0.1:2024"),
        ),
        (SocketFile::Tcp, line("7F000001:07E8", "01"), None),
        (SocketFile::Tcp6, line(v6, "0A"), Some("tcp [2001:db8::1]:8443")),
        (
            SocketFile::Udp,
            line("C0A80102:14E9", "07"),
            Some("udp 192.168.1.2:5353"),
        ),
        (SocketFile::Udp, line("C0A80102:14E9", "01"), None),
        (SocketFile::Udp6, line(v6, "07"), Some("udp [2001:db8::1]:8443")),
        (
            SocketFile::Raw,
            line("00000000:0001", "07"),
            Some("raw 0.0.0.0 protocol 1"),
        ),
        (
            SocketFile::Raw6,
            line(&v6.replace("20FB", "003A"), "07"),
            Some("raw 2001:db8::1 protocol 58"),
        ),
    ] {
        let text = std::format!("{TCP}{line}");
        let found: Vec<String> = read(file, &text)
            .unwrap()
            .iter()
            .map(|one| std::format!("{}", one.bound))
            .collect();
        assert_eq!(found.iter().map(String::as_str).next(), expected, "{text}");
    }
    let text = std::format!(
        "{UNIX}\
         00000000a04b3dd2: 00000003 00000000 00000000 0001 03 1898134\n\
         00000000cd498810: 00000002 00000000 00010000 0001 01 1898128 /run/a b\n\
         00000000cd498811: 00000002 00000000 00010000 0001 01 1898129\n\
         000000009af4cd21: 00000003 00000000 00000000 0002 01 1902238 /dev/log\n\
         00000000c6df0000: 00000003 00000000 00000000 0002 01 1669 @0001f\n\
         00000000c6df0001: 00000003 00000000 00000000 0002 01 1670\n"
    );
    let found: Vec<Bound<'_>> = read(SocketFile::Unix, &text)
        .unwrap()
        .iter()
        .map(|one| one.bound)
        .collect();
    assert_eq!(
        found,
        [
            Bound::Unix(b"/run/a b"),
            Bound::Unix(b""),
            Bound::Unix(b"/dev/log")
        ]
    );
    let text = std::format!(
        "{PACKET}ffff888003b7a000 3      3    0003   2     1 0      0      12345\n\
         ffff888003b7a800 3      2    0000   0     0 0      0      12346\n"
    );
    let found = read(SocketFile::Packet, &text).unwrap();
    assert_eq!(
        found,
        [Listener {
            bound: Bound::Packet(3),
            inode: 12345
        }]
    );
}

#[test]
fn what_the_kernel_does_not_write_is_refused_with_its_line() {
    let good = line("7F000001:07E8", "0A");
    let long = " ".repeat(MAX_LINE_LEN + 1);
    for (file, text, number, kind) in [
        (SocketFile::Tcp, String::new(), 1, Header),
        (SocketFile::Tcp, good.clone(), 1, Header),
        (SocketFile::Unix, TCP.into(), 1, Header),
        (SocketFile::Tcp, std::format!("{TCP}{long}"), 2, LineTooLong),
        (SocketFile::Tcp, std::format!("{TCP}{good}\n{good}"), 3, Column),
        (
            SocketFile::Tcp,
            std::format!("{TCP}{}", good.replace("1673", "+1673")),
            2,
            Column,
        ),
        (
            SocketFile::Tcp,
            std::format!("{TCP}{}", good.replace(" 0A ", " 0x0A ")),
            2,
            Column,
        ),
        (
            SocketFile::Tcp,
            std::format!("{TCP}{}", good.replace(":07E8", ":107E8")),
            2,
            Address,
        ),
        (
            SocketFile::Tcp,
            std::format!("{TCP}{}", good.replace(":07E8", "")),
            2,
            Address,
        ),
        (SocketFile::Tcp6, std::format!("{TCP}{good}"), 2, Address),
        (
            SocketFile::Raw,
            std::format!("{TCP}{}", line("00000000:0100", "07")),
            2,
            Address,
        ),
        (
            SocketFile::Unix,
            std::format!("{UNIX}0: 00000002 00000000 00010000 0001 01\n"),
            2,
            Column,
        ),
        (
            SocketFile::Packet,
            std::format!("{PACKET}0 3 3 10003 2 1 0 0 12345\n"),
            2,
            Column,
        ),
    ] {
        let error = read(file, &text).unwrap_err();
        assert_eq!((error.line, error.kind), (number, kind), "{text}");
    }
    let many = std::format!("{TCP}{}", good.repeat(MAX_LINES as usize));
    assert_eq!(read(SocketFile::Tcp, &many).unwrap_err().kind, TooManyLines);
}

#[test]
fn no_prefix_of_a_line_is_taken_for_a_shorter_one() {
    let text = std::format!("{TCP}{}", line("7F000001:07E8", "0A"));
    let inode = text.find("1673").unwrap();
    for end in TCP.len() + 1..inode {
        assert!(read(SocketFile::Tcp, &text[..end]).is_err(), "{end}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_open_socket_of_this_process_is_found_with_its_owner() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bound = UdpSocket::bind("0.0.0.0:0").unwrap();
    let pid = std::process::id();
    for snapshot in [
        Snapshot::of_process("/proc".as_ref(), pid).unwrap(),
        Snapshot::of_system("/proc".as_ref()).unwrap(),
    ] {
        let sockets = snapshot.listeners().unwrap();
        for wanted in [
            Bound::Tcp(listener.local_addr().unwrap()),
            Bound::Udp(bound.local_addr().unwrap()),
        ] {
            let socket = sockets.iter().find(|socket| socket.bound == wanted).unwrap();
            assert_eq!(snapshot.owner(socket).unwrap().pid, pid);
        }
    }
    let nobody = Snapshot::of_process("/proc".as_ref(), u32::MAX);
    assert!(matches!(
        nobody.unwrap_err(),
        AuditError::Sockets(SocketFile::Tcp, _)
    ));
}
