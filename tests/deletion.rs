//! What a device has sent under its identifiers is asked back, whenever the power goes; nothing of it is left behind.

#[path = "unit/hardware.rs"]
mod unit;

use std::collections::BTreeSet;

use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure},
        crypto::{ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sha256, Sign},
        hal::{Millis, UnixTime},
        secret::Secret,
    },
    device::{Booted, Device, DeviceError, Hardware, Memory, Moment, Product},
    erase::Keeper,
    store::Scrub,
    telemetry::{
        batch::BatchKey,
        consent::{Health, Usage},
        deletion::{Deleted, Remains, Request},
        error::{DeletionError, TrailError},
        pseudonym::{Epoch, Pseudonym},
        registry,
        registry::{Class, EventDef, Field, Purpose},
    },
};
use iotsec_testkit::{Geometry, Power, SimFlash, SimRng, Violation, World, each_cut, two_cuts_sampled};

const STEPS: EventDef = EventDef::new(
    1,
    "steps",
    Class::Usage,
    "A test",
    &[Field::number("n", "1", 0, 4_000_000_000)],
);
registry!(static EVENTS = [STEPS]);

const NOW: Millis = Millis::from_secs(3600);
const PAGE: usize = 256;
const PURPOSES: [Purpose; 3] = [Purpose::Security, Purpose::Health, Purpose::Usage];

/// What outlives a power cut, and what left the device.
#[derive(Clone)]
struct Unit {
    flash: SimFlash,
    label: String,
    telemetry: [u8; 32],
    seed: u64,
    /// What the service files events under.
    sent: BTreeSet<(u8, Pseudonym)>,
    /// What the service was asked to delete.
    asked: BTreeSet<(u8, Pseudonym)>,
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
type Owned<'w> = Device<'w, iotsec::device::Owned, &'w mut SimFlash, SimRng, 16>;

fn service() -> (Ed25519SigningKey, Ed25519PublicKey) {
    let signer = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
    let anchor = Ed25519PublicKey::from_bytes(signer.public_key()).unwrap();
    (signer, anchor)
}

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

    fn owned<T>(&mut self, work: impl FnOnce(Owned<'_>) -> Result<T, DeviceError>) -> Result<T, DeviceError> {
        self.open(|unit| match unit {
            Booted::Owned(device) => work(device),
            other => panic!("{other:?}"),
        })
    }

    fn is_owned(&mut self) -> bool {
        self.open(|unit| Ok(matches!(unit, Booted::Owned(_)))).unwrap()
    }

    /// A unit that has just got its owner.
    fn claimed() -> Self {
        let password = DevicePassword::generate(Exposure::Online, &mut SimRng::new(99)).unwrap();
        let mut unit = Self {
            flash: SimFlash::new(Geometry::small(40)),
            label: password.label().as_str().to_owned(),
            telemetry: [0; 32],
            seed: 0,
            sent: BTreeSet::new(),
            asked: BTreeSet::new(),
        };
        unit.telemetry = unit.hardware(|product, hardware, memory| {
            let device = Device::<_, _, _, 16>::format(product, hardware, memory).unwrap();
            let provisioned = device.provision("SN-1", &password);
            let (_, enrolment) = provisioned.map_err(|(_, error)| error).unwrap();
            *enrolment.telemetry.expose()
        });
        unit.claim().unwrap();
        unit
    }

    fn claim(&mut self) -> Result<(), DeviceError> {
        let label = self.label.clone();
        self.open(|unit| {
            let Booted::Provisioned(device) = unit else {
                panic!("{unit:?}")
            };
            let code = Attempt::from_label(&label).unwrap();
            device.claim(&code, NOW).map(|_| ()).map_err(|(_, error)| error)
        })
    }

    /// The owner agrees to everything.
    fn agree(&mut self) -> Result<(), DeviceError> {
        let label = self.label.clone();
        self.owned(|mut device| {
            let owner = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
            device.grant::<Health>(&owner, 1, None)?;
            device.grant::<Usage>(&owner, 1, None)
        })
    }

    /// Events are filed in two epochs, and some wait.
    fn report(&mut self) -> Result<(), DeviceError> {
        let mut sent = self.sent.clone();
        let done = self.owned(|mut device| {
            for (purpose, epoch) in PURPOSES
                .into_iter()
                .flat_map(|purpose| [(purpose, 9), (purpose, 8)])
            {
                let pseudonym = device.pseudonym(purpose, Epoch(epoch))?;
                // From here on it may have left.
                sent.insert((purpose.number(), pseudonym));
            }
            device.record(&STEPS, &[3_141_592_653u32.into()], NOW)?;
            device.keep_events(Class::Usage, &mut [0; 256])
        });
        self.sent = sent;
        done
    }

    fn withdraw(&mut self) -> Result<(), DeviceError> {
        self.owned(|mut device| device.withdraw::<Usage>(Some(UnixTime(1))))
    }

    fn reset(&mut self) -> Result<(), DeviceError> {
        let label = self.label.clone();
        self.owned(|mut device| {
            let owner = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
            let mut device = device.reset(owner).map_err(|(_, error)| error)?;
            while device.scrub_step()? == Scrub::Pending {}
            Ok(())
        })
    }

    /// Sends what is due and takes the service's receipts, until nothing waits.
    fn settle(&mut self) -> Result<(), DeviceError> {
        let (key, mut asked) = (Secret::from_bytes(self.telemetry), self.asked.clone());
        let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
        let (signer, anchor) = service();
        let mut hash = Sha256::new();
        let mut answer = |sealed: &[u8]| {
            let request = key.open_request(sealed).unwrap();
            let named = request.pseudonyms(&HkdfSha256).map(Result::unwrap);
            asked.extend(named.map(|pseudonym| (request.purpose().number(), pseudonym)));
            let deleted = Deleted::of(
                &request,
                UnixTime(1_790_000_000),
                3,
                Remains::AGGREGATED,
                &mut Sha256::new(),
            );
            let mut out = [0; Deleted::MAX_LEN];
            deleted.sign(&signer, &mut out).unwrap().to_vec()
        };
        macro_rules! settle {
            ($device:expr) => {{
                let mut out = [0; Request::SEALED_LEN];
                while let Some(sealed) = $device.deletion_request(&mut out)? {
                    let receipt = answer(sealed);
                    let deleted = $device.acknowledge_deletion(&receipt, &anchor, &mut hash)?;
                    assert_eq!(deleted.events, 3);
                }
                while $device.scrub_step()? == Scrub::Pending {}
                Ok(())
            }};
        }
        let done = self.open(|unit| match unit {
            Booted::Owned(mut device) => settle!(device),
            Booted::Provisioned(mut device) => settle!(device),
            other => panic!("{other:?}"),
        });
        self.asked = asked;
        done
    }

    /// Purposes whose identifiers were sent and not asked back.
    fn left(&self) -> Vec<u8> {
        let left = self.sent.difference(&self.asked);
        left.map(|(purpose, _)| *purpose).collect()
    }

    fn requests(&mut self) -> usize {
        self.open(|unit| {
            let count = |holding: iotsec::erase::Holding| {
                (holding.place.keeper() == Keeper::Requests).then_some(holding.values)
            };
            Ok(match unit {
                Booted::Owned(device) => device.personal_data().find_map(count),
                Booted::Provisioned(device) => device.personal_data().find_map(count),
                other => panic!("{other:?}"),
            })
        })
        .unwrap()
        .unwrap()
    }

    /// Runs of 24 bytes that records left in the data pages; see `tests/erasure.rs`.
    fn traces(&self) -> BTreeSet<Vec<u8>> {
        // The first page has the key of the user domain, which an acknowledgement leaves alone.
        let pages = self.flash.image().chunks(PAGE).skip(1);
        let bodies = pages.map(|bytes| &bytes[64..]);
        let runs = bodies.flat_map(|body| body.windows(24));
        let blank = |run: &[u8]| run.iter().filter(|byte| matches!(byte, 0x00 | 0xFF)).count();
        let written = runs.filter(|run| blank(run) <= 16);
        written.map(<[u8]>::to_vec).collect()
    }
}

#[test]
fn whatever_was_sent_is_asked_back_whenever_the_power_goes() {
    let claimed = Unit::claimed();
    let whole_life = |unit: &mut Unit| {
        unit.agree()?;
        unit.report()?;
        unit.withdraw()?;
        unit.reset()
    };
    let (mut with_owner, mut without) = (0, 0);
    let points = each_cut(
        || claimed.clone(),
        whole_life,
        |unit, _| {
            if unit.is_owned() {
                with_owner += 1;
                // Whatever had become of it, the owner leaves now.
                unit.reset().unwrap();
            } else {
                without += 1;
            }
            unit.settle().unwrap();
            assert_eq!(unit.left(), [0; 0], "sent and never asked back");
            assert_eq!(unit.requests(), 0);
        },
    );
    println!("{points} cut points: {with_owner} found with an owner, {without} without");
    assert!(with_owner > 0 && without > 0);
}

#[test]
fn a_reset_that_was_cut_wiped_nothing_or_has_every_request() {
    let mut lived_in = Unit::claimed();
    lived_in.agree().unwrap();
    lived_in.report().unwrap();
    let (mut stayed, mut gone) = (0, 0);
    let pairs = two_cuts_sampled(
        5,
        || lived_in.clone(),
        Unit::reset,
        // The next boot, cut too.
        |unit| {
            let _ = unit.open(|_| Ok(()));
        },
        |unit, _| {
            if unit.is_owned() {
                stayed += 1;
                // Nothing was asked, and everything is there.
                unit.settle().unwrap();
                assert_eq!(unit.asked.len(), 0);
                unit.owned(|device| {
                    assert!(device.consent::<Usage>().is_some() && device.queue().len() == 1);
                    Ok(())
                })
                .unwrap();
            } else {
                gone += 1;
                assert_eq!(unit.requests(), 3);
                unit.settle().unwrap();
                assert_eq!(unit.left(), [0; 0]);
            }
        },
    );
    println!("{pairs} pairs of cuts: {stayed} wiped nothing, {gone} had every request");
    assert!(stayed > 0 && gone > 0);
}

#[test]
fn a_withdrawal_that_was_cut_is_none_or_has_its_request() {
    let mut lived_in = Unit::claimed();
    lived_in.agree().unwrap();
    lived_in.report().unwrap();
    let (mut on, mut off) = (0, 0);
    each_cut(
        || lived_in.clone(),
        Unit::withdraw,
        |unit, outcome| {
            let is_on = unit
                .owned(|device| Ok(device.consent::<Usage>().is_some()))
                .unwrap();
            unit.settle().unwrap();
            let asked: BTreeSet<u8> = unit.asked.iter().map(|(purpose, _)| *purpose).collect();
            if is_on {
                on += 1;
                assert!(outcome.result.is_err() && asked.is_empty());
            } else {
                off += 1;
                assert_eq!(asked, BTreeSet::from([Purpose::Usage.number()]));
                assert!(
                    unit.left()
                        .iter()
                        .all(|purpose| *purpose != Purpose::Usage.number())
                );
            }
        },
    );
    assert!(on > 0 && off > 0);
}

#[test]
fn an_acknowledgement_that_was_cut_loses_no_other_request() {
    let mut leaving = Unit::claimed();
    leaving.agree().unwrap();
    leaving.report().unwrap();
    leaving.reset().unwrap();
    let points = each_cut(
        || leaving.clone(),
        Unit::settle,
        |unit, _| {
            // Asking twice does no harm.
            unit.settle().unwrap();
            assert_eq!((unit.left(), unit.requests()), (vec![], 0));
        },
    );
    println!("{points} cut points");
}

#[test]
fn raw_flash_holds_nothing_of_it_once_the_service_has_answered() {
    let mut unit = Unit::claimed();
    unit.agree().unwrap();
    unit.report().unwrap();
    let before = unit.traces();
    assert!(before.len() > 1000, "only {} runs", before.len());
    unit.reset().unwrap();
    assert_eq!(unit.requests(), 3);
    let waiting = unit.traces();
    unit.settle().unwrap();
    let after = unit.traces();
    assert_eq!(before.intersection(&after).count(), 0);
    assert_eq!(
        waiting.intersection(&after).count(),
        0,
        "of the requests that waited"
    );
    // What would be in the open, were it not sealed: identifiers, the key, a value that waited.
    let image = unit.flash.image().to_vec();
    let is_there = |bytes: &[u8]| image.windows(bytes.len()).any(|window| window == bytes);
    for (_, pseudonym) in &unit.sent {
        assert!(!is_there(pseudonym.as_bytes()));
    }
    assert!(!is_there(&unit.telemetry));
    for canary in [3_141_592_653u32.to_be_bytes(), 3_141_592_653u32.to_le_bytes()] {
        assert!(!is_there(&canary));
    }
    // The search finds what is there.
    assert!(is_there(&image[300..316]));
    println!(
        "{} and {} runs of ciphertext before, none of them after",
        before.len(),
        waiting.len()
    );
}

#[test]
fn the_next_owner_has_other_identifiers_and_the_requests_of_the_last_still_go_out() {
    let mut unit = Unit::claimed();
    unit.agree().unwrap();
    unit.report().unwrap();
    let first = unit.sent.clone();
    unit.reset().unwrap();
    unit.claim().unwrap();
    unit.agree().unwrap();
    unit.report().unwrap();
    assert_eq!((first.len(), unit.sent.len()), (6, 12));
    assert_eq!(unit.requests(), 6);
    // A third has no places left until the service answers; what they report has no identifier.
    unit.reset().unwrap();
    unit.claim().unwrap();
    let refused = unit.owned(|mut device| device.pseudonym(Purpose::Security, Epoch(9)));
    assert_eq!(refused, Err(DeviceError::Trail(TrailError::Full)));
    unit.settle().unwrap();
    assert_eq!(unit.left(), [0; 0]);
    unit.owned(|mut device| device.pseudonym(Purpose::Security, Epoch(9)).map(drop))
        .unwrap();
}

#[test]
fn a_receipt_of_anybody_else_changes_nothing() {
    let mut unit = Unit::claimed();
    unit.agree().unwrap();
    unit.report().unwrap();
    let (signer, anchor) = service();
    unit.owned(|mut device| {
        let mut hash = Sha256::new();
        assert_eq!(
            device.acknowledge_deletion(b"", &anchor, &mut hash),
            Err(DeviceError::NotAsked)
        );
        device.withdraw::<Usage>(None)?;
        let deleted = Deleted {
            request: [0; 32],
            purpose: Purpose::Usage,
            time: UnixTime(1),
            events: 1,
            remains: Remains::NOTHING,
        };
        let mut out = [0; Deleted::MAX_LEN];
        let receipt = deleted.sign(&signer, &mut out).unwrap();
        assert_eq!(
            device.acknowledge_deletion(receipt, &anchor, &mut hash),
            Err(DeviceError::ServiceReceipt(DeletionError::Request))
        );
        let mut out = [0; Request::SEALED_LEN];
        assert!(device.deletion_request(&mut out)?.is_some());
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_device_is_not_retired_while_the_service_has_its_data() {
    let mut unit = Unit::claimed();
    unit.agree().unwrap();
    unit.report().unwrap();
    let label = unit.label.clone();
    let login = |device: &mut Owned<'_>| device.login(&Attempt::from_label(&label).unwrap(), NOW);
    unit.owned(|mut device| {
        let owner = login(&mut device)?;
        let (mut device, error) = device.retire(owner).map(drop).unwrap_err();
        assert_eq!(error, DeviceError::Unacknowledged);
        let owner = login(&mut device)?;
        for purpose in PURPOSES {
            device.ask_deletion(&owner, purpose)?;
        }
        Ok(())
    })
    .unwrap();
    let mut unheard = unit.clone();
    unit.settle().unwrap();
    assert_eq!(unit.left(), [0; 0]);
    unit.owned(|mut device| {
        let owner = login(&mut device)?;
        device.retire(owner).map(drop).map_err(|(_, error)| error)
    })
    .unwrap();
    // The service is gone for good.
    unheard
        .owned(|mut device| {
            let owner = login(&mut device)?;
            device.abandon_deletions(&owner)?;
            device.retire(owner).map(drop).map_err(|(_, error)| error)
        })
        .unwrap();
}

#[test]
fn an_orphaned_device_still_asks() {
    let mut unit = Unit::claimed();
    unit.agree().unwrap();
    unit.report().unwrap();
    // The key of the user domain decays.
    unit.flash.tamper(40, &[0x5A; 8]);
    let label = unit.label.clone();
    unit.open(|unit| {
        let Booted::Orphaned(device) = unit else {
            panic!("{unit:?}")
        };
        let code = Attempt::from_label(&label).unwrap();
        let reset = device.reset_orphan(&code, NOW, Moment::default());
        reset.map(drop).map_err(|(_, error)| error)
    })
    .unwrap();
    assert_eq!(unit.requests(), 3);
    unit.settle().unwrap();
    assert_eq!(unit.left(), [0; 0]);
}
