//! Telling yesterday's flash from today's.

use iotsec_core::hal::{CounterError, MonotonicCounter};

use crate::{StoreError, page::MAX_COUNTER};

/// Whether an earlier image of the flash, put back whole, is noticed. Everything less than that, a record, a page, is
/// noticed without.
///
/// A store keeps for its life what it was formatted with: to mount it with less is refused.
///
/// ```
/// use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
/// use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayLevel, ReplayProtection, Store, StoreError, Suite};
/// # use iotsec_testkit::{Geometry, SimCounter, SimFlash, SimRng, SimRootKey};
/// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
/// # let region = flash.region()?;
/// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
/// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
/// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
/// # let mut counter = SimCounter::new();
/// let pin = KeyId::new(KeyDomain::Device, 1, 1);
/// let replay = ReplayProtection::EachWrite(&mut counter);
/// let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
/// assert_eq!(store.replay_level(), ReplayLevel::EachWrite);
/// store.put(&mut flash, pin, b"1234")?;
/// let yesterday = flash.clone();
/// store.put(&mut flash, pin, b"9876")?;
/// drop(store);
///
/// let mut flash = yesterday;
/// let replay = ReplayProtection::EachWrite(&mut counter);
/// let mounted = Store::mount(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng);
/// assert_eq!(mounted.err(), Some(StoreError::RolledBack));
/// # Ok::<(), StoreError>(())
/// ```
pub enum ReplayProtection<'a> {
    /// It is not. The device has no counter that an attacker cannot put back.
    None,
    /// An image from before the present page was opened is noticed: at least one from before the first write of this
    /// boot. The counter goes up by one with every page.
    EachPage(&'a mut dyn MonotonicCounter),
    /// Every earlier image is noticed. The counter goes up by one with every put, remove, increment, erasure and
    /// committed transaction.
    EachWrite(&'a mut dyn MonotonicCounter),
}

/// What a [`ReplayProtection`] protects from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplayLevel {
    /// An earlier image of the whole flash is taken for the present one.
    None,
    /// One from before the present page was opened is refused.
    EachPage,
    /// Every one is refused.
    EachWrite,
}

impl core::fmt::Debug for ReplayProtection<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ReplayProtection::{:?}", self.level())
    }
}

impl ReplayProtection<'_> {
    /// What it protects from.
    pub const fn level(&self) -> ReplayLevel {
        match self {
            Self::None => ReplayLevel::None,
            Self::EachPage(_) => ReplayLevel::EachPage,
            Self::EachWrite(_) => ReplayLevel::EachWrite,
        }
    }
}

/// The counter, and what the log says that it should be.
pub(crate) struct Replay<'a> {
    protection: ReplayProtection<'a>,
    /// What the log says.
    expected: u64,
    /// What the counter is known to be at.
    reached: u64,
}

impl<'a> Replay<'a> {
    /// Without protection.
    pub(crate) const fn new() -> Self {
        Self {
            protection: ReplayProtection::None,
            expected: 0,
            reached: 0,
        }
    }

    /// For a store that begins: the log says what the counter says.
    pub(crate) fn begin(protection: ReplayProtection<'a>) -> Result<Self, StoreError> {
        let mut replay = Self {
            protection,
            ..Self::new()
        };
        replay.reached = replay.read()?;
        replay.expected = replay.reached;
        Ok(replay)
    }

    /// For a store whose log says that the counter is at `expected`, which it may not have reached yet.
    pub(crate) fn check(&mut self, expected: u64) -> Result<(), StoreError> {
        // A protected store begins with one, as does the page it begins with.
        match (self.level(), expected) {
            (ReplayLevel::None, 0) => return Ok(()),
            (ReplayLevel::None, _) | (_, 0) => return Err(StoreError::ReplayProtection),
            _ => {}
        }
        self.expected = expected;
        match self.expected.checked_sub(self.reached) {
            Some(0 | 1) => Ok(()),
            Some(_) => Err(CounterError::Unreadable.into()),
            None => Err(StoreError::RolledBack),
        }
    }

    pub(crate) const fn level(&self) -> ReplayLevel {
        self.protection.level()
    }

    /// What the head of the page says that is opened next.
    pub(crate) fn for_page(&self) -> Result<u64, StoreError> {
        match self.level() {
            ReplayLevel::None => Ok(0),
            // Counting begins with one, so that a store that counts can be told from one that does not.
            ReplayLevel::EachWrite if self.expected > 0 => Ok(self.expected),
            ReplayLevel::EachPage | ReplayLevel::EachWrite => next(self.expected),
        }
    }

    /// A page is about to be opened.
    pub(crate) fn before_page(&mut self) -> Result<(), StoreError> {
        match self.level() {
            ReplayLevel::EachPage => self.catch_up(),
            // The last record may have been cut short and count no more at the next boot: the counter waits until
            // the head of a page says that it did.
            ReplayLevel::None | ReplayLevel::EachWrite => Ok(()),
        }
    }

    /// That page was opened.
    pub(crate) fn page_opened(&mut self, counter: u64) -> Result<(), StoreError> {
        self.expected = counter;
        self.catch_up()
    }

    /// A record was written that counts.
    pub(crate) fn written(&mut self) -> Result<(), StoreError> {
        if self.level() == ReplayLevel::EachWrite {
            self.expected = next(self.expected)?;
            self.catch_up()?;
        }
        Ok(())
    }

    /// Raises the counter to where the log is. The log is never more than one ahead.
    pub(crate) fn catch_up(&mut self) -> Result<(), StoreError> {
        if self.reached != self.expected {
            let expected = self.expected;
            if let ReplayProtection::EachPage(counter) | ReplayProtection::EachWrite(counter) =
                &mut self.protection
            {
                counter.advance_to(expected)?;
            }
            self.reached = expected;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<u64, StoreError> {
        match &mut self.protection {
            ReplayProtection::None => Ok(0),
            ReplayProtection::EachPage(counter) | ReplayProtection::EachWrite(counter) => Ok(counter.read()?),
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.4-1"],
    claims: "With a counter in hardware, an earlier image of the flash is refused, and the protection cannot be switched off",
    code: [Replay::check],
    tests: [
        "iotsec-store::store::replay::n02_any_earlier_image_is_refused_when_every_write_counts",
        "iotsec-store::store::replay::n13_protection_is_for_life",
    ],
}

fn next(counter: u64) -> Result<u64, StoreError> {
    match counter.checked_add(1) {
        Some(next) if next <= MAX_COUNTER => Ok(next),
        _ => Err(CounterError::Exhausted.into()),
    }
}
