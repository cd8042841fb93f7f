//! The line writes what was minted for a unit into its flash; the unit provisions itself, and erases it.
//!
//! ```text
//! cargo run --example provision_device
//! ```
//!
//! The power goes at every write, and no half-made unit leaves: the next boot goes on. Flash is simulated.

#[allow(dead_code, reason = "this lamp is made of its record")]
#[path = "lamp/unit.rs"]
mod unit;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec::core::credential::pairing::{PairingCode, PairingParameters, PairingRecord};
use iotsec::core::credential::{Attempt, DevicePassword, Exposure, SetupCode, UnitRecord, UnitRecordError};
use iotsec::core::{crypto::HkdfSha256, hal::Millis};
use iotsec::device::Booted;
use iotsec::setup::{Plan, Setup};
use iotsec_testkit::{Geometry, SimFlash, SimRng};
use unit::{Result, open};
use zeroize::Zeroizing;

const PAGE: u32 = 4096;

/// What `iotsec provision export --format store` writes, and `iotsec provision labels` prints.
fn mint() -> Result<(Vec<u8>, [String; 2])> {
    let mut rng = SimRng::new(2);
    let label = DevicePassword::generate(Exposure::Online, &mut rng)?.label();
    let code = SetupCode::generate(&mut rng)?;
    let record = UnitRecord::new("L2-000001", &[7; 16])
        .with_password(label.as_str())
        .with_setup_code(code.digits());
    let mut out = [0; UnitRecord::MAX_LEN];
    let printed = [label.as_str().to_owned(), code.digits().to_owned()];
    Ok((record.write(&mut out)?.to_vec(), printed))
}

/// The programming line: one write, filled up to whole words.
fn program(page: &mut SimFlash, record: &[u8]) -> Result {
    let mut words = record.to_vec();
    words.resize(record.len().next_multiple_of(SimFlash::WRITE_SIZE.max(4)), 0xFF);
    page.write(0, &words).map_err(|error| format!("{error:?}"))?;
    Ok(())
}

/// Every boot in the factory: whether the unit is ready to leave. The power may go at write `cut`.
fn boot(flash: &mut SimFlash, page: &mut SimFlash, cut: Option<u64>) -> Result<bool> {
    let mut bytes = Zeroizing::new([0; 2048]);
    page.read(0, bytes.as_mut())
        .map_err(|error| format!("{error:?}"))?;
    open(flash, |unit| match unit {
        Booted::Factory(mut device) => {
            let record = UnitRecord::parse(bytes.as_ref())?;
            let missing = UnitRecordError::Value;
            let (password, code) = (
                record.password().ok_or(missing)?,
                record.setup_code().ok_or(missing)?,
            );
            // Under the serial number: the device calls itself that when it pairs.
            let name = record.serial().as_bytes();
            let parameters =
                PairingParameters::generate(PairingParameters::MIN_ITERATIONS, &mut SimRng::new(3))?;
            let pairing =
                PairingRecord::register(&PairingCode::parse(code)?, name, &parameters, &HkdfSha256)?;
            if let Some(writes) = cut {
                device.hardware_mut().flash.cut_after(writes);
            }
            let provisioned = device.provision_with_pairing(record.serial(), &password, &pairing);
            provisioned.map_err(|(_, error)| error)?;
            Ok(false)
        }
        // A unit that is provisioned has no use for its record.
        Booted::Provisioned(_) if bytes.iter().any(|byte| *byte != 0xFF) => {
            page.erase(0, PAGE).map_err(|error| format!("{error:?}"))?;
            Ok(false)
        }
        _ => Ok(true),
    })
}

/// What the unit says of itself on the way out of the factory, after it took what its label says.
fn leave(flash: &mut SimFlash, password: &str) -> Result<String> {
    open(flash, |found| {
        let Booted::Provisioned(mut device) = found else {
            return Err("not provisioned".into());
        };
        device.pairing_parameters()?;
        let _proof = device.check_label(&Attempt::from_label(password)?, Millis(0))?;
        let mut setup = Setup::begin(device, Plan::local()).map_err(|(_, error)| error)?;
        let mut text = String::new();
        setup.status(Millis(0))?.write_json(&mut text)?;
        Ok(text)
    })
}

fn main() -> Result {
    let (record, printed) = mint()?;
    let [password, code] = &printed;
    println!("label: password {password}, set-up code {code}");
    let blank = unit::blank()?;
    let mut cuts = 0;
    let (mut flash, page) = loop {
        let (mut flash, mut page) = (blank.clone(), SimFlash::new(Geometry::nrf52840(1)));
        program(&mut page, &record)?;
        let whole = boot(&mut flash, &mut page, Some(cuts)).is_ok();
        while !boot(&mut flash, &mut page, None)? {}
        leave(&mut flash, password)?;
        if whole {
            break (flash, page);
        }
        cuts += 1;
    };
    println!("power cut at each of {cuts} writes: every unit was finished and takes what its label says");
    let text = leave(&mut flash, password)?;
    println!("{text}");
    let lies_open = |secret: &String| flash.contains(secret.as_bytes()) || page.contains(secret.as_bytes());
    if printed.iter().any(lies_open) || !text.contains("window-closed") {
        return Err("a secret lies open, or the unit would pair in the factory".into());
    }
    Ok(())
}
