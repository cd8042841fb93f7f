//! A component whose content is copied from another one, in a manifest written by hand.

use iotsec_core::{
    cbor::{CborError, Writer},
    crypto::{Sha256, Sign},
    hal::Slot,
};
use iotsec_update::install::InstallError;

use crate::kit::{CLASS, Device, From, Release, Stop, VENDOR, image, maker, release};

fn written(
    write: impl for<'w, 'b> FnOnce(&'w mut Writer<'b>) -> Result<&'w mut Writer<'b>, CborError>,
) -> Vec<u8> {
    let mut out = [0; 2048];
    let mut writer = Writer::new(&mut out);
    write(&mut writer).unwrap();
    writer.finish().unwrap().to_vec()
}

fn digest(bytes: &[u8]) -> Vec<u8> {
    written(|w| w.array(2)?.int(-16)?.bytes(&Sha256::of(&[bytes])))
}

const URI: &str = "https://fw.example/both";

/// Component 1 is fetched from `uri`, component 0 copied from it; both have to be `image`. A URI that begins with `#`
/// is that of a payload in the envelope.
fn copying(sequence: u64, image: &[u8], uri: &str) -> Release<2> {
    let size = u64::try_from(image.len()).unwrap();
    let shared = written(|w| {
        w.array(8)?.uint(12)?.bool(true)?.uint(20)?.map(4)?;
        w.uint(1)?.bytes(&VENDOR)?.uint(2)?.bytes(&CLASS)?;
        w.uint(3)?.bytes(&digest(image))?.uint(14)?.uint(size)?;
        w.uint(1)?.uint(15)?.uint(2)?.uint(15)
    });
    let common = written(|w| {
        w.map(2)?.uint(2)?.array(2)?;
        w.array(1)?.bytes(&[0])?.array(1)?.bytes(&[1])?;
        w.uint(4)?.bytes(&shared)
    });
    let install = written(|w| {
        w.array(16)?
            .uint(12)?
            .uint(1)?
            .uint(20)?
            .map(1)?
            .uint(21)?
            .text(uri)?;
        w.uint(21)?.uint(2)?.uint(3)?.uint(15)?;
        w.uint(12)?.uint(0)?.uint(20)?.map(1)?.uint(22)?.uint(1)?;
        w.uint(22)?.uint(2)?.uint(3)?.uint(15)
    });
    let manifest = written(|w| {
        w.map(6)?.uint(1)?.uint(1)?.uint(2)?.uint(sequence)?;
        w.uint(3)?.bytes(&common)?;
        w.uint(7)?.bytes(&[0x84, 12, 0xF5, 3, 15])?;
        w.uint(9)?.bytes(&[0x84, 12, 0, 23, 2])?;
        w.uint(20)?.bytes(&install)
    });
    let manifest = written(|w| w.bytes(&manifest));
    let signed = digest(&manifest);
    let protected = [0xA1, 1, 0x32];
    let to_be_signed = written(|w| {
        w.array(4)?
            .text("Signature1")?
            .bytes(&protected)?
            .bytes(&[])?
            .bytes(&signed)
    });
    let mut signature = [0; 64];
    maker().sign(&to_be_signed, &mut signature).unwrap();
    let block = written(|w| {
        w.tag(18)?
            .array(4)?
            .bytes(&protected)?
            .map(0)?
            .null()?
            .bytes(&signature)
    });
    let wrapper = written(|w| w.array(2)?.bytes(&signed)?.bytes(&block));
    let carried = uri.starts_with('#');
    let envelope = written(|w| {
        w.tag(107)?
            .map(2 + u64::from(carried))?
            .uint(2)?
            .bytes(&wrapper)?
            .uint(3)?
            .raw(&manifest)?;
        if carried {
            w.text(uri)?.bytes(image)?;
        }
        Ok(w)
    });
    Release {
        sequence,
        envelope,
        images: [image.to_vec(), image.to_vec()],
        payloads: [(uri.to_owned(), image.to_vec())].into(),
    }
}

#[test]
fn what_was_sent_once_is_copied_to_where_it_is_needed_too() {
    let old = release(0x10, [image(1, 500), image(2, 300)], &[From::Plain, From::Plain]);
    let new = copying(0x20, &image(3, 700), URI);
    let mut device = Device::new(256, 8, [3, 3], &old);
    assert_eq!(device.stage(&new), Ok(700));
    device.try_and_accept().unwrap();
    assert_eq!(device.is_whole(&[&new]), 0x20);

    // A source that decays before it is copied makes no good copy.
    let mut device = Device::new(256, 8, [3, 3], &old);
    let running = device.started().unwrap().running();
    let mut updater = device.updater(running).unwrap();
    let (decoder, check) = (
        iotsec_update::payload::Plain::default(),
        iotsec_update::payload::Unchecked,
    );
    let mut session = device.start(&mut updater, &new.envelope, decoder, check).unwrap();
    device.send(&mut updater, &mut session, &new.payloads).unwrap();
    let at = device.layout.slot(Slot::B).images[1].start() + 600;
    let byte = device.flash.image()[at as usize];
    device.flash.tamper(at, &[byte ^ 1]);
    assert_eq!(
        device.stage(&new),
        Err(Stop::Install(InstallError::PayloadDigest))
    );
    assert_eq!(device.is_whole(&[&old, &new]), 0x10);
}

#[test]
fn what_the_envelope_carries_is_copied_after_it_is_in_place() {
    let old = release(0x10, [image(1, 500), image(2, 300)], &[From::Plain, From::Plain]);
    let new = copying(0x20, &image(3, 300), "#both");
    let mut device = Device::new(256, 8, [3, 3], &old);
    assert_eq!(device.stage(&new), Ok(0));
    device.try_and_accept().unwrap();
    assert_eq!(device.is_whole(&[&new]), 0x20);
}
