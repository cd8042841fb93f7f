//! What was written last before the power went, when it reads right at first and no more after it was written again.

use iotsec_store::{KeyDomain, KeyId};
use iotsec_testkit::{Geometry, Tear};

use crate::device::{CHURN, Device, KEY_A, KEY_B, KEY_NEW, OWNER, PROBE, read, value};

/// Spoils the last record in page 2 of the log, by a bit of its tag.
fn spoil_last(device: &mut Device, image: &[u8]) {
    let page = &image[512..768];
    let last = page.iter().rposition(|byte| *byte != 0xFF && *byte != 0).unwrap();
    let at = 512 + last;
    let byte = device.flash.image()[at] ^ 1;
    device.flash.tamper(u32::try_from(at).unwrap(), &[byte]);
}

fn fresh() -> Device {
    let mut device = Device::blank(Geometry::small(6), Tear::Clean);
    device.format().unwrap();
    device
}

#[test]
fn a_short_value_in_place_of_a_long_one_has_nothing_of_it() {
    let mut device = fresh();
    device.with_store(|store, flash, _| {
        store.put(flash, KEY_A, &value(1, 80)).unwrap();
        store.put(flash, KEY_A, &value(2, 9)).unwrap();
    });
    let image = device.flash.image().to_vec();
    device.with_store(|store, flash, _| store.put(flash, PROBE, b"next").unwrap());
    spoil_last(&mut device, &image);
    device.with_store(|store, flash, _| assert_eq!(read(store, flash, KEY_A), Some(value(2, 9))));
}

#[test]
fn an_erasure_that_a_page_was_opened_after_leaves_no_name() {
    let mut device = fresh();
    device.with_store(|store, flash, rng| {
        store.put(flash, OWNER[0], b"Anna").unwrap();
        store.erase_user(flash, rng).unwrap();
    });
    let image = device.flash.image().to_vec();
    for steps in 0..200 {
        let mut device = device.clone();
        device.flash.cut_after(steps);
        let _ = device.run(|store, flash, _| store.put(flash, PROBE, b"next"));
        device.flash.power_on();
        spoil_last(&mut device, &image);
        device.with_store(|store, _, _| {
            let mut keys = store.keys();
            assert!(
                keys.all(|key: KeyId| key.domain() == KeyDomain::Device),
                "{steps}"
            );
        });
    }
}

#[test]
fn it_is_written_again_also_when_the_power_goes_while_pages_are_opened_for_that() {
    let mut cases = 0;
    for filler in 0..12 {
        let mut device = fresh();
        device.with_store(|store, flash, _| {
            for round in 0..=filler {
                store.put(flash, CHURN, &value(round, 20)).unwrap();
            }
            // Two to a page, so that a page that is opened with two copies has no room for another.
            for key in [KEY_A, KEY_B, KEY_NEW, OWNER[0]] {
                store.put(flash, key, &value(1, 60)).unwrap();
            }
        });
        let before = device.flash.image().to_vec();
        device.with_store(|store, flash, _| store.put(flash, KEY_A, &value(2, 60)).unwrap());
        let written = device.flash.image().to_vec();
        let end = (0..before.len()).rfind(|at| before[*at] != written[*at]).unwrap();
        for steps in 0..150 {
            let mut device = device.clone();
            device.flash.cut_after(steps);
            let _ = device.run(|store, flash, _| store.put(flash, PROBE, b"a"));
            device.flash.power_on();
            device.with_store(|store, flash, _| store.put(flash, PROBE, b"b").unwrap());
            let still_there = device.flash.image()[end - 40..=end] == written[end - 40..=end];
            if still_there {
                device
                    .flash
                    .tamper(u32::try_from(end).unwrap(), &[written[end] ^ 1]);
                cases += 1;
            }
            device.with_store(|store, flash, _| {
                assert_eq!(read(store, flash, KEY_A), Some(value(2, 60)), "{filler} {steps}");
            });
        }
    }
    assert!(cases > 100, "{cases}");
}

#[test]
fn a_value_of_one_chunk_that_is_written_again_takes_the_place_of_all_chunks_of_a_longer_one() {
    for (name, geometry) in [
        ("small", Geometry::small(8)),
        ("STM32L4", Geometry::stm32l4(6)),
        ("erased to zero", Geometry::erased_zero(8)),
    ] {
        let mut device = Device::blank(geometry, Tear::Clean);
        device.format().unwrap();
        let (long, short) = device.with_store(|store, flash, _| {
            let chunk = store.max_value_len() / 16;
            let (long, short) = (value(1, 2 * chunk + 5), value(2, 9));
            store.put(flash, KEY_A, &long).unwrap();
            (long, short)
        });
        let before = device.with_store(|store, flash, _| {
            assert_eq!(read(store, flash, KEY_A), Some(long));
            store.put(flash, PROBE, b"so that the page is open").unwrap();
            let before = flash.image().to_vec();
            // Its last word is the last thing before the power goes.
            store.put(flash, KEY_A, &short).unwrap();
            before
        });
        let image = device.flash.image().to_vec();
        let record: Vec<_> = (0..image.len()).filter(|at| image[*at] != before[*at]).collect();
        assert!(!record.is_empty(), "{name}");
        for spoilt in [false, true] {
            let mut device = device.clone();
            // The next mount finds it, and the first write says it again.
            device.with_store(|store, flash, _| {
                assert_eq!(read(store, flash, KEY_A), Some(short.clone()), "{name}");
                store.put(flash, PROBE, b"next").unwrap();
            });
            if spoilt {
                // What was read right by luck reads right no more: only the copy says that the long value is gone.
                let at = record[record.len() / 2];
                let byte = device.flash.image()[at] ^ 1;
                device.flash.tamper(u32::try_from(at).unwrap(), &[byte]);
            }
            for boot in 0..3 {
                device.with_store(|store, flash, _| {
                    assert_eq!(
                        store.value_len(KEY_A),
                        Some(short.len()),
                        "{name}, {spoilt}, {boot}"
                    );
                    assert_eq!(read(store, flash, KEY_A), Some(short.clone()));
                    store.put(flash, PROBE, b"again").unwrap();
                });
            }
        }
    }
}
