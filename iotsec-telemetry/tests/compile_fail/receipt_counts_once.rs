use iotsec_telemetry::queue::{Queue, Receipt};

fn acknowledge(queue: &mut Queue<8>, receipt: Receipt) {
    let _ = queue.ack(receipt);
    let _ = queue.ack(receipt);
}

fn main() {}
