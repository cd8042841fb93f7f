//! Embedded Linux: the same updater over partitions and files, and a boot loader that is told through its
//! environment.
//!
//! | part | is |
//! |---|---|
//! | [`FileFlash`] | partitions or files one behind the other as a flash for [`Updater`](crate::Updater) and [`boot`](crate::boot) |
//! | [`Environment`] | U-Boot's redundant environment: variables in two copies, one of which is always whole |
//! | [`BootOrder`] | [`BootControl`](iotsec_core::hal::BootControl) by `BOOT_ORDER` and `BOOT_x_LEFT`, as boot scripts for RAUC read them |
//!
//! The root file system's own integrity (dm-verity, a read-only image) is the maker's business: what is
//! verified is the image in its slot when it is written, and when [`boot::select`](crate::boot::select)
//! runs, in an initramfs for instance. U-Boot itself starts what the environment says.

mod boot_order;
mod environment;
mod error;

pub use boot_order::BootOrder;
pub use environment::{Environment, Place};
pub use error::LinuxError;
pub use iotsec_core::hal::linux::{FileError, FileFlash, Part};
