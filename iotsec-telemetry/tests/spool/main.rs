//! The spool on flash that tears, fills up, decays and is tampered with.

#![expect(clippy::cast_possible_truncation, reason = "test numbers are small")]

mod cost;
mod delivery;
mod device;
mod flood;
mod format;
mod hostile;
mod model;
mod power_cut;
mod purge;
