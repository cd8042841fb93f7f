use iotsec_telemetry::{personal::Personal, registry::Purpose};

struct Security;

impl iotsec_telemetry::consent::ConsentPurpose for Security {
    const PURPOSE: Purpose = Purpose::Security;
}

fn main() {
    let _: Personal<u32, Security> = Personal::new(62);
}
