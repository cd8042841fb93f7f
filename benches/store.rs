//! What the encrypted store asks of the flash, counted and not timed.
//!
//! ```text
//! cargo bench --bench store
//! ```
//!
//! Workload: 50 keys, 1000 updates to age the flash, then 1000 that are measured, of a key drawn at random;
//! values of 32 to 256 bytes, or counters; pages of 4 KiB, words of 4 bytes unless the heading says otherwise; always the
//! same seed. Each value is compared with what was put.
//!
//! - `WA`, `erase WA`: bytes programmed (headers, tags and padding included) and bytes erased, over bytes of key
//!   and value; a key is counted as four bytes.
//! - `writes/put`, `read/put`: program operations and bytes read.
//! - `get +avg`, `get +max`: bytes that a get reads beyond key and value.
//! - `open`, `1st get`: bytes read by opening the store, and by the first get after that, key and value included.
//! - `erases/put`: pages erased in one call at most.
//! - `wear`: erases of the page with the fewest and of that with the most, by the measured updates.
//! - `RAM`: bytes that the store keeps and the caller's buffers, without stack.
//!
//! `cargo xtask bench` measures others as well.

#[path = "store/figures.rs"]
mod figures;
#[path = "store/ours.rs"]
mod ours;
#[path = "store/workload.rs"]
mod workload;

use ours::{DEVICE_ONLY, OURS};
use workload::{CASES, measure};

fn main() {
    for case in CASES {
        println!("{}", figures::heading(case).trim_end());
        for ours in [OURS, DEVICE_ONLY] {
            print!("{}", figures::row(ours.name, &measure(&ours, case)));
        }
        println!();
    }
}
