//! Who writes down what arrives, at the server's end of the cable: our client again, with a session that stays.

use std::{
    env,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Stdio},
    thread,
    time::{Duration, Instant},
};

use iotsec::{
    core::{
        hal::{Millis, Uptime},
        input::MqttFilter,
    },
    net::{
        mqtt::{Event, Link, Mqtt, MqttConfig, Step},
        retry::{Failure as Outcome, Retry, RetryPolicy},
    },
};
use iotsec_testkit::SimRng;

use super::network::{SERVER, at_server};
use crate::{
    stream::{Clock, Memory, dial},
    tool::Failure,
};

pub(super) struct Watcher {
    child: Child,
    file: PathBuf,
}

impl Watcher {
    /// In a process of its own, since a process is in one network.
    pub(super) fn start(folder: &Path) -> Result<Self, Failure> {
        let file = super::arrivals(folder);
        let exe = env::current_exe()?;
        let mut command = at_server(exe.to_str().ok_or("the path of xtask is no UTF-8")?);
        command.args(["outages", "--watch"]).arg(&file).arg("watcher");
        let child = command.stdin(Stdio::null()).spawn()?;
        let watcher = Self { child, file };
        let start = Instant::now();
        while fs::read_to_string(&watcher.file).unwrap_or_default().is_empty() {
            if start.elapsed() > Duration::from_secs(10) {
                return Err("the watcher did not subscribe".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(watcher)
    }

    /// The numbers in the order of their arrival, once the last of them is among them.
    pub(super) fn arrivals(&mut self, count: u64) -> Result<Vec<u64>, Failure> {
        let start = Instant::now();
        loop {
            let text = fs::read_to_string(&self.file)?;
            let complete = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
            let numbers = complete.lines().skip(1).map(str::parse);
            let numbers = numbers.collect::<Result<Vec<u64>, _>>()?;
            if count == 0 || numbers.contains(&(count - 1)) || start.elapsed() > Duration::from_secs(20) {
                return Ok(numbers);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn run(file: &Path, id: &str) -> Result<(), Failure> {
    let mut file = File::create(file)?;
    let (clock, mut storage, mut rng) = (Clock::start(), Memory::default(), SimRng::new(1));
    let mut mqtt = Mqtt::new(
        MqttConfig::new(id)?
            .with_session(3600)?
            .with_answer_within(2)?
            .with_keep_alive(5)?,
    );
    mqtt.subscribe(MqttFilter::parse(b"outages")?)?;
    let policy = RetryPolicy::new(Millis::from_secs(1), Millis::from_secs(1))?;
    let retry = Retry::restore(policy, &mut storage, clock.uptime(), 0)?;
    let mut link = Link::new(mqtt, retry, &[SERVER], 0)?;
    loop {
        let random = u32::try_from(rng.below(1 << 32))?;
        let step = link.step(&mut storage, &clock, random, |server| {
            let address = server.parse().map_err(|_| Outcome::Refused)?;
            dial(address, Some(Duration::from_millis(5)))
        })?;
        match step {
            Step::Event(Event::Subscribed(_)) if file.metadata()?.len() == 0 => {
                writeln!(file, "subscribed")?;
            }
            Step::Event(Event::Message(message)) => {
                let number: u64 = std::str::from_utf8(message.payload())?.parse()?;
                writeln!(file, "{number}")?;
                // Only now: what is not written down comes again.
                let _ = link.mqtt().acknowledge(&message);
            }
            Step::Wait(_) => thread::sleep(Duration::from_millis(5)),
            _ => {}
        }
    }
}
