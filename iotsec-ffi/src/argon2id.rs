//! Argon2id, for products with memory for it.

use iotsec::core::{
    credential::{Cost, MemoryCost},
    crypto::{Argon2Block, Argon2id, CryptoError, MemoryHard},
    secret::Secret,
};

use crate::{
    argument,
    status::{CallError, Status},
};

/// KiB of Argon2id for a device with a megabyte of RAM, whose root key carries the security.
pub const IOTSEC_ARGON2ID_KIB_DEVICE: u32 = 256;
/// How often they are filled.
pub const IOTSEC_ARGON2ID_PASSES_DEVICE: u32 = 8;
/// KiB of Argon2id for Linux.
pub const IOTSEC_ARGON2ID_KIB_HOST: u32 = 19_456;
/// How often they are filled.
pub const IOTSEC_ARGON2ID_PASSES_HOST: u32 = 2;

const _: () = assert!(IOTSEC_ARGON2ID_KIB_DEVICE == MemoryCost::DEVICE.kib());
const _: () = assert!(passes(IOTSEC_ARGON2ID_PASSES_DEVICE) == MemoryCost::DEVICE.passes());
const _: () = assert!(IOTSEC_ARGON2ID_KIB_HOST == MemoryCost::HOST.kib());
const _: () = assert!(passes(IOTSEC_ARGON2ID_PASSES_HOST) == MemoryCost::HOST.passes());

/// The same number, for the comparison above.
const fn passes(count: u32) -> u16 {
    let [_, _, high, low] = count.to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// Memory that is lent for Argon2id (RFC 9106, one lane), and what a password costs that is chosen from here on.
///
/// The struct is copied. The memory is used while a password is checked or set, wiped then, and free for other things
/// between two calls. It must be lent again after each boot: without it, nobody whose password was stretched with it is
/// let in.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_argon2id_t {
    /// `sizeof(iotsec_argon2id_t)`.
    pub struct_size: u32,
    /// KiB that are filled: 64 to 65 536.
    pub kib: u32,
    /// How often: 1 to 64, and 131 072 KiB in all at most.
    pub passes: u32,
    /// Zero.
    pub reserved: u32,
    /// As much as the most expensive password wants that is in use.
    pub memory: *mut u64,
    /// Words of 8 bytes in `memory`: `IOTSEC_ARGON2ID_WORDS(kib)`.
    pub memory_words: usize,
}

/// Bytes of a word.
const WORD: usize = size_of::<u64>();

/// The function in the memory of C.
#[derive(Clone, Copy)]
pub(crate) struct CArgon2id {
    memory: *mut u64,
    words: usize,
}

impl CArgon2id {
    /// No memory, with which nothing is stretched.
    pub(crate) const NONE: Self = Self {
        memory: core::ptr::null_mut(),
        words: 0,
    };

    /// Blocks of one KiB behind the first place that is aligned for them, and how many.
    fn blocks(&self) -> (*mut Argon2Block, usize) {
        let skipped = self.memory.cast::<u8>().align_offset(align_of::<Argon2Block>());
        let bytes = self.words.saturating_mul(WORD).saturating_sub(skipped);
        let count = bytes.checked_div(size_of::<Argon2Block>()).unwrap_or_default();
        (self.memory.cast::<u8>().wrapping_add(skipped).cast(), count)
    }
}

impl MemoryHard for CArgon2id {
    fn stretch(
        &self,
        password: &[u8],
        salt: &[u8],
        kib: u32,
        passes: u16,
    ) -> Result<Secret<32>, CryptoError> {
        let (blocks, count) = self.blocks();
        if self.memory.is_null() || count == 0 {
            return Err(CryptoError::Length);
        }
        // SAFETY: `Lent::new` has refused null and unaligned pointers, `blocks` is aligned for blocks and `count` of them fit
        // behind it; the caller vouches for the memory. All bytes are written before any is read, and the reference ends with
        // this call.
        let blocks = unsafe {
            blocks.write_bytes(0, count);
            core::slice::from_raw_parts_mut(blocks, count)
        };
        Argon2id::new(blocks).stretch(password, salt, kib, passes)
    }
}

/// Memory that C lends, and what is done with it.
#[derive(Clone, Copy)]
pub(crate) struct Lent {
    pub(crate) memory: CArgon2id,
    pub(crate) cost: MemoryCost,
    /// A pointer, so that a program which lends no memory does not have the function.
    as_function: fn(&CArgon2id) -> &dyn MemoryHard,
}

impl Lent {
    /// # Safety
    /// As [`argument::sized`]; the memory is there for as long as this is used.
    pub(crate) unsafe fn new(argon2id: *const iotsec_argon2id_t) -> Result<Self, Status> {
        // SAFETY: the caller's word, passed on.
        let given = unsafe { argument::sized(argon2id) }?;
        if given.memory.is_null() || !given.memory.is_aligned() {
            return Err(CallError::Null.into());
        }
        let passes = u16::try_from(given.passes).map_err(|_| CallError::Config)?;
        argument::zero(given.reserved)?;
        let cost = MemoryCost::new(given.kib, passes)?;
        let memory = CArgon2id {
            memory: given.memory,
            words: given.memory_words,
        };
        let bytes = given.memory_words.checked_mul(WORD);
        let is_object = bytes.is_some_and(|bytes| isize::try_from(bytes).is_ok());
        if !is_object || u32::try_from(memory.blocks().1).is_ok_and(|count| count < given.kib) {
            return Err(CallError::Size.into());
        }
        Ok(Self {
            memory,
            cost,
            as_function: |memory| memory,
        })
    }

    pub(crate) fn function(&self) -> &dyn MemoryHard {
        (self.as_function)(&self.memory)
    }

    pub(crate) fn cost(&self) -> Cost {
        self.cost.into()
    }
}
