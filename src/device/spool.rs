//! Telemetry that waits in flash, for a device that has some to spare.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    hal::{Millis, Region},
    secret::Secret,
};
use iotsec_store::StoreError;
use iotsec_telemetry::{
    batch::{BatchKey, SealTo, SealedBatch, Sizes},
    consent::{ConsentPurpose, Health, Usage},
    detect::INTEGRITY,
    error::{RecordError, SpoolError},
    queue::{EventId, Receipt},
    registry::{EventDef, Purpose},
    spool::{Purge, Quotas, Refusal, Spool, SpoolParts},
    stream::{Numbers, Stream},
    value::Value,
};
use iotsec_update::boot::IntegrityAlert;
use rand_core::TryCryptoRng;

use super::{Device, DeviceError, Owned, Provisioned, Retired, record, report};

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Owned, F, R, N> {
    /// Opens the [`Spool`] in a region of the flash that nothing else uses; a device has one. Events then survive power
    /// cuts without [`keep_events`](Self::keep_events); the queue in memory goes on beside it.
    ///
    /// What it is sealed under is drawn at random and stored among the owner's values: with the owner it goes, and with
    /// it all that waits. The purposes that need consent have keys of their own, which follow with
    /// [`unlock_spool`](Self::unlock_spool); that of a purpose that is off is removed here, if it is still there.
    ///
    /// *Power loss:* the key is stored or not; without it nothing had been recorded.
    ///
    /// # Errors
    /// [`DeviceError::Spool`], also when the region overlaps the store; failures of store and entropy.
    ///
    /// ```
    /// # use embedded_storage::nor_flash::NorFlash;
    /// # use iotsec::core::hal::{Millis, Region};
    /// # use iotsec::device::{Device, DeviceError, Owned};
    /// # use iotsec::telemetry::batch::{SizeClass, Sizes};
    /// # use iotsec::telemetry::consent::Usage;
    /// # use iotsec::telemetry::{detect::BOOT_LOOP, spool::{Purge, Quotas, Spool}};
    /// # use rand_core::TryCryptoRng;
    /// fn report<F: NorFlash, R: TryCryptoRng>(
    ///     device: &mut Device<'_, Owned, F, R, 8>,
    ///     region: Region,
    ///     send: impl Fn(&[u8]) -> bool,
    /// ) -> Result<(), DeviceError> {
    ///     // At every boot.
    ///     let quotas = Quotas { journal: 2, critical: 2, security: 4, health: 4, usage: 4 };
    ///     let mut spool = device.mount_spool(region, quotas)?;
    ///     if device.consent::<Usage>().is_some() {
    ///         device.unlock_spool::<Usage>(&mut spool)?;
    ///     }
    ///     while device.purge_spool(&mut spool)? == Purge::Pending {}
    ///
    ///     device.record_in(&mut spool, &BOOT_LOOP, &[3.into()], Millis::from_secs(5))?;
    ///
    ///     // When there is a connection.
    ///     let (mut scratch, mut out) = ([0; 512], [0; 512]);
    ///     let sizes = Sizes::up_to(SizeClass::B512);
    ///     if let Some(batch) = device.batch_of(&mut spool, sizes, &mut scratch, &mut out)?
    ///         && send(batch.bytes())
    ///     {
    ///         let receipt = batch.into_receipt();
    ///         device.acknowledge_in(&mut spool, receipt)?;
    ///     }
    ///
    ///     // When the owner no longer wants it.
    ///     device.withdraw::<Usage>(None)?;
    ///     while device.purge_spool(&mut spool)? == Purge::Pending {}
    ///     Ok(())
    /// }
    /// ```
    pub fn mount_spool(&mut self, region: Region, quotas: Quotas) -> Result<Spool<'d>, DeviceError> {
        if region.overlaps(&self.product.store) {
            return Err(SpoolError::Layout.into());
        }
        for purpose in [Purpose::Health, Purpose::Usage] {
            let is_on = match purpose {
                Purpose::Usage => self.consents.live::<Usage>().is_some(),
                _ => self.consents.live::<Health>().is_some(),
            };
            if !is_on {
                self.forget_spool_key(purpose)?;
            }
        }
        let key = self.spool_key(Purpose::Security)?;
        let boot = self.boot_number()?;
        let parts = SpoolParts {
            region,
            quotas,
            registry: self.product.events,
            aead: self.product.suite.storage,
            kdf: self.product.suite.kdf,
        };
        Ok(Spool::mount(&mut self.hardware.flash, parts, boot, &key)?)
    }

    /// Gives the spool the key of a purpose that is on, drawn at random and stored like that of
    /// [`mount_spool`](Self::mount_spool). [`withdraw`](Self::withdraw) removes it: then nothing can be read any more, even
    /// before the purge.
    ///
    /// *Power loss:* as [`mount_spool`](Self::mount_spool) says.
    ///
    /// # Errors
    /// [`DeviceError::Spool`], also when `P` is off; failures of store and entropy.
    pub fn unlock_spool<P: ConsentPurpose>(&mut self, spool: &mut Spool<'_>) -> Result<(), DeviceError> {
        if self.consents.live::<P>().is_none() {
            return Err(SpoolError::from(RecordError::NotConsented).into());
        }
        let key = self.spool_key(P::PURPOSE)?;
        Ok(spool.unlock::<P>(&mut self.hardware.flash, &self.consents, &key)?)
    }

    /// [`Spool::purge_step`].
    ///
    /// # Errors
    /// [`DeviceError::Spool`].
    pub fn purge_spool(&mut self, spool: &mut Spool<'_>) -> Result<Purge, DeviceError> {
        Ok(spool.purge_step(&mut self.hardware.flash, &self.consents)?)
    }

    /// [`Spool::record`].
    ///
    /// # Errors
    /// [`DeviceError::Spool`].
    pub fn record_in(
        &mut self,
        spool: &mut Spool<'_>,
        event: &EventDef,
        values: &[Value<'_>],
        now: Millis,
    ) -> Result<EventId, DeviceError> {
        Ok(spool.record(&mut self.hardware.flash, &self.consents, event, values, now)?)
    }

    /// [`record_integrity`](Self::record_integrity), in the spool.
    ///
    /// # Errors
    /// [`DeviceError::Spool`].
    pub fn record_integrity_in(
        &mut self,
        spool: &mut Spool<'_>,
        alert: &IntegrityAlert,
        now: Millis,
    ) -> Result<EventId, DeviceError> {
        self.record_in(spool, &INTEGRITY, &report::integrity(alert), now)
    }

    /// [`Spool::batch`], under the device's key for telemetry.
    ///
    /// # Errors
    /// [`DeviceError::Spool`]; failures of the store.
    pub fn batch_of<'a>(
        &'a mut self,
        spool: &mut Spool<'_>,
        sizes: Sizes,
        scratch: &mut [u8],
        out: &'a mut [u8],
    ) -> Result<Option<SealedBatch<'a>>, DeviceError> {
        let key = self.telemetry_key()?;
        let suite = self.product.suite;
        let key = BatchKey::new(&key, suite.wire, suite.kdf);
        let (flash, rng) = (&mut self.hardware.flash, &mut self.hardware.rng);
        Ok(spool.batch(flash, &self.consents, &key, sizes, rng, scratch, out)?)
    }

    /// [`Spool::batch_for`], sealed to `key`; see [`batch_for`](Self::batch_for).
    ///
    /// # Errors
    /// As [`batch_of`](Self::batch_of).
    pub fn batch_of_stream<'a, M: Numbers, K: SealTo>(
        &'a mut self,
        spool: &mut Spool<'_>,
        stream: &Stream<M>,
        key: &K,
        sizes: Sizes,
        scratch: &mut [u8],
        out: &'a mut [u8],
    ) -> Result<Option<SealedBatch<'a>>, DeviceError> {
        let (flash, rng) = (&mut self.hardware.flash, &mut self.hardware.rng);
        Ok(spool.batch_for(flash, stream, &self.consents, key, sizes, rng, scratch, out)?)
    }

    /// [`Spool::ack`].
    ///
    /// # Errors
    /// [`DeviceError::Spool`].
    pub fn acknowledge_in(&mut self, spool: &mut Spool<'_>, receipt: Receipt) -> Result<(), DeviceError> {
        Ok(spool.ack(&mut self.hardware.flash, receipt)?)
    }

    /// [`Spool::refused`].
    ///
    /// # Errors
    /// [`DeviceError::Spool`].
    pub fn refused_in(&mut self, spool: &mut Spool<'_>, receipt: Receipt) -> Result<Refusal, DeviceError> {
        Ok(spool.refused(&mut self.hardware.flash, receipt)?)
    }

    /// Reads a key of the spool, or draws it.
    fn spool_key(&mut self, purpose: Purpose) -> Result<Secret<32>, DeviceError> {
        let key = record::spool_key_of(purpose);
        let mut secret = Secret::zero();
        let flash = &mut self.hardware.flash;
        match self.store.get(flash, key, secret.expose_mut()) {
            Ok(read) if read.len() == 32 => return Ok(secret),
            Ok(_) => return Err(DeviceError::Damaged),
            Err(StoreError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
        let secret = Secret::random(&mut self.hardware.rng)?;
        self.write(key, secret.expose())?;
        Ok(secret)
    }

    pub(super) fn forget_spool_key(&mut self, purpose: Purpose) -> Result<(), DeviceError> {
        let flash = &mut self.hardware.flash;
        match self.store.remove(flash, record::spool_key_of(purpose)) {
            Ok(()) | Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Provisioned, F, R, N> {
    /// Erases one more page of the [spool](Device::mount_spool) of an owner before, whose keys went with them. To be called
    /// until [`Purge::Done`], before the next owner is there.
    ///
    /// *Power loss:* call it again; the flash says what is left to do.
    ///
    /// # Errors
    /// [`DeviceError::Spool`], also when the region overlaps the store.
    pub fn scrub_spool_step(&mut self, region: Region) -> Result<Purge, DeviceError> {
        self.erase_spool_step(region)
    }
}

impl<F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, Retired, F, R, N> {
    /// Erases one more page of the [spool](Device::mount_spool), whose keys are gone. To be called until [`Purge::Done`].
    ///
    /// *Power loss:* call it again; the flash says what is left to do.
    ///
    /// # Errors
    /// [`DeviceError::Spool`], also when the region overlaps the store.
    pub fn scrub_spool_step(&mut self, region: Region) -> Result<Purge, DeviceError> {
        self.erase_spool_step(region)
    }
}

impl<S, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'_, S, F, R, N> {
    fn erase_spool_step(&mut self, region: Region) -> Result<Purge, DeviceError> {
        if region.overlaps(&self.product.store) {
            return Err(SpoolError::Layout.into());
        }
        Ok(Spool::erase_step(&mut self.hardware.flash, &region)?)
    }
}
