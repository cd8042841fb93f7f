//! What rustls asks about a peer, answered by the policy.

use std::{fmt, string::String, sync::Arc, vec::Vec};

use iotsec_core::input::Host;
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{verify_tls13_signature, verify_tls13_signature_with_raw_key},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};

use super::{Provider, TlsError, Trust, error::Refusal, trust::Roots};
use crate::{certificate::MAX_CHAIN, time::CertificateTime};

/// Judges the server of one connection.
#[derive(Debug)]
pub(super) struct ServerVerifier {
    pub(super) provider: Provider,
    pub(super) trust: Arc<Trust>,
    /// As [`Host`] displays it.
    pub(super) host: String,
    pub(super) time: CertificateTime,
}

/// Leaf first.
fn with_chain<T>(
    leaf: &CertificateDer<'_>,
    issuers: &[CertificateDer<'_>],
    judge: impl FnOnce(&[&[u8]]) -> Result<T, TlsError>,
) -> Result<T, TlsError> {
    // One more than is allowed is enough for the policy to see that there are too many.
    let chain: Vec<&[u8]> = core::iter::once(leaf)
        .chain(issuers)
        .take(MAX_CHAIN.saturating_add(1))
        .map(AsRef::as_ref)
        .collect();
    judge(&chain)
}

impl ServerVerifier {
    fn judge(&self, leaf: &CertificateDer<'_>, issuers: &[CertificateDer<'_>]) -> Result<(), TlsError> {
        match &*self.trust {
            Trust::Anchors(anchors) => {
                let host = Host::parse(self.host.as_bytes()).map_err(|_| TlsError::Host)?;
                with_chain(leaf, issuers, |chain| {
                    anchors.judge(chain, &host, self.time, &self.provider)
                })
            }
            Trust::RawKeys(keys) if keys.contains(leaf) && issuers.is_empty() => Ok(()),
            Trust::RawKeys(_) => Err(TlsError::RawKey),
            Trust::Pin(pin) if pin.fingerprint().is_of(leaf) => Ok(()),
            Trust::Pin(_) => Err(TlsError::Pin),
        }
    }
}

impl ServerCertVerifier for ServerVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.judge(end_entity, intermediates).map_err(Refusal)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        check_tls12(&self.provider, message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = self.provider.signatures();
        if self.requires_raw_public_keys() {
            let spki = SubjectPublicKeyInfoDer::from(certificate.as_ref());
            return verify_tls13_signature_with_raw_key(message, &spki, signature, algorithms);
        }
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.schemes()
    }

    fn requires_raw_public_keys(&self) -> bool {
        matches!(*self.trust, Trust::RawKeys(_))
    }
}

#[cfg(feature = "tls12")]
fn check_tls12(
    provider: &Provider,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    rustls::crypto::verify_tls12_signature(message, certificate, signature, provider.signatures())
}

#[cfg(not(feature = "tls12"))]
fn check_tls12(
    _: &Provider,
    _: &[u8],
    _: &CertificateDer<'_>,
    _: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    Err(Refusal(TlsError::Version).into())
}

/// Judges the client of one connection.
pub(super) struct ClientVerifier {
    pub(super) provider: Provider,
    pub(super) roots: Arc<Roots>,
    pub(super) time: CertificateTime,
}

impl fmt::Debug for ClientVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientVerifier(..)")
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        with_chain(end_entity, intermediates, |chain| {
            self.roots.judge_client(chain, self.time, &self.provider)
        })
        .map_err(Refusal)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Refusal(TlsError::Version).into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, self.provider.signatures())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.schemes()
    }
}
