//! Torn bits that happen to pass for the header of a record: once in some 65,536 cuts.

use iotsec_store::StoreError;
use iotsec_testkit::{Geometry, Tear};

use crate::device::{Device, KEY_A, KEY_B, read, value};

const PAGE: usize = 256;
/// The key page comes first, and the first write after a mount opens a page: the third of the log is behind two mounts.
const OPENED: usize = 3 * PAGE;
const HEAD: usize = 64;
const HEADER: usize = 8;

/// A store that holds a value in its first page.
fn device() -> Device {
    let mut device = Device::blank(Geometry::small(6), Tear::Clean);
    device.format().unwrap();
    device.with_store(|store, flash, _| store.put(flash, KEY_A, &value(1, 20)).unwrap());
    device
}

/// The headers that a store puts at the beginning of its second page and behind the record there, the latter of a
/// value of `len` bytes.
fn headers(device: &Device, len: usize) -> [[u8; HEADER]; 2] {
    let mut device = device.clone();
    device.with_store(|store, flash, _| {
        store.put(flash, KEY_B, &value(2, 8)).unwrap();
        store.put(flash, KEY_B, &value(3, len)).unwrap();
    });
    let at = |at: usize| device.flash.image()[at..at + HEADER].try_into().unwrap();
    // The last record before the mount comes first, once more.
    let first = OPENED + HEAD + HEADER + 20 + 16;
    [at(first), at(first + HEADER + 8 + 16)]
}

fn spoil(device: &mut Device, at: usize, bytes: &[u8]) {
    device.flash.tamper(u32::try_from(at).unwrap(), bytes);
}

#[test]
fn in_a_page_whose_opening_was_cut_they_are_no_record() {
    let mut device = device();
    let mut opened = device.clone();
    opened.with_store(|store, flash, _| store.put(flash, KEY_B, &value(2, 8)).unwrap());
    let page = opened.flash.image()[OPENED..OPENED + PAGE].to_vec();
    let first = HEAD + HEADER + 20 + 16;

    // Everything but the head is as if the page had been opened and written to: somebody took the head away.
    let mut robbed = device.clone();
    spoil(&mut robbed, OPENED + HEAD, &page[HEAD..]);
    let mounted = robbed.try_with_store(|_, _, _| ());
    assert_eq!(mounted, Err(StoreError::Tampered));

    // The same header before anything but its value.
    spoil(&mut device, OPENED + HEAD, &page[HEAD..first + HEADER]);
    spoil(
        &mut device,
        OPENED + first + HEADER,
        &value(9, PAGE - first - HEADER),
    );
    device.with_store(|store, flash, _| {
        assert_eq!(read(store, flash, KEY_A), Some(value(1, 20)));
        assert_eq!(read(store, flash, KEY_B), None);
        store.put(flash, KEY_B, &value(4, 30)).unwrap();
    });
    device.with_store(|store, flash, _| assert_eq!(read(store, flash, KEY_B), Some(value(4, 30))));
}

#[test]
fn at_the_end_of_the_log_their_length_counts_for_nothing() {
    let mut device = device();
    let [_, short] = headers(&device, 0);
    device.with_store(|store, flash, _| store.put(flash, KEY_B, &value(2, 8)).unwrap());
    let end = OPENED + HEAD + HEADER + 20 + 16 + HEADER + 8 + 16;
    // As much as a record may have, whose header says that it has no value.
    spoil(&mut device, end, &short);
    spoil(&mut device, end + HEADER, &value(9, (PAGE - HEAD) / 2 - HEADER));
    device.with_store(|store, flash, _| {
        assert_eq!(read(store, flash, KEY_A), Some(value(1, 20)));
        assert_eq!(read(store, flash, KEY_B), Some(value(2, 8)));
        store.put(flash, KEY_B, &value(4, 30)).unwrap();
    });
    device.with_store(|store, flash, _| assert_eq!(read(store, flash, KEY_B), Some(value(4, 30))));
}
