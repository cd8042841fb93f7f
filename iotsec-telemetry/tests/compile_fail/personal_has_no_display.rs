use iotsec_telemetry::{consent::Usage, personal::Personal};

fn main() {
    let heart_rate: Personal<u32, Usage> = Personal::new(62);
    println!("{heart_rate}");
}
