//! A lamp reports nothing before its owner agrees, and what it reported is deleted when the owner no longer does.
//!
//! ```text
//! cargo run --example consent_and_delete
//! ```
//!
//! The service is played here as well. What passes between the two is bytes, counted as they pass.

#[path = "lamp/service.rs"]
mod service;
#[allow(dead_code, reason = "other examples use more of it")]
#[path = "lamp/unit.rs"]
mod unit;

use std::collections::BTreeMap;

use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure},
        crypto::{Ed25519SigningKey, KeyAgreement as _, X25519Key},
        hal::{Millis, UnixTime},
        secret::Secret,
    },
    device::Booted,
    telemetry::{
        batch::{ServiceKey, SizeClass, Sizes},
        consent::Usage,
        pseudonym::Epoch,
        registry::Purpose,
    },
};
use iotsec_testkit::SimRng;
use service::{KEY_ID, SUITE, Service, ask};
use unit::{LIT, Result, open};

const NOW: Millis = Millis::from_secs(60);
const WEEK: Epoch = Epoch(2959);

fn main() -> Result {
    let label = DevicePassword::generate(Exposure::Online, &mut SimRng::new(2))?;
    let (mut flash, _) = unit::enrol(&label)?;
    let (label, seed) = (label.label(), Secret::from_bytes([7; 32]));
    let code = Attempt::from_label(label.as_str())?;
    let mut service = Service {
        key: X25519Key::from_scalar(&Secret::from_bytes([8; 32])),
        signer: Ed25519SigningKey::from_seed(&seed),
        filed: BTreeMap::new(),
    };
    let (sizes, mut scratch, mut out) = (Sizes::up_to(SizeClass::B256), [0; 256], [0; 256]);

    open(&mut flash, |found| {
        let Booted::Provisioned(device) = found else {
            return Err("has an owner".into());
        };
        let mut device = device.claim(&code, NOW).map_err(|(_, error)| error)?;
        let owner = device.login(&code, NOW)?;
        println!("nobody was asked:");
        println!(
            "  an event about use: {}",
            device.record(&LIT, &[5.into()], NOW).expect_err("refused")
        );
        println!(
            "  a name to file it under: {}",
            device.pseudonym(Purpose::Usage, WEEK).expect_err("refused")
        );
        println!(
            "  a batch to send: {:?}",
            device
                .batch(sizes, &mut scratch, &mut out)?
                .map(|batch| batch.events())
        );

        println!("the owner agrees to version 3 of the text:");
        device.grant::<Usage>(&owner, 3, Some(UnixTime(1_789_000_000)))?;
        let stream = device.stream(Purpose::Usage, WEEK)?;
        let pseudonym = stream.pseudonym();
        for hours in [5, 7, 6] {
            device.record(&LIT, &[hours.into()], NOW)?;
        }
        let public = service.key.public_key().to_vec();
        let key = ServiceKey::new(SUITE, &public, KEY_ID);
        let batch = device.batch_for(&stream, &key, sizes, &mut scratch, &mut out)?;
        let batch = batch.expect("events wait");
        println!(
            "  sends a batch of {} events: {} bytes",
            batch.events(),
            batch.bytes().len()
        );
        service.file(pseudonym, batch.bytes())?;
        let receipt = batch.into_receipt();
        device.acknowledge(receipt)?;

        println!("the owner changes their mind, while an event waits:");
        device.record(&LIT, &[9.into()], NOW)?;
        device.withdraw::<Usage>(Some(UnixTime(1_790_000_000)))?;
        println!(
            "  a batch to send: {:?}",
            device
                .batch(sizes, &mut scratch, &mut out)?
                .map(|batch| batch.events())
        );
        ask(&mut device, &mut service)?;

        println!("the owner agrees again, and then sells the lamp:");
        device.grant::<Usage>(&owner, 3, None)?;
        assert_ne!(
            device.pseudonym(Purpose::Usage, WEEK)?,
            pseudonym,
            "nothing ties the two together"
        );
        device.reset(owner).map_err(|(_, error)| error)?;
        Ok(())
    })?;
    open(&mut flash, |found| {
        let Booted::Provisioned(mut device) = found else {
            return Err("still has an owner".into());
        };
        ask(&mut device, &mut service)
    })?;
    assert!(service.filed.is_empty());
    Ok(())
}
