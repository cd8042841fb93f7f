//! How the camera reaches its maker's service: what its interface table grants, one connection at a time, and patience.

use std::net::SocketAddr;

use iotsec::{
    core::{
        hal::{Millis, UnixTime},
        identity::SubjectPublicKey,
        input::Url,
    },
    net::{
        https,
        retry::{Failure, Forgetful, Retry, RetryPolicy},
        surface::Phase,
        time::CertificateTime,
        tls::{self, Alpn, Anchors, Client, Connection, Provider, RawKeys, TlsError},
    },
};
use rand_core::Rng as _;

use crate::{cloud::PORT, product::SURFACE, unit::Result};

/// After the camera was told the time, which is checked against its time of build.
pub const TODAY: UnixTime = UnixTime(1_800_000_000);
/// A real camera goes on for ever.
const ATTEMPTS: u8 = 10;
pub const TIME: CertificateTime = CertificateTime::exact(TODAY);

pub struct Link {
    client: Client,
    retry: Retry,
    now: Millis,
}

impl Link {
    pub fn new(service: SubjectPublicKey<'_>) -> Result<Self> {
        let alpn = Alpn::Require(&[b"http/1.1"]);
        let client = Client::new(&Provider::ring(), RawKeys::new(&[service])?, alpn)?;
        let random = random();
        // A product keeps the record in its store.
        let retry = Retry::restore(RetryPolicy::DEFAULT, &mut Forgetful, Millis(0), random)?;
        Ok(Self {
            client,
            retry,
            now: Millis(0),
        })
    }

    /// Works with the host of an endpoint, once it is reached.
    pub fn with<T>(
        &mut self,
        id: &str,
        host: &str,
        work: impl FnOnce(&mut https::Client<Connection>) -> Result<T>,
    ) -> Result<T> {
        for _ in 0..ATTEMPTS {
            self.now = self.retry.due();
            let attempt = self.retry.begin(&mut Forgetful, self.now, random())?;
            match connect(id, host, &self.client) {
                Ok(connection) => {
                    let session = self.retry.connected(attempt, self.now);
                    let done = work(&mut https::Client::new(connection))?;
                    self.retry.finish(&mut Forgetful, session, self.now, random())?;
                    return Ok(done);
                }
                Err(error) if error.is::<TlsError>() => {
                    let failure = Failure::Unreachable;
                    self.retry
                        .failed(&mut Forgetful, attempt, failure, self.now, random())?;
                }
                Err(error) => return Err(error),
            }
        }
        Err("the service is not reached".into())
    }

    /// Posts to `https://HOST/PATH`.
    pub fn post(&mut self, id: &str, host: &str, path: &str, kind: &str, content: &[u8]) -> Result {
        let url = url(host, path);
        self.with(id, host, |client| {
            client.post(&Url::parse(url.as_bytes())?, kind, content)?;
            Ok(())
        })
    }
}

pub fn url(host: &str, path: &str) -> String {
    format!("https://{host}:{PORT}/{path}")
}

fn connect(id: &str, host: &str, client: &Client) -> Result<Connection> {
    let gate = SURFACE.gate(Phase::Owned);
    let grant = gate.grant_outbound(id, host, PORT)?;
    // In place of a resolver.
    let address = SocketAddr::from(([127, 0, 0, 1], PORT));
    Ok(tls::connect_at(grant, &[address], client, TIME)?)
}

/// A camera that looks for a certificate under an authority, which this service does not have: what it says.
pub fn by_certificate(root: &[u8]) -> Result<TlsError> {
    let alpn = Alpn::Require(&[b"http/1.1"]);
    let client = Client::new(&Provider::ring(), Anchors::new(&[root], TIME)?, alpn)?;
    let refused = connect("updates", "updates.cameras.example.com", &client).err();
    let refused = refused.ok_or("a service without a certificate was believed")?;
    Ok(*refused.downcast::<TlsError>()?)
}

fn random() -> u32 {
    rand_core::UnwrapErr(getrandom::SysRng).next_u32()
}
