use super::*;

pub(super) fn calls(calls: &mut Calls) {
    call!(calls, iotsec_store_format, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.store)
    ));
    call!(calls, iotsec_store_mount, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &b.store)
    ));
    call!(calls, iotsec_store_put, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, &0),
        1
    ));
    call!(calls, iotsec_store_get, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut 0),
        1,
        t.mutable(2, &mut 0)
    ));
    call!(calls, iotsec_store_remove, |t, b| (
        t.mutable(0, &mut zeroed()),
        1
    ));
    call!(calls, iotsec_store_erase_user, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_store_begin_scrub, |t, b| (t
        .mutable(0, &mut zeroed())));
    call!(calls, iotsec_store_scrub_step, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_store_destroy, |t, b| (
        t.shared(0, &b.store.flash),
        t.shared(1, &b.store.region)
    ));
    call!(calls, iotsec_store_record, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut zeroed())
    ));
    call!(calls, iotsec_store_apply, |t, b| (
        t.mutable(0, &mut zeroed()),
        t.shared(1, &crate::store::change::remove(1)),
        1
    ));
    call!(calls, iotsec_store_put_once, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.shared(1, &0),
        1
    ));
    call!(calls, iotsec_store_set_limit, |t, b| (
        t.mutable(0, &mut zeroed()),
        IOTSEC_DOMAIN_USER,
        1
    ));
    call!(calls, iotsec_store_increment, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_store_count, |t, b| (
        t.mutable(0, &mut zeroed()),
        1,
        t.mutable(1, &mut 0)
    ));
    call!(calls, iotsec_store_close, |t, b| (t.mutable(0, &mut zeroed())));
}
