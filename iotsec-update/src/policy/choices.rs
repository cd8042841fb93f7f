//! What the owner decided, as it is stored.

use iotsec_core::hal::Millis;

use super::PolicyError;
use crate::{SequenceNumber, install::ManifestId};

/// Whether updates are installed without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// They are.
    Automatic,
    /// The owner is asked about each.
    Ask,
}

/// What the owner decided about one update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decided {
    /// Nothing yet.
    Nothing,
    /// To install it.
    Install,
    /// To wait for what is left of this time.
    Postpone(Millis),
    /// Not to install it.
    Decline,
}

/// The owner's choices.
///
/// As it is stored, numbers little-endian:
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 1 | version, 1 |
/// | 1 | 1 | mode: 0 automatic, 1 ask |
/// | 2 | 1 | decided: 0 nothing, 1 install, 2 postpone, 3 decline |
/// | 3 | 1 | zero |
/// | 4 | 8 + 32 | sequence number and SHA-256 of the manifest that this is about |
/// | 44 | 8 | milliseconds left of the postponement |
/// | 52 | 8 | milliseconds that the update was put off in all |
///
/// It has no checksum: keep it in the store, which authenticates it.
///
/// ```
/// use iotsec_update::policy::{Choices, Mode, PolicyError};
///
/// let choices = Choices::new(Mode::Ask);
/// assert_eq!(Choices::decode(&choices.encode())?, choices);
/// assert_eq!(Choices::decode(b"other"), Err(PolicyError::Record));
/// # Ok::<(), PolicyError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choices {
    /// Automatic or not.
    pub mode: Mode,
    /// The update that the rest is about.
    pub(super) manifest: Option<ManifestId>,
    pub(super) decided: Decided,
    pub(super) postponed: Millis,
}

impl Choices {
    /// Bytes of the stored record.
    pub const LEN: usize = 60;

    /// Automatic, nothing decided: what EN 303 645 5.3-6 wants of a new device.
    pub const DEFAULT: Self = Self::new(Mode::Automatic);

    /// Nothing decided yet.
    pub const fn new(mode: Mode) -> Self {
        Self {
            mode,
            manifest: None,
            decided: Decided::Nothing,
            postponed: Millis(0),
        }
    }

    /// As it is stored.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mode = match self.mode {
            Mode::Automatic => 0,
            Mode::Ask => 1,
        };
        let (decided, left) = match self.decided {
            Decided::Nothing => (0, 0),
            Decided::Install => (1, 0),
            Decided::Postpone(left) => (2, left.0),
            Decided::Decline => (3, 0),
        };
        let manifest = self.manifest.unwrap_or(NONE);
        let fields = [VERSION, mode, decided, 0]
            .into_iter()
            .chain(manifest.sequence.0.to_le_bytes())
            .chain(manifest.digest)
            .chain(left.to_le_bytes())
            .chain(self.postponed.0.to_le_bytes());
        let mut out = [0; Self::LEN];
        for (to, from) in out.iter_mut().zip(fields) {
            *to = from;
        }
        out
    }

    /// From what was stored.
    ///
    /// # Errors
    /// [`PolicyError::Record`] for anything but what [`encode`](Self::encode) writes. Go on with
    /// [`DEFAULT`](Self::DEFAULT): a device whose record is lost must not stay without updates.
    pub fn decode(bytes: &[u8]) -> Result<Self, PolicyError> {
        Self::read(bytes)
            .filter(|choices| choices.encode() == bytes)
            .ok_or(PolicyError::Record)
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<4>()?;
        let (sequence, rest) = rest.split_first_chunk()?;
        let (digest, rest) = rest.split_first_chunk()?;
        let (left, rest) = rest.split_first_chunk()?;
        let (postponed, _) = rest.split_first_chunk()?;
        let [_, mode, decided, _] = head;
        let manifest = ManifestId {
            sequence: SequenceNumber(u64::from_le_bytes(*sequence)),
            digest: *digest,
        };
        Some(Self {
            mode: match mode {
                0 => Mode::Automatic,
                1 => Mode::Ask,
                _ => return None,
            },
            manifest: (manifest != NONE).then_some(manifest),
            decided: match decided {
                0 => Decided::Nothing,
                1 => Decided::Install,
                2 => Decided::Postpone(Millis(u64::from_le_bytes(*left))),
                3 => Decided::Decline,
                _ => return None,
            },
            postponed: Millis(u64::from_le_bytes(*postponed)),
        })
    }

    /// What was decided about this update.
    pub fn decided(&self, manifest: ManifestId) -> Decided {
        if self.manifest == Some(manifest) {
            self.decided
        } else {
            Decided::Nothing
        }
    }

    pub(super) fn was_told(&self, manifest: ManifestId) -> bool {
        self.decided(manifest) != Decided::Nothing
    }

    /// An update is there. What was decided about another one does not count for it, but the time for
    /// which the owner has put off updates does: a stream of releases must not put them off for ever.
    pub(super) fn offer(&mut self, manifest: ManifestId) -> bool {
        if self.manifest == Some(manifest) {
            return false;
        }
        self.manifest = Some(manifest);
        self.decided = Decided::Nothing;
        true
    }

    pub(super) fn set(&mut self, manifest: ManifestId, decided: Decided) {
        self.manifest = Some(manifest);
        self.decided = decided;
    }

    /// Time has passed. True when it ended a postponement.
    pub(super) fn pass(&mut self, time: Millis) -> bool {
        let Decided::Postpone(left) = &mut self.decided else {
            return false;
        };
        *left = Millis(left.0.saturating_sub(time.0));
        let ended = left.0 == 0;
        if ended {
            self.decided = Decided::Nothing;
        }
        ended
    }

    /// How many parts of a postponement are left: each that has passed is stored.
    pub(super) const fn parts_left(&self) -> u64 {
        match self.decided {
            Decided::Postpone(left) => left.0.div_ceil(PART.0),
            _ => 0,
        }
    }

    /// When the next of them has passed, and no sooner where nothing is postponed.
    pub(super) const fn next_part(&self) -> Millis {
        match self.decided {
            Decided::Postpone(Millis(left)) if left > 0 => {
                let rest = left % PART.0;
                if rest == 0 { PART } else { Millis(rest) }
            }
            _ => Millis(u64::MAX),
        }
    }

    /// Nothing is put off any more.
    pub(super) fn done(&mut self) {
        self.manifest = None;
        self.decided = Decided::Nothing;
        self.postponed = Millis(0);
    }
}

/// So long a postponement runs on without being stored: a write an hour wears out no flash.
const PART: Millis = Millis::from_secs(60 * 60);
const VERSION: u8 = 1;
const NONE: ManifestId = ManifestId {
    sequence: SequenceNumber(0),
    digest: [0; 32],
};
