//! Who talks to the broker: a client over mutual TLS that comes back by itself.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant, SystemTime},
};

use getrandom::{SysRng, rand_core::TryRng};
use iotsec::{
    core::hal::{Millis, UnixTime, Uptime},
    net::{
        interfaces,
        mqtt::{Link, Mqtt, MqttConfig, Step},
        retry::{Failure, Forgetful, Retry, RetryPolicy},
        surface::{Endpoint, Host, Interface, Phase, Protocol},
        time::CertificateTime,
        tls::{self, Alpn, Anchors, Client, Connection, Identity, Provider},
    },
};

use crate::mosquitto::{HOST, PORT, Result};

interfaces!(static LAMP = [Interface::endpoint(
    "cloud",
    "Telemetry and control from afar",
    Endpoint::new(Host::Name(HOST), PORT, Protocol::Mqtts),
)]);

struct Clock(Instant);

impl Uptime for Clock {
    fn uptime(&self) -> Millis {
        Millis(u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}

pub(crate) struct Party {
    pub(crate) link: Link<Connection>,
    client: Client,
    clock: Clock,
}

impl Party {
    pub(crate) fn new(name: &str, authority: &[u8], identity: Identity) -> Result<Self> {
        let clock = Clock(Instant::now());
        let anchors = Anchors::new(&[authority], now()?)?;
        // The broker of Debian 12 does not know the extension.
        let client =
            Client::new(&Provider::ring(), anchors, Alpn::Offer(&[b"mqtt"]))?.with_identity(identity);
        let mqtt = Mqtt::new(MqttConfig::new(name)?.with_session(3600)?.with_answer_within(5)?);
        // For an example: a product keeps the defaults, and its record.
        let policy = RetryPolicy::new(Millis::from_secs(1), Millis::from_secs(2))?;
        let retry = Retry::restore(policy, &mut Forgetful, clock.uptime(), SysRng.try_next_u32()?)?;
        let link = Link::new(mqtt, retry, &[HOST], 0)?;
        Ok(Self { link, client, clock })
    }

    /// Does a little, and says what happened.
    pub(crate) fn step(&mut self) -> Result<Step> {
        let (random, time, client) = (SysRng.try_next_u32()?, now()?, &self.client);
        let step = self.link.step(&mut Forgetful, &self.clock, random, |server| {
            let grant = LAMP.gate(Phase::Owned).grant_outbound("cloud", server, PORT);
            // A product asks its resolver, with `tls::connect`.
            let address = [(Ipv4Addr::LOCALHOST, PORT).into()];
            let connection = tls::connect_at(grant.map_err(|_| Failure::Refused)?, &address, client, time)?;
            connection.set_read_timeout(Duration::from_millis(20))?;
            Ok(connection)
        })?;
        if let Step::Wait(time) = step {
            std::thread::sleep(Duration::from_millis(time.0.min(20)));
        }
        Ok(step)
    }
}

fn now() -> Result<CertificateTime> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(CertificateTime::exact(UnixTime(now.as_secs())))
}
