//! The table in Rust.

use std::fmt::Write as _;

use iotsec_net::surface::{
    Destination, Endpoint, Host, Interface, InterfaceTable, Kind, Phase, Phases, Scope, Service, Socket,
};

use crate::product::Product;

/// The table alone; it needs nothing but the package `iotsec`.
pub(super) fn rust(product: &Product, table: &InterfaceTable) -> String {
    let interfaces: Vec<String> = table.interfaces().iter().map(declaration).collect();
    let mut text = format!("use iotsec::net::surface::{{{}}};\n\n", names(&interfaces));
    text += "iotsec::net::interfaces!(\n";
    let about = &product.product;
    let _ = writeln!(
        text,
        "    /// Everything that {} ({}) opens.",
        about.name, about.model
    );
    text += "    pub static SURFACE = [\n";
    for interface in interfaces {
        let _ = writeln!(text, "        {interface},");
    }
    text + "    ]\n);\n"
}

/// The types that the declarations name.
fn names(interfaces: &[String]) -> String {
    let all = [
        "Authentication",
        "Debug",
        "Destination",
        "Endpoint",
        "Fact",
        "Host",
        "Interface",
        "Phases",
        "Port",
        "Protocol",
        "Radio",
        "Scope",
        "Service",
        "Socket",
    ];
    // Not in a text: there is no word before the colons but a type's.
    let is_named = |name: &&str| {
        let path = format!("{name}::");
        interfaces.iter().any(|interface| interface.contains(&path))
    };
    all.into_iter().filter(is_named).collect::<Vec<_>>().join(", ")
}

fn declaration(interface: &Interface) -> String {
    let (constructor, value) = match interface.kind() {
        Kind::Service(service) => ("service", self::service(&service)),
        Kind::Endpoint(endpoint) => ("endpoint", self::endpoint(&endpoint)),
        Kind::Port(port) => ("port", format!("Port::{port:?}")),
        Kind::Radio(radio) => ("radio", format!("Radio::{radio:?}")),
        Kind::Debug(debug) => ("debug", format!("Debug::{debug:?}")),
    };
    let mut text = format!(
        "Interface::{constructor}({:?}, {:?}, {value})",
        interface.id(),
        interface.purpose()
    );
    if interface.phases() != Phases::ALWAYS {
        let _ = write!(text, ".during({})", phases(interface.phases()));
    }
    if interface.destination() != Destination::Any {
        let _ = write!(text, ".serving(Destination::{:?})", interface.destination());
    }
    text
}

fn service(service: &Service) -> String {
    let scope = |scope: Scope| format!("Scope::{scope:?}");
    let authentication = format!("Authentication::{:?}", service.authentication());
    let mut text = match service.socket() {
        Socket::Tcp { port, scope: from } => {
            format!("Service::tcp({port}, {}, {authentication})", scope(from))
        }
        Socket::Udp { port, scope: from } => {
            format!("Service::udp({port}, {}, {authentication})", scope(from))
        }
        // As `Debug` shows these, they are Rust.
        socket => format!("Service::new(Socket::{socket:?}, {authentication})"),
    };
    if !service.discloses().is_empty() {
        let facts = service.discloses().iter();
        let facts: Vec<String> = facts.map(|fact| format!("Fact::{fact:?}")).collect();
        let _ = write!(text, ".disclosing(&[{}])", facts.join(", "));
    }
    text
}

fn endpoint(endpoint: &Endpoint) -> String {
    let host: Host = endpoint.host();
    format!(
        "Endpoint::new(Host::{host:?}, {}, Protocol::{:?})",
        endpoint.port(),
        endpoint.protocol()
    )
}

fn phases(phases: Phases) -> String {
    let all = [
        (Phase::Factory, "FACTORY"),
        (Phase::Provisioned, "PROVISIONED"),
        (Phase::Owned, "OWNED"),
        (Phase::Orphaned, "ORPHANED"),
        (Phase::Retired, "RETIRED"),
    ];
    let mut names = all
        .into_iter()
        .filter(|(phase, _)| phases.contains(*phase))
        .map(|(_, name)| name);
    let first = names.next().unwrap_or("NONE");
    names.fold(format!("Phases::{first}"), |text, name| {
        format!("{text}.and(Phases::{name})")
    })
}
