//! The store as a whole, on simulated flash.

mod device;
mod power_cut;
