//! The page that holds the user domain's key, and nothing else, so that erasing it destroys the key.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Aead, CryptoError, NONCE_LEN, TAG_LEN},
    hal::{Region, RootKey},
    secret::Secret,
};
use rand_core::TryCryptoRng;

use crate::{
    KeyDomain, StoreError,
    layout::{Layout, REREADS},
};

/// The page of the region that holds the key, and its first byte.
pub(crate) const PAGE: u32 = 0;
const START: u32 = 0;

const MAGIC: [u8; 4] = *b"iSK1";
pub(crate) const VERSION: u8 = 2;
const PREFIX_LEN: usize = 24;
const SEALED_LEN: usize = 32;
/// `prefix (24) ‖ nonce (12) ‖ sealed key (32) ‖ tag (16)`.
pub(crate) const LEN: usize = PREFIX_LEN
    .saturating_add(NONCE_LEN)
    .saturating_add(SEALED_LEN)
    .saturating_add(TAG_LEN);
const LABEL: &[u8] = b"iotsec/store/wrap-key/v2";

/// The key and how often it was replaced.
pub(crate) struct UserKey {
    pub(crate) key: Secret<32>,
    pub(crate) generation: u32,
}

/// Wraps the key under one that is derived from the root key.
pub(crate) struct Wrapper<'a> {
    aead: &'a dyn Aead,
    key: Secret<32>,
}

impl<'a> Wrapper<'a> {
    pub(crate) fn new(aead: &'a dyn Aead, root: &dyn RootKey) -> Result<Self, StoreError> {
        let mut key = Secret::zero();
        root.derive(LABEL, &mut key)?;
        Ok(Self { aead, key })
    }

    /// Draws a key and writes it, wrapped, into its erased page.
    pub(crate) fn create<F: NorFlash, R: TryCryptoRng + ?Sized>(
        &self,
        flash: &mut F,
        layout: &Layout,
        generation: u32,
        rng: &mut R,
        buffer: &mut [u8],
    ) -> Result<UserKey, StoreError> {
        let key = Secret::random(rng)?;
        let nonce: [u8; NONCE_LEN] = *Secret::random(rng)?.expose();
        let prefix = prefix(layout.region(), generation);
        let mut sealed = *key.expose();
        let tag = self.aead.seal(&self.key, &nonce, &prefix, &mut sealed)?;

        let len = layout
            .region()
            .align_up(u32::try_from(LEN).unwrap_or(u32::MAX))
            .ok_or(StoreError::Layout)?;
        let len = usize::try_from(len).map_err(|_| StoreError::Layout)?;
        let place = buffer.get_mut(..len).ok_or(StoreError::Layout)?;
        let content = prefix
            .into_iter()
            .chain(nonce)
            .chain(sealed)
            .chain(tag)
            .chain(core::iter::repeat(0));
        for (to, from) in place.iter_mut().zip(content) {
            *to = from;
        }
        layout.region().write(flash, START, place)?;
        // A key that does not read back would take everything with it.
        match self.read(flash, layout)? {
            Some(stored) if stored.key.ct_eq(&key) => Ok(UserKey { key, generation }),
            _ => Err(StoreError::ReadBack),
        }
    }

    /// Reads the key; `None` when the page holds no whole one.
    pub(crate) fn read<F: NorFlash>(
        &self,
        flash: &mut F,
        layout: &Layout,
    ) -> Result<Option<UserKey>, StoreError> {
        let region = layout.region();
        let mut bytes = [0; LEN];
        if !layout.read(flash, START, &mut bytes)? {
            return Ok(None);
        }
        let Some((stored, rest)) = bytes.split_first_chunk::<PREFIX_LEN>() else {
            return Ok(None);
        };
        let Some((nonce, rest)) = rest.split_first_chunk::<NONCE_LEN>() else {
            return Ok(None);
        };
        let Some((sealed, tag)) = rest.split_first_chunk::<SEALED_LEN>() else {
            return Ok(None);
        };
        let Some(tag) = tag.first_chunk::<TAG_LEN>() else {
            return Ok(None);
        };
        let [m0, m1, m2, m3, version, _, _, _, g0, g1, g2, g3, ..] = *stored;
        if [m0, m1, m2, m3] != MAGIC {
            return Ok(None);
        }
        let generation = u32::from_le_bytes([g0, g1, g2, g3]);
        let mut key = Secret::from_bytes(*sealed);
        match self.aead.open(&self.key, nonce, stored, key.expose_mut(), tag) {
            Ok(()) => {}
            Err(CryptoError::Tag) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // The wrapping of this page is the same in every version, so these two answers are authentic.
        if version != VERSION {
            return Err(StoreError::Version);
        }
        if prefix(region, generation) != *stored {
            return Err(StoreError::Geometry);
        }
        Ok(Some(UserKey { key, generation }))
    }
}

/// Whether the page of the key reads the same several times. After an interrupted write it may not.
pub(crate) fn is_steady<F: NorFlash>(flash: &mut F, layout: &Layout) -> Result<bool, StoreError> {
    let mut bytes = [0; LEN];
    let mut steady = layout.read(flash, START, &mut bytes)?;
    for _ in 1..REREADS {
        let mut again = [0; LEN];
        steady &= layout.read(flash, START, &mut again)? && again == bytes;
    }
    Ok(steady)
}

/// Destroys the key and makes sure that it is gone.
pub(crate) fn destroy<F: NorFlash>(flash: &mut F, layout: &Layout) -> Result<(), StoreError> {
    let region = layout.region();
    region.erase_page(flash, PAGE)?;
    if layout.is_blank(flash, PAGE, 0..u32::MAX)? {
        Ok(())
    } else {
        Err(StoreError::ReadBack)
    }
}

/// `magic (4) ‖ version (1) ‖ domain (1) ‖ 0 (2) ‖ generation (4) ‖ page size (4) ‖ pages (4) ‖
/// word size (2) ‖ erased byte (1) ‖ 0 (1)`, little endian. All of it is associated data.
fn prefix(region: &Region, generation: u32) -> [u8; PREFIX_LEN] {
    let [w0, w1, ..] = region.word_size().to_le_bytes();
    let content = MAGIC
        .into_iter()
        .chain([VERSION, KeyDomain::User.code(), 0, 0])
        .chain(generation.to_le_bytes())
        .chain(region.page_size().to_le_bytes())
        .chain(region.page_count().to_le_bytes())
        .chain([w0, w1, region.erased(), 0]);
    let mut prefix = [0; PREFIX_LEN];
    for (to, from) in prefix.iter_mut().zip(content) {
        *to = from;
    }
    prefix
}
