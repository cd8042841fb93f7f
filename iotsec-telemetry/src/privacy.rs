//! Local differential privacy: an answer is noised on the device, so that nobody ever holds the true one.

mod epsilon;
mod error;

pub use epsilon::{Epsilon, MAX_DENOMINATOR, MAX_EPSILON};
pub use error::EpsilonError;
