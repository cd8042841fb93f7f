use iotsec_core::hal::Millis;
use iotsec_telemetry::{
    consent::{Consents, Usage},
    personal::Personal,
    queue::Queue,
    registry::EventDef,
};

fn record(queue: &mut Queue<8>, consents: &Consents, event: &EventDef) {
    let heart_rate: Personal<u32, Usage> = Personal::new(62);
    let _ = queue.record(consents, event, &[heart_rate.into()], Millis(0));
}

fn main() {}
