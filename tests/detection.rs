//! What detectors found and learned, over reboots and owners.

#[path = "unit/hardware.rs"]
mod unit;

use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure},
        crypto::Sha256,
        hal::Millis,
    },
    device::{Baseline, Booted, Device, DeviceError, Hardware, Memory, Owned, Product},
    telemetry::{
        detect::{Churn, INTEGRITY, Mode, Policy},
        registry,
    },
};
use iotsec_testkit::{Geometry, Power, SimFlash, SimRng, Violation, each_cut};

registry!(static EVENTS = [INTEGRITY]);

const NOW: Millis = Millis::from_secs(60);

type Unit<'w> = Device<'w, Owned, &'w mut SimFlash, SimRng, 8>;

#[derive(Clone)]
struct World {
    flash: SimFlash,
    label: String,
    seed: u64,
}

impl iotsec_testkit::World for World {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

impl World {
    fn new() -> Self {
        let password = DevicePassword::generate(Exposure::Online, &mut SimRng::new(99)).unwrap();
        let mut world = Self {
            flash: SimFlash::new(Geometry::small(40)),
            label: password.label().as_str().to_owned(),
            seed: 0,
        };
        let label = world.label.clone();
        world.hardware(|product, hardware, memory| {
            let device = Device::<_, _, _, 8>::format(product, hardware, memory).unwrap();
            let (device, _) = device.provision("SN-1", &password).map_err(|(_, e)| e).unwrap();
            let code = Attempt::from_label(&label).unwrap();
            device.claim(&code, NOW).map(drop).map_err(|(_, e)| e).unwrap();
        });
        world
    }

    fn hardware<T>(
        &mut self,
        work: impl for<'w> FnOnce(Product<'w>, Hardware<'w, &'w mut SimFlash, SimRng>, Memory<'w>) -> T,
    ) -> T {
        let events = EVENTS.hashed(&mut Sha256::new());
        unit::boot(&mut self.flash, &mut self.seed, events, work)
    }

    fn boot<T>(&mut self, work: impl FnOnce(Unit<'_>) -> Result<T, DeviceError>) -> Result<T, DeviceError> {
        self.hardware(
            |product, hardware, memory| match Booted::open(product, hardware, memory)? {
                Booted::Owned(device) => work(device),
                other => panic!("{other:?}"),
            },
        )
    }

    /// Somebody changed the software.
    fn alarm(&mut self) -> Result<(), DeviceError> {
        self.boot(|mut device| {
            let mut guard = device.guard(&Policy::DEFAULT, NOW)?;
            let change = guard.note(&INTEGRITY, NOW).unwrap();
            assert_eq!(change.mode, Mode::LeastConnectivity);
            device.keep_guard(&guard)
        })
    }

    fn mode(&mut self) -> Mode {
        let mode = self.boot(|mut device| Ok(device.guard(&Policy::DEFAULT, NOW)?.mode()));
        mode.unwrap()
    }
}

#[test]
fn the_mode_outlives_reboots_and_power_cuts_and_the_owner_ends_it() {
    let new = World::new();
    let (mut before, mut after) = (0, 0);
    let points = each_cut(
        || new.clone(),
        World::alarm,
        |world, outcome| match world.mode() {
            Mode::LeastConnectivity => after += 1,
            Mode::Normal => {
                assert!(outcome.result.is_err());
                before += 1;
            }
            other => panic!("{other:?}"),
        },
    );
    println!("{points} cut points, {before} in normal mode, {after} in least connectivity");
    assert!(before > 0 && after > 0);

    let mut world = new;
    world.alarm().unwrap();
    let label = world.label.clone();
    world
        .boot(|mut device| {
            let owner = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
            let mut guard = device.guard(&Policy::DEFAULT, NOW)?;
            assert_eq!(guard.release(owner, NOW).unwrap().mode, Mode::Normal);
            device.keep_guard(&guard)
        })
        .unwrap();
    assert_eq!(world.mode(), Mode::Normal);
}

#[test]
fn a_reset_does_not_bring_a_device_back_from_least_connectivity_and_takes_what_it_learned_of_its_owner() {
    let mut world = World::new();
    world.alarm().unwrap();
    let learned = {
        let mut broken = Churn::reconnects(4, None, Millis(0));
        for hour in 0..200 {
            let _ = broken.happened(Millis::from_secs(3600 * hour));
        }
        assert!(broken.is_warm());
        broken.record()
    };
    world
        .boot(|mut device| {
            assert_eq!(device.baseline(Baseline::Reconnects)?, None);
            device.keep_baseline(Baseline::Reconnects, &learned)
        })
        .unwrap();
    world
        .boot(|mut device| {
            let kept = device.baseline(Baseline::Reconnects)?;
            assert_eq!(kept, Some(learned));
            assert!(Churn::reconnects(4, kept.as_ref(), Millis(0)).is_warm());
            // Each has a place of its own.
            assert_eq!(device.baseline(Baseline::Traffic)?, None);
            device.keep_baseline(Baseline::Traffic, &[7; 23])?;
            assert_eq!(device.baseline(Baseline::Reconnects)?, Some(learned));
            assert_eq!(device.baseline(Baseline::Traffic)?, Some([7; 23]));
            Ok(())
        })
        .unwrap();
    let label = world.label.clone();
    world
        .boot(|mut device| {
            let code = Attempt::from_label(&label).unwrap();
            let owner = device.login(&code, NOW)?;
            let device = device.reset(owner).map_err(|(_, error)| error)?;
            let mut device = device.claim(&code, NOW).map_err(|(_, error)| error)?;
            assert_eq!(device.baseline(Baseline::Reconnects)?, None);
            Ok(())
        })
        .unwrap();
    assert_eq!(world.mode(), Mode::LeastConnectivity);
}
