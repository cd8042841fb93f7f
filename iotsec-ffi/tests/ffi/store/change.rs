//! SAFETY of every call: as in `store`.

use iotsec_ffi::store::change::*;
use iotsec_testkit::SimFlash;

use super::*;

const SSID: iotsec_key_id_t = 1 << 32 | 1 << 16 | 8;

pub(crate) fn put(key: iotsec_key_id_t, value: &[u8]) -> iotsec_change_t {
    iotsec_change_t {
        key,
        kind: IOTSEC_CHANGE_PUT,
        reserved: 0,
        bytes: value.as_ptr(),
        len: value.len(),
    }
}

pub(crate) const fn remove(key: iotsec_key_id_t) -> iotsec_change_t {
    iotsec_change_t {
        key,
        kind: IOTSEC_CHANGE_REMOVE,
        reserved: 0,
        bytes: ptr::null(),
        len: 0,
    }
}

impl Bench {
    fn apply(&self, changes: &[iotsec_change_t]) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_store_apply(self.store.at(), changes.as_ptr(), changes.len()) }
    }

    fn put_once(&self, key: iotsec_key_id_t, value: &[u8]) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_store_put_once(self.store.at(), key, value.as_ptr(), value.len()) }
    }

    fn removed(&self, key: iotsec_key_id_t) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_store_remove(self.store.at(), key) }
    }

    fn limited(&self, domain: iotsec_domain_t, bytes: u32) -> iotsec_status_t {
        // SAFETY: see the top.
        unsafe { iotsec_store_set_limit(self.store.at(), domain, bytes) }
    }
}

#[test]
fn changes_of_all_kinds_happen_together_and_a_later_one_of_a_key_counts() {
    let bench = Bench::new();
    assert_eq!(bench.put(IDENTITY, b"old"), IOTSEC_OK);
    let once = iotsec_change_t {
        kind: IOTSEC_CHANGE_PUT_ONCE,
        ..put(2, b"for good")
    };
    let changes = [put(WIFI, b"first"), once, remove(IDENTITY), put(WIFI, b"second")];
    // One entry for each of them and the old value: more than this index has.
    assert_eq!(bench.apply(&changes), IOTSEC_OK);
    for _ in 0..2 {
        assert_eq!(bench.get(WIFI), Ok(b"second".to_vec()));
        assert_eq!(bench.get(2), Ok(b"for good".to_vec()));
        assert_eq!(bench.get(IDENTITY), Err(IOTSEC_ERR_STORE_NOT_FOUND));
        assert_eq!(bench.put(2, b"other"), IOTSEC_ERR_STORE_WRITE_ONCE);
        bench.close();
        assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK);
    }
    assert_eq!(bench.apply(&[]), IOTSEC_OK);
    // SAFETY: see the top. None of them may be null.
    let status = unsafe { iotsec_store_apply(bench.store.at(), ptr::null(), 0) };
    assert_eq!(status, IOTSEC_OK);
    bench.close();
    assert_eq!(bench.apply(&[]), IOTSEC_ERR_STATE);
}

#[test]
fn a_list_that_is_wrong_is_refused_before_anything_is_written() {
    let bench = Bench::new();
    assert_eq!(bench.put(IDENTITY, b"key"), IOTSEC_OK);
    let image = bench.board.flash.image().to_vec();
    let good = put(WIFI, b"value");
    for (bad, expected) in [
        (iotsec_change_t { kind: 0, ..good }, IOTSEC_ERR_CONFIG),
        (iotsec_change_t { kind: 4, ..good }, IOTSEC_ERR_CONFIG),
        (iotsec_change_t { kind: -1, ..good }, IOTSEC_ERR_CONFIG),
        (iotsec_change_t { reserved: 1, ..good }, IOTSEC_ERR_CONFIG),
        (iotsec_change_t { key: 2 << 32, ..good }, IOTSEC_ERR_CONFIG),
        (
            iotsec_change_t {
                bytes: ptr::null(),
                ..good
            },
            IOTSEC_ERR_NULL,
        ),
        (
            iotsec_change_t {
                len: usize::MAX,
                ..good
            },
            IOTSEC_ERR_SIZE,
        ),
        (
            iotsec_change_t {
                kind: IOTSEC_CHANGE_REMOVE,
                ..good
            },
            IOTSEC_ERR_CONFIG,
        ),
        (
            iotsec_change_t {
                len: 1,
                ..remove(IDENTITY)
            },
            IOTSEC_ERR_CONFIG,
        ),
    ] {
        assert_eq!(bench.apply(&[good, bad]), expected, "{bad:?}");
        assert_eq!(bench.board.flash.image(), image);
    }
    // SAFETY: see the top. The count is beyond what an object can have.
    let long = unsafe { iotsec_store_apply(bench.store.at(), &raw const good, usize::MAX / 8) };
    assert_eq!(long, IOTSEC_ERR_SIZE);
    // SAFETY: as above.
    let null = unsafe { iotsec_store_apply(bench.store.at(), ptr::null(), 1) };
    assert_eq!(null, IOTSEC_ERR_NULL);
    assert_eq!(bench.get(WIFI), Err(IOTSEC_ERR_STORE_NOT_FOUND));
}

#[test]
fn a_change_that_cannot_be_made_undoes_those_before_it() {
    let bench = Bench::new();
    assert_eq!(bench.put_once(IDENTITY, b"key"), IOTSEC_OK);
    assert_eq!(bench.put(WIFI, b"old"), IOTSEC_OK);
    let long = [0; 5000];
    let first = put(WIFI, b"new");
    for (second, expected) in [
        (remove(9), IOTSEC_ERR_STORE_NOT_FOUND),
        (remove(IDENTITY), IOTSEC_ERR_STORE_WRITE_ONCE),
        (put(IDENTITY, b"x"), IOTSEC_ERR_STORE_WRITE_ONCE),
        (put(9, &long), IOTSEC_ERR_STORE_VALUE_TOO_LONG),
    ] {
        assert_eq!(bench.apply(&[first, second]), expected);
        assert_eq!(bench.get(WIFI), Ok(b"old".to_vec()));
    }
    // Four entries, two of which are taken.
    let three = [first, put(SSID, b"a"), put(9, b"b")];
    assert_eq!(bench.apply(&three), IOTSEC_ERR_STORE_INDEX_FULL);
    for mounted in [false, true] {
        assert_eq!(bench.get(WIFI), Ok(b"old".to_vec()), "{mounted}");
        assert_eq!(bench.get(SSID), Err(IOTSEC_ERR_STORE_NOT_FOUND));
        assert_eq!(bench.get(IDENTITY), Ok(b"key".to_vec()));
        bench.close();
        assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK);
    }
    assert_eq!(bench.apply(&[first, put(SSID, b"a")]), IOTSEC_OK);
    assert_eq!(bench.get(WIFI), Ok(b"new".to_vec()));
}

/// The values of the three keys that the transaction below changes.
fn state(bench: &Bench) -> [Option<Vec<u8>>; 3] {
    [WIFI, SSID, IDENTITY].map(|key| match bench.get(key) {
        Ok(value) => Some(value),
        Err(IOTSEC_ERR_STORE_NOT_FOUND) => None,
        Err(status) => panic!("{key:x}: {status}"),
    })
}

/// A flash with the old values, small so that every cut can be tried.
fn begun() -> SimFlash {
    let bench = Bench::small();
    assert_eq!(bench.open(iotsec_store_format), IOTSEC_OK);
    assert_eq!(bench.put(WIFI, b"old key"), IOTSEC_OK);
    assert_eq!(bench.put(IDENTITY, b"old name"), IOTSEC_OK);
    bench.board.flash.clone()
}

/// Cuts the power at flash operation `cut` of mounting and a transaction. Gives the flash, and whether all of it was done
/// before.
fn cut_at(flash: &SimFlash, cut: u64) -> (SimFlash, bool) {
    let (mut bench, power) = (Bench::small(), Power::new());
    *bench.board.flash = flash.clone().powered_by(&power);
    power.cut_after(cut);
    let is_done = bench.open(iotsec_store_mount) == IOTSEC_OK
        && bench.apply(&[
            put(WIFI, b"a new and longer key"),
            remove(IDENTITY),
            put(SSID, b"house"),
        ]) == IOTSEC_OK;
    power.restore();
    (bench.board.flash.clone(), is_done)
}

/// What a mount finds, and another one after the next write.
fn recovered(flash: &SimFlash) -> [Option<Vec<u8>>; 3] {
    let mut bench = Bench::small();
    *bench.board.flash = flash.clone();
    assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK);
    let found = state(&bench);
    assert_eq!(bench.put(9, b"y"), IOTSEC_OK);
    bench.close();
    assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK);
    assert_eq!(state(&bench), found);
    found
}

#[test]
fn a_power_cut_at_every_flash_operation_leaves_all_changes_or_none() {
    let old = [Some(b"old key".to_vec()), None, Some(b"old name".to_vec())];
    let new = [
        Some(b"a new and longer key".to_vec()),
        Some(b"house".to_vec()),
        None,
    ];
    let begun = begun();
    let (mut olds, mut news) = (0, 0);
    for cut in 0.. {
        assert!(cut < 5000, "it has no end");
        let (flash, is_done) = cut_at(&begun, cut);
        let found = recovered(&flash);
        if found == new {
            news += 1;
        } else {
            assert!(found == old && !is_done, "cut {cut}: {found:?}");
            olds += 1;
            // The recovery is cut as well, and what it left is recovered from.
            for again in (cut % 7..60).step_by(7) {
                let (flash, _) = cut_at(&flash, again);
                let found = recovered(&flash);
                assert!(found == old || found == new, "cut {cut}, then {again}: {found:?}");
            }
        }
        if is_done {
            break;
        }
    }
    assert!(olds > 50 && news >= 1, "{olds} old, {news} new");
}

#[test]
fn what_is_put_once_stays_over_reboots_and_goes_with_its_domain() {
    let bench = Bench::new();
    assert_eq!(bench.put(WIFI, b"a draft"), IOTSEC_OK);
    assert_eq!(bench.put_once(WIFI, b"for good"), IOTSEC_OK);
    assert_eq!(bench.put_once(IDENTITY, b"serial"), IOTSEC_OK);
    bench.close();
    assert_eq!(bench.put_once(9, b"x"), IOTSEC_ERR_STATE);
    assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK);
    for (key, value) in [(WIFI, &b"for good"[..]), (IDENTITY, b"serial")] {
        assert_eq!(bench.get(key).unwrap(), value);
        assert_eq!(bench.put(key, b"other"), IOTSEC_ERR_STORE_WRITE_ONCE);
        assert_eq!(bench.put_once(key, b"other"), IOTSEC_ERR_STORE_WRITE_ONCE);
        assert_eq!(bench.removed(key), IOTSEC_ERR_STORE_WRITE_ONCE);
    }
    // SAFETY: see the top.
    assert_eq!(unsafe { iotsec_store_erase_user(bench.store.at()) }, IOTSEC_OK);
    assert_eq!(bench.put_once(WIFI, b"the next owner's"), IOTSEC_OK);
    assert_eq!(bench.put(IDENTITY, b"other"), IOTSEC_ERR_STORE_WRITE_ONCE);
    assert_eq!(bench.put_once(2 << 32, b"x"), IOTSEC_ERR_CONFIG);
}

#[test]
fn a_domain_takes_no_more_than_its_limit_and_leaves_the_other_alone() {
    let bench = Bench::new();
    // A value of 40 bytes takes 64.
    assert_eq!(bench.limited(IOTSEC_DOMAIN_USER, 128), IOTSEC_OK);
    assert_eq!(bench.put(WIFI, &[7; 40]), IOTSEC_OK);
    assert_eq!(bench.put(SSID, &[7; 41]), IOTSEC_ERR_STORE_LIMIT);
    assert_eq!(
        bench.apply(&[put(SSID, &[7; 20]), put(9, b"x"), put(SSID, &[7; 41])]),
        IOTSEC_ERR_STORE_LIMIT
    );
    assert_eq!(bench.get(9), Err(IOTSEC_ERR_STORE_NOT_FOUND));
    assert_eq!(bench.put(SSID, &[7; 40]), IOTSEC_OK);
    assert_eq!(bench.put(IDENTITY, &[7; 60]), IOTSEC_OK, "the other domain");
    assert_eq!(bench.removed(WIFI), IOTSEC_OK);
    // A limit below what is there: nothing goes, and nothing comes.
    assert_eq!(bench.limited(IOTSEC_DOMAIN_USER, 0), IOTSEC_OK);
    assert_eq!(bench.put(WIFI, b"x"), IOTSEC_ERR_STORE_LIMIT);
    assert_eq!(bench.get(SSID).unwrap(), [7; 40]);
    assert_eq!(
        bench.limited(IOTSEC_DOMAIN_USER, IOTSEC_STORE_NO_LIMIT),
        IOTSEC_OK
    );
    assert_eq!(bench.put(WIFI, b"x"), IOTSEC_OK);
    assert_eq!(bench.limited(IOTSEC_DOMAIN_DEVICE, 10), IOTSEC_OK);
    assert_eq!(bench.put(IDENTITY, b"x"), IOTSEC_ERR_STORE_LIMIT);
    for domain in [2, u32::MAX] {
        assert_eq!(bench.limited(domain, 10), IOTSEC_ERR_CONFIG);
    }
    // Mounting lifts it.
    bench.close();
    assert_eq!(bench.limited(IOTSEC_DOMAIN_USER, 10), IOTSEC_ERR_STATE);
    assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK);
    assert_eq!(bench.put(IDENTITY, b"x"), IOTSEC_OK);
}
