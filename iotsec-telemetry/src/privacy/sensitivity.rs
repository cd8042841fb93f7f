use crate::error::MetricError;

/// By how much one person's value can change what is reported: the width of the metric's bounds, to which every
/// value is clamped before noise is added.
///
/// ```
/// use iotsec_telemetry::privacy::Sensitivity;
///
/// assert_eq!(Sensitivity::of(-40, 85)?.get(), 125);
/// assert!(Sensitivity::of(3, 3).is_err());
/// # Ok::<(), iotsec_telemetry::error::MetricError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sensitivity(u64);

impl Sensitivity {
    /// Of values from `min` to `max`, both included.
    ///
    /// # Errors
    /// [`MetricError::Bounds`] unless `min` is below `max`, and by less than 2^31.
    pub const fn of(min: i64, max: i64) -> Result<Self, MetricError> {
        let width = max.abs_diff(min);
        // The samplers multiply it by a denominator and a count of steps, within 64 bits.
        if min >= max || width > 0x7FFF_FFFF {
            return Err(MetricError::Bounds);
        }
        Ok(Self(width))
    }

    /// The width, from 1 to 2^31 - 1.
    pub const fn get(self) -> u64 {
        self.0
    }
}
