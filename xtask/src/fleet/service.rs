//! Who reads all batches: opens each with the key of its device, and counts it once.

use std::{
    collections::HashSet,
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use iotsec::{
    core::{
        crypto::{ChaCha20Poly1305, HkdfSha256},
        hal::{Millis, Uptime},
        input::MqttFilter,
    },
    net::{
        mqtt::{Event, Link, Message, Mqtt, MqttConfig, Step, Version},
        retry::{Failure as Outcome, Retry, RetryPolicy},
    },
    telemetry::batch::BatchKey,
};
use iotsec_testkit::SimRng;

use super::{
    Number,
    cluster::SERVERS,
    devices::{registry, secret},
};
use crate::{
    stream::{Clock, Memory, dial},
    tool::Failure,
};

pub(super) struct Service {
    link: Link<TcpStream>,
    storage: Memory,
    rng: SimRng,
    clock: Clock,
    arrived: HashSet<Number>,
    again: usize,
    is_subscribed: bool,
}

impl Service {
    /// Subscribed, with a session that the servers keep.
    pub(super) fn start() -> Result<Self, Failure> {
        let (clock, mut storage) = (Clock::start(), Memory::default());
        let config = MqttConfig::new("service")?
            .with_version(Version::V311)
            .with_session(3600)?;
        let mut mqtt = Mqtt::new(config);
        mqtt.subscribe(MqttFilter::parse(b"fleet/+")?)?;
        let policy = RetryPolicy::new(Millis::from_secs(1), Millis::from_secs(2))?;
        let retry = Retry::restore(policy, &mut storage, clock.uptime(), 0)?;
        let mut service = Self {
            link: Link::new(mqtt, retry, &SERVERS, 0)?,
            storage,
            rng: SimRng::new(0),
            clock,
            arrived: HashSet::new(),
            again: 0,
            is_subscribed: false,
        };
        // A cluster that was just started has to choose leaders first.
        let start = Instant::now();
        while !service.is_subscribed {
            service.step()?;
            if start.elapsed() > Duration::from_secs(60) {
                return Err("the cluster grants no subscription, see target/fleet/run".into());
            }
        }
        println!("the service is subscribed after {:.1?}", start.elapsed());
        Ok(service)
    }

    pub(super) fn arrived(&self) -> &HashSet<Number> {
        &self.arrived
    }

    /// Batches that came more than once.
    pub(super) fn again(&self) -> usize {
        self.again
    }

    pub(super) fn step(&mut self) -> Result<(), Failure> {
        let random = u32::try_from(self.rng.below(1 << 32))?;
        let step = self.link.step(&mut self.storage, &self.clock, random, |server| {
            dial(
                server.parse().map_err(|_| Outcome::Refused)?,
                Some(Duration::from_millis(2)),
            )
        })?;
        match step {
            Step::Event(Event::Subscribed(_)) => self.is_subscribed = true,
            Step::Event(Event::Message(message)) => {
                let number = open(&message)?;
                if !self.arrived.insert(number) {
                    self.again += 1;
                }
                let _ = self.link.mqtt().acknowledge(&message);
            }
            Step::Lost(error) => println!("the service lost its server: {error}"),
            Step::Wait(_) => thread::sleep(Duration::from_millis(2)),
            _ => {}
        }
        Ok(())
    }
}

fn open(message: &Message) -> Result<Number, Failure> {
    let device: u32 = message
        .topic()
        .strip_prefix("fleet/")
        .ok_or("another topic")?
        .parse()?;
    let secret = secret(device);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let mut plain = [0; 256];
    let batch = key.open(message.payload(), &mut plain)?.read(&registry())?;
    let event = batch.events().next().ok_or("a batch without an event")?;
    Ok((device, event.id().boot, event.id().sequence))
}
