//! The far end: a real mosquitto that speaks TLS to devices, and a service behind it that deletes and signs.

use std::{
    env,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use iotsec::{
    core::{
        crypto::{ChaCha20Poly1305, Ed25519SigningKey, HkdfSha256, Sha256},
        hal::{Millis, UnixTime, Uptime},
        input::{MqttFilter, MqttTopic},
        secret::Secret,
    },
    net::{
        mqtt::{Event, Link, Mqtt, MqttConfig, Step},
        retry::{Failure as Outcome, Retry, RetryPolicy},
    },
    telemetry::{
        batch::BatchKey,
        deletion::{Deleted, Remains},
        registry::{Class, EventDef, Field, HashedRegistry},
    },
};

use crate::{
    outages::network::at_server,
    stream::{Clock, Memory, dial},
    tool::{self, Failure},
};

pub(super) const HOST: &str = "broker.example";
pub(super) const PORT: u16 = 8883;
pub(super) const ADDRESS: [u8; 4] = [10, 213, 0, 2];
/// Where the service, which is at the same end, finds the broker.
const BEHIND: &str = "127.0.0.1:1883";

pub(super) const LIT: EventDef = EventDef::new(
    1,
    "lamp.lit",
    Class::Usage,
    "Tells how long a lamp has to last",
    &[Field::number("hours", "h", 0, 24)],
);
iotsec::telemetry::registry!(static PRODUCT = [LIT]);

pub(super) fn registry() -> HashedRegistry {
    PRODUCT.hashed(&mut Sha256::new())
}

/// The key that the service signs receipts with; a device has the public half.
pub(super) fn signer() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]))
}

pub(super) fn now() -> Result<u64, Failure> {
    Ok(SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)?
        .as_secs())
}

pub(super) struct Broker {
    folder: PathBuf,
    child: Option<Child>,
}

impl Broker {
    /// With a new authority and a certificate.
    pub(super) fn new(folder: &Path) -> Result<Self, Failure> {
        let openssl = |line: &str, more: &[&str]| {
            let mut command = Command::new("openssl");
            command.args(line.split(' ')).args(more).current_dir(folder);
            tool::output(&mut command).and_then(|output| match output.status.success() {
                true => Ok(()),
                false => Err(format!("openssl {line}: {}", String::from_utf8_lossy(&output.stderr)).into()),
            })
        };
        openssl(
            "req -x509 -newkey ed25519 -nodes -keyout ca.key -out ca.pem -days 30 -subj /CN=Example-CA",
            &[
                "-addext",
                "basicConstraints=critical,CA:TRUE",
                "-addext",
                "keyUsage=critical,keyCertSign,cRLSign",
            ],
        )?;
        openssl("x509 -in ca.pem -outform DER -out ca.der", &[])?;
        openssl(
            "req -newkey ed25519 -nodes -keyout server.key -out server.csr -subj /CN=broker.example",
            &[],
        )?;
        fs::write(
            folder.join("extensions"),
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n\
             subjectAltName=DNS:broker.example\n",
        )?;
        openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out server.pem",
            &[],
        )?;
        let lines = [
            "allow_anonymous true",
            "user root",
            "listener 8883 10.213.0.2",
            "tls_version tlsv1.3",
            "certfile server.pem",
            "keyfile server.key",
            "listener 1883 127.0.0.1",
        ];
        fs::write(folder.join("mosquitto.conf"), lines.join("\n") + "\n")?;
        Ok(Self {
            folder: folder.to_owned(),
            child: None,
        })
    }

    pub(super) fn start(&mut self) -> Result<(), Failure> {
        let log = File::create(self.folder.join("mosquitto.log"))?;
        let mut command = at_server("mosquitto");
        command.args(["-c", "mosquitto.conf"]).current_dir(&self.folder);
        self.child = Some(command.stdout(Stdio::null()).stderr(log).spawn()?);
        Ok(())
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What the service has written down.
pub(super) struct Service {
    child: Child,
    file: PathBuf,
}

impl Service {
    /// In a process of its own, since a process is in one network.
    pub(super) fn start(folder: &Path) -> Result<Self, Failure> {
        let exe = env::current_exe()?;
        let mut command = at_server(exe.to_str().ok_or("the path of xtask is no UTF-8")?);
        command.args(["capture", "--service"]).arg(folder);
        let service = Self {
            child: command.stdin(Stdio::null()).spawn()?,
            file: folder.join("heard"),
        };
        let start = Instant::now();
        while service.heard("subscribed").unwrap_or_default() < 2 {
            if start.elapsed() > Duration::from_secs(20) {
                return Err("the service did not subscribe, see target/capture/mosquitto.log".into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(service)
    }

    /// How many lines begin so.
    pub(super) fn heard(&self, what: &str) -> Result<usize, Failure> {
        let text = fs::read_to_string(&self.file)?;
        Ok(text.lines().filter(|line| line.starts_with(what)).count())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn run(folder: &Path) -> Result<(), Failure> {
    let mut file = File::create(folder.join("heard"))?;
    let secret = Secret::from_slice(&fs::read(folder.join("key"))?)?;
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (clock, mut storage) = (Clock::start(), Memory::default());
    let mut mqtt = Mqtt::new(
        MqttConfig::new("service")?
            .with_session(3600)?
            .with_answer_within(2)?,
    );
    mqtt.subscribe(MqttFilter::parse(b"telemetry/+")?)?;
    mqtt.subscribe(MqttFilter::parse(b"deletion/+")?)?;
    let policy = RetryPolicy::new(Millis::from_secs(1), Millis::from_secs(1))?;
    let retry = Retry::restore(policy, &mut storage, clock.uptime(), 0)?;
    let mut link = Link::new(mqtt, retry, &[BEHIND], 0)?;
    let mut events = 0;
    loop {
        let step = link.step(&mut storage, &clock, 1, |server| {
            let address = server.parse().map_err(|_| Outcome::Refused)?;
            dial(address, Some(Duration::from_millis(5)))
        })?;
        match step {
            Step::Event(Event::Subscribed(_)) => writeln!(file, "subscribed")?,
            Step::Event(Event::Message(message)) if message.topic().starts_with("telemetry/") => {
                let (mut plain, registry) = ([0; 256], registry());
                let batch = key.open(message.payload(), &mut plain)?.read(&registry)?;
                events += batch.events().count();
                writeln!(file, "batch")?;
                let _ = link.mqtt().acknowledge(&message);
            }
            Step::Event(Event::Message(message)) => {
                let (request, mut hash) = (key.open_request(message.payload())?, Sha256::new());
                let time = UnixTime(now()?);
                let deleted = Deleted::of(
                    &request,
                    time,
                    u32::try_from(events)?,
                    Remains::AGGREGATED,
                    &mut hash,
                );
                let mut out = [0; Deleted::MAX_LEN];
                let receipt = deleted.sign(&signer(), &mut out)?;
                writeln!(file, "deletion")?;
                let _ = link.mqtt().acknowledge(&message);
                link.mqtt().publish(MqttTopic::parse(b"receipt/lamp")?, receipt)?;
            }
            Step::Wait(_) => thread::sleep(Duration::from_millis(5)),
            _ => {}
        }
    }
}
