//! A release travels as a patch of 3 %, also through a reset, and no device takes it that runs something else.
//!
//! ```text
//! cargo run --example update_delta
//! ```
//!
//! The patch was made by detools, `vectors/delta/generate.py` says how; `iotsec update delta` makes such ones too.

#[path = "lamp/device.rs"]
mod device;

use device::{Lamp, Result, policy, sign};
use iotsec::{
    core::{crypto::Sha256, hal::Slot},
    update::{
        Updater,
        install::InstallError,
        payload::{Checked, Delta, Encoding, PayloadError, Transport},
        rollback::Rollback,
    },
};
use iotsec_testkit::Geometry;

const PATCH: &[u8] = include_bytes!("../vectors/delta/firmware.heatshrink");
const PACKET: usize = 64;

/// What `generate.py` made the patch of.
fn firmware(release: u8) -> Vec<u8> {
    let inserted = if release == 2 { 400 } else { 0 };
    let (mut image, mut state) = (Vec::new(), 1_u32);
    for at in 0..15_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let address = 0x0800_0000 + (state >> 16) * 4 + inserted;
        let word = if at % 16 == 9 { address } else { state >> 8 };
        image.extend(word.to_le_bytes());
        if at == 5000 {
            image.extend((0..inserted / 4).flat_map(|extra| extra.wrapping_mul(2_654_435_761).to_le_bytes()));
        }
    }
    image[256..265].copy_from_slice(&[b"release ", &[b'0' + release][..]].concat());
    image
}

/// A release that travels as it is.
fn whole(number: u64, image: &[u8]) -> Result<Vec<u8>> {
    let transport = Transport::plain(image.len().try_into()?);
    sign(number, &[(image, transport)])
}

/// One that travels as a patch, for those who run `base`.
fn patch(number: u64, image: &[u8], base: &[u8]) -> Result<Vec<u8>> {
    let (base_digest, digest) = (Sha256::of(&[base]), Sha256::of(&[PATCH]));
    let mut transport = Transport::plain(PATCH.len().try_into()?);
    transport.digest = Some(&digest);
    transport.encoding = Encoding::Delta {
        base: &base_digest,
        base_size: base.len().try_into()?,
    };
    sign(number, &[(image, transport)])
}

/// One life of the application, of so many packets: true when the update is staged. Adds to `sent`.
fn download(lamp: &mut Lamp<1>, envelope: &[u8], packets: usize, sent: &mut usize) -> Result<bool> {
    let running = lamp.boot()?.running();
    let (flash, layout) = (&mut lamp.flash, lamp.config.layout);
    let mut rollback = Rollback::new(&mut lamp.counter, policy()?);
    let mut updater = Updater::mount(flash, layout, running, &mut rollback, Sha256::new())?;
    let accepted = Lamp::admit(&lamp.config, envelope, updater.installed())?;
    let decoder = Delta::<256>::new(); // the window of the compressed stream, and nearly all the memory it takes
    let check = Checked::new(&mut [], Sha256::new()); // a digest over the patch, no chunks to be kept
    let mut session = updater.start_with(flash, accepted, &mut rollback, decoder, check)?;
    let (made, at) = (session.progress().0, session.wanted().map_or(0, |w| w.offset));
    println!("  wants byte {at} of the patch; {made} bytes of the image are in place");
    let mut left = packets;
    while let Some(wanted) = session.wanted() {
        let rest = &PATCH[usize::try_from(wanted.offset)?..];
        // None is taken while the lamp hashes what it runs, which has to be the base of the patch.
        let taken = updater.write(&mut session, flash, &rest[..rest.len().min(PACKET)])?;
        *sent += taken;
        left -= usize::from(taken > 0);
        if left == 0 {
            println!("  reset, {} bytes of the image are made", session.progress().0);
            return Ok(false);
        }
    }
    Lamp::stage(&mut updater, session, flash)?;
    Ok(true)
}

fn main() -> Result {
    let (old, new) = (firmware(1), firmware(2));
    println!("patch of {} bytes, image of {}", PATCH.len(), new.len());
    let (first, second) = (whole(1, &old)?, patch(2, &new, &old)?);
    let geometry = Geometry::nrf52840(40);

    println!("a lamp that runs something else, by one bit");
    let mut other = old.clone();
    other[30_000] ^= 1;
    let mut lamp = Lamp::new(&geometry, 15, &whole(1, &other)?, [&other])?;
    let (mut sent, reason) = (0, InstallError::Payload(PayloadError::BaseDigest));
    let refused = download(&mut lamp, &second, usize::MAX, &mut sent).unwrap_err();
    println!("  refused: {refused}");
    assert_eq!(refused.downcast_ref(), Some(&reason));
    let slot = lamp.config.layout.slot(Slot::B).images[0];
    let image = &lamp.flash.image()[slot.start().try_into()?..][..slot.len().try_into()?];
    assert!(sent == 0 && image.iter().all(|byte| *byte == 0xFF));

    println!("a lamp that runs release 1");
    let mut lamp = Lamp::new(&geometry, 15, &first, [&old])?;
    assert!(!download(&mut lamp, &second, 21, &mut sent)?);
    println!("it starts again, and goes on from what the decoder saved");
    assert!(download(&mut lamp, &second, usize::MAX, &mut sent)?);
    println!("  {sent} bytes were sent in all");
    assert!(sent < PATCH.len() + PATCH.len() / 8);
    let image = lamp.accept()?;
    assert_eq!(*image.digest(), Sha256::of(&[&new]));
    println!("release 2 runs, with the digest that the maker signed");
    Ok(())
}
