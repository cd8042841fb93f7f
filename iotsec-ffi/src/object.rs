//! Rust values in storage that the C caller owns.
//!
//! The first eight bytes say what lives there and whether it may be entered. The kind is mixed with
//! the address, so zeroed storage, storage of another kind and a copied object are all refused, and
//! a callback that calls back into the object it serves finds it busy.

use core::mem::MaybeUninit;

use crate::status::{CallError, Status};

/// The bytes of one object: what `iotsec_*_t` hides.
#[repr(C)]
pub(crate) struct Object<S: Storage> {
    kind: u32,
    busy: u32,
    /// The value's alone from `start` to `end`, so that it may borrow it.
    kept: MaybeUninit<S::Kept>,
    value: MaybeUninit<S::Value>,
}

/// Storage that the header shows as an array of words.
pub(crate) trait Storage: Sized {
    /// What the value borrows for as long as it lives.
    type Kept: Copy + 'static;
    /// What lives in it.
    type Value;
    /// Tells the kinds apart.
    const KIND: u32;
    /// Fails to compile when the storage is too small for what it holds, or not aligned for it.
    const FITS: () = {
        assert!(
            size_of::<Object<Self>>() <= size_of::<Self>(),
            "storage too small"
        );
        assert!(
            align_of::<Object<Self>>() <= align_of::<Self>(),
            "storage not aligned"
        );
    };
}

/// Puts a value into storage that holds none. `make` may borrow `kept`, which stays in the storage as long as
/// the value does.
///
/// # Safety
/// `storage` is null, or points to storage of the type it names, initialised (zeroed, or used before), and
/// used by nobody else.
pub(crate) unsafe fn start<S: Storage>(
    storage: *mut S,
    kept: S::Kept,
    make: impl FnOnce(&'static mut S::Kept) -> Result<S::Value, Status>,
) -> Result<(), Status> {
    let object = place(storage)?;
    // SAFETY: `place` has refused null and unaligned pointers; the caller vouches for the rest. There is no value
    // that these writes could hit, because the kind says so. The reference to `kept` lasts as long as the value:
    // nothing reads or writes there before `end` has dropped it, and the storage does not move, or its kind would not be
    // its own any more.
    unsafe {
        // A value that is there must be ended first: it may hold keys, or be in use further out.
        if (&raw const (*object).kind).read() == mark::<S>(object) {
            return Err(CallError::State.into());
        }
        // Busy while it is made, so that callbacks cannot enter or start it.
        (&raw mut (*object).kind).write(mark::<S>(object));
        (&raw mut (*object).busy).write(1);
        (&raw mut (*object).kept).write(MaybeUninit::new(kept));
        let kept = &mut *(&raw mut (*object).kept).cast::<S::Kept>();
        let made = make(kept).map(|value| (&raw mut (*object).value).write(MaybeUninit::new(value)));
        if made.is_err() {
            (&raw mut (*object).kind).write(0);
        }
        (&raw mut (*object).busy).write(0);
        made
    }
}

/// Refuses storage that holds a value, for a caller that writes to memory which a value may borrow.
///
/// # Safety
/// As [`start`].
pub(crate) unsafe fn vacant<S: Storage>(storage: *mut S) -> Result<(), Status> {
    let object = place(storage)?;
    // SAFETY: `place` has refused null and unaligned pointers; the caller vouches that the word can be read.
    let kind = unsafe { (&raw const (*object).kind).read() };
    if kind == mark::<S>(object) {
        return Err(CallError::State.into());
    }
    Ok(())
}

/// Lets `work` use the value. Refuses storage that holds none, and a call from inside a call.
///
/// # Safety
/// As [`start`].
pub(crate) unsafe fn enter<S: Storage, R>(
    storage: *mut S,
    work: impl FnOnce(&mut S::Value) -> Result<R, Status>,
) -> Result<R, Status> {
    let object = place(storage)?;
    // SAFETY: as in `start`; the caller vouches that the two words can be read.
    let (kind, busy) = unsafe {
        (
            (&raw const (*object).kind).read(),
            (&raw const (*object).busy).read(),
        )
    };
    if kind != mark::<S>(object) || busy != 0 {
        return Err(CallError::State.into());
    }
    // SAFETY: the kind says that `start` wrote a value here. It is not busy, so no other reference to
    // it is alive on this thread, and the caller vouches for the others. `busy` lies outside of the
    // reference, so a nested call may read it.
    unsafe {
        (&raw mut (*object).busy).write(1);
        let result = work((*object).value.assume_init_mut());
        (&raw mut (*object).busy).write(0);
        result
    }
}

/// Ends an object by having `work` use its value up. It is busy until that is done, so that what the value borrows stays.
///
/// # Safety
/// As [`enter`].
pub(crate) unsafe fn spend<S: Storage, R>(
    storage: *mut S,
    work: impl FnOnce(S::Value) -> Result<R, Status>,
) -> Result<R, Status> {
    // SAFETY: the caller's word is the same that `enter` and the lines after it ask for. The value is read once: what is
    // left of it is overwritten, and the kind says then that there is none.
    unsafe {
        enter(storage, |_| Ok(()))?;
        let object = place(storage)?;
        (&raw mut (*object).busy).write(1);
        let value = (&raw const (*object).value).read().assume_init();
        (&raw mut (*object).value).write_bytes(0, 1);
        let result = work(value);
        (&raw mut (*object).kind).write(0);
        (&raw mut (*object).busy).write(0);
        result
    }
}

/// Drops the value, which wipes its secrets, and leaves the storage as if zeroed.
///
/// # Safety
/// As [`enter`].
pub(crate) unsafe fn end<S: Storage>(storage: *mut S) -> Result<(), Status> {
    // SAFETY: the caller's word is the same that `enter` and the two lines after it ask for.
    unsafe {
        enter(storage, |_| Ok(()))?;
        let object = place(storage)?;
        (&raw mut (*object).kind).write(0);
        (*object).value.assume_init_drop();
    }
    Ok(())
}

/// Refuses a pointer that is null or misaligned, for a function that takes two objects.
pub(crate) fn somewhere<S: Storage>(storage: *mut S) -> Result<(), Status> {
    place(storage).map(drop)
}

fn place<S: Storage>(storage: *mut S) -> Result<*mut Object<S>, Status> {
    let () = S::FITS;
    if storage.is_null() || !storage.is_aligned() {
        return Err(CallError::Null.into());
    }
    Ok(storage.cast())
}

fn mark<S: Storage>(object: *mut Object<S>) -> u32 {
    let address = u64::try_from(object.addr()).unwrap_or_default();
    let low = u32::try_from(address & 0xFFFF_FFFF).unwrap_or_default();
    // Never zero, so that zeroed storage is never taken for an object.
    (S::KIND ^ low.rotate_left(7)) | 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, rc::Rc};

    #[repr(C)]
    struct Box8([u64; 8]);
    struct Noisy(Rc<Cell<u32>>, &'static u8);
    impl Drop for Noisy {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    impl Storage for Box8 {
        type Kept = u8;
        type Value = Noisy;
        const KIND: u32 = 0x1234_5678;
    }

    #[test]
    fn zeroed_copied_and_ended_storage_is_refused() {
        let drops = Rc::new(Cell::new(0));
        let mut storage = Box8([0; 8]);
        let at = &raw mut storage;
        // SAFETY: `at` points to a live, initialised `Box8`, here and below.
        unsafe {
            assert_eq!(enter(at, |_| Ok(())), Err(CallError::State.into()));
            start(at, 7, |kept| Ok(Noisy(drops.clone(), kept))).unwrap();
            assert_eq!(enter(at, |noisy| Ok(*noisy.1)), Ok(7));
            let mut copy = core::ptr::read(at.cast::<MaybeUninit<Box8>>());
            assert_eq!(
                enter((&raw mut copy).cast::<Box8>(), |_| Ok(())),
                Err(CallError::State.into())
            );
            end(at).unwrap();
            assert_eq!(drops.get(), 1);
            assert_eq!(end(at), Err(CallError::State.into()));
        }
        assert_eq!(drops.get(), 1);
    }

    #[test]
    fn a_value_that_is_used_up_is_used_once_and_cannot_be_entered_meanwhile() {
        let drops = Rc::new(Cell::new(0));
        let mut storage = Box8([0; 8]);
        let at = &raw mut storage;
        // SAFETY: as above.
        unsafe {
            start(at, 7, |kept| Ok(Noisy(drops.clone(), kept))).unwrap();
            let spent = spend(at, |noisy| {
                assert_eq!(enter(at, |_| Ok(())), Err(CallError::State.into()));
                assert_eq!(
                    start(at, 8, |_| Err(CallError::Size.into())),
                    Err(CallError::State.into())
                );
                Ok(*noisy.1)
            });
            assert_eq!((spent, drops.get()), (Ok(7), 1));
            assert_eq!(end(at), Err(CallError::State.into()));
        }
        assert_eq!(drops.get(), 1);
    }

    #[test]
    fn a_call_from_inside_a_call_is_refused() {
        let mut storage = Box8([0; 8]);
        let at = &raw mut storage;
        // SAFETY: as above.
        unsafe {
            start(at, 7, |kept| Ok(Noisy(Rc::default(), kept))).unwrap();
            let nested = enter(at, |_| Ok(enter(at, |_| Ok(()))));
            assert_eq!(nested, Ok(Err(CallError::State.into())));
            assert_eq!(enter(at, |_| Ok(())), Ok(()));
            end(at).unwrap();
        }
    }

    #[test]
    fn a_value_is_not_replaced_and_not_entered_while_it_is_made() {
        let mut storage = Box8([0; 8]);
        let at = &raw mut storage;
        // SAFETY: as above.
        unsafe {
            let refused = start(at, 7, |_| {
                assert_eq!(enter(at, |_| Ok(())), Err(CallError::State.into()));
                assert_eq!(
                    start(at, 8, |_| Err(CallError::Size.into())),
                    Err(CallError::State.into())
                );
                Err(CallError::Size.into())
            });
            assert_eq!(refused, Err(CallError::Size.into()));
            start(at, 7, |kept| Ok(Noisy(Rc::default(), kept))).unwrap();
            let again = start(at, 8, |kept| Ok(Noisy(Rc::default(), kept)));
            assert_eq!(again, Err(CallError::State.into()));
            assert_eq!(enter(at, |noisy| Ok(*noisy.1)), Ok(7));
            end(at).unwrap();
        }
    }

    #[test]
    fn null_is_refused() {
        // SAFETY: null is one of the two things that `enter` takes.
        let result = unsafe { enter(core::ptr::null_mut::<Box8>(), |_| Ok(())) };
        assert_eq!(result, Err(CallError::Null.into()));
    }
}
