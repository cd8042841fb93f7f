//! One record of the journal.

use iotsec_core::hal::Slot;

use crate::{SequenceNumber, checksum::crc32};

/// Where an update is, in the words of the PSA Firmware Update API 1.0 (Arm IHI 0093).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u8)]
pub enum State {
    // The numbers of the PSA header, which are also those of the record.
    /// Nothing under way; `start` may be called.
    Ready = 0,
    /// An image is being written to the staging slot.
    Writing = 1,
    /// The image in the staging slot is complete and was read back; it is not yet to be started.
    Candidate = 2,
    /// The next boot tries the image.
    Staged = 3,
    /// The image is running on trial.
    Trial = 5,
    /// The running image was rejected; the next boot goes back.
    Rejected = 6,
    /// The update failed, was cancelled or was reverted. The cause is recorded.
    Failed = 4,
    /// The image was accepted. The staging slot holds the one before it until `clean`.
    Updated = 7,
}

impl State {
    const fn code(self) -> u8 {
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

    #[cfg(test)]
    pub(crate) fn encode(&self, serial: u32) -> [u8; 160] {
        let mut out = [0; 160];
        self.encode_to(serial, &mut out);
        out
    }

    /// Into bytes that are zero.
    pub(crate) fn encode_to(&self, serial: u32, out: &mut [u8; 160]) {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags = flag(self.accepted, ACCEPTED)
            | flag(self.clean, CLEAN)
            | flag(self.staging.is_some(), STAGING)
            | flag(self.rejected.is_some(), REJECTED);
        let slot = match self.active.slot {
            Slot::A => 0,
            Slot::B => 1,
        };
        let [s0, s1, s2, s3] = serial.to_le_bytes();
        let [c0, c1] = self.cause.to_le_bytes();
        let [p0, p1, p2, p3] = self.progress.to_le_bytes();
        let (head, manifests) = out.split_at_mut(16);
        head.copy_from_slice(&[
            RECORD,
            VERSION,
            self.state.code(),
            slot,
            s0,
            s1,
            s2,
            s3,
            self.boots,
            flags,
            c0,
            c1,
            p0,
            p1,
            p2,
            p3,
        ]);
        let (places, _) = manifests.as_chunks_mut();
        let known = [
            Some(&self.active.manifest),
            self.staging.as_ref(),
            self.rejected.as_ref(),
        ];
        for (place, manifest) in places.iter_mut().zip(known) {
            if let Some(manifest) = manifest {
                manifest.encode(place);
            }
        }
        seal(out);
    }

    /// Whether a record may begin so.
    pub(crate) fn is_record(head: &[u8]) -> bool {
        head.starts_with(&[RECORD, VERSION])
    }

    /// Puts the state in `bytes` into `place` if its serial number is above `newest`. Returns that number, if every
    /// field has a meaning and the checksum fits.
    pub(crate) fn decode(bytes: &[u8], newest: u32, place: &mut Option<Self>) -> Option<u32> {
        let bytes: &[u8; 160] = bytes.try_into().ok()?;
        let [
            RECORD,
            VERSION,
            state,
            slot,
            s0,
            s1,
            s2,
            s3,
            boots,
            flags,
            c0,
            c1,
            p0,
            p1,
            p2,
            p3,
            rest @ ..,
        ] = bytes
        else {
            return None;
        };
        let serial = u32::from_le_bytes([*s0, *s1, *s2, *s3]);
        let (manifests, tail) = rest.as_chunks::<MANIFEST_LEN>();
        let [manifest, staging, rejected] = manifests else {
            return None;
        };
        let slot = match slot {
            0 => Slot::A,
            1 => Slot::B,
            _ => return None,
        };
        let [zeros @ .., _, _, _, _] = tail else {
            return None;
        };
        if !is_sealed(bytes)
            || serial > MAX_SERIAL
            || flags & !(ACCEPTED | CLEAN | STAGING | REJECTED) != 0
            || zeros.iter().any(|byte| *byte != 0)
        {
            return None;
        }
        let state = State::from_code(*state)?;
        if serial <= newest {
            return Some(serial);
        }
        *place = Some(Self {
            state,
            active: Image {
                slot,
                manifest: ManifestId::decode(manifest),
            },
            accepted: flags & ACCEPTED != 0,
            clean: flags & CLEAN != 0,
            boots: *boots,
            cause: u16::from_le_bytes([*c0, *c1]),
            progress: u32::from_le_bytes([*p0, *p1, *p2, *p3]),
            staging: (flags & STAGING != 0).then(|| ManifestId::decode(staging)),
            rejected: (flags & REJECTED != 0).then(|| ManifestId::decode(rejected)),
        });
        Some(serial)
    }
}

/// A sequence number and a digest.
const MANIFEST_LEN: usize = 40;

impl ManifestId {
    fn encode(&self, place: &mut [u8; MANIFEST_LEN]) {
        let (sequence, digest) = place.split_at_mut(8);
        sequence.copy_from_slice(&self.sequence.0.to_le_bytes());
        digest.copy_from_slice(&self.digest);
    }

    #[inline(never)]
    fn decode(place: &[u8; MANIFEST_LEN]) -> Self {
        let [a, b, c, d, e, f, g, h, digest @ ..] = place;
        Self {
            sequence: SequenceNumber(u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h])),
            digest: *digest,
        }
    }
}

pub(crate) fn encode_progress(serial: u32, progress: u32) -> [u8; 16] {
    let [s0, s1, s2, s3] = serial.to_le_bytes();
    let [p0, p1, p2, p3] = progress.to_le_bytes();
    let mut out = [
        PROGRESS, VERSION, 0, 0, s0, s1, s2, s3, p0, p1, p2, p3, 0, 0, 0, 0,
    ];
    seal(&mut out);
    out
}

/// The serial number and the bytes in place.
pub(crate) fn decode_progress(bytes: &[u8]) -> Option<(u32, u32)> {
    let [PROGRESS, VERSION, 0, 0, s0, s1, s2, s3, p0, p1, p2, p3, ..] = bytes else {
        return None;
    };
    let serial = u32::from_le_bytes([*s0, *s1, *s2, *s3]);
    (is_sealed(bytes) && serial <= MAX_SERIAL).then(|| (serial, u32::from_le_bytes([*p0, *p1, *p2, *p3])))
}

/// Puts the CRC-32 of all but the last four bytes there.
fn seal(bytes: &mut [u8]) {
    if let Some((body, crc)) = bytes.split_last_chunk_mut::<4>() {
        *crc = crc32(body).to_le_bytes();
    }
}

/// Whether it is there.
#[inline(never)]
fn is_sealed(bytes: &[u8]) -> bool {
    let sealed = bytes.split_last_chunk::<4>();
    sealed.is_some_and(|(body, crc)| crc32(body).to_le_bytes() == *crc)
}
