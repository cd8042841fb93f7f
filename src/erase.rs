//! Easy deletion of personal data: where it lives, and a receipt that it is gone.
//!
//! The work itself is done by the parts: [`store`](crate::store) destroys the key of the user domain and scrubs
//! its pages, [`device`](crate::device) decides when. Here is what goes beyond one part:
//!
//! | type | what it is for |
//! |---|---|
//! | [`Erased`] | what a device says when it has erased: signed by the device, checked by owner, service or `iotsec erased verify` |
//! | `Inventory` | all places where personal data lives, so that none is forgotten (feature `store`) |
//!
//! `src/erase/FORMAT.md` has the receipt in CDDL, with a vector, and what it proves.

#[cfg(feature = "store")]
mod inventory;
mod receipt;

#[cfg(feature = "store")]
pub use inventory::{Holding, Inventory, Keeper, Place};
pub use receipt::{Erased, ErasedReceipt, Reason, ReceiptError, Scope};
