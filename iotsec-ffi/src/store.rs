//! The encrypted key store.

pub mod change;
pub mod count;

use core::{
    ffi::c_void,
    mem::{MaybeUninit, offset_of},
    slice,
};

use iotsec::core::{
    crypto::{Aes256GcmSiv, HkdfSha256},
    hal::Region,
};
use iotsec::store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, Suite};

use crate::{
    argument::{self, Grown},
    counter::{CCounter, iotsec_counter_t},
    entropy::{CEntropy, iotsec_entropy_t},
    flash::{CFlash, iotsec_flash_t, iotsec_region_t},
    object::{self, Storage},
    record::{iotsec_key_id_t, iotsec_record_t, loaded},
    root_key::{CRootKey, iotsec_root_key_t},
    status::{CallError, Status, iotsec_status_t, status},
};

/// Which key protects a record, and so what it is erased with; the first part of a key identifier.
pub type iotsec_domain_t = u32;

/// What makes this device this device: identity, trust, counters. Goes when the device is retired.
pub const IOTSEC_DOMAIN_DEVICE: iotsec_domain_t = 0;
/// Whatever belongs to the owner. Goes when the owner says so, by `iotsec_store_erase_user()`.
pub const IOTSEC_DOMAIN_USER: iotsec_domain_t = 1;

/// Words of 8 bytes that a store takes.
pub const IOTSEC_STORE_WORDS: usize = 64;

/// A mounted store in the caller's storage. Start it by `iotsec_store_format()` or `iotsec_store_mount()`, end
/// it by `iotsec_store_close()`.
///
/// Power loss: a call that returned `IOTSEC_OK` stays done; one that was interrupted has happened or has not,
/// and mounting tidies up. A call that failed has not happened, unless it says otherwise.
#[repr(C)]
pub struct iotsec_store_t {
    opaque: [u64; IOTSEC_STORE_WORDS],
}

/// Words of 8 bytes that an index entry takes.
pub const IOTSEC_INDEX_ENTRY_WORDS: usize = 2;

/// Room for one key in the index of a store.
#[repr(C)]
pub struct iotsec_index_entry_t {
    opaque: [u64; IOTSEC_INDEX_ENTRY_WORDS],
}

const _: () = assert!(size_of::<IndexEntry>() <= size_of::<iotsec_index_entry_t>());
const _: () = assert!(align_of::<IndexEntry>() <= align_of::<iotsec_index_entry_t>());

/// Where a store is, and what it works with.
///
/// The struct, the structs in it and the counter are copied. `index` and `buffer` are used until the store is closed;
/// what they hold is of no concern.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_store_config_t {
    /// `sizeof(iotsec_store_config_t)`.
    pub struct_size: u32,
    /// Keys that the store can hold: the entries of `index`.
    pub index_count: u32,
    /// Its flash.
    pub flash: iotsec_flash_t,
    /// Its part of the flash, four pages or more.
    pub region: iotsec_region_t,
    /// Keys are drawn from it.
    pub entropy: iotsec_entropy_t,
    /// Wraps the keys.
    pub root_key: iotsec_root_key_t,
    /// One entry for each key.
    pub index: *mut iotsec_index_entry_t,
    /// Room for one record: a value and 24 bytes, rounded up to a word. Wiped after use.
    pub buffer: *mut u8,
    /// Bytes of `buffer`.
    pub buffer_size: usize,
    /// A counter of the store's own, used for nothing else, so that an earlier image of the flash, put back whole, is
    /// refused with `IOTSEC_ERR_STORE_ROLLED_BACK`: every one from before the page was opened that is written to, which is
    /// at the first write of each boot at the latest. It goes up by one with every page.
    ///
    /// Null for none, and then whoever can write the flash can put back yesterday's image unnoticed: a password that was
    /// changed, a key that was removed, tries that were used up and what was erased are as they were. For the life of the
    /// store: one that was formatted with a counter is not mounted without, nor the other way round,
    /// `IOTSEC_ERR_STORE_REPLAY_PROTECTION`. A `struct_size` that ends before this field stands for null.
    pub replay_counter: *const iotsec_counter_t,
}

// SAFETY: it begins with its size, and zeros are numbers, null pointers and callbacks that are not there.
unsafe impl Grown for iotsec_store_config_t {
    const FIRST: usize = offset_of!(Self, replay_counter);
}

/// What lives in an [`iotsec_store_t`].
pub(crate) struct Mounted {
    store: Store<'static>,
    flash: CFlash,
    entropy: CEntropy,
}

impl Mounted {
    /// The store, and what a call on it needs.
    pub(crate) const fn parts(&mut self) -> (&mut Store<'static>, &mut CFlash, &mut CEntropy) {
        (&mut self.store, &mut self.flash, &mut self.entropy)
    }
}

impl Storage for iotsec_store_t {
    type Kept = (CRootKey, Option<CCounter>);
    type Value = Mounted;
    const KIND: u32 = 0x5374_6F31;
}

/// Makes an empty store, whatever the region held before, and mounts it. Erases every page. With `replay_counter` images
/// of every store before are refused from now on.
///
/// Power loss: the region holds no store until the call is complete; format again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_format(
    store: *mut iotsec_store_t,
    config: *const iotsec_store_config_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { open(store, config, Store::format) })
}

/// Opens the store of a region. Reads every page once, drops a write and finishes an erasure that power loss
/// interrupted; if it is interrupted itself, mount again.
///
/// `IOTSEC_ERR_STORE_UNFORMATTED` when the region holds no store, or the root key is not the one that made it.
/// Format in the factory, not whenever mounting fails: that would let a damaged flash cost the device its
/// identity. `IOTSEC_ERR_STORE_ROLLED_BACK` when an earlier image of the flash was put back, if there is a
/// `replay_counter`; without one that is not noticed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_mount(
    store: *mut iotsec_store_t,
    config: *const iotsec_store_config_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { open(store, config, Store::mount) })
}

/// Stores `len` bytes under `key`, in place of what was there. One write, and an erase more when a page is full.
///
/// Power loss leaves the old value or the new one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_put(
    store: *mut iotsec_store_t,
    key: iotsec_key_id_t,
    bytes: *const u8,
    len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let bytes = argument::bytes(bytes, len)?;
            object::enter(store, |mounted| {
                Ok(mounted.store.put(&mut mounted.flash, key_of(key)?, bytes)?)
            })
        }
    })
}

/// Reads the value under `key` into `bytes`, which holds `size`, and writes its length to `len`.
///
/// `IOTSEC_ERR_STORE_NOT_FOUND`; `IOTSEC_ERR_STORE_TAMPERED` when flash does not hold what was stored, and then
/// `bytes` holds nothing of it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_get(
    store: *mut iotsec_store_t,
    key: iotsec_key_id_t,
    bytes: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let buffer = argument::buffer(bytes, size, len)?;
            object::enter(store, |mounted| {
                let key = key_of(key)?;
                let needed = mounted.store.value_len(key).ok_or(StoreError::NotFound)?;
                let flash = &mut mounted.flash;
                buffer.value(needed, |bytes| Ok(mounted.store.get(flash, key, bytes)?.len()))
            })
        }
    })
}

/// Removes the value under `key`. Works in a full store too. Its ciphertext stays in flash until the page is
/// used again.
///
/// Power loss: the value is there or it is not; it does not come back later.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_remove(
    store: *mut iotsec_store_t,
    key: iotsec_key_id_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            object::enter(store, |mounted| {
                Ok(mounted.store.remove(&mut mounted.flash, key_of(key)?)?)
            })
        }
    })
}

/// Erases everything in the user domain at once, by destroying its key. What is left in flash is ciphertext
/// under a key that no longer exists; `iotsec_store_scrub_step()` removes that too.
///
/// Power loss: not begun, or finished by the next mount. If it fails after it had begun, the domain takes no
/// values until it is repeated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_erase_user(store: *mut iotsec_store_t) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            object::enter(store, |mounted| {
                Ok(mounted
                    .store
                    .erase_user(&mut mounted.flash, &mut mounted.entropy)?)
            })
        }
    })
}

/// Lets `iotsec_store_scrub_step()` remove everything that was replaced or removed up to now. Without it, that stays in
/// flash as ciphertext until its page is used again. `iotsec_store_erase_user()` begins it by itself.
///
/// Power loss: forgotten; call it again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_begin_scrub(store: *mut iotsec_store_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        object::enter(store, |mounted| {
            mounted.store.begin_scrub();
            Ok(())
        })
    })
}

/// Removes erased records from flash, at most one page a call. Writes 1 to `done` when no byte that was stored
/// before the erasure is in flash any more, not even encrypted, and 0 as long as it must be called again. Goes on
/// where it was after a reboot.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_scrub_step(
    store: *mut iotsec_store_t,
    done: *mut i32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let done = argument::out(done)?;
            object::enter(store, |mounted| {
                let scrub = mounted.store.scrub_step(&mut mounted.flash)?;
                done.set(i32::from(scrub == Scrub::Done));
                Ok(())
            })
        }
    })
}

/// Destroys a store with everything in it, mounted or not: the keys first, then every page. Close it before.
///
/// Power loss: once the first page is erased nothing can be read any more; call again for the rest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_destroy(
    flash: *const iotsec_flash_t,
    region: *const iotsec_region_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        let (flash, region) = unsafe { (argument::sized(flash)?, argument::copied(region)?) };
        let mut flash = CFlash::new(flash)?;
        let region = region.region(&flash)?;
        Ok(Store::destroy(&mut flash, region)?)
    })
}

/// Makes an `iotsec_record_t` of the value under `key`, for functions that keep a small record. The store must
/// stay open and where it is as long as the record is used.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_record(
    store: *mut iotsec_store_t,
    key: iotsec_key_id_t,
    record: *mut iotsec_record_t,
) -> iotsec_status_t {
    status(|| {
        key_of(key)?;
        // SAFETY: the caller's word, see the README.
        unsafe {
            let record = argument::out(record)?;
            object::enter(store, |_| Ok(()))?;
            record.set(iotsec_record_t::new(key, store.cast(), load_record, save_record)?);
        }
        Ok(())
    })
}

/// Ends a store and wipes its keys. What is stored stays in flash; storage, index and buffer may be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_store_close(store: *mut iotsec_store_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(store) })
}

unsafe extern "C" fn load_record(
    ctx: *mut c_void,
    id: iotsec_key_id_t,
    bytes: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: `ctx` is the store that `iotsec_store_record` was given, and the rest is the caller's word.
    loaded(unsafe { iotsec_store_get(ctx.cast(), id, bytes, size, len) })
}

unsafe extern "C" fn save_record(
    ctx: *mut c_void,
    id: iotsec_key_id_t,
    bytes: *const u8,
    len: usize,
) -> iotsec_status_t {
    // SAFETY: as in `load_record`.
    unsafe { iotsec_store_put(ctx.cast(), id, bytes, len) }
}

/// [`Store::format`] or [`Store::mount`].
type Open = fn(
    &mut CFlash,
    Region,
    Suite<'static>,
    &'static mut [IndexEntry],
    &'static mut [u8],
    ReplayProtection<'static>,
    &mut CEntropy,
) -> Result<Store<'static>, StoreError>;

/// # Safety
/// As [`object::start`], and the configuration is as its documentation says until the store is closed.
unsafe fn open(
    store: *mut iotsec_store_t,
    config: *const iotsec_store_config_t,
    open: Open,
) -> Result<(), Status> {
    // SAFETY: the caller's word, passed on; here and below.
    let config = unsafe { argument::grown(config) }?;
    let mut flash = CFlash::new(argument::same_size(config.flash, config.flash.struct_size)?)?;
    let mut entropy = CEntropy::new(argument::same_size(config.entropy, config.entropy.struct_size)?)?;
    let root = CRootKey::new(argument::same_size(config.root_key, config.root_key.struct_size)?)?;
    // SAFETY: as above.
    let counter = unsafe { CCounter::new_or_none(config.replay_counter) }?;
    let region = config.region.region(&flash)?;
    // SAFETY: the caller's word, passed on.
    let (index, buffer) = unsafe {
        object::vacant(store)?;
        memory(
            config.index,
            config.index_count,
            config.buffer,
            config.buffer_size,
        )
    }?;
    // SAFETY: as above.
    unsafe {
        object::start(store, (root, counter), |(root, counter)| {
            let suite = Suite {
                aead: &Aes256GcmSiv,
                kdf: &HkdfSha256,
                root,
            };
            let replay = match counter {
                Some(counter) => ReplayProtection::EachPage(counter),
                None => ReplayProtection::None,
            };
            let store = open(&mut flash, region, suite, index, buffer, replay, &mut entropy)?;
            Ok(Mounted {
                store,
                flash,
                entropy,
            })
        })
    }
}

/// The memory that a store works in.
///
/// # Safety
/// `index` is null or points to `count` entries, `buffer` is null or points to `size` bytes, and nobody else uses
/// them as long as the store is open.
pub(crate) unsafe fn memory(
    index: *mut iotsec_index_entry_t,
    count: u32,
    buffer: *mut u8,
    size: usize,
) -> Result<(&'static mut [IndexEntry], &'static mut [u8]), Status> {
    if index.is_null() || !index.is_aligned() || buffer.is_null() {
        return Err(CallError::Null.into());
    }
    let count = usize::try_from(count).map_err(|_| CallError::Size)?;
    let fits = count
        .checked_mul(size_of::<iotsec_index_entry_t>())
        .is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if !fits || isize::try_from(size).is_err() {
        return Err(CallError::Size.into());
    }
    // SAFETY: neither is null nor longer than an object can be, and an entry here has room for one of the
    // store's; the caller says that they are used by nobody else before the store is closed. The entries are
    // written before they are read.
    unsafe {
        let index: *mut MaybeUninit<IndexEntry> = index.cast();
        for at in 0..count {
            index.add(at).write(MaybeUninit::new(IndexEntry::EMPTY));
        }
        Ok((
            slice::from_raw_parts_mut(index.cast::<IndexEntry>(), count),
            slice::from_raw_parts_mut(buffer, size),
        ))
    }
}

pub(crate) fn key_of(key: iotsec_key_id_t) -> Result<KeyId, Status> {
    let [0, 0, 0, domain, 0, namespace, c, d] = key.to_be_bytes() else {
        return Err(CallError::Config.into());
    };
    let domain = match u32::from(domain) {
        IOTSEC_DOMAIN_DEVICE => KeyDomain::Device,
        IOTSEC_DOMAIN_USER => KeyDomain::User,
        _ => return Err(CallError::Config.into()),
    };
    Ok(KeyId::new(domain, namespace, u16::from_be_bytes([c, d])))
}
