//! Keys that lie in a store and are used there, on simulated flash.

mod derive;
mod device;
#[path = "../document/vectors.rs"]
mod document;
mod format;
mod policy;
mod power_cut;
mod rotate;
mod secrecy;
mod stored;
mod use_keys;
