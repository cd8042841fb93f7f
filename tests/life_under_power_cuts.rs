//! Every transition of a device's life, with the power cut at every step of it.
//!
//! After each cut the device opens in the old state or in the new one, and the next step works.

#[path = "unit/hardware.rs"]
mod unit;

use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure, Iterations, UserPassword},
        crypto::Sha256,
        error::ErrorCode,
        hal::Millis,
    },
    device::{Booted, Device, DeviceError, Hardware, Memory, Product, State},
    store::{KeyDomain, KeyId, Scrub, StoreError},
    telemetry::{
        batch::{SizeClass, Sizes},
        consent::Usage,
        detect::{AUTH_BURST, BOOT_LOOP},
        registry,
        registry::{Class, EventDef, Field},
    },
};
use iotsec_testkit::{Geometry, Power, SimFlash, SimRng, Violation, World, each_cut};

const STEPS: EventDef = EventDef::new(
    1,
    "steps",
    Class::Usage,
    "A test",
    &[Field::number("n", "1", 0, 100_000)],
);
registry!(static EVENTS = [STEPS, AUTH_BURST, BOOT_LOOP]);

const NETWORK: KeyId = KeyId::new(KeyDomain::User, 1, 1);
const NOW: Millis = Millis::from_secs(3600);
const CHOSEN: &str = "seven small otters swim";

/// What outlives a power cut.
#[derive(Clone)]
struct Unit {
    flash: SimFlash,
    label: String,
    seed: u64,
}

impl World for Unit {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

type Opened<'w> = Booted<'w, &'w mut SimFlash, SimRng, 16>;

impl Unit {
    fn blank() -> Self {
        Self {
            flash: SimFlash::new(Geometry::small(40)),
            label: String::new(),
            seed: 0,
        }
    }

    fn hardware<T>(
        &mut self,
        work: impl for<'w> FnOnce(Product<'w>, Hardware<'w, &'w mut SimFlash, SimRng>, Memory<'w>) -> T,
    ) -> T {
        unit::boot(
            &mut self.flash,
            &mut self.seed,
            EVENTS.hashed(&mut Sha256::new()),
            work,
        )
    }

    fn open<T>(&mut self, work: impl FnOnce(Opened<'_>) -> Result<T, DeviceError>) -> Result<T, DeviceError> {
        self.hardware(|product, hardware, memory| work(Booted::open(product, hardware, memory)?))
    }

    fn state(&mut self) -> State {
        self.open(|unit| Ok(unit.state())).unwrap()
    }

    fn format(&mut self) -> Result<(), DeviceError> {
        self.hardware(|product, hardware, memory| {
            Device::<_, _, _, 16>::format(product, hardware, memory).map(|_| ())
        })
    }

    fn provision(&mut self) -> Result<(), DeviceError> {
        let password = DevicePassword::generate(Exposure::Online, &mut SimRng::new(99)).unwrap();
        self.label = password.label().as_str().to_owned();
        self.open(|unit| {
            let Booted::Factory(device) = unit else {
                panic!("{unit:?}")
            };
            device
                .provision("SN-1", &password)
                .map(|_| ())
                .map_err(|(_, error)| error)
        })
    }

    fn claim(&mut self) -> Result<(), DeviceError> {
        let label = self.label.clone();
        self.open(|unit| {
            let Booted::Provisioned(device) = unit else {
                panic!("{unit:?}")
            };
            let code = Attempt::from_label(&label).unwrap();
            let mut device = device.claim(&code, NOW).map_err(|(_, error)| error)?;
            device.put(NETWORK, b"the owner's network")
        })
    }

    fn set_password(&mut self) -> Result<(), DeviceError> {
        let label = self.label.clone();
        self.open(|unit| {
            let Booted::Owned(mut device) = unit else {
                panic!("{unit:?}")
            };
            let owner = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
            let chosen = UserPassword::new(CHOSEN, Exposure::Online, &[]).unwrap();
            device.set_password(&owner, &chosen, Iterations::MCU)
        })
    }

    fn reset(&mut self) -> Result<(), DeviceError> {
        let label = self.label.clone();
        self.open(|unit| {
            let Booted::Owned(mut device) = unit else {
                panic!("{unit:?}")
            };
            let owner = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
            let mut device = device.reset(owner).map_err(|(_, error)| error)?;
            while device.scrub_step()? == Scrub::Pending {}
            Ok(())
        })
    }

    fn retire(&mut self) -> Result<(), DeviceError> {
        let label = self.label.clone();
        self.open(|unit| {
            let Booted::Owned(mut device) = unit else {
                panic!("{unit:?}")
            };
            let owner = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
            let mut device = device.retire(owner).map_err(|(_, error)| error)?;
            while device.scrub_step()? == Scrub::Pending {}
            Ok(())
        })
    }

    fn at(state: State) -> Self {
        let mut unit = Self::blank();
        unit.format().unwrap();
        if state != State::Factory {
            unit.provision().unwrap();
        }
        if state == State::Owned {
            unit.claim().unwrap();
        }
        unit
    }
}

#[test]
fn formatting_can_be_done_again() {
    let points = each_cut(Unit::blank, Unit::format, |unit, outcome| {
        match unit.open(|unit| Ok(unit.state())) {
            Ok(state) => assert_eq!(state, State::Factory),
            Err(error) => {
                // No store yet, or one without the state: 3001 and 6001.
                assert!(
                    outcome.result.is_err() && [3001, 6001].contains(&error.code()),
                    "{error:?}"
                );
                unit.format().unwrap();
            }
        }
        unit.provision().unwrap();
        assert_eq!(unit.state(), State::Provisioned);
    });
    println!("format: {points} cut points");
}

#[test]
fn provisioning_can_be_done_again() {
    let factory = Unit::at(State::Factory);
    let points = each_cut(
        || factory.clone(),
        Unit::provision,
        |unit, outcome| {
            let state = unit.state();
            if outcome.result.is_ok() {
                assert_eq!(state, State::Provisioned);
            }
            if state == State::Factory {
                unit.provision().unwrap();
            }
            unit.claim().unwrap();
            assert_eq!(unit.state(), State::Owned);
        },
    );
    println!("provision: {points} cut points");
}

#[test]
fn a_claim_makes_an_owner_or_does_not() {
    let provisioned = Unit::at(State::Provisioned);
    let points = each_cut(
        || provisioned.clone(),
        Unit::claim,
        |unit, outcome| {
            let state = unit.state();
            if outcome.result.is_ok() {
                assert_eq!(state, State::Owned);
            }
            if state == State::Provisioned {
                unit.claim().unwrap();
            }
            unit.reset().unwrap();
            assert_eq!(unit.state(), State::Provisioned);
        },
    );
    println!("claim: {points} cut points");
}

#[test]
fn a_new_password_replaces_the_old_one_or_does_not() {
    let owned = Unit::at(State::Owned);
    let points = each_cut(
        || owned.clone(),
        Unit::set_password,
        |unit, outcome| {
            let label = unit.label.clone();
            unit.open(|unit| {
                let Booted::Owned(mut device) = unit else {
                    panic!("{unit:?}")
                };
                let new = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW).is_ok();
                let old = device.login(&Attempt::from_label(&label).unwrap(), NOW).is_ok();
                assert!(new != old, "new {new}, old {old}");
                assert!(new || outcome.result.is_err());
                Ok(())
            })
            .unwrap();
        },
    );
    println!("set password: {points} cut points");
}

#[test]
fn a_reset_takes_everything_of_the_owner_or_nothing() {
    let owned = Unit::at(State::Owned);
    let points = each_cut(
        || owned.clone(),
        Unit::reset,
        |unit, outcome| {
            let state = unit.state();
            match state {
                State::Owned => {
                    assert!(outcome.result.is_err());
                    unit.open(|unit| {
                        let Booted::Owned(mut device) = unit else {
                            panic!("{unit:?}")
                        };
                        assert_eq!(device.get(NETWORK, &mut [0; 64]).unwrap(), b"the owner's network");
                        Ok(())
                    })
                    .unwrap();
                    unit.reset().unwrap();
                }
                State::Provisioned => unit
                    .open(|unit| {
                        let Booted::Provisioned(mut device) = unit else {
                            panic!("{unit:?}")
                        };
                        while device.scrub_step()? == Scrub::Pending {}
                        Ok(())
                    })
                    .unwrap(),
                other => panic!("{other:?}"),
            }
            unit.claim_and_find_nothing();
        },
    );
    println!("reset: {points} cut points");
}

impl Unit {
    /// The next owner's device knows nothing of the one before.
    fn claim_and_find_nothing(&mut self) {
        let label = self.label.clone();
        self.open(|unit| {
            let Booted::Provisioned(device) = unit else {
                panic!("{unit:?}")
            };
            let code = Attempt::from_label(&label).unwrap();
            let mut device = device.claim(&code, NOW).map_err(|(_, error)| error)?;
            assert_eq!(
                device.get(NETWORK, &mut [0; 64]),
                Err(DeviceError::Store(StoreError::NotFound))
            );
            assert!(device.consent::<Usage>().is_none());
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn a_retired_device_stays_retired_and_keeps_no_secret() {
    let owned = Unit::at(State::Owned);
    let points = each_cut(
        || owned.clone(),
        Unit::retire,
        |unit, outcome| {
            if unit.state() == State::Owned {
                assert!(outcome.result.is_err());
                unit.retire().unwrap();
            }
            unit.open(|unit| {
                let Booted::Retired(mut device) = unit else {
                    panic!("{unit:?}")
                };
                while device.scrub_step()? == Scrub::Pending {}
                assert_eq!(device.serial(&mut [0; 32])?, "");
                Ok(())
            })
            .unwrap();
        },
    );
    println!("retire: {points} cut points");
}

#[test]
fn events_need_consent_and_survive_a_reboot_when_kept() {
    let mut unit = Unit::at(State::Owned);
    let label = unit.label.clone();
    unit.open(|unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        assert!(
            device.record(&STEPS, &[7.into()], NOW).is_err(),
            "consent is off at first"
        );
        let owner = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
        device.grant::<Usage>(&owner, 1, None)?;
        device.record(&STEPS, &[7.into()], NOW)?;
        device.keep_events(Class::Usage, &mut [0; 512])
    })
    .unwrap();
    unit.open(|unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        assert_eq!(device.queue().len(), 1);
        device.withdraw::<Usage>(None)?;
        assert_eq!(device.queue().len(), 0);
        Ok(())
    })
    .unwrap();
    unit.open(|unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        assert!(device.queue().is_empty() && device.consent::<Usage>().is_none());
        assert!(device.record(&STEPS, &[7.into()], NOW).is_err());
        Ok(())
    })
    .unwrap();
}

#[test]
fn acknowledged_events_do_not_come_back() {
    let mut unit = Unit::at(State::Owned);
    unit.open(|unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        device.record(&AUTH_BURST, &[0.into(), 5.into()], NOW)?;
        device.keep_events(Class::Usage, &mut [0; 512])
    })
    .unwrap();
    unit.open(|unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        let (mut scratch, mut out) = ([0; 256], [0; 256]);
        let batch = device
            .batch(Sizes::up_to(SizeClass::B256), &mut scratch, &mut out)?
            .unwrap();
        assert_eq!(batch.events(), 1);
        let receipt = batch.into_receipt();
        device.acknowledge(receipt)
    })
    .unwrap();
    unit.open(|unit| {
        let Booted::Owned(device) = unit else {
            panic!("{unit:?}")
        };
        assert!(device.queue().is_empty());
        Ok(())
    })
    .unwrap();
}
