//! A maker signs images as MCUboot's `imgtool` does, and a small boot loader starts them where they lie.
//!
//! ```text
//! cargo run --example mcuboot_boot
//! ```
//!
//! The new image is received into the other slot, checked, and started on trial. The first one crashes before it
//! confirms itself, and the one before runs again; the second one stays. Then an older one is offered, in vain.

use iotsec::{
    core::{
        crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign, Verify},
        hal::{BootControl, MonotonicCounter, Region, Slot, Trial},
        secret::Secret,
    },
    update::mcuboot::{
        Device, FlashBytes, Hashes, Image, Loader, Mode, Reason, Refusal, Request, Selection, Startable,
        Trailer, TrailerControl, select,
    },
};
use iotsec_testkit::{Geometry, ImageMaker, SimCounter, SimFlash};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn hashes(sha256: &mut Sha256) -> Hashes<'_> {
    Hashes { sha256, sha512: None }
}

/// The device: flash, counter, and what its boot loader has in it.
struct Lamp<'a> {
    flash: SimFlash,
    counter: SimCounter,
    loader: Loader<'a>,
}

impl Lamp<'_> {
    /// The boot loader, up to the jump.
    fn boot(&mut self) -> Result<Startable> {
        let mut sha256 = Sha256::new();
        let (counter, hashes) = (&mut self.counter, &mut hashes(&mut sha256));
        match select(&mut self.flash, &self.loader, counter, hashes)? {
            Selection::Boot(image) if image.is_proven() => {
                let (version, entry) = (image.version().major, image.entry());
                println!("version {version} starts at {entry:#x}: {:?}", image.reason());
                Ok(image)
            }
            Selection::Boot(_) => Err("a fault: reset".into()),
            Selection::Recovery { a, b } => Err(format!("recovery: {a}; {b}").into()),
        }
    }

    /// The application receives an image into the other slot, checks it, and asks for a trial.
    fn receive(&mut self, running: Slot, bytes: &[u8]) -> Result {
        let trailer = match running {
            Slot::A => self.loader.b,
            Slot::B => self.loader.a,
        };
        let region = *trailer.region();
        let mut pages = (0..region.page_count()).rev();
        pages.try_for_each(|page| region.erase_page(&mut self.flash, page))?;
        region.write(&mut self.flash, 0, bytes)?;
        let device = Device {
            security_counter: Some(u32::try_from(self.counter.read()?)?),
            ..Device::default()
        };
        let mut slot = FlashBytes::new(&mut self.flash, region);
        let image = Image::read(&mut slot)?
            .verify(&mut slot, self.loader.keys, &mut hashes(&mut Sha256::new()))?
            .admit(&device)?;
        Ok(trailer.request(&mut self.flash, &image, Request::Test)?)
    }

    /// The application finds itself well.
    fn confirm(&mut self, running: Slot) -> Result {
        let (a, b) = (self.loader.a, self.loader.b);
        let mut control = TrailerControl::new(&mut self.flash, a, b, Mode::DirectXip { running });
        Ok(control.select(running, Trial::Permanent)?)
    }
}

fn main() -> Result {
    let maker = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
    let public = Ed25519PublicKey::from_bytes(maker.public_key())?;
    let release = |version: u8, counter: u32| {
        let image = ImageMaker::new((version, 0, 0)).header(512);
        image.security_counter(counter).sign(&maker, &[version; 3000])
    };
    let slot = |start| -> Result<_> { Ok(Trailer::new(Region::new(start, 4096, 4, 4)?, 8)?) };
    let keys: [&dyn Verify; 1] = [&public];
    let loader = Loader::new(slot(0)?, slot(0x4000)?, &keys);
    let mut lamp = Lamp {
        flash: SimFlash::new(Geometry::nrf52840(8)),
        counter: SimCounter::new(),
        loader,
    };

    println!("the factory puts version 1 into slot A");
    lamp.receive(Slot::B, &release(1, 1)?)?;
    lamp.confirm(Slot::A)?;
    assert_eq!(lamp.boot()?.slot(), Slot::A);

    println!("version 2 is received, and crashes");
    lamp.receive(Slot::A, &release(2, 2)?)?;
    assert_eq!(lamp.boot()?.reason(), Reason::Trial);
    assert_eq!(lamp.boot()?.reason(), Reason::Fallback(Refusal::NotConfirmed));

    println!("version 3 is received, and confirms itself");
    lamp.receive(Slot::A, &release(3, 2)?)?;
    let running = lamp.boot()?.slot();
    lamp.confirm(running)?;
    assert_eq!(lamp.boot()?.reason(), Reason::Active);
    println!("the security counter is {}", lamp.counter.read()?);

    // Its version is higher, but it is signed with the counter of before.
    let refused = lamp.receive(running, &release(9, 1)?).unwrap_err();
    println!("version 9 of before is received: {refused}");
    assert_eq!(lamp.boot()?.slot(), running);
    Ok(())
}
