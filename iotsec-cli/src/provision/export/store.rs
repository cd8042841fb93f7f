//! The record that the unit itself reads. `iotsec-core/src/credential/FORMAT.md` has the bytes.

use iotsec::core::credential::{UnitKey, UnitRecord};
use zeroize::Zeroizing;

use super::Made;
use iotsec_product::factory::KeyKind;

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
    let (key, certificate) = (unit.key(), unit.certificate());
    let mut record = UnitRecord::new(&unit.entry.serial, &batch);
    if let Some(label) = unit.password() {
        record = record.with_password(label);
    }
    if let Some(digits) = unit.code() {
        record = record.with_setup_code(digits);
    }
    if let Some(key) = &key {
        let secret = key.secret().expose();
        record = record.with_device_key(match key.kind() {
            KeyKind::Ed25519 => UnitKey::Ed25519(secret),
            KeyKind::P256 => UnitKey::P256(secret),
        });
    }
    if let Some(der) = &certificate {
        record = record.with_certificate(der);
    }
    let mut out = Zeroizing::new([0; UnitRecord::MAX_LEN]);
    Ok(Zeroizing::new(record.write(out.as_mut()).map_err(made)?.to_vec()))
}
