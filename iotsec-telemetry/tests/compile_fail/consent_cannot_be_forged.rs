use core::marker::PhantomData;

use iotsec_telemetry::consent::{Consented, Usage};

fn main() {
    let _: Consented<'static, Usage> = Consented {
        consents: PhantomData,
        purpose: PhantomData,
    };
}
