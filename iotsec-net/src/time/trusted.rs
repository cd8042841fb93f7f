use iotsec_core::hal::{Reading, TimeFloor, UnixTime};

use super::{CertificateTime, error::TimeError, storage::TimeStorage};

/// The first byte of a record.
const VERSION: u8 = 1;
/// Seconds by which a clock may be set back without notice: corrections of one that is synchronised over the network
/// are far smaller.
const SLACK: u64 = 60;

/// What a device without a trustworthy clock does about certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimePolicy {
    /// It waits for its clock.
    Strict,
    /// It judges by the floor, and holds certificates that began after it for valid, if they began at most `max_age`
    /// seconds after it: as long as a device may lie in a warehouse or stay without an update, in seconds. What ended
    /// before the floor is refused; what ended since then is not noticed.
    Floor {
        /// How old the floor may be, in seconds.
        max_age: u64,
    },
}

/// Something that a clock should not do. It belongs into telemetry: clocks that go back are attacked, or broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClockEvent {
    /// It shows a time this many seconds before the floor.
    WentBack {
        /// Seconds.
        by: u64,
    },
    /// It shows a time beyond the life of the device.
    FarFuture,
}

/// The time for a verifier, and what was noticed on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time for a verifier.
    pub time: CertificateTime,
    /// What the clock did, if it did something.
    pub event: Option<ClockEvent>,
}

/// A floor of time that survives a reboot, and the judgement of clocks by it.
///
/// *Power loss:* the stored floor is the old or the new one; it never goes down.
///
/// ```
/// use iotsec_core::{credential::StorageError, hal::UnixTime};
/// use iotsec_net::time::{ClockEvent, TimeError, TimePolicy, TimeStorage, TrustedTime};
///
/// # #[derive(Default)]
/// # struct Memory(Option<[u8; TrustedTime::LEN]>);
/// # impl TimeStorage for Memory {
/// #     fn load(&mut self, record: &mut [u8; TrustedTime::LEN]) -> Result<Option<usize>, StorageError> {
/// #         Ok(self.0.map(|stored| { *record = stored; stored.len() }))
/// #     }
/// #     fn save(&mut self, record: &[u8; TrustedTime::LEN]) -> Result<(), StorageError> {
/// #         self.0 = Some(*record);
/// #         Ok(())
/// #     }
/// # }
/// # let mut storage = Memory::default();
/// const BUILT: UnixTime = UnixTime(1_790_000_000);
/// let mut time = TrustedTime::load(BUILT, &mut storage)?;
/// // A manifest came in that was signed later.
/// time.raise(UnixTime(1_795_000_000), &mut storage)?;
/// let year = 365 * 86_400;
/// let moment = time.certificate_time(None, TimePolicy::Floor { max_age: 2 * year })?;
/// assert_eq!(moment.time.earliest(), UnixTime(1_795_000_000));
/// assert_eq!(time.certificate_time(None, TimePolicy::Strict), Err(TimeError::NoClock));
/// // After the battery was changed the clock shows 1970.
/// let moment = time.certificate_time(Some(UnixTime(5)), TimePolicy::Floor { max_age: 2 * year })?;
/// assert_eq!(moment.event, Some(ClockEvent::WentBack { by: 1_794_999_995 }));
/// assert_eq!(TrustedTime::load(BUILT, &mut storage)?.floor(), UnixTime(1_795_000_000));
/// # Ok::<(), TimeError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TrustedTime {
    floor: TimeFloor,
    stored: UnixTime,
}

impl TrustedTime {
    /// Bytes of a record: its version, and the floor in seconds since 1970, big-endian.
    pub const LEN: usize = 9;
    /// Seconds by which the floor rises at least before it is stored again for a clock that runs: a day, so that a
    /// device that lives for thirty years writes eleven thousand times.
    pub const STEP: u64 = 86_400;

    /// Starts from the time when the firmware was built, and what was stored. Where nothing is stored yet, nothing is
    /// written.
    ///
    /// # Errors
    /// [`TimeError::Record`] for a record that does not read, which [`reset`](Self::reset) mends;
    /// [`TimeError::Storage`].
    pub fn load(built: UnixTime, storage: &mut dyn TimeStorage) -> Result<Self, TimeError> {
        let mut record = [0; Self::LEN];
        let mut floor = TimeFloor::new(built);
        let Some(len) = storage.load(&mut record)? else {
            return Ok(Self {
                floor,
                stored: UnixTime(0),
            });
        };
        let [VERSION, seconds @ ..] = record else {
            return Err(TimeError::Record);
        };
        if len != Self::LEN {
            return Err(TimeError::Record);
        }
        let stored = UnixTime(u64::from_be_bytes(seconds));
        floor.raise(stored);
        Ok(Self { floor, stored })
    }

    /// Goes back to the time when the firmware was built, in the place of a record that is damaged. Whatever ended
    /// since then is believed again until the floor has risen, so this is for the application to decide.
    ///
    /// # Errors
    /// [`TimeError::Storage`].
    pub fn reset(built: UnixTime, storage: &mut dyn TimeStorage) -> Result<Self, TimeError> {
        let mut time = Self {
            floor: TimeFloor::new(built),
            stored: UnixTime(0),
        };
        time.store(storage)?;
        Ok(time)
    }

    /// Not before this.
    pub const fn floor(&self) -> UnixTime {
        self.floor.floor()
    }

    /// Raises the floor to a time that was signed, and stores it. A time before it, or beyond the life of the device,
    /// changes nothing.
    ///
    /// # Errors
    /// [`TimeError::Storage`]; the floor in memory has risen all the same.
    pub fn raise(&mut self, signed: UnixTime, storage: &mut dyn TimeStorage) -> Result<(), TimeError> {
        self.floor.raise(signed);
        if self.floor() > self.stored {
            self.store(storage)?;
        }
        Ok(())
    }

    /// Lets the floor follow a clock, to be called now and then; it is stored after each [`STEP`](Self::STEP). Only for
    /// a clock that was set by somebody who proved who they are (a verified server, NTS): what the floor once was, it
    /// never falls below.
    ///
    /// # Errors
    /// [`TimeError::Storage`].
    pub fn follow(
        &mut self,
        clock: Option<UnixTime>,
        storage: &mut dyn TimeStorage,
    ) -> Result<Option<ClockEvent>, TimeError> {
        if let Some(now) = self.floor.read(clock).trusted() {
            self.floor.raise(UnixTime(now.0.saturating_sub(SLACK)));
            if self.floor().0.saturating_sub(self.stored.0) >= Self::STEP {
                self.store(storage)?;
            }
        }
        Ok(self.event(clock))
    }

    /// The time for a verifier, by what the clock shows.
    ///
    /// # Errors
    /// [`TimeError::NoClock`], [`TimeError::WentBack`] and [`TimeError::FarFuture`] under [`TimePolicy::Strict`].
    pub fn certificate_time(&self, clock: Option<UnixTime>, policy: TimePolicy) -> Result<Moment, TimeError> {
        let time = match (self.floor.read(clock), policy) {
            (Reading::Trusted(now), _) => CertificateTime::exact(now),
            (_, TimePolicy::Floor { max_age }) => CertificateTime::at_least(self.floor(), max_age),
            (Reading::Absent, TimePolicy::Strict) => return Err(TimeError::NoClock),
            (Reading::BeforeFloor, TimePolicy::Strict) => return Err(TimeError::WentBack),
            (Reading::FarFuture, TimePolicy::Strict) => return Err(TimeError::FarFuture),
        };
        let event = self.event(clock);
        Ok(Moment { time, event })
    }

    fn event(&self, clock: Option<UnixTime>) -> Option<ClockEvent> {
        match (self.floor.read(clock), clock) {
            (Reading::BeforeFloor, Some(now)) => Some(ClockEvent::WentBack {
                by: self.floor().0.saturating_sub(now.0),
            }),
            (Reading::FarFuture, _) => Some(ClockEvent::FarFuture),
            _ => None,
        }
    }

    fn store(&mut self, storage: &mut dyn TimeStorage) -> Result<(), TimeError> {
        let mut record = [0; Self::LEN];
        let bytes = core::iter::once(VERSION).chain(self.floor().0.to_be_bytes());
        for (place, byte) in record.iter_mut().zip(bytes) {
            *place = byte;
        }
        storage.save(&record)?;
        self.stored = self.floor();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use iotsec_core::{
        credential::StorageError,
        error::{ErrorCode, Fault},
    };

    use super::*;

    const BUILT: UnixTime = UnixTime(1_790_000_000);
    const FLOOR: TimePolicy = TimePolicy::Floor { max_age: 1000 };

    #[derive(Default)]
    struct Memory {
        record: Option<std::vec::Vec<u8>>,
        writes: usize,
        fails: bool,
    }

    struct Broken;
    impl ErrorCode for Broken {
        fn code(&self) -> u16 {
            9999
        }
        fn fault(&self) -> Fault {
            Fault::Device
        }
    }

    impl TimeStorage for Memory {
        fn load(&mut self, record: &mut [u8; TrustedTime::LEN]) -> Result<Option<usize>, StorageError> {
            let Some(stored) = &self.record else {
                return Ok(None);
            };
            record[..stored.len()].copy_from_slice(stored);
            Ok(Some(stored.len()))
        }
        fn save(&mut self, record: &[u8; TrustedTime::LEN]) -> Result<(), StorageError> {
            if self.fails {
                return Err(StorageError::of(&Broken));
            }
            self.record = Some(record.to_vec());
            self.writes += 1;
            Ok(())
        }
    }

    #[test]
    fn the_floor_is_the_latest_of_build_storage_and_signatures_and_never_falls() {
        let mut storage = Memory::default();
        let mut time = TrustedTime::load(BUILT, &mut storage).unwrap();
        assert_eq!((time.floor(), storage.writes), (BUILT, 0));
        time.raise(UnixTime(BUILT.0 + 500), &mut storage).unwrap();
        time.raise(UnixTime(BUILT.0 + 400), &mut storage).unwrap();
        time.raise(UnixTime(BUILT.0 + TimeFloor::SPAN + 1), &mut storage)
            .unwrap();
        assert_eq!((time.floor().0, storage.writes), (BUILT.0 + 500, 1));
        let floor =
            |built, storage: &mut Memory| TrustedTime::load(UnixTime(built), storage).unwrap().floor().0;
        assert_eq!(floor(BUILT.0, &mut storage), BUILT.0 + 500);
        // A later firmware.
        assert_eq!(floor(BUILT.0 + 900, &mut storage), BUILT.0 + 900);
        // An earlier one does not take the time back.
        assert_eq!(floor(BUILT.0 - 900, &mut storage), BUILT.0 + 500);
    }

    #[test]
    fn a_running_clock_is_stored_once_a_day() {
        let mut storage = Memory::default();
        let mut time = TrustedTime::load(BUILT, &mut storage).unwrap();
        let hours = 24 * 10;
        for hour in 0..=hours {
            let now = UnixTime(BUILT.0 + SLACK + hour * 3600);
            assert_eq!(time.follow(Some(now), &mut storage).unwrap(), None);
        }
        assert_eq!(time.floor().0, BUILT.0 + hours * 3600);
        assert!((10..=11).contains(&storage.writes), "{}", storage.writes);
    }

    #[test]
    fn a_clock_that_goes_back_is_an_event_and_is_not_believed() {
        let mut storage = Memory::default();
        let mut time = TrustedTime::load(BUILT, &mut storage).unwrap();
        let now = UnixTime(BUILT.0 + 10_000);
        assert_eq!(time.follow(Some(now), &mut storage).unwrap(), None);
        let slower = UnixTime(now.0 - SLACK);
        assert_eq!(time.follow(Some(slower), &mut storage).unwrap(), None);
        let back = UnixTime(now.0 - SLACK - 1);
        let event = Some(ClockEvent::WentBack { by: 1 });
        assert_eq!(time.follow(Some(back), &mut storage).unwrap(), event);
        let moment = time.certificate_time(Some(back), FLOOR).unwrap();
        assert_eq!(moment.event, event);
        assert_eq!(moment.time, CertificateTime::at_least(time.floor(), 1000));
        assert_eq!(
            time.certificate_time(Some(back), TimePolicy::Strict),
            Err(TimeError::WentBack)
        );
    }

    #[test]
    fn only_a_clock_in_its_bounds_is_the_time() {
        let time = TrustedTime::load(BUILT, &mut Memory::default()).unwrap();
        let ahead = UnixTime(BUILT.0 + TimeFloor::SPAN + 1);
        let strict = |clock| time.certificate_time(clock, TimePolicy::Strict);
        assert_eq!(strict(None), Err(TimeError::NoClock));
        assert_eq!(strict(Some(ahead)), Err(TimeError::FarFuture));
        let moment = strict(Some(UnixTime(BUILT.0 + 5))).unwrap();
        assert_eq!(moment.time, CertificateTime::exact(UnixTime(BUILT.0 + 5)));
        let moment = time.certificate_time(Some(ahead), FLOOR).unwrap();
        assert_eq!(moment.event, Some(ClockEvent::FarFuture));
        assert_eq!(time.certificate_time(None, FLOOR).unwrap().event, None);
    }

    #[test]
    fn a_damaged_record_is_no_record_and_no_time() {
        for record in [std::vec![], std::vec![1; 8], std::vec![2; 9], std::vec![0; 9]] {
            let mut storage = Memory {
                record: Some(record),
                ..Memory::default()
            };
            assert_eq!(
                TrustedTime::load(BUILT, &mut storage).unwrap_err(),
                TimeError::Record
            );
            let time = TrustedTime::reset(BUILT, &mut storage).unwrap();
            assert_eq!(
                TrustedTime::load(BUILT, &mut storage).unwrap().floor(),
                time.floor()
            );
        }
    }

    #[test]
    fn a_storage_that_fails_does_not_lower_the_floor() {
        let mut storage = Memory::default();
        let mut time = TrustedTime::load(BUILT, &mut storage).unwrap();
        storage.fails = true;
        let raised = time.raise(UnixTime(BUILT.0 + 5), &mut storage);
        assert_eq!(raised.map_err(|error| error.code()), Err(9999));
        assert_eq!(time.floor().0, BUILT.0 + 5);
        storage.fails = false;
        time.raise(UnixTime(BUILT.0), &mut storage).unwrap();
        assert_eq!(storage.writes, 1);
    }
}
