//! Installing and booting on simulated devices: power cuts, attacks, faults.
#![allow(missing_docs, unreachable_pub, clippy::cast_possible_truncation)]

mod altered;
mod attack;
mod boot;
mod cost;
mod device;
mod fault;
mod power_cut;
mod stream;
