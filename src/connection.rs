//! What a connection needs of the other parts: anchors from the trust bundle, and records in the store.
//!
//! | from | to | |
//! |---|---|---|
//! | trust bundle of [`update`](crate::update) | policy of `net::certificate` | [`BundleAnchors`] |
//! | encrypted [`store`](crate::store) | floor of `net::time` | [`StoredTime`] |
//! | encrypted [`store`](crate::store) | rotation of anchors | [`StoredAnchors`] |

#[cfg(all(feature = "certificate", feature = "update"))]
mod bundle;
#[cfg(feature = "store")]
mod stored;

#[cfg(all(feature = "certificate", feature = "update"))]
pub use bundle::{BelievedAnchors, BundleAnchors, BundleAnchorsError};
#[cfg(all(feature = "certificate", feature = "store"))]
pub use stored::StoredAnchors;
#[cfg(feature = "store")]
pub use stored::StoredTime;
