//! An application that a boot loader starts. Over a serial link it is set up, checks passwords, keeps a secret, records
//! telemetry, takes an update in chunks and accepts it.
#![no_std]

pub mod events;
mod service;
pub mod unit;

use board::{
    flash::Flash,
    fuses::Fuses,
    link::Link,
    options::{Image, Options},
    product::{self, STORE},
};
use harness::{console, entropy::FixedBytes};
use iotsec::{
    core::{
        crypto::{HkdfSha256, Sha256},
        error::ErrorCode,
        hal::{DeviceRootKey, Slot},
        secret::Secret,
    },
    device::{Booted, Hardware, Memory},
    store::{IndexEntry, ReplayProtection},
    update::boot::{self, Running},
};

use service::Service;
use unit::{KEYS, RECORD, ROOT};

/// An image: which build it is, and the slot that it is linked for.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// 1 or 2.
    pub number: u8,
    /// Where it runs.
    pub slot: Slot,
}

/// Runs for ever.
pub fn run(build: Build) -> ! {
    let options = Options::read(Image::Application);
    let mut flash = Flash::new(options.cut);
    let mut counter = Fuses::new(options.cut);
    let running = identify(&mut flash, build.slot);
    let key = Secret::from_bytes(ROOT);
    let Ok(root) = DeviceRootKey::new(&key, &HkdfSha256) else {
        console::fail("the root key was refused")
    };
    let hardware = Hardware {
        flash,
        rng: FixedBytes::new(seed(&options)),
        counter: &mut counter,
        root: &root,
        replay: ReplayProtection::None,
    };
    let (mut index, mut record) = ([IndexEntry::EMPTY; KEYS], [0; RECORD]);
    let memory = Memory {
        index: &mut index,
        record: &mut record,
    };
    match Booted::open(unit::product(STORE), hardware, memory) {
        Ok(booted) => {
            let mut link = Link::start();
            let unit = service::set_up(&mut link, build, running, booted);
            Service::new(build, running, unit).serve(&mut link)
        }
        Err(error) => {
            console::number("the device cannot be opened: ", error.code().into());
            console::fail("no device")
        }
    }
}

/// Another one for each start under one power.
fn seed(options: &Options) -> u64 {
    let starts = if options.is_warm { Flash::restarts() } else { 0 };
    options.seed.wrapping_add(u64::from(starts) << 32)
}

/// The manifest of this image, which the boot loader has verified.
#[inline(never)]
fn identify(flash: &mut Flash, slot: Slot) -> Running {
    let mut scratch = [0; 1024];
    let running =
        product::with_config(|config| boot::identify(flash, config, slot, &mut Sha256::new(), &mut scratch));
    match running {
        Ok(running) => running,
        Err(refusal) => {
            console::number("the running image is unknown: ", refusal.code().into());
            console::fail("no manifest")
        }
    }
}
