//! The protected area: what the image says of itself under the signature.

use super::{
    McubootError, Version,
    seal::{halves, once},
};

const MAGIC: u16 = 0x6908;
/// More images than this no MCUboot port has.
const MAX_DEPENDENCIES: usize = 8;

/// Another image that must be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dependency {
    /// The image's number.
    pub image: u8,
    /// The least version it must have.
    pub version: Version,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) security_counter: Option<u32>,
    pub(super) vendor: Option<[u8; 16]>,
    pub(super) class: Option<[u8; 16]>,
    dependencies: [Dependency; MAX_DEPENDENCIES],
    count: usize,
}

impl Claims {
    pub(super) fn dependencies(&self) -> &[Dependency] {
        self.dependencies.get(..self.count).unwrap_or(&[])
    }

    /// Takes the entries from `next`, which gives the area's bytes in order and hashes each as it gives it,
    /// so that what is believed is what was signed. `len` is the header's length of the area.
    pub(super) fn read(
        len: u32,
        next: &mut dyn FnMut(&mut [u8]) -> Result<(), McubootError>,
    ) -> Result<Self, McubootError> {
        let mut claims = Self::default();
        if len == 0 {
            return Ok(claims);
        }
        let mut rest = len.checked_sub(4).ok_or(McubootError::Entries)?;
        let [magic, total] = pair(next)?;
        if magic != MAGIC || u32::from(total) != len {
            return Err(McubootError::Entries);
        }
        while rest > 0 {
            rest = rest.checked_sub(4).ok_or(McubootError::Entries)?;
            let [kind, len] = pair(next)?;
            rest = rest.checked_sub(u32::from(len)).ok_or(McubootError::Entries)?;
            claims.take(kind, len, next)?;
        }
        Ok(claims)
    }

    fn take(
        &mut self,
        kind: u16,
        len: u16,
        next: &mut dyn FnMut(&mut [u8]) -> Result<(), McubootError>,
    ) -> Result<(), McubootError> {
        match (kind, len) {
            (0x40, 12) => self.dependency(value(next)?),
            (0x50, 4) => once(&mut self.security_counter, u32::from_le_bytes(value(next)?)),
            (0x74, 16) => once(&mut self.vendor, value(next)?),
            (0x75, 16) => once(&mut self.class, value(next)?),
            (0x40 | 0x50 | 0x74 | 0x75, _) => Err(McubootError::EntryValue),
            (0x70..=0x73, _) => Err(McubootError::Compressed),
            // A record for attestation, which MCUboot completes and does not act on.
            (0x60, _) => skip(len, next),
            // 0xFFFF is how MCUboot says "any"; as an entry it has no meaning.
            (kind, _) if kind & 0xFF >= 0xA0 && kind != u16::MAX => skip(len, next),
            _ => Err(McubootError::EntryMisplaced),
        }
    }

    fn dependency(&mut self, value: [u8; 12]) -> Result<(), McubootError> {
        let [image, 0, 0, 0, version @ ..] = value else {
            return Err(McubootError::EntryValue);
        };
        let place = self.dependencies.get_mut(self.count);
        *place.ok_or(McubootError::EntryRepeated)? = Dependency {
            image,
            version: Version::from_bytes(&version),
        };
        self.count = self.count.saturating_add(1);
        Ok(())
    }
}

fn pair(next: &mut dyn FnMut(&mut [u8]) -> Result<(), McubootError>) -> Result<[u16; 2], McubootError> {
    Ok(halves(value(next)?))
}

fn value<const N: usize>(
    next: &mut dyn FnMut(&mut [u8]) -> Result<(), McubootError>,
) -> Result<[u8; N], McubootError> {
    let mut value = [0; N];
    next(&mut value)?;
    Ok(value)
}

fn skip(len: u16, next: &mut dyn FnMut(&mut [u8]) -> Result<(), McubootError>) -> Result<(), McubootError> {
    let mut rest = usize::from(len);
    while rest > 0 {
        let mut block = [0; 64];
        let now = rest.min(block.len());
        next(block.get_mut(..now).ok_or(McubootError::Entries)?)?;
        rest = rest.saturating_sub(now);
    }
    Ok(())
}
