use iotsec_core::{
    attest::AttestError,
    credential::{LoginError, PasswordError, ThrottleError, VerifierError},
    crypto::CryptoError,
    error::{ErrorCode, Fault},
    hal::{CounterError, RootKeyError},
    identity::RotationError,
};
use iotsec_store::StoreError;
use iotsec_telemetry::error::{
    BatchError, ConsentError, DeletionError, LedgerError, NoiseError, RecordError, SnapshotError, SpoolError,
    TrailError,
};
use iotsec_update::{UpdateError, boot::Refusal, install::InstallError, rollback::RollbackError};

use crate::erase::ReceiptError;

/// Why a step of the device's life failed. Wraps the errors of the parts, with their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeviceError {
    /// The life cycle record is missing or not one that this firmware knows. The device does nothing
    /// rather than guess.
    #[error("life cycle state unknown")]
    State,
    /// Not a serial number: see [`DeviceSerial`](iotsec_core::input::DeviceSerial).
    #[error("not a serial number")]
    Serial,
    /// A record of the life cycle itself is missing or malformed.
    #[error("device record damaged")]
    Damaged,
    /// The key is reserved for the life cycle.
    #[error("key is reserved")]
    Reserved,
    /// The boot counter is used up.
    #[error("boot counter used up")]
    Boots,
    /// There is no erasure that a receipt could be given for.
    #[error("nothing was erased")]
    NotErased,
    /// The namespace is in no place of the device's inventory.
    #[error("namespace is not registered")]
    Unregistered,
    /// The device was provisioned without a set-up code, or the code is gone with an owner before.
    #[error("no set-up code to pair with")]
    NoSetupCode,
    /// No deletion waits to be acknowledged by the service.
    #[error("no deletion waits")]
    NotAsked,
    /// The service may still have data of this device's that it was not asked to delete, or did not say that it did.
    #[error("deletion at the service not acknowledged")]
    Unacknowledged,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The login.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The throttle, at set-up.
    #[error(transparent)]
    Throttle(#[from] ThrottleError),
    /// A chosen password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// A stored verifier.
    #[error(transparent)]
    Verifier(#[from] VerifierError),
    /// Cryptography or entropy.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The root key.
    #[error(transparent)]
    RootKey(#[from] RootKeyError),
    /// The monotonic counter.
    #[error(transparent)]
    Counter(#[from] CounterError),
    /// An update envelope.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// An installation.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The rollback protection.
    #[error(transparent)]
    Rollback(#[from] RollbackError),
    /// The running image.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// An event.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// The ledger of the privacy budget.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// An answer in noise.
    #[error(transparent)]
    Noise(#[from] NoiseError),
    /// A consent.
    #[error(transparent)]
    Consent(#[from] ConsentError),
    /// The queue's snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The queue in flash.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// A deletion receipt.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// An identifier, or a request to the service.
    #[error(transparent)]
    Trail(#[from] TrailError),
    /// The service's receipt.
    #[error(transparent)]
    ServiceReceipt(#[from] DeletionError),
    /// The identity.
    #[error(transparent)]
    Rotation(#[from] RotationError),
    /// An attestation token.
    #[error(transparent)]
    Attest(#[from] AttestError),
    /// A pairing.
    #[cfg(feature = "pairing")]
    #[error(transparent)]
    Pairing(#[from] iotsec_core::credential::pairing::PairingError),
}

/// What the error itself says, or the part's own error that it wraps. Not through `dyn ErrorCode`: whoever asks for the
/// numbers alone would link what every part says about faults too.
macro_rules! ask {
    ($error:ident, $question:ident, { $($own:tt)* }) => {
        match $error {
            $($own)*
            Self::Store(error) => error.$question(),
            Self::Login(error) => error.$question(),
            Self::Throttle(error) => error.$question(),
            Self::Password(error) => error.$question(),
            Self::Verifier(error) => error.$question(),
            Self::Crypto(error) => error.$question(),
            Self::RootKey(error) => error.$question(),
            Self::Counter(error) => error.$question(),
            Self::Update(error) => error.$question(),
            Self::Install(error) => error.$question(),
            Self::Rollback(error) => error.$question(),
            Self::Refusal(error) => error.$question(),
            Self::Record(error) => error.$question(),
            Self::Batch(error) => error.$question(),
            Self::Ledger(error) => error.$question(),
            Self::Noise(error) => error.$question(),
            Self::Consent(error) => error.$question(),
            Self::Snapshot(error) => error.$question(),
            Self::Spool(error) => error.$question(),
            Self::Receipt(error) => error.$question(),
            Self::Trail(error) => error.$question(),
            Self::ServiceReceipt(error) => error.$question(),
            Self::Rotation(error) => error.$question(),
            Self::Attest(error) => error.$question(),
            #[cfg(feature = "pairing")]
            Self::Pairing(error) => error.$question(),
        }
    };
}

impl ErrorCode for DeviceError {
    fn code(&self) -> u16 {
        ask!(self, code, {
            Self::State => 6001,
            Self::Serial => 6002,
            Self::Damaged => 6003,
            Self::Reserved => 6004,
            Self::Boots => 6005,
            Self::NotErased => 6006,
            Self::Unregistered => 6007,
            Self::NoSetupCode => 6008,
            Self::NotAsked => 6009,
            Self::Unacknowledged => 6010,
        })
    }

    fn fault(&self) -> Fault {
        ask!(self, fault, {
            Self::Serial
            | Self::Reserved
            | Self::NotErased
            | Self::Unregistered
            | Self::NoSetupCode
            | Self::NotAsked
            | Self::Unacknowledged => Fault::Misuse,
            Self::State | Self::Damaged | Self::Boots => Fault::Device,
        })
    }
}
