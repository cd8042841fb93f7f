//! The head of a data page: it stands first and is written last, and makes the page part of the log.

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::crypto::{CryptoError, NONCE_LEN, TAG_LEN};

use crate::{
    StoreError, Suite,
    bytes::{at, join},
    layout::Layout,
    sealing::{Keys, SALT_LEN},
    user_key::VERSION,
};

/// `salt (16) ‖ sequence number (4) ‖ sealed (28) ‖ tag (16)`; sequence numbers count from 1.
pub(crate) const HEAD_LEN: usize = 64;
/// Salt and sequence number.
const CLEAR_LEN: usize = 20;
const SEALED_LEN: usize = 28;

/// A head as flash has it.
pub(crate) struct Raw([u8; HEAD_LEN]);

/// What a head is to say of the log.
pub(crate) struct Opening {
    /// Sequence number of the page with which the log begins.
    pub(crate) oldest: u32,
    /// Where the page before ends beyond doubt.
    pub(crate) sure: u32,
    /// Bytes of a record behind that of which nobody knows whether it was written whole.
    pub(crate) doubt: u16,
    /// A transaction is under way.
    pub(crate) in_transaction: bool,
    /// Generation that the user domain's key has, or is to have.
    pub(crate) generation: u32,
    /// Over the headers of the page before, up to `sure`.
    pub(crate) sum: u32,
    /// Where the copies end that were made when the page was opened, in words.
    pub(crate) start: u16,
    /// What the monotonic counter is at, or is to be; zero without one. Six bytes.
    pub(crate) counter: u64,
}

/// What a head says, as [`Opening`] describes it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opened([u8; SEALED_LEN]);

/// The highest number that a page has room for.
pub(crate) const MAX_COUNTER: u64 = 0xFFFF_FFFF_FFFF;

const IN_TRANSACTION: u16 = 1;

impl Opened {
    /// To be filled.
    pub(crate) const EMPTY: Self = Self([0; SEALED_LEN]);

    pub(crate) fn new(opening: &Opening) -> Self {
        let flags = if opening.in_transaction { IN_TRANSACTION } else { 0 };
        let mut bytes = [0; SEALED_LEN];
        join(
            &mut bytes,
            &[
                &opening.oldest.to_le_bytes(),
                &opening.sure.to_le_bytes(),
                &opening.doubt.to_le_bytes(),
                &flags.to_le_bytes(),
                &opening.generation.to_le_bytes(),
                &opening.sum.to_le_bytes(),
                &opening.start.to_le_bytes(),
                // Its upper two bytes, of which none is set, have no room.
                &opening.counter.to_le_bytes(),
            ],
        );
        Self(bytes)
    }

    pub(crate) fn oldest(&self) -> u32 {
        u32::from_le_bytes(at(&self.0, 0))
    }

    pub(crate) fn sure(&self) -> u32 {
        u32::from_le_bytes(at(&self.0, 4))
    }

    pub(crate) fn doubt(&self) -> u16 {
        u16::from_le_bytes(at(&self.0, 8))
    }

    pub(crate) fn in_transaction(&self) -> bool {
        u16::from_le_bytes(at(&self.0, 10)) & IN_TRANSACTION != 0
    }

    pub(crate) fn generation(&self) -> u32 {
        u32::from_le_bytes(at(&self.0, 12))
    }

    pub(crate) fn sum(&self) -> u32 {
        u32::from_le_bytes(at(&self.0, 16))
    }

    pub(crate) fn start(&self) -> u16 {
        u16::from_le_bytes(at(&self.0, 20))
    }

    pub(crate) fn counter(&self) -> u64 {
        let [c0, c1, c2, c3, c4, c5] = at(&self.0, 22);
        u64::from_le_bytes([c0, c1, c2, c3, c4, c5, 0, 0])
    }
}

impl Raw {
    /// To be filled.
    pub(crate) const EMPTY: Self = Self([0; HEAD_LEN]);

    fn begin(&mut self, sequence: u32, salt: &[u8; SALT_LEN]) {
        join(&mut self.0, &[salt, &sequence.to_le_bytes()]);
    }

    fn sealed(&mut self) -> &mut [u8] {
        self.0.get_mut(CLEAR_LEN..).unwrap_or_default()
    }

    /// The head of page `sequence` that says `opened`.
    pub(crate) fn seal(
        &mut self,
        opened: &Opened,
        sequence: u32,
        layout: &Layout,
        suite: &Suite<'_>,
        keys: &Keys,
    ) -> Result<(), CryptoError> {
        self.begin(sequence, keys.salt());
        let mut sealed = opened.0;
        let (nonce, aad) = (self.nonce(), self.aad(layout));
        let tag = suite.aead.seal(keys.page(), &nonce, &aad, &mut sealed)?;
        join(self.sealed(), &[&sealed, &tag]);
        Ok(())
    }

    /// Writes it where it belongs.
    pub(crate) fn write<F: NorFlash>(
        &self,
        flash: &mut F,
        layout: &Layout,
        buffer: &mut [u8],
    ) -> Result<(), StoreError> {
        let len = usize::try_from(layout.head_len()).map_err(|_| StoreError::Layout)?;
        let place = buffer.get_mut(..len).ok_or(StoreError::Layout)?;
        join(place, &[&self.0]);
        let at = layout.start(layout.page_of(self.sequence()));
        layout.region().write(flash, at, place)?;
        Ok(())
    }

    pub(crate) fn salt(&self) -> [u8; SALT_LEN] {
        at(&self.0, 0)
    }

    pub(crate) fn sequence(&self) -> u32 {
        u32::from_le_bytes(at(&self.0, SALT_LEN))
    }

    /// Whether it is whole and ours; then `opened` is what it says.
    ///
    /// # Errors
    /// Failures of the cipher.
    pub(crate) fn open(
        &self,
        opened: &mut Opened,
        layout: &Layout,
        suite: &Suite<'_>,
        keys: &Keys,
    ) -> Result<bool, StoreError> {
        let mut sealed = at(&self.0, CLEAR_LEN);
        let tag: [u8; TAG_LEN] = at(&self.0, CLEAR_LEN.saturating_add(SEALED_LEN));
        let (nonce, aad) = (self.nonce(), self.aad(layout));
        match suite.aead.open(keys.page(), &nonce, &aad, &mut sealed, &tag) {
            Ok(()) => {
                *opened = Opened(sealed);
                Ok(true)
            }
            Err(CryptoError::Tag) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The salt is what the key is derived from, so it needs no other protection; it stands here all the same.
    fn aad(&self, layout: &Layout) -> [u8; AAD_LEN] {
        let region = layout.region();
        let [w0, w1, ..] = region.word_size().to_le_bytes();
        let clear: [u8; CLEAR_LEN] = at(&self.0, 0);
        let version = VERSION | if layout.has_user() { 0 } else { NO_USER };
        let mut aad = [0; AAD_LEN];
        join(
            &mut aad,
            &[
                b"iotsec/store/page/v2",
                &clear,
                &[version, region.erased(), w0, w1],
                &region.page_size().to_le_bytes(),
                &region.page_count().to_le_bytes(),
            ],
        );
        aad
    }

    fn nonce(&self) -> [u8; NONCE_LEN] {
        let [a, b, c, d] = self.sequence().to_le_bytes();
        [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0]
    }
}

const AAD_LEN: usize = 52;
/// With the version, in the associated data: there is no user domain.
const NO_USER: u8 = 0x80;

/// Reads salt and sequence number of a head at the place `at` in the region, whatever page that is. False if they cannot
/// be read.
pub(crate) fn read_clear<F: NorFlash>(
    flash: &mut F,
    layout: &Layout,
    at: u32,
    raw: &mut Raw,
) -> Result<bool, StoreError> {
    let clear = raw.0.get_mut(..CLEAR_LEN).unwrap_or_default();
    Ok(layout.read(flash, at, clear)?)
}

/// Reads the head of page `sequence` of a log whose salt is known: what is sealed in it, which no other salt and no other
/// number opens, is all that is read. False if it cannot be read.
pub(crate) fn read_sealed<F: NorFlash>(
    flash: &mut F,
    layout: &Layout,
    sequence: u32,
    salt: &[u8; SALT_LEN],
    raw: &mut Raw,
) -> Result<bool, StoreError> {
    raw.begin(sequence, salt);
    let start = layout.start(layout.page_of(sequence));
    Ok(layout.read(flash, start.saturating_add(SEALED_AT), raw.sealed())?)
}

/// The highest sequence number of all pages, whoever wrote it, and its page; zeros if there is none.
pub(crate) fn highest<F: NorFlash>(flash: &mut F, layout: &Layout) -> Result<(u32, u32), StoreError> {
    let mut highest = (0, 0);
    for page in 0..layout.data_pages() {
        let sequence = read_sequence(flash, layout, page)?;
        if sequence > highest.0 {
            highest = (sequence, page);
        }
    }
    Ok(highest)
}

/// The sequence number that stands where the head of data page `page` has it; 0 for what is none of that page.
pub(crate) fn read_sequence<F: NorFlash>(
    flash: &mut F,
    layout: &Layout,
    page: u32,
) -> Result<u32, StoreError> {
    let mut bytes = [0; 4];
    let at = layout.start(page).saturating_add(SEQUENCE_AT);
    let readable = layout.read(flash, at, &mut bytes)?;
    let sequence = u32::from_le_bytes(bytes);
    Ok(if readable && is_of(layout, page, sequence) {
        sequence
    } else {
        0
    })
}

/// Where the sequence number stands, and what is sealed.
const SEQUENCE_AT: u32 = 16;
const SEALED_AT: u32 = 20;
const _: () = assert!(SALT_LEN == 16 && CLEAR_LEN == 20);

/// Whether data page `page` is the one that has this number.
fn is_of(layout: &Layout, page: u32, sequence: u32) -> bool {
    sequence > 0 && layout.page_of(sequence) == page
}
