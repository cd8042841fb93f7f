//! Everything of the owner's goes, the power cut at every step, and the receipt says so; raw flash is searched.

#[path = "unit/hardware.rs"]
mod unit;

use std::{cell::RefCell, collections::BTreeSet};

use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure, Iterations, UserPassword},
        crypto::{
            Aead, AeadAlgorithm, Aes256GcmSiv, ChaCha20Poly1305, CryptoError, DIGEST_LEN, Ed25519PublicKey,
            Ed25519SigningKey, HkdfSha256, Kdf, NONCE_LEN, Sha256, Sign, TAG_LEN,
        },
        hal::{Millis, MonotonicCounter, Region, UnixTime},
        secret::Secret,
    },
    device::{
        Baseline, Booted, Device, DeviceError, Hardware, Memory, Moment, Product, Signing, State, Suite,
    },
    erase::{Erased, ErasedReceipt, Inventory, Keeper, Place, Reason, Scope},
    store::{KeyDomain, KeyId, Scrub, StoreError},
    telemetry::{
        consent::Usage,
        detect::{AUTH_BURST, BASELINE_RECORD_LEN},
        epsilon,
        error::{LedgerError, NoiseError},
        personal::Personal,
        privacy::{Allowance, Metric, Renewal},
        pseudonym::Epoch,
        registry,
        registry::{Aggregate, Class, EventDef, Field, Handling, MetricDef, Purpose},
        spool::{Purge, Quotas},
    },
};
use iotsec_testkit::{Geometry, Power, SimCounter, SimFlash, SimRng, Violation, World, each_cut};

const SLEPT: EventDef = EventDef::new(
    1,
    "slept",
    Class::Usage,
    "A test",
    &[Field::number("n", "1", 0, 0xFFFF_FFFF)],
);
const NIGHT: MetricDef = MetricDef::new(
    1,
    "night",
    "1",
    Purpose::Usage,
    "A test",
    Aggregate::RandomizedResponse {
        answers: &["no", "yes"],
        epsilon: epsilon!(1 / 1),
    },
);
registry!(static EVENTS = [SLEPT, AUTH_BURST], metrics [NIGHT], handling Handling::new("a@b.example", "Lamps Ltd", 9));

const NETWORK: KeyId = KeyId::new(KeyDomain::User, 1, 1);
const HABITS: KeyId = KeyId::new(KeyDomain::User, 2, 1);
const INVENTORY: Inventory = Inventory::new(&[
    Place::new(1, "name and password of the network", "to be online"),
    Place::new(2, "times at which the light goes on", "the owner's schedule"),
])
.unwrap();
const QUOTAS: Quotas = Quotas {
    journal: 2,
    critical: 2,
    security: 2,
    health: 2,
    usage: 2,
};
const NOW: Millis = Millis::from_secs(3600);
const WHEN: Moment = Moment {
    uptime: Some(NOW),
    time: Some(UnixTime(1_790_000_000)),
};
const CHOSEN: &str = "seven small otters swim";
const NONCE: &[u8] = b"asked at noon";
/// The application's two, owner, verifier, consents, network, kept events, two keys of the spool,
/// baselines, ledger and key of that.
const VALUES: u32 = 12;
const PAGE: usize = 256;
const PAGE_SIZE: u32 = 256;
const WORD: u32 = 4;
const STORE_PAGES: u32 = 48;
/// Of two pages of flash each.
const SPOOL_PAGES: u32 = 10;

/// Where events wait, behind the store.
fn spool_region() -> Region {
    Region::new(STORE_PAGES * PAGE_SIZE, 2 * PAGE_SIZE, SPOOL_PAGES, WORD).unwrap()
}

thread_local! {
    /// Keys, and what was sealed under them, while a test takes note of them.
    static SECRETS: RefCell<Option<[BTreeSet<Vec<u8>>; 2]>> = const { RefCell::new(None) };
}

/// Takes note of every secret that passes through it.
struct Recorder;

impl Recorder {
    fn key(bytes: &[u8]) {
        SECRETS.with_borrow_mut(|secrets| match secrets {
            Some([keys, _]) if bytes.len() >= 16 => _ = keys.insert(bytes.to_vec()),
            _ => {}
        });
    }
}

impl Aead for Recorder {
    fn algorithm(&self) -> AeadAlgorithm {
        Aes256GcmSiv.algorithm()
    }
    fn seal(
        &self,
        key: &Secret<32>,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN], CryptoError> {
        Self::key(key.expose());
        // Windows that cannot be in flash by chance.
        let telling = |run: &&[u8]| run.iter().filter(|byte| !matches!(byte, 0x00 | 0xFF)).count() >= 8;
        let runs = buffer.windows(12).filter(telling).map(<[u8]>::to_vec);
        SECRETS.with_borrow_mut(|secrets| {
            if let Some([_, plain]) = secrets {
                plain.extend(runs);
            }
        });
        Aes256GcmSiv.seal(key, nonce, aad, buffer)
    }
    fn open(
        &self,
        key: &Secret<32>,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), CryptoError> {
        Aes256GcmSiv.open(key, nonce, aad, buffer, tag)
    }
}

impl Kdf for Recorder {
    fn hkdf(&self, salt: &[u8], key: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        Self::key(key);
        HkdfSha256.hkdf(salt, key, info, out)?;
        Self::key(out);
        Ok(())
    }
    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; DIGEST_LEN], CryptoError> {
        Self::key(key);
        HkdfSha256.hmac(key, parts)
    }
}

const ALLOWANCE: Allowance = Allowance {
    per_metric: epsilon!(1 / 1),
    in_all: epsilon!(1 / 1),
    renewals: 1,
};

/// An answer in noise, under the ledger of the owner.
fn answer(
    device: &mut Owned<'_>,
    value: u32,
    counter: &mut dyn MonotonicCounter,
) -> Result<Vec<u8>, DeviceError> {
    let metric = Metric::new(&EVENTS.hashed(&mut Sha256::new()), &NIGHT).unwrap();
    device.with_budget(ALLOWANCE, counter, None, |budget, consents| {
        let consent = consents.live::<Usage>().ok_or(NoiseError::NotConsented)?;
        let report = Personal::<u32, Usage>::new(value).noise(&metric, &consent, budget)?;
        Ok(report.bytes().to_vec())
    })
}

/// What outlives a power cut.
#[derive(Clone)]
struct Unit {
    flash: SimFlash,
    label: String,
    identity: [u8; 32],
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
type Owned<'w> = Device<'w, iotsec::device::Owned, &'w mut SimFlash, SimRng, 16>;

fn make_key(seed: &Secret<32>) -> Result<Ed25519SigningKey, CryptoError> {
    Ok(Ed25519SigningKey::from_seed(seed))
}

impl Unit {
    fn hardware<T>(
        &mut self,
        work: impl for<'w> FnOnce(Product<'w>, Hardware<'w, &'w mut SimFlash, SimRng>, Memory<'w>) -> T,
    ) -> T {
        let events = EVENTS.hashed(&mut Sha256::new());
        unit::boot(
            &mut self.flash,
            &mut self.seed,
            events,
            |product, hardware, memory| {
                let store = Region::new(0, PAGE_SIZE, STORE_PAGES, WORD).unwrap();
                let suite = Suite {
                    storage: &Recorder,
                    wire: &ChaCha20Poly1305,
                    kdf: &Recorder,
                };
                work(
                    Product {
                        store,
                        suite,
                        ..product
                    },
                    hardware,
                    memory,
                )
            },
        )
    }

    fn open<T>(&mut self, work: impl FnOnce(Opened<'_>) -> Result<T, DeviceError>) -> Result<T, DeviceError> {
        self.hardware(|product, hardware, memory| work(Booted::open(product, hardware, memory)?))
    }

    fn owned<T>(&mut self, work: impl FnOnce(Owned<'_>) -> Result<T, DeviceError>) -> Result<T, DeviceError> {
        self.open(|unit| {
            let Booted::Owned(device) = unit else {
                panic!("{unit:?}")
            };
            work(device.with_inventory(INVENTORY))
        })
    }

    /// A unit whose owner has left something in every place.
    fn lived_in() -> Self {
        let password = DevicePassword::generate(Exposure::Online, &mut SimRng::new(99)).unwrap();
        let mut unit = Self {
            flash: SimFlash::new(Geometry::small((STORE_PAGES + 2 * SPOOL_PAGES) as usize)),
            label: password.label().as_str().to_owned(),
            identity: [0; 32],
            seed: 0,
        };
        unit.identity = unit.hardware(|product, hardware, memory| {
            let device = Device::<_, _, _, 16>::format(product, hardware, memory).unwrap();
            let (_, enrolment) = device
                .provision("SN-1", &password)
                .map_err(|(_, error)| error)
                .unwrap();
            *enrolment.identity.expose()
        });
        let label = unit.label.clone();
        unit.open(|unit| {
            let Booted::Provisioned(device) = unit else {
                panic!("{unit:?}")
            };
            let code = Attempt::from_label(&label).unwrap();
            device.claim(&code, NOW).map(|_| ()).map_err(|(_, error)| error)
        })
        .unwrap();
        unit.owned(|mut device| {
            let owner = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
            device.put(NETWORK, b"the owner's network")?;
            device.set_network(&owner, b"the network of the set-up")?;
            device.put(HABITS, b"up at six, in bed at ten")?;
            let chosen = UserPassword::new(CHOSEN, Exposure::Online, &[]).unwrap();
            device.set_password(&owner, &chosen, Iterations::MCU)?;
            device.grant::<Usage>(&owner, 1, None)?;
            device.record(&AUTH_BURST, &[0.into(), 5.into()], NOW)?;
            device.keep_events(Class::Security, &mut [0; 400])?;
            let mut spool = device.mount_spool(spool_region(), QUOTAS)?;
            device.unlock_spool::<Usage>(&mut spool)?;
            while device.purge_spool(&mut spool)? == Purge::Pending {}
            for night in 0..3u32 {
                device.record_in(&mut spool, &SLEPT, &[(0xC0FF_EE42 - night).into()], NOW)?;
                device.record_in(&mut spool, &AUTH_BURST, &[0.into(), 5.into()], NOW)?;
            }
            device.keep_baseline(Baseline::Traffic, &[7; BASELINE_RECORD_LEN])?;
            answer(&mut device, 1, &mut SimCounter::new()).map(drop)
        })
        .unwrap();
        unit
    }

    fn key(&self) -> Ed25519PublicKey {
        let key = Ed25519SigningKey::from_seed(&Secret::from_bytes(self.identity));
        Ed25519PublicKey::from_bytes(key.public_key()).unwrap()
    }

    fn verify<'a>(&self, receipt: &'a [u8]) -> ErasedReceipt<'a> {
        Erased::verify(receipt, &self.key(), Some(NONCE), &mut Sha256::new()).unwrap()
    }

    fn reset(&mut self) -> Result<(), DeviceError> {
        self.owned(|mut device| {
            let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
            let mut device = device.reset_at(owner, WHEN).map_err(|(_, error)| error)?;
            while device.scrub_step()? == Scrub::Pending {}
            while device.scrub_spool_step(spool_region())? == Purge::Pending {}
            Ok(())
        })
    }

    fn transfer(&mut self, code: &DevicePassword) -> Result<(), DeviceError> {
        self.owned(|mut device| {
            let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
            let transferred = device.transfer(owner, code, WHEN);
            transferred.map(|_| ()).map_err(|(_, error)| error)
        })
    }

    fn retire(&mut self) -> Result<(), DeviceError> {
        self.owned(|mut device| {
            let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
            let (key, mut hash) = (make_key, Sha256::new());
            let signing = Signing { key, hash: &mut hash };
            let mut device = device
                .retire_with_receipt(owner, WHEN, Some(NONCE), signing)
                .map_err(|(_, error)| error)?;
            while device.scrub_step()? == Scrub::Pending {}
            Ok(())
        })
    }

    /// The receipt of a device that was given up, once it is scrubbed.
    fn receipt(&mut self) -> Vec<u8> {
        self.open(|unit| {
            let Booted::Provisioned(mut device) = unit else {
                panic!("{unit:?}")
            };
            while device.scrub_step()? == Scrub::Pending {}
            let (mut out, mut hash) = ([0; Erased::MAX_LEN], Sha256::new());
            let (key, hash) = (make_key, &mut hash);
            Ok(device
                .receipt(Some(NONCE), Signing { key, hash }, &mut out)?
                .to_vec())
        })
        .unwrap()
    }

    /// Runs of 24 bytes that records or the user key left in flash: what stands behind the heads of the pages. A head
    /// begins with a salt that is the same in each.
    fn traces(&self) -> BTreeSet<Vec<u8>> {
        let pages = self.flash.image().chunks(PAGE).enumerate();
        let bodies = pages.map(|(page, bytes)| &bytes[if page == 0 { 24 } else { 64 }..]);
        let runs = bodies.flat_map(|body| body.windows(24));
        // A run at the edge of blank flash can be equal by chance.
        let blank = |run: &[u8]| run.iter().filter(|byte| matches!(byte, 0x00 | 0xFF)).count();
        let written = runs.filter(|run| blank(run) <= 16);
        written.map(<[u8]>::to_vec).collect()
    }
}

fn expected(reason: Reason, scope: Scope<'static>) -> Erased<'static> {
    Erased {
        reason,
        scope,
        erasures: 1,
        values: VALUES,
        scrubbed: true,
        boot: 4,
        uptime: WHEN.uptime,
        time: WHEN.time,
        nonce: Some(NONCE),
    }
}

#[test]
fn every_registered_place_is_empty_after_a_reset_and_raw_flash_holds_no_trace() {
    let mut unit = Unit::lived_in();
    unit.owned(|device| {
        // A place that was forgotten here would not be searched for below. Requests outlive a reset: `tests/deletion.rs`.
        for holding in device.personal_data() {
            let is_request = holding.place.keeper() == Keeper::Requests;
            assert!(holding.values > 0 || is_request, "nothing in {:?}", holding.place);
            assert!(!holding.place.holds().is_empty() && !holding.place.purpose().is_empty());
        }
        assert_eq!(device.personal_data().count(), 11 + INVENTORY.places().len());
        assert_eq!(device.unregistered().count(), 0);
        Ok(())
    })
    .unwrap();
    let before = unit.traces();
    assert!(before.len() > 1000, "only {} runs", before.len());
    unit.owned(|mut device| {
        let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
        let mut device = device.reset(owner).map_err(|(_, error)| error)?;
        while device.scrub_step()? == Scrub::Pending {}
        while device.scrub_spool_step(spool_region())? == Purge::Pending {}
        for holding in device.personal_data() {
            assert_eq!(holding.values, 0, "something is left in {:?}", holding.place);
        }
        Ok(())
    })
    .unwrap();
    let after = unit.traces();
    let left = before.intersection(&after).count();
    println!(
        "{} runs of bytes before the reset, {left} of them left",
        before.len()
    );
    assert_eq!(left, 0);
}

#[test]
fn raw_flash_of_store_ledger_and_spool_shows_no_value_no_identifier_and_no_key() {
    SECRETS.set(Some(Default::default()));
    let mut unit = Unit::lived_in();
    let mut pseudonym = Vec::new();
    unit.owned(|mut device| {
        pseudonym.extend_from_slice(device.pseudonym(Purpose::Usage, Epoch(7))?.as_bytes());
        Ok(())
    })
    .unwrap();
    let spool = spool_region().start() as usize;
    assert!(unit.flash.image()[spool..].iter().any(|byte| *byte != 0xFF));
    let found = |image: &[u8]| {
        let holds = |secret: &[u8]| image.windows(secret.len()).any(|run| run == secret);
        SECRETS.with_borrow(|secrets| {
            let secrets = secrets.as_ref().unwrap();
            let count = secrets.each_ref().map(BTreeSet::len);
            assert!(count[0] > 20 && count[1] > 100, "too few secrets: {count:?}");
            let all = secrets.iter().flatten();
            all.filter(|secret| holds(secret)).count() + usize::from(holds(&pseudonym))
        })
    };
    assert_eq!(found(unit.flash.image()), 0, "sealed while it is there");
    unit.reset().unwrap();
    assert_eq!(found(unit.flash.image()), 0, "and no key is left to open it with");
    assert!(unit.flash.image()[spool..].iter().all(|byte| *byte == 0xFF));

    // The search finds each kind of secret where it is.
    let planted = SECRETS.with_borrow(|secrets| {
        let [keys, plain] = secrets.as_ref().unwrap();
        let (key, run) = (keys.first().unwrap(), plain.first().unwrap());
        [unit.flash.image(), key, run, &pseudonym].concat()
    });
    assert!(found(&planted) >= 3);
}

#[test]
fn without_its_keys_a_spool_that_was_not_scrubbed_tells_nothing() {
    let mut unit = Unit::lived_in();
    unit.owned(|mut device| {
        let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
        // The power goes before anything is scrubbed.
        device.reset(owner).map(|_| ()).map_err(|(_, error)| error)
    })
    .unwrap();
    let label = unit.label.clone();
    unit.open(|unit| {
        let Booted::Provisioned(device) = unit else {
            panic!("{unit:?}")
        };
        let code = Attempt::from_label(&label).unwrap();
        let mut device = device.claim(&code, NOW).map_err(|(_, error)| error)?;
        let mut spool = device.mount_spool(spool_region(), QUOTAS)?;
        while device.purge_spool(&mut spool)? == Purge::Pending {}
        assert_eq!(spool.len(), 0);
        assert_eq!(Class::ALL.map(|class| spool.loss(class).count), [0; 4]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn the_search_finds_what_is_there() {
    let mut unit = Unit::lived_in();
    let before = unit.traces();
    unit.owned(|mut device| {
        let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
        // Not scrubbed.
        device.reset(owner).map(|_| ()).map_err(|(_, error)| error)
    })
    .unwrap();
    assert!(before.intersection(&unit.traces()).count() > 0);
}

#[test]
fn a_place_that_nobody_registered_is_refused() {
    let mut unit = Unit::lived_in();
    let stray = KeyId::new(KeyDomain::User, 4, 1);
    unit.owned(|mut device| {
        assert_eq!(device.put(stray, b"who knows"), Err(DeviceError::Unregistered));
        // What is of the device is no personal data.
        device.put(KeyId::new(KeyDomain::Device, 3, 1), b"calibration")
    })
    .unwrap();
    // Who has no inventory may write anywhere; an inventory then tells.
    unit.open(|unit| {
        let Booted::Owned(mut device) = unit else {
            panic!("{unit:?}")
        };
        device.put(stray, b"who knows")?;
        let device = device.with_inventory(INVENTORY);
        assert_eq!(device.unregistered().collect::<Vec<_>>(), [stray]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn an_inventory_has_each_namespace_once() {
    let place = |namespace| Place::new(namespace, "what", "why");
    let list: &'static [Place] = Vec::leak(vec![place(1), place(2), place(1)]);
    assert!(Inventory::new(list).is_none());
    assert!(Inventory::new(&list[..2]).is_some());
    assert!(Inventory::new(Vec::leak(vec![place(255)])).is_none());
    assert!(Inventory::new(Vec::leak(vec![Place::new(1, "", "why")])).is_none());
    assert!(Inventory::new(Vec::leak(vec![Place::new(1, "what", "")])).is_none());
    assert_eq!(place(7).keeper(), Keeper::Namespace(7));
}

#[test]
fn a_reset_that_was_cut_is_finished_and_still_has_its_receipt() {
    let owned = Unit::lived_in();
    let (mut stayed, mut gone) = (0, 0);
    let points = each_cut(
        || owned.clone(),
        Unit::reset,
        |unit, outcome| {
            let state = unit.open(|unit| Ok(unit.state())).unwrap();
            if state == State::Owned {
                assert!(outcome.result.is_err());
                stayed += 1;
                let mut count = 0;
                unit.owned(|device| {
                    count = device.personal_data().map(|holding| holding.values).sum();
                    Ok(())
                })
                .unwrap();
                // All of it: the events that are kept count in memory too.
                assert_eq!(count, VALUES as usize + 1);
                return;
            }
            gone += 1;
            let receipt = unit.receipt();
            assert_eq!(
                unit.verify(&receipt).erased(),
                &expected(Reason::Reset, Scope::User)
            );
        },
    );
    println!("reset: {points} cut points, {stayed} before it was announced, {gone} finished");
    assert!(stayed > 0 && gone > 0);
}

#[test]
fn after_a_transfer_only_the_new_code_lets_in() {
    let owned = Unit::lived_in();
    let code = DevicePassword::generate(Exposure::Online, &mut SimRng::new(7)).unwrap();
    let (mut stayed, mut gone) = (0, 0);
    let points = each_cut(
        || owned.clone(),
        |unit| unit.transfer(&code),
        |unit, outcome| {
            let (old, label) = (unit.label.clone(), code.label());
            if unit.open(|unit| Ok(unit.state())).unwrap() == State::Owned {
                assert!(outcome.result.is_err());
                stayed += 1;
                // Whoever is locked out of everything else has the code of the label.
                unit.reset().unwrap();
                let code = Attempt::from_label(&old).unwrap();
                unit.open(|unit| {
                    let Booted::Provisioned(device) = unit else {
                        panic!("{unit:?}")
                    };
                    device.claim(&code, NOW).map(|_| ()).map_err(|(_, error)| error)
                })
                .unwrap();
                return;
            }
            gone += 1;
            let receipt = unit.receipt();
            assert_eq!(
                unit.verify(&receipt).erased(),
                &expected(Reason::Transfer, Scope::User)
            );
            unit.open(|unit| {
                let Booted::Provisioned(device) = unit else {
                    panic!("{unit:?}")
                };
                let old = Attempt::from_label(&old).unwrap();
                let new = Attempt::from_label(label.as_str()).unwrap();
                let (device, _) = device.claim(&old, NOW).map(drop).unwrap_err();
                device.claim(&new, NOW).map(|_| ()).map_err(|(_, error)| error)
            })
            .unwrap();
        },
    );
    println!("transfer: {points} cut points, {stayed} before it was announced, {gone} finished");
    assert!(stayed > 0 && gone > 0);
}

#[test]
fn a_retired_device_shows_the_receipt_that_it_signed_before_its_key_went() {
    let owned = Unit::lived_in();
    let (mut stayed, mut gone) = (0, 0);
    let points = each_cut(
        || owned.clone(),
        Unit::retire,
        |unit, outcome| {
            if unit.open(|unit| Ok(unit.state())).unwrap() == State::Owned {
                assert!(outcome.result.is_err());
                stayed += 1;
                unit.retire().unwrap();
            } else {
                gone += 1;
            }
            let (before, receipt) = (
                owned.traces(),
                unit.open(|unit| {
                    let Booted::Retired(mut device) = unit else {
                        panic!("{unit:?}")
                    };
                    while device.scrub_step()? == Scrub::Pending {}
                    while device.scrub_spool_step(spool_region())? == Purge::Pending {}
                    assert_eq!(
                        device
                            .personal_data()
                            .map(|holding| holding.values)
                            .sum::<usize>(),
                        0
                    );
                    let mut out = [0; Erased::MAX_LEN];
                    Ok(device.receipt(&mut out)?.to_vec())
                })
                .unwrap(),
            );
            assert_eq!(before.intersection(&unit.traces()).count(), 0);
            let receipt = unit.verify(&receipt);
            let said = receipt.erased();
            assert_eq!((said.reason, said.scope), (Reason::Retirement, Scope::Device));
            assert!(!said.scrubbed, "it cannot know");
            // The owner's, and label verifier, throttle, identity, telemetry key, serial number.
            assert_eq!(said.values, VALUES + 5);
        },
    );
    println!("retirement: {points} cut points, {stayed} in service, {gone} retired");
    assert!(stayed > 0 && gone > 0);
}

#[test]
fn a_receipt_is_for_what_happened_and_lasts_until_the_next() {
    let mut unit = Unit::lived_in();
    let key = make_key;
    unit.owned(|mut device| {
        let (mut out, mut hash) = ([0; Erased::MAX_LEN], Sha256::new());
        let signing = Signing { key, hash: &mut hash };
        assert_eq!(
            device.receipt(None, signing, &mut out),
            Err(DeviceError::NotErased)
        );
        Ok(())
    })
    .unwrap();
    unit.owned(|mut device| {
        let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
        let mut device = device.reset(owner).map_err(|(_, error)| error)?;
        let (mut out, mut hash) = ([0; Erased::MAX_LEN], Sha256::new());
        let signing = Signing { key, hash: &mut hash };
        let receipt = device.receipt(None, signing, &mut out)?.to_vec();
        let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([1; 32]));
        let stranger = Ed25519PublicKey::from_bytes(key.public_key()).unwrap();
        assert!(Erased::verify(&receipt, &stranger, None, &mut Sha256::new()).is_err());
        Ok(())
    })
    .unwrap();
    // The next owner moves in before it is scrubbed; the receipt is still the one of the owner before.
    let label = unit.label.clone();
    let receipt = unit
        .open(|unit| {
            let Booted::Provisioned(device) = unit else {
                panic!("{unit:?}")
            };
            let code = Attempt::from_label(&label).unwrap();
            let mut device = device.claim(&code, NOW).map_err(|(_, error)| error)?;
            device.put(NETWORK, b"another network")?;
            while device.scrub_step()? == Scrub::Pending {}
            let (mut out, mut hash) = ([0; Erased::MAX_LEN], Sha256::new());
            let signing = Signing { key, hash: &mut hash };
            let receipt = device.receipt(Some(NONCE), signing, &mut out)?.to_vec();
            assert_eq!(device.get(NETWORK, &mut [0; 32])?, b"another network");
            Ok(receipt)
        })
        .unwrap();
    let receipt = unit.verify(&receipt);
    assert_eq!((receipt.erased().erasures, receipt.erased().values), (1, VALUES));
    assert!(receipt.erased().scrubbed && receipt.erased().time.is_none());
}

#[test]
fn a_full_store_is_reset_with_a_receipt_all_the_same() {
    let mut unit = Unit::lived_in();
    let code = DevicePassword::generate(Exposure::Online, &mut SimRng::new(7)).unwrap();
    let values = unit
        .owned(|mut device| {
            let mut stored = 0;
            while device
                .put(KeyId::new(KeyDomain::User, 2, 100 + stored), b"a habit")
                .is_ok()
            {
                stored += 1;
            }
            assert!(stored > 2);
            let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
            // A transfer needs room for a moment; a reset never does.
            let (mut device, error) = device.transfer(owner, &code, WHEN).map(drop).unwrap_err();
            assert_eq!(error, DeviceError::Store(StoreError::IndexFull));
            assert_eq!(device.get(NETWORK, &mut [0; 32])?, b"the owner's network");
            let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
            device.reset_at(owner, WHEN).map_err(|(_, error)| error)?;
            Ok(VALUES + u32::from(stored))
        })
        .unwrap();
    let receipt = unit.receipt();
    assert_eq!(unit.verify(&receipt).erased().values, values);
}

#[test]
fn a_budget_lasts_as_long_as_its_owner_whatever_happens_in_between() {
    let exhausted = DeviceError::Noise(NoiseError::Ledger(LedgerError::MetricExhausted));
    let (mut unit, mut counter) = (Unit::lived_in(), SimCounter::new());
    // A reboot, and the same value: the same bytes, for nothing.
    let [first, again] = [(); 2].map(|()| {
        unit.owned(|mut device| answer(&mut device, 1, &mut counter))
            .unwrap()
    });
    assert_eq!(first, again);
    let refused = unit.owned(|mut device| answer(&mut device, 0, &mut counter));
    assert_eq!(refused, Err(exhausted));
    // The owner changes their mind twice.
    let refused = unit.owned(|mut device| {
        let owner = device.login(&Attempt::from_text(CHOSEN).unwrap(), NOW)?;
        device.withdraw::<Usage>(None)?;
        let without = answer(&mut device, 1, &mut counter);
        assert_eq!(without, Err(DeviceError::Noise(NoiseError::NotConsented)));
        device.grant::<Usage>(&owner, 2, None)?;
        answer(&mut device, 0, &mut counter)
    });
    assert_eq!(refused, Err(exhausted));
    // An older image of the flash.
    let old = unit.flash.clone();
    unit.owned(|mut device| {
        device.renew_budget(ALLOWANCE, Renewal::Maker, &mut counter)?;
        answer(&mut device, 0, &mut counter)
    })
    .unwrap();
    let newer = core::mem::replace(&mut unit.flash, old);
    let refused = unit.owned(|mut device| answer(&mut device, 0, &mut counter));
    assert_eq!(refused, Err(DeviceError::Ledger(LedgerError::RolledBack)));
    unit.flash = newer;
    let refused = unit.owned(|mut device| device.renew_budget(ALLOWANCE, Renewal::Maker, &mut counter));
    assert_eq!(refused, Err(DeviceError::Ledger(LedgerError::NoRenewal)));

    // Another owner.
    unit.reset().unwrap();
    let label = unit.label.clone();
    unit.open(|unit| {
        let Booted::Provisioned(device) = unit else {
            panic!("{unit:?}")
        };
        let code = Attempt::from_label(&label).unwrap();
        device.claim(&code, NOW).map(|_| ()).map_err(|(_, error)| error)
    })
    .unwrap();
    unit.owned(|mut device| {
        let owner = device.login(&Attempt::from_label(&label).unwrap(), NOW)?;
        device.grant::<Usage>(&owner, 1, None)?;
        answer(&mut device, 0, &mut counter)
    })
    .unwrap();
}
