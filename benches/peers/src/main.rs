//! Ours and other implementations, on the same bytes in one run.
//!
//! ```text
//! cargo xtask bench
//! ```
//!
//! An argument, `store` or `update`, runs one of the two alone; `device FOLDER STAT` runs the stores that Linux has,
//! in a folder on a block device of its own whose counters are in the file `STAT`.

mod store;
mod update;

use std::{env, error::Error, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => {
            store::run();
            update::run()
        }
        ["store"] => {
            store::run();
            Ok(())
        }
        ["update"] => update::run(),
        ["device", folder, stat] => store::run_on_device(Path::new(folder), Path::new(stat)),
        _ => Err("takes store, update, or device FOLDER STAT".into()),
    }
}
