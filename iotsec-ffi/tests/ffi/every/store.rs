use std::ptr;

use iotsec_ffi::{record::*, status::*, store::*};

use super::{Succeeded, done, ok};
use crate::{
    login::zeroed,
    store::{Bench, IDENTITY, WIFI},
};

#[test]
fn store() {
    let mut seen = Succeeded::default();
    let bench = Bench::new();
    let (config, at) = (bench.config(), bench.store.at());
    ok!(seen, iotsec_store_close(at));
    ok!(seen, iotsec_store_format(at, &raw const config));
    ok!(seen, iotsec_store_put(at, WIFI, b"correct horse".as_ptr(), 13));
    ok!(seen, iotsec_store_close(at));
    ok!(seen, iotsec_store_mount(at, &raw const config));

    let (mut out, mut len) = ([0; 13], 0);
    // SAFETY: see the top.
    let asked = unsafe { iotsec_store_get(at, WIFI, ptr::null_mut(), 0, &raw mut len) };
    assert_eq!((asked, len), (IOTSEC_ERR_SHORT_BUFFER, 13));
    ok!(
        seen,
        iotsec_store_get(at, WIFI, out.as_mut_ptr(), 13, &raw mut len)
    );
    assert_eq!(&out, b"correct horse");

    let mut record: iotsec_record_t = zeroed();
    ok!(seen, iotsec_store_record(at, IDENTITY, &raw mut record));
    // SAFETY: see the top.
    unsafe {
        let (load, save) = (record.load.unwrap(), record.save.unwrap());
        assert_eq!(save(record.ctx, record.id, b"key".as_ptr(), 3), IOTSEC_OK);
        assert_eq!(
            load(record.ctx, record.id, out.as_mut_ptr(), 13, &raw mut len),
            IOTSEC_OK
        );
    }
    ok!(seen, iotsec_store_remove(at, IDENTITY));
    ok!(seen, iotsec_store_begin_scrub(at));
    done!(seen, iotsec_store_scrub_step(at));
    ok!(seen, iotsec_store_erase_user(at));
    done!(seen, iotsec_store_scrub_step(at));
    ok!(seen, iotsec_store_close(at));
    ok!(
        seen,
        iotsec_store_destroy(&raw const config.flash, &raw const config.region)
    );
    seen.all_of("store");
}
