//! Stores in files, durable after each call, and what the device below the file system had to write.

mod database;
mod file;

use std::{fs, path::Path, process::Command};

use iotsec_testkit::SimRng;

use super::workload::{self, KEY_LEN, KEYS, Result, SEEDS, UPDATES};

/// Entries that are stored together or not at all.
type Entries = [(u16, Vec<u8>)];

/// What a store has to do.
trait Files {
    /// Stores all entries or none. They are on the medium when it returns.
    fn put(&mut self, entries: &Entries) -> Result<()>;

    /// The value under `key`.
    fn get(&mut self, key: u16) -> Result<Vec<u8>>;
}

struct Contender {
    name: &'static str,
    transactions: bool,
    create: fn(&Path) -> Result<Box<dyn Files>>,
}

const CONTENDERS: [Contender; 4] = [file::OURS, database::REDB, database::SQLITE, database::FJALL];
const BATCH: usize = 10;

/// Prints the table. The counters of the device, all of which only this program moves, are in `stat`.
pub(crate) fn run(folder: &Path, stat: &Path) -> Result<()> {
    println!(
        "| store | KiB written | device WA | the same, {BATCH} puts in a transaction |\n|---|--:|--:|--:|"
    );
    for contender in &CONTENDERS {
        let (written, payload) = measure(contender, folder, stat, 1)?;
        let together = if contender.transactions {
            let (written, payload) = measure(contender, folder, stat, BATCH)?;
            format!("{:.1}", ratio(written, payload))
        } else {
            "no transactions".to_owned()
        };
        println!(
            "| {} | {} | {:.1} | {together} |",
            contender.name,
            written / 1024,
            ratio(written, payload)
        );
    }
    Ok(())
}

/// Bytes that the device wrote, and bytes of keys and values that were put.
fn measure(contender: &Contender, folder: &Path, stat: &Path, batch: usize) -> Result<(u64, u64)> {
    let folder = folder.join("store");
    fs::create_dir(&folder)?;
    let mut store = (contender.create)(&folder)?;
    let mut dice = SimRng::new(SEEDS[0]);
    let mut values = Vec::new();
    for key in 0..KEYS {
        let value = workload::value(&mut dice);
        store.put(&[(key, value.clone())])?;
        values.push(value);
    }
    let mut written = (0, 0);
    let mut payload = 0;
    for measured in [false, true] {
        if measured {
            written.0 = bytes_written(&folder, stat)?;
            payload = 0;
        }
        for _ in 0..UPDATES / batch {
            let mut entries: Vec<(u16, Vec<u8>)> = Vec::new();
            while entries.len() < batch {
                let key = workload::key(&mut dice);
                if entries.iter().all(|(other, _)| *other != key) {
                    entries.push((key, workload::value(&mut dice)));
                }
            }
            store.put(&entries)?;
            for (key, value) in entries {
                payload += KEY_LEN + value.len();
                values[usize::from(key)] = value;
            }
        }
    }
    written.1 = bytes_written(&folder, stat)?;
    for (key, value) in (0..).zip(&values) {
        assert!(
            store.get(key)? == *value,
            "key {key} has not the value that was put"
        );
    }
    drop(store);
    fs::remove_dir_all(&folder)?;
    Ok((written.1 - written.0, u64::try_from(payload)?))
}

/// With everything that the file system still had to write.
fn bytes_written(folder: &Path, stat: &Path) -> Result<u64> {
    if !Command::new("sync").arg("-f").arg(folder).status()?.success() {
        return Err("sync failed".into());
    }
    let stat = fs::read_to_string(stat)?;
    // Sectors of 512 bytes, whatever the device has.
    let sectors: u64 = stat.split_whitespace().nth(6).ok_or("no counters")?.parse()?;
    Ok(sectors * 512)
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
