//! Devices, ten behind each connection: they seal batches as a lamp does, each with its own key.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    net::TcpStream,
    sync::atomic::Ordering::Relaxed,
    thread,
    time::Duration,
};

use iotsec::{
    core::{
        crypto::{ChaCha20Poly1305, HkdfSha256, Sha256},
        hal::{Millis, Uptime},
        input::MqttTopic,
        secret::Secret,
    },
    net::{
        mqtt::{Delivery, Event, Link, Mqtt, MqttConfig, MqttError, Step, Version},
        retry::{Failure as Outcome, Retry, RetryPolicy},
    },
    telemetry::{
        batch::{BatchKey, SizeClass, Sizes},
        consent::Consents,
        queue::Queue,
        registry,
        registry::{Class, EventDef, Field, HashedRegistry},
    },
};
use iotsec_testkit::SimRng;

use super::{Number, Progress, Size, WORKERS, cluster::SERVERS};
use crate::{
    stream::{Clock, Memory, dial},
    tool::Failure,
};

const LOGIN_FAILED: EventDef = EventDef::new(
    1,
    "login.failed",
    Class::Security,
    "Shows attacks on the password",
    &[Field::number("attempts", "1", 1, 255)],
);
registry!(static PRODUCT = [LOGIN_FAILED]);

const BOOT: u32 = 1;

pub(super) fn registry() -> HashedRegistry {
    PRODUCT.hashed(&mut Sha256::new())
}

/// The service has one for each device too.
pub(super) fn secret(device: u32) -> Secret<32> {
    Secret::from_bytes(Sha256::of(&[b"fleet", &device.to_be_bytes()]))
}

/// All batches of a device, one event in each.
fn seal(device: u32, batches: u32) -> Result<Vec<(Number, Vec<u8>)>, Failure> {
    let secret = secret(device);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let (consents, mut rng) = (Consents::off(), SimRng::new(device.into()));
    let mut queue = Queue::<4>::new(registry(), BOOT, 1);
    let (mut scratch, mut out) = ([0; 256], [0; 256]);
    let mut sealed = Vec::new();
    for sequence in 0..batches {
        queue.record(&consents, &LOGIN_FAILED, &[5.into()], Millis(0))?;
        let sizes = Sizes::up_to(SizeClass::B256);
        let batch = queue.batch(&consents, &key, sizes, &mut rng, &mut scratch, &mut out)?;
        let batch = batch.ok_or("there is an event to seal")?;
        sealed.push(((device, BOOT, sequence), batch.bytes().to_vec()));
        queue.ack(batch.into_receipt())?;
    }
    Ok(sealed)
}

/// One connection.
struct Gateway {
    link: Link<TcpStream>,
    storage: Memory,
    jobs: VecDeque<(Number, Vec<u8>)>,
    waiting: HashMap<Delivery, Number>,
}

/// Those that one thread plays.
pub(super) struct Devices {
    gateways: Vec<Gateway>,
    rng: SimRng,
    clock: Clock,
}

impl Devices {
    pub(super) fn new(worker: u32, size: Size) -> Result<Self, Failure> {
        let (clock, mut rng) = (Clock::start(), SimRng::new(worker.into()));
        let policy = RetryPolicy::for_fleet(size.connections, 200, Millis::from_secs(30))?;
        let mut gateways = Vec::new();
        for connection in (worker..size.connections).step_by(usize::try_from(WORKERS)?) {
            let mut storage = Memory::default();
            // NATS speaks 3.1.1.
            let config = MqttConfig::new(&format!("gateway-{connection}"))?.with_version(Version::V311);
            let mqtt = Mqtt::new(config.with_outbox(8, 16 * 1024, 4)?);
            let mut random = || u32::try_from(rng.below(1 << 32));
            let retry = Retry::restore(policy, &mut storage, clock.uptime(), random()?)?;
            let first = connection * size.devices;
            let mut jobs = VecDeque::new();
            for device in first..first + size.devices {
                jobs.extend(seal(device, size.batches)?);
            }
            gateways.push(Gateway {
                link: Link::new(mqtt, retry, &SERVERS, random()?)?,
                storage,
                jobs,
                waiting: HashMap::new(),
            });
        }
        Ok(Self { gateways, rng, clock })
    }

    /// Until all is acknowledged, or nobody wants to know.
    pub(super) fn live(mut self, progress: &Progress) -> Result<HashSet<Number>, Failure> {
        let mut acknowledged = HashSet::new();
        while !progress.stop.load(Relaxed) {
            let mut is_busy = false;
            for gateway in &mut self.gateways {
                let random = u32::try_from(self.rng.below(1 << 32))?;
                is_busy |= gateway.step(&self.clock, random, progress, &mut acknowledged)?;
            }
            if !is_busy {
                thread::sleep(Duration::from_millis(2));
            }
        }
        Ok(acknowledged)
    }
}

impl Gateway {
    /// Whether there was something to do.
    fn step(
        &mut self,
        clock: &Clock,
        random: u32,
        progress: &Progress,
        acknowledged: &mut HashSet<Number>,
    ) -> Result<bool, Failure> {
        while let Some((number, batch)) = self.jobs.front() {
            let topic = format!("fleet/{}", number.0);
            match self
                .link
                .mqtt()
                .publish(MqttTopic::parse(topic.as_bytes())?, batch)
            {
                Ok(delivery) => {
                    self.waiting.insert(delivery, *number);
                    self.jobs.pop_front();
                }
                Err(MqttError::Full) => break,
                Err(error) => return Err(error.into()),
            }
        }
        let step = self.link.step(&mut self.storage, clock, random, |server| {
            dial(server.parse().map_err(|_| Outcome::Refused)?, None)
        })?;
        match step {
            Step::Event(Event::Acknowledged(delivery)) => {
                let number = self.waiting.remove(&delivery).ok_or("acknowledged twice")?;
                acknowledged.insert(number);
                progress.acknowledged.fetch_add(1, Relaxed);
            }
            Step::Event(Event::Connected { .. }) => {
                progress.connected.fetch_add(1, Relaxed);
            }
            Step::Event(Event::Rejected(..)) => return Err("a server refused a batch".into()),
            Step::Lost(_) | Step::Unreached(_) => {
                progress.lost.fetch_add(1, Relaxed);
            }
            Step::Wait(_) | Step::Idle => return Ok(false),
            _ => {}
        }
        Ok(true)
    }
}
