//! One record of the journal.

use iotsec_core::hal::Slot;

use crate::{SequenceNumber, checksum::crc32};

/// Where an update is, in the words of the PSA Firmware Update API 1.0 (Arm IHI 0093).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// Nothing under way; `start` may be called.
    Ready,
    /// An image is being written to the staging slot.
    Writing,
    /// The image in the staging slot is complete and was read back; it is not yet to be started.
    Candidate,
    /// The next boot tries the image.
    Staged,
    /// The image is running on trial.
    Trial,
    /// The running image was rejected; the next boot goes back.
    Rejected,
    /// The update failed, was cancelled or was reverted. The cause is recorded.
    Failed,
    /// The image was accepted. The staging slot holds the one before it until `clean`.
    Updated,
}

impl State {
    const fn code(self) -> u8 {
        // The numbers of the PSA header.
        match self {
            Self::Ready => 0,
            Self::Writing => 1,
            Self::Candidate => 2,
            Self::Staged => 3,
            Self::Failed => 4,
            Self::Trial => 5,
            Self::Rejected => 6,
            Self::Updated => 7,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Ready,
            1 => Self::Writing,
            2 => Self::Candidate,
            3 => Self::Staged,
            4 => Self::Failed,
            5 => Self::Trial,
            6 => Self::Rejected,
            7 => Self::Updated,
            _ => return None,
        })
    }
}

/// Which manifest: its sequence number and its SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ManifestId {
    /// The sequence number.
    pub sequence: SequenceNumber,
    /// SHA-256 of the manifest.
    pub digest: [u8; 32],
}

/// A slot and the manifest in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) slot: Slot,
    pub(crate) manifest: ManifestId,
}

/// The whole state. The staging slot is always the other one of `active.slot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) state: State,
    pub(crate) active: Image,
    /// The active image was accepted on trial, so the security counter may follow it.
    pub(crate) accepted: bool,
    /// The manifest region of the staging slot is erased.
    pub(crate) clean: bool,
    /// Trial boots so far.
    pub(crate) boots: u8,
    /// Error number behind `Failed` and `Rejected`, else zero.
    pub(crate) cause: u16,
    /// Bytes of the image that were in place when this was written.
    pub(crate) progress: u32,
    /// The manifest of the update under way.
    pub(crate) staging: Option<ManifestId>,
    /// The manifest that was rejected last.
    pub(crate) rejected: Option<ManifestId>,
}

pub(crate) const RECORD_LEN: u32 = 160;
pub(crate) const PROGRESS_LEN: u32 = 16;

const RECORD: u8 = b'S';
const PROGRESS: u8 = b'P';
const VERSION: u8 = 1;
/// Appending one record a second does not get there in a century: such a number was not counted.
pub(super) const MAX_SERIAL: u32 = 0xF000_0000;

const ACCEPTED: u8 = 1;
const CLEAN: u8 = 2;
const STAGING: u8 = 4;
const REJECTED: u8 = 8;

impl Record {
    /// Nothing is known but what is running.
    pub(crate) const fn initial(active: Image) -> Self {
        Self {
            state: State::Ready,
            active,
            accepted: false,
            clean: false,
            boots: 0,
            cause: 0,
            progress: 0,
            staging: None,
            rejected: None,
        }
    }

    pub(crate) fn encode(&self, serial: u32) -> [u8; 160] {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.accepted, ACCEPTED)
            | flag(self.clean, CLEAN)
            | flag(self.staging.is_some(), STAGING)
            | flag(self.rejected.is_some(), REJECTED);
        let slot = match self.active.slot {
            Slot::A => 0,
            Slot::B => 1,
        };
        let mut out = [0; 160];
        let mut fields = Places(&mut out);
        fields.put(&[RECORD, VERSION, self.state.code(), slot]);
        fields.put(&serial.to_le_bytes());
        fields.put(&[self.boots, flags]);
        fields.put(&self.cause.to_le_bytes());
        fields.put(&self.progress.to_le_bytes());
        for manifest in [
            Some(&self.active.manifest),
            self.staging.as_ref(),
            self.rejected.as_ref(),
        ] {
            let (sequence, digest) = manifest.map_or((0, &[0; 32]), |id| (id.sequence.0, &id.digest));
            fields.put(&sequence.to_le_bytes());
            fields.put(digest);
        }
        seal(&mut out);
        out
    }

    /// Whether a record may begin so.
    pub(crate) fn is_record(head: &[u8]) -> bool {
        head.starts_with(&[RECORD, VERSION])
    }

    /// The serial number and the state, if every field has a meaning and the checksum fits.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(u32, Self)> {
        let mut fields = Fields(unseal(bytes)?);
        let [kind, version, state, slot] = fields.take()?;
        if kind != RECORD || version != VERSION {
            return None;
        }
        let slot = match slot {
            0 => Slot::A,
            1 => Slot::B,
            _ => return None,
        };
        let serial = fields.serial()?;
        let [boots, flags] = fields.take()?;
        if flags & !(ACCEPTED | CLEAN | STAGING | REJECTED) != 0 {
            return None;
        }
        let cause = u16::from_le_bytes(fields.take()?);
        let progress = u32::from_le_bytes(fields.take()?);
        let manifest = fields.manifest()?;
        let staging = fields.manifest()?;
        let rejected = fields.manifest()?;
        if fields.0.iter().any(|byte| *byte != 0) {
            return None;
        }
        let record = Self {
            state: State::from_code(state)?,
            active: Image { slot, manifest },
            accepted: flags & ACCEPTED != 0,
            clean: flags & CLEAN != 0,
            boots,
            cause,
            progress,
            staging: (flags & STAGING != 0).then_some(staging),
            rejected: (flags & REJECTED != 0).then_some(rejected),
        };
        Some((serial, record))
    }
}

pub(crate) fn encode_progress(serial: u32, progress: u32) -> [u8; 16] {
    let mut out = [0; 16];
    let mut fields = Places(&mut out);
    fields.put(&[PROGRESS, VERSION, 0, 0]);
    fields.put(&serial.to_le_bytes());
    fields.put(&progress.to_le_bytes());
    seal(&mut out);
    out
}

/// The serial number and the bytes in place.
pub(crate) fn decode_progress(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut fields = Fields(unseal(bytes)?);
    if fields.take()? != [PROGRESS, VERSION, 0, 0] {
        return None;
    }
    Some((fields.serial()?, u32::from_le_bytes(fields.take()?)))
}

/// Where the next field goes.
struct Places<'b>(&'b mut [u8]);

impl Places<'_> {
    // Out of line: there are many fields.
    #[inline(never)]
    fn put(&mut self, field: &[u8]) {
        if let Some((place, rest)) = core::mem::take(&mut self.0).split_at_mut_checked(field.len()) {
            place.copy_from_slice(field);
            self.0 = rest;
        }
    }
}

struct Fields<'b>(&'b [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn serial(&mut self) -> Option<u32> {
        let serial = u32::from_le_bytes(self.take()?);
        (serial <= MAX_SERIAL).then_some(serial)
    }

    fn manifest(&mut self) -> Option<ManifestId> {
        Some(ManifestId {
            sequence: SequenceNumber(u64::from_le_bytes(self.take()?)),
            digest: self.take()?,
        })
    }
}

/// Puts the CRC-32 of all but the last four bytes there.
fn seal(bytes: &mut [u8]) {
    if let Some((body, crc)) = bytes.split_last_chunk_mut::<4>() {
        *crc = crc32(body).to_le_bytes();
    }
}

fn unseal(bytes: &[u8]) -> Option<&[u8]> {
    let (body, crc) = bytes.split_last_chunk::<4>()?;
    (crc32(body).to_le_bytes() == *crc).then_some(body)
}
