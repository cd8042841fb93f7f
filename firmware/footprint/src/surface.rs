//! What a device may open.

use core::hint::black_box;

use iotsec_core::hal::{DebugPort, DebugState};
use iotsec_net::{
    interfaces,
    surface::{
        Debug, Destination, Endpoint, Host, Interface, Phase, Protocol, Radio,
        debug::{DebugPolicy, check_debug_port},
    },
};

interfaces!(
    static TABLE = [
        Interface::endpoint(
            "cloud",
            "Control from afar",
            Endpoint::new(Host::Name("mqtt.example.com"), 8883, Protocol::Mqtts),
        ),
        Interface::endpoint(
            "updates",
            "New software",
            Endpoint::new(Host::Name("updates.example.com"), 443, Protocol::Https),
        )
        .serving(Destination::Update),
        Interface::radio("wifi", "The owner's network", Radio::Wifi),
        Interface::debug("swd", "Tests on the line", Debug::Swd),
    ]
);

struct Locked;
impl DebugPort for Locked {
    fn state(&self) -> DebugState {
        black_box(DebugState::Closed)
    }
}

/// The port is closed, one endpoint opens, and another host does not.
#[inline(never)]
pub fn run() -> bool {
    let gate = TABLE.gate(black_box(Phase::Owned));
    let granted = |id, host, port| gate.grant_outbound(id, host, port).is_ok();
    check_debug_port(&Locked, &gate, DebugPolicy::Refuse).is_ok()
        && granted(black_box("cloud"), black_box("mqtt.example.com"), black_box(8883))
        && !granted(
            black_box("updates"),
            black_box("mqtt.example.com"),
            black_box(443),
        )
}
