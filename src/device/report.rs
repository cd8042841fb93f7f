//! Telemetry of a device: recorded, kept over a reboot, sealed.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    hal::{Millis, UnixTime},
    secret::Secret,
};
use iotsec_store::StoreError;
use iotsec_telemetry::{
    batch::{BatchKey, SealTo, SealedBatch, Sizes},
    detect::INTEGRITY,
    queue::{EventId, Queue, Receipt, Restored},
    registry::{Class, EventDef},
    stream::{Numbers, Stream},
    value::Value,
};
use iotsec_update::boot::IntegrityAlert;
use rand_core::TryCryptoRng;

use super::{Device, DeviceError, Owned, life::read_exact, record};

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Owned, F, R, N> {
    /// Writes the queued events of `least` and the classes above it to the store, so that they survive a
    /// reboot: 1024 bytes at most, about 30 events. `buffer` holds the snapshot, and the store's record
    /// must be as long. To be called again after [`acknowledge`](Self::acknowledge), or what was sent is sent
    /// once more after a reboot, under the numbers that it had.
    ///
    /// *Power loss:* the events of the last call that returned.
    ///
    /// # Errors
    /// [`DeviceError::Snapshot`] when it does not fit; failures of the store.
    pub fn keep_events(&mut self, least: Class, buffer: &mut [u8]) -> Result<(), DeviceError> {
        // No more than `restore_queue` can take back.
        let room = buffer.len().min(SNAPSHOT_MAX);
        let snapshot = self
            .queue
            .snapshot(least, buffer.get_mut(..room).unwrap_or_default())?;
        Ok(self
            .store
            .put(&mut self.hardware.flash, record::QUEUE, snapshot)?)
    }

    /// Takes back what [`keep_events`](Self::keep_events) wrote in an earlier boot. What is not readable any
    /// more is forgotten rather than stopping the device.
    pub(crate) fn restore_queue(&mut self) -> Result<Option<Restored>, DeviceError> {
        let mut buffer = [0; SNAPSHOT_MAX];
        match self
            .store
            .get(&mut self.hardware.flash, record::QUEUE, &mut buffer)
        {
            Ok(snapshot) => Ok(self.queue.restore(&self.consents, snapshot).ok()),
            Err(StoreError::NotFound | StoreError::Tampered | StoreError::Buffer) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl<S, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, S, F, R, N> {
    /// Records an event at uptime `now`. Events of security need no consent; others need one that is on.
    ///
    /// # Errors
    /// [`DeviceError::Record`]; nothing is recorded.
    pub fn record(
        &mut self,
        event: &EventDef,
        values: &[Value<'_>],
        now: Millis,
    ) -> Result<EventId, DeviceError> {
        Ok(self.queue.record(&self.consents, event, values, now)?)
    }

    /// Records that the software is not what was signed, as [`INTEGRITY`]: an alert of the boot check or of the
    /// measurements that go on while the device runs. It needs no consent.
    ///
    /// # Errors
    /// [`DeviceError::Record`], if the product's registry does not have the event; nothing is recorded.
    pub fn record_integrity(&mut self, alert: &IntegrityAlert, now: Millis) -> Result<EventId, DeviceError> {
        self.record(&INTEGRITY, &integrity(alert), now)
    }

    /// Tells the queue the time, once it is trustworthy.
    pub fn set_clock(&mut self, uptime: Millis, now: UnixTime) {
        self.queue.set_clock(uptime, now);
    }

    /// Seals the most urgent events for the service, all of one purpose, to be filed under the name of the device; `None`
    /// when there is nothing to tell. Nothing leaves the queue before [`acknowledge`](Self::acknowledge). `scratch` and
    /// `out` as [`Queue::batch`] says.
    ///
    /// # Errors
    /// [`DeviceError::State`] before provisioning; [`DeviceError::Batch`]; everything stays queued.
    pub fn batch<'a>(
        &'a mut self,
        sizes: Sizes,
        scratch: &mut [u8],
        out: &'a mut [u8],
    ) -> Result<Option<SealedBatch<'a>>, DeviceError> {
        let key = self.telemetry_key()?;
        let suite = self.product.suite;
        let key = BatchKey::new(&key, suite.wire, suite.kdf);
        Ok(self
            .queue
            .batch(&self.consents, &key, sizes, &mut self.hardware.rng, scratch, out)?)
    }

    /// The same for one [`stream`](Self::stream), sealed to `key`: to a public key of the service
    /// ([`ServiceKey`](iotsec_telemetry::batch::ServiceKey), feature `hpke`), since a key that the device shares would say
    /// whose the pseudonym is. See [`Queue::batch_for`].
    ///
    /// # Errors
    /// As [`batch`](Self::batch).
    ///
    /// ```
    /// # use iotsec::{core::hal::Millis, device::{Device, DeviceError, Owned}};
    /// # use iotsec_testkit::{SimFlash, SimRng};
    /// use iotsec::telemetry::{batch::{SealTo, SizeClass, Sizes}, pseudonym::Epoch, registry::Purpose};
    ///
    /// fn report(
    ///     device: &mut Device<'_, Owned, SimFlash, SimRng, 16>,
    ///     week: Epoch,
    ///     key: &impl SealTo,
    ///     send: impl Fn(&[u8; 16], &[u8]) -> bool,
    /// ) -> Result<(), DeviceError> {
    ///     let (mut scratch, mut out) = ([0; 512], [0; 512]);
    ///     for purpose in Purpose::ALL {
    ///         let stream = match device.stream(purpose, week) {
    ///             Ok(stream) => stream,
    ///             // Not agreed to.
    ///             Err(_) if purpose.needs_consent() => continue,
    ///             Err(error) => return Err(error),
    ///         };
    ///         let topic = stream.pseudonym();
    ///         let sizes = Sizes::fixed(SizeClass::B512);
    ///         if let Some(batch) = device.batch_for(&stream, key, sizes, &mut scratch, &mut out)?
    ///             && send(topic.as_bytes(), batch.bytes())
    ///         {
    ///             let receipt = batch.into_receipt();
    ///             device.acknowledge(receipt)?;
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn batch_for<'a, M: Numbers, K: SealTo>(
        &'a mut self,
        stream: &Stream<M>,
        key: &K,
        sizes: Sizes,
        scratch: &mut [u8],
        out: &'a mut [u8],
    ) -> Result<Option<SealedBatch<'a>>, DeviceError> {
        let (consents, rng) = (&self.consents, &mut self.hardware.rng);
        Ok(self
            .queue
            .batch_for(stream, consents, key, sizes, rng, scratch, out)?)
    }

    pub(crate) fn telemetry_key(&mut self) -> Result<Secret<32>, DeviceError> {
        let key = read_exact(&mut self.store, &mut self.hardware.flash, record::TELEMETRY_KEY)?;
        Ok(Secret::from_bytes(key))
    }

    /// Forgets the events of the last batch, which the service has acknowledged; in the store too, when none
    /// is left.
    ///
    /// *Power loss:* what was kept in the store may be sent again, under the numbers that it had.
    ///
    /// # Errors
    /// [`DeviceError::Batch`] for the receipt of another batch; failures of the store.
    pub fn acknowledge(&mut self, receipt: Receipt) -> Result<(), DeviceError> {
        self.queue.ack(receipt)?;
        if self.queue.is_empty() && self.store.contains(record::QUEUE) {
            self.store.remove(&mut self.hardware.flash, record::QUEUE)?;
        }
        Ok(())
    }

    /// The queue, to look at.
    pub const fn queue(&self) -> &Queue<N> {
        &self.queue
    }

    /// How often this device was started.
    ///
    /// # Errors
    /// Failures of the store.
    pub fn boot_number(&mut self) -> Result<u32, DeviceError> {
        Ok(u32::from_le_bytes(read_exact(
            &mut self.store,
            &mut self.hardware.flash,
            record::BOOTS,
        )?))
    }
}

/// The values of an [`INTEGRITY`].
pub(super) fn integrity(alert: &IntegrityAlert) -> [Value<'static>; 2] {
    let place = alert.place().and_then(|place| u8::try_from(place).ok());
    [place.unwrap_or(u8::MAX).into(), alert.code().into()]
}

/// Bytes of a snapshot at most: 30 events that are alone in their boots.
const SNAPSHOT_MAX: usize = 1024;
