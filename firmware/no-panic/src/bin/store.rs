//! The store over a flash of unknown content, with all cryptography in hardware. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_store::{
    DeviceOnly, IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, StoreRegion, Suite,
};
use no_panic::{Hardware, UnknownCounter, UnknownFlash, halt, region, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    let _ = black_box(work(unknown(&input)));
    halt()
}

fn work(input: &[u8]) -> Option<()> {
    let suite = Suite {
        aead: &Hardware,
        kdf: &Hardware,
        root: &Hardware,
    };
    let (mut index, mut buffer, mut out) = ([IndexEntry::EMPTY; 16], [0; 256], [0; 256]);
    let (mut flash, region) = (UnknownFlash, region().ok()?);
    let region = if black_box(true) {
        StoreRegion::from(region)
    } else {
        DeviceOnly(region).into()
    };
    if black_box(true) {
        let formatted = Store::format(
            &mut flash,
            region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut Hardware,
        );
        black_box(formatted.is_ok());
    }
    let mut counter = UnknownCounter;
    let replay = match black_box(0) {
        0 => ReplayProtection::None,
        1 => ReplayProtection::EachPage(&mut counter),
        _ => ReplayProtection::EachWrite(&mut counter),
    };
    let mut store = Store::mount(
        &mut flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        replay,
        &mut Hardware,
    )
    .ok()?;
    while black_box(true) {
        let key = KeyId::new(black_box(KeyDomain::User), black_box(1), black_box(1));
        black_box(store.put(&mut flash, key, input).is_ok());
        black_box(store.get(&mut flash, key, &mut out).is_ok());
        black_box(store.remove(&mut flash, key).is_ok());
        black_box(store.put_once(&mut flash, key, input).is_ok());
        black_box(store.increment(&mut flash, key).is_ok());
        black_box(store.count(&mut flash, key).is_ok());
        black_box(change(&mut store, &mut flash, key, input).is_ok());
        store.set_limit(key.domain(), black_box(None));
        black_box((store.value_len(key), store.keys().count(), store.erasures()));
        black_box(store.erase_user(&mut flash, &mut Hardware).is_ok());
        black_box(store.scrub_step(&mut flash).is_ok());
    }
    Some(())
}

fn change(
    store: &mut Store<'_>,
    flash: &mut UnknownFlash,
    key: KeyId,
    value: &[u8],
) -> Result<(), StoreError> {
    let mut transaction = store.transaction();
    transaction.put(flash, key, value)?;
    transaction.put_once(flash, key, value)?;
    transaction.remove(flash, key)?;
    transaction.commit(flash)
}
