use iotsec_core::hal::Millis;
use iotsec_telemetry::{
    consent::{ConsentStorage, Consents, Usage},
    personal::Personal,
    queue::Queue,
    registry::EventDef,
};

fn record(consents: &mut Consents, queue: &mut Queue<8>, event: &EventDef, storage: &mut dyn ConsentStorage) {
    let pulse = Personal::<u32, Usage>::new(62).reveal(&consents.live().unwrap());
    consents.withdraw::<Usage, 8>(None, queue, storage).unwrap();
    consents.grant::<Usage>(2, None, storage).unwrap();
    let _ = queue.record(consents, event, &[pulse], Millis(0));
}

fn main() {}
