use iotsec_telemetry::{
    consent::{ConsentStorage, Consents, Usage},
    personal::Personal,
    queue::Queue,
};

fn withdraw(consents: &mut Consents, queue: &mut Queue<8>, storage: &mut dyn ConsentStorage) {
    let proof = consents.live::<Usage>().unwrap();
    consents.withdraw::<Usage, 8>(None, queue, storage).unwrap();
    let _ = Personal::<u32, Usage>::new(62).reveal(&proof);
}

fn main() {}
