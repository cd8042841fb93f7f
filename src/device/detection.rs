//! What detectors need at the next boot.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::hal::Millis;
use iotsec_store::StoreError;
use iotsec_telemetry::detect::{BASELINE_RECORD_LEN, GUARD_RECORD_LEN, Guard, Policy};
use rand_core::TryCryptoRng;

use super::{Device, DeviceError, InService, Owned, record};

/// Which detector learned what is usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Baseline {
    /// [`Churn::reconnects`](iotsec_telemetry::detect::Churn::reconnects).
    Reconnects,
    /// [`Churn::tls_rejects`](iotsec_telemetry::detect::Churn::tls_rejects).
    TlsRejects,
    /// [`TrafficVolume`](iotsec_telemetry::detect::TrafficVolume).
    Traffic,
}

const BASELINES: usize = 3;

impl Baseline {
    const fn place(self) -> usize {
        match self {
            Self::Reconnects => 0,
            Self::TlsRejects => 1,
            Self::Traffic => 2,
        }
    }
}

impl<S: InService, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, S, F, R, N> {
    /// The guard, in the mode that [`keep_guard`](Self::keep_guard) stored last: a reboot and a new owner do not bring the
    /// device back from least connectivity. A record that cannot be read counts as one that was damaged.
    ///
    /// # Errors
    /// Failures of the store.
    ///
    /// ```
    /// # use iotsec::{core::hal::Millis, device::{Device, DeviceError, Owned}};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// use iotsec::telemetry::detect::{Finding, Policy};
    ///
    /// fn found(
    ///     device: &mut Device<'_, Owned, SimFlash, SimRng, 16>,
    ///     finding: &Finding,
    ///     now: Millis,
    /// ) -> Result<(), DeviceError> {
    ///     let mut guard = device.guard(&Policy::DEFAULT, now)?;
    ///     device.record(finding.event(), finding.values(), now)?;
    ///     if let Some(change) = guard.note(finding.event(), now) {
    ///         device.keep_guard(&guard)?;
    ///         device.record(change.finding().event(), change.finding().values(), now)?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn guard(&mut self, policy: &'static Policy, now: Millis) -> Result<Guard, DeviceError> {
        let mut kept = [0; GUARD_RECORD_LEN];
        let flash = &mut self.hardware.flash;
        let kept = match self.store.get(flash, record::GUARD, &mut kept) {
            Err(StoreError::NotFound) => None,
            Ok(read) if read.len() == GUARD_RECORD_LEN => Some(kept),
            // Zeros are not as written.
            Ok(_) | Err(StoreError::Tampered | StoreError::Buffer) => Some([0; GUARD_RECORD_LEN]),
            Err(error) => return Err(error.into()),
        };
        Ok(Guard::started(policy, kept.as_ref(), now))
    }

    /// Stores the mode, as a [`Change`](iotsec_telemetry::detect::Change) asks for.
    ///
    /// *Power loss:* the mode before or this one.
    ///
    /// # Errors
    /// Failures of the store.
    pub fn keep_guard(&mut self, guard: &Guard) -> Result<(), DeviceError> {
        self.write(record::GUARD, &guard.record())
    }
}

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Owned, F, R, N> {
    /// What a detector learned, as [`keep_baseline`](Self::keep_baseline) stored it last. It is the owner's, and goes with
    /// them: it says when they are at home. One that cannot be read is none, and means a new week of learning.
    ///
    /// # Errors
    /// Failures of the store.
    ///
    /// ```
    /// # use iotsec::{core::hal::Millis, device::{Device, DeviceError, Owned}};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// use iotsec::{device::Baseline, telemetry::detect::Churn};
    ///
    /// fn day(device: &mut Device<'_, Owned, SimFlash, SimRng, 16>, now: Millis) -> Result<(), DeviceError> {
    ///     // At boot.
    ///     let kept = device.baseline(Baseline::Reconnects)?;
    ///     let broken = Churn::reconnects(4, kept.as_ref(), now);
    ///     // Once a day.
    ///     device.keep_baseline(Baseline::Reconnects, &broken.record())
    /// }
    /// ```
    pub fn baseline(&mut self, of: Baseline) -> Result<Option<[u8; BASELINE_RECORD_LEN]>, DeviceError> {
        let kept = self.baselines()?;
        let kept = kept.as_chunks().0.get(of.place()).copied();
        // Never stored.
        Ok(kept.filter(|kept| *kept != [0; BASELINE_RECORD_LEN]))
    }

    /// Stores what a detector learned; about once a day.
    ///
    /// *Power loss:* what was stored before or this.
    ///
    /// # Errors
    /// Failures of the store.
    pub fn keep_baseline(
        &mut self,
        of: Baseline,
        baseline: &[u8; BASELINE_RECORD_LEN],
    ) -> Result<(), DeviceError> {
        let mut kept = self.baselines()?;
        if let Some(place) = kept.as_chunks_mut().0.get_mut(of.place()) {
            *place = *baseline;
        }
        self.write(record::BASELINES, &kept)
    }

    fn baselines(&mut self) -> Result<[u8; BASELINES * BASELINE_RECORD_LEN], DeviceError> {
        let mut kept = [0; BASELINES * BASELINE_RECORD_LEN];
        let flash = &mut self.hardware.flash;
        match self.store.get(flash, record::BASELINES, &mut kept) {
            Ok(read) if read.len() == BASELINES * BASELINE_RECORD_LEN => Ok(kept),
            Ok(_) | Err(StoreError::NotFound | StoreError::Tampered | StoreError::Buffer) => {
                Ok([0; BASELINES * BASELINE_RECORD_LEN])
            }
            Err(error) => Err(error.into()),
        }
    }
}
