//! Time for a device that has no clock.
