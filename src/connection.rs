//! What a connection needs of the other parts: anchors from the trust bundle, and records in the store.
//!
//! | from | to | |
//! |---|---|---|
//! | trust bundle of [`update`](crate::update) | policy of `net::certificate` | [`BundleAnchors`] |
//! | encrypted [`store`](crate::store) | floor of `net::time` | [`StoredTime`] |
//! | encrypted [`store`](crate::store) | rotation of anchors | [`StoredAnchors`] |
//! | interface table of `net::surface` | detector of new listeners | [`GateSockets`] |
//! | mode of the detectors' guard | `net::surface` | [`gate_in`] |

#[cfg(all(feature = "certificate", feature = "update"))]
mod bundle;
#[cfg(feature = "store")]
mod stored;
#[cfg(feature = "telemetry")]
mod watch;

#[cfg(all(feature = "certificate", feature = "update"))]
pub use bundle::{BelievedAnchors, BundleAnchors, BundleAnchorsError};
#[cfg(all(feature = "certificate", feature = "store"))]
pub use stored::StoredAnchors;
#[cfg(feature = "store")]
pub use stored::StoredTime;
#[cfg(all(feature = "telemetry", feature = "std"))]
pub use watch::found;
#[cfg(feature = "telemetry")]
pub use watch::{GateSockets, gate_in};
