//! U-Boot's redundant environment.

use std::{
    fs::OpenOptions,
    io::{Read, Seek, SeekFrom, Write},
    path::PathBuf,
    string::String,
    vec,
    vec::Vec,
};

use super::LinuxError;
use crate::checksum::crc32;

/// Where one copy of the environment lies, as in a line of `fw_env.config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// A block device or a file.
    pub path: PathBuf,
    /// Where it begins.
    pub offset: u64,
}

const HEADER_LEN: usize = 5;

/// Variables in two copies (`CONFIG_SYS_REDUNDAND_ENVIRONMENT`), of which the older one is written:
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 | CRC-32 of bytes 5 to the end, little-endian |
/// | 4 | 1 | counter: one more than the other copy's, 0 after 255 |
/// | 5 | | `name=value`, each ended by a zero; the list by another, and zeros to the end |
///
/// On media that count so (eMMC, SD, files, UBI); NOR flash behind MTD marks its copies otherwise and is not
/// for this.
///
/// *Power loss:* the old variables or the new ones, all of them. The copy that is being written is the one
/// that nobody needs, and it is on the medium before [`write`](Self::write) returns.
///
/// ```
/// use iotsec_update::linux::{Environment, Place};
///
/// # let folder = std::env::temp_dir().join(format!("iotsec-environment-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let place = |name: &str| Place { path: folder.join(name), offset: 0 };
/// # for name in ["env-1", "env-2"] { std::fs::write(folder.join(name), [0; 4096])?; }
/// let places = [place("env-1"), place("env-2")];
/// let mut environment = Environment::create(places.clone(), 4096)?;
/// environment.set("BOOT_ORDER", "A B")?;
/// environment.write()?;
/// assert_eq!(Environment::open(places, 4096)?.get("BOOT_ORDER"), Some("A B"));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Environment {
    places: [Place; 2],
    size: usize,
    /// The copy that holds what was read or written last.
    newest: Copy,
    counter: u8,
    variables: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copy {
    First,
    Second,
}

impl Environment {
    /// Reads the newer of the copies that are whole, as U-Boot chooses it.
    ///
    /// # Errors
    /// [`LinuxError::NoEnvironment`] when none is whole: U-Boot would use its built-in one then, and what
    /// that says is not known here.
    pub fn open(places: [Place; 2], size: usize) -> Result<Self, LinuxError> {
        let [first, second] = &places;
        let (first, second) = (load(first, size)?, load(second, size)?);
        let (newest, (counter, variables)) = match (first, second) {
            (None, None) => return Err(LinuxError::NoEnvironment),
            (Some(copy), None) => (Copy::First, copy),
            (None, Some(copy)) => (Copy::Second, copy),
            (Some(first), Some(second)) => {
                if is_newer(second.0, first.0) {
                    (Copy::Second, second)
                } else {
                    (Copy::First, first)
                }
            }
        };
        Ok(Self {
            places,
            size,
            newest,
            counter,
            variables,
        })
    }

    /// An environment without variables, to be written over whatever is there.
    ///
    /// # Errors
    /// [`LinuxError::Size`] below 16 bytes.
    pub fn create(places: [Place; 2], size: usize) -> Result<Self, LinuxError> {
        if size < 16 {
            return Err(LinuxError::Size);
        }
        Ok(Self {
            places,
            size,
            newest: Copy::Second,
            counter: 0,
            variables: Vec::new(),
        })
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.variables.iter().filter(|(known, _)| known == name);
        found.next().map(|(_, value)| value.as_str())
    }

    /// Sets a variable, in memory.
    ///
    /// # Errors
    /// [`LinuxError::Value`] for an empty name, one with `=`, or a zero byte.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), LinuxError> {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(LinuxError::Value);
        }
        match self.variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value.into(),
            None => self.variables.push((name.into(), value.into())),
        }
        Ok(())
    }

    /// Writes all variables to the older copy and waits until it is on the medium.
    ///
    /// # Errors
    /// [`LinuxError::Full`]; [`LinuxError::Io`], after which the old variables stand, or the new ones.
    pub fn write(&mut self) -> Result<(), LinuxError> {
        let counter = self.counter.wrapping_add(1);
        let image = self.image(counter)?;
        let [first, second] = &self.places;
        let (place, older) = match self.newest {
            Copy::First => (second, Copy::Second),
            Copy::Second => (first, Copy::First),
        };
        let mut file = OpenOptions::new().write(true).open(&place.path)?;
        file.seek(SeekFrom::Start(place.offset))?;
        file.write_all(&image)?;
        file.sync_data()?;
        self.newest = older;
        self.counter = counter;
        Ok(())
    }

    /// Whether writing this would change nothing.
    pub(super) fn same_as(&self, other: &Self) -> bool {
        self.variables == other.variables
    }

    fn image(&self, counter: u8) -> Result<Vec<u8>, LinuxError> {
        let mut data = Vec::new();
        for (name, value) in &self.variables {
            data.extend_from_slice(name.as_bytes());
            data.push(b'=');
            data.extend_from_slice(value.as_bytes());
            data.push(0);
        }
        data.push(0);
        let room = self.size.checked_sub(HEADER_LEN).ok_or(LinuxError::Size)?;
        if data.len() > room {
            return Err(LinuxError::Full);
        }
        data.resize(room, 0);
        let mut image = Vec::with_capacity(self.size);
        image.extend_from_slice(&crc32(&data).to_le_bytes());
        image.push(counter);
        image.append(&mut data);
        Ok(image)
    }
}

/// The counter and the variables of a copy that is whole.
#[allow(clippy::type_complexity, reason = "named where it is used")]
fn load(place: &Place, size: usize) -> Result<Option<(u8, Vec<(String, String)>)>, LinuxError> {
    let mut image = vec![0; size];
    let mut file = OpenOptions::new().read(true).open(&place.path)?;
    file.seek(SeekFrom::Start(place.offset))?;
    match file.read_exact(&mut image) {
        Ok(()) => {}
        // A file that a cut left short is as good as a copy that is torn.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    Ok(parse(&image))
}

fn parse(image: &[u8]) -> Option<(u8, Vec<(String, String)>)> {
    let (crc, rest) = image.split_first_chunk()?;
    let (counter, data) = rest.split_first()?;
    if u32::from_le_bytes(*crc) != crc32(data) {
        return None;
    }
    let mut variables = Vec::new();
    for entry in data.split(|byte| *byte == 0) {
        if entry.is_empty() {
            return Some((*counter, variables));
        }
        let (name, value) = core::str::from_utf8(entry).ok()?.split_once('=')?;
        variables.push((name.into(), value.into()));
    }
    // The list has no end.
    None
}

/// Whether `a` was written after `b`.
const fn is_newer(a: u8, b: u8) -> bool {
    match (a, b) {
        (0, 255) => true,
        (255, 0) => false,
        _ => a > b,
    }
}
