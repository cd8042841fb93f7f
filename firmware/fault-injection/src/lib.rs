//! Images whose instructions `cargo xtask fault-injection` skips, one by one, to see what they accept.
//!
//! | module | what it holds |
//! |---|---|
//! | [`boot`] | a boot loader |
//! | [`mcuboot`] | a boot loader that starts MCUboot images in place, and one that looks at them once: the attack on it must succeed |
//! | [`install`] | an application that installs an update |
//! | [`single`] | a boot loader that decides everything once: the attack on it must succeed |
//! | [`device`] | the device, and the job, as the host knows them too |
//! | [`landmark`] | how the attacked code says what it came to |
//!
//! One core plays both sides. The monitor, privileged, lets the attacked code run instruction by instruction, and at
//! each makes a copy that goes on without that instruction, until it comes to [`landmark::accepted`] or
//! [`landmark::refused`], to an exception, or to the end of its budget. The attacked code runs unprivileged: it can
//! change neither its code nor the monitor, whatever it was made to do.
#![no_std]

pub mod boot;
mod core;
pub mod device;
mod driver;
pub mod install;
pub mod landmark;
pub mod mcuboot;
mod memory;
mod monitor;
pub mod single;

use cortex_m::Peripherals;
pub use driver::SignatureUnit;
// What the attacked code copies and compares with is attacked too, as a product has it.
use mem as _;
pub use monitor::input;

/// Attacks a function, whose argument says where its [`input`] is. `has_staged` says from what is left in memory that
/// the image in slot B will run, whatever the function itself said.
pub fn run(attacked: extern "C" fn(u32) -> !, has_staged: fn(&device::Input) -> bool) -> ! {
    if let Some(mut peripherals) = Peripherals::take() {
        memory::protect(&mut peripherals.MPU);
    }
    monitor::run(attacked, has_staged)
}

#[panic_handler]
fn panic(_: &::core::panic::PanicInfo<'_>) -> ! {
    cortex_m::asm::udf()
}
