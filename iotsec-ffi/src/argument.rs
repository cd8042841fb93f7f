//! Pointers from C, made into references once and checked on the way.

use core::{
    ffi::{CStr, c_char},
    fmt::{self, Write},
    mem::MaybeUninit,
    ptr, slice, str,
};

use iotsec::core::hal::{Millis, UnixTime};

use crate::status::{CallError, Status};

/// Bytes that the caller lends for the call.
///
/// # Safety
/// `bytes` is null, or points to `len` initialised bytes that nobody writes during `'a`.
pub(crate) unsafe fn bytes<'a>(bytes: *const u8, len: usize) -> Result<&'a [u8], Status> {
    if bytes.is_null() {
        return Err(CallError::Null.into());
    }
    if isize::try_from(len).is_err() {
        return Err(CallError::Size.into());
    }
    // SAFETY: not null and not longer than an object can be; the caller vouches for the rest.
    Ok(unsafe { slice::from_raw_parts(bytes, len) })
}

/// Structs that the caller lends for the call.
///
/// # Safety
/// `items` is null (with a count of zero for none), or points to `count` initialised `T` that nobody writes during `'a`.
pub(crate) unsafe fn slice<'a, T>(items: *const T, count: usize) -> Result<&'a [T], Status> {
    if items.is_null() && count == 0 {
        return Ok(&[]);
    }
    if items.is_null() || !items.is_aligned() {
        return Err(CallError::Null.into());
    }
    let size = count.checked_mul(size_of::<T>());
    if size.is_none_or(|bytes| isize::try_from(bytes).is_err()) {
        return Err(CallError::Size.into());
    }
    // SAFETY: not null, aligned and not longer than an object can be; the caller vouches for the rest.
    Ok(unsafe { slice::from_raw_parts(items, count) })
}

/// A struct, copied out.
///
/// # Safety
/// `value` is null, or points to an initialised `T`.
pub(crate) unsafe fn copied<T: Copy>(value: *const T) -> Result<T, Status> {
    if value.is_null() || !value.is_aligned() {
        return Err(CallError::Null.into());
    }
    // SAFETY: not null and aligned; the caller vouches for the rest.
    Ok(unsafe { value.read() })
}

/// A struct that begins with its own size, copied out.
///
/// A size of another version of the header is refused: an unknown field could ask for something that
/// this library would not do.
///
/// # Safety
/// `value` is null, or points to an initialised `T` if the `u32` it begins with says so.
pub(crate) unsafe fn sized<T: Copy>(value: *const T) -> Result<T, Status> {
    if !value.is_aligned() {
        return Err(CallError::Null.into());
    }
    // SAFETY: every such struct is `repr(C)` and begins with its size.
    let size = unsafe { copied(value.cast::<u32>()) }?;
    if usize::try_from(size).ok() != Some(size_of::<T>()) {
        return Err(CallError::Config.into());
    }
    // SAFETY: the caller says that all of it is there.
    Ok(unsafe { value.read() })
}

/// A struct that begins with its own size, where it is: for one that holds a secret, of which a copy would be left behind.
///
/// # Safety
/// As [`sized`], and nobody writes it during `'a`.
pub(crate) unsafe fn sized_ref<'a, T: Copy>(value: *const T) -> Result<&'a T, Status> {
    if !value.is_aligned() {
        return Err(CallError::Null.into());
    }
    // SAFETY: as in `sized`.
    let size = unsafe { copied(value.cast::<u32>()) }?;
    if usize::try_from(size).ok() != Some(size_of::<T>()) {
        return Err(CallError::Config.into());
    }
    // SAFETY: not null and aligned; the caller says that all of it is there.
    Ok(unsafe { &*value })
}

/// A struct that has got fields at its end since its first version. What a caller with an earlier header does not have is
/// zero then, and asks for nothing.
///
/// # Safety
/// It begins with its size, and a value of all zeros is one of it.
pub(crate) unsafe trait Grown: Copy {
    /// Bytes of the first version, without padding behind its last field.
    const FIRST: usize;
}

/// The same as [`sized`] for a struct that has grown: the first version is taken as well.
///
/// # Safety
/// `value` is null, or points to as many initialised bytes of a `T` as the `u32` it begins with says.
pub(crate) unsafe fn grown<T: Grown>(value: *const T) -> Result<T, Status> {
    const {
        assert!(T::FIRST < size_of::<T>() && T::FIRST.is_multiple_of(align_of::<T>()));
    }
    if !value.is_aligned() {
        return Err(CallError::Null.into());
    }
    // SAFETY: every such struct is `repr(C)` and begins with its size.
    let size = unsafe { copied(value.cast::<u32>()) }?;
    let size = usize::try_from(size).map_err(|_| CallError::Config)?;
    if size != T::FIRST && size != size_of::<T>() {
        return Err(CallError::Config.into());
    }
    let mut whole = MaybeUninit::<T>::zeroed();
    // SAFETY: the caller says that so many bytes are there, and they are no more than a `T` has. The rest is zero, and the
    // trait says that this is a value.
    unsafe {
        ptr::copy_nonoverlapping(value.cast::<u8>(), whole.as_mut_ptr().cast::<u8>(), size);
        Ok(whole.assume_init())
    }
}

/// A struct inside of another, which must have the size that it says.
pub(crate) fn same_size<T>(value: T, struct_size: u32) -> Result<T, Status> {
    if usize::try_from(struct_size) != Ok(size_of::<T>()) {
        return Err(CallError::Config.into());
    }
    Ok(value)
}

/// A field that the header reserves: refused unless it is zero, so that a later header can give it a meaning that an
/// earlier library does not overlook.
pub(crate) fn zero(reserved: impl Into<u32>) -> Result<(), CallError> {
    if reserved.into() == 0 {
        Ok(())
    } else {
        Err(CallError::Config)
    }
}

/// Where one result goes.
///
/// # Safety
/// `out` is null, or points to storage for a `T` that nobody else uses during `'a`.
pub(crate) unsafe fn out<'a, T>(out: *mut T) -> Result<Out<'a, T>, Status> {
    if out.is_null() || !out.is_aligned() {
        return Err(CallError::Null.into());
    }
    Ok(Out(out, core::marker::PhantomData))
}

/// A checked place for a result, which may hold garbage until it is written.
pub(crate) struct Out<'a, T>(*mut T, core::marker::PhantomData<&'a mut T>);

impl<T> Out<'_, T> {
    /// Writes the result; called last, so that a failed call leaves the caller's variable alone.
    pub(crate) fn set(self, value: T) {
        // SAFETY: `out` has checked the pointer, and its caller vouched for the storage.
        unsafe { self.0.write(value) }
    }
}

/// A buffer with its capacity and the place for the length.
pub(crate) struct Buffer<'a> {
    bytes: &'a mut [u8],
    len: Out<'a, usize>,
}

/// # Safety
/// `buffer` is null, or points to `capacity` initialised bytes; `len` is null or points to a `size_t`;
/// nobody else uses either during `'a`.
pub(crate) unsafe fn buffer<'a>(
    buffer: *mut u8,
    capacity: usize,
    len: *mut usize,
) -> Result<Buffer<'a>, Status> {
    // SAFETY: the caller's word, passed on.
    let len = unsafe { out(len) }?;
    if isize::try_from(capacity).is_err() {
        return Err(CallError::Size.into());
    }
    let bytes = if buffer.is_null() {
        // Null with no capacity asks for the length.
        if capacity != 0 {
            return Err(CallError::Null.into());
        }
        &mut []
    } else {
        // SAFETY: not null and not longer than an object can be; the caller vouches for the rest.
        unsafe { slice::from_raw_parts_mut(buffer, capacity) }
    };
    Ok(Buffer { bytes, len })
}

impl<'a> Buffer<'a> {
    /// The bytes alone, for a buffer of which no length is told.
    pub(crate) fn bytes(self) -> &'a mut [u8] {
        self.bytes
    }
}

impl Buffer<'_> {
    /// Copies `bytes` out, or says how many there would have been.
    pub(crate) fn copy(self, bytes: &[u8]) -> Result<(), Status> {
        let fits = self.bytes.get_mut(..bytes.len());
        self.len.set(bytes.len());
        match fits {
            Some(target) => {
                target.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(CallError::ShortBuffer.into()),
        }
    }

    /// Refuses now what [`copy`](Self::copy) would refuse later.
    pub(crate) fn at_least(self, needed: usize) -> Result<Self, Status> {
        if self.bytes.len() < needed {
            self.len.set(needed);
            return Err(CallError::ShortBuffer.into());
        }
        Ok(self)
    }

    /// Has `read` fill the buffer with a value of `needed` bytes, or says how many it has.
    pub(crate) fn value(
        self,
        needed: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, Status>,
    ) -> Result<(), Status> {
        self.at_least(needed)?.fill(read)
    }

    /// The buffer, for a function that fills it and says how much it used.
    pub(crate) fn fill(self, work: impl FnOnce(&mut [u8]) -> Result<usize, Status>) -> Result<(), Status> {
        let len = work(self.bytes)?;
        self.len.set(len);
        Ok(())
    }
}

impl Buffer<'_> {
    /// Has `work` write text, or says how long it would have been. It is called twice and writes the same both times.
    pub(crate) fn write(self, work: impl Fn(&mut dyn Write) -> fmt::Result) -> Result<(), Status> {
        let mut length = Lines {
            room: &mut [],
            len: 0,
        };
        work(&mut length).map_err(|_| CallError::Size)?;
        let needed = length.len;
        self.at_least(needed)?.fill(|room| {
            let mut text = Lines { room, len: 0 };
            work(&mut text).map_err(|_| CallError::Size)?;
            Ok(text.len)
        })
    }
}

/// Room for a number of structs, and the place for how many they are.
pub(crate) struct Array<'a, T> {
    items: *mut T,
    room: usize,
    len: Out<'a, usize>,
}

/// # Safety
/// `items` is null, or points to storage for `room` of `T`; `len` is null or points to a `size_t`; nobody else uses either
/// during `'a`.
pub(crate) unsafe fn array<'a, T>(
    items: *mut T,
    room: usize,
    len: *mut usize,
) -> Result<Array<'a, T>, Status> {
    // SAFETY: the caller's word, passed on.
    let len = unsafe { out(len) }?;
    if items.is_null() && room != 0 || !items.is_aligned() {
        return Err(CallError::Null.into());
    }
    let fits = room
        .checked_mul(size_of::<T>())
        .is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if !fits {
        return Err(CallError::Size.into());
    }
    Ok(Array { items, room, len })
}

impl<T> Array<'_, T> {
    /// Writes the item at a place, if there is room for it.
    pub(crate) fn put(&self, at: usize, item: T) {
        if at < self.room {
            // SAFETY: it is below the room that `array` has checked, and its caller vouched for the storage.
            unsafe { self.items.add(at).write(item) };
        }
    }

    /// Says that `count` items were put, or would have been.
    pub(crate) fn said(self, count: usize) -> Result<(), Status> {
        let short = count > self.room;
        self.len.set(count);
        if short {
            Err(CallError::ShortBuffer.into())
        } else {
            Ok(())
        }
    }

    /// Writes `count` items, or says how many there would have been.
    pub(crate) fn write(self, count: usize, items: impl Iterator<Item = T>) -> Result<(), Status> {
        let short = count > self.room;
        self.len.set(count);
        if short {
            return Err(CallError::ShortBuffer.into());
        }
        for (at, item) in items.take(count).enumerate() {
            // SAFETY: `at` is below the room that `array` has checked, and its caller vouched for the storage.
            unsafe { self.items.add(at).write(item) };
        }
        Ok(())
    }
}

/// Text that is written as far as there is room, and counted.
struct Lines<'r> {
    room: &'r mut [u8],
    len: usize,
}

impl Write for Lines<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.checked_add(text.len()).ok_or(fmt::Error)?;
        if let Some(place) = self.room.get_mut(self.len..end) {
            place.copy_from_slice(text.as_bytes());
        }
        self.len = end;
        Ok(())
    }
}

/// Text that the caller lends for the call.
///
/// # Safety
/// As [`bytes`].
pub(crate) unsafe fn text<'a>(text: *const c_char, len: usize) -> Result<&'a str, Status> {
    // SAFETY: the caller's word, passed on; `c_char` and `u8` have one size.
    let bytes = unsafe { bytes(text.cast(), len) }?;
    str::from_utf8(bytes).map_err(|_| CallError::Text.into())
}

/// Text that ends in zero.
///
/// # Safety
/// `text` is null, or points to text that ends in zero and that nobody writes during `'a`.
pub(crate) unsafe fn zero_ended<'a>(text: *const c_char) -> Result<&'a str, Status> {
    if text.is_null() {
        return Err(CallError::Null.into());
    }
    // SAFETY: not null; the caller says that it ends in zero.
    unsafe { CStr::from_ptr(text) }
        .to_str()
        .map_err(|_| CallError::Text.into())
}

/// A time in seconds since 1970-01-01 UTC; zero stands for one that is not known.
pub(crate) const fn time(seconds: u64) -> Option<UnixTime> {
    match seconds {
        0 => None,
        seconds => Some(UnixTime(seconds)),
    }
}

/// A span of a configuration; zero stands for what is usual.
pub(crate) const fn millis_or(given: u64, default: Millis) -> Millis {
    match given {
        0 => default,
        given => Millis(given),
    }
}
