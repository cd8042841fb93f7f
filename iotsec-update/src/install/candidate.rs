//! What the last steps of an update leave.

use super::ManifestId;

/// What a call of [`finish`](super::Updater::finish) came to.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub enum Finish {
    /// Call again.
    More,
    /// The image in the staging slot is complete and is the one that was signed.
    Done(Candidate),
}

/// An image that was read back from its slot and found to be the one that was signed. Only
/// [`finish`](super::Updater::finish) makes one; [`install`](super::Updater::install) takes it, once:
///
/// ```compile_fail,E0382
/// use iotsec_core::crypto::Sha256;
/// use iotsec_testkit::SimFlash;
/// use iotsec_update::{Updater, install::Candidate};
///
/// fn twice(updater: &mut Updater<Sha256>, flash: &mut SimFlash, candidate: Candidate) {
///     let _ = updater.install(flash, candidate);
///     let _ = updater.install(flash, candidate);
/// }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Candidate {
    pub(super) manifest: ManifestId,
}

impl Candidate {
    /// Its manifest.
    pub const fn manifest(&self) -> ManifestId {
        self.manifest
    }
}

/// What a call of [`clean`](super::Updater::clean) came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Clean {
    /// Call again.
    More,
    /// `Ready`.
    Done,
}
