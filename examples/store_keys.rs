//! A device makes its identity key, gets a link key wrapped, uses, rotates and destroys them, and never sees a
//! byte of them.
//!
//! ```text
//! cargo run --example store_keys
//! ```
//!
//! Flash and root key are simulated; the rest is what a product runs.

use iotsec::{
    core::{
        cbor::Limits,
        cose::{Sign1, Sign1Builder},
        crypto::{
            Aes256GcmSiv, Aes256KeyWrap, ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256,
            KeyWrap,
        },
        secret::Secret,
    },
    store::{
        IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite,
        keys::{Algorithm, KeyKind, KeySpec, KeySuite, KeyUsage, Keyring},
    },
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};

const IDENTITY: KeySpec = KeySpec {
    id: KeyId::new(KeyDomain::Device, 7, 1),
    kind: KeyKind::Ed25519,
    usage: KeyUsage::SIGN,
};
const FROM_MAKER: KeySpec = KeySpec {
    id: KeyId::new(KeyDomain::Device, 7, 2),
    kind: KeyKind::Aes256Wrap,
    usage: KeyUsage::UNWRAP,
};
const LINK: KeySpec = KeySpec {
    id: KeyId::new(KeyDomain::User, 7, 1),
    kind: KeyKind::ChaCha20Poly1305,
    usage: KeyUsage::ENCRYPT.and(KeyUsage::DECRYPT),
};

/// The algorithms that this firmware uses; no other is linked.
const ALGORITHMS: KeySuite<'static> = KeySuite {
    sign: &[&Algorithm::<Ed25519SigningKey>::NEW],
    aead: &[&ChaCha20Poly1305],
    wrap: &[&Aes256KeyWrap],
    ..KeySuite::new(&HkdfSha256)
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (mut flash, mut rng) = (SimFlash::new(Geometry::nrf52840(8)), SimRng::new(1));
    let (region, root) = (flash.region()?, SimRootKey::new(1));
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 256]);
    let mut store = Store::format(
        &mut flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )?;
    let mut keys = Keyring::new(&mut store, ALGORITHMS);

    // At the factory: the identity is drawn on the device and never leaves it; a wrapping key comes from the maker.
    let identity = keys.generate(&mut flash, IDENTITY, &mut rng)?;
    let public = Ed25519PublicKey::from_bytes(keys.public_key(&mut flash, &identity)?.as_bytes())?;
    let shared = *b"a key that the maker has as well";
    let kek = keys.import(&mut flash, FROM_MAKER, &shared)?;
    println!("made:       {identity:?}");
    let answer = keys.export(&mut flash, &identity, &mut Secret::<32>::zero());
    println!("exported:   {answer:?}");

    // In the field: whatever signs takes the stored key.
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let signer = keys.signer(&mut flash, &identity)?;
    let report = Sign1Builder::new().sign(&signer, b"all is well", b"", &mut scratch, &mut out)?;
    let report = Sign1::parse(report, &Limits::SMALL)?.verify(&public, b"", &mut scratch)?;
    println!("signed:     {}", String::from_utf8_lossy(report.payload()));

    // The key of the link arrives wrapped, which the maker made so.
    let mut wrapped = [0; 40];
    Aes256KeyWrap.wrap(&shared, b"a key for the link to the cloud.", &mut wrapped)?;
    let link = keys.unwrap(&mut flash, &kek, &wrapped, LINK)?;
    let mut reading = *b"21.5 degrees";
    let sealed = keys.encrypt(&mut flash, &link, b"kitchen", &mut reading, &mut rng)?;
    println!("encrypted:  {reading:02x?}");

    // A new key: what the old one encrypted can be read until it is retired.
    let link = keys.rotate(&mut flash, link, &mut rng)?;
    let old = keys.previous(&mut flash, &link)?;
    keys.decrypt(&mut flash, &old, b"kitchen", &sealed, &mut reading)?;
    println!(
        "rotated:    {}, number {}",
        String::from_utf8_lossy(&reading),
        link.number()
    );
    keys.retire(&mut flash, &link)?;
    let answer = keys.decrypt(&mut flash, &old, b"kitchen", &sealed, &mut reading);
    println!("retired:    {answer:?}");

    // Sold: one key goes by itself, the rest of the owner's with the owner.
    keys.destroy(&mut flash, link)?;
    println!("destroyed:  {:?}", keys.open(&mut flash, LINK.id));
    store.erase_user(&mut flash, &mut rng)?;
    let mut keys = Keyring::new(&mut store, ALGORITHMS);
    println!("still mine: {:?}", keys.open(&mut flash, IDENTITY.id)?.usage());

    assert!(!flash.contains(&shared[..8]) && !flash.contains(b"the link"));
    Ok(())
}
