use std::{
    fmt,
    io::{Read, Write},
    string::{String, ToString},
    sync::{Arc, Mutex},
    vec::Vec,
};

use iotsec_core::{
    crypto::DIGEST_LEN,
    hal::{Millis, UnixTime},
    input::Host,
};
use rustls::{
    ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName};

use super::{
    Alpn, Client, Handshake, Limits, Provider, Step, TlsError, Trust,
    client::to_server_name,
    error::Refusal,
    socket::{Clock, finish, open, resolve},
    trust::sha256,
};
use crate::{
    certificate::{CertificateError, MAX_CERTIFICATE_LEN},
    surface::OutboundGrant,
    time::CertificateTime,
};

/// The SHA-256 of a certificate in DER, as `openssl x509 -fingerprint -sha256` and the pages of servers show it.
///
/// ```
/// use iotsec_net::tls::Fingerprint;
///
/// let shown = "E3:B0:C4:42:98:FC:1C:14:9A:FB:F4:C8:99:6F:B9:24:27:AE:41:E4:64:9B:93:4C:A4:95:99:1B:78:52:B8:55";
/// let fingerprint = Fingerprint::parse(shown.as_bytes())?;
/// assert_eq!(fingerprint.to_string(), shown);
/// assert_eq!(Fingerprint::parse(shown.replace(':', "").to_lowercase().as_bytes())?, fingerprint);
/// # Ok::<(), iotsec_net::tls::TlsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; DIGEST_LEN]);

impl Fingerprint {
    /// From 32 bytes.
    pub const fn from_bytes(bytes: [u8; DIGEST_LEN]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub const fn as_bytes(&self) -> &[u8; DIGEST_LEN] {
        &self.0
    }

    /// Reads 64 hexadecimal digits of either case; colons and spaces between bytes are left out.
    ///
    /// # Errors
    /// [`TlsError::Fingerprint`].
    pub fn parse(text: &[u8]) -> Result<Self, TlsError> {
        let mut bytes = [0; DIGEST_LEN];
        let mut digits = text.iter().filter(|byte| !matches!(byte, b':' | b' '));
        let mut digit = || {
            let digit = char::from(*digits.next()?).to_digit(16)?;
            u8::try_from(digit).ok()
        };
        for byte in &mut bytes {
            let (high, low) = digit().zip(digit()).ok_or(TlsError::Fingerprint)?;
            *byte = high << 4 | low;
        }
        let is_end = digits.next().is_none() && text.len() <= 3 * DIGEST_LEN;
        is_end.then_some(Self(bytes)).ok_or(TlsError::Fingerprint)
    }

    pub(super) fn is_of(&self, certificate: &[u8]) -> bool {
        certificate.len() <= MAX_CERTIFICATE_LEN && sha256(certificate) == self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

/// A server that certifies itself was seen, and is not trusted: nothing was said to it.
///
/// Show the fingerprint to the owner, who compares it with what the server itself shows, and
/// [`confirm`](Self::confirm) what the owner says. Whoever stands in between has another one.
#[derive(Clone, Debug)]
pub struct Observed {
    host: String,
    certificate: Vec<u8>,
}

impl Observed {
    /// What the owner compares.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(sha256(&self.certificate))
    }

    /// The certificate in DER. Anybody can have made it.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Trusts this server from now on, by the fingerprint that came back from the owner: read from the server, or
    /// returned by the app with the owner's consent.
    ///
    /// # Errors
    /// [`TlsError::Fingerprint`] when the owner has seen another one.
    pub fn confirm(self, by_owner: &Fingerprint) -> Result<Pin, TlsError> {
        if self.fingerprint() != *by_owner {
            return Err(TlsError::Fingerprint);
        }
        Ok(Pin {
            host: self.host,
            fingerprint: *by_owner,
        })
    }
}

/// A server that its owner vouches for: this host with this certificate, and no other. Names and dates in the
/// certificate mean nothing, as it says of itself what it likes.
///
/// A server with another certificate is refused, until the owner has confirmed that one.
///
/// ```
/// use iotsec_core::input::Host;
/// use iotsec_net::tls::Pin;
///
/// let stored = [&[1][..], &[7; 32], b"hub.local"].concat();
/// let pin = Pin::from_bytes(&stored)?;
/// assert!(pin.is_for(&Host::parse(b"HUB.local")?));
/// assert_eq!(pin.to_bytes(), stored);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    host: String,
    fingerprint: Fingerprint,
}

impl Pin {
    /// The byte in front of a pin.
    const VERSION: u8 = 1;

    /// Reads what [`to_bytes`](Self::to_bytes) wrote. It belongs where only the device writes: whoever writes a pin
    /// chooses whom the device trusts.
    ///
    /// # Errors
    /// [`TlsError::PinFormat`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TlsError> {
        let Some((Self::VERSION, rest)) = bytes.split_first().map(|(version, rest)| (*version, rest)) else {
            return Err(TlsError::PinFormat);
        };
        let (fingerprint, host) = rest.split_first_chunk().ok_or(TlsError::PinFormat)?;
        let host = Host::parse(host).map_err(|_| TlsError::PinFormat)?;
        Ok(Self {
            host: host.to_string(),
            fingerprint: Fingerprint(*fingerprint),
        })
    }

    /// A byte of version, 32 of the fingerprint, and the host as text: at most 286.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[Self::VERSION], &self.fingerprint.0[..], self.host.as_bytes()].concat()
    }

    /// Whether it is for this host.
    pub fn is_for(&self, host: &Host<'_>) -> bool {
        Host::parse(self.host.as_bytes()).is_ok_and(|own| own == *host)
    }

    /// What the owner confirmed.
    pub const fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }
}

/// Goes to the host that was granted, looks at its certificate and leaves. Within
/// [`Limits::handshake`](super::Limits::handshake).
///
/// ```no_run
/// use iotsec_net::{interfaces, surface::{Endpoint, Host, Interface, Phase, Protocol}};
/// use iotsec_net::tls::{self, Alpn, Client, Fingerprint, Limits, Provider};
///
/// interfaces!(static LAMP = [Interface::endpoint(
///     "hub", "The owner's own broker", Endpoint::new(Host::Local, 8883, Protocol::Mqtts),
/// )]);
///
/// fn trust_hub(ask_owner: impl Fn(String) -> Fingerprint) -> Result<Client, Box<dyn std::error::Error>> {
///     let grant = LAMP.gate(Phase::Owned).grant_outbound("hub", "hub.local", 8883)?;
///     let observed = tls::observe(grant, &Provider::ring(), Limits::default())?;
///     let by_owner = ask_owner(observed.fingerprint().to_string());
///     let pin = observed.confirm(&by_owner)?; // store pin.to_bytes()
///     Ok(Client::new(&Provider::ring(), pin, Alpn::Offer(&[b"mqtt"]))?)
/// }
/// ```
///
/// # Errors
/// [`TlsError`].
#[allow(clippy::needless_pass_by_value, reason = "a grant is for one connection")]
pub fn observe(grant: OutboundGrant<'_>, provider: &Provider, limits: Limits) -> Result<Observed, TlsError> {
    let host = Host::parse(grant.host().as_bytes()).map_err(|_| TlsError::Host)?;
    let addresses = resolve(&grant)?;
    let clock = Clock::start();
    let observation = Observation::start(provider, &host, limits, Millis(0))?;
    let stream = open(&grant, &addresses, clock, limits.handshake)?;
    let Observation {
        handshake,
        seen,
        host,
    } = observation;
    match finish(handshake, &stream, clock, limits.handshake) {
        Ok(_) => Err(TlsError::Unexpected),
        Err(error) => seen.take(host, error),
    }
}

/// Looks at the certificate of a server, over any stream. It never gets to a session.
#[derive(Debug)]
pub struct Observation {
    handshake: Handshake,
    seen: Arc<Seen>,
    host: String,
}

/// Where an observation is.
#[derive(Debug)]
pub enum Watch {
    /// It goes on: wait until the stream has bytes or room, and advance it again.
    Pending(Observation),
    /// The certificate was seen.
    Seen(Observed),
}

impl Observation {
    /// Starts to look at the server that is `host`, `now` since boot.
    ///
    /// # Errors
    /// [`TlsError::Limits`], [`TlsError::Host`], [`TlsError::Entropy`].
    pub fn start(
        provider: &Provider,
        host: &Host<'_>,
        limits: Limits,
        now: Millis,
    ) -> Result<Self, TlsError> {
        let seen = Arc::new(Seen {
            certificate: Mutex::new(None),
            schemes: provider.schemes(),
        });
        let host_text = host.to_string();
        // Nobody is trusted: the verifier refuses whomever it sees.
        let nobody = Trust::Pin(Pin {
            host: host_text.clone(),
            fingerprint: Fingerprint([0; DIGEST_LEN]),
        });
        let client = Client::new(provider, nobody, Alpn::Absent)?.with_limits(limits)?;
        let time = CertificateTime::exact(UnixTime(0));
        let config = client.configure(seen.clone(), None, time)?;
        let tls = ClientConnection::new(Arc::new(config), to_server_name(host)?)?;
        Ok(Self {
            handshake: Handshake::new(tls.into(), Alpn::Absent, limits, provider.clone(), None, now),
            seen,
            host: host_text,
        })
    }

    /// As [`Handshake::advance`].
    ///
    /// # Errors
    /// [`TlsError`].
    pub fn advance<S: Read + Write + ?Sized>(self, stream: &mut S, now: Millis) -> Result<Watch, TlsError> {
        let Self {
            handshake,
            seen,
            host,
        } = self;
        match handshake.advance(stream, now) {
            Ok(Step::Pending(handshake)) => Ok(Watch::Pending(Self {
                handshake,
                seen,
                host,
            })),
            Ok(Step::Done(_)) => Err(TlsError::Unexpected),
            Err(error) => seen.take(host, error).map(Watch::Seen),
        }
    }
}

/// A verifier that remembers what it refuses, which is everything.
#[derive(Debug)]
struct Seen {
    certificate: Mutex<Option<Vec<u8>>>,
    schemes: Vec<SignatureScheme>,
}

impl Seen {
    fn take(&self, host: String, error: TlsError) -> Result<Observed, TlsError> {
        let mut seen = self.certificate.lock().map_err(|_| TlsError::Unexpected)?;
        let certificate = seen.take().ok_or(error)?;
        Ok(Observed { host, certificate })
    }
}

impl ServerCertVerifier for Seen {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: rustls_pki_types::UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if end_entity.len() > MAX_CERTIFICATE_LEN {
            return Err(Refusal(TlsError::Certificate(CertificateError::CertificateLength)).into());
        }
        if let Ok(mut seen) = self.certificate.lock() {
            *seen = Some(end_entity.to_vec());
        }
        Err(Refusal(TlsError::Pin).into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Refusal(TlsError::Pin).into())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Refusal(TlsError::Pin).into())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes.clone()
    }
}
