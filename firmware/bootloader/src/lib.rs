//! A boot loader: decides by signatures, digests and the journal, counts trials, goes back, and hands over.
#![no_std]

use board::{
    cpu,
    flash::Flash,
    options::{Image, Options, RECOVERY},
    product::{self, ROLLBACK},
};
use harness::console;
use iotsec_core::{
    crypto::Sha256,
    error::ErrorCode,
    hal::{MonotonicCounter, Slot},
};
use iotsec_update::{
    boot::{self, BootError, Reason, Selection},
    rollback::Rollback,
};
use semihosting::process;

/// What a boot loader could leave out.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Starts of an image that is not accepted.
    pub trial_boots: u8,
}

/// Starts an image, with the security counter that `counter` makes.
pub fn run<C: MonotonicCounter>(rules: Rules, counter: impl FnOnce(&Options) -> C) -> ! {
    let options = Options::read(Image::Loader);
    let (mut flash, mut counter) = (Flash::new(options.cut), counter(&options));
    if options.is_warm {
        flash.keep();
    }
    match select(&mut flash, &mut counter, rules) {
        Ok(Selection::Boot(image)) => {
            console::text(match image.slot() {
                Slot::A => "boot: slot A",
                Slot::B => "boot: slot B",
            });
            match image.reason() {
                Reason::Active => console::text(", accepted\n"),
                Reason::Trial { boot } => console::number(", trial ", boot.into()),
                Reason::Fallback(refusal) => {
                    console::number(", the other is refused with ", refusal.code().into());
                }
                _ => console::text(", no journal\n"),
            }
            cpu::start(image)
        }
        Ok(Selection::Recovery { a, b }) => {
            console::number("boot: slot A is refused with ", a.code().into());
            console::number("boot: slot B is refused with ", b.code().into());
            process::exit(RECOVERY)
        }
        Err(error) => {
            console::number("boot: error ", error.code().into());
            process::exit(RECOVERY)
        }
    }
}

// A frame of its own: what it needs is free again when the image starts.
#[inline(never)]
fn select(
    flash: &mut Flash,
    counter: &mut dyn MonotonicCounter,
    rules: Rules,
) -> Result<Selection, BootError> {
    let mut scratch = [0; 1024];
    let mut rollback = Rollback::new(counter, ROLLBACK);
    product::with_config(|config| {
        let mut config = *config;
        config.trial_boots = rules.trial_boots;
        boot::select(flash, &config, &mut rollback, &mut Sha256::new(), &mut scratch)
    })
}
