//! Guesses are counted before they are compared, whatever happens to the power.

use std::cell::Cell;

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec_core::{
    credential::{
        Attempt, DevicePassword, Exposure, Iterations, Label, Login, LoginError, Pepper, PhysicalPresence,
        Scheme, StorageError, Throttle, ThrottleError, ThrottlePolicy, ThrottleStorage, Unlock, UserPassword,
        Verifier,
    },
    crypto::{CryptoError, HkdfSha256, Kdf, Sha256},
    error::{ErrorCode, Fault},
    hal::{FlashError, Millis},
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey, each_cut, two_cuts};

const WRONG: &str = "K2M4-P6R8-T0V3-6";
const LONG: Millis = Millis::from_secs(3600);

/// Counts the MACs computed under the pepper, of which a comparison of a generated password takes one.
#[derive(Default)]
struct Counting(Cell<u32>);

impl Kdf for Counting {
    fn hkdf(&self, salt: &[u8], key: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), CryptoError> {
        HkdfSha256.hkdf(salt, key, info, out)
    }
    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], CryptoError> {
        self.0.set(self.0.get() + 1);
        HkdfSha256.hmac(key, parts)
    }
}

/// One device's credential. The comparison count starts at zero.
struct Device<'k> {
    pepper: Pepper<'k>,
    verifier: Verifier,
    label: Label,
}

impl<'k> Device<'k> {
    fn new(kdf: &'k Counting) -> Self {
        let mut rng = SimRng::new(11);
        let pepper = Pepper::derive(&SimRootKey::new(1), kdf).unwrap();
        let password = DevicePassword::generate(Exposure::Online, &mut rng).unwrap();
        let verifier = Verifier::for_device(&password, &pepper, &mut rng).unwrap();
        kdf.0.set(0);
        Self {
            pepper,
            verifier,
            label: password.label(),
        }
    }

    fn login(&self) -> Login<'_> {
        Login::new(Throttle::new(ThrottlePolicy::DEFAULT), &self.pepper)
    }

    fn right(&self) -> Attempt<'_> {
        Attempt::from_label(self.label.as_str()).unwrap()
    }
}

fn wrong() -> Attempt<'static> {
    Attempt::from_label(WRONG).unwrap()
}

/// A record in memory, with the faults that a storage can have.
#[derive(Clone, Default)]
struct Memory {
    record: Option<Vec<u8>>,
    saves: u32,
    fails: Option<Fault>,
    loses_writes: bool,
}

#[derive(Debug)]
struct Failure(Fault);

impl ErrorCode for Failure {
    fn code(&self) -> u16 {
        3999
    }
    fn fault(&self) -> Fault {
        self.0
    }
}

impl Memory {
    fn factory() -> Self {
        let mut storage = Self::default();
        Throttle::initialise(&mut storage).unwrap();
        storage
    }

    fn failures(&self) -> u8 {
        self.record.as_ref().unwrap()[1]
    }
}

impl ThrottleStorage for Memory {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        if let Some(fault) = self.fails {
            return Err(StorageError::of(&Failure(fault)));
        }
        Ok(self.record.as_ref().map(|kept| {
            for (out, byte) in record.iter_mut().zip(kept) {
                *out = *byte;
            }
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        if let Some(fault) = self.fails {
            return Err(StorageError::of(&Failure(fault)));
        }
        self.saves += 1;
        if !self.loses_writes {
            self.record = Some(record.to_vec());
        }
        Ok(())
    }
}

/// A record on flash, in two pages by turns: number ‖ record ‖ digest.
struct OnFlash<'f>(&'f mut SimFlash);

impl OnFlash<'_> {
    fn newest(&mut self) -> Option<(u32, u32, [u8; Throttle::LEN])> {
        let page_size = self.0.geometry().sector(0).1;
        let mut newest = None;
        for page in [0, page_size] {
            let mut entry = [0; 32];
            if self.0.read(page, &mut entry).is_err() || entry[20..] != Sha256::of(&[&entry[..20]])[..12] {
                continue;
            }
            let number = u32::from_be_bytes(entry[..4].try_into().unwrap());
            if newest.is_none_or(|(_, other, _)| number > other) {
                newest = Some((page, number, entry[4..20].try_into().unwrap()));
            }
        }
        newest
    }
}

impl ThrottleStorage for OnFlash<'_> {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.newest().map(|(_, _, kept)| {
            *record = kept;
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        let failed = |_| StorageError::of(&FlashError::Driver);
        let page_size = self.0.geometry().sector(0).1;
        let (page, number) = match self.newest() {
            Some((0, number, _)) => (page_size, number + 1),
            Some((_, number, _)) => (0, number + 1),
            None => (0, 0),
        };
        let mut entry = [0; 32];
        entry[..4].copy_from_slice(&number.to_be_bytes());
        entry[4..20].copy_from_slice(record);
        let digest = Sha256::of(&[&entry[..20]]);
        entry[20..].copy_from_slice(&digest[..12]);
        self.0.erase(page, page + page_size).map_err(failed)?;
        self.0.write(page, &entry).map_err(failed)
    }
}

fn flash_from_factory(geometry: &Geometry) -> SimFlash {
    let mut flash = SimFlash::new(geometry.clone());
    Throttle::initialise(&mut OnFlash(&mut flash)).unwrap();
    flash
}

#[test]
fn the_right_password_gets_in_and_the_wrong_one_does_not() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let mut storage = Memory::factory();
    let mut login = device.login();
    assert_eq!(
        login
            .attempt(&mut storage, &device.verifier, &wrong(), LONG)
            .err(),
        Some(LoginError::Refused)
    );
    assert_eq!(storage.failures(), 1);
    let proof = login.attempt(&mut storage, &device.verifier, &device.right(), LONG);
    assert_eq!(proof.unwrap().scheme(), Scheme::Generated);
    assert_eq!(storage.failures(), 0);
    assert_eq!(kdf.0.get(), 2);
}

#[test]
fn the_count_reaches_flash_before_the_comparison_at_every_cut() {
    let geometries = [
        Geometry::small(2),
        Geometry::stm32l4(2),
        Geometry::nrf52840(2),
        Geometry::erased_zero(2),
    ];
    let mut points = 0;
    for geometry in geometries {
        let kdf = Counting::default();
        let device = Device::new(&kdf);
        let prepared = flash_from_factory(&geometry);
        points += each_cut(
            || {
                kdf.0.set(0);
                prepared.clone()
            },
            |flash| {
                // Three wrong guesses, then the right one, then a wrong one.
                let mut login = device.login();
                let mut storage = OnFlash(flash);
                let mut got_in = false;
                for round in 0u64..5 {
                    let attempt = if round == 3 { device.right() } else { wrong() };
                    let now = Millis::from_secs(10 * round);
                    got_in |= login
                        .attempt(&mut storage, &device.verifier, &attempt, now)
                        .is_ok();
                }
                got_in
            },
            |flash, outcome| {
                let compared = kdf.0.get();
                let mut storage = OnFlash(flash);
                let status = device.login().throttle().status(&mut storage, LONG).unwrap();
                // Guesses since the last acknowledged success are all counted; one more may be.
                let since_success = if outcome.result { compared - 4 } else { compared };
                let counted = u32::from(status.failures);
                // A right guess whose success was not yet noted may have cleared the count.
                let may_be_clear = compared == 4 && counted == 0;
                assert!(
                    counted >= since_success || may_be_clear,
                    "{compared} compared, {counted} counted"
                );
                assert!(counted <= since_success + 1);
                // And the owner still gets in.
                let mut login = device.login();
                let right = device.right();
                assert!(
                    login
                        .attempt(&mut storage, &device.verifier, &right, LONG)
                        .is_ok()
                );
                assert_eq!(login.throttle().status(&mut storage, LONG).unwrap().failures, 0);
            },
        );
    }
    println!("{points} cut points");
    assert!(points > 200, "{points}");
}

#[test]
fn a_cut_during_the_first_guess_after_a_cut_loses_no_count_either() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let prepared = flash_from_factory(&Geometry::small(2));
    let guess = |flash: &mut SimFlash| {
        let mut storage = OnFlash(flash);
        let _ = device
            .login()
            .attempt(&mut storage, &device.verifier, &wrong(), LONG);
    };
    let pairs = two_cuts(
        || {
            kdf.0.set(0);
            prepared.clone()
        },
        guess,
        guess,
        |flash, _| {
            let mut storage = OnFlash(flash);
            let status = device.login().throttle().status(&mut storage, LONG).unwrap();
            assert!(u32::from(status.failures) >= kdf.0.get());
        },
    );
    println!("{pairs} pairs of cuts");
    assert!(pairs > 100, "{pairs}");
}

#[test]
fn no_comparison_without_a_durable_count() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let right = device.right();

    let mut failing = Memory::factory();
    failing.fails = Some(Fault::Device);
    let error = device
        .login()
        .attempt(&mut failing, &device.verifier, &right, LONG)
        .unwrap_err();
    assert_eq!((error.code(), error.fault()), (3999, Fault::Device));

    let mut lying = Memory::factory();
    lying.loses_writes = true;
    assert_eq!(
        device
            .login()
            .attempt(&mut lying, &device.verifier, &right, LONG)
            .err(),
        Some(LoginError::Throttle(ThrottleError::NotSaved))
    );

    let mut missing = Memory::default();
    assert_eq!(
        device
            .login()
            .attempt(&mut missing, &device.verifier, &right, LONG)
            .err(),
        Some(LoginError::Throttle(ThrottleError::Missing))
    );

    for record in [vec![], vec![0; 16], vec![0xFF; 16], vec![1; 15], vec![1; 17]] {
        let mut damaged = Memory {
            record: Some(record.clone()),
            ..Memory::default()
        };
        assert_eq!(
            device
                .login()
                .attempt(&mut damaged, &device.verifier, &right, LONG)
                .err(),
            Some(LoginError::Throttle(ThrottleError::Damaged)),
            "{record:?}"
        );
        assert_eq!(damaged.saves, 0);
    }
    assert_eq!(kdf.0.get(), 0, "something was compared");
}

#[test]
fn a_factory_record_is_not_a_missing_one_and_is_written_once() {
    let mut storage = Memory::factory();
    let mut throttle = Throttle::new(ThrottlePolicy::DEFAULT);
    let status = throttle.status(&mut storage, Millis(0)).unwrap();
    assert_eq!(
        (status.failures, status.left, status.remaining),
        (0, 100, Millis(0))
    );
    assert_eq!(
        Throttle::initialise(&mut storage),
        Err(ThrottleError::AlreadyInitialised)
    );
    storage.record = Some(vec![0xFF; 16]);
    assert_eq!(
        Throttle::initialise(&mut storage),
        Err(ThrottleError::AlreadyInitialised)
    );
}

#[test]
fn a_burst_of_wrong_guesses_is_slowed_down_and_a_reboot_does_not_help() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let mut storage = Memory::factory();
    let mut login = device.login();
    let mut now = Millis::from_secs(40);
    for _ in 0..8 {
        loop {
            match login.attempt(&mut storage, &device.verifier, &wrong(), now) {
                Err(LoginError::Refused) => break,
                Err(LoginError::Throttle(ThrottleError::Wait { remaining })) => now.0 += remaining.0,
                other => panic!("{other:?}"),
            }
        }
    }
    // 1 s, 2 s and 4 s after the fifth, sixth and seventh failure.
    assert_eq!(now, Millis::from_secs(47));
    let wait = |login: &mut Login<'_>, storage: &mut Memory, now: Millis| match login.attempt(
        storage,
        &device.verifier,
        &device.right(),
        now,
    ) {
        Err(LoginError::Throttle(ThrottleError::Wait { remaining })) => remaining,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(&mut login, &mut storage, now), Millis::from_secs(8));
    assert_eq!(
        wait(&mut login, &mut storage, Millis(now.0 + 3000)),
        Millis::from_secs(5)
    );

    // After a reboot the whole delay runs again, however often the power is cut.
    for _ in 0..3 {
        let mut login = device.login();
        assert_eq!(wait(&mut login, &mut storage, Millis(0)), Millis::from_secs(8));
        assert_eq!(
            wait(&mut login, &mut storage, Millis::from_secs(7)),
            Millis::from_secs(1)
        );
    }
    let saves = storage.saves;
    let mut login = device.login();
    assert_eq!(wait(&mut login, &mut storage, Millis(7999)), Millis(1));
    assert_eq!(storage.saves, saves, "a refused guess must not wear the flash");
    let right = device.right();
    assert!(
        login
            .attempt(&mut storage, &device.verifier, &right, Millis::from_secs(8))
            .is_ok()
    );
}

#[test]
fn a_wait_that_began_does_not_start_again_when_uptime_passes_the_last_guess() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let mut storage = Memory::factory();
    let mut login = device.login();
    let mut now = Millis::from_secs(100);
    for _ in 0..12 {
        while let Err(LoginError::Throttle(_)) = login.attempt(&mut storage, &device.verifier, &wrong(), now)
        {
            now.0 += 1000;
        }
    }
    // Twelve failures: 128 s. The last was at uptime 227 s, so after the reboot uptime does not reach it.
    let mut login = device.login();
    let mut last = Millis(u64::MAX);
    for second in 0..300 {
        let remaining = login
            .throttle()
            .status(&mut storage, Millis::from_secs(second))
            .unwrap()
            .remaining;
        assert!(remaining <= last);
        last = remaining;
        assert_eq!(remaining == Millis(0), second >= 128, "{second}");
    }
}

#[test]
fn guesses_never_come_faster_than_the_policy_says_whatever_an_attacker_does() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let mut compared_in_all = 0;
    for seed in 0..40 {
        let mut rng = SimRng::new(seed);
        let mut storage = Memory::factory();
        let mut login = device.login();
        let (mut real, mut booted) = (0u64, 0u64);
        let mut last: Option<u64> = None;
        let mut failures = 0u8;
        for _ in 0..20_000 {
            match rng.below(8) {
                0 => booted = real,
                1 => real += rng.below(2_000_000),
                2 => real += rng.below(500),
                3 => login = device.login(),
                _ => {}
            }
            if booted == real {
                login = device.login();
            }
            let before = storage.clone();
            let compared = kdf.0.get();
            let _ = login.attempt(&mut storage, &device.verifier, &wrong(), Millis(real - booted));
            if kdf.0.get() > compared {
                let earliest = last.map_or(0, |at| at + ThrottlePolicy::DEFAULT.delay(failures).0);
                assert!(
                    real >= earliest,
                    "seed {seed}: guess {failures} came {} ms early",
                    earliest - real
                );
                last = Some(real);
                failures += 1;
                compared_in_all += 1;
            }
            assert_eq!(storage.failures(), failures, "seed {seed}");
            assert!(before.failures() <= storage.failures());
        }
        assert!(failures <= 100);
        assert!(failures > 60, "seed {seed}: the attacker got nowhere, {failures}");
    }
    println!("{compared_in_all} guesses compared of 800000 tried");
}

struct Button(bool);

impl PhysicalPresence for Button {
    fn is_asserted(&mut self) -> bool {
        self.0
    }
}

fn exhaust(device: &Device<'_>, storage: &mut Memory, login: &mut Login<'_>, guesses: u8) -> Millis {
    let mut now = LONG;
    for _ in 0..guesses {
        now.0 += LONG.0;
        assert_eq!(
            login.attempt(storage, &device.verifier, &wrong(), now).err(),
            Some(LoginError::Refused)
        );
    }
    Millis(now.0 + LONG.0)
}

#[test]
fn the_last_permitted_guess_can_still_succeed() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let mut storage = Memory::factory();
    let mut login = device.login();
    let now = exhaust(&device, &mut storage, &mut login, 99);
    assert_eq!(login.throttle().status(&mut storage, now).unwrap().left, 1);
    assert!(
        login
            .attempt(&mut storage, &device.verifier, &device.right(), now)
            .is_ok()
    );
    assert_eq!(storage.failures(), 0);
}

#[test]
fn after_a_hundred_failures_only_presence_or_another_credential_opens() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let mut storage = Memory::factory();
    let mut login = device.login();
    let now = exhaust(&device, &mut storage, &mut login, 100);
    let locked = Some(LoginError::Throttle(ThrottleError::Locked));
    let saves = storage.saves;
    for login in [&mut login, &mut device.login()] {
        assert_eq!(
            login
                .attempt(&mut storage, &device.verifier, &device.right(), now)
                .err(),
            locked
        );
    }
    assert_eq!(storage.saves, saves);

    assert!(Unlock::by_presence(&mut Button(false)).is_none());
    let unlock = Unlock::by_presence(&mut Button(true)).unwrap();
    login.throttle().release(&mut storage, unlock).unwrap();
    assert!(
        login
            .attempt(&mut storage, &device.verifier, &device.right(), now)
            .is_ok()
    );

    // Another interface of the device has a budget of its own, and opens this one.
    let now = exhaust(&device, &mut storage, &mut login, 100);
    let mut local = Memory::factory();
    let proof = device
        .login()
        .attempt(&mut local, &device.verifier, &device.right(), LONG)
        .unwrap();
    login
        .throttle()
        .release(&mut storage, Unlock::by_credential(proof))
        .unwrap();
    assert!(
        login
            .attempt(&mut storage, &device.verifier, &device.right(), now)
            .is_ok()
    );
}

#[test]
fn an_unlock_repairs_a_record_that_is_damaged_or_gone() {
    for record in [None, Some(vec![0xFF; 16])] {
        let mut storage = Memory {
            record,
            ..Memory::default()
        };
        let mut throttle = Throttle::new(ThrottlePolicy::DEFAULT);
        let unlock = Unlock::by_presence(&mut Button(true)).unwrap();
        throttle.release(&mut storage, unlock).unwrap();
        assert_eq!(throttle.status(&mut storage, Millis(0)).unwrap().left, 100);
    }
}

#[test]
fn a_success_that_cannot_be_stored_lets_nobody_in() {
    struct FailsSecondSave(Memory);
    impl ThrottleStorage for FailsSecondSave {
        fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
            self.0.load(record)
        }
        fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
            if self.0.saves == 2 {
                return Err(StorageError::of(&FlashError::Driver));
            }
            self.0.save(record)
        }
    }
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let mut storage = FailsSecondSave(Memory::factory());
    let error = device
        .login()
        .attempt(&mut storage, &device.verifier, &device.right(), LONG)
        .unwrap_err();
    assert_eq!(error.code(), FlashError::Driver.code());
    assert_eq!(storage.0.failures(), 1);
}

#[test]
fn policies_outside_the_law_cannot_be_made() {
    let minute = Millis::from_secs(60);
    for (limit, longest) in [
        (0, minute),
        (101, minute),
        (100, Millis(59_999)),
        (100, Millis(86_400_001)),
        (100, Millis(u64::MAX)),
    ] {
        assert_eq!(ThrottlePolicy::new(limit, longest), Err(ThrottleError::Policy));
    }
    let policy = ThrottlePolicy::new(20, minute).unwrap();
    let delays: Vec<u64> = (0..14).map(|n| policy.delay(n).0 / 1000).collect();
    assert_eq!(delays, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
    let default: Vec<u64> = (13..=255)
        .map(|n| ThrottlePolicy::DEFAULT.delay(n).0 / 1000)
        .collect();
    assert_eq!(default[..3], [256, 512, 900]);
    assert!(default[2..].iter().all(|delay| *delay == 900));
    let in_all: u64 = (0..100).map(|n| ThrottlePolicy::DEFAULT.delay(n).0).sum();
    assert!(in_all > Millis::from_secs(21 * 3600).0);
}

#[test]
fn a_smaller_limit_locks_earlier_even_over_an_older_record() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let mut storage = Memory::factory();
    exhaust(&device, &mut storage, &mut device.login(), 30);
    let mut throttle = Throttle::new(ThrottlePolicy::new(20, Millis::from_secs(60)).unwrap());
    assert_eq!(
        throttle.begin(&mut storage, Millis(u64::MAX)).err(),
        Some(ThrottleError::Locked)
    );
}

#[test]
fn an_owner_changes_the_preset_and_the_old_password_is_refused() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let mut storage = Memory::factory();
    let mut login = device.login();
    let chosen = "green kettle, blue door";
    let password = UserPassword::new(chosen, Exposure::Online, &["acme cam"]).unwrap();
    let mut rng = SimRng::new(12);
    let verifier = Verifier::for_user(&password, Iterations::MCU, &device.pepper, &mut rng).unwrap();
    let verifier = Verifier::from_bytes(&verifier.to_bytes()).unwrap();

    let right = Attempt::from_text(chosen).unwrap();
    let proof = login.attempt(&mut storage, &verifier, &right, LONG).unwrap();
    assert_eq!(proof.scheme(), Scheme::Chosen(Iterations::MCU));
    assert_eq!(
        login
            .attempt(&mut storage, &verifier, &device.right(), LONG)
            .err(),
        Some(LoginError::Refused)
    );
    let nearly = Attempt::from_text("green kettle, blue Door").unwrap();
    assert_eq!(
        login.attempt(&mut storage, &verifier, &nearly, LONG).err(),
        Some(LoginError::Refused)
    );
}

#[test]
fn an_unknown_user_costs_as_much_work_as_a_wrong_password() {
    let kdf = Counting::default();
    let device = Device::new(&kdf);
    let mut rng = SimRng::new(13);
    let text = "green kettle, blue door";
    let password = UserPassword::new(text, Exposure::Online, &[]).unwrap();
    let known = Verifier::for_user(&password, Iterations::MCU, &device.pepper, &mut rng).unwrap();
    let unknown = Verifier::decoy(known.scheme(), &mut rng).unwrap();
    let guess = Attempt::from_text("red kettle, green door").unwrap();
    let mut work = [0; 2];
    for (work, verifier) in work.iter_mut().zip([&known, &unknown]) {
        kdf.0.set(0);
        let mut storage = Memory::factory();
        assert_eq!(
            device.login().attempt(&mut storage, verifier, &guess, LONG).err(),
            Some(LoginError::Refused)
        );
        *work = kdf.0.get();
    }
    assert_eq!(work, [10_001, 10_001]);
}
