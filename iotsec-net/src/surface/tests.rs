use std::{net::IpAddr, slice::from_ref, string::String, vec::Vec};

use super::*;
use crate::interfaces;

const APP: Interface = Interface::service(
    "app",
    "The owner's app",
    Service::tcp(8443, Scope::Local, Authentication::Password),
)
.during(Phases::OWNED);
const ADMIN: Interface = Interface::service(
    "admin",
    "The update agent",
    Service::tcp(9000, Scope::Loopback, Authentication::SharedKey),
);
const CLOUD: Interface = Interface::endpoint(
    "cloud",
    "Control from afar",
    Endpoint::new(Host::Name("mqtt.example.com"), 8883, Protocol::Mqtts),
);
const ALERTS: Interface = Interface::endpoint(
    "alerts",
    "Tells the maker what is wrong",
    Endpoint::new(Host::Name("alerts.example.com"), 443, Protocol::Https),
)
.serving(Destination::Alert);
const HUB: Interface = Interface::endpoint(
    "hub",
    "The owner's own broker",
    Endpoint::new(Host::Local, 8883, Protocol::Mqtts),
);
const BROKER: Interface = Interface::endpoint(
    "broker",
    "A broker of the owner's choice",
    Endpoint::new(Host::Controller, 8884, Protocol::Mqtts),
);
const SWD: Interface = Interface::debug("swd", "Tests on the line", Debug::Swd);

interfaces!(static TABLE = [APP, ADMIN, CLOUD, ALERTS, HUB, BROKER, SWD]);

#[test]
fn what_is_not_declared_is_not_granted() {
    let gate = TABLE.gate(Phase::Owned);
    let refused = |id: &str, host: &str, port| gate.grant_outbound(id, host, port).err();
    assert_eq!(refused("cloud", "mqtt.example.com", 8883), None);
    assert_eq!(refused("cloud", "MQTT.example.com", 8883), None);
    for (id, host, port, error) in [
        ("other", "mqtt.example.com", 8883, SurfaceError::Undeclared),
        ("Cloud", "mqtt.example.com", 8883, SurfaceError::Undeclared),
        ("cloud", "mqtt.example.com.", 8883, SurfaceError::Host),
        ("cloud", "xmqtt.example.com", 8883, SurfaceError::Host),
        ("cloud", "alerts.example.com", 8883, SurfaceError::Host),
        ("cloud", "", 8883, SurfaceError::Host),
        ("cloud", "mqtt.example.com", 1883, SurfaceError::Port),
        ("app", "mqtt.example.com", 8443, SurfaceError::Kind),
        ("swd", "mqtt.example.com", 8883, SurfaceError::Phase),
        ("broker", "two words", 8884, SurfaceError::Host),
        ("broker", "a\r\nb", 8884, SurfaceError::Host),
    ] {
        assert_eq!(refused(id, host, port), Some(error), "{id} {host} {port}");
    }
    assert_eq!(gate.grant_listen("cloud").err(), Some(SurfaceError::Kind));
    assert_eq!(gate.grant_listen("").err(), Some(SurfaceError::Undeclared));
    let grant = gate.grant_listen("app").unwrap();
    assert_eq!((grant.interface().id(), grant.service()), ("app", service(&APP)));
}

fn service(interface: &Interface) -> Service {
    match interface.kind() {
        Kind::Service(service) => service,
        _ => panic!("no service"),
    }
}

#[test]
fn a_grant_has_the_host_as_it_was_declared() {
    let asked = String::from("MQTT.Example.COM");
    let gate = TABLE.gate(Phase::Owned);
    let grant = gate.grant_outbound("cloud", &asked, 8883).unwrap();
    assert_eq!((grant.host(), grant.port()), ("mqtt.example.com", 8883));
    assert_eq!((grant.protocol(), grant.interface()), (Protocol::Mqtts, &CLOUD));
}

#[test]
fn a_local_endpoint_is_in_the_owners_network() {
    let gate = TABLE.gate(Phase::Owned);
    let granted = |host| gate.grant_outbound("hub", host, 8883).is_ok();
    for host in [
        "192.168.1.7",
        "10.0.0.1",
        "169.254.3.4",
        "[fe80::1]",
        "[fd00::7]",
        "hub",
        "hub.local",
        "Hub.Home.Arpa",
    ] {
        assert!(granted(host), "{host}");
    }
    for host in [
        "192.0.2.1",
        "[2001:db8::1]",
        "hub.example.com",
        "hublocal.com",
        "172.32.0.1",
        "",
        "10.0.0.01",
    ] {
        assert!(!granted(host), "{host}");
    }
    assert!(gate.grant_outbound("broker", "192.0.2.1", 8884).is_ok());
}

#[test]
fn a_phase_opens_what_it_has() {
    let ids = |gate: Gate<'_>| -> Vec<&str> {
        let all = TABLE.interfaces().iter().map(Interface::id);
        all.filter(|id| gate.allows(id).is_ok()).collect()
    };
    assert_eq!(
        ids(TABLE.gate(Phase::Factory)),
        ["admin", "cloud", "alerts", "hub", "broker", "swd"]
    );
    assert_eq!(
        ids(TABLE.gate(Phase::Owned)),
        ["app", "admin", "cloud", "alerts", "hub", "broker"]
    );
    assert_eq!(ids(TABLE.gate(Phase::Owned).least()), ["alerts"]);
    let error = TABLE.gate(Phase::Provisioned).grant_listen("app").err();
    assert_eq!(error, Some(SurfaceError::Phase));
    let error = TABLE.gate(Phase::Owned).least().grant_listen("app").err();
    assert_eq!(error, Some(SurfaceError::LeastConnectivity));
}

#[test]
fn a_grant_covers_no_wider_address_than_declared() {
    let covers = |id, address: &str| {
        let grant = TABLE.gate(Phase::Owned).grant_listen(id).unwrap();
        grant.covers(address.parse::<IpAddr>().unwrap()).is_ok()
    };
    for address in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
        assert!(covers("admin", address) && covers("app", address), "{address}");
    }
    for address in ["192.168.1.7", "fe80::1"] {
        assert!(!covers("admin", address) && covers("app", address), "{address}");
    }
    for address in ["0.0.0.0", "::", "::ffff:0.0.0.0"] {
        assert!(!covers("admin", address) && !covers("app", address), "{address}");
    }
}

#[test]
fn a_table_is_checked() {
    const fn named(name: &'static str) -> Interface {
        Interface::endpoint("e", "x", Endpoint::new(Host::Name(name), 1, Protocol::Tls))
    }
    const fn listening(socket: Socket) -> Interface {
        Interface::service("s", "x", Service::new(socket, Authentication::None))
    }
    const LONG: &str = "a234567890123456789012345678901234567890123456789012345678901234.com";
    const NEVER: Interface = SWD.during(Phases::NONE);
    const BOTH: Interface = Interface::service(
        "both",
        "x",
        Service::tcp(1, Scope::Any, Authentication::None).disclosing(&[Fact::Product, Fact::Product]),
    );
    const ADMIN_AGAIN: Interface =
        Interface::service("again", "x", Service::tcp(9000, Scope::Any, Authentication::None));
    let check = |table: Result<InterfaceTable, TableError>| table.err();
    assert_eq!(check(InterfaceTable::new(&[])), Some(TableError::Count));
    assert_eq!(check(InterfaceTable::new(&[SWD; 65])), Some(TableError::Count));
    assert_eq!(
        check(InterfaceTable::new(&[SWD, APP, SWD])),
        Some(TableError::Duplicate)
    );
    assert_eq!(check(InterfaceTable::new(&[NEVER])), Some(TableError::Never));
    assert_eq!(check(InterfaceTable::new(&[BOTH])), Some(TableError::Disclosure));
    assert_eq!(
        check(InterfaceTable::new(&[ADMIN, SWD, ADMIN_AGAIN])),
        Some(TableError::SameSocket)
    );
    const IDS: [Interface; 4] = [
        Interface::radio("", "x", Radio::Nfc),
        Interface::radio("A", "x", Radio::Nfc),
        Interface::radio("a b", "x", Radio::Nfc),
        Interface::radio("a23456789012345678901234567890123", "x", Radio::Nfc),
    ];
    for id in &IDS {
        assert_eq!(check(InterfaceTable::new(from_ref(id))), Some(TableError::Id));
    }
    const PURPOSE: Interface = Interface::radio("nfc", "", Radio::Nfc);
    assert_eq!(check(InterfaceTable::new(&[PURPOSE])), Some(TableError::Purpose));
    const NAMES: [Interface; 14] = [
        named(""),
        named("localhost"),
        named("*.example.com"),
        named("Example.com"),
        named("-a.com"),
        named("a-.com"),
        named("a.com-"),
        named("a..com"),
        named(".com"),
        named("a.com."),
        named("192.0.2.1"),
        named("a_b.com"),
        named(LONG),
        named("a.com:443"),
    ];
    for name in &NAMES {
        let error = check(InterfaceTable::new(from_ref(name)));
        assert_eq!(error, Some(TableError::Host), "{name:?}");
    }
    const GOOD: [Interface; 3] = [
        named("a.com"),
        named("3.a-b.example"),
        named("xn--bcher-kva.example"),
    ];
    for name in &GOOD {
        assert_eq!(check(InterfaceTable::new(from_ref(name))), None, "{name:?}");
    }
    const SOCKETS: [Interface; 2] = [
        listening(Socket::Udp {
            port: 0,
            scope: Scope::Any,
        }),
        listening(Socket::Unix("")),
    ];
    let errors = SOCKETS
        .each_ref()
        .map(|one| InterfaceTable::new(from_ref(one)).err());
    assert_eq!(errors, [Some(TableError::Port), Some(TableError::Path)]);
}
