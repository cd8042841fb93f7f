//! A stranger guesses a password for years, and reboots the device and cuts its power as he likes.

use std::cell::Cell;

use iotsec::{
    core::{
        credential::{
            Attempt, DevicePassword, Exposure, Login, LoginError, Pepper, PhysicalPresence, StorageError,
            Throttle, ThrottleError, ThrottlePolicy, ThrottleStorage, Unlock, Verifier,
        },
        crypto::{Aes256GcmSiv, CryptoError, HkdfSha256, Kdf},
        hal::Millis,
    },
    store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite},
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};

const GUESSES: u64 = 1_000_000;
const RECORD: KeyId = KeyId::new(KeyDomain::Device, 1, 1);
const POLICY: ThrottlePolicy = ThrottlePolicy::DEFAULT;
const WRONG: &str = "K2M4-P6R8-T0V3-6";

/// Counts the MACs computed under the pepper: each is a comparison.
struct Counting(Cell<u64>);

impl Kdf for Counting {
    fn hkdf(&self, salt: &[u8], key: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        HkdfSha256.hkdf(salt, key, info, out)
    }
    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], CryptoError> {
        self.0.set(self.0.get() + 1);
        HkdfSha256.hmac(key, parts)
    }
}

struct InStore<'s, 'm> {
    store: &'s mut Store<'m>,
    flash: &'s mut SimFlash,
}

impl ThrottleStorage for InStore<'_, '_> {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        match self.store.get(self.flash, RECORD, record) {
            Ok(read) => Ok(Some(read.len())),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(StorageError::of(&error)),
        }
    }

    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        let saved = self.store.put(self.flash, RECORD, record);
        saved.map_err(|error| StorageError::of(&error))
    }
}

fn suite(root: &SimRootKey) -> Suite<'_> {
    Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root,
    }
}

/// The clock on the wall, which the device does not have, and what it shows of the policy.
#[derive(Default)]
struct Witness {
    now: u64,
    /// Comparisons since the count was last cleared, and when the last one was.
    compared: u8,
    last: u64,
    all: u64,
    locked: u64,
}

impl Witness {
    fn comparison(&mut self) {
        assert!(self.compared < 100, "a comparison after the hundredth");
        let waited = self.now - self.last;
        let delay = POLICY.delay(self.compared).0;
        assert!(
            waited >= delay,
            "comparison {} after {waited} ms of {delay}",
            self.compared + 1
        );
        (self.last, self.compared, self.all) = (self.now, self.compared + 1, self.all + 1);
    }

    fn cleared(&mut self) {
        self.compared = 0;
    }
}

struct Owner;

impl PhysicalPresence for Owner {
    fn is_asserted(&mut self) -> bool {
        true
    }
}

struct Attack<'k> {
    kdf: &'k Counting,
    pepper: Pepper<'k>,
    verifier: Verifier,
    flash: SimFlash,
    rng: SimRng,
    witness: Witness,
    guesses: u64,
    cuts: u64,
}

impl Attack<'_> {
    /// From one boot to the next.
    fn boot(&mut self) {
        let region = self.flash.region().unwrap();
        let root = SimRootKey::new(1);
        let (mut index, mut buffer) = ([IndexEntry::EMPTY; 4], [0; 128]);
        let replay = ReplayProtection::None;
        let mounted = Store::mount(
            &mut self.flash,
            region,
            suite(&root),
            &mut index,
            &mut buffer,
            replay,
            &mut self.rng,
        );
        let mut store = mounted.unwrap();
        let mut login = Login::new(Throttle::new(POLICY), &self.pepper);
        let wrong = Attempt::from_label(WRONG).unwrap();
        let booted = self.witness.now;
        for _ in 0..=self.rng.below(400) {
            self.witness.now += match self.rng.below(100) {
                0..3 => self.rng.below(2_000_000),
                3..10 => self.rng.below(20_000),
                _ => self.rng.below(300),
            };
            let cut = self.rng.below(3) == 0;
            if cut {
                self.flash.cut_after(self.rng.below(60));
            }
            let before = self.kdf.0.get();
            let mut storage = InStore {
                store: &mut store,
                flash: &mut self.flash,
            };
            let uptime = Millis(self.witness.now - booted);
            let guessed = login.attempt(&mut storage, &self.verifier, &wrong, uptime);
            self.guesses += 1;
            for _ in before..self.kdf.0.get() {
                self.witness.comparison();
            }
            match guessed {
                Err(LoginError::Throttle(ThrottleError::Locked)) => {
                    self.witness.locked += 1;
                    // The owner comes by now and then.
                    if self.rng.below(50) == 0 {
                        let unlock = Unlock::by_presence(&mut Owner).unwrap();
                        let mut storage = InStore {
                            store: &mut store,
                            flash: &mut self.flash,
                        };
                        if Throttle::new(POLICY).release(&mut storage, unlock).is_ok() {
                            self.witness.cleared();
                        }
                    }
                }
                Err(LoginError::Refused | LoginError::Throttle(ThrottleError::Wait { .. })) => {}
                other => assert!(self.flash.is_off(), "{other:?}"),
            }
            if self.flash.is_off() {
                self.cuts += 1;
                break;
            }
            self.flash.cut_after(u64::MAX);
        }
        self.flash.power_on();
    }
}

#[test]
fn a_million_guesses_with_reboots_and_cuts_get_no_more_tries_than_the_policy_says() {
    let kdf = Counting(Cell::new(0));
    let root = SimRootKey::new(1);
    let pepper = Pepper::derive(&root, &kdf).unwrap();
    let mut rng = SimRng::new(5);
    let password = DevicePassword::generate(Exposure::Online, &mut rng).unwrap();
    let verifier = Verifier::for_device(&password, &pepper, &mut rng).unwrap();

    let mut flash = SimFlash::new(Geometry::small(6));
    let region = flash.region().unwrap();
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 4], [0; 128]);
    let replay = ReplayProtection::None;
    let mut store = Store::format(
        &mut flash,
        region,
        suite(&root),
        &mut index,
        &mut buffer,
        replay,
        &mut rng,
    )
    .unwrap();
    Throttle::initialise(&mut InStore {
        store: &mut store,
        flash: &mut flash,
    })
    .unwrap();

    let mut attack = Attack {
        kdf: &kdf,
        pepper: Pepper::derive(&root, &kdf).unwrap(),
        verifier,
        flash,
        rng,
        witness: Witness::default(),
        guesses: 0,
        cuts: 0,
    };
    let mut boots = 0u64;
    while attack.guesses < GUESSES {
        attack.boot();
        boots += 1;
    }
    let Attack {
        witness,
        guesses,
        cuts,
        flash,
        ..
    } = attack;
    let days = witness.now / 86_400_000;
    println!(
        "{guesses} guesses in {days} days, {boots} boots, {cuts} cuts: {} comparisons, {} answers from the lock, {} erases",
        witness.all,
        witness.locked,
        flash.stats().erases
    );
    assert!(witness.all > 500, "the attack got nowhere: {}", witness.all);
    assert!(witness.locked > 0 && cuts > 500);
}
