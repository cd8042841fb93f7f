//! What an installation costs, counted.

use std::cell::Cell;

use iotsec_core::{
    crypto::{DIGEST_LEN, Digest, Sha256},
    hal::Slot,
};
use iotsec_testkit::Geometry;
use iotsec_update::{
    install::{Finish, Updater},
    rollback::Rollback,
};

use crate::device::{Device, Maker, Release};

/// As much as a small device runs; 4096 bytes are a page, 1000 do not divide one.
const IMAGE: usize = 240 * 1024;
const CHUNKS: [usize; 3] = [300, 1000, 4096];

fn device() -> (Device, Release) {
    let geometry = Geometry::nrf52840;
    let pages = Device::pages(&geometry(1), 60, 2) as usize;
    let old = Maker::default().release(0x11, 200);
    let new = Maker::default().release(0x21, IMAGE);
    (Device::new(&geometry(pages), 60, 2).with_factory(&old), new)
}

#[test]
fn little_more_is_written_and_read_than_the_image_has_bytes() {
    for chunk in CHUNKS {
        let (mut device, new) = device();
        device.chunk = chunk;
        let running = device.started().unwrap().running();
        let before = device.flash.stats();
        let mut updater = device.updater(running).unwrap();
        device.stage_with(&mut updater, &new).unwrap();
        let stats = device.flash.stats() - before;
        let share = |bytes: u64| bytes as f64 / IMAGE as f64;
        let (written, read) = (share(stats.bytes_written), share(stats.bytes_read));
        println!("chunks of {chunk}: {written:.4} written, {read:.4} read for each byte");
        // Fewer bytes would be an image that is not there, or that was not read back.
        assert!((1.0..=1.02).contains(&written), "{chunk}: {written}");
        assert!((1.0..=1.02).contains(&read), "{chunk}: {read}");
    }
}

/// SHA-256 that counts what it is fed.
struct Counted<'c> {
    hash: Sha256,
    bytes: &'c Cell<usize>,
}

impl Digest for Counted<'_> {
    fn reset(&mut self) {
        self.hash.reset();
    }
    fn update(&mut self, bytes: &[u8]) {
        self.bytes.set(self.bytes.get() + bytes.len());
        self.hash.update(bytes);
    }
    fn finish(&mut self) -> [u8; DIGEST_LEN] {
        self.hash.finish()
    }
}

#[test]
fn an_image_is_hashed_once_from_start_to_install() {
    for chunk in CHUNKS {
        let (mut device, new) = device();
        let running = device.started().unwrap().running();
        let accepted = device.admit(&new.envelope).unwrap();
        let bytes = Cell::new(0);
        let digest = Counted {
            hash: Sha256::new(),
            bytes: &bytes,
        };
        let flash = &mut device.flash;
        let mut rollback = Rollback::new(&mut device.counter, device.policy);
        let mut updater = Updater::mount(flash, device.layout, running, &mut rollback, digest).unwrap();
        let mut session = updater.start(flash, accepted, &mut rollback).unwrap();
        while let Some(wanted) = session.wanted() {
            let rest = &new.image[wanted.offset as usize..];
            let offer = &rest[..rest.len().min(chunk)];
            updater.write(&mut session, flash, offer).unwrap();
        }
        let candidate = loop {
            if let Finish::Done(candidate) = updater.finish(&mut session, flash).unwrap() {
                break candidate;
            }
        };
        updater.install(flash, candidate).unwrap();
        // The envelope as it came, and as flash then holds it.
        assert_eq!(bytes.get(), IMAGE + 2 * new.envelope.len(), "chunks of {chunk}");
        assert_eq!(device.image(Slot::B, IMAGE), new.image);
    }
}
