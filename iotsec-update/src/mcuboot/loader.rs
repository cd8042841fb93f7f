//! Which of two images to start in place.

mod judge;
mod refusal;
mod startable;

use core::fmt;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::{
    crypto::Verify,
    hal::{MonotonicCounter, Slot},
};

use super::{FlashBytes, Hashes, McubootError, Standing, Trailer, Version};
use crate::{boot::BootError, rollback::RollbackError, slot::LayoutError};
pub use refusal::Refusal;
pub use startable::{Reason, Startable};

/// What a boot loader knows that starts MCUboot images in place.
#[derive(Clone, Copy)]
pub struct Loader<'a> {
    /// The first slot, in MCUboot's words the primary.
    pub a: Trailer,
    /// The second slot.
    pub b: Trailer,
    /// Whose signatures count: that of any one of these keys.
    pub keys: &'a [&'a dyn Verify],
    /// The device's vendor id. An image must carry it, or where this is `None` carry none.
    pub vendor: Option<[u8; 16]>,
    /// The device's class id, likewise.
    pub class: Option<[u8; 16]>,
    /// The address of the first slot as `imgtool --rom-fixed` is told it, which takes 0 for none. An image linked for
    /// another place is refused; `None` refuses all that are linked for one place.
    pub rom_a: Option<u32>,
    /// That of the second slot.
    pub rom_b: Option<u32>,
}

impl<'a> Loader<'a> {
    /// Slots and keys; no vendor, no class, no addresses.
    ///
    /// ```
    /// use iotsec_core::{crypto::Verify, hal::Region};
    /// use iotsec_update::mcuboot::{Loader, Trailer};
    ///
    /// /// Two slots of 480 KiB on an nRF52840, behind a boot loader of 32 KiB.
    /// fn loader<'a>(keys: &'a [&'a dyn Verify]) -> Result<Loader<'a>, Box<dyn std::error::Error>> {
    ///     let slot = |start| Trailer::new(Region::new(start, 4096, 120, 4)?, 8).map_err(Box::<dyn std::error::Error>::from);
    ///     Ok(Loader {
    ///         rom_a: Some(0x8000),
    ///         rom_b: Some(0x80000),
    ///         ..Loader::new(slot(0x8000)?, slot(0x80000)?, keys)
    ///     })
    /// }
    /// # assert!(loader(&[]).is_ok());
    /// ```
    pub const fn new(a: Trailer, b: Trailer, keys: &'a [&'a dyn Verify]) -> Self {
        Self {
            a,
            b,
            keys,
            vendor: None,
            class: None,
            rom_a: None,
            rom_b: None,
        }
    }

    const fn trailer(&self, slot: Slot) -> &Trailer {
        match slot {
            Slot::A => &self.a,
            Slot::B => &self.b,
        }
    }

    fn check<F: NorFlash>(&self, flash: &F) -> Result<(), LayoutError> {
        self.a.region().check(flash)?;
        self.b.region().check(flash)?;
        if self.a.region().overlaps(self.b.region()) {
            return Err(LayoutError::Overlap);
        }
        Ok(())
    }
}

impl fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader")
            .field("a", &self.a)
            .field("b", &self.b)
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

/// What [`select`] decided.
#[derive(Debug)]
#[must_use]
pub enum Selection {
    /// Start this image.
    Boot(Startable),
    /// Neither slot holds an image that may start: enter recovery.
    Recovery {
        /// What is wrong with slot A.
        a: Refusal,
        /// What is wrong with slot B.
        b: Refusal,
    },
}

/// Decides which image to start, as MCUboot does with `MCUBOOT_DIRECT_XIP_REVERT` and a security counter in hardware.
///
/// Of the slots whose trailers let them start, that with the higher version is looked at first. Its image is believed
/// only for what it is in flash now: hash, signature, vendor, class, address, security counter. If one of them is
/// wrong the other slot is judged in the same way. An image on trial is noted as started before this returns, and the
/// counter is raised to that of a confirmed image. Where no slot may start by its trailer, a good image is started all
/// the same: better than none.
///
/// A slot is judged at most twice. Nothing is written but copy_done of an image on trial, and nothing is erased.
///
/// *Power loss:* a cut before copy_done is written repeats this boot; after that the trial counts as made. A cut while
/// it is written ends the trial if anything of it is seen. A counter that was not raised is raised at the next boot.
///
/// # Errors
/// [`BootError`] when the device can judge nothing: slots that do not fit the flash or overlap, or a counter that
/// cannot be read.
///
/// ```
/// use iotsec_core::{
///     crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign, Verify},
///     hal::{BootControl, Region, Slot, Trial},
///     secret::Secret,
/// };
/// use iotsec_testkit::{Geometry, ImageMaker, SimCounter, SimFlash};
/// use iotsec_update::mcuboot::{
///     Hashes, Loader, McubootError, Mode, Reason, Refusal, Selection, Trailer, TrailerControl, select,
/// };
///
/// let maker = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// let public = Ed25519PublicKey::from_bytes(maker.public_key())?;
/// let keys: [&dyn Verify; 1] = [&public];
/// let slot = |start| -> Result<_, Box<dyn std::error::Error>> {
///     Ok(Trailer::new(Region::new(start, 4096, 4, 4)?, 8)?)
/// };
/// let loader = Loader::new(slot(0)?, slot(0x4000)?, &keys);
/// let mut flash = SimFlash::new(Geometry::nrf52840(8));
/// let (mut counter, mut sha256) = (SimCounter::new(), Sha256::new());
/// let mut hashes = Hashes { sha256: &mut sha256, sha512: None };
///
/// // Fresh from the soldering line.
/// let selection = select(&mut flash, &loader, &mut counter, &mut hashes)?;
/// let empty = Refusal::Image(McubootError::Magic);
/// assert!(matches!(selection, Selection::Recovery { a, b } if a == empty && b == empty));
///
/// // The factory puts a confirmed image into slot A.
/// flash.tamper(0, &ImageMaker::new((1, 0, 0)).security_counter(1).sign(&maker, b"firmware")?);
/// let running = Mode::DirectXip { running: Slot::B };
/// TrailerControl::new(&mut flash, loader.a, loader.b, running).select(Slot::A, Trial::Permanent)?;
/// let Selection::Boot(image) = select(&mut flash, &loader, &mut counter, &mut hashes)? else {
///     panic!("recovery");
/// };
/// assert!(image.is_proven());
/// assert_eq!((image.slot(), image.entry(), image.reason()), (Slot::A, 32, Reason::Active));
/// assert_eq!(counter.value(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn select<F: NorFlash>(
    flash: &mut F,
    loader: &Loader<'_>,
    counter: &mut dyn MonotonicCounter,
    hashes: &mut Hashes<'_>,
) -> Result<Selection, BootError> {
    loader.check(flash)?;
    counter.read().map_err(RollbackError::from)?;
    let mut boot = Boot {
        flash,
        loader,
        counter,
        hashes,
        image: Startable::none(Slot::A),
    };
    Ok(match boot.choose() {
        Ok(()) => Selection::Boot(boot.image),
        Err([a, b]) => Selection::Recovery { a, b },
    })
}

iotsec_core::claim! {
    provisions: ["5.7-1"],
    claims: "No MCUboot image starts but one whose hash and signature are those of a trusted key, whichever byte was changed",
    code: [select],
    tests: [
        "iotsec-update::mcuboot::loader::whatever_byte_of_the_newer_image_is_changed_the_other_one_starts",
        "iotsec-update::mcuboot::loader::an_image_that_is_not_for_this_device_or_not_by_its_maker_does_not_start",
    ],
}

iotsec_core::claim! {
    provisions: ["5.3-2", "5.9-1"],
    claims: "A new MCUboot image starts on trial once, and the one before runs again unless it is confirmed, wherever the power goes",
    code: [select],
    tests: [
        "iotsec-update::mcuboot::loader::an_image_on_trial_starts_once_and_stays_only_if_it_is_confirmed",
        "iotsec-update::mcuboot::loader_power_cut::an_update_cut_anywhere_always_boots_and_completes",
    ],
}

iotsec_core::claim! {
    provisions: ["5.3-2"],
    claims: "An MCUboot image below the security counter does not start, and the counter rises only for an image that was confirmed",
    code: [select],
    tests: [
        "iotsec-update::mcuboot::loader::an_image_below_the_security_counter_does_not_start_from_either_slot",
        "iotsec-update::mcuboot::loader::the_counter_rises_at_the_boot_after_the_confirmation_and_not_before",
    ],
}

struct Boot<'b, 'h, F> {
    flash: &'b mut F,
    loader: &'b Loader<'b>,
    counter: &'b mut dyn MonotonicCounter,
    hashes: &'b mut Hashes<'h>,
    /// The image that was judged last: to hand it around would be to copy it.
    image: Startable,
}

/// What a slot says of itself before anything is checked.
struct Look {
    /// Whether the image was confirmed, or why it must not be started.
    may_start: Result<bool, Refusal>,
    version: Option<Version>,
}

impl Look {
    fn is_newer(&self, other: &Self) -> bool {
        match (&self.version, &other.version) {
            (Some(own), Some(other)) => !other.meets(own),
            (own, other) => own.is_some() && other.is_none(),
        }
    }

    fn comes_before(&self, other: &Self) -> bool {
        match (self.may_start.is_ok(), other.may_start.is_ok()) {
            (true, true) | (false, false) => self.is_newer(other),
            (own, _) => own,
        }
    }
}

impl<F: NorFlash> Boot<'_, '_, F> {
    /// The image to start is the one judged last; or what is wrong with slot A and with slot B.
    fn choose(&mut self) -> Result<(), [Refusal; 2]> {
        let (a, b) = (self.look(Slot::A), self.look(Slot::B));
        let (first, second, slot) = if b.comes_before(&a) {
            (b, a, Slot::B)
        } else {
            (a, b, Slot::A)
        };
        let tried = self.try_slot(slot, &first);
        let Err(refusal) = tried else {
            if let Err(other) = second.may_start
                && other != Refusal::NotRequested
                && (second.version.is_none() || second.is_newer(&first))
            {
                self.image.reason = Reason::Fallback(other);
            }
            return Ok(());
        };
        let Err(other) = self.try_slot(slot.other(), &second) else {
            self.image.reason = Reason::Fallback(refusal);
            return Ok(());
        };
        // No trailer lets its image start. One that is good is better than none.
        let Err(refusal) = self.rescue(slot, refusal) else {
            return Ok(());
        };
        let Err(other) = self.rescue(slot.other(), other) else {
            return Ok(());
        };
        Err(match slot {
            Slot::A => [refusal, other],
            Slot::B => [other, refusal],
        })
    }

    #[inline(never)]
    fn look(&mut self, slot: Slot) -> Look {
        let trailer = self.loader.trailer(slot);
        let standing = trailer.read(self.flash).map(|state| Standing::of(&state));
        let mut bytes = FlashBytes::new(self.flash, *trailer.region());
        let version = Version::claimed(&mut bytes);
        let may_start = match (standing, version) {
            (Ok(Standing::Idle), _) => Err(Refusal::NotRequested),
            (Ok(Standing::Started), _) => Err(Refusal::NotConfirmed),
            (Ok(Standing::Damaged), _) => Err(Refusal::TrailerDamaged),
            (Err(error), _) => Err(Refusal::Trailer(error)),
            (Ok(_), Err(error)) => Err(Refusal::Image(error)),
            (Ok(Standing::Requested), Ok(_)) => Ok(false),
            (Ok(Standing::Confirmed), Ok(_)) => Ok(true),
        };
        Look {
            may_start,
            version: version.ok(),
        }
    }

    /// The image in this slot, if its trailer lets it start.
    #[inline(never)]
    fn try_slot(&mut self, slot: Slot, look: &Look) -> Result<(), Refusal> {
        let is_confirmed = look.may_start?;
        self.judge(slot)?;
        self.image.is_confirmed = is_confirmed;
        if is_confirmed {
            // Not to what a fault made of the number.
            if self.image.is_proven() {
                let value = u64::from(self.image.security_counter);
                // If this fails the floor stays where it is, and the next boot tries again.
                let _ = self.counter.advance_to(value);
            }
            return Ok(());
        }
        // A trial that cannot be noted might never end.
        self.loader.trailer(slot).note_start(self.flash)?;
        self.image.reason = Reason::Trial;
        Ok(())
    }

    /// The image in this slot, whatever its trailer says, unless it is the image that is bad.
    #[inline(never)]
    fn rescue(&mut self, slot: Slot, refusal: Refusal) -> Result<(), Refusal> {
        if let Refusal::Image(_) | Refusal::Counter(_) | Refusal::Unproven = refusal {
            return Err(refusal);
        }
        self.judge(slot)?;
        self.image.reason = Reason::LastResort(refusal);
        Ok(())
    }

    #[inline(never)]
    fn judge(&mut self, slot: Slot) -> Result<(), Refusal> {
        // Of nothing until the end: what was judged before must not pass for it.
        self.image = Startable::none(slot);
        judge::first(
            self.flash,
            self.loader,
            self.counter,
            self.hashes,
            &mut self.image,
        )?;
        judge::second(
            self.flash,
            self.loader,
            self.counter,
            self.hashes,
            &mut self.image,
        )
    }
}

impl From<McubootError> for Refusal {
    fn from(error: McubootError) -> Self {
        Self::Image(error)
    }
}
