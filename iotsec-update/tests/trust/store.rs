//! The stored bundle: power cuts, and a flash that someone else writes.

use std::sync::OnceLock;

use iotsec_core::{
    cose::{Key, SignBuilder, Signer},
    crypto::{CryptoError, HkdfSha256, KeyType, Sha256, Sign, Verify},
    hal::{CounterError, FlashError, Region},
};
use iotsec_testkit::{
    Geometry, Operation, Outcome, Power, SimCounter, SimFlash, SimRootKey, StepUnit, Sweep, Tear, Violation,
    World, each_cut, two_cuts,
};
use iotsec_update::{
    DeviceIdentity,
    trust::{Guard, Rotation, Seal, Trust, TrustError, TrustStore},
};

use crate::maker::{Bundle, device, public};

/// What of a device outlives a power cut.
struct Device {
    flash: SimFlash,
    region: Region,
    counter: SimCounter,
    guarded: bool,
    root: SimRootKey,
}

impl World for Device {
    fn power(&self) -> &Power {
        self.flash.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.flash.violation()
    }
}

impl Clone for Device {
    fn clone(&self) -> Self {
        let flash = self.flash.clone();
        Self {
            counter: self.counter.clone().powered_by(flash.power()),
            flash,
            region: self.region,
            guarded: self.guarded,
            root: self.root.clone(),
        }
    }
}

/// A key whose signatures anyone can make, in no time: what is cut here is flash, not arithmetic.
struct Toy([u8; 32]);

impl Verify for Toy {
    fn key_type(&self) -> KeyType {
        KeyType::Ed25519
    }
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        match signature.starts_with(&Sha256::of(&[&self.0, message])) {
            true => Ok(()),
            false => Err(CryptoError::Signature),
        }
    }
}

impl Sign for Toy {
    fn key_type(&self) -> KeyType {
        KeyType::Ed25519
    }
    fn public_key(&self) -> &[u8] {
        &self.0
    }
    fn sign(&self, message: &[u8], signature: &mut [u8; 64]) -> Result<(), CryptoError> {
        *signature = [0; 64];
        signature[..32].copy_from_slice(&Sha256::of(&[&self.0, message]));
        Ok(())
    }
}

fn load(key: &Key<'_>) -> Result<Toy, CryptoError> {
    Ok(Toy(*key.x()))
}

fn signed(bundle: &Bundle) -> Vec<u8> {
    let (root, mut scratch, mut out) = (Toy(public(1)), [0; 2048], [0; 2048]);
    let signer = Signer {
        key: &root,
        kid: None,
    };
    let message = SignBuilder::new(&[signer]).sign(&bundle.payload(), b"", &mut scratch, &mut out);
    message.unwrap().to_vec()
}

fn small_bundle(version: u64) -> Bundle {
    Bundle::new(version)
        .with_keys(&[1, 4])
        .with(|bundle| bundle.roles = vec![(1, 1, vec![0]), (2, 1, vec![1])])
}

/// Bundles 1 to 4.
fn bundles() -> &'static [Vec<u8>; 4] {
    static BUNDLES: OnceLock<[Vec<u8>; 4]> = OnceLock::new();
    BUNDLES.get_or_init(|| [1, 2, 3, 4].map(|version| signed(&small_bundle(version))))
}

fn factory(message: &[u8]) -> Result<Trust<'_>, TrustError> {
    Trust::factory(message, &device(), load, &mut Sha256::new(), &mut [0; 1024])
}

fn rotate<'n>(trust: &Trust<'_>, message: &'n [u8]) -> Result<Option<Rotation<'n>>, TrustError> {
    trust.rotate(message, &device(), load, &mut Sha256::new(), &mut [0; 1024])
}

impl Device {
    fn new(geometry: &Geometry, pages: u32, guarded: bool) -> Self {
        let flash = SimFlash::new(geometry.clone());
        Self {
            counter: SimCounter::new().powered_by(flash.power()),
            region: geometry.pages(0, pages).unwrap(),
            flash,
            guarded,
            root: SimRootKey::new(1),
        }
    }

    /// Provisioned with the first bundle, and brought to version `version`.
    fn at(mut self, version: u64) -> Self {
        self.with_guard(|flash, region, guard| {
            TrustStore::provision(
                flash,
                region,
                &factory(&bundles()[0]).unwrap(),
                guard,
                &mut Sha256::new(),
            )
        })
        .unwrap();
        for to in 2..=version {
            self.step(to).unwrap();
        }
        self
    }

    fn with_guard<R>(&mut self, work: impl FnOnce(&mut SimFlash, Region, &mut Guard<'_>) -> R) -> R {
        let mut guard = Guard::new();
        if self.guarded {
            guard = guard.with_counter(&mut self.counter).with_seal(Seal {
                root: &self.root,
                kdf: &HkdfSha256,
            });
        }
        work(&mut self.flash, self.region, &mut guard)
    }

    /// Mounts and says which version is believed.
    fn version(&mut self) -> Result<u64, TrustError> {
        self.version_for(&device())
    }

    fn version_for(&mut self, device: &DeviceIdentity<'_>) -> Result<u64, TrustError> {
        let mut buffer = [0; 4096];
        self.with_guard(|flash, region, guard| {
            let mounted = TrustStore::mount(flash, region, device, guard, &mut Sha256::new(), &mut buffer);
            mounted.map(|(_, trust)| trust.bundle().version())
        })
    }

    /// Mounts, and rotates to version `to`.
    fn step(&mut self, to: u64) -> Result<(), TrustError> {
        let next = &bundles()[usize::try_from(to).unwrap() - 1];
        let mut buffer = [0; 4096];
        self.with_guard(|flash, region, guard| {
            let mut hash = Sha256::new();
            let (mut store, trust) =
                TrustStore::mount(flash, region, &device(), guard, &mut hash, &mut buffer)?;
            let Some(rotation) = rotate(&trust, next)? else {
                return Ok(());
            };
            let trust = store.put(flash, rotation, guard, &mut hash)?;
            assert_eq!(trust.bundle().version(), to);
            Ok(())
        })
    }
}

/// Two halves of a page or more, over every geometry.
fn devices(guarded: bool) -> Vec<(&'static str, Device)> {
    let len = bundles()[0].len();
    let mut devices = Vec::new();
    for (index, (name, geometry)) in Geometry::table(1).into_iter().enumerate() {
        let page = geometry.pages(0, 1).unwrap().page_size();
        let pages = 2 * (u32::try_from(len).unwrap() + 512).div_ceil(page);
        let geometry = Geometry::table(pages as usize)[index].1.clone();
        devices.push((name, Device::new(&geometry, pages, guarded)));
    }
    devices
}

/// The old or the new one; the new one if that was said; and from there on as ever.
fn check_cut(device: &mut Device, outcome: Outcome<Result<(), TrustError>>) {
    let version = device.version().expect("old or new, never neither");
    assert!(version == 2 || version == 3, "{version}");
    if outcome.result.is_ok() {
        assert_eq!(version, 3);
    }
    if device.guarded {
        // What was raised is not lost, and what was read once with a counter stays.
        assert_eq!(device.counter.value(), version);
        assert_eq!(device.version(), Ok(version));
    }
    device.step(3).unwrap();
    device.step(4).unwrap();
    assert_eq!(device.version(), Ok(4));
}

fn torn(device: &Device, tear: Tear) -> Device {
    let mut device = device.clone();
    let blank = SimFlash::new(Geometry::small(1));
    let flash = std::mem::replace(&mut device.flash, blank).with_tear(tear);
    let unit = if tear == Tear::Torn {
        StepUnit::Byte
    } else {
        StepUnit::Word
    };
    device.flash = flash.with_unit(unit);
    device
}

#[test]
fn a_rotation_cut_anywhere_leaves_the_old_bundle_or_the_new() {
    let mut total = 0;
    for guarded in [false, true] {
        for (name, device) in devices(guarded) {
            let device = device.at(2);
            let mut points = 0;
            for tear in [Tear::Torn, Tear::EccPoison, Tear::Unstable] {
                if name == "serial NOR" && tear != Tear::Torn {
                    continue;
                }
                points +=
                    Sweep::new()
                        .full(8)
                        .each_cut(|| torn(&device, tear), |device| device.step(3), check_cut);
            }
            println!("rotation, {name}, guarded {guarded}: {points} cut points");
            total += points;
        }
    }
    println!("rotation: {total} cut points");
    assert!(total > 5000);
}

#[test]
fn a_rotation_cut_twice_leaves_the_old_bundle_or_the_new() {
    let mut total = 0;
    for guarded in [false, true] {
        for tear in [Tear::Torn, Tear::Unstable, Tear::EccPoison] {
            let geometry = Geometry::new(&[512; 2], 16);
            let device = torn(&Device::new(&geometry, 2, guarded).at(2), tear);
            let device = || {
                let device = device.clone();
                Device {
                    flash: device.flash.with_unit(StepUnit::Word),
                    ..device
                }
            };
            total += two_cuts(
                device,
                |device| device.step(3),
                |device| {
                    let _ = device.step(3);
                },
                check_cut,
            );
        }
    }
    println!("rotation: {total} pairs of cuts");
    assert!(total > 1000);
}

#[test]
fn a_rotation_whose_successor_is_cut_too_leaves_one_of_them() {
    let mut total = 0;
    for guarded in [false, true] {
        for tear in [Tear::Torn, Tear::Unstable, Tear::EccPoison] {
            let geometry = Geometry::new(&[512; 2], 16);
            let device = torn(&Device::new(&geometry, 2, guarded).at(2), tear);
            total += two_cuts(
                || {
                    let device = device.clone();
                    Device {
                        flash: device.flash.with_unit(StepUnit::Word),
                        ..device
                    }
                },
                |device| device.step(3),
                |device| {
                    let _ = device.step(3).and_then(|()| device.step(4));
                },
                |device, outcome| {
                    let version = device.version().expect("one of them, never none");
                    assert!((2..=4).contains(&version));
                    assert!(outcome.result.is_err() || version >= 3);
                    assert!(!device.guarded || device.counter.value() == version);
                    for to in version + 1..=4 {
                        device.step(to).unwrap();
                    }
                    assert_eq!(device.version(), Ok(4));
                },
            );
        }
    }
    println!("two rotations: {total} pairs of cuts");
    assert!(total > 1000);
}

/// Clean cuts on 16-byte words, so that a test can say which bit is between zero and one.
fn clean(guarded: bool, seed: u64) -> Device {
    let geometry = Geometry::new(&[512; 2], 16);
    let device = torn(&Device::new(&geometry, 2, guarded).at(2), Tear::Clean);
    Device {
        flash: device.flash.with_unit(StepUnit::Word).with_seed(seed),
        ..device
    }
}

/// The half that holds version 3 after versions 1 (twice), 2 and 3.
const HALF_OF_3: u32 = 512;
const MARK: u32 = HALF_OF_3 + 64;

/// Never neither, at any reading, and still able to go on.
fn check_readings(device: &mut Device) {
    for _ in 0..4 {
        let version = device.version().expect("one of them, never none");
        assert!((2..=4).contains(&version));
        if device.guarded {
            assert_eq!(device.counter.value(), version);
        }
    }
    let version = device.version().unwrap();
    for to in version + 1..=4 {
        device.step(to).unwrap();
    }
    assert_eq!(device.version(), Ok(4));
}

#[test]
fn a_header_bit_between_zero_and_one_is_written_again_before_the_older_bundle_is_given_up() {
    let mut points = 0;
    for (guarded, seed) in (0..16).map(|n| (n % 2 == 0, n)) {
        let mut device = clean(guarded, seed);
        let mut whole = device.clone();
        let before = whole.flash.steps();
        whole.step(3).unwrap();
        let steps = whole.flash.steps() - before;
        // Up to the header, without the mark; and the last bit of the header did not settle.
        let raised = u64::from(guarded);
        device.flash.cut_after(steps - 1 - raised);
        assert!(device.step(3).is_err());
        device.flash.power_on();
        let mark = MARK as usize;
        assert_eq!(device.flash.image()[mark..mark + 4], [0xFF; 4]);
        assert_ne!(device.flash.image()[mark - 16], 0xFF, "the header is there");
        device.flash.make_unstable(HALF_OF_3 + 48, 1);
        points += each_cut(
            || device.clone(),
            |device| device.step(3).and_then(|()| device.step(4)),
            |device, _| check_readings(device),
        );
    }
    println!("unstable header: {points} cut points");
    assert!(points > 500);
}

#[test]
fn a_mark_bit_between_zero_and_one_does_not_give_up_the_only_copy() {
    let mut pairs = 0;
    for (guarded, seed) in (0..4).map(|n| (n % 2 == 0, n)) {
        let mut device = clean(guarded, seed);
        device.step(3).unwrap();
        assert_eq!(device.flash.image()[MARK as usize..][..4], *b"done");
        device.flash.make_unstable(MARK, 1);
        pairs += two_cuts(
            || device.clone(),
            |device| device.step(4),
            |device| {
                let _ = device.version();
            },
            |device, _| check_readings(device),
        );
    }
    println!("unstable mark: {pairs} pairs of cuts");
    assert!(pairs > 500);
}

#[test]
fn a_provisioning_cut_anywhere_leaves_nothing_or_the_bundle_and_can_be_done_again() {
    let mut points = 0;
    for (_, device) in devices(true) {
        points += each_cut(
            || torn(&device, Tear::Unstable),
            |device| {
                device.with_guard(|flash, region, guard| {
                    let trust = factory(&bundles()[0]).unwrap();
                    TrustStore::provision(flash, region, &trust, guard, &mut Sha256::new()).map(|_| ())
                })
            },
            |device, outcome| {
                match device.version() {
                    Ok(1) => {}
                    Err(TrustError::Missing | TrustError::Corrupt) => assert!(outcome.result.is_err()),
                    other => panic!("{other:?}"),
                }
                let mut again = device.clone().at(4);
                assert_eq!(again.version(), Ok(4));
            },
        );
    }
    println!("provisioning: {points} cut points");
}

fn small(guarded: bool) -> Device {
    Device::new(&Geometry::new(&[512; 2], 4), 2, guarded)
}

#[test]
fn nothing_stored_and_damage_are_errors_of_their_own_and_not_version_zero() {
    for guarded in [false, true] {
        assert_eq!(small(guarded).version(), Err(TrustError::Missing));
        let mut device = small(guarded).at(2);
        for page in [0, 512] {
            device.flash.tamper(page, &[0x55; 64]);
        }
        assert_eq!(device.version(), Err(TrustError::Corrupt));
        let mut device = small(guarded).at(2);
        for page in [0, 512] {
            device.flash.tamper(page + 200, &[0x55; 4]);
        }
        assert_eq!(device.version(), Err(TrustError::Corrupt));
    }
}

#[test]
fn a_bundle_that_was_put_back_is_refused_by_the_counter() {
    let old = small(true).at(2);
    let mut device = old.clone();
    for to in 3..=4 {
        device.step(to).unwrap();
    }
    // The whole flash as it was at version 2; only the counter remembers.
    device.flash.tamper(0, old.flash.image());
    assert_eq!(device.version(), Err(TrustError::BelowCounter));
    // Erased, it does not start from the factory bundle again either.
    device.flash.tamper(0, &[0xFF; 1024]);
    assert_eq!(device.version(), Err(TrustError::Missing));
    let again = device.with_guard(|flash, region, guard| {
        let trust = factory(&bundles()[0]).unwrap();
        TrustStore::provision(flash, region, &trust, guard, &mut Sha256::new()).map(|_| ())
    });
    assert_eq!(again, Err(TrustError::BelowCounter));
}

#[test]
fn a_lost_store_is_mended_by_the_chain_from_the_factory_bundle() {
    let mut device = small(true).at(4);
    device.flash.tamper(0, &[0; 1024]);
    assert_eq!(device.version(), Err(TrustError::Corrupt));
    let bundles = bundles();
    let mut trust = factory(&bundles[0]).unwrap();
    for message in &bundles[1..] {
        trust = rotate(&trust, message).unwrap().unwrap().into_trust();
    }
    let mend = |flash: &mut SimFlash, region, guard: &mut Guard<'_>| {
        TrustStore::provision(flash, region, &trust, guard, &mut Sha256::new()).map(|_| ())
    };
    device.with_guard(mend).unwrap();
    assert_eq!(device.version(), Ok(4));
}

#[test]
fn a_bundle_that_another_device_wrote_is_refused_by_the_seal() {
    let mut device = small(true).at(2);
    let mut foreign = small(true);
    foreign.root = SimRootKey::new(2);
    let foreign = foreign.at(3);
    device.flash.tamper(0, foreign.flash.image());
    assert_eq!(device.version(), Err(TrustError::Corrupt));
    // Without a seal it is taken: that is why there is one.
    let mut plain = small(false).at(2);
    plain.flash.tamper(0, small(false).at(3).flash.image());
    assert_eq!(plain.version(), Ok(3));
}

#[test]
fn an_unreadable_counter_and_a_missing_root_key_fail_closed() {
    let mut device = small(true).at(2);
    device.counter.set_unreadable(true);
    assert_eq!(
        device.version(),
        Err(TrustError::Counter(CounterError::Unreadable))
    );
    device.counter.set_unreadable(false);
    device.root = SimRootKey::unavailable();
    assert!(matches!(device.version(), Err(TrustError::RootKey(_))));
    // One that cannot count so far is reported; what is stored stays in force.
    let mut device = small(true).at(2);
    device.counter = SimCounter::new()
        .at(2)
        .with_limit(2)
        .powered_by(device.flash.power());
    assert_eq!(device.step(3), Err(TrustError::Counter(CounterError::Exhausted)));
    assert_eq!(device.version(), Ok(3));
}

#[test]
fn a_flash_that_fails_keeps_the_present_bundle() {
    for operation in [Operation::Erase, Operation::Write] {
        let mut device = small(true).at(2);
        device.flash.fail(operation, 0..u64::MAX);
        assert_eq!(device.step(3), Err(TrustError::Flash(FlashError::Driver)));
        device.flash.mend();
        assert_eq!(device.version(), Ok(2));
        device.step(3).unwrap();
    }
}

#[test]
fn what_does_not_fit_is_refused_before_flash_is_touched() {
    let mut device = small(false).at(1);
    let capacity = TrustStore::capacity(&device.region) as usize;
    let large = small_bundle(2).with(|bundle| bundle.tls = vec![(1, vec![7; 300])]);
    let large = signed(&large);
    assert!(large.len() > capacity);
    let before = device.flash.image().to_vec();
    let mut buffer = [0; 4096];
    let result = device.with_guard(|flash, region, guard| {
        let mut hash = Sha256::new();
        let (mut store, trust) = TrustStore::mount(
            flash,
            region,
            &crate::maker::device(),
            guard,
            &mut hash,
            &mut buffer,
        )
        .unwrap();
        let rotation = rotate(&trust, &large).unwrap().unwrap();
        store.put(flash, rotation, guard, &mut hash).map(|_| ())
    });
    assert_eq!(result, Err(TrustError::TooLarge));
    assert_eq!(device.flash.image(), before);

    let mut short = [0; 100];
    let result = device.with_guard(|flash, region, guard| {
        let mounted = TrustStore::mount(
            flash,
            region,
            &crate::maker::device(),
            guard,
            &mut Sha256::new(),
            &mut short,
        );
        mounted.map(|_| ())
    });
    assert_eq!(result, Err(TrustError::BufferTooSmall));
    let other = DeviceIdentity {
        class: [0; 16],
        ..crate::maker::device()
    };
    assert_eq!(device.version_for(&other), Err(TrustError::Product));
    let one_page = Region::new(0, 512, 1, 4).unwrap();
    assert_eq!(TrustStore::check(&one_page), Err(TrustError::Region));
    let tiny = Region::new(0, 64, 2, 4).unwrap();
    assert_eq!(TrustStore::check(&tiny), Err(TrustError::Region));
}

#[test]
fn a_bundle_is_believed_only_once_it_is_stored() {
    // The type says so: `put` takes the rotation and gives the trust.
    fn believed<'n>(trust: &Trust<'n>) -> &'n [u8] {
        trust.message()
    }
    let messages = bundles();
    let trust = factory(&messages[0]).unwrap();
    assert_eq!(believed(&trust), messages[0]);
    let mut device = small(true).at(1);
    device.flash.fail(Operation::Write, 0..u64::MAX);
    assert!(device.step(2).is_err());
    device.flash.mend();
    assert_eq!((device.version(), device.counter.value()), (Ok(1), 1));
}
