//! A password that was stretched with PBKDF2 is stretched with Argon2id once there is memory for it.

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "unit/lamp.rs"]
mod lamp;
#[path = "unit/hardware.rs"]
mod unit;

use iotsec::{
    core::{
        credential::{Attempt, Exposure, Iterations, MemoryCost, Scheme, UserPassword, Verifier},
        crypto::{Argon2Block, Argon2id, CryptoError},
        hal::Millis,
    },
    device::{Booted, Device, DeviceError, Owned},
    store::{KeyDomain, KeyId},
};
use iotsec_testkit::{SimFlash, SimRng, each_cut};
use lamp::Unit;

type Lamp<'w> = Device<'w, Owned, &'w mut SimFlash, SimRng, 16>;

const NOW: Millis = Millis::from_secs(60);
const CHOSEN: &str = "seven small otters swim";
const SLOW: Iterations = Iterations::MCU;

fn little() -> MemoryCost {
    MemoryCost::new(64, 1).unwrap()
}

/// Lends memory for as long as a test runs, as a product does with a static.
fn memory() -> &'static Argon2id<'static> {
    let blocks = Box::leak(vec![Argon2Block::new(); 64].into_boxed_slice());
    Box::leak(Box::new(Argon2id::new(blocks)))
}

fn owned<T>(
    unit: &mut Unit,
    lend: bool,
    work: impl FnOnce(&mut Lamp<'_>) -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    unit.open(|unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        if lend {
            device = device.with_memory_hard(memory(), little());
        }
        work(&mut device)
    })
}

/// A unit whose owner chose a password when no memory was lent, or when it was.
fn chosen(lend: bool) -> Unit {
    let mut unit = Unit::made();
    let label = unit.label.clone();
    unit.unowned(|mut device| {
        if lend {
            device = device.with_memory_hard(memory(), little());
        }
        let proof = device.check_label(&Attempt::from_label(&label).unwrap(), NOW)?;
        let password = UserPassword::new(CHOSEN, Exposure::Online, &[]).unwrap();
        let owned = device.claim_with(proof, &password, SLOW);
        owned.map(|_| ()).map_err(|(_, error)| error)
    })
    .unwrap();
    unit
}

/// The verifier of the owner's password, as the store has it.
fn stored(unit: &mut Unit) -> [u8; Verifier::LEN] {
    let key = KeyId::new(KeyDomain::User, 0xFF, 2);
    let mut bytes = [0; Verifier::LEN];
    unit.store(|store, flash| store.get(flash, key, &mut bytes).unwrap().len());
    bytes
}

fn scheme(unit: &mut Unit) -> Scheme {
    Verifier::from_bytes(&stored(unit)).unwrap().scheme()
}

fn right() -> Attempt<'static> {
    Attempt::from_text(CHOSEN).unwrap()
}

#[test]
fn the_next_right_password_is_stretched_anew_and_a_wrong_one_is_not() {
    let mut unit = chosen(false);
    assert_eq!(scheme(&mut unit), Scheme::Chosen(SLOW));
    owned(&mut unit, true, |device| {
        let wrong = Attempt::from_text("seven small otters sink").unwrap();
        assert!(device.login_with_rehash(&wrong, NOW, SLOW).is_err());
        Ok(())
    })
    .unwrap();
    assert_eq!(scheme(&mut unit), Scheme::Chosen(SLOW));
    // Only where it is asked for.
    owned(&mut unit, true, |device| device.login(&right(), NOW).map(|_| ())).unwrap();
    assert_eq!(scheme(&mut unit), Scheme::Chosen(SLOW));
    owned(&mut unit, true, |device| {
        device.login_with_rehash(&right(), NOW, SLOW).map(|_| ())
    })
    .unwrap();
    assert_eq!(scheme(&mut unit), Scheme::MemoryHard(little()));
    // Once: what is stretched as it should be stays, salt and all.
    let before = stored(&mut unit);
    owned(&mut unit, true, |device| {
        device.login_with_rehash(&right(), NOW, SLOW).map(|_| ())
    })
    .unwrap();
    assert_eq!(stored(&mut unit), before);
    owned(&mut unit, true, |device| device.login(&right(), NOW).map(|_| ())).unwrap();
}

#[test]
fn the_password_opens_the_device_after_a_cut_anywhere() {
    let made = chosen(false);
    let mut seen = [0, 0];
    let points = each_cut(
        || made.clone(),
        |unit| {
            owned(unit, true, |device| {
                device.login_with_rehash(&right(), NOW, SLOW).map(|_| ())
            })
        },
        |unit, _| {
            seen[usize::from(scheme(unit) != Scheme::Chosen(SLOW))] += 1;
            owned(unit, true, |device| device.login(&right(), NOW).map(|_| ())).unwrap();
        },
    );
    println!(
        "rehash: {points} cut points, {} before it, {} after",
        seen[0], seen[1]
    );
    assert!(seen[0] > 0 && seen[1] > 0);
}

#[test]
fn without_the_memory_nobody_is_let_in_and_no_guess_is_counted() {
    let mut unit = chosen(true);
    assert_eq!(scheme(&mut unit), Scheme::MemoryHard(little()));
    owned(&mut unit, false, |device| {
        let refused = device.login(&right(), NOW).err();
        assert_eq!(refused, Some(DeviceError::Crypto(CryptoError::Algorithm)));
        assert_eq!(device.login_status(NOW)?.failures, 0);
        Ok(())
    })
    .unwrap();
    owned(&mut unit, true, |device| device.login(&right(), NOW).map(|_| ())).unwrap();
}

#[test]
fn the_label_is_no_password_that_was_chosen() {
    let mut unit = Unit::made();
    let label = unit.label.clone();
    unit.unowned(|device| {
        let code = Attempt::from_label(&label).unwrap();
        let mut device = device.claim(&code, NOW).map_err(|(_, error)| error)?;
        let _owner = device.login_with_rehash(&code, NOW, SLOW)?;
        let _owner = device.login(&code, NOW)?;
        Ok(())
    })
    .unwrap();
}
