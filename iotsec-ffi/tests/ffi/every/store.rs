use std::ptr;

use iotsec_ffi::{
    record::*,
    status::*,
    store::{change::*, count::*, *},
};

use super::{Succeeded, done, ok};
use crate::{
    login::zeroed,
    store::{
        Bench, IDENTITY, WIFI,
        change::{put, remove},
    },
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
    let changes = [remove(IDENTITY), put(WIFI, b"another horse")];
    ok!(seen, iotsec_store_apply(at, changes.as_ptr(), 2));
    ok!(
        seen,
        iotsec_store_set_limit(at, IOTSEC_DOMAIN_USER, IOTSEC_STORE_NO_LIMIT)
    );
    let (boots, mut number) = (2 << 16, 0);
    ok!(seen, iotsec_store_increment(at, boots, &raw mut number));
    ok!(seen, iotsec_store_count(at, boots, &raw mut number));
    assert_eq!(number, 1);
    ok!(seen, iotsec_store_remove(at, boots));
    ok!(seen, iotsec_store_put_once(at, IDENTITY, b"key".as_ptr(), 3));
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
