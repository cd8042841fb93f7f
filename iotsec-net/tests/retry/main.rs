//! Calm through outages: the machine, its record under power cuts, and ten thousand of them at once.

mod device;
mod machine;
mod memory;
mod power_cut;
mod storm;
