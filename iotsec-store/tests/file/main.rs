//! The store in a file.
#![cfg(unix)]

mod folder;
mod kill;
mod refusals;
mod story;
mod write_order;
