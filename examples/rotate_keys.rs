//! An update key is stolen. The maker revokes it, and a device follows, through a power cut.
//!
//! ```text
//! cargo run --example rotate_keys
//! ```
//!
//! Flash and counter are simulated; the rest is what a product runs. On the maker's side the same is done
//! with `iotsec trust init` and `iotsec trust revoke`.

use iotsec::{
    core::{
        cose::{Key, SignBuilder, Signer},
        crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
        secret::Secret,
    },
    update::{
        DeviceIdentity,
        trust::{Guard, Role, Trust, TrustBundle, TrustBundleContent, TrustError, TrustStore},
    },
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash};

const DEVICE: DeviceIdentity<'static> = DeviceIdentity {
    vendor: [1; 16],
    class: [2; 16],
    device: None,
    components: &[],
};

fn key(seed: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]))
}

fn public(seed: u8) -> [u8; 32] {
    key(seed).public_key().try_into().expect("Ed25519 has 32 bytes")
}

/// The maker: root keys 1, 2 and 3, of which two sign, and one update key.
fn bundle(version: u64, update: u8, revoked: &[[u8; 32]], signers: [u8; 2]) -> Result<Vec<u8>, TrustError> {
    let keys = [1, 2, 3, update].map(public);
    let content = TrustBundleContent {
        version,
        expires: None,
        vendor: DEVICE.vendor,
        class: DEVICE.class,
        keys: &keys.each_ref().map(Key::ed25519),
        roles: &[(Role::Root, 2, &[0, 1, 2]), (Role::Update, 1, &[3])],
        revoked,
        tls: &[],
    };
    let (mut payload, mut scratch, mut out) = ([0; 1024], [0; 1024], [0; 1024]);
    let payload = content.write(&mut Sha256::new(), &mut payload)?;
    let root = signers.map(key);
    let signers = root.each_ref().map(|key| Signer { key, kid: None });
    let message = SignBuilder::new(&signers).sign(payload, b"", &mut scratch, &mut out)?;
    Ok(message.to_vec())
}

/// The device starts: it reads the stored bundle, and takes the next one if it was sent one.
fn start(flash: &mut SimFlash, counter: &mut SimCounter, next: Option<&[u8]>) -> Result<String, TrustError> {
    let (mut buffer, mut scratch) = ([0; TrustBundle::MAX_LEN], [0; TrustBundle::MAX_LEN]);
    let (load, mut hash) = (Ed25519PublicKey::from_cose, Sha256::new());
    let (region, mut guard) = (flash.region()?, Guard::new().with_counter(counter));
    let (mut store, mut trust) =
        TrustStore::mount(flash, region, &DEVICE, &mut guard, &mut hash, &mut buffer)?;
    if let Some(next) = next
        && let Some(rotation) = trust.rotate(next, &DEVICE, load, &mut hash, &mut scratch)?
    {
        trust = store.put(flash, rotation, &mut guard, &mut hash)?;
    }
    let (threshold, keys) = trust.bundle().role(Role::Update).ok_or(TrustError::RoleAbsent)?;
    let keys: Vec<_> = keys.map(|key| format!("{:02x?}…", &key.x()[..4])).collect();
    let version = trust.bundle().version();
    Ok(format!(
        "version {version}, {threshold} of {} signs updates",
        keys.join(" ")
    ))
}

fn main() -> Result<(), TrustError> {
    let stolen = Key::ed25519(&public(4)).thumbprint(&mut Sha256::new());
    let first = bundle(1, 4, &[], [1, 2])?;
    let second = bundle(2, 5, &[stolen], [2, 3])?;
    let forged = bundle(2, 4, &[], [1, 9])?; // one root key is not enough

    let mut flash = SimFlash::new(Geometry::nrf52840(2));
    let mut counter = SimCounter::new().powered_by(flash.power());
    let (region, mut guard) = (flash.region()?, Guard::new().with_counter(&mut counter));
    let (load, mut hash) = (Ed25519PublicKey::from_cose, Sha256::new());
    let factory = Trust::factory(&first, &DEVICE, load, &mut hash, &mut [0; 1024])?;
    TrustStore::provision(&mut flash, region, &factory, &mut guard, &mut hash)?;

    println!("factory:     {}", start(&mut flash, &mut counter, None)?);
    let answer = start(&mut flash, &mut counter, Some(&forged));
    println!("forgery:     {answer:?}");

    flash.cut_after(10);
    let answer = start(&mut flash, &mut counter, Some(&second));
    println!("power cut:   {answer:?}");
    flash.power_on();
    println!("after it:    {}", start(&mut flash, &mut counter, None)?);
    println!("rotated:     {}", start(&mut flash, &mut counter, Some(&second))?);

    let answer = start(&mut flash, &mut counter, Some(&first));
    println!("the old one: {answer:?}");
    Ok(())
}
