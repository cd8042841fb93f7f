//! The device under attack, as the images and `cargo xtask fault-injection` both know it. Numbers only: the two
//! are built for different machines.

/// Vendor identifier.
pub const VENDOR: [u8; 16] = [1; 16];
/// Class identifier.
pub const CLASS: [u8; 16] = [2; 16];
/// Its one component, `[h'00']`.
pub const COMPONENT: &[u8] = &[0x81, 0x41, 0x00];
/// Sequence numbers that share a security counter, as a power of two.
pub const SHIFT: u32 = 8;

/// Bytes in an erase unit.
pub const PAGE: u32 = 512;
/// Bytes in a write unit.
pub const WORD: u32 = 4;
/// Bytes in the whole flash.
pub const CAPACITY: usize = 3584;
/// The first page of what each slot stores, envelope and image of one page each: A, then B.
pub const SLOTS: [u32; 2] = [0, 2];
/// The first page of the journal.
pub const JOURNAL: u32 = 4;
/// Its pages.
pub const JOURNAL_PAGES: u32 = 3;

/// Pages of a slot where MCUboot images are started: header and payload of one page each, and the rest behind it.
pub const SLOT_PAGES: u32 = 2;
/// Bytes of the header of such an image, with its padding.
pub const HEADER: u16 = 512;
/// MCUboot's largest alignment.
pub const ALIGN: u32 = 8;

/// Where the flash begins in memory.
pub const FLASH: u32 = 0x0800_0000;
/// Where the images in the slots begin, as the boot loader jumps to them: A, then B.
pub const ENTRIES: [u32; 2] = [0x0800_0200, 0x0800_0600];

/// What the host writes into RAM before a run.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Input {
    /// The content of the flash.
    pub flash: [u8; CAPACITY],
    /// An envelope that arrives, and its payload; the rest of the space is not used.
    pub envelope: [u8; 512],
    /// The payload.
    pub payload: [u8; 512],
    /// The maker's key.
    pub key: [u8; 32],
    /// Bytes of the envelope.
    pub envelope_len: u32,
    /// Bytes of the payload.
    pub payload_len: u32,
    /// The security counter.
    pub counter: u32,
}

/// What the host wants an image to do.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Job {
    /// Instructions after which a run hangs.
    pub budget: u32,
    /// An instruction is skipped at most so many times with the same return address and stack.
    pub repeats: u32,
    /// Of what is left, every so many; 0 for none.
    pub every: u32,
    /// Bytes to skip; 0 for one instruction.
    pub bytes: u32,
    /// Bit 0 when the image in slot A may run, bit 1 for slot B.
    pub may_start: u32,
    /// What the attacked code works on.
    pub input: Input,
}
