#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod conformance;
mod geometry;
mod image_maker;
#[cfg(feature = "mcuboot-vectors")]
pub mod mcuboot_vectors;
mod power;
mod replay;
mod sim_boot_control;
mod sim_clock;
mod sim_counter;
#[cfg(all(feature = "disk", unix))]
mod sim_disk;
mod sim_flash;
mod sim_rng;
mod sim_root_key;
mod storm;
#[cfg(feature = "suit-vectors")]
pub mod suit_vectors;
mod sweep;
mod world;

pub use geometry::Geometry;
pub use image_maker::ImageMaker;
pub use power::Power;
pub use replay::Replay;
pub use sim_boot_control::SimBootControl;
pub use sim_clock::SimClock;
pub use sim_counter::SimCounter;
#[cfg(all(feature = "disk", unix))]
pub use sim_disk::SimDisk;
pub use sim_flash::{Operation, SimFlash, SimFlashError, Stats, StepUnit, Tear, Violation};
pub use sim_rng::{EntropyFailure, FailingRng, SimRng, StuckRng};
pub use sim_root_key::SimRootKey;
pub use storm::{Reconnect, Storm, StormReport};
pub use sweep::{Outcome, Sweep, each_cut, each_cut_sampled, two_cuts, two_cuts_sampled};
pub use world::World;
