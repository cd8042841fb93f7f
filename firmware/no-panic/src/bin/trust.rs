//! Trust bundles from bytes and flash of unknown content, their rotation, statements and tokens. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{
    cose::Key,
    crypto::{CryptoError, Kdf, Sha256},
    hal::{RootKey, RootKeyError, UnixTime},
    secret::Secret,
};
use iotsec_update::{
    DeviceIdentity,
    trust::{Challenge, Downgrade, Guard, Role, Seal, TimeFloor, Trust, TrustStore},
};
use no_panic::{KeyInHardware, UnknownCounter, UnknownFlash, halt, region, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    let _ = black_box(trust(unknown(&input)));
    halt()
}

fn load(key: &Key<'_>) -> Result<KeyInHardware, CryptoError> {
    black_box(key);
    black_box(Ok(KeyInHardware))
}

fn trust(input: &[u8]) -> Option<()> {
    let device = black_box(DeviceIdentity {
        vendor: [0; 16],
        class: [1; 16],
        device: Some([2; 16]),
        components: &[],
    });
    let (mut hash, mut scratch, mut buffer) = (Sha256::new(), [0; 512], [0; 512]);
    let (mut flash, region, mut counter) = (UnknownFlash, region().ok()?, UnknownCounter);
    let mut guard = Guard::new().with_counter(&mut counter).with_seal(Seal {
        root: &Hidden,
        kdf: &Hidden,
    });
    let factory = Trust::factory(input, &device, load, &mut hash, &mut scratch).ok()?;
    black_box(TrustStore::provision(&mut flash, region, &factory, &mut guard, &mut hash).is_ok());
    let (mut store, trust) =
        TrustStore::mount(&mut flash, region, &device, &mut guard, &mut hash, &mut buffer).ok()?;
    let rotation = trust
        .rotate(input, &device, load, &mut hash, &mut scratch)
        .ok()??;
    let trust = store.put(&mut flash, rotation, &mut guard, &mut hash).ok()?;

    let now = TimeFloor::new(black_box(UnixTime(0)))
        .read(black_box(Some(UnixTime(1))))
        .trusted();
    let keys = trust.keys(Role::Update, now, load).ok()?;
    black_box(keys.list().anchors().is_ok());
    black_box(trust.bundle().tls_anchors().count());
    let challenge = Challenge::new(&mut Unknown).ok()?;
    black_box(
        challenge
            .check(input, &trust, &device, now, load, &mut scratch)
            .is_ok(),
    );
    let leave = Downgrade::check(
        input,
        &trust,
        &device,
        &black_box([0; 32]),
        now,
        load,
        &mut scratch,
    );
    black_box(leave.is_ok());
    Some(())
}

/// A root key of which nothing is known.
struct Hidden;

impl RootKey for Hidden {
    fn derive(&self, label: &[u8], out: &mut Secret<32>) -> Result<(), RootKeyError> {
        black_box((label, out.expose_mut()));
        black_box(Ok(()))
    }
}

impl Kdf for Hidden {
    fn hkdf(&self, _: &[u8], _: &[u8], _: &[&[u8]], _: &mut [u8]) -> Result<(), CryptoError> {
        black_box(Ok(()))
    }
    fn hmac(&self, key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], CryptoError> {
        black_box((key, parts));
        black_box(Ok([0; 32]))
    }
}

/// A source of which nothing is known.
struct Unknown;

impl rand_core::TryRng for Unknown {
    type Error = CryptoError;
    fn try_next_u32(&mut self) -> Result<u32, CryptoError> {
        black_box(Ok(0))
    }
    fn try_next_u64(&mut self) -> Result<u64, CryptoError> {
        black_box(Ok(0))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), CryptoError> {
        black_box(bytes);
        black_box(Ok(()))
    }
}

impl rand_core::TryCryptoRng for Unknown {}
