use iotsec_telemetry::{
    batch::SealedBatch,
    consent::{ConsentStorage, Consents, Usage},
    queue::Queue,
};

fn seal<'a>(_: &'a Consents, _: &mut Queue<8>) -> SealedBatch<'a> {
    unimplemented!("as Queue::batch does")
}

fn send(consents: &mut Consents, queue: &mut Queue<8>, storage: &mut dyn ConsentStorage) {
    let batch = seal(consents, queue);
    consents.withdraw::<Usage, 8>(None, queue, storage).unwrap();
    transmit(batch.bytes());
}

fn transmit(_: &[u8]) {}

fn main() {}
