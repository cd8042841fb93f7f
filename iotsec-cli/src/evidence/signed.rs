//! Records on disk.

use std::path::Path;

use iotsec_evidence::record::{Record, RecordError};

use crate::{
    Problem,
    file::{self, Access},
    key::KeyFile,
};

/// A record whose signature is checked, with its bytes.
pub(super) fn read(path: &Path, key: &Path) -> Result<(Record, Vec<u8>), Problem> {
    let bytes = file::read(path)?;
    let anchor = KeyFile::read(key)?.anchor()?;
    let record = Record::verify(&bytes, anchor.as_ref()).map_err(refused(path))?;
    record.fits().map_err(refused(path))?;
    Ok((record, bytes))
}

/// Signs a record, which goes into a new file. Returns its bytes.
pub(super) fn write(record: &Record, key: &Path, out: &Path) -> Result<usize, Problem> {
    let key = KeyFile::read(key)?;
    let signed = record
        .sign(key.signer()?.as_ref(), key.kid()?.as_deref())
        .map_err(refused(out))?;
    file::create(out, &signed, Access::Public)?;
    Ok(signed.len())
}

pub(super) fn refused(path: &Path) -> impl Fn(RecordError) -> Problem + '_ {
    |cause| {
        let remedy = cause.remedy();
        Problem::refused(path)(cause).with_remedy(remedy)
    }
}
