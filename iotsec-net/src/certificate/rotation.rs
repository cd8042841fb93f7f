//! Trust anchors that replace each other, and none that goes before another one has carried a connection.

mod error;
mod record;
mod storage;

use iotsec_core::crypto::DIGEST_LEN;

pub use error::AnchorRotationError;
use record::Record;
pub use storage::AnchorStorage;

/// Which anchors a device believes while its trust bundle changes them.
///
/// Anchors come with a trust bundle, and go when a later bundle leaves them out. If the new ones are wrong, or the
/// servers are not ready, a device that let go of the old one would never be reached again. So an anchor is *rehearsed*:
/// it counts as proved once a connection that it verified has been made. While no anchor of the bundle is proved, the
/// one that was proved last stays, whatever the bundle says:
///
/// ```text
///            a connection under an anchor of the bundle           a bundle without any that is proved
/// Unproved ──────────────────────────────────────────► Settled ◄─────────────────────────────────────► Rehearsing
///                                                                    a connection under a new anchor
/// ```
///
/// A bundle that keeps an anchor that was proved lets go of the others at once. So a maker who always publishes two, the
/// present and the next, and lets the servers use both in turn, can drop a stolen one without delay. Where nothing else
/// was proved, [`forget`](Self::forget) drops it, and the application decides what that costs.
///
/// *Power loss:* the record is the old or the new one. Before the new one is stored, the old anchor is believed.
///
/// ```
/// use iotsec_core::credential::StorageError;
/// use iotsec_net::certificate::{AnchorRotation, AnchorRotationError, AnchorStorage, Phase, algorithm::sha256};
///
/// # #[derive(Default)]
/// # struct Memory(Option<Vec<u8>>);
/// # impl AnchorStorage for Memory {
/// #     fn load(&mut self, record: &mut [u8; AnchorRotation::MAX_LEN]) -> Result<Option<usize>, StorageError> {
/// #         let Some(stored) = &self.0 else { return Ok(None) };
/// #         record[..stored.len()].copy_from_slice(stored);
/// #         Ok(Some(stored.len()))
/// #     }
/// #     fn save(&mut self, record: &[u8]) -> Result<(), StorageError> {
/// #         self.0 = Some(record.to_vec());
/// #         Ok(())
/// #     }
/// # }
/// # let mut storage = Memory::default();
/// let (old, new): (&[u8], &[u8]) = (b"the old certificate", b"the new certificate");
/// let mut rotation = AnchorRotation::load(sha256, &mut storage)?;
/// assert_eq!(rotation.adopt(&[old], &mut storage)?, Phase::Unproved);
/// assert_eq!(rotation.connected(old, &[old], &mut storage)?, Phase::Settled);
/// // The next bundle has another anchor. The old one is believed until the new one was of use.
/// assert_eq!(rotation.adopt(&[new], &mut storage)?, Phase::Rehearsing);
/// assert_eq!(rotation.retained(&[new]), Some(old));
/// assert_eq!(rotation.connected(new, &[new], &mut storage)?, Phase::Settled);
/// assert_eq!(rotation.retained(&[new]), None);
/// # Ok::<(), AnchorRotationError>(())
/// ```
#[derive(Clone, Debug)]
pub struct AnchorRotation {
    record: Record,
    digest: fn(&[u8]) -> [u8; DIGEST_LEN],
}

/// How far a change of anchors has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// No connection was ever made.
    Unproved,
    /// An anchor of the bundle was of use.
    Settled,
    /// The old anchor stays, as none of the bundle was of use yet.
    Rehearsing,
}

impl AnchorRotation {
    /// Bytes of an anchor, as in a trust bundle.
    pub const MAX_ANCHOR_LEN: usize = 1024;
    /// Anchors of a bundle.
    pub const MAX_ANCHORS: usize = 8;
    /// Bytes of a record: version, count of proved anchors and the SHA-256 of each, and the certificate of the one that
    /// was proved last, after its length in two bytes, big-endian.
    pub const MAX_LEN: usize = Record::MAX_LEN;

    /// Goes on from what is stored. `digest` is SHA-256.
    ///
    /// # Errors
    /// [`AnchorRotationError::Record`] for a record that does not read; [`AnchorRotationError::Storage`].
    pub fn load(
        digest: fn(&[u8]) -> [u8; DIGEST_LEN],
        storage: &mut dyn AnchorStorage,
    ) -> Result<Self, AnchorRotationError> {
        let mut bytes = [0; Self::MAX_LEN];
        let record = match storage.load(&mut bytes)? {
            Some(len) => {
                let stored = bytes.get(..len).ok_or(AnchorRotationError::Record)?;
                Record::read(stored).ok_or(AnchorRotationError::Record)?
            }
            None => Record::EMPTY,
        };
        Ok(Self { record, digest })
    }

    /// Takes the anchors of the trust bundle that is in force: at every start, and whenever it changed. With the same
    /// ones it changes nothing.
    ///
    /// # Errors
    /// [`AnchorRotationError::Anchors`] for none or more than [`MAX_ANCHORS`](Self::MAX_ANCHORS), or one of a wrong
    /// length; [`AnchorRotationError::Storage`], and nothing has changed.
    pub fn adopt(
        &mut self,
        bundle: &[&[u8]],
        storage: &mut dyn AnchorStorage,
    ) -> Result<Phase, AnchorRotationError> {
        check(bundle)?;
        let mut next = self.record.clone();
        next.keep(|proved| bundle.iter().any(|anchor| (self.digest)(anchor) == *proved));
        // An anchor that comes back was proved before.
        let last = (self.digest)(next.last());
        if bundle.contains(&next.last()) && !next.contains(&last) {
            next.add(last);
        }
        // What is proved and stays takes the place of what was proved last and goes.
        let stays = |anchor: &&&[u8]| next.contains(&(self.digest)(anchor));
        if let (Some(proved), false) = (bundle.iter().find(stays).copied(), bundle.contains(&next.last())) {
            next.set_last(proved);
        }
        self.replace(next, storage)?;
        Ok(self.phase(bundle))
    }

    /// Notes that a connection was made, its handshake finished, under this anchor: one of the bundle, or the old one.
    /// The token [`VerifiedServer`](super::VerifiedServer) says which anchor it was.
    ///
    /// # Errors
    /// As [`adopt`](Self::adopt).
    pub fn connected(
        &mut self,
        anchor: &[u8],
        bundle: &[&[u8]],
        storage: &mut dyn AnchorStorage,
    ) -> Result<Phase, AnchorRotationError> {
        check(bundle)?;
        let digest = (self.digest)(anchor);
        if bundle.contains(&anchor) && !self.record.contains(&digest) {
            let mut next = self.record.clone();
            next.keep(|proved| bundle.iter().any(|anchor| (self.digest)(anchor) == *proved));
            next.add(digest);
            next.set_last(anchor);
            self.replace(next, storage)?;
        }
        Ok(self.phase(bundle))
    }

    /// Drops the old anchor though no other is proved, as when its key was stolen. If the anchors of the bundle are
    /// wrong, the device cannot be reached any more.
    ///
    /// # Errors
    /// [`AnchorRotationError::Storage`], and nothing has changed.
    pub fn forget(&mut self, storage: &mut dyn AnchorStorage) -> Result<(), AnchorRotationError> {
        self.replace(Record::EMPTY, storage)
    }

    /// How far it has come under the bundle that was adopted.
    pub fn phase(&self, bundle: &[&[u8]]) -> Phase {
        let is_proved = |anchor: &&[u8]| self.record.contains(&(self.digest)(anchor));
        match (self.record.last().is_empty(), bundle.iter().any(is_proved)) {
            (true, _) => Phase::Unproved,
            (false, true) => Phase::Settled,
            (false, false) => Phase::Rehearsing,
        }
    }

    /// The certificate of the old anchor, to be believed besides those of the bundle while they are rehearsed.
    pub fn retained(&self, bundle: &[&[u8]]) -> Option<&[u8]> {
        (self.phase(bundle) == Phase::Rehearsing).then_some(self.record.last())
    }

    fn replace(&mut self, next: Record, storage: &mut dyn AnchorStorage) -> Result<(), AnchorRotationError> {
        if next != self.record {
            let mut bytes = [0; Self::MAX_LEN];
            storage.save(next.write(&mut bytes))?;
            self.record = next;
        }
        Ok(())
    }
}

fn check(bundle: &[&[u8]]) -> Result<(), AnchorRotationError> {
    let is_wrong = |anchor: &&[u8]| anchor.is_empty() || anchor.len() > AnchorRotation::MAX_ANCHOR_LEN;
    if bundle.is_empty() || bundle.len() > AnchorRotation::MAX_ANCHORS || bundle.iter().any(is_wrong) {
        return Err(AnchorRotationError::Anchors);
    }
    Ok(())
}
