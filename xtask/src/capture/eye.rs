//! Two witnesses of what passes: the packets that tcpdump writes down, and the counters of the interface.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::tool::{self, Failure};

const INTERFACE: &str = "device0";
/// Bytes in front of the packets of a file of tcpdump, and in front of each of them.
const FILE_HEAD: usize = 24;
const PACKET_HEAD: usize = 16;

pub(super) struct Eye {
    tcpdump: Child,
    file: PathBuf,
}

/// What passed, either way.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen {
    captured: u64,
    bytes: u64,
    counted: u64,
}

impl Seen {
    pub(super) fn must_be_none(self) -> Result<(), Failure> {
        if self.captured == 0 && self.counted == 0 {
            Ok(())
        } else {
            Err(format!("there should have been nothing on the wire, and there was: {self}").into())
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            captured: self.captured - before.captured,
            bytes: self.bytes - before.bytes,
            counted: self.counted - before.counted,
        }
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            captured,
            bytes,
            counted,
        } = self;
        write!(
            f,
            "{captured} packets of {bytes} bytes captured, {counted} counted by the interface"
        )
    }
}

impl Eye {
    pub(super) fn open(folder: &Path) -> Result<Self, Failure> {
        let file = folder.join("packets.pcap");
        let log = fs::File::create(folder.join("tcpdump.log"))?;
        let mut command = Command::new("tcpdump");
        command.args([
            "-i",
            INTERFACE,
            "-n",
            "-U",
            "--immediate-mode",
            "-Z",
            "root",
            "-w",
        ]);
        let tcpdump = command.arg(&file).stdout(Stdio::null()).stderr(log).spawn()?;
        let eye = Self { tcpdump, file };
        let start = Instant::now();
        while fs::metadata(&eye.file).map_or(0, |data| data.len()) < FILE_HEAD as u64 {
            if start.elapsed() > Duration::from_secs(10) {
                return Err(format!("tcpdump does not listen, see {}/tcpdump.log", folder.display()).into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(eye)
    }

    /// What passes while `work` is done.
    pub(super) fn look(&mut self, work: impl FnOnce() -> Result<(), Failure>) -> Result<Seen, Failure> {
        if let Some(status) = self.tcpdump.try_wait()? {
            return Err(format!("tcpdump has ended ({status})").into());
        }
        let before = self.now()?;
        work()?;
        Ok(self.now()?.since(before))
    }

    fn now(&self) -> Result<Seen, Failure> {
        let counters = link(INTERFACE, None)?;
        let count = |way: &str| counters["stats64"][way]["packets"].as_u64();
        let counted = count("rx").zip(count("tx")).ok_or("no counters")?;
        let file = fs::read(&self.file)?;
        let mut seen = Seen {
            counted: counted.0 + counted.1,
            ..Seen::default()
        };
        let mut rest = file.get(FILE_HEAD..).unwrap_or_default();
        while let Some((head, packets)) = rest.split_at_checked(PACKET_HEAD) {
            let len = u32::from_ne_bytes([head[8], head[9], head[10], head[11]]);
            let Some((_, behind)) = packets.split_at_checked(usize::try_from(len)?) else {
                break;
            };
            seen.captured += 1;
            seen.bytes += u64::from(len);
            rest = behind;
        }
        Ok(seen)
    }
}

impl Drop for Eye {
    fn drop(&mut self) {
        let _ = self.tcpdump.kill();
        let _ = self.tcpdump.wait();
    }
}

/// The hardware address of an interface in a namespace.
pub(super) fn hardware_address(interface: &str, namespace: Option<&str>) -> Result<String, Failure> {
    let link = link(interface, namespace)?;
    Ok(link["address"].as_str().ok_or("no hardware address")?.to_owned())
}

fn link(interface: &str, namespace: Option<&str>) -> Result<Value, Failure> {
    let mut command = Command::new("ip");
    if let Some(namespace) = namespace {
        command.args(["-netns", namespace]);
    }
    let text = tool::text(command.args(["-s", "-j", "link", "show", "dev", interface]))?;
    let list: Value = serde_json::from_str(&text)?;
    Ok(list[0].clone())
}
