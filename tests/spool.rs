//! A device whose telemetry waits in flash: over reboots, under an owner's consent, and gone with the owner.

#[path = "unit/hardware.rs"]
mod unit;

use std::collections::BTreeSet;

use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure},
        crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
        hal::{Millis, Region},
        secret::Secret,
    },
    device::{Booted, Device, DeviceError, Hardware, Memory, Owned, Product},
    telemetry::{
        batch::{BatchKey, SizeClass, Sizes},
        consent::Usage,
        detect::BOOT_LOOP,
        error::SpoolError,
        queue::EventId,
        registry,
        registry::{Class, EventDef, Field},
        spool::{Purge, Quotas, Spool},
    },
};
use iotsec_testkit::{Geometry, Power, SimFlash, SimRng, Violation, each_cut};

const STEPS: EventDef = EventDef::new(
    1,
    "steps",
    Class::Usage,
    "A test",
    &[Field::number("n", "1", 0, 100_000)],
);
registry!(static EVENTS = [STEPS, BOOT_LOOP]);

const QUOTAS: Quotas = Quotas {
    journal: 2,
    critical: 2,
    security: 2,
    health: 2,
    usage: 2,
};
const NOW: Millis = Millis::from_secs(60);

type Unit<'w, S> = Device<'w, S, &'w mut SimFlash, SimRng, 8>;

#[derive(Clone)]
struct World {
    flash: SimFlash,
    label: String,
    seed: u64,
    /// The key that the service has.
    telemetry: [u8; 32],
    log: Log,
}

/// Boot and sequence of events.
/// Purpose, boot, sequence number.
type Ids = BTreeSet<(u8, u32, u32)>;

/// What the application and the service saw.
#[derive(Clone, Default, Debug)]
struct Log {
    /// Recording returned.
    recorded: Ids,
    /// Recording began.
    begun: u32,
    arrived: Ids,
    /// The device has taken note that they arrived.
    confirmed: Ids,
    withdrawn: bool,
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
    /// A device of an owner who has agreed to usage data. The store has the first eight pages.
    fn new() -> Self {
        let password = DevicePassword::generate(Exposure::Online, &mut SimRng::new(99)).unwrap();
        let mut world = Self {
            flash: SimFlash::new(Geometry::nrf52840(18)),
            label: password.label().as_str().to_owned(),
            seed: 0,
            telemetry: [0; 32],
            log: Log::default(),
        };
        world.telemetry = world.hardware(|product, hardware, memory, label| {
            let device = Device::<_, _, _, 8>::format(product, hardware, memory).unwrap();
            let (device, enrolment) = device.provision("SN-1", &password).map_err(|(_, e)| e).unwrap();
            claim(
                device
                    .claim(&Attempt::from_label(label).unwrap(), NOW)
                    .map_err(|(_, e)| e)
                    .unwrap(),
                label,
            );
            *enrolment.telemetry.expose()
        });
        world
    }

    /// A boot in which events are recorded and sent, in which the power may go at any write.
    fn day(&mut self) -> Result<(), DeviceError> {
        let (mut log, telemetry) = (core::mem::take(&mut self.log), Secret::from_bytes(self.telemetry));
        let done = self.hardware(|product, hardware, memory, _| {
            let Booted::Owned(mut device) = Booted::open(product, hardware, memory)? else {
                panic!("no owner")
            };
            let mut spool = device.mount_spool(region(), QUOTAS)?;
            if device.consent::<Usage>().is_some() {
                device.unlock_spool::<Usage>(&mut spool)?;
            }
            while device.purge_spool(&mut spool)? == Purge::Pending {}
            let mut record = |device: &mut Unit<'_, Owned>, log: &mut Log, event: &EventDef, value: u32| {
                log.begun += 1;
                let id = device.record_in(&mut spool, event, &[value.into()], NOW)?;
                log.recorded.insert(number(id));
                Ok::<_, DeviceError>(())
            };
            if device.consent::<Usage>().is_some() {
                record(&mut device, &mut log, &STEPS, 7)?;
            }
            record(&mut device, &mut log, &BOOT_LOOP, 3)?;
            record(&mut device, &mut log, &BOOT_LOOP, 4)?;
            for _ in 0..2 {
                deliver(&mut device, &mut spool, &telemetry, &mut log)?;
                log.begun += 1;
                let id = device.record_in(&mut spool, &BOOT_LOOP, &[5.into()], NOW)?;
                log.recorded.insert(number(id));
            }
            if device.consent::<Usage>().is_some() {
                device.record_in(&mut spool, &STEPS, &[8.into()], NOW)?;
            }
            device.withdraw::<Usage>(None)?;
            log.withdrawn = true;
            while device.purge_spool(&mut spool)? == Purge::Pending {}
            Ok(())
        });
        self.log = log;
        done
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
            let mut spool = device.mount_spool(region(), QUOTAS).unwrap();
            if device.consent::<Usage>().is_some() {
                device.unlock_spool::<Usage>(&mut spool).unwrap();
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
    let mut events = 0;
    loop {
        let (mut scratch, mut out) = ([0; 512], [0; 512]);
        let sizes = Sizes::up_to(SizeClass::B512);
        let sealed = device.batch_of(spool, sizes, &mut scratch, &mut out).unwrap();
        let Some(sealed) = sealed else { return events };
        events += sealed.events();
        let receipt = sealed.into_receipt();
        device.acknowledge_in(spool, receipt).unwrap();
    }
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

fn number(id: EventId) -> (u8, u32, u32) {
    (id.purpose.number(), id.boot, id.sequence)
}

/// Sends one batch and acknowledges it.
fn deliver(
    device: &mut Unit<'_, Owned>,
    spool: &mut Spool<'_>,
    telemetry: &Secret<32>,
    log: &mut Log,
) -> Result<bool, DeviceError> {
    let (mut scratch, mut out, mut plain) = ([0; 512], [0; 512], [0; 512]);
    let sizes = Sizes::up_to(SizeClass::B512);
    let Some(sealed) = device.batch_of(spool, sizes, &mut scratch, &mut out)? else {
        return Ok(false);
    };
    let key = BatchKey::new(telemetry, &ChaCha20Poly1305, &HkdfSha256);
    let registry = EVENTS.hashed(&mut Sha256::new());
    let batch = key
        .open(sealed.bytes(), &mut plain)
        .unwrap()
        .read(&registry)
        .unwrap();
    let ids: Ids = batch.events().map(|event| number(event.id())).collect();
    assert!(
        ids.is_disjoint(&log.confirmed),
        "what was acknowledged comes again: {log:?}"
    );
    if log.withdrawn {
        assert!(
            batch
                .events()
                .all(|event| event.definition().class() != Class::Usage)
        );
    }
    log.arrived.extend(&ids);
    let receipt = sealed.into_receipt();
    device.acknowledge_in(spool, receipt)?;
    log.confirmed.extend(ids);
    Ok(true)
}

#[test]
fn power_that_goes_at_any_write_loses_nothing_that_was_recorded_and_repeats_nothing_that_was_acknowledged() {
    let new = World::new();
    let points = each_cut(
        || new.clone(),
        World::day,
        |world, outcome| {
            let withdrawn = world.log.withdrawn;
            if outcome.result.is_ok() {
                assert!(withdrawn);
            }
            // The next boots.
            let mut log = core::mem::take(&mut world.log);
            let telemetry = Secret::from_bytes(world.telemetry);
            let lost = world.boot(|device, spool, _| {
                while deliver(device, spool, &telemetry, &mut log).unwrap() {}
                let lost = Class::ALL.map(|class| spool.loss(class).count);
                lost.iter().sum::<u32>()
            });
            let consented = world.boot(|device, spool, _| {
                assert_eq!((spool.len(), send(device, spool)), (0, 0));
                device.consent::<Usage>().is_some()
            });
            assert!(!(withdrawn && consented));
            if consented {
                let missing: Vec<_> = log.recorded.difference(&log.arrived).collect();
                assert!(missing.is_empty(), "lost: {missing:?}");
            } else {
                assert!(usage_is_erased(world));
                // Two of usage at most go with the consent.
                assert!(log.recorded.difference(&log.arrived).count() <= 2);
            }
            // One cut: one event that is there or not.
            let heard = u32::try_from(log.arrived.len()).unwrap() + lost;
            assert!(heard <= log.begun + 1, "{heard} of {log:?}");
        },
    );
    println!("{points} cut points");
    assert!(points > 100);
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
fn the_region_of_the_store_is_refused() {
    let mut world = World::new();
    world.boot(|device, _, _| {
        let on_the_store = Region::new(4 * 4096, 4096, 10, 4).unwrap();
        let refused = device.mount_spool(on_the_store, QUOTAS);
        assert!(matches!(refused, Err(DeviceError::Spool(SpoolError::Layout))));
    });
}
