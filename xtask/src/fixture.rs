//! Envelopes of images that firmware runs with, signed with the key of `vectors/suit/oracle`: the one that a device
//! leaves the factory with, and a patch by detools with its base.

use std::{fs, path::Path};

use iotsec::{
    core::{
        crypto::{Ed25519SigningKey, Sha256},
        secret::Secret,
    },
    update::{
        ComponentId, SequenceNumber,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
        payload::{Encoding, Transport},
    },
};

use crate::tool::Failure;

/// An envelope that is committed.
struct Fixture {
    /// Where it goes.
    file: &'static str,
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
        image: "vectors/suit/payloads/app_v1.bin",
        // One below the oracle's envelopes.
        sequence: 9,
        delta: None,
    },
    Fixture {
        file: "firmware/harness/data/delta_base.suit",
        image: "vectors/delta/base",
        sequence: 9,
        delta: None,
    },
    Fixture {
        file: "firmware/harness/data/delta.suit",
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
    for fixture in &FIXTURES {
        fs::write(root.join(fixture.file), fixture.envelope(root)?)?;
    }
    Ok(())
}

impl Fixture {
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
        let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(Sha256::of(&[SEED])));
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
    fn the_committed_envelopes_are_what_the_encoder_writes() {
        for fixture in &FIXTURES {
            let committed = fs::read(tool::root().join(fixture.file)).unwrap();
            assert!(
                committed == fixture.envelope(&tool::root()).unwrap(),
                "{} is out of date: cargo xtask fixture",
                fixture.file
            );
        }
    }
}
