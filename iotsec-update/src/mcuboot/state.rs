//! What trailers say, and what MCUboot does about it.

/// The 16 bytes that make a trailer count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Magic {
    /// There.
    Good,
    /// Something else is there, such as half of it.
    Bad,
    /// Erased.
    Unset,
}

/// One byte with room of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flag {
    /// 1.
    Set,
    /// Neither 1 nor erased.
    Bad,
    /// Erased.
    Unset,
}

/// What MCUboot will do, or was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Swap {
    /// Start the primary slot.
    None,
    /// Swap the slots, and back at the next boot unless confirmed.
    Test,
    /// Swap the slots for good.
    Permanent,
    /// Swap back.
    Revert,
}

/// One slot's trailer as MCUboot reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TrailerState {
    /// Whether the trailer counts.
    pub magic: Magic,
    /// The image is confirmed.
    pub image_ok: Flag,
    /// The swap is complete, or with direct-XIP the image was started.
    pub copy_done: Flag,
    /// The swap under way, which MCUboot notes for itself.
    pub swap: Swap,
    /// The image pair that it is about.
    pub image: u8,
}

/// What a boot loader that starts images in place, with revert, may do with a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Start it: it was confirmed.
    Confirmed,
    /// Start it once, on trial.
    Requested,
    /// Leave it: it was started on trial, and not confirmed.
    Started,
    /// Leave it: the trailer is neither whole nor empty.
    Damaged,
    /// Leave it: nobody asked for it.
    Idle,
}

impl Standing {
    /// What this trailer says.
    ///
    /// MCUboot takes a damaged flag for one that is not set, and starts such an image once more. Here it counts for
    /// damage: who started the image may have been cut while noting so, and a word is not written twice.
    ///
    /// ```
    /// use iotsec_update::mcuboot::{Flag, Magic, Standing, Swap, TrailerState};
    ///
    /// let requested = TrailerState {
    ///     magic: Magic::Good,
    ///     image_ok: Flag::Unset,
    ///     copy_done: Flag::Unset,
    ///     swap: Swap::None,
    ///     image: 0,
    /// };
    /// assert_eq!(Standing::of(&requested), Standing::Requested);
    /// let started = TrailerState { copy_done: Flag::Set, ..requested };
    /// assert_eq!(Standing::of(&started), Standing::Started);
    /// let confirmed = TrailerState { image_ok: Flag::Set, ..started };
    /// assert_eq!(Standing::of(&confirmed), Standing::Confirmed);
    /// ```
    pub const fn of(trailer: &TrailerState) -> Self {
        match (trailer.magic, trailer.image_ok, trailer.copy_done) {
            (Magic::Unset, _, _) => Self::Idle,
            (Magic::Good, Flag::Set, _) => Self::Confirmed,
            (Magic::Good, Flag::Unset, Flag::Unset) => Self::Requested,
            (Magic::Good, Flag::Unset, Flag::Set) => Self::Started,
            _ => Self::Damaged,
        }
    }
}

impl Swap {
    /// What MCUboot does at the next boot when these are the trailers of the primary and the secondary slot
    /// and no swap was interrupted (swap-using-scratch, swap-using-move, overwrite).
    ///
    /// ```
    /// use iotsec_update::mcuboot::{Flag, Magic, Swap, TrailerState};
    ///
    /// let empty = TrailerState {
    ///     magic: Magic::Unset,
    ///     image_ok: Flag::Unset,
    ///     copy_done: Flag::Unset,
    ///     swap: Swap::None,
    ///     image: 0,
    /// };
    /// let requested = TrailerState { magic: Magic::Good, ..empty };
    /// assert_eq!(Swap::next(&empty, &requested), Swap::Test);
    /// let tried = TrailerState { magic: Magic::Good, copy_done: Flag::Set, ..empty };
    /// assert_eq!(Swap::next(&tried, &empty), Swap::Revert);
    /// ```
    pub fn next(primary: &TrailerState, secondary: &TrailerState) -> Self {
        match (secondary.magic, secondary.image_ok) {
            (Magic::Good, Flag::Unset) => return Self::Test,
            (Magic::Good, Flag::Set) => return Self::Permanent,
            _ => {}
        }
        match (primary.magic, primary.image_ok, primary.copy_done) {
            (Magic::Good, Flag::Unset, Flag::Set) => Self::Revert,
            _ => Self::None,
        }
    }
}
