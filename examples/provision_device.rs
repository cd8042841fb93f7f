//! The line writes what was minted for a unit into its flash; the unit provisions itself, and erases it.
//!
//! ```text
//! cargo run --example provision_device
//! ```
//!
//! The power goes before the record is erased; the next boot does that. Then the owner types what the label says.

#[path = "lamp/unit.rs"]
#[allow(dead_code, reason = "this lamp is made of its record")]
mod unit;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec::{
    core::{
        credential::{
            Attempt, DevicePassword, Exposure, SetupCode, UnitKey, UnitRecord, UnitRecordError,
            pairing::{PairingCode, PairingParameters, PairingRecord},
        },
        crypto::{Ed25519SigningKey, HkdfSha256, Sign},
        hal::Millis,
        secret::Secret,
    },
    device::{Booted, Device},
};
use iotsec_testkit::{Geometry, SimFlash, SimRng};
use unit::{Result, boot, open};
use zeroize::Zeroizing;

const PAGE: u32 = 4096;

/// What `iotsec provision export --format store` writes, and `iotsec provision labels` prints.
fn mint() -> Result<(Vec<u8>, String)> {
    let mut rng = SimRng::new(2);
    let label = DevicePassword::generate(Exposure::Online, &mut rng)?.label();
    let code = SetupCode::generate(&mut rng)?;
    let seed = Secret::<32>::random(&mut rng)?;
    let record = UnitRecord::new("L2-000001", &[7; 16])
        .with_password(label.as_str())
        .with_setup_code(code.digits())
        .with_device_key(UnitKey::Ed25519(seed.expose()));
    let mut out = [0; UnitRecord::MAX_LEN];
    Ok((record.write(&mut out)?.to_vec(), label.as_str().to_owned()))
}

/// The programming line: one write, filled up to whole words.
fn program(page: &mut SimFlash, record: &[u8]) -> Result {
    let mut words = record.to_vec();
    words.resize(record.len().next_multiple_of(SimFlash::WRITE_SIZE.max(4)), 0xFF);
    page.write(0, &words).map_err(|error| format!("{error:?}"))?;
    Ok(())
}

/// The first boot: there is a record and no device yet.
fn first_boot(flash: &mut SimFlash, page: &mut SimFlash) -> Result {
    let mut bytes = Zeroizing::new([0; 2048]);
    page.read(0, bytes.as_mut())
        .map_err(|error| format!("{error:?}"))?;
    let record = UnitRecord::parse(bytes.as_ref())?;
    let password = record.password().ok_or(UnitRecordError::Value)?;
    boot(flash, |product, hardware, memory| {
        let device = Device::<_, _, _, 8>::format(product, hardware, memory)?;
        device
            .provision(record.serial(), &password)
            .map_err(|(_, error)| error)?;
        Ok(())
    })?;
    println!(
        "{}: provisioned, with a verifier in place of its password",
        record.serial()
    );

    // Both belong into the application's part of the store.
    if let Some(digits) = record.setup_code() {
        let parameters = PairingParameters::generate(1000, &mut SimRng::new(3))?;
        let code = PairingCode::parse(digits)?;
        let pairing = PairingRecord::register(&code, record.serial().as_bytes(), &parameters, &HkdfSha256)?;
        println!(
            "set-up code: {} bytes to store, which do not say what it is",
            pairing.expose().len()
        );
    }
    if let Some(UnitKey::Ed25519(seed)) = record.device_key() {
        let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(*seed));
        println!(
            "device key: public half begins with {:02x?}",
            &key.public_key()[..4]
        );
    }
    Ok(())
}

/// Every other boot: a unit that is provisioned has no use for its record.
fn tidy_up(flash: &mut SimFlash, page: &mut SimFlash) -> Result<bool> {
    open(flash, |unit| {
        let mut head = [0; 8];
        page.read(0, &mut head).map_err(|error| format!("{error:?}"))?;
        if !matches!(unit, Booted::Provisioned(_)) || head == [0xFF; 8] {
            return Ok(false);
        }
        page.erase(0, PAGE).map_err(|error| format!("{error:?}"))?;
        Ok(true)
    })
}

fn main() -> Result {
    let (record, label) = mint()?;
    let mut flash = SimFlash::new(Geometry::nrf52840(8));
    let mut page = SimFlash::new(Geometry::nrf52840(1));
    program(&mut page, &record)?;
    first_boot(&mut flash, &mut page)?;

    // Here the power goes.
    assert!(tidy_up(&mut flash, &mut page)?, "the record was still there");
    assert!(!tidy_up(&mut flash, &mut page)?, "it goes once");
    assert!(page.image().iter().all(|byte| *byte == 0xFF));
    println!("record erased: its page is blank");

    let claimed = open(&mut flash, |unit| {
        let Booted::Provisioned(device) = unit else {
            return Err("not provisioned".into());
        };
        let typed = label.to_lowercase().replace('-', " ");
        let attempt = Attempt::from_label(&typed)?;
        Ok(device.claim(&attempt, Millis::from_secs(60)).is_ok())
    })?;
    assert!(claimed, "the label opens its unit");
    println!("claimed with what the label says");
    Ok(())
}
