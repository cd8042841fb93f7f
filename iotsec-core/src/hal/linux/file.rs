//! Files that are made whole, and closed to others.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::FileError;

/// Read and written by the owner alone.
pub(super) const PRIVATE: u32 = 0o600;
/// As the process's mask says.
pub(super) const SHARED: u32 = 0o666;
/// Bits of the group and of others.
const OF_OTHERS: u32 = 0o077;

/// Makes a file that does not exist, with what `fill` writes into it.
///
/// Processes that make files in one folder wait for each other.
///
/// *Power loss:* no file of this name, or the whole one; perhaps one with a dot before its name and `.new`
/// behind, which the next attempt takes away.
pub(super) fn create(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), FileError> {
    let folder = File::open(folder_of(path))?;
    folder.lock()?;
    if fs::symlink_metadata(path).is_ok() {
        return Err(FileError::Io(io::ErrorKind::AlreadyExists));
    }
    let new = unfinished(path)?;
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let result = fill_and_rename(&new, path, mode, fill);
    if result.is_err() {
        fs::remove_file(&new).ok();
    }
    result?;
    // The name is durable when its folder is.
    Ok(folder.sync_all()?)
}

fn fill_and_rename(
    new: &Path,
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(new)?;
    fill(&mut file)?;
    file.sync_all()?;
    fs::rename(new, path)
}

/// Refuses a file that the group or others may read or write.
pub(super) fn check_private(file: &File) -> Result<(), FileError> {
    if file.metadata()?.permissions().mode() & OF_OTHERS == 0 {
        Ok(())
    } else {
        Err(FileError::Permissions)
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The name that a file has until it is whole.
fn unfinished(path: &Path) -> Result<PathBuf, FileError> {
    let name = path
        .file_name()
        .ok_or(FileError::Io(io::ErrorKind::InvalidInput))?;
    let mut new = OsString::from(".");
    new.push(name);
    new.push(".new");
    Ok(path.with_file_name(new))
}
