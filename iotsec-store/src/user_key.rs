//! The page that holds the user domain's key, and nothing else, so that erasing it destroys the key.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{Aead, AeadAlgorithm, CryptoError, NONCE_LEN, TAG_LEN},
    hal::{Region, RootKey},
    secret::Secret,
};
use rand_core::TryCryptoRng;

use crate::{
    KeyDomain, StoreError,
    bytes::{at, join},
    layout::{Layout, REREADS},
};

/// The page of the region that holds the key, and its first byte.
pub(crate) const PAGE: u32 = 0;
const START: u32 = 0;

pub(crate) const MAGIC: [u8; 4] = *b"iSK1";
pub(crate) const VERSION: u8 = 2;
const PREFIX_LEN: usize = 24;
const SEALED_LEN: usize = 32;
/// `prefix (24) ‖ nonce (12) ‖ sealed key (32) ‖ tag (16)`.
pub(crate) const LEN: usize = TAG_AT.saturating_add(TAG_LEN);
/// The same.
pub(crate) const LEN_32: u32 = 84;
const _: () = assert!(LEN == 84);
const SEALED_AT: usize = PREFIX_LEN.saturating_add(NONCE_LEN);
const TAG_AT: usize = SEALED_AT.saturating_add(SEALED_LEN);
/// In the prefix.
const GENERATION_AT: usize = 8;
const CIPHER_AT: usize = 23;
const LABEL: &[u8] = b"iotsec/store/wrap-key/v2";

/// The number of a cipher; [`NO_CIPHER`] for those that no store may be sealed with.
pub(crate) fn cipher(aead: &dyn Aead) -> u8 {
    match aead.algorithm() {
        AeadAlgorithm::Aes256GcmSiv => 0,
        AeadAlgorithm::ChaCha20HmacSiv => 1,
        _ => NO_CIPHER,
    }
}

pub(crate) const NO_CIPHER: u8 = 0xFF;

/// The key that the user domain's is wrapped under, from the root key.
pub(crate) fn derive_wrap_key(root: &dyn RootKey) -> Result<Secret<32>, StoreError> {
    let mut wrap = Secret::zero();
    root.derive(LABEL, &mut wrap)?;
    Ok(wrap)
}

/// Draws a key into `key` and writes it, wrapped, into its erased page.
pub(crate) fn create<F: NorFlash, R: TryCryptoRng + ?Sized>(
    flash: &mut F,
    layout: &Layout,
    (aead, wrap): (&dyn Aead, &Secret<32>),
    generation: u32,
    rng: &mut R,
    buffer: &mut [u8],
    key: &mut Secret<32>,
) -> Result<(), StoreError> {
    *key = Secret::random(rng)?;
    let nonce = Secret::<NONCE_LEN>::random(rng)?;
    let prefix = prefix(layout.region(), aead, generation);
    let mut sealed = *key.expose();
    let tag = aead.seal(wrap, nonce.expose(), &prefix, &mut sealed)?;

    let len = layout.region().align_up(LEN_32).ok_or(StoreError::Layout)?;
    let len = usize::try_from(len).map_err(|_| StoreError::Layout)?;
    let place = buffer.get_mut(..len).ok_or(StoreError::Layout)?;
    join(place, &[&prefix, nonce.expose(), &sealed, &tag]);
    layout.region().write(flash, START, place)?;
    // A key that does not read back would take everything with it.
    let mut stored = Secret::zero();
    let found = read(flash, layout, (aead, wrap), &mut stored)?;
    if found.is_some() && stored.ct_eq(key) {
        Ok(())
    } else {
        Err(StoreError::ReadBack)
    }
}

/// Reads the key, and returns how often it was replaced; `None` when the page holds no whole one.
///
/// # Errors
/// [`StoreError::Cipher`] for a page that does not open and names another cipher, which is not authentic.
pub(crate) fn read<F: NorFlash>(
    flash: &mut F,
    layout: &Layout,
    (aead, wrap): (&dyn Aead, &Secret<32>),
    key: &mut Secret<32>,
) -> Result<Option<u32>, StoreError> {
    let mut bytes = [0; LEN];
    if !layout.read(flash, START, &mut bytes)? || !bytes.starts_with(&MAGIC) {
        return Ok(None);
    }
    let stored: [u8; PREFIX_LEN] = at(&bytes, 0);
    *key.expose_mut() = at(&bytes, SEALED_AT);
    let (nonce, tag) = (at(&bytes, PREFIX_LEN), at(&bytes, TAG_AT));
    match aead.open(wrap, &nonce, &stored, key.expose_mut(), &tag) {
        Ok(()) => {}
        Err(CryptoError::Tag) => {
            // One of the two, and not this one.
            let [named] = at(&stored, CIPHER_AT);
            return if named ^ cipher(aead) == 1 {
                Err(StoreError::Cipher)
            } else {
                Ok(None)
            };
        }
        Err(error) => return Err(error.into()),
    }
    // The wrapping of this page is the same in every version, so these two answers are authentic.
    let [_, _, _, _, version, ..] = stored;
    if version != VERSION {
        return Err(StoreError::Version);
    }
    let generation = u32::from_le_bytes(at(&stored, GENERATION_AT));
    if prefix(layout.region(), aead, generation) != stored {
        return Err(StoreError::Geometry);
    }
    Ok(Some(generation))
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
/// word size (2) ‖ erased byte (1) ‖ cipher (1)`, little endian. All of it is associated data.
fn prefix(region: &Region, aead: &dyn Aead, generation: u32) -> [u8; PREFIX_LEN] {
    let [w0, w1, ..] = region.word_size().to_le_bytes();
    let mut prefix = [0; PREFIX_LEN];
    join(
        &mut prefix,
        &[
            &MAGIC,
            &[VERSION, KeyDomain::User.code(), 0, 0],
            &generation.to_le_bytes(),
            &region.page_size().to_le_bytes(),
            &region.page_count().to_le_bytes(),
            &[w0, w1, region.erased(), cipher(aead)],
        ],
    );
    prefix
}
