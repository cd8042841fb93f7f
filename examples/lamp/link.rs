//! How a lamp reaches its update server.

use std::net::SocketAddr;

use iotsec::{
    core::hal::Millis,
    net::{
        https::{self, HttpsError, RetryAfter},
        interfaces,
        retry::{Failure, Forgetful, Retry, RetryPolicy},
        surface::{Destination, Endpoint, Host, Interface, Phase, Protocol},
        time::CertificateTime,
        tls::{self, Connection, TlsError},
    },
};
use iotsec_testkit::SimRng;
use rand_core::TryRng;

use super::device::Result;

interfaces!(static LAMP = [Interface::endpoint(
    "updates", "Good software", Endpoint::new(Host::Name("fw.example.com"), 8443, Protocol::Https),
).serving(Destination::Update)]);

/// What the lamp reaches its server with: one connection at a time, and patience.
pub(crate) struct Link {
    client: tls::Client,
    retry: Retry,
    time: CertificateTime,
    pub(crate) now: Millis,
    pub(crate) rng: SimRng,
    pub(crate) connections: usize,
}

impl Link {
    pub(crate) fn new(client: tls::Client, time: CertificateTime, mut rng: SimRng) -> Result<Self> {
        let random = rng.try_next_u32()?;
        Ok(Self {
            client,
            // A product keeps the record in its store.
            retry: Retry::restore(RetryPolicy::DEFAULT, &mut Forgetful, Millis(0), random)?,
            time,
            now: Millis(0),
            rng,
            connections: 0,
        })
    }

    /// Tries until `work` is done, as slowly as the rules of the fleet say.
    pub(crate) fn until_done<T>(
        &mut self,
        mut work: impl FnMut(&mut https::Client<Connection>) -> Result<T>,
    ) -> Result<T> {
        loop {
            self.now = self.retry.due();
            let attempt = self
                .retry
                .begin(&mut Forgetful, self.now, self.rng.try_next_u32()?)?;
            let failure = match self.attempt(&mut work) {
                Ok(done) => {
                    let session = self.retry.connected(attempt, self.now);
                    self.retry
                        .finish(&mut Forgetful, session, self.now, self.rng.try_next_u32()?)?;
                    return Ok(done);
                }
                Err((error, after)) => {
                    println!("  {error}");
                    match (error.downcast_ref::<HttpsError>(), after) {
                        (Some(HttpsError::Busy), Some(RetryAfter::Seconds(seconds))) => Failure::Busy {
                            after: Some(Millis::from_secs(seconds.into())),
                        },
                        (Some(_), _) => Failure::Unreachable,
                        (None, _) if error.is::<TlsError>() => Failure::Unreachable,
                        (None, _) => return Err(error),
                    }
                }
            };
            self.retry.failed(
                &mut Forgetful,
                attempt,
                failure,
                self.now,
                self.rng.try_next_u32()?,
            )?;
            println!("  again in {} s", self.retry.wait(self.now).0 / 1000);
        }
    }

    fn attempt<T>(
        &mut self,
        work: &mut impl FnMut(&mut https::Client<Connection>) -> Result<T>,
    ) -> std::result::Result<T, (Box<dyn std::error::Error>, Option<RetryAfter>)> {
        let connection = self.connect().map_err(|error| (error, None))?;
        self.connections += 1;
        let mut client = https::Client::new(connection);
        work(&mut client).map_err(|error| (error, client.retry_after()))
    }

    fn connect(&self) -> Result<Connection> {
        let gate = LAMP.gate(Phase::Owned);
        let grant = gate.grant_outbound("updates", "fw.example.com", 8443)?;
        // In place of a resolver.
        let address = SocketAddr::from(([127, 0, 0, 1], 8443));
        Ok(tls::connect_at(grant, &[address], &self.client, self.time)?)
    }
}
