//! The interface table and its gate, the debug port and what opens it, disclosure and the MUD file. Must link.
#![no_std]
#![no_main]

use core::{fmt, hint::black_box};

use cortex_m_rt::entry;
use iotsec_core::{
    hal::{DebugPort, DebugState, Millis},
    input::DeviceSerial,
};
use iotsec_net::{
    interfaces,
    surface::{
        Authentication, Debug, Destination, Endpoint, Fact, Host, Interface, Phase, Phases, Protocol, Scope,
        Service,
        debug::{DebugPolicy, UnlockChallenge, UnlockContent, UnlockError, check_debug_port},
        disclosure::Identifying,
        mud::{MudInfo, write_mud},
    },
};
use no_panic::{Hardware, KeyInHardware, halt, unknown};

interfaces!(
    static TABLE = [
        Interface::service("app", "x", Service::tcp(443, Scope::Local, Authentication::Password))
            .during(Phases::OWNED),
        Interface::endpoint("cloud", "x", Endpoint::new(Host::Name("a.example"), 8883, Protocol::Mqtts)),
        Interface::endpoint("hub", "x", Endpoint::new(Host::Local, 8883, Protocol::Mqtts))
            .serving(Destination::Alert),
        Interface::debug("swd", "x", Debug::Swd),
    ]
);

#[entry]
fn main() -> ! {
    let input = [0; 512];
    grants(&input);
    black_box(unlock(&input).is_ok());
    disclosure(&input);
    halt()
}

struct Port;
impl DebugPort for Port {
    fn state(&self) -> DebugState {
        black_box(DebugState::Open)
    }
}

fn text(input: &[u8; 512]) -> &str {
    core::str::from_utf8(unknown(input)).unwrap_or_default()
}

fn grants(input: &[u8; 512]) {
    let mut gate = TABLE.gate(black_box(Phase::Owned));
    if black_box(true) {
        gate = gate.least();
    }
    if let Ok(grant) = gate.grant_outbound(text(input), text(input), black_box(8883)) {
        black_box((grant.host(), grant.port()));
    }
    if let Ok(grant) = gate.grant_listen(text(input)) {
        black_box(grant.disclosure().allows(black_box(Fact::Product)));
        black_box(
            grant
                .covers(black_box(core::net::IpAddr::from([127, 0, 0, 1])))
                .is_ok(),
        );
    }
    black_box(check_debug_port(&Port, &gate, black_box(DebugPolicy::Refuse)).is_ok());
}

fn unlock(input: &[u8; 512]) -> Result<(), UnlockError> {
    let serial = DeviceSerial::parse(unknown(input)).map_err(|_| UnlockError::Domain)?;
    let challenge = UnlockChallenge::new(serial, &mut Hardware, Millis(black_box(7)))?;
    let (mut out, mut scratch) = ([0; 128], [0; 256]);
    let out = out.get_mut(..black_box(128)).unwrap_or_default();
    black_box(challenge.write(out)?);
    black_box(UnlockContent::answer(unknown(input), black_box(60))?.write(&mut [0; 96])?);
    let scratch = scratch.get_mut(..black_box(256)).unwrap_or_default();
    let unlocked = challenge.check(unknown(input), &KeyInHardware, Millis(black_box(9)), scratch)?;
    black_box(unlocked.is_open(Millis(black_box(11))));
    Ok(())
}

struct Sink;
impl fmt::Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        black_box(text);
        black_box(Ok(()))
    }
}

fn disclosure(input: &[u8; 512]) {
    let unit = Identifying {
        software_version: text(input),
        serial: text(input),
        hardware_address: black_box([7; 6]),
    };
    black_box(unit.find_leak(unknown(input), &[black_box(Fact::Product)]));
    let info = MudInfo {
        url: text(input),
        last_update: text(input),
        cache_hours: black_box(48),
        is_supported: black_box(true),
        systeminfo: text(input),
        manufacturer: text(input),
        model: text(input),
        documentation: black_box(None),
    };
    black_box(write_mud(&TABLE, &info, &mut Sink).is_ok());
}
