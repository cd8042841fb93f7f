//! Why an update was not installed.

use iotsec_core::{
    error::{ErrorCode, Fault},
    hal::FlashError,
};

use super::{LayoutError, RollbackError, State};
use crate::{payload::PayloadError, slot::SlotError};

/// Why an update was not installed, or a call was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// From the flash.
    #[error(transparent)]
    Flash(#[from] FlashError),
    /// From the manifest region of the staging slot.
    #[error(transparent)]
    Slot(#[from] SlotError),
    /// The layout does not fit the flash.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Refused by number, or the security counter failed.
    #[error(transparent)]
    Rollback(#[from] RollbackError),
    /// Not allowed in this state.
    #[error("not allowed in this state")]
    State(State),
    /// Another manifest is being installed; cancel it first.
    #[error("another update is being installed")]
    Busy,
    /// A component without a region in the slots, not exactly one that is started, or one that is to be loaded
    /// at every boot.
    #[error("components do not fit the slots")]
    Components,
    /// The payload does not become the image.
    #[error(transparent)]
    Payload(#[from] PayloadError),
    /// The image does not fit the slot.
    #[error("image larger than the slot")]
    ImageSize,
    /// An image of no bytes.
    #[error("image is empty")]
    ImageEmpty,
    /// The envelope does not fit the manifest region.
    #[error("envelope larger than the manifest region")]
    EnvelopeSize,
    /// More bytes were offered than the manifest says.
    #[error("payload longer than the manifest says")]
    PayloadLength,
    /// Bytes are missing.
    #[error("payload not complete")]
    Incomplete,
    /// The payload is not the one that was signed.
    #[error("payload digest does not match")]
    PayloadDigest,
    /// Flash holds other bytes than were written.
    #[error("staging slot does not hold what was written")]
    ReadBack,
    /// This manifest was tried and rejected before.
    #[error("rejected before")]
    AlreadyRejected,
    /// The application cancelled it.
    #[error("cancelled")]
    Cancelled,
    /// The application rejected it on trial.
    #[error("rejected on trial")]
    Rejected,
    /// It was not accepted within the trial boots.
    #[error("not accepted within the trial boots")]
    TrialExpired,
    /// The manifest was not seen to be signed and admitted: the core skipped an instruction.
    #[error("acceptance is not proven")]
    Unproven,
    /// The boot loader refused the staged image; the number is that of the
    /// [`Refusal`](crate::boot::Refusal).
    #[error("refused by the boot loader")]
    Refused(u16),
}

impl InstallError {
    /// The number that a boot loader notes, which has no use for the others.
    pub(crate) const TRIAL_EXPIRED: u16 = 2714;

    /// Whether it ends the update.
    pub(super) const fn is_final(self) -> bool {
        !matches!(
            self,
            Self::State(_) | Self::Incomplete | Self::Payload(PayloadError::ChunkDigest(_))
        )
    }
}

impl ErrorCode for InstallError {
    fn code(&self) -> u16 {
        match self {
            Self::Flash(error) => error.code(),
            Self::Slot(error) => error.code(),
            Self::Layout(error) => error.code(),
            Self::Rollback(error) => error.code(),
            Self::Payload(error) => error.code(),
            Self::Refused(code) => *code,
            Self::State(_) => 2701,
            Self::Busy => 2702,
            Self::Components => 2703,
            Self::ImageSize => 2704,
            Self::ImageEmpty => 2705,
            Self::EnvelopeSize => 2706,
            Self::PayloadLength => 2707,
            Self::Incomplete => 2708,
            Self::PayloadDigest => 2709,
            Self::ReadBack => 2710,
            Self::AlreadyRejected => 2711,
            Self::Cancelled => 2712,
            Self::Rejected => 2713,
            Self::TrialExpired => 2714,
            Self::Unproven => 2715,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Flash(error) => error.fault(),
            Self::Slot(error) => error.fault(),
            Self::Layout(error) => error.fault(),
            Self::Rollback(error) => error.fault(),
            Self::Payload(error) => error.fault(),
            Self::State(_) | Self::Busy | Self::Incomplete | Self::Cancelled => Fault::Misuse,
            Self::ReadBack | Self::Refused(_) | Self::Unproven => Fault::Device,
            Self::Components
            | Self::ImageSize
            | Self::ImageEmpty
            | Self::EnvelopeSize
            | Self::PayloadLength
            | Self::PayloadDigest
            | Self::AlreadyRejected
            | Self::Rejected
            | Self::TrialExpired => Fault::Input,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_that_a_boot_loader_notes_is_that_of_the_error() {
        assert_eq!(InstallError::TrialExpired.code(), InstallError::TRIAL_EXPIRED);
    }
}
