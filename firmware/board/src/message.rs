//! The words of the serial link, as the application and `cargo xtask firmware` both know them.
//!
//! The host asks and the device answers, one question at a time. A frame is
//!
//! | bytes | field |
//! |---|---|
//! | 1 | `~` |
//! | 1 | what is asked; answers have the same number |
//! | 2 | bytes of the content, little-endian |
//! | | the content; of an answer, the first two bytes are 0 or the number of an error |
//! | 2 | CRC-16 (polynomial 0x1021, from 0xFFFF) of all that follows the `~`, little-endian |
//!
//! A frame with a wrong checksum is answered with [`AGAIN`]. Every question may be asked twice. The first frame after a
//! start is [`READY`], from the device.

/// The first byte of a frame.
pub const START: u8 = b'~';
/// Bytes before the content.
pub const HEAD: usize = 4;
/// Bytes of the content at most.
pub const MAX: usize = 640;

/// The device has started, and listens from now on: the one answer without a question.
pub const READY: u8 = 0;
/// Who is there: [`Hello`].
pub const HELLO: u8 = 1;
/// Sets up: the label's password, a zero, the owner's, a zero, a secret of the owner's.
pub const SET_UP: u8 = 2;
/// Tries a password.
pub const LOGIN: u8 = 3;
/// Stores another secret of the owner's: the password, a zero, the secret.
pub const PUT: u8 = 4;
/// Reads it.
pub const GET: u8 = 5;
/// Records an event and keeps it over a reboot: its number, 4 bytes.
pub const RECORD: u8 = 6;
/// A sealed batch of what was recorded.
pub const BATCH: u8 = 7;
/// The batch has arrived.
pub const TAKEN: u8 = 8;
/// Begins an update: its envelope. The answer is [`Wanted`].
pub const UPDATE: u8 = 9;
/// Bytes of the payload: from where, 4 bytes, and the bytes. The answer is [`Wanted`].
pub const DATA: u8 = 10;
/// The image on trial is to stay.
pub const ACCEPT: u8 = 11;
/// Restarts.
pub const RESTART: u8 = 12;
/// The checksum was wrong.
pub const AGAIN: u8 = 0xFF;

/// Who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The sequence number of the manifest that runs.
    pub sequence: u64,
    /// The security counter.
    pub floor: u64,
    /// Which of the two builds it is: 1 or 2.
    pub build: u8,
    /// The slot that it runs from: 0 or 1.
    pub slot: u8,
    /// The life cycle: 0 factory, 1 provisioned, 2 owned, 3 orphaned, 4 retired.
    pub life: u8,
    /// The update, numbered as in the journal.
    pub update: u8,
    /// The error behind a failed update, or 0.
    pub cause: u16,
    /// Words programmed and pages erased by the application since power-on.
    pub operations: u32,
}

impl Hello {
    /// Bytes of it.
    pub const LEN: usize = 26;

    /// As it is sent.
    pub fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let (sequence, rest) = bytes.split_at_mut(8);
        sequence.copy_from_slice(&self.sequence.to_le_bytes());
        let (floor, rest) = rest.split_at_mut(8);
        floor.copy_from_slice(&self.floor.to_le_bytes());
        let (small, rest) = rest.split_at_mut(4);
        small.copy_from_slice(&[self.build, self.slot, self.life, self.update]);
        let (cause, operations) = rest.split_at_mut(2);
        cause.copy_from_slice(&self.cause.to_le_bytes());
        operations.copy_from_slice(&self.operations.to_le_bytes());
        bytes
    }

    /// As it came.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (sequence, rest) = bytes.split_first_chunk()?;
        let (floor, rest) = rest.split_first_chunk()?;
        let ([build, slot, life, update], rest) = rest.split_first_chunk()?;
        let (cause, rest) = rest.split_first_chunk()?;
        Some(Self {
            sequence: u64::from_le_bytes(*sequence),
            floor: u64::from_le_bytes(*floor),
            build: *build,
            slot: *slot,
            life: *life,
            update: *update,
            cause: u16::from_le_bytes(*cause),
            operations: u32::from_le_bytes(rest.try_into().ok()?),
        })
    }
}

/// From where the device wants the payload; [`Wanted::NOTHING`] once the update is staged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted(pub u32);

impl Wanted {
    /// All of it is there, read back and to be tried at the next start.
    pub const NOTHING: Self = Self(u32::MAX);
}

/// CRC-16 over `bytes`, continued from `crc`; begin with [`CRC`].
// Out of line: it goes over each part of a frame.
#[inline(never)]
pub fn crc(crc: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(crc, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            crc << 1 ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 }
        })
    })
}

/// What a checksum begins with.
pub const CRC: u16 = 0xFFFF;
