//! Ours and other implementations, on the same bytes in one run.
//!
//! ```text
//! cargo xtask bench
//! ```
//!
//! An argument, `store` or `update`, runs one of the two alone.

mod store;
mod update;

use std::{env, error::Error};

fn main() -> Result<(), Box<dyn Error>> {
    let part = env::args().nth(1);
    match part.as_deref() {
        None => {
            store::run();
            update::run()
        }
        Some("store") => {
            store::run();
            Ok(())
        }
        Some("update") => update::run(),
        Some(other) => Err(format!("{other} is neither store nor update").into()),
    }
}
