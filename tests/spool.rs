//! A device whose telemetry waits in flash: over reboots, under an owner's consent, and gone with the owner.

#[path = "unit/hardware.rs"]
mod unit;

use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure},
        crypto::Sha256,
        hal::{Millis, Region},
    },
    device::{Booted, Device, DeviceError, Hardware, Memory, Owned, Product},
    store::{KeyDomain, KeyId},
    telemetry::{
        batch::{SizeClass, Sizes},
        consent::Usage,
        detect::BOOT_LOOP,
        error::SpoolError,
        registry,
        registry::{Class, EventDef, Field},
        spool::{Purge, Quotas, Spool},
    },
};
use iotsec_testkit::{Geometry, SimFlash, SimRng};

const STEPS: EventDef = EventDef::new(
    1,
    "steps",
    Class::Usage,
    "A test",
    &[Field::number("n", "1", 0, 100_000)],
);
registry!(static EVENTS = [STEPS, BOOT_LOOP]);

const SPOOL_KEY: KeyId = KeyId::new(KeyDomain::User, 2, 1);
const USAGE_KEY: KeyId = KeyId::new(KeyDomain::User, 2, 2);
const QUOTAS: Quotas = Quotas {
    journal: 2,
    critical: 2,
    security: 2,
    health: 2,
    usage: 2,
};
const NOW: Millis = Millis::from_secs(60);

type Unit<'w, S> = Device<'w, S, &'w mut SimFlash, SimRng, 8>;

struct World {
    flash: SimFlash,
    label: String,
    seed: u64,
}

impl World {
    /// A device of an owner who has agreed to usage data. The store has the first eight pages.
    fn new() -> Self {
        let password = DevicePassword::generate(Exposure::Online, &mut SimRng::new(99)).unwrap();
        let mut world = Self {
            flash: SimFlash::new(Geometry::nrf52840(18)),
            label: password.label().as_str().to_owned(),
            seed: 0,
        };
        world.hardware(|product, hardware, memory, label| {
            let device = Device::<_, _, _, 8>::format(product, hardware, memory).unwrap();
            let (device, _) = device.provision("SN-1", &password).map_err(|(_, e)| e).unwrap();
            claim(
                device
                    .claim(&Attempt::from_label(label).unwrap(), NOW)
                    .map_err(|(_, e)| e)
                    .unwrap(),
                label,
            );
        });
        world
    }

    fn hardware<T>(
        &mut self,
        work: impl for<'w> FnOnce(Product<'w>, Hardware<'w, &'w mut SimFlash, SimRng>, Memory<'w>, &str) -> T,
    ) -> T {
        let label = self.label.clone();
        let events = EVENTS.hashed(&mut Sha256::new());
        unit::boot(
            &mut self.flash,
            &mut self.seed,
            events,
            |product, hardware, memory| {
                let store = Region::new(0, 4096, 8, 4).unwrap();
                work(Product { store, ..product }, hardware, memory, &label)
            },
        )
    }

    /// One boot of the owned device, with its spool.
    fn boot<T>(&mut self, work: impl FnOnce(&mut Unit<'_, Owned>, &mut Spool<'_>, &str) -> T) -> T {
        self.hardware(|product, hardware, memory, label| {
            let Booted::Owned(mut device) = Booted::open(product, hardware, memory).unwrap() else {
                panic!("no owner")
            };
            let mut spool = device.mount_spool(region(), QUOTAS, SPOOL_KEY).unwrap();
            if device.consent::<Usage>().is_some() {
                device.unlock_spool::<Usage>(&mut spool, USAGE_KEY).unwrap();
            }
            while device.purge_spool(&mut spool).unwrap() == Purge::Pending {}
            work(&mut device, &mut spool, label)
        })
    }
}

fn claim(mut device: Unit<'_, Owned>, label: &str) {
    let owner = device.login(&Attempt::from_label(label).unwrap(), NOW).unwrap();
    device.grant::<Usage>(&owner, 1, None).unwrap();
}

fn region() -> Region {
    Region::new(8 * 4096, 4096, 10, 4).unwrap()
}

/// The pages of class usage in the raw flash.
fn usage_is_erased(world: &World) -> bool {
    world.flash.image()[16 * 4096..].iter().all(|byte| *byte == 0xFF)
}

fn send(device: &mut Unit<'_, Owned>, spool: &mut Spool<'_>) -> usize {
    let (mut scratch, mut out) = ([0; 512], [0; 512]);
    let sizes = Sizes::up_to(SizeClass::B512);
    let sealed = device.batch_of(spool, sizes, &mut scratch, &mut out).unwrap();
    let Some(sealed) = sealed else { return 0 };
    let (events, receipt) = (sealed.events(), sealed.into_receipt());
    device.acknowledge_in(spool, receipt).unwrap();
    events
}

#[test]
fn events_wait_over_reboots_and_leave_once() {
    let mut world = World::new();
    for boot in 0..3u32 {
        world.boot(|device, spool, _| {
            device.record_in(spool, &STEPS, &[boot.into()], NOW).unwrap();
            device.record_in(spool, &BOOT_LOOP, &[3.into()], NOW).unwrap();
        });
    }
    assert_eq!(world.boot(|device, spool, _| send(device, spool)), 6);
    assert_eq!(
        world.boot(|device, spool, _| (spool.len(), send(device, spool))),
        (0, 0)
    );
}

#[test]
fn a_withdrawal_takes_the_key_and_the_pages_and_leaves_the_rest() {
    let mut world = World::new();
    world.boot(|device, spool, _| {
        for steps in 0..50u32 {
            device.record_in(spool, &STEPS, &[steps.into()], NOW).unwrap();
        }
        device.record_in(spool, &BOOT_LOOP, &[3.into()], NOW).unwrap();
    });
    assert!(!usage_is_erased(&world));
    world.boot(|device, spool, _| {
        device.withdraw::<Usage>(None).unwrap();
        device.remove(USAGE_KEY).unwrap();
        let refused = device.record_in(spool, &STEPS, &[1.into()], NOW);
        assert!(matches!(refused, Err(DeviceError::Spool(SpoolError::Record(_)))));
        // The power goes before the purge.
    });
    world.boot(|device, spool, _| assert_eq!((spool.len_of(Class::Usage), send(device, spool)), (0, 1)));
    assert!(usage_is_erased(&world));
}

#[test]
fn with_the_owner_everything_that_waits_is_gone() {
    let mut world = World::new();
    world.boot(|device, spool, _| {
        device.record_in(spool, &STEPS, &[1.into()], NOW).unwrap();
        device.record_in(spool, &BOOT_LOOP, &[3.into()], NOW).unwrap();
    });
    world.hardware(|product, hardware, memory, label| {
        let Booted::Owned(mut device) = Booted::open(product, hardware, memory).unwrap() else {
            panic!("no owner")
        };
        let owner = device.login(&Attempt::from_label(label).unwrap(), NOW).unwrap();
        let device = device.reset(owner).map_err(|(_, error)| error).unwrap();
        claim(
            device
                .claim(&Attempt::from_label(label).unwrap(), NOW)
                .map_err(|(_, e)| e)
                .unwrap(),
            label,
        );
    });
    world.boot(|device, spool, _| assert_eq!((spool.len(), send(device, spool)), (0, 0)));
}

#[test]
fn keys_and_regions_of_others_are_refused() {
    let mut world = World::new();
    world.boot(|device, _, _| {
        let device_key = KeyId::new(KeyDomain::Device, 2, 1);
        let refused = device.mount_spool(region(), QUOTAS, device_key);
        assert!(matches!(refused, Err(DeviceError::Reserved)));
        let on_the_store = Region::new(4 * 4096, 4096, 10, 4).unwrap();
        let refused = device.mount_spool(on_the_store, QUOTAS, SPOOL_KEY);
        assert!(matches!(refused, Err(DeviceError::Spool(SpoolError::Layout))));
    });
}
