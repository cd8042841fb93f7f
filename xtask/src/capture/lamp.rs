//! The device: what a product's main loop does, which connects when there is something to send and not before.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use iotsec::{
    core::{
        credential::{Attempt, DevicePassword, Exposure, ThrottlePolicy},
        crypto::{Aes256GcmSiv, ChaCha20Poly1305, Ed25519PublicKey, HkdfSha256, Sha256, Sign},
        hal::{Millis, UnixTime, Uptime},
        input::{MqttFilter, MqttTopic},
        secret::Secret,
    },
    device::{Device, Hardware, Memory, Owned, Product, Suite},
    net::{
        interfaces,
        mqtt::{Delivery, Event, Link, Mqtt, MqttConfig, Step},
        retry::{Failure as Outcome, Retry, RetryPolicy},
        surface::{Endpoint, Host, Interface, Phase, Protocol},
        time::CertificateTime,
        tls::{self, Alpn, Anchors, Client, Connection, Provider},
    },
    store::{IndexEntry, ReplayProtection},
    telemetry::{
        batch::{BatchKey, SizeClass, Sizes},
        consent::Usage,
        deletion::{Deleted, Request},
        pseudonym::Epoch,
        queue::Receipt,
        registry::Purpose,
    },
};
use iotsec_testkit::{Geometry, SimCounter, SimFlash, SimRng, SimRootKey};

use super::service::{ADDRESS, HOST, LIT, PORT, registry, signer};
use crate::{
    stream::{Clock, Memory as Kept},
    tool::Failure,
};

interfaces!(static LAMP = [Interface::endpoint(
    "cloud",
    "Telemetry",
    Endpoint::new(Host::Name(HOST), PORT, Protocol::Mqtts),
)]);

pub(super) struct Lamp<'d> {
    device: Device<'d, Owned, SimFlash, SimRng, 16>,
    /// What the service knows of the lamp too.
    secret: Secret<32>,
    code: Attempt<'d>,
    client: Client,
    clock: Clock,
    link: Option<Link<Connection>>,
    kept: Kept,
    flight: Option<(Delivery, Receipt)>,
    asked: bool,
    pub(super) attempts: usize,
    pub(super) acknowledged: usize,
    pub(super) deleted: Option<Deleted>,
}

/// Makes a lamp, gives it an owner, and lets it live.
pub(super) fn with_lamp(
    folder: &Path,
    work: impl FnOnce(Lamp<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let password = DevicePassword::generate(Exposure::Online, &mut SimRng::new(7))?;
    let label = password.label();
    let code = Attempt::from_label(label.as_str())?;
    let (root, mut counter) = (SimRootKey::new(1), SimCounter::new());
    let flash = SimFlash::new(Geometry::nrf52840(8));
    let product = Product {
        store: flash.region()?,
        events: registry(),
        reserve: 4,
        throttle: ThrottlePolicy::DEFAULT,
        suite: Suite {
            storage: &Aes256GcmSiv,
            wire: &ChaCha20Poly1305,
            kdf: &HkdfSha256,
        },
    };
    let hardware = Hardware {
        flash,
        rng: SimRng::new(std::process::id().into()),
        counter: &mut counter,
        root: &root,
        replay: ReplayProtection::None,
    };
    let (mut index, mut record) = ([IndexEntry::EMPTY; 32], [0; 512]);
    let memory = Memory {
        index: &mut index,
        record: &mut record,
    };
    let device = Device::<_, _, _, 16>::format(product, hardware, memory)?;
    let provisioned = device.provision("LAMP-0042", &password);
    let (device, enrolment) = provisioned.map_err(|(_, error)| error)?;
    fs::write(folder.join("key"), enrolment.telemetry.expose())?;
    let device = device.claim(&code, Millis(0)).map_err(|(_, error)| error)?;
    let time = CertificateTime::exact(UnixTime(super::service::now()?));
    let anchors = Anchors::new(&[&fs::read(folder.join("ca.der"))?], time)?;
    let client = Client::new(&Provider::ring(), anchors, Alpn::Offer(&[b"mqtt"]))?;
    work(Lamp {
        device,
        secret: enrolment.telemetry,
        code,
        client,
        clock: Clock::start(),
        link: None,
        kept: Kept::default(),
        flight: None,
        asked: false,
        attempts: 0,
        acknowledged: 0,
        deleted: None,
    })
}

impl Lamp<'_> {
    pub(super) fn live(&mut self, time: Duration) -> Result<(), Failure> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.step()?;
        }
        Ok(())
    }

    pub(super) fn until(&mut self, done: impl Fn(&Self) -> bool) -> Result<(), Failure> {
        let start = Instant::now();
        while !done(self) {
            self.step()?;
            if start.elapsed() > Duration::from_secs(20) {
                return Err("the device did not get through within 20 s".into());
            }
        }
        Ok(())
    }

    pub(super) fn agree(&mut self) -> Result<(), Failure> {
        let owner = self.device.login(&self.code, self.clock.uptime())?;
        Ok(self.device.grant::<Usage>(&owner, 1, None)?)
    }

    /// While an event waits.
    pub(super) fn withdraw(&mut self) -> Result<(), Failure> {
        self.device.record(&LIT, &[9.into()], self.clock.uptime())?;
        Ok(self.device.withdraw::<Usage>(None)?)
    }

    /// Does what no device may.
    pub(super) fn leak(&self) {
        let address = SocketAddr::from((ADDRESS, PORT));
        drop(TcpStream::connect_timeout(&address, Duration::from_secs(1)));
    }

    pub(super) fn hang_up(&mut self) -> Result<(), Failure> {
        if let Some(mut link) = self.link.take() {
            link.finish(&mut self.kept, &self.clock, 0)?;
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), Failure> {
        self.report()?;
        if self.flight.is_none() && !self.asked {
            // Nothing to say: no connection.
            thread::sleep(Duration::from_millis(20));
            return Ok(());
        }
        let Some(link) = &mut self.link else { return Ok(()) };
        let (client, clock) = (&self.client, &self.clock);
        let random = u32::try_from(self.attempts % 1000)?;
        let step = link.step(&mut self.kept, clock, random, |server| {
            let grant = LAMP.gate(Phase::Owned).grant_outbound("cloud", server, PORT);
            let time = super::service::now().map_err(|_| Outcome::Refused)?;
            let time = CertificateTime::exact(UnixTime(time));
            let address = [(ADDRESS, PORT).into()];
            let connection = tls::connect_at(grant.map_err(|_| Outcome::Refused)?, &address, client, time)?;
            connection.set_read_timeout(Duration::from_millis(20))?;
            Ok(connection)
        })?;
        match step {
            Step::Wait(_) => thread::sleep(Duration::from_millis(20)),
            Step::Event(Event::Acknowledged(delivery)) => {
                if let Some((_, receipt)) = self.flight.take_if(|(sent, _)| *sent == delivery) {
                    self.device.acknowledge(receipt)?;
                    self.acknowledged += 1;
                }
            }
            Step::Event(Event::Message(message)) => {
                let anchor = Ed25519PublicKey::from_bytes(signer().public_key())?;
                let receipt = message.payload();
                let deleted = self
                    .device
                    .acknowledge_deletion(receipt, &anchor, &mut Sha256::new())?;
                self.deleted = Some(deleted);
                self.asked = false;
                let _ = link.mqtt().acknowledge(&message);
            }
            Step::Event(Event::Rejected(..)) => return Err("the server refused a message".into()),
            _ => {}
        }
        Ok(())
    }

    /// Tries to report, and publishes whatever there is to send.
    fn report(&mut self) -> Result<(), Failure> {
        self.attempts += 1;
        let now = self.clock.uptime();
        // Refused without consent.
        let _ = self.device.record(&LIT, &[5.into()], now);
        if self.flight.is_some() || self.asked {
            return Ok(());
        }
        let (mut scratch, mut out) = ([0; 256], [0; 256]);
        let sizes = Sizes::up_to(SizeClass::B256);
        let key = BatchKey::new(&self.secret, &ChaCha20Poly1305, &HkdfSha256);
        // None without consent.
        let stream = self.device.stream(Purpose::Usage, Epoch(1));
        if let Ok(stream) = stream
            && let Some(batch) = self
                .device
                .batch_for(&stream, &key, sizes, &mut scratch, &mut out)?
        {
            let name = u128::from_be_bytes(*stream.pseudonym().as_bytes());
            let topic = format!("telemetry/{name:032x}");
            let link = connect(&mut self.link, &mut self.kept, self.clock)?;
            let delivery = link
                .mqtt()
                .publish(MqttTopic::parse(topic.as_bytes())?, batch.bytes())?;
            self.flight = Some((delivery, batch.into_receipt()));
            return Ok(());
        }
        let mut out = [0; Request::SEALED_LEN];
        if let Some(request) = self.device.deletion_request(&mut out)? {
            let link = connect(&mut self.link, &mut self.kept, self.clock)?;
            link.mqtt().subscribe(MqttFilter::parse(b"receipt/lamp")?)?;
            link.mqtt()
                .publish(MqttTopic::parse(b"deletion/lamp")?, request)?;
            self.asked = true;
        }
        Ok(())
    }
}

/// A client, which opens its connection by and by.
fn connect<'l>(
    link: &'l mut Option<Link<Connection>>,
    kept: &mut Kept,
    clock: Clock,
) -> Result<&'l mut Link<Connection>, Failure> {
    if link.is_none() {
        let mqtt = Mqtt::new(MqttConfig::new("lamp")?.with_answer_within(5)?);
        let policy = RetryPolicy::new(Millis::from_secs(1), Millis::from_secs(2))?;
        let retry = Retry::restore(policy, kept, clock.uptime(), 0)?;
        *link = Some(Link::new(mqtt, retry, &[HOST], 0)?);
    }
    Ok(link.as_mut().ok_or("no link")?)
}
