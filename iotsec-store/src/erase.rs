//! Erasing what belongs to the owner, and everything.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::secret::Secret;
use rand_core::TryCryptoRng;

use crate::{
    KeyDomain, Store, StoreError, StoreRegion, layout::Layout, log, page, store::FIRST_GENERATION, user_key,
};

/// How far the physical removal of erased records has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scrub {
    /// There is more to do.
    Pending,
    /// No byte that was stored before the erasure is in flash any more, not even encrypted.
    Done,
}

impl Store<'_> {
    /// Erases everything in the user domain at once, by destroying its key.
    ///
    /// Afterwards the records are gone from the index, and what is left of them in flash is ciphertext under a
    /// key that no longer exists, neither here nor derivable from the root key. [`scrub_step`](Self::scrub_step)
    /// removes that too.
    ///
    /// Takes a write and an erase, as [`put`](Self::put) does, and one erase and one write for the key.
    ///
    /// *Power loss:* not begun, or finished by the next [`mount`](Self::mount). If the key was lost, there is a third:
    /// what was in the domain is still lost or already gone; call again.
    ///
    /// # Errors
    /// Failures of flash, entropy or root key; [`StoreError::ReadBack`] when the key's page does not become blank;
    /// [`StoreError::NoUserDomain`]. If the erasure had begun, the domain takes no values until it is repeated, here or
    /// by mounting.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let replay = ReplayProtection::None;
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// let (serial, wifi) = (KeyId::new(KeyDomain::Device, 0, 1), KeyId::new(KeyDomain::User, 1, 1));
    /// store.put(&mut flash, serial, b"4711")?;
    /// store.put(&mut flash, wifi, b"correct horse battery")?;
    /// store.erase_user(&mut flash, &mut rng)?;
    /// assert!(store.contains(serial) && !store.contains(wifi));
    /// // At once, or a step now and then.
    /// while store.scrub_step(&mut flash)? == Scrub::Pending {}
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn erase_user<F: NorFlash, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        rng: &mut R,
    ) -> Result<(), StoreError> {
        self.layout.check_domain(KeyDomain::User)?;
        let generation = self.user_generation.checked_add(1).ok_or(StoreError::Exhausted)?;
        if self.is_user_key_lost() {
            // Nothing can be read any more, nor be moved out of the way. What is in the key's page might
            // still be a key that could not be read so far: it goes first.
            user_key::destroy(flash, &self.layout)?;
            self.index.remove_domain(KeyDomain::User);
        }
        self.begin(flash)?;
        let position = self.append(flash, log::ERASE, &generation.to_le_bytes())?;
        self.index.remove_domain(KeyDomain::User);
        self.scrub_until = Some(position.sequence);
        self.replace_user_key(flash, generation, rng)?;
        self.replay.written()
    }

    /// How often the user domain was erased since the store was formatted. An erasure that was interrupted counts from
    /// the next [`mount`](Self::mount) on, which finishes it.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let replay = ReplayProtection::None;
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// assert_eq!(store.erasures(), 0);
    /// store.erase_user(&mut flash, &mut rng)?;
    /// assert_eq!(store.erasures(), 1);
    /// # Ok::<(), StoreError>(())
    /// ```
    pub const fn erasures(&self) -> u32 {
        self.user_generation.saturating_sub(FIRST_GENERATION)
    }

    /// Whether what is in the user domain cannot be read, because its key is not there: [`StoreError::KeyLost`]. Until
    /// [`erase_user`](Self::erase_user) gives it up, the domain takes no values, and in the end the other takes none
    /// either. A key that could not be read at this mount may be there at the next.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let replay = ReplayProtection::None;
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// assert!(!store.is_user_key_lost());
    /// store.put(&mut flash, KeyId::new(KeyDomain::User, 1, 1), b"correct horse battery")?;
    /// drop(store);
    /// flash.tamper(40, &[0x5A; 8]);
    /// let replay = ReplayProtection::None;
    /// let mut store = Store::mount(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// assert!(store.is_user_key_lost());
    /// store.erase_user(&mut flash, &mut rng)?;
    /// assert!(!store.is_user_key_lost());
    /// # Ok::<(), StoreError>(())
    /// ```
    pub const fn is_user_key_lost(&self) -> bool {
        self.layout.has_user() && self.key_generation.is_none()
    }

    /// Removes erased records from flash, one page at a time: at most one erase a call, and a write for each
    /// live record of the page. Call until [`Scrub::Done`]; it goes on where it was after a reboot.
    ///
    /// *Power loss:* nothing is lost; call again after mounting.
    ///
    /// # Errors
    /// Failures of flash and cipher: nothing is lost, call again. [`StoreError::ReadBack`] when a page does not
    /// become blank.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let replay = ReplayProtection::None;
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// store.put(&mut flash, KeyId::new(KeyDomain::User, 1, 1), b"correct horse battery")?;
    /// store.erase_user(&mut flash, &mut rng)?;
    /// let mut steps = 0;
    /// while store.scrub_step(&mut flash)? == Scrub::Pending {
    ///     steps += 1;
    /// }
    /// assert!(steps <= 2 * store.data_pages());
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn scrub_step<F: NorFlash>(&mut self, flash: &mut F) -> Result<Scrub, StoreError> {
        if self.scrub_until.is_some() {
            self.open_page(flash, true)?;
            return Ok(Scrub::Pending);
        }
        // What is outside the log, beginning with the page after the head.
        let mut page = self.layout.after(self.layout.page_of(self.head.sequence));
        for _ in self.pages_used()..self.layout.data_pages() {
            let flash_page = self.layout.flash_page(page);
            if !self.layout.is_blank(flash, flash_page, 0..u32::MAX)? {
                self.layout.region().erase_page(flash, flash_page)?;
                // A page that stays as it is would be erased for ever.
                return if self.layout.is_blank(flash, flash_page, 0..u32::MAX)? {
                    Ok(Scrub::Pending)
                } else {
                    Err(StoreError::ReadBack)
                };
            }
            page = self.layout.after(page);
        }
        Ok(Scrub::Done)
    }

    /// Lets [`scrub_step`](Self::scrub_step) remove everything that was replaced or removed up to now. Without it, that
    /// stays in flash as ciphertext until its page is needed.
    ///
    /// *Power loss:* forgotten; call again.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let replay = ReplayProtection::None;
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// let token = KeyId::new(KeyDomain::Device, 1, 1);
    /// store.put(&mut flash, token, b"of use for an hour")?;
    /// store.remove(&mut flash, token)?;
    /// store.begin_scrub();
    /// while store.scrub_step(&mut flash)? == Scrub::Pending {}
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn begin_scrub(&mut self) {
        self.scrub_until = Some(self.head.sequence);
    }

    /// Destroys a store with everything in it.
    ///
    /// *Power loss:* the store as it was; or none, which [`mount`](Self::mount) answers with
    /// [`StoreError::Unformatted`] or, as for any store of which a part is missing, [`StoreError::Tampered`], and without
    /// a user domain perhaps with [`StoreError::Geometry`] or [`StoreError::Cipher`]: call again for what is left of it
    /// in flash.
    ///
    /// # Errors
    /// Failures of flash.
    ///
    /// ```
    /// # use iotsec_core::crypto::{Aes256GcmSiv, HkdfSha256};
    /// # use iotsec_store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Scrub, Store, StoreError, Suite};
    /// # use iotsec_testkit::{Geometry, SimFlash, SimRng, SimRootKey};
    /// # let mut flash = SimFlash::new(Geometry::nrf52840(8));
    /// # let region = flash.region()?;
    /// # let (mut rng, root) = (SimRng::new(1), SimRootKey::new(1));
    /// # let suite = Suite { aead: &Aes256GcmSiv, kdf: &HkdfSha256, root: &root };
    /// # let (mut index, mut buffer) = ([IndexEntry::EMPTY; 32], [0; 512]);
    /// # let replay = ReplayProtection::None;
    /// # let mut store = Store::format(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng)?;
    /// drop(store);
    /// Store::destroy(&mut flash, region)?;
    /// let replay = ReplayProtection::None;
    /// let mounted = Store::mount(&mut flash, region, suite, &mut index, &mut buffer, replay, &mut rng);
    /// assert_eq!(mounted.err(), Some(StoreError::Unformatted));
    /// # Ok::<(), StoreError>(())
    /// ```
    pub fn destroy<F: NorFlash>(flash: &mut F, region: impl Into<StoreRegion>) -> Result<(), StoreError> {
        Self::destroy_all(flash, region.into())
    }

    /// The same, for every form of region.
    pub(crate) fn destroy_all<F: NorFlash>(flash: &mut F, region: StoreRegion) -> Result<(), StoreError> {
        region.region.check(flash)?;
        let layout = Layout::new(region)?;
        // From the oldest page on: what is left after a cut lacks its beginning, and no earlier state comes to light.
        let (_, mut page) = page::highest(flash, &layout)?;
        for _ in 0..layout.data_pages() {
            page = layout.after(page);
            layout.region().erase_page(flash, layout.flash_page(page))?;
        }
        if layout.has_user() {
            user_key::destroy(flash, &layout)?;
        }
        Ok(())
    }

    /// Puts a new key in the place of the user domain's old one.
    pub(crate) fn replace_user_key<F: NorFlash, R: TryCryptoRng + ?Sized>(
        &mut self,
        flash: &mut F,
        generation: u32,
        rng: &mut R,
    ) -> Result<(), StoreError> {
        self.key_generation = None;
        self.user_generation = generation;
        user_key::destroy(flash, &self.layout)?;
        let wrap = user_key::derive_wrap_key(self.suite.root)?;
        let wrapper = (self.suite.aead, &wrap);
        let mut user = Secret::zero();
        user_key::create(
            flash,
            &self.layout,
            wrapper,
            generation,
            rng,
            self.buffer,
            &mut user,
        )?;
        self.keys.set_user(&self.suite, &user)?;
        self.key_generation = Some(generation);
        Ok(())
    }
}

iotsec_core::claim! {
    provisions: ["5.11-1"],
    claims: "The owner's data go by their key, at once or not at all at any power cut, and scrubbing leaves not even ciphertext",
    code: [Store::erase_user],
    tests: [
        "iotsec-store::store::power_cut::erasing_the_user_domain_happens_or_does_not",
        "iotsec-store::store::secrecy::n14_after_erasing_and_scrubbing_not_even_ciphertext_is_left",
        "iotsec-store::store::secrecy::n14_what_is_copied_after_an_erasure_cannot_be_opened_even_with_the_root_key",
    ],
}
