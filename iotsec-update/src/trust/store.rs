mod header;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::{DIGEST_LEN, Digest},
    hal::{CounterError, Region},
};

use super::{Rotation, Trust, bundle::TrustBundle, error::TrustError, guard::Guard, open};
use crate::{
    DeviceIdentity, digest,
    slot::{MAX_WORD, erase_pages, read_block, write_padded},
};
use header::{Half, Header, body_offset, half_len, header_space, page_of, start_of};

/// Where the trust bundle lives in flash: a region of two or more pages, used in halves.
///
/// A half is a header, a mark, and the signed bundle. A new bundle goes into the half that does not hold
/// the present one.
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | magic `iTRU` |
/// | 4 | 1 | version, 1 |
/// | 5 | 3 | zero |
/// | 8 | 4 | bytes of the bundle, little-endian |
/// | 12 | 4 | serial number of this writing, little-endian |
/// | 16 | 32 | tag over "iotsec-trust-store/1", bytes 0 to 15, and the bundle |
/// | 48 | 4 | CRC-32 of bytes 0 to 47, little-endian |
/// | 52 | 12 | zero |
/// | 64, rounded up to a word | 4 | mark `done` |
/// | the next word | | the bundle |
///
/// The tag is HMAC-SHA-256 under a key from the device's
/// [`RootKey`](iotsec_core::hal::RootKey), or SHA-256 without a [`Seal`](super::Seal).
///
/// *Power loss* leaves the old bundle or the new one, never neither. The bundle is programmed first, then
/// the header, then the mark. The words that were being programmed when the power went may read
/// differently at every start; who sees the mark, or a counter that was raised, knows that this is not so
/// in the header. Otherwise [`mount`](TrustStore::mount) writes the half once more, before the other may
/// be given up.
///
/// ```
/// use iotsec_core::{crypto::Sha256, hal::Region};
/// use iotsec_testkit::{Geometry, SimCounter, SimFlash};
/// use iotsec_update::{
///     DeviceIdentity,
///     trust::{Guard, Rotation, Trust, TrustError, TrustStore},
/// };
///
/// /// In the factory.
/// fn provision(flash: &mut SimFlash, region: Region, factory: &Trust<'_>) -> Result<(), TrustError> {
///     let mut counter = SimCounter::new();
///     let mut guard = Guard::new().with_counter(&mut counter);
///     TrustStore::provision(flash, region, factory, &mut guard, &mut Sha256::new())?;
///     Ok(())
/// }
///
/// /// In the field: what was checked is stored, and believed from then on.
/// fn go_on<'n>(
///     flash: &mut SimFlash,
///     store: &mut TrustStore,
///     next: Rotation<'n>,
///     guard: &mut Guard<'_>,
/// ) -> Result<Trust<'n>, TrustError> {
///     store.put(flash, next, guard, &mut Sha256::new())
/// }
///
/// let mut flash = SimFlash::new(Geometry::nrf52840(2));
/// let region = Region::new(0, 4096, 2, 4)?;
/// let device = DeviceIdentity { vendor: [1; 16], class: [2; 16], device: None, components: &[] };
/// let mut buffer = [0; 1024];
/// let mounted = TrustStore::mount(
///     &mut flash,
///     region,
///     &device,
///     &mut Guard::new(),
///     &mut Sha256::new(),
///     &mut buffer,
/// );
/// assert_eq!(mounted.err(), Some(TrustError::Missing), "never version zero");
/// # Ok::<(), TrustError>(())
/// ```
#[derive(Debug)]
pub struct TrustStore {
    region: Region,
    home: Half,
    serial: u32,
}

impl TrustStore {
    /// Checks that the region can hold two bundles of some size.
    ///
    /// # Errors
    /// [`TrustError::Region`].
    pub const fn check(region: &Region) -> Result<(), TrustError> {
        if region.page_count() < 2 || region.word_size() > 256 || Self::capacity(region) == 0 {
            return Err(TrustError::Region);
        }
        Ok(())
    }

    /// Bytes of the largest signed bundle that the region holds.
    pub const fn capacity(region: &Region) -> u32 {
        half_len(region).saturating_sub(body_offset(region))
    }

    /// Puts the first bundle there, twice, whatever was there before; and raises the counter to it.
    ///
    /// In the factory, with the factory bundle. In the field it mends a store that is
    /// [`Missing`](TrustError::Missing) or [`Corrupt`](TrustError::Corrupt): start from the factory bundle,
    /// [rotate](Trust::rotate) in memory to one that is not below the counter, and store that.
    /// *Power loss:* leaves nothing or the bundle; do it again until it has returned.
    ///
    /// # Errors
    /// [`TrustError::BelowCounter`]; [`TrustError::Region`]; [`TrustError::TooLarge`]; of flash, counter
    /// and root key.
    pub fn provision<F: NorFlash>(
        flash: &mut F,
        region: Region,
        trust: &Trust<'_>,
        guard: &mut Guard<'_>,
        hash: &mut dyn Digest,
    ) -> Result<Self, TrustError> {
        Self::check(&region)?;
        region.check(flash)?;
        let version = trust.bundle().version();
        if version < guard.floor()? {
            return Err(TrustError::BelowCounter);
        }
        let mut store = Self {
            region,
            home: Half::First,
            serial: 0,
        };
        // Nothing that was there may be taken for newer than this.
        region.erase_page(flash, page_of(&region, Half::Second))?;
        for half in [Half::First, Half::Second] {
            store.write(flash, half, trust.message(), guard, hash)?;
        }
        guard.raise(version)?;
        Ok(store)
    }

    /// Reads the stored bundle into `buffer`, and finishes a [`put`](Self::put) that was cut near its end.
    /// Finishing costs one writing of the bundle (at every mount, once the counter is exhausted).
    ///
    /// Its signatures were checked before it was stored, and are not checked again.
    ///
    /// # Errors
    /// [`TrustError::Missing`] when nothing was ever stored; [`TrustError::Corrupt`] when nothing there
    /// is whole and by this device; [`TrustError::BelowCounter`]; [`TrustError::Product`];
    /// [`TrustError::BufferTooSmall`]; of flash, counter and root key. None of them is version zero: the
    /// device has no trust until it is [provisioned](Self::provision) again.
    pub fn mount<'b, F: NorFlash>(
        flash: &mut F,
        region: Region,
        device: &DeviceIdentity<'_>,
        guard: &mut Guard<'_>,
        hash: &mut dyn Digest,
        buffer: &'b mut [u8],
    ) -> Result<(Self, Trust<'b>), TrustError> {
        Self::check(&region)?;
        region.check(flash)?;
        let found = find(flash, &region, guard, hash, buffer)?;
        let message = buffer.get(..found.len).ok_or(TrustError::BufferTooSmall)?;
        let trust = believe(message, device, hash)?;
        let version = trust.bundle().version();
        let floor = guard.floor()?;
        if version < floor {
            return Err(TrustError::BelowCounter);
        }
        let mut store = Self {
            region,
            home: found.half,
            serial: found.serial,
        };
        // The counter is raised only to what was written without a cut, and then needs no mark.
        let settled = if guard.has_counter() {
            floor == version
        } else {
            found.marked
        };
        if !settled {
            // With an older bundle to fall back on, this one is written again; without, there is but this
            // copy, and another goes beside it.
            let half = if found.has_older {
                found.half
            } else {
                found.half.other()
            };
            store.write(flash, half, message, guard, hash)?;
        }
        if floor < version {
            match guard.raise(version) {
                // Said to whoever called `put`. What is stored stays in force.
                Err(TrustError::Counter(CounterError::Exhausted)) => {}
                done => done?,
            }
        }
        Ok((store, trust))
    }

    /// Stores the next bundle, raises the counter, and from then on believes it.
    ///
    /// Erases as many pages as the bundle needs in one call.
    ///
    /// # Errors
    /// [`TrustError::TooLarge`] and [`TrustError::BelowCounter`], which change nothing;
    /// [`TrustError::Corrupt`] when flash does not hold what was written, and flash errors: the present
    /// bundle stays. With an error of the counter the next bundle is stored, but could be put back.
    pub fn put<'n, F: NorFlash>(
        &mut self,
        flash: &mut F,
        next: Rotation<'n>,
        guard: &mut Guard<'_>,
        hash: &mut dyn Digest,
    ) -> Result<Trust<'n>, TrustError> {
        let next = next.into_trust();
        let version = next.bundle().version();
        if version < guard.floor()? {
            return Err(TrustError::BelowCounter);
        }
        self.write(flash, self.home.other(), next.message(), guard, hash)?;
        guard.raise(version)?;
        Ok(next)
    }

    /// Writes a half, reads it back, and makes it the home.
    fn write<F: NorFlash>(
        &mut self,
        flash: &mut F,
        half: Half,
        message: &[u8],
        guard: &Guard<'_>,
        hash: &mut dyn Digest,
    ) -> Result<(), TrustError> {
        let region = &self.region;
        let len = u32::try_from(message.len()).map_err(|_| TrustError::TooLarge)?;
        if len > Self::capacity(region) {
            return Err(TrustError::TooLarge);
        }
        let serial = self.serial.checked_add(1).ok_or(TrustError::Region)?;
        let mut header = Header {
            len,
            serial,
            tag: [0; DIGEST_LEN],
        };
        header.tag = guard.tag(&header.head(), message, hash)?;

        let start = start_of(region, half);
        let body = start.saturating_add(body_offset(region));
        erase_pages(flash, region, start, body.saturating_add(len))?;
        write_padded(flash, region, body, message)?;
        write_padded(flash, region, start, &header.encode())?;
        if !holds(flash, region, body, message) || Header::read(flash, region, half)? != Some(header) {
            return Err(TrustError::Corrupt);
        }
        write_padded(flash, region, start.saturating_add(header_space(region)), MARK)?;
        self.home = half;
        self.serial = serial;
        Ok(())
    }
}

/// The bundle that counts, in the caller's buffer.
struct Found {
    half: Half,
    serial: u32,
    len: usize,
    marked: bool,
    /// The other half holds the bundle before it.
    has_older: bool,
}

fn find<F: NorFlash>(
    flash: &mut F,
    region: &Region,
    guard: &Guard<'_>,
    hash: &mut dyn Digest,
    buffer: &mut [u8],
) -> Result<Found, TrustError> {
    let first = Header::read(flash, region, Half::First);
    let second = Header::read(flash, region, Half::Second);
    let blank = matches!((&first, &second), (Ok(None), Ok(None)));
    let entry = |half, header: Result<Option<Header>, TrustError>| Some((half, header.ok()??));
    let (first, second) = (entry(Half::First, first), entry(Half::Second, second));
    let serial = |entry: &Option<(Half, Header)>| entry.map(|(_, header)| header.serial);
    let (newer, older) = if serial(&first) > serial(&second) {
        (first, second)
    } else {
        (second, first)
    };

    let mut load = |flash: &mut F, entry| is_whole(flash, region, entry, guard, hash, buffer);
    // `buffer` is the one place for both: the one that is to stay there comes last.
    let mut has_older = match older {
        Some(older) => load(flash, older)?.is_some(),
        None => false,
    };
    for entry in [newer, older].into_iter().flatten() {
        if let Some(len) = load(flash, entry)? {
            let (half, Header { serial, .. }) = entry;
            let marked = marked(flash, region, half);
            return Ok(Found {
                half,
                serial,
                len,
                marked,
                has_older,
            });
        }
        has_older = false;
    }
    Err(if blank {
        TrustError::Missing
    } else {
        TrustError::Corrupt
    })
}

/// Reads a bundle and checks its tag; its length if it is whole.
fn is_whole<F: NorFlash>(
    flash: &mut F,
    region: &Region,
    (half, header): (Half, Header),
    guard: &Guard<'_>,
    hash: &mut dyn Digest,
    buffer: &mut [u8],
) -> Result<Option<usize>, TrustError> {
    let len = usize::try_from(header.len).map_err(|_| TrustError::BufferTooSmall)?;
    let message = buffer.get_mut(..len).ok_or(TrustError::BufferTooSmall)?;
    if read_message(flash, region, half, message).is_err() {
        return Ok(None);
    }
    let tag = guard.tag(&header.head(), message, hash)?;
    Ok(digest::equal(&tag, &header.tag).then_some(len))
}

fn marked<F: NorFlash>(flash: &mut F, region: &Region, half: Half) -> bool {
    let at = start_of(region, half).saturating_add(header_space(region));
    let mut block = [0; MAX_WORD];
    read_block(flash, region, at, MARK.len(), &mut block).is_ok_and(|mark| mark == MARK)
}

const MARK: &[u8] = b"done";

fn read_message<F: NorFlash>(
    flash: &mut F,
    region: &Region,
    half: Half,
    out: &mut [u8],
) -> Result<(), TrustError> {
    let mut at = start_of(region, half).saturating_add(body_offset(region));
    for chunk in out.chunks_mut(MAX_WORD) {
        let mut block = [0; MAX_WORD];
        let read = read_block(flash, region, at, chunk.len(), &mut block)?;
        for (to, from) in chunk.iter_mut().zip(read) {
            *to = *from;
        }
        at = at.saturating_add(256);
    }
    Ok(())
}

/// Whether exactly `bytes` stand at `at`.
fn holds<F: NorFlash>(flash: &mut F, region: &Region, at: u32, bytes: &[u8]) -> bool {
    let mut at = at;
    bytes.chunks(MAX_WORD).all(|chunk| {
        let mut block = [0; MAX_WORD];
        let read = read_block(flash, region, at, chunk.len(), &mut block);
        at = at.saturating_add(256);
        read.is_ok_and(|read| read == chunk)
    })
}

/// A bundle that was checked before it was stored.
fn believe<'b>(
    message: &'b [u8],
    device: &DeviceIdentity<'_>,
    hash: &mut dyn Digest,
) -> Result<Trust<'b>, TrustError> {
    let (_, payload) = open(message)?;
    let bundle = TrustBundle::parse(payload, hash)?;
    if !bundle.is_for(device) {
        return Err(TrustError::Product);
    }
    Ok(Trust {
        message,
        payload,
        bundle,
    })
}
