use rand_core::{CryptoRng, TryCryptoRng};
use spake2plus::{
    ConfirmP, Context, P256Sha256, ShareP, SharedKey, Verifier, VerifierConfirming, VerifierRecord,
};

use super::{
    super::{
        stretch::Scheme,
        throttle::{
            Authenticated, Permit, PhysicalPresence, Throttle, ThrottleError, ThrottlePolicy, ThrottleStatus,
            ThrottleStorage, Unlock,
        },
    },
    ANSWER_LEN, CONFIRM_LEN, ContextBytes, PairingError, PairingKeys, PairingNames, PairingRecord, SHARE_LEN,
    seeded::Seeded,
};
use crate::{crypto::Kdf, hal::Millis};

/// The device's side: open for a while, for 20 failures at most, and for one success.
///
/// The count stands in a record of its own ([`ThrottleStorage`]) and survives reboots; only somebody at the device
/// sets it back, by opening a window. The attempt is counted before the answer is computed, because the answer already
/// tells an attacker whether its code was right. After five failures there are delays, as [`Throttle`] has them, of one
/// minute at most.
///
/// # Power loss
/// A reboot closes the window. The count is as [`Throttle`] says: an attempt may be counted that never got an answer,
/// and never the other way round. Whoever was not told of a success pairs again.
///
/// ```
/// # use iotsec_core::credential::{StorageError, ThrottleStorage};
/// # let mut rng = iotsec_testkit::SimRng::new(1);
/// use iotsec_core::{
///     credential::{
///         PhysicalPresence, Throttle,
///         pairing::{Owner, PairingCode, PairingNames, PairingParameters, PairingRecord, PairingWindow},
///     },
///     crypto::HkdfSha256,
///     hal::Millis,
/// };
///
/// # #[derive(Default)]
/// # struct Memory(Option<[u8; Throttle::LEN]>);
/// # impl ThrottleStorage for Memory {
/// #     fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
/// #         Ok(self.0.map(|kept| { *record = kept; kept.len() }))
/// #     }
/// #     fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
/// #         self.0 = Some(*record);
/// #         Ok(())
/// #     }
/// # }
/// # struct Button;
/// # impl PhysicalPresence for Button { fn is_asserted(&mut self) -> bool { true } }
/// # let mut storage = Memory::default();
/// let kdf = HkdfSha256;
/// let code = PairingCode::parse("2020-2021")?;
/// let names = PairingNames::new(b"phone-7", b"LAMP-0042")?;
/// let parameters = PairingParameters::generate(1000, &mut rng)?;
/// let record = PairingRecord::register(&code, b"LAMP-0042", &parameters, &kdf)?;
/// Throttle::initialise(&mut storage)?;
///
/// // Somebody presses the button.
/// let now = Millis::from_secs(60);
/// let mut window = PairingWindow::by_presence(&mut storage, &mut Button, now, PairingWindow::LONGEST)?;
/// // The phone, the device, the phone, the device.
/// let owner = Owner::new(&code, names, record.parameters(), &kdf)?;
/// let (owner, share) = owner.start(&mut rng, &kdf)?;
/// let (device, answer) = window.answer(&mut storage, now, &record, names, &share, &mut rng, &kdf)?;
/// let (confirm, owner_keys) = owner.finish(&answer, &kdf)?;
/// let (proof, device_keys) = window.finish(&mut storage, now, device, &confirm, &kdf)?;
///
/// assert!(owner_keys.exporter().ct_eq(device_keys.exporter()));
/// assert!(!window.is_open(now));
/// # let _ = proof;
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PairingWindow {
    throttle: Throttle,
    opened: Millis,
    length: Millis,
    open: bool,
}

impl PairingWindow {
    /// Longest time that a window is open, 15 minutes.
    pub const LONGEST: Millis = Millis::from_secs(900);
    /// Failures after which no more attempts are taken, as Matter has it (core specification §5.1.6).
    pub const FAILURES: u8 = 20;

    /// Opens a window because somebody is at the device, and sets the count back to zero.
    ///
    /// # Errors
    /// [`PairingError::Closed`] when nobody is; [`PairingError::WindowLength`]; storage errors.
    pub fn by_presence<S: ThrottleStorage + ?Sized>(
        storage: &mut S,
        presence: &mut dyn PhysicalPresence,
        now: Millis,
        length: Millis,
    ) -> Result<Self, PairingError> {
        let mut window = Self::new(now, length)?;
        let unlock = Unlock::by_presence(presence).ok_or(PairingError::Closed)?;
        window.throttle.release(storage, unlock)?;
        Ok(window)
    }

    /// Opens a window after power-on of a device that has no owner yet. The count stays what it is: switching the
    /// device off and on gives nobody more attempts.
    ///
    /// # Errors
    /// [`PairingError::WindowLength`].
    pub fn without_owner(now: Millis, length: Millis) -> Result<Self, PairingError> {
        Self::new(now, length)
    }

    fn new(now: Millis, length: Millis) -> Result<Self, PairingError> {
        if length > Self::LONGEST {
            return Err(PairingError::WindowLength);
        }
        let policy = ThrottlePolicy::new(Self::FAILURES, Millis::from_secs(60))?;
        Ok(Self {
            throttle: Throttle::new(policy),
            opened: now,
            length,
            open: true,
        })
    }

    /// Whether an attempt would be taken now, as far as the time goes.
    pub fn is_open(&self, now: Millis) -> bool {
        self.open && now >= self.opened && now.since(self.opened) < self.length
    }

    /// Closes the window for good.
    pub const fn close(&mut self) {
        self.open = false;
    }

    /// What the next attempt would meet.
    ///
    /// # Errors
    /// As [`Throttle::status`].
    pub fn status<S: ThrottleStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        now: Millis,
    ) -> Result<ThrottleStatus, PairingError> {
        Ok(self.throttle.status(storage, now)?)
    }

    /// Takes the owner's share, counts the attempt, and answers.
    ///
    /// # Errors
    /// [`PairingError::Closed`]; [`PairingError::Message`] for a share that is no point, which costs no attempt;
    /// [`PairingError::Throttle`] after too many attempts, at which the window closes, or too soon after one, or when
    /// the count could not be kept; [`PairingError::Crypto`].
    // Storage, time, key, names, message, randomness, algorithm: everything comes in through arguments.
    #[allow(
        clippy::too_many_arguments,
        reason = "there is no clock, storage or randomness to reach for"
    )]
    pub fn answer<'a, S: ThrottleStorage + ?Sized, R: TryCryptoRng + ?Sized>(
        &mut self,
        storage: &mut S,
        now: Millis,
        record: &PairingRecord,
        names: PairingNames<'a>,
        share: &[u8; SHARE_LEN],
        rng: &mut R,
        kdf: &dyn Kdf,
    ) -> Result<(DeviceWaiting<'a>, [u8; ANSWER_LEN]), PairingError> {
        if !self.is_open(now) {
            self.close();
            return Err(PairingError::Closed);
        }
        let share = ShareP::from_bytes(share).map_err(|_| PairingError::Message)?;
        let mut seeded = Seeded::new(rng, kdf)?;
        let permit = self.throttle.begin(storage, now).inspect_err(|error| {
            if *error == ThrottleError::Locked {
                self.open = false;
            }
        })?;
        let context = ContextBytes::new(record.parameters());
        let answered = answer(record.verifier(), &context.with(&names), &share, &mut seeded);
        seeded.check()?;
        let (confirming, answer) = answered?;
        let waiting = DeviceWaiting {
            permit,
            names,
            confirming,
        };
        Ok((waiting, answer))
    }

    /// Takes the owner's confirmation. After it the window is closed, the count is back at zero, and whoever holds the
    /// keys is the one who knows the code.
    ///
    /// # Errors
    /// [`PairingError::Refused`] when the owner does not know the code; [`PairingError::Closed`]; storage errors, after
    /// which nobody is let in.
    pub fn finish<S: ThrottleStorage + ?Sized>(
        &mut self,
        storage: &mut S,
        now: Millis,
        waiting: DeviceWaiting<'_>,
        confirm: &[u8; CONFIRM_LEN],
        kdf: &dyn Kdf,
    ) -> Result<(Authenticated, PairingKeys), PairingError> {
        if !self.is_open(now) {
            self.close();
            return Err(PairingError::Closed);
        }
        let DeviceWaiting {
            permit,
            names,
            confirming,
        } = waiting;
        let shared = conclude(confirming, confirm)?;
        let keys = PairingKeys::derive(&shared, &names, kdf)?;
        let matched = permit.matched(Scheme::Generated);
        let proof = self.throttle.succeed(storage, matched)?;
        self.close();
        Ok((proof, keys))
    }
}

crate::claim! {
    provisions: ["5.1-5"],
    claims: "A set-up code survives twenty failures across windows and reboots, each counted before it is answered",
    code: [PairingWindow::answer],
    tests: [
        "iotsec-core::iotsec_core::credential::pairing::tests::twenty_failures_are_all_there_are_across_windows_and_reboots",
        "iotsec-core::iotsec_core::credential::pairing::tests::the_attempt_is_counted_before_it_is_answered_and_not_answered_when_it_cannot_be",
    ],
}

crate::claim! {
    provisions: ["5.1-3"],
    claims: "Owner and device prove a set-up code to each other with SPAKE2+ as RFC 9383 has it, and a window pairs once",
    code: [PairingWindow::finish],
    tests: [
        "iotsec-core::iotsec_core::credential::pairing::tests::both_roles_say_what_rfc_9383_says",
        "iotsec-core::iotsec_core::credential::pairing::tests::the_right_code_pairs_once_and_closes_the_window",
    ],
}

/// The device's side, after its answer went out. The attempt is counted as a failure until it is finished.
#[must_use = "the attempt is already counted as a failure"]
pub struct DeviceWaiting<'a> {
    permit: Permit,
    names: PairingNames<'a>,
    confirming: VerifierConfirming<P256Sha256>,
}

pub(super) fn answer<R: CryptoRng>(
    record: &VerifierRecord<P256Sha256>,
    context: &Context<'_>,
    share: &ShareP<P256Sha256>,
    rng: &mut R,
) -> Result<(VerifierConfirming<P256Sha256>, [u8; ANSWER_LEN]), PairingError> {
    let (verifier, share_v) = Verifier::start(record, context, rng);
    // A share that cancels the mask out.
    let (confirming, confirm) = verifier.receive(share).map_err(|_| PairingError::Message)?;
    let mut answer = [0; ANSWER_LEN];
    let source = share_v.as_bytes().iter().chain(confirm.as_bytes());
    for (to, from) in answer.iter_mut().zip(source) {
        *to = *from;
    }
    Ok((confirming, answer))
}

pub(super) fn conclude(
    confirming: VerifierConfirming<P256Sha256>,
    confirm: &[u8; CONFIRM_LEN],
) -> Result<SharedKey<P256Sha256>, PairingError> {
    let confirm = ConfirmP::from_bytes(confirm).map_err(|_| PairingError::Message)?;
    confirming.finish(&confirm).map_err(|_| PairingError::Refused)
}

impl core::fmt::Debug for DeviceWaiting<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("DeviceWaiting")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
