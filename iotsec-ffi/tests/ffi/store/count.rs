//! SAFETY of every call: as in `store`.

use iotsec_ffi::store::count::*;

use super::*;

const BOOTS: iotsec_key_id_t = 2 << 16 | 1;

impl Bench {
    fn increment(&self, key: iotsec_key_id_t) -> Result<u32, iotsec_status_t> {
        let mut number = 99;
        // SAFETY: see the top.
        match unsafe { iotsec_store_increment(self.store.at(), key, &raw mut number) } {
            IOTSEC_OK => Ok(number),
            status => {
                assert_eq!(number, 99, "a refusal writes nothing");
                Err(status)
            }
        }
    }

    fn count(&self, key: iotsec_key_id_t) -> Result<u32, iotsec_status_t> {
        let mut number = 99;
        // SAFETY: see the top.
        match unsafe { iotsec_store_count(self.store.at(), key, &raw mut number) } {
            IOTSEC_OK => Ok(number),
            status => {
                assert_eq!(number, 99, "a refusal writes nothing");
                Err(status)
            }
        }
    }
}

#[test]
fn a_number_counts_up_by_one_over_reboots_and_full_pages() {
    let bench = Bench::new();
    assert_eq!(bench.count(BOOTS), Ok(0));
    // More records than the region has room for.
    let page = u32::from(cfg!(miri)) * 4 + 1;
    let times = bench.board.region(0, 6).page_size / 16 * 6 / page + 1;
    for number in 1..=times {
        assert_eq!(bench.increment(BOOTS), Ok(number));
    }
    bench.close();
    assert_eq!(bench.increment(BOOTS), Err(IOTSEC_ERR_STATE));
    assert_eq!(bench.count(BOOTS), Err(IOTSEC_ERR_STATE));
    assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK);
    assert_eq!(bench.count(BOOTS), Ok(times));
    assert_eq!(bench.increment(BOOTS), Ok(times + 1));
}

#[test]
fn a_value_is_no_counter() {
    let bench = Bench::new();
    assert_eq!(bench.put(WIFI, b"four"), IOTSEC_OK);
    assert_eq!(bench.increment(WIFI), Err(IOTSEC_ERR_STORE_NOT_COUNTER));
    assert_eq!(bench.count(WIFI), Err(IOTSEC_ERR_STORE_NOT_COUNTER));
    assert_eq!(bench.get(WIFI), Ok(b"four".to_vec()));
    for key in [2 << 32, u64::MAX] {
        assert_eq!(bench.increment(key), Err(IOTSEC_ERR_CONFIG));
        assert_eq!(bench.count(key), Err(IOTSEC_ERR_CONFIG));
    }
}

#[test]
fn a_power_cut_anywhere_in_counting_leaves_the_old_number_or_the_new_one() {
    let (mut cuts, mut old) = (0, 0);
    loop {
        let mut bench = Bench::new();
        let power = Power::new();
        for number in 1..=3 {
            assert_eq!(bench.increment(BOOTS), Ok(number));
        }
        *bench.board.flash = bench.board.flash.clone().powered_by(&power);
        power.cut_after(cuts);
        let counted = bench.increment(BOOTS);
        power.restore();
        bench.close();
        assert_eq!(bench.open(iotsec_store_mount), IOTSEC_OK, "cut {cuts}");
        let found = bench.count(BOOTS).unwrap();
        assert!(
            found == 4 || found == 3 && counted.is_err(),
            "cut {cuts}: {found}"
        );
        old += u32::from(found == 3);
        assert_eq!(bench.increment(BOOTS), Ok(found + 1), "cut {cuts}");
        if counted.is_ok() {
            break;
        }
        cuts += 1;
    }
    assert!(old > 10, "{old} old");
}
