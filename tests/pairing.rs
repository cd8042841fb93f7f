//! A device that has no owner pairs with whoever has its label, twenty failures long, and power cuts give nothing away.

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "unit/lamp.rs"]
mod lamp;
#[path = "unit/hardware.rs"]
mod unit;

use iotsec::{
    core::{
        credential::{
            Attempt, Authenticated, Exposure, Iterations, ThrottleError, UserPassword,
            pairing::{PairingError, PairingRecord, PairingWindow},
        },
        hal::Millis,
    },
    device::{Booted, DeviceError, Moment, State},
    store::{KeyDomain, KeyId},
};
use iotsec_testkit::{SimRng, each_cut};
use lamp::{Button, CODE, OPEN, PHONE, Unit, Unowned, call, confirm};

const NOW: Millis = Millis::from_secs(60);
const WRONG: &str = "1111-2222";
const CHOSEN: &str = "seven small otters swim";

fn chosen() -> UserPassword<'static> {
    UserPassword::new(CHOSEN, Exposure::Online, &[lamp::SERIAL]).unwrap()
}

/// A whole run, with whoever was told `code`.
fn pair(
    device: &mut Unowned<'_>,
    window: &mut PairingWindow,
    code: &str,
    now: Millis,
) -> Result<Authenticated, DeviceError> {
    let mut serial = [0; 32];
    let names = device.pairing_names(PHONE, &mut serial)?;
    let (owner, share) = call(code, &device.pairing_parameters()?, now);
    let (waiting, answer) = device.pair(window, names, &share, now)?;
    let (proof, _keys) = device.finish_pairing(window, waiting, &confirm(owner, &answer), now)?;
    Ok(proof)
}

fn closed() -> DeviceError {
    DeviceError::Pairing(PairingError::Closed)
}

/// Pairs and claims, in a window by power-on or by presence.
fn take(unit: &mut Unit, presence: bool) -> Result<(), DeviceError> {
    unit.unowned(|mut device| {
        let mut window = if presence {
            device.pairing_window_by_presence(&mut Button(true), NOW, OPEN)?
        } else {
            device.pairing_window(NOW, OPEN)?
        };
        let proof = pair(&mut device, &mut window, CODE, NOW)?;
        let owned = device.claim_with(proof, &chosen(), Iterations::MCU);
        owned.map(|_| ()).map_err(|(_, error)| error)
    })
}

#[test]
fn whoever_pairs_owns_it_with_a_password_of_their_own() {
    let mut unit = Unit::made();
    take(&mut unit, false).unwrap();
    let label = unit.label.clone();
    unit.open(|unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        assert!(device.login(&Attempt::from_label(&label).unwrap(), NOW).is_err());
        let _owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn power_on_opens_one_window_and_a_reboot_none() {
    let mut unit = Unit::made();
    let open = |unit: &mut Unit| unit.unowned(|mut device| device.pairing_window(NOW, OPEN).map(|_| ()));
    open(&mut unit).unwrap();
    assert_eq!(open(&mut unit), Err(closed()));
    let nobody = unit.unowned(|mut device| {
        device
            .pairing_window_by_presence(&mut Button(false), NOW, OPEN)
            .map(|_| ())
    });
    assert_eq!(nobody, Err(closed()));
    take(&mut unit, true).unwrap();
    // The next owner's first power-on has its own.
    unit.open(|unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
        device.reset(owner).map(|_| ()).map_err(|(_, error)| error)
    })
    .unwrap();
    open(&mut unit).unwrap();
    assert_eq!(open(&mut unit), Err(closed()));
}

#[test]
fn a_window_is_open_for_its_time_and_no_longer_than_a_quarter_of_an_hour() {
    Unit::made()
        .unowned(|mut device| {
            let long = Millis(PairingWindow::LONGEST.0 + 1);
            let refused = device.pairing_window(NOW, long).err();
            assert_eq!(refused, Some(DeviceError::Pairing(PairingError::WindowLength)));
            let mut window = device.pairing_window(NOW, OPEN)?;
            let late = Millis(NOW.0 + OPEN.0);
            assert_eq!(pair(&mut device, &mut window, CODE, late).err(), Some(closed()));
            Ok(())
        })
        .unwrap();
}

#[test]
fn twenty_failures_end_it_and_a_reboot_gives_none_back_nor_shortens_a_delay() {
    let mut unit = Unit::made();
    let mut taken = 0;
    // One boot with a window; in each boot after it a window that a firmware opens past its device.
    unit.unowned(|mut device| {
        let mut window = device.pairing_window(NOW, PairingWindow::LONGEST)?;
        for guess in 0..12 {
            let now = Millis(NOW.0 + 62_000 * guess);
            match pair(&mut device, &mut window, WRONG, now) {
                Err(DeviceError::Pairing(PairingError::Refused)) => taken += 1,
                other => panic!("{other:?}"),
            }
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(taken, 12);
    // After twelve failures the delay is a minute, from the start of this boot.
    let early = unit.unowned(|mut device| {
        let mut window = PairingWindow::without_owner(Millis(0), PairingWindow::LONGEST)?;
        let status = device.pairing_status(&mut window, Millis::from_secs(1))?;
        assert_eq!(
            (status.failures, status.left, status.remaining),
            (12, 8, Millis::from_secs(59))
        );
        pair(&mut device, &mut window, CODE, Millis::from_secs(1)).map(|_| ())
    });
    let wait = ThrottleError::Wait {
        remaining: Millis::from_secs(59),
    };
    assert_eq!(early, Err(DeviceError::Pairing(PairingError::Throttle(wait))));
    for _ in 0..30 {
        let refused = unit.unowned(|mut device| {
            let mut window = PairingWindow::without_owner(Millis(0), PairingWindow::LONGEST)?;
            // Looked at early, as devices do, so that it is known to be another boot.
            device.pairing_status(&mut window, Millis(0))?;
            pair(&mut device, &mut window, WRONG, Millis::from_secs(61)).map(|_| ())
        });
        match refused {
            Err(DeviceError::Pairing(PairingError::Refused)) => taken += 1,
            Err(DeviceError::Pairing(PairingError::Throttle(ThrottleError::Locked))) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(taken, PairingWindow::FAILURES);
    // The owner is not locked out for ever.
    take(&mut unit, true).unwrap();
}

#[test]
fn every_cut_of_a_pairing_leaves_an_attempt_counted_or_not_begun_and_no_owner_without_a_password() {
    let made = Unit::made();
    let points = each_cut(
        || made.clone(),
        |unit| take(unit, true),
        |unit, outcome| {
            let (label, state) = (unit.label.clone(), unit.open(|unit| Ok(unit.state())).unwrap());
            if state == State::Provisioned {
                assert!(outcome.result.is_err());
                unit.unowned(|mut device| {
                    let mut window = PairingWindow::without_owner(NOW, OPEN)?;
                    let status = device.pairing_status(&mut window, NOW)?;
                    assert!(status.failures <= 1, "{status:?}");
                    Ok(())
                })
                .unwrap();
                take(unit, true).unwrap();
            }
            unit.open(|unit| {
                let Booted::Owned(mut device) = unit else {
                    panic!("{unit:?}")
                };
                assert!(device.login(&Attempt::from_label(&label).unwrap(), NOW).is_err());
                device
                    .login(&Attempt::from_text(CHOSEN).unwrap(), NOW)
                    .map(|_| ())
            })
            .unwrap();
        },
    );
    println!("pair and claim: {points} cut points");
}

#[test]
fn a_cut_guess_is_never_forgotten_once_it_was_answered() {
    let made = Unit::made();
    let guess = |unit: &mut Unit| {
        unit.unowned(|mut device| {
            let mut window = PairingWindow::without_owner(NOW, OPEN)?;
            match pair(&mut device, &mut window, WRONG, NOW) {
                Err(DeviceError::Pairing(PairingError::Refused)) => Ok(()),
                other => other.map(|_| ()),
            }
        })
    };
    let points = each_cut(
        || made.clone(),
        guess,
        |unit, outcome| {
            let failures = unit
                .unowned(|mut device| {
                    let mut window = PairingWindow::without_owner(NOW, OPEN)?;
                    Ok(device.pairing_status(&mut window, NOW)?.failures)
                })
                .unwrap();
            assert!(failures == 1 || failures == 0 && outcome.result.is_err());
        },
    );
    println!("guess: {points} cut points");
}

#[test]
fn whoever_pulls_the_plug_at_every_guess_gets_no_more_than_twenty_answers() {
    let mut unit = Unit::made();
    let (mut answers, mut locked) = (0, 0);
    for boot in 0..400u64 {
        unit.flash.power_on();
        // The answer tells the attacker whether the code was right: what counts is how many they get.
        let done = unit.unowned(|mut device| {
            let mut window = PairingWindow::without_owner(Millis(0), PairingWindow::LONGEST)?;
            device.pairing_status(&mut window, Millis(0))?;
            device.hardware_mut().flash.cut_after(boot % 24);
            let mut serial = [0; 32];
            let names = device.pairing_names(PHONE, &mut serial)?;
            let now = Millis::from_secs(61);
            let (_, share) = call(WRONG, &device.pairing_parameters()?, now);
            let (_waiting, _answer) = device.pair(&mut window, names, &share, now)?;
            answers += 1;
            Ok(())
        });
        let lock = DeviceError::Pairing(PairingError::Throttle(ThrottleError::Locked));
        locked += u32::from(done == Err(lock));
    }
    println!("400 guesses with a cut in each: {answers} answers, {locked} turned away");
    assert!((1..=PairingWindow::FAILURES).contains(&answers) && locked > 100);
}

/// Changes a record of the device's own, as no application can.
fn put(unit: &mut Unit, number: u16, value: &[u8]) {
    let key = KeyId::new(KeyDomain::Device, 0xFF, number);
    unit.store(|store, flash| store.put(flash, key, value)).unwrap();
}

#[test]
fn records_that_are_damaged_pair_nobody() {
    let attempt = |unit: &mut Unit| {
        unit.unowned(|mut device| {
            let mut window = device.pairing_window(NOW, OPEN)?;
            pair(&mut device, &mut window, CODE, NOW).map(|_| ())
        })
    };
    for (number, value, error) in [
        (10, &[1; PairingRecord::LEN][..], PairingError::Record),
        (10, &[1; 3], PairingError::Record),
        (10, &[1; PairingRecord::LEN + 1], PairingError::Record),
        (11, &[0; 16], ThrottleError::Damaged.into()),
        (12, &[0; 3], PairingError::Closed),
        (12, &[0; 5], PairingError::Closed),
    ] {
        let mut unit = Unit::made();
        put(&mut unit, number, value);
        assert_eq!(attempt(&mut unit), Err(DeviceError::Pairing(error)), "{number}");
    }
    // Unharmed, it does.
    attempt(&mut Unit::made()).unwrap();
}

#[test]
fn the_set_up_code_of_the_owner_before_pairs_nobody_after_a_transfer() {
    let mut unit = Unit::made();
    take(&mut unit, false).unwrap();
    let code =
        iotsec::core::credential::DevicePassword::generate(Exposure::Online, &mut SimRng::new(5)).unwrap();
    unit.open(|unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
        let transferred = device.transfer(owner, &code, Moment::default());
        let mut device = transferred.map_err(|(_, error)| error)?;
        let refused = device.pairing_window_by_presence(&mut Button(true), NOW, OPEN);
        assert_eq!(refused.err(), Some(DeviceError::NoSetupCode));
        let label = code.label();
        let proof = device.check_label(&Attempt::from_label(label.as_str()).unwrap(), NOW)?;
        let owned = device.claim_with(proof, &chosen(), Iterations::MCU);
        owned.map(|_| ()).map_err(|(_, error)| error)
    })
    .unwrap();
}
