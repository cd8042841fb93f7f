//! Envelopes of images that firmware runs with, signed with the key of `vectors/suit/oracle`: the one that a device
//! leaves the factory with, and a patch by detools with its base. Of an image that is in its slot already also what
//! the factory writes in front of it. One of the images also as a boot loader finds it that starts MCUboot's.

use std::{fs, path::Path};

use iotsec::{
    core::{
        crypto::{Ed25519SigningKey, Sha256},
        hal::{BootControl, Region, Slot, Trial},
        secret::Secret,
    },
    update::{
        ComponentId, SequenceNumber,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        mcuboot::{Mode, Trailer, TrailerControl},
        payload::{Encoding, Transport},
        slot::SlotLayout,
    },
};
use iotsec_testkit::{Geometry, ImageMaker, SimFlash};

use crate::tool::Failure;

/// An envelope that is committed.
struct Fixture {
    /// Where it goes.
    file: &'static str,
    /// Where the manifest region of the slot goes that holds the image.
    slot: Option<&'static str>,
    image: &'static str,
    sequence: u64,
    /// The image that a patch applies to, and the patch.
    delta: Option<(&'static str, &'static str)>,
}

/// The envelope that a device leaves the factory with.
pub(crate) const FACTORY: &str = "firmware/harness/data/app_v1.suit";

const FIXTURES: [Fixture; 3] = [
    Fixture {
        file: FACTORY,
        slot: Some("firmware/harness/data/app_v1.slot"),
        image: "vectors/suit/payloads/app_v1.bin",
        // One below the oracle's envelopes.
        sequence: 9,
        delta: None,
    },
    Fixture {
        file: "firmware/harness/data/delta_base.suit",
        slot: Some("firmware/harness/data/delta_base.slot"),
        image: "vectors/delta/base",
        sequence: 9,
        delta: None,
    },
    Fixture {
        file: "firmware/harness/data/delta.suit",
        slot: None,
        image: "vectors/delta/insertion.to",
        sequence: 10,
        delta: Some(("vectors/delta/base", "vectors/delta/insertion.heatshrink")),
    },
];

/// The README of the vectors says how their keys are made; they protect nothing.
pub(crate) const SEED: &[u8] = b"iotsec test vector key ed25519_a";
/// UUID version 5 of iotsec.example, and of sensor-rev-b in its name space.
pub(crate) const VENDOR: u128 = 0x0e01_1a35_e598_5569_8198_ae31_7f6d_a178;
pub(crate) const CLASS: u128 = 0x35c5_00e3_28a3_5fc1_bd5d_0e07_9ab2_966f;
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes no argument".into());
    }
    for (file, content) in files(root)? {
        fs::write(root.join(file), content)?;
    }
    Ok(())
}

/// All that is committed.
fn files(root: &Path) -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    for fixture in &FIXTURES {
        files.extend(fixture.files(root)?);
    }
    files.extend(mcuboot(root)?);
    Ok(files)
}

/// An image as imgtool would sign it, and the last bytes of its slot, where it is confirmed.
fn mcuboot(root: &Path) -> Result<[(&'static str, Vec<u8>); 2], Failure> {
    let image = ImageMaker::new((1, 0, 0))
        .security_counter(1)
        .vendor(VENDOR.to_be_bytes())
        .class(CLASS.to_be_bytes())
        .sign(&key(), &fs::read(root.join("vectors/suit/payloads/app_v1.bin"))?)?;
    let slot = |start| Trailer::new(Region::new(start, PAGE, 8, 4)?, 8).map_err(Failure::from);
    let mut flash = SimFlash::new(Geometry::new(&[PAGE; 16], 4));
    let running = Mode::DirectXip { running: Slot::B };
    TrailerControl::new(&mut flash, slot(0)?, slot(8 * PAGE)?, running).select(Slot::A, Trial::Permanent)?;
    let slot = flash
        .image()
        .get(..usize::try_from(8 * PAGE)?)
        .unwrap_or_default();
    let first = slot.iter().position(|byte| *byte != 0xFF).unwrap_or(0);
    let trailer = slot.get(first..).unwrap_or_default();
    Ok([
        ("firmware/harness/data/app_v1.mcuboot", image),
        ("firmware/harness/data/confirmed.trailer", trailer.to_vec()),
    ])
}

fn key() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes(Sha256::of(&[SEED])))
}

/// The pages of the simulated flash in `firmware/`.
const PAGE: u32 = 1024;

impl Fixture {
    /// What is committed, by its name.
    fn files(&self, root: &Path) -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
        let envelope = self.envelope(root)?;
        let mut files = Vec::new();
        if let Some(slot) = self.slot {
            files.push((slot, self.region(root, &envelope)?));
        }
        files.push((self.file, envelope));
        Ok(files)
    }

    /// The manifest region of a slot with the image, up to the last byte that is not erased.
    fn region(&self, root: &Path, envelope: &[u8]) -> Result<Vec<u8>, Failure> {
        let image = fs::read(root.join(self.image))?;
        let slot = SlotLayout {
            manifest: Region::new(0, PAGE, 1, 4)?,
            images: [Region::new(PAGE, PAGE, 8, 4)?],
        };
        let mut flash = SimFlash::new(Geometry::new(&[PAGE; 9], 4));
        slot.provision(&mut flash, envelope, [&image])?;
        let page = flash.image().get(..usize::try_from(PAGE)?).unwrap_or_default();
        let last = page.iter().rposition(|byte| *byte != 0xFF).unwrap_or(0);
        Ok(page.get(..=last).unwrap_or_default().to_vec())
    }

    fn envelope(&self, root: &Path) -> Result<Vec<u8>, Failure> {
        let image = fs::read(root.join(self.image))?;
        let read = |path: &str| fs::read(root.join(path));
        let (base, patch) = match self.delta {
            Some((base, patch)) => (read(base)?, read(patch)?),
            None => (Vec::new(), Vec::new()),
        };
        let base_digest = Sha256::of(&[&base]);
        let encoding = Encoding::Delta {
            base: &base_digest,
            base_size: u32::try_from(base.len())?,
        };
        let transport = Transport {
            encoding,
            ..Transport::plain(u32::try_from(patch.len())?)
        };
        let component = ManifestComponent {
            id: ComponentId::from_encoded(&[0x81, 0x41, 0x00])?,
            digest: Sha256::of(&[&image]),
            size: u32::try_from(image.len())?,
            payload: self
                .delta
                .map_or(Payload::Present, |_| Payload::Uri("https://iotsec.example/patch")),
            transport: self.delta.map(|_| transport),
            invoke: true,
        };
        let key = key();
        let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
        let (vendor, class) = (VENDOR.to_be_bytes(), CLASS.to_be_bytes());
        let sequence = SequenceNumber(self.sequence);
        let envelope = EnvelopeBuilder::new(vendor, class, sequence, &[component]).write(
            &[Signer { key: &key, kid: None }],
            &mut Sha256::new(),
            &mut scratch,
            &mut out,
        )?;
        Ok(envelope.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool;

    #[test]
    fn the_committed_envelopes_images_and_slots_are_what_the_sdk_writes() {
        for (file, content) in files(&tool::root()).unwrap() {
            let committed = fs::read(tool::root().join(file)).unwrap();
            assert!(committed == content, "{file} is out of date: cargo xtask fixture");
        }
    }
}
