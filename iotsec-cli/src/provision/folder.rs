//! A directory of files with secrets, some for each unit.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use zeroize::Zeroizing;

use crate::{
    Problem,
    file::{self, Access},
};

/// Where they go. Nothing is overwritten: what a run left that was killed is found again, and kept because it is the
/// same.
pub(super) struct Folder {
    path: PathBuf,
    written: AtomicU32,
    kept: AtomicU32,
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
            written: AtomicU32::new(0),
            kept: AtomicU32::new(0),
        })
    }

    /// One file (mode 0600), whole or not there, whenever the run ends.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Problem> {
        let path = self.path.join(name);
        if file::must_be_free(&path).is_err() {
            let there = Zeroizing::new(file::read(&path)?);
            if there.as_slice() != bytes {
                return Err(Problem::exists(&path).with_remedy(
                    "it has another content: choose another --out, or look what wrote it and remove it",
                ));
            }
            self.kept.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        file::create_one_of_many(&path, bytes, Access::Private)?;
        self.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Begins a file that grows with the batch. It has its name when it is whole, not before.
    pub(super) fn grow(&self, name: &str, head: &[u8]) -> Result<Growing, Problem> {
        let path = self.path.join(name);
        file::must_be_free(&path)?;
        let unfinished = self.path.join(format!("{name}.unfinished"));
        // What a killed run left.
        let _ = std::fs::remove_file(&unfinished);
        let mut growing = Growing {
            file: file::create_stream(&unfinished)?,
            unfinished,
            path,
        };
        growing.add(head)?;
        Ok(growing)
    }

    /// Gives it its name.
    pub(super) fn finish_growing(&self, mut growing: Growing) -> Result<(), Problem> {
        let flushed = growing.file.flush();
        flushed
            .and_then(|()| growing.file.get_ref().sync_all())
            .and_then(|()| std::fs::rename(&growing.unfinished, &growing.path))
            .map_err(|cause| Problem::file(&growing.path, &cause))?;
        self.written.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// How many files were written, and how many were there already; all names are on the disk.
    pub(super) fn finish(self) -> Result<(u32, u32), Problem> {
        file::sync_dir(&self.path)?;
        Ok((self.written.into_inner(), self.kept.into_inner()))
    }
}

/// A file that is not whole yet (mode 0600).
pub(super) struct Growing {
    file: BufWriter<File>,
    unfinished: PathBuf,
    path: PathBuf,
}

impl Growing {
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.file
            .write_all(bytes)
            .map_err(|cause| Problem::file(&self.unfinished, &cause))
    }
}

impl Drop for Growing {
    /// A list that ends early would pass for a whole one. Once it has its name there is nothing to remove.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.unfinished);
    }
}
