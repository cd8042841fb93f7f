use std::{sync::Arc, vec::Vec};

use iotsec_core::hal::Millis;
use rustls::{
    ServerConfig, ServerConnection,
    server::{
        AlwaysResolvesServerRawPublicKeys, NoClientAuth, NoServerSessionStorage, ResolvesServerCert,
        danger::ClientCertVerifier,
    },
    sign::SingleCertAndKey,
    version::TLS13,
};

use super::{
    Alpn, Handshake, Identity, Limits, Provider, TlsError,
    client::{Clock, NoKeyLog},
    trust::Roots,
    verifier::ClientVerifier,
};
use crate::{
    certificate::{Depth, MAX_ANCHORS, PolicyError, UnknownStatus},
    time::CertificateTime,
};

/// The CAs whose clients a [`Server`] believes. Without such a client there is no connection.
#[derive(Clone, Debug)]
pub struct ClientAnchors(Arc<Roots>);

impl ClientAnchors {
    /// Reads certificates of CAs, in DER; up to [`MAX_ANCHORS`].
    ///
    /// # Errors
    /// [`TlsError::Policy`] for none or too many; [`TlsError::Anchor`].
    pub fn new(certificates: &[&[u8]], time: CertificateTime) -> Result<Self, TlsError> {
        if certificates.is_empty() || certificates.len() > MAX_ANCHORS {
            return Err(TlsError::Policy(PolicyError::Anchors));
        }
        Ok(Self(Arc::new(Roots::new(certificates, time)?)))
    }

    /// Refuses revoked certificates, by lists in DER.
    ///
    /// # Errors
    /// [`TlsError::Certificate`] for a list that is malformed.
    pub fn with_revocation(
        self,
        lists: &[&[u8]],
        depth: Depth,
        unknown: UnknownStatus,
    ) -> Result<Self, TlsError> {
        let mut roots = (*self.0).clone();
        roots.set_revocation(lists, depth, unknown)?;
        Ok(Self(Arc::new(roots)))
    }
}

iotsec_core::claim! {
    provisions: ["5.5-4", "5.5-5"],
    claims: "A service for clients with certificates serves those of its anchors alone",
    code: [ClientAnchors::new],
    tests: ["iotsec-net::tls::server::a_service_for_clients_with_certificates_is_for_them_alone"],
}

/// A service of the device in its local network: TLS 1.3 alone, without tickets.
///
/// ```
/// # let root: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/certificate/root.der"));
/// use std::sync::Arc;
/// use iotsec_core::{crypto::Ed25519SigningKey, hal::{Millis, UnixTime}, secret::Secret};
/// use iotsec_net::{time::CertificateTime, tls::{Alpn, ClientAnchors, Identity, Provider, Server, TlsError}};
///
/// let now = CertificateTime::exact(UnixTime(1_800_000_000));
/// let key = Arc::new(Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32])));
/// let server = Server::new(&Provider::ring(), Identity::raw(key)?, Alpn::Require(&[b"http/1.1"]))?
///     .with_clients(ClientAnchors::new(&[root], now)?);
/// assert!(server.asks_for_certificates());
/// let handshake = server.start(now, Millis(0))?;
/// # assert!(!handshake.wants_write());
/// # Ok::<(), TlsError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Server {
    provider: Provider,
    identity: Identity,
    alpn: Alpn,
    clients: Option<ClientAnchors>,
    limits: Limits,
}

impl Server {
    /// With cryptography, who the device is, and protocols to speak. Anybody may come; what they may do is for the
    /// application to ask, unless there are [`with_clients`](Self::with_clients).
    ///
    /// # Errors
    /// [`TlsError::AlpnList`].
    pub fn new(provider: &Provider, identity: Identity, alpn: Alpn) -> Result<Self, TlsError> {
        Ok(Self {
            provider: provider.clone(),
            identity,
            alpn: alpn.check()?,
            clients: None,
            limits: Limits::default(),
        })
    }

    /// For clients with a certificate of one of these CAs, and for nobody else.
    #[must_use]
    pub fn with_clients(mut self, clients: ClientAnchors) -> Self {
        self.clients = Some(clients);
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

    /// The limits.
    pub const fn limits(&self) -> Limits {
        self.limits
    }

    /// Whether it is for clients with a certificate alone.
    pub const fn asks_for_certificates(&self) -> bool {
        self.clients.is_some()
    }

    /// Starts a handshake with somebody who came, at this time, `now` since boot.
    ///
    /// # Errors
    /// [`TlsError::Entropy`].
    pub fn start(&self, time: CertificateTime, now: Millis) -> Result<Handshake, TlsError> {
        let clock = Arc::new(Clock(time));
        let clients: Arc<dyn ClientCertVerifier> = match &self.clients {
            None => Arc::new(NoClientAuth),
            Some(clients) => Arc::new(ClientVerifier {
                provider: self.provider.clone(),
                roots: Arc::clone(&clients.0),
                time,
            }),
        };
        let certified = self.identity.certified();
        let resolver: Arc<dyn ResolvesServerCert> = if self.identity.is_raw() {
            Arc::new(AlwaysResolvesServerRawPublicKeys::new(certified))
        } else {
            Arc::new(SingleCertAndKey::from(certified))
        };
        let mut config = ServerConfig::builder_with_details(self.provider.to_rustls(), clock)
            .with_protocol_versions(&[&TLS13])?
            .with_client_cert_verifier(clients)
            .with_cert_resolver(resolver);
        config.alpn_protocols = self.alpn.to_wire();
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.max_early_data_size = 0;
        config.send_half_rtt_data = false;
        config.max_fragment_size = Some(usize::from(self.limits.fragment));
        config.key_log = Arc::new(NoKeyLog);
        config.enable_secret_extraction = false;
        config.cert_decompressors = Vec::new();
        config.cert_compressors = Vec::new();
        let tls = ServerConnection::new(Arc::new(config))?;
        Ok(Handshake::new(
            tls.into(),
            self.alpn,
            self.limits,
            self.provider.clone(),
            None,
            now,
        ))
    }
}
