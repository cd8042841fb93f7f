//! The record that the unit itself reads. `iotsec-core/src/credential/FORMAT.md` has the bytes.

use iotsec::core::credential::UnitRecord;
use zeroize::Zeroizing;

use super::Made;
use crate::{Problem, key::unhex, provision::unit::Unit};

pub(super) fn record(unit: &Unit) -> Made {
    let made = Problem::make("unit record");
    let damaged = || {
        Problem::new(
            "Batch",
            format!("the batch number of {:?} does not read", unit.entry.serial),
            "get the batch again from the station that minted it",
        )
    };
    let batch = unhex::<16>(&unit.entry.batch).ok_or_else(damaged)?;
    let (seed, certificate) = (unit.seed(), unit.certificate());
    let mut record = UnitRecord::new(&unit.entry.serial, &batch);
    if let Some(label) = unit.password() {
        record = record.with_password(label);
    }
    if let Some(digits) = unit.code() {
        record = record.with_setup_code(digits);
    }
    if let Some(seed) = &seed {
        record = record.with_device_seed(seed.expose());
    }
    if let Some(der) = &certificate {
        record = record.with_certificate(der);
    }
    let mut out = Zeroizing::new([0; UnitRecord::MAX_LEN]);
    Ok(Zeroizing::new(record.write(out.as_mut()).map_err(made)?.to_vec()))
}
