//! A unit is minted at the factory station, gets its credentials, and says that it waits for an owner.
//!
//! ```text
//! cargo run --example provision_device
//! ```
//!
//! The station loses power at every write of it, and no half-made unit leaves. Flash is simulated.

#[allow(dead_code, reason = "other examples use more of it")]
#[path = "lamp/unit.rs"]
mod unit;

use getrandom::SysRng;
use iotsec::core::credential::pairing::{PairingCode, PairingParameters, PairingRecord};
use iotsec::core::credential::{Attempt, Exposure};
use iotsec::core::{crypto::HkdfSha256, hal::Millis};
use iotsec::device::{Booted, Enrolment};
use iotsec::factory::{Batch, SetupCode, Unit};
use iotsec::setup::{Plan, Setup};
use iotsec_testkit::SimFlash;
use unit::{Result, open};

/// What goes on the label and into the device.
struct Minted {
    unit: Unit,
    code: SetupCode,
    pairing: PairingRecord,
}

fn mint(batch: &mut Batch<'_>, serial: &str) -> Result<Minted> {
    let unit = batch.mint(serial, Exposure::Online, &mut SysRng)?;
    let code = SetupCode::generate(&mut SysRng)?;
    let parameters = PairingParameters::generate(PairingParameters::MIN_ITERATIONS, &mut SysRng)?;
    // Under the serial number: the device calls itself that when it pairs.
    let pairing = PairingRecord::register(
        &PairingCode::parse(code.digits())?,
        serial.as_bytes(),
        &parameters,
        &HkdfSha256,
    )?;
    Ok(Minted { unit, code, pairing })
}

/// The station's work on a unit; nothing when it was complete before.
fn provision(flash: &mut SimFlash, minted: &Minted, cut: Option<u64>) -> Result<Option<Enrolment>> {
    open(flash, |found| {
        let Booted::Factory(mut device) = found else {
            return Ok(None);
        };
        let Minted { unit, pairing, .. } = minted;
        if let Some(writes) = cut {
            device.hardware_mut().flash.cut_after(writes);
        }
        let provisioned = device.provision_with_pairing(unit.serial(), unit.password(), pairing);
        let (_, enrolment) = provisioned.map_err(|(_, error)| error)?;
        Ok(Some(enrolment))
    })
}

/// Whether the unit is made and takes what its label says.
fn opens(flash: &mut SimFlash, label: &str) -> Result {
    open(flash, |found| {
        let Booted::Provisioned(mut device) = found else {
            return Err("not provisioned".into());
        };
        device.pairing_parameters()?;
        let _proof = device.check_label(&Attempt::from_label(label)?, Millis(0))?;
        Ok(())
    })
}

/// What the unit says of itself on the way out of the factory.
fn status(flash: &mut SimFlash) -> Result<String> {
    open(flash, |found| {
        let Booted::Provisioned(device) = found else {
            return Err("not provisioned".into());
        };
        let mut setup = Setup::begin(device, Plan::local()).map_err(|(_, error)| error)?;
        let mut serial = [0; 32];
        println!("unit {}", setup.device_mut().serial(&mut serial)?);
        let mut text = String::new();
        setup.status(Millis(0))?.write_json(&mut text)?;
        Ok(text)
    })
}

fn main() -> Result {
    let mut batch = Batch::new(&HkdfSha256, &mut SysRng)?;
    let minted = mint(&mut batch, "SN-0001")?;
    let label = minted.unit.password().label();
    println!(
        "label: password {}, set-up code {}",
        label.as_str(),
        minted.code.digits()
    );

    let blank = unit::blank()?;
    let mut cuts = 0;
    let mut flash = loop {
        let mut flash = blank.clone();
        if provision(&mut flash, &minted, Some(cuts)).is_ok() {
            break flash;
        }
        provision(&mut flash, &minted, None)?;
        opens(&mut flash, label.as_str())?;
        cuts += 1;
    };
    println!("power cut at each of {cuts} writes: every unit was finished and takes what its label says");
    let text = status(&mut flash)?;
    println!("{text}");
    let plain = [label.as_str(), minted.code.digits()];
    if plain.iter().any(|secret| flash.contains(secret.as_bytes())) || !text.contains("window-closed") {
        return Err("a secret lies open, or the unit would pair in the factory".into());
    }
    Ok(())
}
