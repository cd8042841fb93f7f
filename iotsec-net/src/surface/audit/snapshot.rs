use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
    string::{String, ToString as _},
    vec::Vec,
};

use iotsec_core::error::{ErrorCode, Fault};

use super::{Listener, ProcError, SocketFile, read_sockets, socket_inode};

/// Bytes of a file in `/proc/net` at most: the longest line times half of the most lines.
pub const MAX_FILE_LEN: u64 = 16 << 20;
/// Processes whose sockets are looked for at most: `kernel.pid_max` on 32-bit systems.
const MAX_PROCESSES: usize = 32_768;
/// Open files of one process that are looked at, at most: the usual hard limit.
const MAX_FILES: usize = 524_288;

/// An audit could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// A table of sockets could not be read.
    #[error("/proc/net/{file} cannot be read: {1}", file = .0.name())]
    Sockets(SocketFile, io::ErrorKind),
    /// The open files of a process could not be read.
    #[error("open files of process {0} cannot be read: {1}")]
    Process(u32, io::ErrorKind),
    /// A table is longer than is looked at.
    #[error("/proc/net/{file} is too long", file = .0.name())]
    TooLong(SocketFile),
    /// More processes, or open files of one, than are looked at.
    #[error("too many processes or open files")]
    TooMany,
    /// A table is not as the kernel writes it.
    #[error(transparent)]
    Table(#[from] ProcError),
}

impl ErrorCode for AuditError {
    fn code(&self) -> u16 {
        match self {
            Self::Sockets(..) => 5351,
            Self::Process(..) => 5352,
            Self::TooLong(_) => 5353,
            Self::TooMany => 5354,
            Self::Table(error) => error.code(),
        }
    }
    fn fault(&self) -> Fault {
        Fault::Device
    }
}

/// Who has a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Number of the process.
    pub pid: u32,
    /// Its name, up to 15 characters.
    pub name: String,
}

/// The text of the tables, and who has which socket, at one time.
///
/// ```
/// # #[cfg(target_os = "linux")] {
/// use std::net::TcpListener;
///
/// use iotsec_net::surface::audit::{Bound, Snapshot};
///
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let snapshot = Snapshot::of_process("/proc".as_ref(), std::process::id())?;
/// let sockets = snapshot.listeners()?;
/// assert!(sockets.iter().any(|socket| socket.bound == Bound::Tcp(listener.local_addr().unwrap())));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Snapshot {
    texts: Vec<(SocketFile, Vec<u8>)>,
    owners: BTreeMap<u64, Owner>,
    /// Only sockets that have an owner count.
    owned: bool,
}

impl Snapshot {
    /// Of everything in the network namespace of the caller; `proc` is where procfs is mounted.
    ///
    /// Owners are found as far as the caller may see them. Sockets without one are listed all the same.
    ///
    /// # Errors
    /// [`AuditError`].
    pub fn of_system(proc: &Path) -> Result<Self, AuditError> {
        let texts = read_texts(&proc.join("net"))?;
        let mut owners = BTreeMap::new();
        let processes = fs::read_dir(proc).map_err(|cause| AuditError::Process(0, cause.kind()))?;
        let mut left = MAX_PROCESSES;
        for entry in processes.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            left = left.checked_sub(1).ok_or(AuditError::TooMany)?;
            match add_owner(proc, pid, &mut owners) {
                // It has ended since, or is somebody else's.
                Ok(()) | Err(AuditError::Process(..)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Self {
            texts,
            owners,
            owned: false,
        })
    }

    /// Of the sockets of one process, in its network namespace.
    ///
    /// # Errors
    /// [`AuditError`]; [`AuditError::Process`] when the caller may not see its open files.
    pub fn of_process(proc: &Path, pid: u32) -> Result<Self, AuditError> {
        let mut owners = BTreeMap::new();
        let texts = read_texts(&proc.join(pid.to_string()).join("net"))?;
        add_owner(proc, pid, &mut owners)?;
        Ok(Self {
            texts,
            owners,
            owned: true,
        })
    }

    /// The sockets that others can send to.
    ///
    /// # Errors
    /// [`ProcError`].
    pub fn listeners(&self) -> Result<Vec<Listener<'_>>, ProcError> {
        let mut listeners = Vec::new();
        for (file, text) in &self.texts {
            for listener in read_sockets(*file, text) {
                let listener = listener?;
                if !self.owned || self.owners.contains_key(&listener.inode) {
                    listeners.push(listener);
                }
            }
        }
        Ok(listeners)
    }

    /// Who has a socket, if it may be seen.
    pub fn owner(&self, listener: &Listener<'_>) -> Option<&Owner> {
        self.owners.get(&listener.inode)
    }
}

/// A kernel without a protocol has no file for it; without TCP there is no `/proc`.
fn read_texts(net: &Path) -> Result<Vec<(SocketFile, Vec<u8>)>, AuditError> {
    let mut texts = Vec::new();
    for file in SocketFile::ALL {
        match read(&net.join(file.name())) {
            Ok(Some(text)) => texts.push((file, text)),
            Ok(None) => return Err(AuditError::TooLong(file)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound && file != SocketFile::Tcp => {}
            Err(cause) => return Err(AuditError::Sockets(file, cause.kind())),
        }
    }
    Ok(texts)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut text = Vec::new();
    File::open(path)?
        .take(MAX_FILE_LEN.saturating_add(1))
        .read_to_end(&mut text)?;
    let fits = u64::try_from(text.len()).is_ok_and(|len| len <= MAX_FILE_LEN);
    Ok(fits.then_some(text))
}

/// Notes every socket of a process.
fn add_owner(proc: &Path, pid: u32, owners: &mut BTreeMap<u64, Owner>) -> Result<(), AuditError> {
    let failed = |cause: io::Error| AuditError::Process(pid, cause.kind());
    let process = proc.join(pid.to_string());
    let name = fs::read(process.join("comm")).map_err(failed)?;
    let name = name.trim_ascii_end().escape_ascii().to_string();
    for (index, entry) in fs::read_dir(process.join("fd")).map_err(failed)?.enumerate() {
        if index >= MAX_FILES {
            return Err(AuditError::TooMany);
        }
        let link = match fs::read_link(entry.map_err(failed)?.path()) {
            Ok(link) => link,
            // Closed since.
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue,
            Err(cause) => return Err(failed(cause)),
        };
        if let Some(inode) = socket_inode(link.as_os_str().as_encoded_bytes()) {
            let name = name.clone();
            owners.entry(inode).or_insert(Owner { pid, name });
        }
    }
    Ok(())
}
