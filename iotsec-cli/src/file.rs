//! Files that never lose data and never show a secret to another user.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

use crate::Problem;

/// Who may read a new file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Its owner only (mode 0600).
    Private,
    /// Whoever the umask allows.
    Public,
}

/// The whole file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    fs::read(path).map_err(failed(path))
}

/// Refuses a name that is taken, before work is done for it.
pub(crate) fn must_be_free(path: &Path) -> Result<(), Problem> {
    match fs::symlink_metadata(path) {
        Ok(_) => Err(Problem::exists(path)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(failed(path)(cause)),
    }
}

/// To open a file for writing; if that makes it, it is for whom `access` says.
pub(crate) fn writing(access: Access) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    if access == Access::Private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = access;
    options
}

/// Makes a file that did not exist, with its bytes on the disk when this returns. A file that could
/// not be completed is removed.
pub(crate) fn create(path: &Path, bytes: &[u8], access: Access) -> Result<(), Problem> {
    let written = write_new(path, bytes, access);
    if let Err(cause) = &written
        && cause.kind() == io::ErrorKind::AlreadyExists
    {
        return Err(Problem::exists(path));
    }
    written.and_then(|()| sync_name(path)).map_err(|cause| {
        // The first failure is the one to report.
        let _ = fs::remove_file(path);
        failed(path)(cause)
    })
}

/// A new file for its owner alone, to be written piece by piece.
pub(crate) fn create_stream(path: &Path) -> Result<io::BufWriter<fs::File>, Problem> {
    let file = writing(Access::Private)
        .create_new(true)
        .open(path)
        .map_err(failed(path))?;
    sync_name(path).map_err(failed(path))?;
    Ok(io::BufWriter::new(file))
}

/// As [`create`], and a run that is killed leaves either no file of this name or a whole one.
pub(crate) fn create_whole(path: &Path, bytes: &[u8], access: Access) -> Result<(), Problem> {
    create_one_of_many(path, bytes, access)?;
    sync_name(path).map_err(failed(path))
}

/// Puts a whole file in the place of one that may be there: whoever looks, and a run that is killed, finds the old one or
/// the new one.
pub(crate) fn replace(path: &Path, bytes: &[u8], access: Access) -> Result<(), Problem> {
    write_beside(path, bytes, access)?;
    sync_name(path).map_err(failed(path))
}

/// As [`create_whole`], but the name reaches the disk with [`sync_dir`], once for all files of a directory.
pub(crate) fn create_one_of_many(path: &Path, bytes: &[u8], access: Access) -> Result<(), Problem> {
    must_be_free(path)?;
    write_beside(path, bytes, access)
}

/// Under another name first, and then under its own.
fn write_beside(path: &Path, bytes: &[u8], access: Access) -> Result<(), Problem> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = Path::new(&unfinished);
    // What a killed run left.
    let _ = fs::remove_file(unfinished);
    write_new(unfinished, bytes, access).map_err(|cause| {
        let _ = fs::remove_file(unfinished);
        failed(unfinished)(cause)
    })?;
    fs::rename(unfinished, path).map_err(failed(path))
}

/// Brings the names in a directory to the disk.
pub(crate) fn sync_dir(path: &Path) -> Result<(), Problem> {
    sync(path).map_err(failed(path))
}

fn write_new(path: &Path, bytes: &[u8], access: Access) -> io::Result<()> {
    let mut file = writing(access).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a directory that did not exist, and those above it.
pub(crate) fn create_dir(path: &Path) -> Result<(), Problem> {
    if let Some(above) = path.parent() {
        fs::create_dir_all(above).map_err(failed(above))?;
    }
    fs::create_dir(path)
        .and_then(|()| sync_name(path))
        .map_err(failed(path))
}

/// Brings a name to the disk: on Unix it is the directory that holds it.
fn sync_name(path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    sync(above.unwrap_or(Path::new(".")))
}

fn sync(dir: &Path) -> io::Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    fs::File::open(dir)?.sync_all()
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> Problem + '_ {
    |cause| match cause.kind() {
        io::ErrorKind::AlreadyExists => Problem::exists(path),
        _ => Problem::file(path, &cause),
    }
}
