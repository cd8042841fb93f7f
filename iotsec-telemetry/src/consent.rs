//! The owner's consent, one purpose at a time.
//!
//! Everything is off until it is turned on. A record that is missing, unreadable or not exactly as
//! written counts as off. Withdrawal takes effect in memory first and in storage second, and the queue
//! forgets what it holds for the purpose. What was sent before is the service's to delete: the request lies in
//! storage since the first [identifier](crate::pseudonym) for the purpose, and the record of the withdrawal makes it
//! due.

use core::marker::PhantomData;

use iotsec_core::{
    error::{ErrorCode, Fault},
    hal::UnixTime,
};

use crate::{
    error::{ConsentError, StorageError},
    queue::Queue,
    registry::Purpose,
};

mod record;

pub(crate) use record::crc32;

/// Bytes of the stored record (`FORMAT.md`, "Consent record").
pub const CONSENT_RECORD_LEN: usize = record::LEN;

/// A purpose that needs consent: [`Health`] or [`Usage`].
pub trait ConsentPurpose: sealed::Sealed {
    /// The purpose.
    const PURPOSE: Purpose;
}

/// [`Purpose::Health`] as a type.
pub enum Health {}
/// [`Purpose::Usage`] as a type.
pub enum Usage {}

impl ConsentPurpose for Health {
    const PURPOSE: Purpose = Purpose::Health;
}
impl ConsentPurpose for Usage {
    const PURPOSE: Purpose = Purpose::Usage;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Health {}
    impl Sealed for super::Usage {}
}

/// Where the record is kept; one record, replaced as a whole.
///
/// *Power loss:* an interrupted [`store`](Self::store) leaves the old record, the new one, or one that
/// [`load`](Self::load) reports as missing. The record carries a checksum against decay, not against an
/// attacker who writes the storage: use a store that authenticates.
pub trait ConsentStorage {
    /// Reads the record; `false` when there is none.
    ///
    /// # Errors
    /// [`StorageError`], which counts as off.
    fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError>;
    /// Replaces the record, and returns only once it would survive a power cut.
    ///
    /// # Errors
    /// [`StorageError`].
    fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError>;
}

iotsec_core::claim! {
    provisions: ["6-2"],
    claims: "Every purpose is off until its owner agrees; a record that is missing or damaged is off",
    code: [Consents::load],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::consent::tests::a_missing_record_is_off",
        "iotsec-telemetry::iotsec_telemetry::consent::tests::every_flipped_bit_and_every_flipped_pair_is_off",
    ],
}

iotsec_core::claim! {
    provisions: ["6-2", "6-3B"],
    claims: "A consent is kept with the version of the text that was agreed to and its time; one that cannot be stored is none",
    code: [Consents::grant],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::consent::tests::an_answer_is_kept_with_its_text_and_time",
        "iotsec-telemetry::iotsec_telemetry::consent::tests::a_grant_that_is_not_stored_is_no_grant",
    ],
}

iotsec_core::claim! {
    provisions: ["6-3A", "6-3B"],
    claims: "A consent is withdrawn for one purpose and no other, and even where that cannot be stored",
    code: [Consents::withdraw],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::consent::tests::withdrawing_one_purpose_leaves_the_other",
        "iotsec-telemetry::iotsec_telemetry::consent::tests::a_withdrawal_that_is_not_stored_is_off_and_says_so",
    ],
}

impl StorageError {
    /// Keeps the number and the party of the storage's own error.
    pub fn new(error: &dyn ErrorCode) -> Self {
        Self::from_parts(error.code(), error.fault())
    }

    /// For a storage whose errors have no numbers here.
    pub const fn unspecified() -> Self {
        Self::from_parts(4203, Fault::Device)
    }
}

/// What an owner has said about one purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Consent {
    pub(crate) answer: Answer,
    pub(crate) generation: u32,
    pub(crate) text_version: u32,
    pub(crate) at: Option<UnixTime>,
}

impl Consent {
    /// The answer.
    pub const fn answer(&self) -> Answer {
        self.answer
    }

    /// The version of the text that the owner agreed to; zero before that.
    pub const fn text_version(&self) -> u32 {
        self.text_version
    }

    /// When the answer was given; `None` if the device had no time, or there is no answer.
    pub const fn at(&self) -> Option<UnixTime> {
        self.at
    }

    fn is_granted(&self) -> bool {
        self.answer == Answer::Granted
    }
}

/// An owner's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Answer {
    /// None yet, which is off.
    #[default]
    None,
    /// On.
    Granted,
    /// Off, by declining or withdrawing.
    Withdrawn,
}

/// What was found in storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    /// A valid record.
    Record,
    /// None: nobody has answered yet.
    Missing,
    /// A record that is not exactly as written, or could not be read: everything is off.
    Refused,
}

/// The owner's answers to all purposes.
///
/// ```
/// use iotsec_core::hal::UnixTime;
/// use iotsec_telemetry::{consent::*, error::StorageError};
///
/// #[derive(Default)]
/// struct Ram(Option<[u8; CONSENT_RECORD_LEN]>);
/// impl ConsentStorage for Ram {
///     fn load(&mut self, record: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> {
///         if let Some(stored) = self.0 { *record = stored; }
///         Ok(self.0.is_some())
///     }
///     fn store(&mut self, record: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> {
///         self.0 = Some(*record);
///         Ok(())
///     }
/// }
///
/// let mut storage = Ram::default();
/// let mut consents = Consents::load(&mut storage);
/// assert!(consents.live::<Usage>().is_none());
///
/// consents.grant::<Usage>(3, Some(UnixTime(1_800_000_000)), &mut storage)?;
/// assert!(Consents::load(&mut storage).live::<Usage>().is_some());
/// assert!(consents.live::<Health>().is_none());
/// # Ok::<(), iotsec_telemetry::error::ConsentError>(())
/// ```
#[derive(Debug)]
pub struct Consents {
    health: Consent,
    usage: Consent,
    loaded: Loaded,
}

impl Consents {
    /// Nothing granted, nothing stored.
    pub fn off() -> Self {
        Self {
            health: Consent::default(),
            usage: Consent::default(),
            loaded: Loaded::Missing,
        }
    }

    /// Reads the record; anything but a valid one is off.
    pub fn load(storage: &mut dyn ConsentStorage) -> Self {
        let mut bytes = [0; CONSENT_RECORD_LEN];
        let mut consents = Self::off();
        match storage.load(&mut bytes) {
            Ok(false) => {}
            Ok(true) => match record::decode(&bytes) {
                Some([health, usage]) => {
                    consents = Self {
                        health,
                        usage,
                        loaded: Loaded::Record,
                    };
                }
                None => consents.loaded = Loaded::Refused,
            },
            Err(_) => consents.loaded = Loaded::Refused,
        }
        consents
    }

    /// What was found in storage.
    pub const fn loaded(&self) -> Loaded {
        self.loaded
    }

    /// The owner's answer to `P`.
    pub fn answer<P: ConsentPurpose>(&self) -> &Consent {
        match P::PURPOSE {
            Purpose::Usage => &self.usage,
            _ => &self.health,
        }
    }

    /// Proof that `P` is on. It borrows, so it cannot outlive a withdrawal.
    ///
    /// ```compile_fail
    /// # use iotsec_telemetry::{consent::*, queue::Queue};
    /// # fn f(consents: &mut Consents, queue: &mut Queue<8>, storage: &mut dyn ConsentStorage) {
    /// let token = consents.live::<Usage>().unwrap();
    /// consents.withdraw::<Usage, 8>(None, queue, storage).unwrap();
    /// drop(token);
    /// # }
    /// ```
    pub fn live<P: ConsentPurpose>(&self) -> Option<Consented<'_, P>> {
        self.answer::<P>().is_granted().then_some(Consented {
            consents: PhantomData,
            purpose: PhantomData,
        })
    }

    /// Turns `P` on, once the owner has agreed to version `text_version` of the text.
    ///
    /// *Power loss:* before the record is stored, `P` stays off.
    ///
    /// # Errors
    /// [`ConsentError::Storage`], and `P` stays as it was.
    pub fn grant<P: ConsentPurpose>(
        &mut self,
        text_version: u32,
        at: Option<UnixTime>,
        storage: &mut dyn ConsentStorage,
    ) -> Result<(), ConsentError> {
        let consent = Consent {
            answer: Answer::Granted,
            generation: self.next_generation::<P>(),
            text_version,
            at,
        };
        let mut changed = [self.health, self.usage];
        *place::<P>(&mut changed) = consent;
        storage.store(&record::encode(&changed))?;
        [self.health, self.usage] = changed;
        self.loaded = Loaded::Record;
        Ok(())
    }

    /// Turns `P` off, and makes the queue forget what it holds for it. Also how a refusal is kept. What was sent under
    /// a [pseudonym](crate::pseudonym) is due for deletion from here on:
    /// [`Trails::due`](crate::pseudonym::Trails::due).
    ///
    /// What was copied out of the queue before is the caller's to drop: bytes of a batch, and a stored
    /// snapshot, which is to be replaced.
    ///
    /// *Power loss:* before the record is stored, `P` is on again after the next boot: repeat until this
    /// succeeds, and only then tell the owner.
    ///
    /// # Errors
    /// [`ConsentError::Storage`]. `P` is off and the queue purged until the next boot all the same.
    ///
    /// ```
    /// # use iotsec_core::crypto::Sha256;
    /// # use iotsec_telemetry::{consent::*, detect::BOOT_LOOP, error::*, queue::Queue, registry};
    /// # registry!(static PRODUCT = [BOOT_LOOP]);
    /// # struct Flash;
    /// # impl ConsentStorage for Flash {
    /// #     fn load(&mut self, _: &mut [u8; CONSENT_RECORD_LEN]) -> Result<bool, StorageError> { Ok(false) }
    /// #     fn store(&mut self, _: &[u8; CONSENT_RECORD_LEN]) -> Result<(), StorageError> { Ok(()) }
    /// # }
    /// # let (mut storage, mut queue) = (Flash, Queue::new(PRODUCT.hashed(&mut Sha256::new()), 1, 2));
    /// # let mut consents = Consents::load(&mut storage);
    /// consents.withdraw::<Usage, 8>(None, &mut queue, &mut storage)?;
    /// assert!(consents.live::<Usage>().is_none());
    /// # Ok::<(), ConsentError>(())
    /// ```
    pub fn withdraw<P: ConsentPurpose, const N: usize>(
        &mut self,
        at: Option<UnixTime>,
        queue: &mut Queue<N>,
        storage: &mut dyn ConsentStorage,
    ) -> Result<(), ConsentError> {
        self.turn_off::<P>(at, storage, |consents| queue.follow(consents))
    }

    /// Turns `P` off in memory, makes everybody forget, and then stores it.
    pub(crate) fn turn_off<P: ConsentPurpose>(
        &mut self,
        at: Option<UnixTime>,
        storage: &mut dyn ConsentStorage,
        forget: impl FnOnce(&Self),
    ) -> Result<(), ConsentError> {
        let consent = Consent {
            answer: Answer::Withdrawn,
            generation: self.next_generation::<P>(),
            text_version: self.answer::<P>().text_version,
            at,
        };
        let mut changed = [self.health, self.usage];
        *place::<P>(&mut changed) = consent;
        [self.health, self.usage] = changed;
        forget(self);
        storage.store(&record::encode(&changed))?;
        self.loaded = Loaded::Record;
        Ok(())
    }

    /// The number of this grant, if `purpose` is on. It changes with every answer, so that nothing
    /// recorded under one grant is sent under a later one.
    pub(crate) fn grant_number(&self, purpose: Purpose) -> Option<u32> {
        let consent = match purpose {
            Purpose::Security => return None,
            Purpose::Health => &self.health,
            Purpose::Usage => &self.usage,
        };
        consent.is_granted().then_some(consent.generation)
    }

    /// Whether the owner is on record as having ended grant number `grant` of `purpose`. A record that is missing or
    /// damaged ends nothing: it keeps data from being sent, and deletes none.
    pub(crate) fn has_ended(&self, purpose: Purpose, grant: u32) -> bool {
        let consent = match purpose {
            Purpose::Security => return false,
            Purpose::Health => &self.health,
            Purpose::Usage => &self.usage,
        };
        match consent.answer {
            Answer::None => false,
            Answer::Granted => consent.generation != grant,
            Answer::Withdrawn => true,
        }
    }

    fn next_generation<P: ConsentPurpose>(&self) -> u32 {
        // Zero is the generation of no answer.
        self.answer::<P>().generation.checked_add(1).unwrap_or(1)
    }
}

/// Proof that the owner's consent to `P` is live.
pub struct Consented<'c, P> {
    consents: PhantomData<&'c Consents>,
    purpose: PhantomData<P>,
}

fn place<P: ConsentPurpose>(consents: &mut [Consent; 2]) -> &mut Consent {
    let [health, usage] = consents;
    match P::PURPOSE {
        Purpose::Usage => usage,
        _ => health,
    }
}

#[cfg(test)]
mod tests;
