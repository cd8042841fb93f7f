//! A device opens what its interface table declares, and finds out when something else listens (guideline 6).
//!
//! The table is that of `examples/products/lamp`: `iotsec surface table` made it from the product manifest. The same
//! table gives the MUD file, from which the owner's network learns what to let through.
//!
//! Run it with `cargo run --example audit_surface`. It needs Linux, and two free ports on the loopback interface.

use std::{
    error::Error,
    net::{IpAddr, Ipv4Addr, TcpListener},
    process,
};

use iotsec::{
    core::hal::{DebugPort, DebugState},
    net::surface::{
        Fact, Gate, Phase, SurfaceError,
        audit::{Snapshot, audit},
        debug::{DebugError, DebugPolicy, check_debug_port},
        mud::{MudInfo, write_mud},
    },
};

mod lamp {
    include!("products/lamp/surface.rs");
}
use lamp::SURFACE;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const EVERYWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

fn main() -> Result<(), Box<dyn Error>> {
    let gate = SURFACE.gate(Phase::Owned);
    println!("declared: {} interfaces", SURFACE.interfaces().len());

    // What is declared opens, on no wider address than declared.
    let app = gate.grant_listen("app")?;
    let listening = app.bind_tcp(LOOPBACK)?;
    let agent = gate.grant_listen("update-agent")?;
    assert!(agent.bind_tcp(EVERYWHERE).is_err());
    let _agent = agent.bind_tcp(LOOPBACK)?;
    println!("open: {} and {}", app.interface().id(), agent.interface().id());

    // Default deny: not declared, for another phase of life, to another host.
    assert_eq!(gate.grant_listen("telnet").err(), Some(SurfaceError::Undeclared));
    assert_eq!(gate.grant_listen("set-up").err(), Some(SurfaceError::Phase));
    let elsewhere = gate.grant_outbound("cloud", "mqtt.example.net", 8883);
    assert_eq!(elsewhere.err(), Some(SurfaceError::Host));

    // Its software was found changed: the way to repair stays open, and nothing else.
    let least = gate.least();
    assert!(
        least
            .grant_outbound("updates", "updates.lighting.example.com", 443)
            .is_ok()
    );
    let cloud = least.grant_outbound("cloud", "mqtt.lighting.example.com", 8883);
    assert_eq!(cloud.err(), Some(SurfaceError::LeastConnectivity));

    // Before authentication, the app's service tells what is declared.
    let disclosure = app.disclosure();
    assert!(disclosure.tell(Fact::Product, "Lamp").is_ok());
    assert!(disclosure.tell(Fact::SoftwareVersion, "2.4.1").is_err());

    println!("findings: {}", findings(&gate)?);
    let forgotten = TcpListener::bind((EVERYWHERE, 0))?;
    println!(
        "a listener from the days of development is still there: {}",
        forgotten.local_addr()?
    );
    let open = findings(&gate)?;
    println!("findings: {open}");
    assert_eq!(open, 1);
    drop((forgotten, listening));

    let refused = check_debug_port(&LeftOpen, &gate, DebugPolicy::Refuse);
    assert_eq!(refused, Err(DebugError::Open));
    println!("boot refused: {}", DebugError::Open);

    let mut mud = String::new();
    write_mud(&SURFACE, &INFO, &mut mud)?;
    println!("for the network: {mud}");
    Ok(())
}

/// What a device does every few minutes. The number goes into its security status, as `Observed::undeclared`, and the
/// ids into a security event.
fn findings(gate: &Gate<'_>) -> Result<u16, Box<dyn Error>> {
    let snapshot = Snapshot::of_process("/proc".as_ref(), process::id())?;
    let listeners = snapshot.listeners()?;
    let report = audit(gate, &listeners);
    for finding in report.findings() {
        println!("  {finding}: {}", finding.remedy());
    }
    Ok(report.counts().open())
}

/// A chip that nobody locked.
struct LeftOpen;

impl DebugPort for LeftOpen {
    fn state(&self) -> DebugState {
        DebugState::Open
    }
}

const INFO: MudInfo<'_> = MudInfo {
    url: "https://lighting.example.com/mud/lamp-2.json",
    last_update: "2026-11-29T00:00:00Z",
    cache_hours: 48,
    is_supported: true,
    systeminfo: "Lamp",
    manufacturer: "Example Lighting Ltd",
    model: "lamp-2",
    documentation: None,
};
