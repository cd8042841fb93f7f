use std::{string::ToString, sync::Arc, vec::Vec};

use iotsec_core::{hal::Millis, input::Host};
use rustls::{
    ClientConfig, ClientConnection, KeyLog, SupportedProtocolVersion,
    client::{Resumption, danger::ServerCertVerifier},
    time_provider::TimeProvider,
    version::TLS13,
};
use rustls_pki_types::{DnsName, ServerName, UnixTime};

use super::{
    Alpn, Handshake, Identity, Limits, Provider, TlsError, Trust, identity::Presenter,
    verifier::ServerVerifier,
};
use crate::time::CertificateTime;

static TLS13_ALONE: [&SupportedProtocolVersion; 1] = [&TLS13];
#[cfg(feature = "tls12")]
static TLS13_AND_12: [&SupportedProtocolVersion; 2] = [&TLS13, &rustls::version::TLS12];

/// How a device speaks to servers of one kind. It holds no secrets but the identity, and no state: a connection leaves
/// nothing behind for the next one.
///
/// ```
/// # let root: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/certificate/root.der"));
/// use iotsec_core::{hal::{Millis, UnixTime}, input::Host};
/// use iotsec_net::{time::CertificateTime, tls::{Alpn, Anchors, Client, Provider, Step, TlsError}};
///
/// let now = CertificateTime::exact(UnixTime(1_800_000_000));
/// let client = Client::new(&Provider::ring(), Anchors::new(&[root], now)?, Alpn::Require(&[b"mqtt"]))?;
/// let mut handshake = client.start(&Host::parse(b"broker.example")?, now, Millis(0))?;
///
/// // Any stream will do. This one takes what it is given and says nothing.
/// let mut stream = std::io::Cursor::new(Vec::new());
/// assert!(matches!(handshake.advance(&mut stream, Millis(1)), Err(TlsError::Cut)));
/// # let first = stream.into_inner();
/// # assert_eq!(first[0], 22);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    provider: Provider,
    trust: Arc<Trust>,
    alpn: Alpn,
    identity: Option<Identity>,
    limits: Limits,
    versions: &'static [&'static SupportedProtocolVersion],
}

impl Client {
    /// With cryptography, servers to believe, and protocols to speak.
    ///
    /// # Errors
    /// [`TlsError::AlpnList`].
    pub fn new(provider: &Provider, trust: impl Into<Trust>, alpn: Alpn) -> Result<Self, TlsError> {
        Ok(Self {
            provider: provider.clone(),
            trust: Arc::new(trust.into()),
            alpn: alpn.check()?,
            identity: None,
            limits: Limits::default(),
            versions: &TLS13_ALONE,
        })
    }

    /// Shows who the device is. A server that does not ask for it, or could not check it, is refused before anything is
    /// said.
    #[must_use]
    pub fn with_identity(mut self, identity: Identity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// With other limits.
    ///
    /// # Errors
    /// [`TlsError::Limits`].
    pub fn with_limits(mut self, limits: Limits) -> Result<Self, TlsError> {
        self.limits = limits.check()?;
        Ok(self)
    }

    /// Speaks TLS 1.2 (RFC 5246) to servers that know nothing newer, with ECDHE, authenticated encryption and the
    /// extended master secret (RFC 7627). In that version others see the certificates, and keys are not refreshed.
    #[cfg(feature = "tls12")]
    #[must_use]
    pub fn with_tls12(mut self) -> Self {
        self.versions = &TLS13_AND_12;
        self
    }

    /// The limits.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Starts a handshake with the server that is `host`, at this time, `now` since boot.
    ///
    /// # Errors
    /// [`TlsError::Host`] for a host that the pin is not for; [`TlsError::Entropy`].
    pub fn start(&self, host: &Host<'_>, time: CertificateTime, now: Millis) -> Result<Handshake, TlsError> {
        if matches!(&*self.trust, Trust::Pin(pin) if !pin.is_for(host)) {
            return Err(TlsError::Host);
        }
        let verifier = Arc::new(ServerVerifier {
            provider: self.provider.clone(),
            trust: Arc::clone(&self.trust),
            host: host.to_string(),
            time,
        });
        let presenter = self
            .identity
            .clone()
            .map(|identity| Arc::new(Presenter::new(identity)));
        let config = self.configure(verifier, presenter.clone(), time)?;
        let tls = ClientConnection::new(Arc::new(config), to_server_name(host)?)?;
        Ok(Handshake::new(
            tls.into(),
            self.alpn,
            self.limits,
            self.provider.clone(),
            presenter,
            now,
        ))
    }

    /// The configuration of one connection, every setting of which is stated, whatever rustls takes for granted.
    pub(super) fn configure(
        &self,
        verifier: Arc<dyn ServerCertVerifier>,
        presenter: Option<Arc<Presenter>>,
        time: CertificateTime,
    ) -> Result<ClientConfig, TlsError> {
        let clock = Arc::new(Clock(time));
        let builder = ClientConfig::builder_with_details(self.provider.to_rustls(), clock);
        let builder = builder.with_protocol_versions(self.versions)?;
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = match presenter {
            Some(presenter) => builder.with_client_cert_resolver(presenter),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = self.alpn.to_wire();
        config.check_selected_alpn = true;
        config.resumption = Resumption::disabled();
        config.max_fragment_size = Some(usize::from(self.limits.fragment));
        config.enable_sni = true;
        config.key_log = Arc::new(NoKeyLog);
        config.enable_secret_extraction = false;
        config.enable_early_data = false;
        config.cert_decompressors = Vec::new();
        config.cert_compressors = Vec::new();
        #[cfg(feature = "tls12")]
        {
            config.require_ems = true;
        }
        Ok(config)
    }
}

iotsec_core::claim! {
    provisions: ["5.5-1"],
    claims: "Connections are TLS 1.3 with forward secrecy; an older version is refused unless the application asks for it",
    code: [Client::start],
    tests: [
        "iotsec-net::tls::handshake::a_connection_is_tls_1_3_with_forward_secrecy",
        "iotsec-net::tls::handshake::an_older_version_is_refused_unless_the_application_asks_for_it",
    ],
}

pub(super) fn to_server_name(host: &Host<'_>) -> Result<ServerName<'static>, TlsError> {
    Ok(match host {
        Host::Name(name) => {
            let name = DnsName::try_from(name.as_str()).map_err(|_| TlsError::Host)?;
            ServerName::DnsName(name.to_owned())
        }
        Host::V4(address) => ServerName::IpAddress(core::net::IpAddr::V4(address.addr()).into()),
        Host::V6(address) => ServerName::IpAddress(core::net::IpAddr::V6(address.addr()).into()),
    })
}

/// The time that the caller gave.
#[derive(Debug)]
pub(super) struct Clock(pub(super) CertificateTime);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = core::time::Duration::from_secs(self.0.earliest().0);
        Some(UnixTime::since_unix_epoch(seconds))
    }
}

#[derive(Debug)]
pub(super) struct NoKeyLog;

impl KeyLog for NoKeyLog {
    fn log(&self, _: &str, _: &[u8], _: &[u8]) {}

    fn will_log(&self, _: &str) -> bool {
        false
    }
}
