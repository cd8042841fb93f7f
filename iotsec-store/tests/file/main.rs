//! The store in a file.
#![cfg(unix)]

mod folder;
mod grouped;
mod kill;
mod refusals;
mod story;
mod write_order;

/// Held by a test that starts processes and opens files by turns. A process that has just been started holds for a
/// moment what any thread has open, and with it the lock of a file that was closed here meanwhile.
static PROCESSES: std::sync::Mutex<()> = std::sync::Mutex::new(());
