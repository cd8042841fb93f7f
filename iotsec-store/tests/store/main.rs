//! The store as a whole, on simulated flash.

mod device;
mod device_only;
#[path = "../document/vectors.rs"]
mod document;
mod false_header;
mod faults;
mod format;
mod full;
mod hostile;
mod last_record;
mod lost_key;
mod model;
mod power_cut;
mod refusals;
mod replay;
mod secrecy;
mod transaction;
mod weaknesses;
