//! The panic handler of a C program without a Rust runtime.

/// Stops: nothing in this library panics on purpose, so the state behind a panic is unknown, and a
/// watchdog reset is the one safe way on.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}
