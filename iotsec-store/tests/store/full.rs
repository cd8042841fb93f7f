//! A full store, the longest value, wear, and what operations cost.

use iotsec_core::{
    crypto::{Aes256GcmSiv, HkdfSha256},
    hal::Region,
};
use iotsec_store::{
    DeviceOnly, IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, StoreRegion, Suite,
};
use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey, Tear};

use crate::device::{self, Device, value};

fn key(number: usize) -> KeyId {
    KeyId::new(KeyDomain::Device, 3, u16::try_from(number).unwrap())
}

type Form = fn(Region) -> StoreRegion;

fn device_only(region: Region) -> StoreRegion {
    DeviceOnly(region).into()
}

/// Formats a store with a large index, and works with it.
fn with_large_store<R>(geometry: Geometry, work: impl FnOnce(&mut Store<'_>, &mut SimFlash) -> R) -> R {
    with_large_store_of(StoreRegion::from, geometry, work)
}

/// The same, with a user domain or without.
fn with_large_store_of<R>(
    form: Form,
    geometry: Geometry,
    work: impl FnOnce(&mut Store<'_>, &mut SimFlash) -> R,
) -> R {
    let mut flash = SimFlash::new(geometry);
    let region = form(flash.region().unwrap());
    let root = SimRootKey::new(1);
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let (mut index, mut buffer) = (vec![IndexEntry::EMPTY; 512], vec![0; 70_000]);
    let mut rng = SimRng::new(1);
    let mut store = Store::format(
        &mut flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        ReplayProtection::None,
        &mut rng,
    )
    .unwrap();
    let result = work(&mut store, &mut flash);
    assert_eq!(flash.violation(), None);
    result
}

#[test]
fn a_full_store_keeps_everything_and_takes_more_after_a_removal() {
    let with_user: Form = StoreRegion::from;
    for (name, geometry, form) in [
        ("small", Geometry::small(12), with_user),
        ("smallest", Geometry::small(4), with_user),
        ("nRF52840", Geometry::nrf52840(5), with_user),
        ("RP2040", Geometry::rp2040(5), with_user),
        ("erased to zero", Geometry::erased_zero(8), with_user),
        ("small, no user domain", Geometry::small(12), device_only),
        ("smallest, no user domain", Geometry::small(3), device_only),
        ("RP2040, no user domain", Geometry::rp2040(4), device_only),
    ] {
        for len in [0, 5, 40, 60] {
            let count = with_large_store_of(form, geometry.clone(), |store, flash| {
                let mut count = 0;
                let full = loop {
                    match store.put(flash, key(count), &value(7, len)) {
                        Ok(()) => count += 1,
                        Err(error) => break error,
                    }
                };
                assert_eq!(full, StoreError::Full, "{name}, {len}");
                // Full stays full, overwriting works, and nothing is lost by any of it.
                for round in 0..count * 2 {
                    assert_eq!(
                        store.put(flash, key(count), &value(7, len)),
                        Err(StoreError::Full)
                    );
                    store
                        .put(flash, key(round % count), &value(8, len))
                        .unwrap_or_else(|error| panic!("{name}, {len}: overwriting {round}: {error}"));
                }
                for number in 0..count {
                    assert_eq!(device::read(store, flash, key(number)), Some(value(8, len)));
                }
                // What is removed makes room.
                for number in 0..count {
                    store.remove(flash, key(number)).unwrap();
                    store.put(flash, key(count + number), &value(9, len)).unwrap();
                }
                for number in 0..count {
                    assert!(!store.contains(key(number)));
                    assert_eq!(
                        device::read(store, flash, key(count + number)),
                        Some(value(9, len))
                    );
                }
                for number in 0..count {
                    store.remove(flash, key(count + number)).unwrap();
                }
                assert_eq!(store.keys().count(), 0);
                count
            });
            println!("{name}, values of {len}: {count} fit");
            assert!(count >= 2, "{name}, {len}");
        }
    }
}

#[test]
fn n18_a_full_store_survives_failed_puts_and_reboots() {
    let mut device = Device::blank(Geometry::small(9), Tear::Torn);
    device.format().unwrap();
    let count = device.with_store(|store, flash, _| {
        let mut count = 0;
        while store.put(flash, key(count), &value(7, 60)).is_ok() {
            count += 1;
        }
        count
    });
    for round in 0..40_u64 {
        device.flash.cut_after(round * 3);
        let _ = device.try_with_store(|store, flash, _| {
            let _ = store.put(flash, key(99), &value(9, 60));
            let _ = store.put(flash, key(0), &value(7, 60));
        });
        device.flash.power_on();
        device.with_store(|store, flash, _| {
            assert_eq!(store.keys().count(), count);
            for number in 0..count {
                assert_eq!(device::read(store, flash, key(number)), Some(value(7, 60)));
            }
        });
    }
}

#[test]
fn the_longest_value_has_sixteen_records_of_just_under_half_a_page() {
    for (name, geometry) in Geometry::table(44) {
        with_large_store(geometry, |store, flash| {
            let max = store.max_value_len();
            let page = usize::try_from(flash.region().unwrap().page_size()).unwrap();
            assert_eq!(
                store.put(flash, key(1), &value(1, max + 1)),
                Err(StoreError::ValueTooLong)
            );
            let part = max / 16;
            for len in [max, part, part + 1, 0, max, max - 1] {
                let long = value(1, len);
                store.put(flash, key(1), &long).unwrap();
                let mut out = vec![0; max];
                assert_eq!(store.get(flash, key(1), &mut out).unwrap(), long);
                assert_eq!(store.value_len(key(1)), Some(len));
                assert_eq!(store.keys().collect::<Vec<_>>(), [key(1)]);
            }
            store.remove(flash, key(1)).unwrap();
            assert_eq!(store.keys().count(), 0);
            println!("{name}: pages of {page}, values up to {max}");
            assert!(
                part < page / 2 && (part >= page / 4 || part == 4095),
                "{name}: {max}"
            );
        });
    }
}

#[test]
fn an_empty_value_is_a_value() {
    let mut device = Device::new(Geometry::small(12), Tear::Torn);
    device.with_store(|store, flash, _| store.put(flash, key(1), b"").unwrap());
    device.with_store(|store, flash, _| {
        assert_eq!(device::read(store, flash, key(1)), Some(Vec::new()));
        assert!(store.contains(key(1)));
    });
}

/// 50 keys of 32 to 256 bytes, as key stores are compared.
#[test]
fn a_normal_workload_wears_all_pages_alike_and_erases_less_than_once_a_put() {
    let with_user: Form = StoreRegion::from;
    for (pages, form, key_pages) in [(10, with_user, 1), (18, with_user, 1), (9, device_only, 0)] {
        with_large_store_of(form, Geometry::nrf52840(pages), |store, flash| {
            let mut rng = SimRng::new(42);
            let mut payload = 0;
            let mut put = |store: &mut Store<'_>, flash: &mut SimFlash, number: u64| {
                let len = usize::try_from(32 + rng.below(225)).unwrap();
                store
                    .put(flash, key(usize::try_from(number).unwrap()), &value(1, len))
                    .unwrap();
                (rng.below(50), 4 + len)
            };
            let mut next = 0;
            for number in 0..50 {
                (next, _) = put(store, flash, number);
            }
            for _ in 0..1000 {
                (next, _) = put(store, flash, next);
            }
            let before = flash.wear().to_vec();
            let mut most = 0;
            let ((), stats) = flash.measure(|flash| {
                for _ in 0..1000 {
                    let ((then, len), stats) = flash.measure(|flash| put(store, flash, next));
                    (next, most) = (then, stats.erases.max(most));
                    payload += len;
                }
            });
            let wear: Vec<_> = flash
                .wear()
                .iter()
                .zip(before)
                .map(|(now, then)| now - then)
                .collect();
            let (keys, data) = wear.split_at(key_pages);
            assert_eq!(u32::try_from(data.len()), Ok(store.data_pages()));
            let (least, worn) = (data.iter().min().unwrap(), data.iter().max().unwrap());
            println!(
                "{} data pages of 4 KiB, 1000 puts of 32..=256: {} bytes programmed for {payload} of names and values, {} writes, {} erases, at most {most} in a put, wear {least}..{worn}",
                data.len(),
                stats.bytes_written,
                stats.writes,
                stats.erases
            );
            assert!(stats.erases < 100 && most <= 1 && worn - least <= 1);
            assert!(keys.iter().all(|erases| *erases == 0));
        });
    }
}

#[test]
fn a_get_reads_one_record() {
    with_large_store(Geometry::nrf52840(6), |store, flash| {
        for number in 0..20 {
            store.put(flash, key(number), &value(1, 100)).unwrap();
        }
        let mut out = [0; 100];
        let (result, stats) = flash.measure(|flash| store.get(flash, key(7), &mut out).map(|_| ()));
        result.unwrap();
        assert!(stats.bytes_read <= 100 + 48, "{stats:?}");
    });
}

#[test]
fn what_ram_costs_is_what_the_documentation_says() {
    assert_eq!(size_of::<IndexEntry>(), 12);
    let state = size_of::<Store<'_>>();
    println!("Store: {state} bytes on this machine");
    assert!(state <= 400);
}
