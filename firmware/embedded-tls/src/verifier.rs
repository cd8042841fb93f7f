//! A policy for servers as the verifier of embedded-tls.

use digest::{Digest, Output};
use embedded_tls::{
    SignatureScheme, TlsError,
    blocking::{
        CertificateEntryRef, CertificateRef, CertificateVerifyRef, Sha256, TlsCipherSuite, TlsVerifier,
    },
};
use iotsec_core::{error::ErrorCode, input::Host};
use iotsec_net::{
    certificate::{CertificateError, MAX_CHAIN, ServerPolicy, VerifiedKey, verify_server_chain},
    time::CertificateTime,
};

/// What a server signs in front of the hash of the handshake (RFC 8446 §4.4.3).
const CONTEXT: &[u8; 34] = b"TLS 1.3, server CertificateVerify\0";
const PADDING: usize = 64;
const HASH: usize = 32;
/// Bytes of a host name; embedded-tls sends no longer one.
const MAX_HOST: usize = 64;

/// Judges a server by a policy. embedded-tls knows one error for all that may be wrong with a certificate;
/// [`error`](Self::error) says what it was.
///
/// One is good for one connection. Without a host name it believes nobody.
pub(crate) struct PolicyVerifier<'p, 'a> {
    policy: &'p ServerPolicy<'a>,
    time: CertificateTime,
    host: ([u8; MAX_HOST], usize),
    /// The key of the server, and the handshake that it must have signed.
    verified: Option<(VerifiedKey<{ VerifiedKey::<0>::MAX_EC_LEN }>, [u8; HASH])>,
    error: Option<CertificateError>,
}

impl<'p, 'a> PolicyVerifier<'p, 'a> {
    pub(crate) const fn new(policy: &'p ServerPolicy<'a>, time: CertificateTime) -> Self {
        Self {
            policy,
            time,
            host: ([0; MAX_HOST], 0),
            verified: None,
            error: None,
        }
    }

    /// The number of the error, if the server is not believed.
    pub(crate) fn error(&self) -> Option<u32> {
        self.error.map(|error| error.code().into())
    }

    fn verify(
        &mut self,
        certificates: &CertificateRef<'_>,
        transcript: [u8; HASH],
    ) -> Result<(), CertificateError> {
        let mut chain: [&[u8]; MAX_CHAIN + 1] = [&[]; MAX_CHAIN + 1];
        for (place, entry) in chain.iter_mut().zip(&certificates.entries) {
            *place = match entry {
                CertificateEntryRef::X509(certificate) => certificate,
                CertificateEntryRef::RawPublicKey(_) => return Err(CertificateError::Malformed),
            };
        }
        let (host, len) = &self.host;
        let host = Host::parse(host.get(..*len).unwrap_or_default()).map_err(|_| CertificateError::Host)?;
        let chain = chain
            .get(..certificates.entries.len())
            .ok_or(CertificateError::ChainLength)?;
        let server = verify_server_chain(chain, &host, self.time, self.policy)?;
        self.verified = Some((server.key()?, transcript));
        Ok(())
    }

    fn verify_handshake(&mut self, verify: &CertificateVerifyRef<'_>) -> Result<(), CertificateError> {
        // Used up: a second signature needs a second chain.
        let (key, transcript) = self.verified.take().ok_or(CertificateError::Empty)?;
        let mut message = [b' '; PADDING + CONTEXT.len() + HASH];
        let parts = CONTEXT.iter().chain(&transcript);
        for (place, byte) in message.iter_mut().skip(PADDING).zip(parts) {
            *place = *byte;
        }
        let scheme = match verify.signature_scheme {
            SignatureScheme::EcdsaSecp256r1Sha256 => 0x0403,
            SignatureScheme::EcdsaSecp384r1Sha384 => 0x0503,
            SignatureScheme::Ed25519 => 0x0807,
            _ => return Err(CertificateError::Scheme),
        };
        key.verify_signature(self.policy.algorithms(), scheme, &message, verify.signature)
    }

    fn note(&mut self, outcome: Result<(), CertificateError>, error: TlsError) -> Result<(), TlsError> {
        outcome.map_err(|reason| {
            self.error = Some(reason);
            error
        })
    }
}

impl<C: TlsCipherSuite<Hash = Sha256>> TlsVerifier<C> for PolicyVerifier<'_, '_> {
    fn set_hostname_verification(&mut self, hostname: &str) -> Result<(), TlsError> {
        let (host, len) = &mut self.host;
        let place = host
            .get_mut(..hostname.len())
            .ok_or(TlsError::InsufficientSpace)?;
        place.copy_from_slice(hostname.as_bytes());
        *len = hostname.len();
        Ok(())
    }

    fn verify_certificate(
        &mut self,
        transcript: &Sha256,
        certificates: CertificateRef,
    ) -> Result<(), TlsError> {
        let transcript: Output<Sha256> = transcript.clone().finalize();
        let outcome = self.verify(&certificates, transcript.into());
        self.note(outcome, TlsError::InvalidCertificate)
    }

    fn verify_signature(&mut self, verify: CertificateVerifyRef) -> Result<(), TlsError> {
        let outcome = self.verify_handshake(&verify);
        self.note(outcome, TlsError::InvalidSignature)
    }
}
