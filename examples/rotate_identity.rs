//! A device gets a new key and certificate, with power cuts at every write, and is never without an identity.
//!
//! ```text
//! cargo run --example rotate_identity
//! ```
//!
//! Flash and CA are simulated; store, request and rotation are what a product runs. Fails when something is not so.

use iotsec::core::crypto::{Aes256GcmSiv, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sign, Verify};
use iotsec::core::identity::{CertificationRequest, Rotation, RotationStatus, Subject};
use iotsec::identity::StoredIdentity;
use iotsec::store::keys::{Algorithm, KeyKind, KeySuite, SignAlgorithm};
use iotsec::store::{IndexEntry, ReplayProtection, Store, Suite};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
use std::error::Error;

type Answer<T> = Result<T, Box<dyn Error>>;
type Storage<'s, 'd> = StoredIdentity<'s, 'd, SimFlash, SimRng>;
type Work = fn(&mut Storage<'_, '_>) -> Answer<Rotation>;

/// The least that has the shape of a certificate, around the key in the request.
fn certificate_for(request: &[u8]) -> Vec<u8> {
    let wrap = |parts: &[&[u8]]| {
        let content = parts.concat();
        [&[0x30, u8::try_from(content.len()).expect("short")][..], &content].concat()
    };
    let spki = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70];
    let at = request
        .windows(9)
        .position(|part| part == spki)
        .expect("an Ed25519 key");
    let names = [0xA0, 3, 2, 1, 2, 2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0];
    let signed = wrap(&[&names, &request[at..at + 44]]);
    wrap(&[&signed, &[0x30, 0, 0x03, 1, 0]])
}

/// The server answers whoever signs with the key that the certificate is for.
fn server_accepts(key: &dyn Sign, challenge: &[u8]) -> Answer<()> {
    let mut signature = [0; 64];
    key.sign(challenge, &mut signature)?;
    Ok(Ed25519PublicKey::from_bytes(key.public_key())?.verify(challenge, &signature)?)
}

/// A boot, and what is done in it; with the identity that counts afterwards.
fn boot(flash: &mut SimFlash, seed: u64, new: bool, work: Work) -> Answer<Vec<u8>> {
    let (aead, kdf, root) = (&Aes256GcmSiv, &HkdfSha256, &SimRootKey::new(1));
    let (suite, mut rng) = (Suite { aead, kdf, root }, SimRng::new(seed));
    let (region, guard) = (flash.region()?, ReplayProtection::None);
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 2048]);
    let mut store = if new {
        Store::format(flash, region, suite, &mut index, &mut buffer, guard, &mut rng)?
    } else {
        Store::mount(flash, region, suite, &mut index, &mut buffer, guard, &mut rng)?
    };
    let (sign, mut keys) = (Algorithm::<Ed25519SigningKey>::NEW, KeySuite::new(kdf));
    let signers: [&dyn SignAlgorithm; 1] = [&sign];
    keys.sign = &signers;
    let mut storage = StoredIdentity {
        store: &mut store,
        flash,
        rng: &mut rng,
        keys,
        kind: KeyKind::Ed25519,
        namespace: 9,
    };
    let rotation = work(&mut storage)?;
    let key = rotation.key(&mut storage)?;
    server_accepts(&key, b"are you there?")?;
    Ok(key.public_key().to_vec())
}

/// What is left to do of a rotation.
fn rotate(storage: &mut Storage<'_, '_>) -> Answer<Rotation> {
    let mut rotation = Rotation::open(storage)?;
    if rotation.status() == RotationStatus::Idle {
        rotation.start::<Ed25519PublicKey, _>(storage)?;
    }
    if rotation.status() == RotationStatus::NeedsCertificate {
        let mut out = [0; CertificationRequest::MAX_LEN];
        let request = rotation.request(storage, &Subject::new("LAMP-0042")?, &mut out)?;
        rotation.certify(storage, &certificate_for(request))?;
    }
    let trial = rotation.trial()?;
    server_accepts(&trial.key(storage)?, b"who are you?")?;
    rotation.commit(storage, trial.accepted())?;
    Ok(rotation)
}

fn main() -> Answer<()> {
    let mut made = SimFlash::new(Geometry::nrf52840(8));
    let factory = |storage: &mut Storage<'_, '_>| Ok(Rotation::initialise::<Ed25519PublicKey, _>(storage)?);
    let first = boot(&mut made, 1, true, factory)?;
    let (mut cuts, mut old) = (0, 0);
    loop {
        let mut flash = made.clone();
        flash.cut_after(cuts);
        let finished = boot(&mut flash, 2, false, rotate).is_ok();
        flash.power_on();
        // After the next boot there is an identity that works: the old one, or the new one.
        let after = boot(&mut flash, 3, false, |storage| Ok(Rotation::open(storage)?))?;
        if finished {
            break;
        }
        cuts += 1;
        old += u64::from(after == first);
        // And the rotation goes on to its end.
        if boot(&mut flash, 4, false, rotate)? == first {
            return Err("the old key outlived its rotation".into());
        }
    }
    println!(
        "{cuts} power cuts: {old} left the old key, {} the new one, none left none",
        cuts - old
    );
    if old == 0 || old == cuts || cuts < 9 {
        return Err("the cuts did not reach every step".into());
    }
    Ok(())
}
