use iotsec_telemetry::{
    consent::{Consented, Health, Usage},
    personal::Personal,
};

fn reveal(health: &Consented<'_, Health>) {
    let heart_rate: Personal<u32, Usage> = Personal::new(62);
    let _ = heart_rate.reveal(health);
}

fn main() {}
