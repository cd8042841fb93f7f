//! All parts together.
#![no_std]
#![no_main]

use cortex_m_rt::entry;
use footprint::{credential, store, telemetry, update};
use harness::{console, flash::SimulatedFlash, measure};

#[entry]
fn main() -> ! {
    let mut flash = SimulatedFlash::erased();
    let (Some(mut login), Some(root)) = (credential::prepare(), store::root()) else {
        console::fail("not prepared")
    };
    let prepared = store::prepare(&mut flash, &root).and_then(|()| update::prepare(&mut flash));
    if prepared.is_none() {
        console::fail("not prepared")
    }
    measure::report(|| {
        update::boot(&mut flash).is_some_and(|running| update::install(&mut flash, running))
            && store::run(&mut flash, &root)
            && credential::run(&mut login)
            && telemetry::run()
    })
}
