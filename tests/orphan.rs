//! The key that the owner's data are stored under is damaged: the device opens, says so, and can be reset.

#[path = "unit/hardware.rs"]
mod unit;

use iotsec::{
    core::{
        credential::{
            Attempt, DevicePassword, Exposure, Iterations, LoginError, PhysicalPresence, Unlock, UserPassword,
        },
        crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
        hal::Millis,
        secret::Secret,
    },
    device::{Booted, Device, DeviceError, Hardware, Memory, Moment, Product, Signing, State},
    erase::{Erased, Reason},
    store::{KeyDomain, KeyId, Scrub, StoreError},
    telemetry::{detect::AUTH_BURST, registry, registry::Class},
};
use iotsec_testkit::{Geometry, Power, SimFlash, SimRng, Sweep, Violation, World};

registry!(static EVENTS = [AUTH_BURST]);

const NETWORK: KeyId = KeyId::new(KeyDomain::User, 1, 1);
const CALIBRATION: KeyId = KeyId::new(KeyDomain::Device, 1, 1);
const CHOSEN: &str = "seven small otters swim";
const NOW: Millis = Millis::from_secs(3600);
/// The application's, and owner, verifier and kept events.
const VALUES: u32 = 4;

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

struct Button;

impl PhysicalPresence for Button {
    fn is_asserted(&mut self) -> bool {
        true
    }
}

type Opened<'w> = Booted<'w, &'w mut SimFlash, SimRng, 16>;
type Found<'w, S> = Device<'w, S, &'w mut SimFlash, SimRng, 16>;

impl Unit {
    fn hardware<T>(
        &mut self,
        work: impl for<'w> FnOnce(Product<'w>, Hardware<'w, &'w mut SimFlash, SimRng>, Memory<'w>) -> T,
    ) -> T {
        let events = EVENTS.hashed(&mut Sha256::new());
        unit::boot(&mut self.flash, &mut self.seed, events, work)
    }

    fn open<T>(&mut self, work: impl FnOnce(Opened<'_>) -> Result<T, DeviceError>) -> Result<T, DeviceError> {
        self.hardware(|product, hardware, memory| work(Booted::open(product, hardware, memory)?))
    }

    fn state(&mut self) -> State {
        self.open(|unit| Ok(unit.state())).unwrap()
    }

    fn orphaned<T>(
        &mut self,
        work: impl FnOnce(Found<'_, iotsec::device::Orphaned>) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        self.open(|unit| match unit {
            Booted::Orphaned(device) => work(device),
            other => panic!("{other:?}"),
        })
    }

    fn owned<T>(
        &mut self,
        work: impl FnOnce(Found<'_, iotsec::device::Owned>) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        self.open(|unit| match unit {
            Booted::Owned(device) => work(device),
            other => panic!("{other:?}"),
        })
    }

    fn claim(&mut self) {
        let label = self.label.clone();
        let code = Attempt::from_label(&label).unwrap();
        self.open(|unit| match unit {
            Booted::Provisioned(device) => device.claim(&code, NOW).map(|_| ()).map_err(|(_, error)| error),
            other => panic!("{other:?}"),
        })
        .unwrap();
    }

    /// A unit that was claimed a moment ago.
    fn claimed() -> Self {
        let password = DevicePassword::generate(Exposure::Online, &mut SimRng::new(99)).unwrap();
        let mut unit = Self {
            flash: SimFlash::new(Geometry::small(16)),
            label: password.label().as_str().to_owned(),
            seed: 0,
        };
        unit.hardware(|product, hardware, memory| {
            let device = Device::<_, _, _, 16>::format(product, hardware, memory).unwrap();
            device
                .provision("SN-1", &password)
                .map(|_| ())
                .map_err(|(_, error)| error)
                .unwrap();
        });
        unit.claim();
        unit
    }

    /// A unit whose owner chose a password and has things in it; `boots` later.
    fn lived_in(boots: u32) -> Self {
        let mut unit = Self::claimed();
        let label = unit.label.clone();
        unit.owned(|mut device| {
            let owner = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
            device.put(NETWORK, b"the owner's network")?;
            let chosen = UserPassword::new(CHOSEN, Exposure::Online, &[]).unwrap();
            device.set_password(&owner, &chosen, Iterations::MCU)?;
            device.record(&AUTH_BURST, &[0.into(), 5.into()], NOW)?;
            device.keep_events(Class::Security, &mut [0; 400])
        })
        .unwrap();
        unit.age(boots);
        unit
    }

    fn age(&mut self, boots: u32) {
        for boot in 0..boots {
            self.owned(|mut device| device.put(CALIBRATION, &boot.to_le_bytes()))
                .unwrap();
        }
    }

    /// The user key's page is damaged, or cannot be read.
    fn lose_key(&mut self, readable: bool) -> Vec<u8> {
        let page = self.flash.image()[..96].to_vec();
        if readable {
            self.flash.tamper(40, &[0x5A; 8]);
        } else {
            self.flash.poison(40);
        }
        page
    }

    fn reset(&mut self, by_code: bool) -> Result<(), DeviceError> {
        let label = self.label.clone();
        self.orphaned(|device| {
            let reset = if by_code {
                device.reset_orphan(&Attempt::from_label(&label).unwrap(), NOW, Moment::default())
            } else {
                device.reset_orphan_by_presence(Unlock::by_presence(&mut Button).unwrap(), Moment::default())
            };
            let mut device = reset.map_err(|(_, error)| error)?;
            while device.scrub_step()? == Scrub::Pending {}
            Ok(())
        })
    }

    /// It has a receipt, and whoever has the label begins anew.
    fn is_as_new(&mut self) {
        assert_eq!(self.receipt(), Ok(VALUES));
        self.serves_another();
    }

    /// How many values its receipt says were erased.
    fn receipt(&mut self) -> Result<u32, DeviceError> {
        self.open(|unit| {
            let Booted::Provisioned(mut device) = unit else {
                panic!("{unit:?}")
            };
            assert!(device.personal_data().all(|holding| holding.values == 0));
            let (mut out, mut hash, mut public) = ([0; Erased::MAX_LEN], Sha256::new(), None);
            let key = |seed: &Secret<32>| {
                let key = Ed25519SigningKey::from_seed(seed);
                public = Ed25519PublicKey::from_bytes(key.public_key()).ok();
                Ok(key)
            };
            let hash = &mut hash;
            let receipt = device.receipt(None, Signing { key, hash }, &mut out)?;
            let receipt = Erased::verify(receipt, &public.unwrap(), None, &mut Sha256::new()).unwrap();
            assert_eq!(receipt.erased().reason, Reason::Reset);
            Ok(receipt.erased().values)
        })
    }

    fn finish_retiring(&mut self) -> Result<(), DeviceError> {
        self.open(|unit| {
            let Booted::Retired(mut device) = unit else {
                panic!("{unit:?}")
            };
            while device.scrub_step()? == Scrub::Pending {}
            assert!(device.personal_data().all(|holding| holding.values == 0));
            assert_eq!(device.unregistered().count(), 0);
            assert_eq!(device.serial(&mut [0; 32]), Ok(""));
            Ok(())
        })
    }

    fn serves_another(&mut self) {
        self.claim();
        let label = self.label.clone();
        self.owned(|mut device| {
            let _ = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
            let mut out = [0; 32];
            assert_eq!(
                device.get(NETWORK, &mut out),
                Err(DeviceError::Store(StoreError::NotFound))
            );
            device.put(NETWORK, b"the next owner's network")
        })
        .unwrap();
        assert_eq!(self.state(), State::Owned);
    }
}

/// Whether what is lost is in the way of every write: the count of the boots stays as it is.
fn is_in_the_way(unit: &Unit) -> bool {
    let mut unit = unit.clone();
    let boots = |unit: &mut Unit| unit.orphaned(|mut device| device.boot_number()).unwrap();
    boots(&mut unit) == boots(&mut unit)
}

/// Devices at all sorts of places in their log.
fn units() -> Vec<Unit> {
    (0..40)
        .flat_map(|boots| {
            let unit = Unit::lived_in(boots);
            [true, false].map(|readable| {
                let mut unit = unit.clone();
                unit.lose_key(readable);
                unit
            })
        })
        .collect()
}

#[test]
fn a_device_whose_owner_s_data_are_lost_says_so_and_can_be_reset() {
    let (mut free, mut blocked) = (0, 0);
    for mut unit in units() {
        assert_eq!(unit.state(), State::Orphaned);
        let in_the_way = is_in_the_way(&unit);
        blocked += u32::from(in_the_way);
        free += u32::from(!in_the_way);
        let mut with_code = unit.clone();
        match with_code.reset(true) {
            Ok(()) => with_code.is_as_new(),
            // A guess that cannot be counted is none; nothing is reset by it.
            Err(error) => {
                assert!(matches!(error, DeviceError::Login(_)), "{error:?}");
                assert!(in_the_way || is_in_the_way(&with_code));
                assert_eq!(with_code.state(), State::Orphaned);
            }
        }
        unit.reset(false).unwrap();
        unit.is_as_new();
    }
    println!("orphaned: {free} devices that count their boots, {blocked} that cannot");
    assert!(free > 10 && blocked > 10);
}

#[test]
fn a_wrong_code_resets_nothing_and_is_counted() {
    let mut unit = Unit::lived_in(0);
    unit.lose_key(true);
    let other = DevicePassword::generate(Exposure::Online, &mut SimRng::new(7)).unwrap();
    let (label, own) = (other.label(), unit.label.clone());
    unit.orphaned(|mut device| {
        let wrong = Attempt::from_label(label.as_str()).unwrap();
        for _ in 0..5 {
            let (back, error) = device
                .reset_orphan(&wrong, NOW, Moment::default())
                .map(drop)
                .unwrap_err();
            assert_eq!(error, DeviceError::Login(LoginError::Refused));
            device = back;
        }
        let right = Attempt::from_label(&own).unwrap();
        let (_, error) = device
            .reset_orphan(&right, NOW, Moment::default())
            .map(drop)
            .unwrap_err();
        assert!(
            matches!(error, DeviceError::Login(LoginError::Throttle(_))),
            "{error:?}"
        );
        Ok(())
    })
    .unwrap();
    assert_eq!(unit.state(), State::Orphaned);
}

#[test]
fn a_key_that_reads_again_gives_the_owner_everything_back() {
    for boots in 0..40 {
        let mut unit = Unit::lived_in(boots);
        let page = unit.lose_key(true);
        for _ in 0..3 {
            assert_eq!(unit.state(), State::Orphaned);
        }
        unit.flash.tamper(0, &page);
        unit.owned(|mut device| {
            let _ = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
            assert_eq!(device.queue().len(), 1);
            let mut out = [0; 32];
            assert_eq!(device.get(NETWORK, &mut out), Ok(&b"the owner's network"[..]));
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn a_reset_of_an_orphan_that_was_cut_anywhere_can_be_repeated() {
    let (mut total, mut again, mut finished) = (0, 0, 0);
    for unit in units().into_iter().step_by(3) {
        let in_the_way = is_in_the_way(&unit);
        total += Sweep::new().quick(11).each_cut(
            || unit.clone(),
            |unit| unit.reset(false),
            |unit, outcome| {
                match unit.state() {
                    State::Orphaned => {
                        assert!(outcome.result.is_err());
                        again += 1;
                        unit.reset(false).unwrap();
                        let erased = unit.receipt().unwrap();
                        // A part of them may have gone before the cut, with nobody to count it.
                        assert!(erased == VALUES || in_the_way && erased < VALUES, "{erased}");
                    }
                    State::Provisioned => {
                        finished += 1;
                        // What could not be announced before may not have been written down after.
                        let receipt = unit.receipt();
                        let without = in_the_way && outcome.result.is_err();
                        assert!(
                            receipt == Ok(VALUES) || without && receipt == Err(DeviceError::NotErased),
                            "{receipt:?}"
                        );
                    }
                    state => panic!("{state:?}"),
                }
                unit.serves_another();
            },
        );
    }
    println!("reset of an orphan: {total} cut points, {again} to be repeated, {finished} finished");
    assert!(again > 0 && finished > 0);
}

#[test]
fn a_retired_device_loses_its_secrets_though_the_owner_s_key_was_lost() {
    let (mut total, mut lost) = (0, 0);
    for boots in 0..40 {
        let owned = Unit::lived_in(boots);
        total += Sweep::new().stride(17).quick(41).each_cut(
            || owned.clone(),
            |unit| {
                unit.owned(|mut device| {
                    let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
                    device.retire(owner).map(|_| ()).map_err(|(_, error)| error)
                })
            },
            |unit, outcome| {
                if unit.state() != State::Retired {
                    return;
                }
                unit.lose_key(true);
                lost += 1;
                // And the power goes once more.
                for cut in (outcome.cut_at % 7..400).step_by(7) {
                    let mut unit = unit.clone();
                    unit.flash.cut_after(cut);
                    let _ = unit.finish_retiring();
                    unit.flash.power_on();
                    unit.finish_retiring().unwrap();
                }
            },
        );
    }
    println!("retired: {total} cut points, the key lost behind {lost} of them");
    assert!(lost > 0);
}

/// With so little in it that one page has all of the owner's.
#[test]
fn an_erasure_that_was_announced_takes_nothing_of_the_next_owner_s() {
    let mut total = 0;
    for boots in 0..24 {
        let mut unit = Unit::claimed();
        unit.age(boots);
        unit.lose_key(true);
        total += Sweep::new().quick(5).each_cut(
            || unit.clone(),
            |unit| unit.reset(false),
            |unit, _| {
                if unit.state() == State::Orphaned {
                    unit.reset(false).unwrap();
                }
                unit.serves_another();
                unit.owned(|mut device| {
                    let mut out = [0; 32];
                    assert_eq!(
                        device.get(NETWORK, &mut out),
                        Ok(&b"the next owner's network"[..])
                    );
                    Ok(())
                })
                .unwrap();
            },
        );
    }
    println!("announced: {total} cut points");
    assert!(total > 500);
}
