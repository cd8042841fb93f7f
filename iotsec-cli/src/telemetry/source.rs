//! Batches from files, through the collector.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use iotsec::{
    core::{crypto::AgreementCurve, hal::UnixTime, secret::Secret},
    telemetry::{batch::MAX_LEN, registry::Class},
};
use iotsec_collector::{
    collector::{Collector, DeviceKeys, Limits, Record, ServiceKeys, ServiceSuite, When},
    export::Arrival,
    registries::Registries,
};
use zeroize::Zeroizing;

use super::{Memory, ServiceCipher, Source};
use crate::{
    Problem,
    file::{self, Access},
    key::{RecipientFile, unhex, unhex_all},
    time::Time,
};

/// The keys of devices; where none were given, all devices seal to the service's key, and each is known.
pub(super) enum Known {
    Keys(BTreeMap<String, Secret<32>>),
    All,
}

impl DeviceKeys for Known {
    fn key(&self, device: &str) -> Option<Secret<32>> {
        match self {
            Self::Keys(keys) => keys.key(device),
            Self::All => None,
        }
    }
    fn is_known(&self, device: &str) -> bool {
        match self {
            Self::Keys(keys) => keys.is_known(device),
            Self::All => true,
        }
    }
}

/// What arrived.
pub(super) struct Fleet {
    /// In order of device, boot and sequence.
    records: Vec<(String, UnixTime, Record)>,
    /// By device and class.
    pub(super) lost: BTreeMap<String, [u64; 4]>,
    pub(super) repeated: u64,
    pub(super) forgotten: u64,
    /// Devices whose clock was not believed.
    pub(super) wrong_clocks: Vec<String>,
    pub(super) refused: Vec<(PathBuf, Problem)>,
    pub(super) batches: usize,
    /// What to remember.
    memory: Vec<u8>,
}

impl Fleet {
    /// What is new since the run that left `state`.
    pub(super) fn read(source: &Source, state: Option<&Path>) -> Result<Self, Problem> {
        let known = if source.key.is_none() && source.keys.is_none() {
            Known::All
        } else {
            Known::Keys(keys(source)?)
        };
        let collector = Collector::new(registries(&source.registry)?, known, Limits::default());
        let mut collector = collector.with_service_keys(service_keys(source)?);
        let mut fleet = Self {
            records: Vec::new(),
            lost: BTreeMap::new(),
            repeated: 0,
            forgotten: 0,
            wrong_clocks: Vec::new(),
            refused: Vec::new(),
            batches: 0,
            memory: Vec::new(),
        };
        if let Some(path) = state.filter(|path| path.exists()) {
            let memory = file::read(path)?;
            collector.import(&memory).map_err(Problem::refused(path))?;
        }
        let of_all = |collector: &Collector<Known>, device: &str| {
            Class::ALL.map(|class| collector.lost(device, class))
        };
        let before: BTreeMap<_, _> = collector
            .devices()
            .map(|device| (device.to_owned(), of_all(&collector, device)))
            .collect();
        for path in files(&source.batches)? {
            fleet.batches += 1;
            if let Err(problem) = fleet.take(&mut collector, source, &path) {
                fleet.refused.push((path, problem));
            }
        }
        for device in collector.devices() {
            let mut lost = of_all(&collector, device);
            for (lost, before) in lost.iter_mut().zip(before.get(device).into_iter().flatten()) {
                *lost = lost.saturating_sub(*before);
            }
            fleet.lost.insert(device.to_owned(), lost);
        }
        fleet.memory = collector.export().map_err(Problem::make("state"))?;
        // What came before the device knew the time has one by now.
        for (device, _, record) in &mut fleet.records {
            if record.when == When::Unknown {
                record.when = collector.when(device, record.event.id(), record.event.uptime_s());
            }
        }
        let order = |(device, _, record): &(String, UnixTime, Record)| {
            let id = record.event.id();
            let number = (id.purpose.number(), id.sequence);
            (device.clone(), id.boot, record.event.uptime_s(), number)
        };
        fleet.records.sort_by_cached_key(order);
        Ok(fleet)
    }

    /// For the next run, if that is wanted.
    pub(super) fn remember(&self, memory: &Memory) -> Result<(), Problem> {
        match &memory.state {
            Some(path) => file::replace(path, &self.memory, Access::Private),
            None => Ok(()),
        }
    }

    pub(super) fn arrivals<'f>(&'f self) -> Vec<Arrival<'f>> {
        let arrival = |(device, received, record): &'f (String, UnixTime, Record)| Arrival {
            device,
            received: *received,
            record,
        };
        self.records.iter().map(arrival).collect()
    }

    fn take(
        &mut self,
        collector: &mut Collector<Known>,
        source: &Source,
        path: &Path,
    ) -> Result<(), Problem> {
        let length = fs::metadata(path)
            .map_err(|cause| Problem::file(path, &cause))?
            .len();
        if length > MAX_LEN as u64 {
            return Err(Problem::new(
                "SizeClass",
                format!(
                    "{} refused: {length} bytes, where a batch has {MAX_LEN} at most",
                    path.display()
                ),
                "give batches alone, each in a file of its own",
            ));
        }
        let bytes = file::read(path)?;
        let device = match &source.device {
            Some(device) => device.clone(),
            None => holder(path)?,
        };
        let received = match source.received {
            Some(time) => time.unix(),
            None => changed(path)?,
        };
        let delivery = collector
            .receive(&device, &bytes, received)
            .map_err(Problem::refused(path))?;
        self.repeated += u64::from(delivery.repeated);
        self.forgotten += u64::from(delivery.forgotten);
        if delivery.clock_refused && !self.wrong_clocks.contains(&device) {
            self.wrong_clocks.push(device.clone());
        }
        let records = delivery.records.into_iter();
        self.records
            .extend(records.map(|record| (device.clone(), received, record)));
        Ok(())
    }
}

/// Reads a registry in either form.
pub(super) fn add(registries: &mut Registries, path: &Path) -> Result<[u8; 16], Problem> {
    let bytes = file::read(path)?;
    let added = if is_json(&bytes) {
        registries.add_json(&bytes)
    } else {
        registries.add(&bytes)
    };
    added.map(|added| *added.hash()).map_err(Problem::refused(path))
}

/// A description begins with a brace, the canonical encoding with an array of four.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

fn registries(paths: &[PathBuf]) -> Result<Registries, Problem> {
    let mut registries = Registries::new();
    for path in paths {
        add(&mut registries, path)?;
    }
    Ok(registries)
}

fn keys(source: &Source) -> Result<BTreeMap<String, Secret<32>>, Problem> {
    let remedy =
        "a key has 32 bytes, or 64 hexadecimal digits; with --keys, a device's name and a space before them";
    let wrong = |path: &Path, what: String| {
        let message = format!("{} refused: {what}", path.display());
        Problem::new("Key", message, remedy)
    };
    let mut keys = BTreeMap::new();
    if let Some(path) = &source.keys {
        let text = Zeroizing::new(file::read(path)?);
        let text = std::str::from_utf8(&text).map_err(|_| wrong(path, "not a text".into()))?;
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let parts = line
                .split_once(' ')
                .and_then(|(device, key)| Some((device, unhex(key.trim())?)));
            let (device, key) =
                parts.ok_or_else(|| wrong(path, format!("line {} is no device and key", at + 1)))?;
            if keys.insert(device.to_owned(), Secret::from_bytes(key)).is_some() {
                return Err(wrong(path, format!("line {} has a device again", at + 1)));
            }
        }
        return Ok(keys);
    }
    if let Some(path) = &source.key {
        let bytes = Zeroizing::new(file::read(path)?);
        let text = std::str::from_utf8(&bytes)
            .ok()
            .and_then(|text| unhex_all(text.trim()));
        let text = text.map(Zeroizing::new);
        let key: Option<[u8; 32]> = bytes.as_slice().try_into().ok();
        let key = key.or_else(|| text.as_ref()?.as_slice().try_into().ok());
        let key = key.ok_or_else(|| wrong(path, format!("{} bytes are no key", bytes.len())))?;
        let mut names = Vec::new();
        match &source.device {
            Some(device) => names.push(device.clone()),
            None => {
                for file in files(&source.batches)? {
                    names.push(holder(&file)?);
                }
                names.dedup();
                if names.len() > 1 {
                    return Err(Problem::usage(
                        "the batches lie in folders of several devices, and there is one key",
                        "give the keys of all with --keys, or say --device",
                    ));
                }
            }
        }
        for name in names {
            keys.insert(name, Secret::from_bytes(key));
        }
    }
    Ok(keys)
}

fn service_keys(source: &Source) -> Result<ServiceKeys, Problem> {
    let mut keys = ServiceKeys::new();
    for path in &source.service_keys {
        let key = RecipientFile::read(path)?;
        let id = key.kid()?.and_then(|kid| kid.try_into().ok()).ok_or_else(|| {
            Problem::new(
                "KeyName",
                format!("{} refused: no name of 8 bytes", path.display()),
                "make the key with `iotsec key new --kid` and 8 bytes, by which devices name it",
            )
        })?;
        let private = key.private()?;
        let suite = match (private.curve(), source.service_cipher) {
            (AgreementCurve::P256, ServiceCipher::ChaCha20Poly1305) => ServiceSuite::P256ChaCha20Poly1305,
            (AgreementCurve::P256, ServiceCipher::Aes128Gcm) => ServiceSuite::P256Aes128Gcm,
            (_, ServiceCipher::ChaCha20Poly1305) => ServiceSuite::X25519ChaCha20Poly1305,
            (_, ServiceCipher::Aes128Gcm) => ServiceSuite::X25519Aes128Gcm,
        };
        keys.add(id, suite, private).map_err(Problem::refused(path))?;
    }
    Ok(keys)
}

/// All files at or below these, by name.
pub(super) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    for path in paths {
        find(path, &mut files)?;
    }
    Ok(files)
}

/// All files at or below `path`, by name.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let failed = |cause| Problem::file(path, &cause);
    if !fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut below = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // A link could lead around in a circle.
        if !entry.file_type().map_err(failed)?.is_symlink() {
            below.push(entry.path());
        }
    }
    below.sort();
    below.iter().try_for_each(|path| find(path, files))
}

/// The name of the folder that a file lies in.
fn holder(path: &Path) -> Result<String, Problem> {
    let whole = path.canonicalize().map_err(|cause| Problem::file(path, &cause))?;
    let name = whole
        .parent()
        .and_then(Path::file_name)
        .and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| {
        let message = format!(
            "{} lies in no folder that a device could have the name of",
            path.display()
        );
        Problem::usage(message, "say --device")
    })
}

fn changed(path: &Path) -> Result<UnixTime, Problem> {
    let changed = fs::metadata(path).and_then(|about| about.modified());
    let changed = changed.map_err(|cause| Problem::file(path, &cause))?;
    let since = changed.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Time(since.as_secs()).unix())
}
