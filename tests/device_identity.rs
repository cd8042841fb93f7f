//! A device's identity lives in the device's own store: it asks for certificates, attests, rotates, and goes at the end.

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "unit/lamp.rs"]
mod lamp;
#[path = "unit/hardware.rs"]
mod unit;

use iotsec::{
    core::{
        attest::{AttestError, Claims, Component, Evidence, Nonce, Token},
        credential::Attempt,
        crypto::{Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sha256, Sign},
        hal::{DebugState, Millis},
        identity::{CertificationRequest, Rotation, RotationError, RotationStatus, Subject},
        secret::Secret,
    },
    device::{Attestation, Booted, Device, DeviceError, Owned},
    store::{
        KeyDomain, KeyId, Scrub,
        keys::{Algorithm, KeyKind, KeySuite, SignAlgorithm},
    },
};
use iotsec_testkit::{SimFlash, SimRng, each_cut};
use lamp::{Unit, Unowned};

type Lamp<'w> = Device<'w, Owned, &'w mut SimFlash, SimRng, 16>;

const NOW: Millis = Millis::from_secs(60);
const SIGN: &[&dyn SignAlgorithm] = &[&Algorithm::<Ed25519SigningKey>::NEW];
const DIGEST: [u8; 32] = [5; 32];
/// In a product `MANIFEST_SHA256`, which `iotsec constants` makes.
const PRODUCT: [u8; 32] = [6; 32];
const KIND: KeyKind = KeyKind::Ed25519;

fn keys() -> KeySuite<'static> {
    KeySuite {
        sign: SIGN,
        ..KeySuite::new(&HkdfSha256)
    }
}

/// The station has the device make its identity. Returns its public key.
fn make_identity(device: &mut Unowned<'_>) -> Result<Ed25519PublicKey, DeviceError> {
    let mut identity = device.identity(keys(), KIND);
    let rotation = Rotation::initialise::<Ed25519PublicKey, _>(&mut identity)?;
    let key = rotation.key(&mut identity)?;
    Ok(Ed25519PublicKey::from_bytes(key.public_key())?)
}

fn with_identity() -> (Unit, Ed25519PublicKey) {
    let mut unit = Unit::made();
    let key = unit.unowned(|mut device| make_identity(&mut device)).unwrap();
    (unit, key)
}

fn owned<T>(
    unit: &mut Unit,
    work: impl FnOnce(Lamp<'_>) -> Result<T, DeviceError>,
) -> Result<T, DeviceError> {
    let label = unit.label.clone();
    unit.open(|unit| match unit {
        Booted::Provisioned(device) => {
            let owned = device.claim(&Attempt::from_label(&label).unwrap(), NOW);
            work(owned.map_err(|(_, error)| error)?)
        }
        Booted::Owned(device) => work(device),
        other => panic!("{other:?}"),
    })
}

fn attest(unit: &mut Unit, nonce: [u8; 32], debug: DebugState) -> Result<Vec<u8>, DeviceError> {
    let components = [
        Component::image("App", &DIGEST, "1.4.2", &[3; 32]),
        Component::product(&PRODUCT, "1.4.2", &[3; 32]),
    ];
    owned(unit, |mut device| {
        let attestation = Attestation {
            nonce: Nonce::new(&nonce)?,
            hardware: b"lamp-2, revision C of the board ",
            client_id: 1,
            debug,
            components: &components,
            boot_seed: None,
        };
        let (mut scratch, mut out) = ([0; Claims::max_scratch(2)], [0; Claims::max_len(2)]);
        let token = device.attest(
            keys(),
            KIND,
            &attestation,
            &mut Sha256::new(),
            &mut scratch,
            &mut out,
        )?;
        Ok(token.to_vec())
    })
}

fn read<'t>(token: &'t [u8], key: &Ed25519PublicKey, nonce: [u8; 32]) -> Result<Evidence<'t>, AttestError> {
    Token::parse(token)?.verify(key, Nonce::new(&nonce)?, &mut Sha256::new(), &mut [0; 1024])
}

#[test]
fn a_device_attests_what_boot_measured_and_no_better_life_than_it_has() {
    let (mut unit, key) = with_identity();
    let token = attest(&mut unit, [1; 32], DebugState::Closed).unwrap();
    let evidence = read(&token, &key, [1; 32]).unwrap();
    assert!(evidence.lifecycle().is_trustworthy());
    assert_eq!(evidence.components().next().unwrap().digest, DIGEST);
    assert_eq!(evidence.product().unwrap().digest, PRODUCT);
    assert_eq!(read(&token, &key, [2; 32]).err(), Some(AttestError::Nonce));
    let token = attest(&mut unit, [1; 32], DebugState::Open).unwrap();
    assert!(!read(&token, &key, [1; 32]).unwrap().lifecycle().is_trustworthy());
}

#[test]
fn without_an_identity_there_is_nothing_to_attest_with() {
    let refused = attest(&mut Unit::made(), [1; 32], DebugState::Closed).err();
    assert_eq!(refused, Some(DeviceError::Rotation(RotationError::Missing)));
}

#[test]
fn a_rotation_that_is_cut_leaves_an_identity_that_attests() {
    let (made, key) = with_identity();
    let rotate = |unit: &mut Unit| {
        owned(unit, |mut device| {
            let mut identity = device.identity(keys(), KIND);
            let mut rotation = Rotation::open(&mut identity)?;
            rotation.start::<Ed25519PublicKey, _>(&mut identity)?;
            let mut out = [0; CertificationRequest::MAX_LEN];
            let subject = Subject::new(lamp::SERIAL).unwrap();
            let request = rotation.request(&mut identity, &subject, &mut out)?;
            assert_eq!(request.first(), Some(&0x30));
            Ok(())
        })
    };
    let mut began = 0;
    let points = each_cut(
        || made.clone(),
        rotate,
        |unit, outcome| {
            let token = attest(unit, [1; 32], DebugState::Closed).unwrap();
            read(&token, &key, [1; 32]).unwrap();
            let status = owned(unit, |mut device| {
                let mut identity = device.identity(keys(), KIND);
                let mut rotation = Rotation::open(&mut identity)?;
                let status = rotation.status();
                if status == RotationStatus::NeedsCertificate {
                    rotation.cancel(&mut identity)?;
                }
                Ok(status)
            })
            .unwrap();
            began += u32::from(status == RotationStatus::NeedsCertificate);
            assert!(outcome.result.is_err() || status == RotationStatus::NeedsCertificate);
            rotate(unit).unwrap();
        },
    );
    println!("start of a rotation: {points} cut points, {began} of them had begun");
    assert!(began > 0 && u64::from(began) < points);
}

#[test]
fn a_minted_key_is_the_device_s_wherever_the_power_goes() {
    const SEED: [u8; 32] = *b"made by the station for one unit";
    let public = Ed25519SigningKey::from_seed(&Secret::from_bytes(SEED));
    let public = Ed25519PublicKey::from_bytes(public.public_key()).unwrap();
    let adopt = |unit: &mut Unit| {
        unit.unowned(|mut device| {
            let mut identity = device.identity(keys(), KIND);
            Rotation::adopt::<Ed25519PublicKey, _>(&mut identity, &SEED, None).map(|_| ())?;
            Ok(())
        })
    };
    let made = Unit::made();
    let points = each_cut(
        || made.clone(),
        adopt,
        |unit, _| {
            // Again, unless it had come to its end.
            let again = adopt(unit);
            let before = Err(DeviceError::Rotation(RotationError::AlreadyInitialised));
            assert!(again.is_ok() || again == before, "{again:?}");
            let token = attest(unit, [1; 32], DebugState::Closed).unwrap();
            read(&token, &public, [1; 32]).unwrap();
        },
    );
    println!("a minted key adopted: {points} cut points");
    let mut unit = made;
    adopt(&mut unit).unwrap();
    let wrong = unit.unowned(|mut device| {
        let mut identity = device.identity(keys(), KIND);
        Ok(Rotation::adopt::<Ed25519PublicKey, _>(&mut identity, &[7; 32], None).map(|_| ())?)
    });
    assert_eq!(
        wrong,
        Err(DeviceError::Rotation(RotationError::AlreadyInitialised))
    );
    let mut unit = Unit::made();
    let foreign = unit.unowned(|mut device| {
        let mut identity = device.identity(keys(), KIND);
        Ok(Rotation::adopt::<Ed25519PublicKey, _>(&mut identity, &SEED, Some(b"none")).map(|_| ())?)
    });
    assert!(
        matches!(foreign, Err(DeviceError::Rotation(RotationError::Identity(_)))),
        "{foreign:?}"
    );
}

#[test]
fn no_application_reads_or_writes_it_and_its_namespace_is_free_for_the_owner() {
    let (mut unit, _) = with_identity();
    owned(&mut unit, |mut device| {
        for number in 1..=5 {
            let key = KeyId::new(KeyDomain::Device, 0xFE, number);
            assert_eq!(device.get(key, &mut [0; 256]).err(), Some(DeviceError::Reserved));
            assert_eq!(device.put(key, &[1]).err(), Some(DeviceError::Reserved));
            assert_eq!(device.remove(key).err(), Some(DeviceError::Reserved));
        }
        device.put(KeyId::new(KeyDomain::User, 0xFE, 1), b"the owner's")
    })
    .unwrap();
}

#[test]
fn it_stays_when_the_owner_goes_and_goes_when_the_device_does() {
    let (mut unit, key) = with_identity();
    let label = unit.label.clone();
    let code = Attempt::from_label(&label).unwrap();
    owned(&mut unit, |mut device| {
        let owner = device.login(&code, NOW)?;
        device.reset(owner).map(|_| ()).map_err(|(_, error)| error)
    })
    .unwrap();
    let token = attest(&mut unit, [1; 32], DebugState::Closed).unwrap();
    read(&token, &key, [1; 32]).unwrap();
    let before = unit.values();
    owned(&mut unit, |mut device| {
        let owner = device.login(&code, NOW)?;
        let mut device = device.retire(owner).map_err(|(_, error)| error)?;
        while device.scrub_step()? == Scrub::Pending {}
        Ok(())
    })
    .unwrap();
    let identity = |keys: &[KeyId]| keys.iter().filter(|key| key.namespace() == 0xFE).count();
    assert_eq!((identity(&before), identity(&unit.values())), (2, 0));
}
