//! Telemetry that waits in flash, for a device that has some to spare.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    hal::{Millis, Region},
    secret::Secret,
};
use iotsec_store::{KeyDomain, KeyId, StoreError};
use iotsec_telemetry::{
    batch::{BatchKey, SealedBatch, Sizes},
    consent::ConsentPurpose,
    error::SpoolError,
    queue::{EventId, Receipt},
    registry::EventDef,
    spool::{Purge, Quotas, Refusal, Spool, SpoolParts},
    value::Value,
};
use rand_core::TryCryptoRng;

use super::{Device, DeviceError, Owned, life::read_exact, record};

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Owned, F, R, N> {
    /// Opens a [`Spool`] in a region of the flash that nothing else uses. Events then survive power cuts without
    /// [`keep_events`](Self::keep_events); the queue in memory goes on beside it.
    ///
    /// What it is sealed under is drawn at random and stored as `key`, a value of the owner that the application
    /// chooses: with the owner it goes, and with it all that waits. The purposes that need consent follow with
    /// [`unlock_spool`](Self::unlock_spool).
    ///
    /// *Power loss:* the key is stored or not; without it nothing had been recorded.
    ///
    /// # Errors
    /// [`DeviceError::Reserved`] for a key of the life cycle or of the device domain; [`DeviceError::Spool`], also when
    /// the region overlaps the store; failures of store and entropy.
    ///
    /// ```
    /// # use embedded_storage::nor_flash::NorFlash;
    /// # use iotsec::core::hal::{Millis, Region};
    /// # use iotsec::device::{Device, DeviceError, Owned};
    /// # use iotsec::store::{KeyDomain, KeyId};
    /// # use iotsec::telemetry::batch::{SizeClass, Sizes};
    /// # use iotsec::telemetry::consent::Usage;
    /// # use iotsec::telemetry::{detect::BOOT_LOOP, spool::{Purge, Quotas, Spool}};
    /// # use rand_core::TryCryptoRng;
    /// const EVENTS: KeyId = KeyId::new(KeyDomain::User, 2, 1);
    /// const USAGE: KeyId = KeyId::new(KeyDomain::User, 2, 2);
    ///
    /// fn report<F: NorFlash, R: TryCryptoRng>(
    ///     device: &mut Device<'_, Owned, F, R, 8>,
    ///     region: Region,
    ///     send: impl Fn(&[u8]) -> bool,
    /// ) -> Result<(), DeviceError> {
    ///     // At every boot.
    ///     let quotas = Quotas { journal: 2, critical: 2, security: 4, health: 4, usage: 4 };
    ///     let mut spool = device.mount_spool(region, quotas, EVENTS)?;
    ///     if device.consent::<Usage>().is_some() {
    ///         device.unlock_spool::<Usage>(&mut spool, USAGE)?;
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
    ///     device.remove(USAGE)?;
    ///     while device.purge_spool(&mut spool)? == Purge::Pending {}
    ///     Ok(())
    /// }
    /// ```
    pub fn mount_spool(
        &mut self,
        region: Region,
        quotas: Quotas,
        key: KeyId,
    ) -> Result<Spool<'d>, DeviceError> {
        if region.overlaps(&self.product.store) {
            return Err(SpoolError::Layout.into());
        }
        let key = self.key_of_events(key)?;
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

    /// Gives the spool the key of a purpose that is on. It is drawn at random and stored as `key` like that of
    /// [`mount_spool`](Self::mount_spool). When the purpose is turned off, [remove](Self::remove) it: then nothing can
    /// be read any more, even before the purge.
    ///
    /// *Power loss:* as [`mount_spool`](Self::mount_spool) says.
    ///
    /// # Errors
    /// As [`mount_spool`](Self::mount_spool), and [`DeviceError::Spool`] when `P` is off.
    pub fn unlock_spool<P: ConsentPurpose>(
        &mut self,
        spool: &mut Spool<'_>,
        key: KeyId,
    ) -> Result<(), DeviceError> {
        let key = self.key_of_events(key)?;
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
        let key = read_exact(&mut self.store, &mut self.hardware.flash, record::TELEMETRY_KEY)?;
        let key = Secret::from_bytes(key);
        let suite = self.product.suite;
        let key = BatchKey::new(&key, suite.wire, suite.kdf);
        let (flash, rng) = (&mut self.hardware.flash, &mut self.hardware.rng);
        Ok(spool.batch(flash, &self.consents, &key, sizes, rng, scratch, out)?)
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
    fn key_of_events(&mut self, key: KeyId) -> Result<Secret<32>, DeviceError> {
        if record::is_reserved(key) || key.domain() != KeyDomain::User {
            return Err(DeviceError::Reserved);
        }
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
}
