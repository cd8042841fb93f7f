//! A device, a real mosquitto, and between them a network that fails in every way that this machine can make it.

pub(crate) mod network;
mod watcher;

use std::{
    collections::{HashMap, HashSet},
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use iotsec::{
    core::{
        hal::{Millis, Uptime},
        input::MqttTopic,
    },
    net::{
        mqtt::{Delivery, Event, Link, Mqtt, MqttConfig, MqttError, Step},
        retry::{Retry, RetryPolicy},
    },
};
use iotsec_testkit::SimRng;

use crate::{
    stream::{Clock, Memory, dial},
    tool::{self, Failure},
};
use network::{Broker, Network, SERVER};

/// Messages that await acknowledgement, at most, and their bytes.
const MESSAGES: usize = 32;
const BYTES: usize = 8 * 1024;
/// Seconds until a server that says nothing counts as dead.
const ANSWER: u16 = 3;
/// What the process may grow by while thousands of messages pass. The allocator keeps a little of what was freed.
const GROWTH_KIB: u64 = 4096;

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    match args {
        [] => enter("outages", &[("mosquitto", "mosquitto"), ("tc", "iproute2")]),
        // Started by `enter`, in a network of its own.
        ["--inside"] => play(root),
        // Started by `play`, beside the server.
        ["--watch", file, id] => watcher::run(Path::new(file), id),
        _ => Err("takes nothing".into()),
    }
}

/// Starts `task` of this program again in a network namespace, so that nothing of the machine's network is touched. It
/// needs these programs too, from these packages.
pub(crate) fn enter(task: &str, programs: &[(&str, &str)]) -> Result<(), Failure> {
    let path = search_path()?;
    let always = [("ip", "iproute2"), ("unshare", "util-linux"), ("kill", "procps")];
    for (program, package) in programs.iter().chain(&always) {
        if !env::split_paths(&path).any(|folder| folder.join(program).exists()) {
            return Err(format!("{program} is missing: apt-get install {package}").into());
        }
    }
    let is_root = tool::text(Command::new("id").arg("-u"))?.trim() == "0";
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount"]);
    if !is_root {
        unshare.args(["--user", "--map-root-user"]);
    }
    let allowed = tool::output(unshare.arg("true"))?;
    if !allowed.status.success() {
        return Err(format!(
            "this kernel, or this container, allows no network namespace: {}Run as root, with CAP_SYS_ADMIN and \
             CAP_NET_ADMIN (docker run --privileged), or allow user namespaces",
            String::from_utf8_lossy(&allowed.stderr)
        )
        .into());
    }
    let mut inside = Command::new("unshare");
    inside.args(["--net", "--mount"]);
    if !is_root {
        inside.args(["--user", "--map-root-user"]);
    }
    inside.arg(env::current_exe()?).args([task, "--inside"]);
    tool::run(inside.env("PATH", path))
}

/// Where programs are, those for administrators included.
fn search_path() -> Result<OsString, Failure> {
    let path = env::var_os("PATH").unwrap_or_default();
    let administrators = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    Ok(env::join_paths(env::split_paths(&path).chain(administrators))?)
}

/// One way to fail, and what must be seen of it.
struct Outage {
    name: &'static str,
    begin: fn(&Network, &mut Broker) -> Result<(), Failure>,
    end: fn(&Network, &mut Broker) -> Result<(), Failure>,
    seconds: u64,
    /// Whether the device must have noticed.
    breaks: bool,
}

const OUTAGES: &[Outage] = &[
    Outage {
        name: "server killed (SIGKILL) and started again",
        begin: |_, broker| broker.kill(),
        end: |_, broker| broker.start(),
        seconds: 4,
        breaks: true,
    },
    Outage {
        name: "server restarted in good order (SIGTERM)",
        begin: |_, broker| broker.stop(),
        end: |_, broker| broker.start(),
        seconds: 2,
        breaks: true,
    },
    Outage {
        name: "server frozen (SIGSTOP): accepts, never answers",
        begin: |_, broker| broker.signal("STOP"),
        end: |_, broker| broker.signal("CONT"),
        seconds: 8,
        breaks: true,
    },
    Outage {
        name: "link down",
        begin: |network, _| network.device(&["link", "set", "device0", "down"]),
        end: |network, _| network.device(&["link", "set", "device0", "up"]),
        seconds: 7,
        breaks: true,
    },
    Outage {
        name: "black hole: nothing comes back",
        begin: |network, _| network.server(&["route", "add", "blackhole", "10.213.0.1/32"]),
        end: |network, _| network.server(&["route", "del", "blackhole", "10.213.0.1/32"]),
        seconds: 7,
        breaks: true,
    },
    Outage {
        name: "slow: 32 kbit/s (tbf)",
        begin: |network, _| network.slow(true),
        end: |network, _| network.slow(false),
        seconds: 6,
        breaks: false,
    },
];

fn play(root: &Path) -> Result<(), Failure> {
    let folder = root.join("target/outages");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    let network = Network::new()?;
    let mut broker = Broker::new(&folder)?;
    broker.start()?;
    let mut watcher = watcher::Watcher::start(&folder)?;
    let mut device = Device::new()?;
    device.live(Duration::from_secs(3))?;
    let start = resident()?;
    for outage in OUTAGES {
        let (acknowledged, attempts, losses) =
            (device.acknowledged.len(), device.attempts.len(), device.losses);
        (outage.begin)(&network, &mut broker)?;
        device.live(Duration::from_secs(outage.seconds))?;
        let during = device.losses - losses;
        (outage.end)(&network, &mut broker)?;
        let back = device.until_acknowledged()?;
        println!(
            "{:<48} {:>2} s: {} attempts, back {:.1} s later, {} messages acknowledged",
            outage.name,
            outage.seconds,
            device.attempts.len() - attempts,
            back.as_secs_f64(),
            device.acknowledged.len() - acknowledged
        );
        if outage.breaks != (during > 0) {
            let seen = if outage.breaks {
                "did not notice it"
            } else {
                "lost its connection"
            };
            return Err(format!("{}: the device {seen}", outage.name).into());
        }
    }
    device.drain()?;
    let grown = resident()?.saturating_sub(start);
    let arrived = watcher.arrivals(device.next)?;
    device.check(&arrived)?;
    if grown > GROWTH_KIB {
        return Err(format!("the process grew by {grown} KiB, more than {GROWTH_KIB}").into());
    }
    println!(
        "{} messages acknowledged, all of them arrived, in order; {} arrivals; the process grew by {grown} KiB",
        device.acknowledged.len(),
        arrived.len()
    );
    Ok(())
}

/// Publishes numbers as fast as the outbox takes them, up to a rate, through whatever happens.
struct Device {
    clock: Clock,
    rng: SimRng,
    storage: Memory,
    link: Link<std::net::TcpStream>,
    waiting: HashMap<Delivery, u64>,
    acknowledged: HashSet<u64>,
    next: u64,
    due: Millis,
    attempts: Vec<Millis>,
    losses: usize,
}

impl Device {
    fn new() -> Result<Self, Failure> {
        let (clock, mut storage) = (Clock::start(), Memory::default());
        let mqtt = Mqtt::new(
            MqttConfig::new("device")?
                .with_outbox(MESSAGES, BYTES, 8)?
                .with_keep_alive(5)?
                .with_answer_within(ANSWER)?,
        );
        // As calm as the default, but quick enough to wait for.
        let policy = RetryPolicy::new(Millis::from_secs(1), Millis::from_secs(2))?;
        let retry = Retry::restore(policy, &mut storage, clock.uptime(), 0)?;
        Ok(Self {
            clock,
            rng: SimRng::new(std::process::id().into()),
            storage,
            link: Link::new(mqtt, retry, &[SERVER], 0)?,
            waiting: HashMap::new(),
            acknowledged: HashSet::new(),
            next: 0,
            due: Millis(0),
            attempts: Vec::new(),
            losses: 0,
        })
    }

    fn live(&mut self, time: Duration) -> Result<(), Failure> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.publish()?;
            self.step()?;
        }
        Ok(())
    }

    /// Goes on until a message that is published from now on is acknowledged.
    fn until_acknowledged(&mut self) -> Result<Duration, Failure> {
        let (start, wanted) = (Instant::now(), self.next);
        while !self.acknowledged.contains(&wanted) {
            self.publish()?;
            self.step()?;
            if start.elapsed() > Duration::from_secs(30) {
                return Err("the device did not come back within 30 s".into());
            }
        }
        Ok(start.elapsed())
    }

    fn drain(&mut self) -> Result<(), Failure> {
        let start = Instant::now();
        while !self.waiting.is_empty() {
            self.step()?;
            if start.elapsed() > Duration::from_secs(30) {
                return Err(format!("{} messages were never acknowledged", self.waiting.len()).into());
            }
        }
        Ok(())
    }

    fn publish(&mut self) -> Result<(), Failure> {
        let now = self.clock.uptime();
        // A hundred a second, of 100 bytes.
        if now < self.due {
            return Ok(());
        }
        let payload = format!("{:0100}", self.next);
        match self
            .link
            .mqtt()
            .publish(MqttTopic::parse(b"outages")?, payload.as_bytes())
        {
            Ok(delivery) => {
                self.waiting.insert(delivery, self.next);
                self.next += 1;
                self.due = Millis(now.0 + 10);
            }
            Err(MqttError::Full) => {}
            Err(error) => return Err(error.into()),
        }
        let (messages, bytes) = self.link.mqtt().pending();
        if messages > MESSAGES || bytes > BYTES {
            return Err(format!("{messages} messages of {bytes} bytes wait, more than allowed").into());
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Failure> {
        let (clock, attempts) = (&self.clock, &mut self.attempts);
        let random = u32::try_from(self.rng.below(1 << 32))?;
        let step = self.link.step(&mut self.storage, clock, random, |server| {
            attempts.push(clock.uptime());
            let address = server.parse().map_err(|_| iotsec::net::retry::Failure::Refused)?;
            dial(address, Some(Duration::from_millis(5)))
        })?;
        match step {
            Step::Wait(_) => thread::sleep(Duration::from_millis(5)),
            Step::Lost(_) | Step::Unreached(_) => self.losses += 1,
            Step::Event(Event::Acknowledged(delivery)) => {
                let number = self.waiting.remove(&delivery).ok_or("acknowledged twice")?;
                self.acknowledged.insert(number);
            }
            Step::Event(Event::Rejected(..)) => return Err("the server refused a message".into()),
            _ => {}
        }
        Ok(())
    }

    fn check(&self, arrived: &[u64]) -> Result<(), Failure> {
        let all: HashSet<u64> = arrived.iter().copied().collect();
        let lost: Vec<_> = self.acknowledged.difference(&all).collect();
        if !lost.is_empty() {
            return Err(format!("acknowledged and lost: {lost:?}").into());
        }
        let (mut seen, mut last) = (HashSet::new(), None);
        for number in arrived {
            if seen.insert(*number) {
                if last.is_some_and(|last| *number <= last) {
                    return Err(format!("{number} arrived after {last:?}").into());
                }
                last = Some(*number);
            }
        }
        match self
            .attempts
            .windows(2)
            .find(|pair| pair[1].since(pair[0]) < Millis::from_secs(1))
        {
            Some(pair) => Err(format!("two attempts within a second: {pair:?}").into()),
            None => Ok(()),
        }
    }
}

/// Memory of this process that is in use, in KiB.
fn resident() -> Result<u64, Failure> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("no VmRSS in /proc/self/status")?.parse()?)
}

/// Where the numbers that arrived are written.
fn arrivals(folder: &Path) -> PathBuf {
    folder.join("arrived")
}
