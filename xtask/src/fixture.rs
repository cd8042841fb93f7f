//! `firmware/harness/data/app_v1.suit`: the envelope of the image that a device leaves the factory with, signed
//! with the key of `vectors/suit/oracle`.

use std::{fs, path::Path};

use iotsec::{
    core::{
        crypto::{Ed25519SigningKey, Sha256},
        secret::Secret,
    },
    update::{
        ComponentId, SequenceNumber,
        builder::{EnvelopeBuilder, ManifestComponent, Payload, Signer},
    },
};

use crate::tool::Failure;

/// Where it goes.
pub(crate) const FILE: &str = "firmware/harness/data/app_v1.suit";
const IMAGE: &str = "vectors/suit/payloads/app_v1.bin";
/// The README of the vectors says how their keys are made; they protect nothing.
const SEED: &[u8] = b"iotsec test vector key ed25519_a";
/// UUID version 5 of iotsec.example, and of sensor-rev-b in its name space.
const VENDOR: u128 = 0x0e01_1a35_e598_5569_8198_ae31_7f6d_a178;
const CLASS: u128 = 0x35c5_00e3_28a3_5fc1_bd5d_0e07_9ab2_966f;
/// One below the oracle's envelopes.
const SEQUENCE: SequenceNumber = SequenceNumber(9);

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    if !args.is_empty() {
        return Err("takes no argument".into());
    }
    Ok(fs::write(root.join(FILE), envelope(root)?)?)
}

fn envelope(root: &Path) -> Result<Vec<u8>, Failure> {
    let image = fs::read(root.join(IMAGE))?;
    let component = ManifestComponent {
        id: ComponentId::from_encoded(&[0x81, 0x41, 0x00])?,
        digest: Sha256::of(&[&image]),
        size: u32::try_from(image.len())?,
        payload: Payload::Present,
        transport: None,
        invoke: true,
    };
    let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(Sha256::of(&[SEED])));
    let (mut scratch, mut out) = ([0; 1024], [0; 1024]);
    let (vendor, class) = (VENDOR.to_be_bytes(), CLASS.to_be_bytes());
    let envelope = EnvelopeBuilder::new(vendor, class, SEQUENCE, &[component]).write(
        &[Signer { key: &key, kid: None }],
        &mut Sha256::new(),
        &mut scratch,
        &mut out,
    )?;
    Ok(envelope.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool;

    #[test]
    fn the_committed_envelope_is_what_the_encoder_writes() {
        let committed = fs::read(tool::root().join(FILE)).unwrap();
        assert!(
            committed == envelope(&tool::root()).unwrap(),
            "{FILE} is out of date: cargo xtask fixture"
        );
    }
}
