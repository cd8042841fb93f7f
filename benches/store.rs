//! What the encrypted store asks of the flash, counted and not timed.
//!
//! ```text
//! cargo bench --bench store
//! ```
//!
//! Workload: 50 keys, 1000 updates to age the flash, then 1000 that are measured; values of 32 to 256
//! bytes; pages of 4 KiB, words of 4 bytes; always the same seed. Write amplification is bytes programmed
//! (headers, tags and padding included) over bytes of key and value.

use iotsec::{
    core::crypto::{Aes256GcmSiv, HkdfSha256},
    store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite},
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};

const KEYS: u64 = 50;
const UPDATES: u64 = 1000;
/// A key is counted as four bytes.
const KEY_LEN: u64 = 4;

fn main() {
    println!(
        "{:<10} {:>6} {:>9} {:>8} {:>11} {:>14} {:>12} {:>10}",
        "flash", "WA", "erases", "writes", "bytes read", "erases in one", "mount reads", "wear"
    );
    println!(
        "{:<10} {:>6} {:>9} {:>8} {:>11} {:>14} {:>12} {:>10}",
        "", "", "/1000 put", "/put", "/put", "put at most", "bytes", "min..max"
    );
    for pages in [8, 16, 32] {
        match run(pages) {
            Ok(row) => println!("{row}"),
            Err(error) => println!("{:<10} {error}", format!("{} KiB", pages * 4)),
        }
    }
}

/// Ages and measures a store on a flash of `pages` pages.
fn run(pages: usize) -> Result<String, StoreError> {
    let root = SimRootKey::new(1);
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let mut flash = SimFlash::new(Geometry::nrf52840(pages));
    let region = flash.region()?;
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 64], [0; 512]);
    let (mut entropy, mut dice) = (SimRng::new(1), SimRng::new(42));
    let mut store = Store::format(
        &mut flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut entropy,
    )?;
    let worst = std::cell::Cell::new(0);
    let mut put = |store: &mut Store<'_>, flash: &mut SimFlash, key: u64| -> Result<u64, StoreError> {
        let len = 32 + dice.below(225);
        let value = vec![u8::try_from(key).unwrap_or(0); usize::try_from(len).unwrap_or(0)];
        let number = u16::try_from(key).unwrap_or(0);
        let before = flash.stats().erases;
        store.put(flash, KeyId::new(KeyDomain::Device, 1, number), &value)?;
        worst.set(worst.get().max(flash.stats().erases - before));
        Ok(len + KEY_LEN)
    };
    for key in 0..KEYS {
        put(&mut store, &mut flash, key)?;
    }
    let mut keys = SimRng::new(7);
    for _ in 0..UPDATES {
        put(&mut store, &mut flash, keys.below(KEYS))?;
    }
    let before = flash.stats();
    let mut payload = 0;
    for _ in 0..UPDATES {
        payload += put(&mut store, &mut flash, keys.below(KEYS))?;
    }
    let used = flash.stats() - before;
    drop(store);
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 64], [0; 512]);
    let (_, mount) = flash.measure(|flash| {
        Store::mount(
            flash,
            region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut entropy,
        )
        .map(|_| ())
    });
    let wear = &flash.wear()[1..];
    let spread = format!(
        "{}..{}",
        wear.iter().min().unwrap_or(&0),
        wear.iter().max().unwrap_or(&0)
    );
    Ok(format!(
        "{:<10} {:>6.2} {:>9} {:>8.2} {:>11.0} {:>14} {:>12} {:>10}",
        format!("{} KiB", pages * 4),
        ratio(used.bytes_written, payload),
        used.erases,
        ratio(used.writes, UPDATES),
        ratio(used.bytes_read, UPDATES),
        worst.get(),
        mount.bytes_read,
        spread,
    ))
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
