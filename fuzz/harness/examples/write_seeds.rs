//! Writes the seeds of every target into `fuzz/corpus`: `cargo run -p iotsec-fuzz-harness --example write_seeds`.

use std::{fs, io, path::Path};

use iotsec_fuzz_harness::TARGETS;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for target in TARGETS {
        let directory = corpus.join(target.name);
        fs::create_dir_all(&directory)?;
        for seed in (target.seeds)() {
            fs::write(directory.join(&seed.name), &seed.bytes)?;
        }
    }
    Ok(())
}
