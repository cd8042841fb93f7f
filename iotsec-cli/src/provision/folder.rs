//! A directory of files with secrets, some for each unit.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::{
    Problem,
    file::{self, Access},
};

/// Where they go. Nothing is overwritten: what a run left that was killed is found again, and kept because it is the
/// same.
pub(super) struct Folder {
    path: PathBuf,
    written: u32,
    kept: u32,
}

impl Folder {
    /// The directory, made when it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, Problem> {
        if file::must_be_free(path).is_ok() {
            file::create_dir(path)?;
        } else if !path.is_dir() {
            return Err(Problem::exists(path));
        }
        Ok(Self {
            path: path.to_owned(),
            written: 0,
            kept: 0,
        })
    }

    /// One file (mode 0600), whole or not there, whenever the run ends.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Problem> {
        let path = self.path.join(name);
        if file::must_be_free(&path).is_err() {
            let there = Zeroizing::new(file::read(&path)?);
            if there.as_slice() != bytes {
                return Err(Problem::exists(&path).with_remedy(
                    "it has another content: choose another --out, or look what wrote it and remove it",
                ));
            }
            self.kept += 1;
            return Ok(());
        }
        file::create_one_of_many(&path, bytes, Access::Private)?;
        self.written += 1;
        Ok(())
    }

    /// How many files were written, and how many were there already; all names are on the disk.
    pub(super) fn finish(self) -> Result<(u32, u32), Problem> {
        file::sync_dir(&self.path)?;
        Ok((self.written, self.kept))
    }
}
