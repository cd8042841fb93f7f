//! The first 32 bytes.

use super::{ImageBytes, McubootError};

/// Bytes of the header without its padding.
pub(super) const HEADER_LEN: usize = 32;

const MAGIC: u32 = 0x96F3_B83D;

/// A version, ordered by major, minor and revision; `build` says which build it is and does not order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Version {
    /// Breaking changes.
    pub major: u8,
    /// New functions.
    pub minor: u8,
    /// Repairs.
    pub revision: u16,
    /// A build of the same version.
    pub build: u32,
}

impl Version {
    /// Whether this is at least `least`, builds aside, as MCUboot compares by default.
    pub fn meets(&self, least: &Self) -> bool {
        let order = |version: &Self| (version.major, version.minor, version.revision);
        order(self) >= order(least)
    }

    /// What the first bytes of an image say, before anything is checked: to know which one to look at first.
    pub(super) fn claimed(bytes: &mut dyn ImageBytes) -> Result<Self, McubootError> {
        let mut header = [0; HEADER_LEN];
        bytes.read(0, &mut header)?;
        Ok(Header::parse(header, bytes.size())?.version)
    }

    pub(super) fn from_bytes(bytes: &[u8; 8]) -> Self {
        let [major, minor, r0, r1, build @ ..] = *bytes;
        Self {
            major,
            minor,
            revision: u16::from_le_bytes([r0, r1]),
            build: u32::from_le_bytes(build),
        }
    }
}

/// What the header says of the image, of the flags that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flags {
    /// Runs where MCUboot puts it.
    None,
    /// To be copied to this address in RAM.
    RamLoad(u32),
    /// Linked for this address in ROM.
    RomFixed(u32),
}

/// The header, and where the areas lie. All ends are below 2^32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Kept as read, so that exactly these bytes are hashed.
    pub(super) bytes: [u8; HEADER_LEN],
    pub(super) flags: Flags,
    pub(super) version: Version,
    /// Where the payload begins.
    pub(super) payload: u32,
    /// Where the protected area begins, and the payload ends.
    pub(super) protected: u32,
    /// Where the unprotected area begins, and what is signed ends.
    pub(super) unprotected: u32,
}

impl Header {
    pub(super) fn parse(bytes: [u8; HEADER_LEN], size: u32) -> Result<Self, McubootError> {
        let word = |at: usize| {
            bytes
                .get(at..)
                .and_then(|rest| rest.first_chunk())
                .map_or(0, |word| u32::from_le_bytes(*word))
        };
        let half = |at: usize| {
            bytes
                .get(at..)
                .and_then(|rest| rest.first_chunk())
                .map_or(0, |half| u16::from_le_bytes(*half))
        };
        if word(0) != MAGIC {
            return Err(McubootError::Magic);
        }
        let flags = flags(word(16), word(4))?;
        if word(28) != 0 {
            return Err(McubootError::Header);
        }
        let payload = u32::from(half(8));
        if payload < 32 || word(12) == 0 {
            return Err(McubootError::Header);
        }
        let protected = payload.checked_add(word(12));
        let unprotected = protected.and_then(|at| at.checked_add(u32::from(half(10))));
        let (Some(protected), Some(unprotected)) = (protected, unprotected) else {
            return Err(McubootError::Size);
        };
        if unprotected > size {
            return Err(McubootError::Size);
        }
        let version = bytes.get(20..).and_then(|rest| rest.first_chunk());
        Ok(Self {
            bytes,
            flags,
            version: Version::from_bytes(version.unwrap_or(&[0; 8])),
            payload,
            protected,
            unprotected,
        })
    }
}

fn flags(flags: u32, address: u32) -> Result<Flags, McubootError> {
    const ENCRYPTED: u32 = 0x04 | 0x08;
    const NOT_BOOTABLE: u32 = 0x10;
    const RAM_LOAD: u32 = 0x20;
    const ROM_FIXED: u32 = 0x100;
    const COMPRESSED: u32 = 0x200 | 0x400 | 0x800;
    if flags & ENCRYPTED != 0 {
        return Err(McubootError::Encrypted);
    }
    if flags & COMPRESSED != 0 {
        return Err(McubootError::Compressed);
    }
    if flags & NOT_BOOTABLE != 0 {
        return Err(McubootError::NotBootable);
    }
    match flags {
        // MCUboot ignores the address then.
        0 => Ok(Flags::None),
        RAM_LOAD => Ok(Flags::RamLoad(address)),
        ROM_FIXED => Ok(Flags::RomFixed(address)),
        _ => Err(McubootError::Flags),
    }
}
