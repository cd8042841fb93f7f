//! What a sweep needs to know about the thing it cuts.

use crate::{Power, SimFlash, Violation};

/// Everything of a device that outlives a power cut.
///
/// [`SimFlash`] is a world, and so is a tuple that begins with one. A device with several parts is a
/// struct that names their common supply:
///
/// ```
/// use iotsec_core::hal::MonotonicCounter;
/// use iotsec_testkit::{Geometry, Power, SimBootControl, SimCounter, SimFlash, Violation, World};
///
/// struct Device {
///     flash: SimFlash,
///     counter: SimCounter,
///     boot: SimBootControl,
/// }
///
/// impl World for Device {
///     fn power(&self) -> &Power {
///         self.flash.power()
///     }
///     fn violation(&self) -> Option<Violation> {
///         self.flash.violation()
///     }
/// }
///
/// // A clone of a part has a supply of its own: a copy of the device joins them again.
/// impl Clone for Device {
///     fn clone(&self) -> Self {
///         let flash = self.flash.clone();
///         let counter = self.counter.clone().powered_by(flash.power());
///         let boot = self.boot.clone().powered_by(flash.power());
///         Self { flash, counter, boot }
///     }
/// }
///
/// let flash = SimFlash::new(Geometry::small(4));
/// let counter = SimCounter::new().powered_by(flash.power());
/// let boot = SimBootControl::new().powered_by(flash.power());
/// let copy = Device { flash, counter, boot }.clone();
/// copy.power().cut();
/// assert!(copy.counter.clone().read().is_err());
/// ```
pub trait World {
    /// The supply that is cut.
    fn power(&self) -> &Power;
    /// The first thing that was done to a flash of this world and that a real flash forbids. A sweep
    /// fails when there is one.
    fn violation(&self) -> Option<Violation>;
}

impl World for SimFlash {
    fn power(&self) -> &Power {
        self.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.violation()
    }
}

impl<B> World for (SimFlash, B) {
    fn power(&self) -> &Power {
        self.0.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.0.violation()
    }
}

impl<B, C> World for (SimFlash, B, C) {
    fn power(&self) -> &Power {
        self.0.power()
    }
    fn violation(&self) -> Option<Violation> {
        self.0.violation()
    }
}
