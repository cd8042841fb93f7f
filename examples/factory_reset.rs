//! The owner sells a lamp: everything personal goes, raw flash shows no trace of it, and a receipt says so.
//!
//! ```text
//! cargo run --example factory_reset
//! ```
//!
//! The power goes in the middle of the reset; the next boot finishes it and still knows what was erased.

#[allow(dead_code, reason = "other examples use more of it")]
#[path = "lamp/unit.rs"]
mod unit;

use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure},
        crypto::{CryptoError, Ed25519SigningKey, Sha256},
        hal::{Millis, UnixTime},
        secret::Secret,
    },
    device::{Booted, Moment, Signing},
    erase::{Erased, Inventory, Place},
    store::{KeyDomain, KeyId, Scrub},
};
use iotsec_testkit::{SimFlash, SimRng};
use unit::{Result, open, runs};

/// All places where this product keeps personal data. A value of the owner anywhere else is refused.
const INVENTORY: Inventory = Inventory::new(&[
    Place::new(1, "password of the network", "to be online"),
    Place::new(2, "times at which the light goes on", "the owner's schedule"),
])
.unwrap();
const NETWORK: KeyId = KeyId::new(KeyDomain::User, 1, 1);
const SCHEDULE: KeyId = KeyId::new(KeyDomain::User, 2, 1);
const NOW: Millis = Millis::from_secs(60);

fn move_in(flash: &mut SimFlash, code: &Attempt<'_>) -> Result {
    open(flash, |unit| {
        let Booted::Provisioned(device) = unit else {
            return Err("has an owner".into());
        };
        let device = device.claim(code, NOW).map_err(|(_, error)| error)?;
        let mut device = device.with_inventory(INVENTORY);
        device.put(NETWORK, b"correct horse battery")?;
        device.put(SCHEDULE, b"on at six, off at ten")?;
        let stray = device.put(KeyId::new(KeyDomain::User, 3, 1), b"who knows what");
        println!(
            "a value where nobody registered one: {}",
            stray.expect_err("refused")
        );
        println!("the lamp holds of its owner:");
        for held in device.personal_data().filter(|held| held.values > 0) {
            println!("  {} ({})", held.place.holds(), held.place.purpose());
        }
        Ok(())
    })
}

fn reset(flash: &mut SimFlash, code: &Attempt<'_>) -> Result {
    open(flash, |unit| {
        let Booted::Owned(mut device) = unit else {
            return Err("has no owner".into());
        };
        let owner = device.login(code, NOW)?;
        device.hardware_mut().flash.cut_after(24); // the plug is pulled
        let (uptime, time) = (Some(NOW), Some(UnixTime(1_790_000_000)));
        let when = Moment { uptime, time };
        device.reset_at(owner, when).map_err(|(_, error)| error)?;
        Ok(())
    })
}

fn finish(flash: &mut SimFlash, nonce: &[u8]) -> Result<Vec<u8>> {
    open(flash, |unit| {
        let Booted::Provisioned(mut device) = unit else {
            return Err("still has its owner".into());
        };
        let mut steps = 1;
        while device.scrub_step()? == Scrub::Pending {
            steps += 1;
        }
        println!("the next boot finishes it, and scrubs in {steps} steps");
        let (key, hash) = (identity, &mut Sha256::new());
        let mut out = [0; Erased::MAX_LEN];
        let receipt = device.receipt(Some(nonce), Signing { key, hash }, &mut out)?;
        Ok(receipt.to_vec())
    })
}

fn identity(seed: &Secret<32>) -> std::result::Result<Ed25519SigningKey, CryptoError> {
    Ok(Ed25519SigningKey::from_seed(seed))
}

fn main() -> Result {
    let label = DevicePassword::generate(Exposure::Online, &mut SimRng::new(2))?;
    let (mut flash, key) = unit::make(&label)?;
    let label = label.label();
    let code = Attempt::from_label(label.as_str())?;
    move_in(&mut flash, &code)?;
    let before = flash.clone();

    reset(&mut flash, &code).expect_err("the power goes");
    println!("\nthe power goes during the reset");
    let nonce = b"what the buyer says"; // a random number
    let receipt = finish(&mut flash, nonce)?;
    let old = runs(&before);
    let left = old.intersection(&runs(&flash)).count();
    println!("{} runs of ciphertext before, {left} of them left", old.len());
    assert!(old.len() > 100 && left == 0);

    // Whoever has the lamp's public key from the factory can check it: `iotsec erased verify` does.
    let checked = Erased::verify(&receipt, &key, Some(nonce), &mut Sha256::new())?;
    let Erased { values, scrubbed, .. } = *checked.erased();
    println!("\na genuine receipt: {values} values were erased, flash was scrubbed: {scrubbed}");
    assert!(scrubbed && values == 3);
    let shown_again = Erased::verify(&receipt, &key, Some(b"another day"), &mut Sha256::new());
    println!("shown again another day: {}", shown_again.expect_err("refused"));
    Ok(())
}
