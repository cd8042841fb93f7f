//! A lamp with two processors takes a release over a bad link: a packet is damaged, the link breaks, and the lamp
//! is reset in the middle.
//!
//! ```text
//! cargo run --example update_install
//! ```
//!
//! Flash and counter are simulated; the rest is what a product runs.

#[path = "lamp/device.rs"]
mod device;

use device::{Lamp, Result, policy, sign};
use iotsec::{
    core::crypto::Sha256,
    update::{
        Updater,
        install::{Clean, InstallError, State},
        payload::{Checked, Chunks, PayloadError, Plain, Transport},
        rollback::Rollback,
    },
};
use iotsec_testkit::Geometry;

const CHUNK: usize = 1024;
const PACKET: usize = 240; // what the radio carries at once

fn release(number: u64, images: &[Vec<u8>; 2]) -> Result<Vec<u8>> {
    // A digest for each chunk: a bad one is noticed when it has come, not at the end of the image.
    let digests = images.each_ref().map(|image| -> Vec<_> {
        let chunks = image.chunks(CHUNK);
        chunks.map(|chunk| Sha256::of(&[chunk])).collect()
    });
    let mut parts = Vec::new();
    for (image, digests) in images.iter().zip(&digests) {
        let mut transport = Transport::plain(image.len().try_into()?);
        transport.chunks = Some(Chunks::new(CHUNK.try_into()?, digests)?);
        parts.push((&image[..], transport));
    }
    sign(number, &parts)
}

/// What went over the air, in all lives together.
#[derive(Default)]
struct Link {
    packets: usize,
    bytes: usize,
}

/// One life of the application: true when the update is staged, false when the lamp was reset.
fn download(lamp: &mut Lamp<2>, envelope: &[u8], images: &[Vec<u8>; 2], link: &mut Link) -> Result<bool> {
    let running = lamp.boot()?.running();
    let (flash, layout) = (&mut lamp.flash, lamp.config.layout);
    let mut rollback = Rollback::new(&mut lamp.counter, policy()?);
    let mut updater = Updater::mount(flash, layout, running, &mut rollback, Sha256::new())?;
    while updater.state() == State::Updated && updater.clean(flash)? == Clean::More {}
    let accepted = Lamp::admit(&lamp.config, envelope, updater.installed())?;
    let mut buffer = [0; CHUNK];
    let check = Checked::new(&mut buffer, Sha256::new());
    let mut session = updater.start_with(flash, accepted, &mut rollback, Plain::default(), check)?;
    let (there, all) = session.progress();
    println!("  {there} of {all} bytes are in place");

    while let Some(wanted) = session.wanted() {
        let rest = &images[wanted.place][usize::try_from(wanted.offset)?..];
        let mut packet = rest[..rest.len().min(PACKET)].to_vec();
        let (at, uri) = (wanted.offset, wanted.uri);
        link.packets += 1;
        match link.packets {
            30 => packet[0] ^= 0x10,
            60 => {
                // The session waits: it is the application that talks to the server.
                println!("  link lost and found again, at byte {at} of {uri}");
                continue;
            }
            140 => {
                println!("  reset, at byte {at} of {uri}");
                return Ok(false);
            }
            _ => {}
        }
        match updater.write(&mut session, flash, &packet) {
            Ok(taken) => link.bytes += taken,
            Err(InstallError::Payload(error @ PayloadError::ChunkDigest(_))) => {
                println!("  {error}: it is wanted again");
                link.bytes += packet.len();
            }
            Err(error) => return Err(error.into()),
        }
    }
    Lamp::stage(&mut updater, session, flash)?;
    Ok(true)
}

fn main() -> Result {
    let image = |number: u32, words: u32| (0..words).flat_map(|at| (at * number).to_le_bytes()).collect();
    let old = [image(1, 10_000), image(2, 5_000)];
    let new = [image(3, 10_500), image(4, 5_250)];
    let (first, second) = (release(1, &old)?, release(2, &new)?);
    let mut lamp = Lamp::new(&Geometry::nrf52840(64), 12, &first, [&old[0], &old[1]])?;

    let mut link = Link::default();
    println!("release 2 is announced");
    assert!(!download(&mut lamp, &second, &new, &mut link)?);
    println!("the lamp starts again");
    assert!(download(&mut lamp, &second, &new, &mut link)?);
    let size = new[0].len() + new[1].len();
    println!("  {} bytes were sent for {size} bytes of firmware", link.bytes);
    assert!(link.bytes < size + 3 * 4096 + 2 * CHUNK);

    let image = lamp.accept()?;
    let (number, floor) = (image.manifest().sequence.0, lamp.counter.value());
    println!("release {number} is tried and kept; the security counter is at {floor}");
    assert_eq!((number, floor), (2, 2));

    let refused = download(&mut lamp, &first, &old, &mut link).unwrap_err();
    println!("release 1 is announced once more: {refused}");
    Ok(())
}
