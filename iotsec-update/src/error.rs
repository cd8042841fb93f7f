//! Every reason for refusing an envelope, each with its stable number.

use iotsec_core::{
    cbor::CborError,
    cose::CoseError,
    crypto::CryptoError,
    error::{ErrorCode, Fault},
};

/// Why an envelope or its manifest was refused, or could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// The encoding is at fault, a map has an unknown key or misses one
    /// ([`CoseError::Encoding`] for all of these), the only authentication block is at fault, or signing failed.
    #[error(transparent)]
    Cose(#[from] CoseError),

    // The envelope and the limits.
    /// Not a tagged SUIT envelope.
    #[error("not a tagged SUIT envelope")]
    NotAnEnvelope,
    /// More bytes than [`Limits::envelope`](crate::Limits::envelope), integrated payloads aside.
    #[error("envelope too large")]
    EnvelopeSize,
    /// Integrated payloads exceed [`Limits::integrated`](crate::Limits::integrated).
    #[error("integrated payloads too large")]
    IntegratedSize,
    /// More authentication blocks than [`Limits::blocks`](crate::Limits::blocks).
    #[error("too many authentication blocks")]
    Blocks,
    /// More components than [`Limits::components`](crate::Limits::components).
    #[error("too many components")]
    Components,
    /// More commands than [`Limits::commands`](crate::Limits::commands).
    #[error("too many commands")]
    Commands,
    /// Sequences nested deeper than [`Limits::depth`](crate::Limits::depth).
    #[error("command sequences nested too deeply")]
    Depth,

    // Authentication.
    /// The trust anchors are unusable: a threshold of zero or above the number of keys, one key twice,
    /// or more keys than [`TrustAnchors::MAX`](crate::TrustAnchors::MAX).
    #[error("trust anchors unusable")]
    TrustAnchors,
    /// No authentication block.
    #[error("envelope is not signed")]
    Unsigned,
    /// Fewer distinct trusted keys signed than the threshold asks for.
    #[error("too few trusted signatures")]
    Threshold,
    /// The signed digest is that of another manifest.
    #[error("signed digest is of another manifest")]
    ManifestDigest,
    /// More signature checks than [`Limits::signature_checks`](crate::Limits::signature_checks).
    #[error("too many signature checks")]
    SignatureChecks,
    /// The only authentication block is not a COSE_Sign1, nor of another kind that the
    /// [`TrustAnchors`](crate::TrustAnchors) let in.
    #[error("kind of authentication block not supported")]
    Method,
    /// A check of the authentication that was passed does not hold a second time: the memory changed, or a
    /// fault was injected.
    #[error("authentication does not hold a second time")]
    Unproven,
    /// A digest that is not SHA-256 with all its 32 bytes.
    #[error("digest algorithm or length not accepted")]
    DigestAlgorithm,

    // The manifest as a whole.
    /// A manifest version other than 1.
    #[error("manifest version not supported")]
    Version,
    /// The sequence number is lower than the one installed.
    #[error("older than what is installed")]
    Rollback,
    /// The sequence number is the one installed, and the policy does not reinstall.
    #[error("already installed")]
    Installed,
    /// The sequence number is further ahead than the policy allows.
    #[error("sequence number too far ahead")]
    FastForward,
    /// Not the manifest that a fresh statement says is the latest.
    #[error("not the latest manifest")]
    NotLatest,
    /// The statement of what is latest knows of a later trust bundle. Rotate first, then ask again.
    #[error("trust bundle is behind")]
    TrustBehind,
    /// A component that this device does not have.
    #[error("component unknown to this device")]
    ComponentUnknown,
    /// The same component twice.
    #[error("component listed twice")]
    ComponentDuplicate,
    /// A component index out of range, absent where it is needed, or empty.
    #[error("component index out of range or missing")]
    ComponentIndex,
    /// A section that installs was severed and is not in the envelope. The manifest may still boot.
    #[error("severed section is absent")]
    ElementAbsent,
    /// A severed element is not the one that the manifest names.
    #[error("severed element does not match its digest")]
    ElementDigest,
    /// An element stands in the envelope although the manifest has it inline, or not at all: nothing
    /// authenticates it.
    #[error("envelope element is not authenticated by the manifest")]
    ElementUnauthenticated,
    /// An envelope element of a SUIT extension that is not supported.
    #[error("envelope element not supported")]
    ElementUnsupported,

    // Command sequences.
    /// An empty sequence, one with an odd number of items, or a malformed try-each.
    #[error("command sequence malformed")]
    Sequence,
    /// A command that is not supported.
    #[error("unknown command")]
    CommandUnknown,
    /// A parameter that is not supported.
    #[error("unknown parameter")]
    ParameterUnknown,
    /// A command with an effect that its section must not have.
    #[error("command not allowed in this section")]
    CommandMisplaced,
    /// A reporting policy with undefined bits.
    #[error("reporting policy malformed")]
    ReportingPolicy,
    /// Soft failure is set outside a try-each or run-sequence.
    #[error("soft failure set outside a nested sequence")]
    SoftFailure,
    /// A copy in a sequence that gives up strict order.
    #[error("copy without strict order")]
    StrictOrder,

    // Conditions that are not met.
    /// A parameter that a command needs is not set.
    #[error("parameter missing")]
    ParameterMissing,
    /// Made for another vendor.
    #[error("made for another vendor")]
    WrongVendor,
    /// Made for another class of device.
    #[error("made for another class of device")]
    WrongClass,
    /// Made for another device.
    #[error("made for another device")]
    WrongDevice,
    /// Made for another slot.
    #[error("made for another slot")]
    WrongSlot,
    /// The manifest has expired.
    #[error("manifest has expired")]
    Expired,
    /// The manifest has an expiry date and the device has no trusted time.
    #[error("manifest expires and there is no trusted time")]
    TimeUnknown,
    /// The manifest says to abort.
    #[error("aborted by the manifest")]
    Aborted,

    // Authentic, but unsafe.
    /// The shared sequence does not check vendor and class.
    #[error("vendor and class are not checked")]
    CompatibilityUnchecked,
    /// There is no validate section, or nothing in it is matched, or a component that is installed or
    /// started is not.
    #[error("component is not validated")]
    NotValidated,
    /// A failed content check would be passed over (soft failure, or another branch).
    #[error("content check can be passed over")]
    SoftMatch,
    /// Two checks of one component disagree on its digest or size.
    #[error("checks of one component disagree")]
    DigestConflict,
    /// A write that no digest check follows.
    #[error("write is not followed by a content check")]
    WriteUnverified,
    /// A component is written twice, after it was copied from, or after its content was checked.
    #[error("component written out of order")]
    WriteOrder,
    /// An alternative that fails after it wrote something.
    #[error("alternative fails after a write")]
    WriteInFailedAlternative,
    /// The image size is missing, zero for an image that is not empty, or not that of an integrated
    /// payload.
    #[error("image size missing or wrong")]
    ImageSize,
    /// The image is larger than the place for it.
    #[error("image larger than its place")]
    Capacity,
    /// The URI names an integrated payload that the envelope does not carry.
    #[error("integrated payload is absent")]
    PayloadAbsent,

    /// What the manifest says of the payload (encryption info, chunk digests, encoding) is malformed or
    /// contradicts itself, or belongs to a source that is not transported.
    #[error("description of the payload malformed")]
    Transport,

    // The encoder.
    /// The manifest to be written has no component, more than the limit, or one twice.
    #[error("nothing to encode, or more than the format carries")]
    Builder,
}

// One word with everything in it, so that every result with it travels in a register.
const _: () = assert!(size_of::<UpdateError>() == 4);

impl From<CborError> for UpdateError {
    fn from(error: CborError) -> Self {
        Self::Cose(error.into())
    }
}

impl From<CryptoError> for UpdateError {
    fn from(error: CryptoError) -> Self {
        Self::Cose(error.into())
    }
}

impl UpdateError {
    /// The number of a reason that has no other one in it.
    // Apart and out of line: so it is a table of numbers and not a branch for each.
    #[inline(never)]
    const fn number(&self) -> u16 {
        match self {
            Self::Cose(_) => 0,
            Self::NotAnEnvelope => 2001,
            Self::EnvelopeSize => 2002,
            Self::IntegratedSize => 2003,
            Self::Blocks => 2004,
            Self::Components => 2005,
            Self::Commands => 2006,
            Self::Depth => 2007,
            Self::TrustAnchors => 2020,
            Self::Unsigned => 2021,
            Self::Threshold => 2022,
            Self::ManifestDigest => 2023,
            Self::SignatureChecks => 2024,
            Self::DigestAlgorithm => 2025,
            Self::Method => 2026,
            Self::Unproven => 2100,
            Self::Version => 2040,
            Self::Rollback => 2041,
            Self::Installed => 2042,
            Self::FastForward => 2043,
            Self::NotLatest => 2140,
            Self::TrustBehind => 2141,
            Self::ComponentUnknown => 2044,
            Self::ComponentDuplicate => 2045,
            Self::ComponentIndex => 2046,
            Self::ElementAbsent => 2047,
            Self::ElementDigest => 2048,
            Self::ElementUnauthenticated => 2049,
            Self::ElementUnsupported => 2050,
            Self::Sequence => 2060,
            Self::CommandUnknown => 2061,
            Self::ParameterUnknown => 2062,
            Self::CommandMisplaced => 2063,
            Self::ReportingPolicy => 2064,
            Self::SoftFailure => 2065,
            Self::StrictOrder => 2066,
            Self::ParameterMissing => 2070,
            Self::WrongVendor => 2071,
            Self::WrongClass => 2072,
            Self::WrongDevice => 2073,
            Self::WrongSlot => 2074,
            Self::Expired => 2075,
            Self::TimeUnknown => 2076,
            Self::Aborted => 2077,
            Self::CompatibilityUnchecked => 2080,
            Self::NotValidated => 2081,
            Self::SoftMatch => 2082,
            Self::DigestConflict => 2083,
            Self::WriteUnverified => 2084,
            Self::WriteOrder => 2085,
            Self::WriteInFailedAlternative => 2086,
            Self::ImageSize => 2087,
            Self::Capacity => 2088,
            Self::PayloadAbsent => 2089,
            Self::Transport => 2090,
            Self::Builder => 2098,
        }
    }
}

impl ErrorCode for UpdateError {
    fn code(&self) -> u16 {
        match self {
            Self::Cose(error) => error.code(),
            _ => self.number(),
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Cose(error) => error.fault(),
            Self::TrustAnchors | Self::Builder => Fault::Misuse,
            Self::TimeUnknown | Self::Unproven => Fault::Device,
            _ => Fault::Input,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, string::ToString};

    use super::*;

    #[test]
    fn every_reason_has_a_number_of_its_own() {
        let source = include_str!("error.rs");
        let numbers = source
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => 2"))
            .map(|(_, digits)| digits.to_string());
        let numbers: std::vec::Vec<_> = numbers.collect();
        let distinct: BTreeSet<_> = numbers.iter().collect();
        assert_eq!(distinct.len(), numbers.len());
        assert_eq!(UpdateError::NotAnEnvelope.code(), 2001);
        assert_eq!(UpdateError::Builder.fault(), Fault::Misuse);
    }
}
