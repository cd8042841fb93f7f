//! A TPM that others wrote (libtpms, behind swtpm), power-cut and asked again.

use std::{
    fmt::Write as _,
    fs,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use iotsec::{
    core::{
        crypto::{Aes256GcmSiv, HkdfSha256},
        hal::{
            CounterError, MonotonicCounter, Region, RootKey,
            linux::tpm::{Tpm, TpmCounter, TpmError, TpmRootKey},
        },
        secret::Secret,
    },
    store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite, linux::NorFile},
};
use iotsec_testkit::SimRng;

use super::Place;
use crate::tool::Failure;

const INDEX: u32 = 0x0180_4711;
const KEY: KeyId = KeyId::new(KeyDomain::User, 1, 1);
const VALUE: &[u8] = b"correct horse battery";

pub(super) fn check(place: &Place) -> Result<(), Failure> {
    let folder = place.work.join("tpm");
    fs::create_dir_all(&folder)?;
    let sealed = folder.join("root-key");

    let simulator = Simulator::start(&folder.join("state"))?;
    record_root_key(&simulator, &sealed, &folder.join("root_key.txt"))?;
    let value = record_counter(&simulator, &folder.join("counter.txt"))?;
    let region = Region::new(0, 4096, 8, 16)?;
    let mut file = NorFile::create(&folder.join("keys"), region)?;
    let first = with_store(&simulator, &sealed, &mut file, region, true)?;
    drop((file, simulator));

    // The power goes, and comes back.
    let simulator = Simulator::start(&folder.join("state"))?;
    let mut file = NorFile::open(&folder.join("keys"), region)?;
    let second = with_store(&simulator, &sealed, &mut file, region, false)?;
    same("the key", first.ct_eq(&second), true)?;
    let mut counter = TpmCounter::create(simulator.connect()?, INDEX)?;
    same("the counter", counter.read()?, value)?;
    counter.advance_to(value + 100)?;
    drop((counter, simulator));

    let simulator = Simulator::start(&folder.join("state"))?;
    let mut counter = TpmCounter::open(simulator.connect()?, INDEX)?;
    same("the counter", counter.read()?, value + 100)?;
    drop(counter);
    // Taken away and made again it does not begin anew.
    undefine(&simulator)?;
    let missing = TpmCounter::open(simulator.connect()?, INDEX);
    same("no counter", missing.err(), Some(TpmError::Refused(0x18B)))?;
    let mut again = TpmCounter::create(simulator.connect()?, INDEX)?;
    same("the new counter", again.read()? > value + 100, true)?;
    drop(again);

    let stranger = Simulator::start(&folder.join("stranger"))?;
    let opened = TpmRootKey::open(&mut stranger.connect()?, &sealed, &HkdfSha256);
    let refused = matches!(opened, Err(TpmError::Refused(_)));
    same("refusal of a key that another TPM sealed", refused, true)?;
    damage(&simulator, &sealed)?;
    println!(
        "TPM 2.0: sealed, unsealed, counted to {}, a store mounted, across 2 power cuts",
        value + 100
    );
    Ok(())
}

/// Formats the store and puts a value, or mounts it and gets the value; returns what the root key derives.
fn with_store(
    simulator: &Simulator,
    sealed: &Path,
    file: &mut NorFile,
    region: Region,
    new: bool,
) -> Result<Secret<32>, Failure> {
    let root = TpmRootKey::open(&mut simulator.connect()?, sealed, &HkdfSha256)?;
    let suite = Suite {
        aead: &Aes256GcmSiv,
        kdf: &HkdfSha256,
        root: &root,
    };
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 8], [0; 512]);
    let mut rng = SimRng::new(2);
    if new {
        let mut store = Store::format(
            file,
            region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        )?;
        store.put(file, KEY, VALUE)?;
    } else {
        let mut store = Store::mount(
            file,
            region,
            suite,
            &mut index,
            &mut buffer,
            ReplayProtection::None,
            &mut rng,
        )?;
        let mut out = [0; 64];
        same("the value", store.get(file, KEY, &mut out)?, VALUE)?;
    }
    let mut derived = Secret::zero();
    root.derive(b"interop", &mut derived)?;
    Ok(derived)
}

/// Flips each byte of the sealed key: none of it opens.
fn damage(simulator: &Simulator, sealed: &Path) -> Result<(), Failure> {
    let whole = fs::read(sealed)?;
    let mut tpm = simulator.connect()?;
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x40;
        fs::write(sealed, damaged)?;
        match TpmRootKey::open(&mut tpm, sealed, &HkdfSha256) {
            Err(TpmError::Refused(_) | TpmError::Sealed) => {}
            other => return Err(format!("byte {at} changed, and: {other:?}").into()),
        }
    }
    fs::write(sealed, whole)?;
    TpmRootKey::open(&mut tpm, sealed, &HkdfSha256)?;
    Ok(())
}

/// `TPM2_NV_UndefineSpace`, which whoever may use the TPM can send.
fn undefine(simulator: &Simulator) -> Result<(), Failure> {
    let mut socket = simulator.socket()?;
    let mut command = vec![0x80, 0x02, 0, 0, 0, 31, 0, 0, 0x01, 0x22, 0x40, 0, 0, 1];
    command.extend(INDEX.to_be_bytes());
    command.extend([0, 0, 0, 9, 0x40, 0, 0, 9, 0, 0, 0, 0, 0]);
    socket.write_all(&command)?;
    let mut answer = [0; 10];
    socket.read_exact(&mut answer)?;
    same("taking the counter away", &answer[6..], &[0; 4])
}

/// What the documentation of `TpmRootKey` does, written down for `vectors/tpm`.
fn record_root_key(simulator: &Simulator, sealed: &Path, record: &Path) -> Result<(), Failure> {
    let mut log = String::new();
    let mut tpm = Tpm::new(Recorder {
        socket: simulator.socket()?,
        log: &mut log,
    });
    let made = TpmRootKey::create(&mut tpm, sealed, &HkdfSha256, &mut SimRng::new(1))?;
    let read = TpmRootKey::open(&mut tpm, sealed, &HkdfSha256)?;
    let (mut first, mut second) = (Secret::zero(), Secret::zero());
    made.derive(b"store", &mut first)?;
    read.derive(b"store", &mut second)?;
    same("the key", first.ct_eq(&second), true)?;
    Ok(fs::write(record, log)?)
}

/// What the documentation of `TpmCounter` does, written down for `vectors/tpm`.
fn record_counter(simulator: &Simulator, record: &Path) -> Result<u64, Failure> {
    let mut log = String::new();
    let tpm = Tpm::new(Recorder {
        socket: simulator.socket()?,
        log: &mut log,
    });
    let mut counter = TpmCounter::create(tpm, INDEX)?;
    let first = counter.read()?;
    counter.advance_to(first + 2)?;
    counter.advance_to(first)?;
    same("the counter", counter.read()?, first + 2)?;
    same(
        "too far",
        counter.advance_to(1 << 40),
        Err(CounterError::Exhausted),
    )?;
    let mut counter = TpmCounter::open(counter.into_tpm(), INDEX)?;
    same("the counter", counter.read()?, first + 2)?;
    drop(counter);
    fs::write(record, log)?;
    Ok(first + 2)
}

#[allow(clippy::needless_pass_by_value, reason = "values stand where it is called")]
fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Result<(), Failure> {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("TPM: {what} is {found:?}, not {wanted:?}").into())
    }
}

/// swtpm with its state in a folder. Dropping it is a power cut.
struct Simulator {
    process: Child,
    socket: PathBuf,
}

impl Simulator {
    fn start(state: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(state)?;
        // The name of a socket may be a hundred bytes long, and a checkout lies where it likes.
        let name = format!(
            "iotsec-{}-{}",
            std::process::id(),
            state.file_name().unwrap_or_default().display()
        );
        let socket = std::env::temp_dir().join(name);
        fs::remove_file(&socket).ok();
        let process = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "not-need-init", "--tpmstate"])
            .arg(format!("dir={}", state.display()))
            .arg("--server")
            .arg(format!("type=unixio,path={}", socket.display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let simulator = Self { process, socket };
        simulator.connect()?;
        Ok(simulator)
    }

    fn connect(&self) -> Result<Tpm<UnixStream>, Failure> {
        let mut tpm = Tpm::new(self.socket()?);
        tpm.start()?;
        Ok(tpm)
    }

    /// Waits until the simulator is ready for a connection, for it takes one at a time.
    fn socket(&self) -> Result<UnixStream, Failure> {
        for _ in 0..500 {
            if let Ok(socket) = UnixStream::connect(&self.socket) {
                socket.set_read_timeout(Some(Duration::from_secs(20)))?;
                return Ok(socket);
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err("swtpm does not listen".into())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        fs::remove_file(&self.socket).ok();
    }
}

/// A connection of which every message is written down.
struct Recorder<'a> {
    socket: UnixStream,
    log: &'a mut String,
}

impl Recorder<'_> {
    fn note(&mut self, sign: char, bytes: &[u8]) {
        let _ = write!(self.log, "{sign} ");
        for byte in bytes {
            let _ = write!(self.log, "{byte:02x}");
        }
        self.log.push('\n');
    }
}

impl Write for Recorder<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.socket.write(bytes)?;
        self.note('>', &bytes[..count]);
        Ok(count)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl Read for Recorder<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.socket.read(bytes)?;
        self.note('<', &bytes[..count]);
        Ok(count)
    }
}
