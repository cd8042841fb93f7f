use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use iotsec_core::crypto::{CryptoError, KeyType, Sign};
use iotsec_net::tls::{Client, Identity, SignWith, TlsError};
use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, ServerConnection, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::{
    pki::{
        ROOT, certified, client_with, config_with, ed25519_key, good, host, p256_key, providers, ring, server,
    },
    vector::Vectors,
    wire::link,
};

/// A server of rustls that wants certificates of clients.
fn asking() -> ServerConnection {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from(ROOT)).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(ring()));
    let verifier = verifier.build().unwrap();
    server(config_with(
        ring(),
        |builder| builder.with_client_cert_verifier(verifier),
        certified("good"),
    ))
}

/// The device of the vectors.
fn device(key: Arc<dyn Sign + Send + Sync>) -> Result<Identity, TlsError> {
    Identity::new(&Vectors::read().chain("client").certificates, key)
}

#[test]
fn a_device_shows_who_it_is_with_a_key_that_stays_where_it_is() {
    let signatures = Arc::new(AtomicUsize::new(0));
    // A chip: it is behind a lock, and gives nothing but signatures.
    let chip = Mutex::new(p256_key("client"));
    let public = chip.lock().unwrap().public_key().to_vec();
    let count = signatures.clone();
    let key = SignWith::new(KeyType::P256, &public, move |message, signature| {
        count.fetch_add(1, Ordering::Relaxed);
        chip.lock()
            .map_err(|_| CryptoError::Driver)?
            .sign(message, signature)
    });
    let identity = device(Arc::new(key)).unwrap();
    for provider in providers() {
        let client = client_with(&provider).with_identity(identity.clone());
        let link = link(&client, &host(), asking()).unwrap();
        let shown = link.server.peer_certificates().unwrap();
        assert_eq!(shown[0].as_ref(), Vectors::read().chain("client").certificates[0]);
        assert!(!link.server.is_handshaking());
    }
    assert_eq!(signatures.load(Ordering::Relaxed), 2);
}

#[test]
fn a_server_that_does_not_ask_who_the_device_is_is_not_the_one_that_was_meant() {
    let client = client_with(&providers()[0]).with_identity(device(Arc::new(p256_key("client"))).unwrap());
    assert_eq!(link(&client, &host(), good()).unwrap_err(), TlsError::NotAsked);
}

#[test]
fn a_key_that_does_not_sign_makes_no_connection() {
    let public = p256_key("client").public_key().to_vec();
    let broken = SignWith::new(KeyType::P256, &public, |_, _| Err(CryptoError::Driver));
    let client = client_with(&providers()[0]).with_identity(device(Arc::new(broken)).unwrap());
    assert_eq!(
        link(&client, &host(), asking()).unwrap_err(),
        TlsError::Signing(CryptoError::Driver)
    );
    // One that signs with another key is found out by the server.
    let other = p256_key("other");
    let wrong = SignWith::new(KeyType::P256, &public, move |message, out| {
        other.sign(message, out)
    });
    let client = client_with(&providers()[0]).with_identity(device(Arc::new(wrong)).unwrap());
    let mut link = link(&client, &host(), asking()).unwrap();
    let read = link
        .client
        .read(&mut link.client_end, &mut [0; 8], iotsec_core::hal::Millis(9));
    assert!(matches!(read, Err(TlsError::Alert(_))), "{read:?}");
}

#[test]
fn a_certificate_and_a_key_belong_together() {
    for wrong in [
        device(Arc::new(p256_key("other"))),
        device(Arc::new(ed25519_key("client"))),
    ] {
        assert_eq!(wrong.err(), Some(TlsError::IdentityKey));
    }
    assert!(Identity::new(&[], Arc::new(p256_key("client"))).is_err());
}

/// A server that only knows signatures of RSA.
#[derive(Debug)]
struct RsaAlone;

impl ClientCertVerifier for RsaAlone {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        panic!("nothing was to be shown")
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        panic!("nothing was to be signed")
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        panic!("nothing was to be signed")
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::RSA_PSS_SHA256]
    }
    fn client_auth_mandatory(&self) -> bool {
        false
    }
}

#[test]
fn a_server_that_cannot_check_the_key_gets_no_anonymous_device() {
    let old = || {
        server(config_with(
            ring(),
            |builder| builder.with_client_cert_verifier(Arc::new(RsaAlone)),
            certified("good"),
        ))
    };
    let anonymous = client_with(&providers()[0]);
    assert!(link(&anonymous, &host(), old()).is_ok());
    let client: Client = anonymous.with_identity(device(Arc::new(p256_key("client"))).unwrap());
    assert_eq!(
        link(&client, &host(), old()).unwrap_err(),
        TlsError::IdentityScheme
    );
}

#[test]
fn nothing_of_a_key_is_in_what_is_printed() {
    let key = Arc::new(p256_key("client"));
    let identity = device(key).unwrap();
    let client = client_with(&providers()[0]).with_identity(identity.clone());
    let secret = crate::pki::pkcs8("client");
    let scalar = &secret.secret_der()[36..68];
    let listed = scalar.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    let hex: String = scalar.iter().map(|byte| format!("{byte:02x}")).collect();
    for text in [format!("{identity:?}"), format!("{client:?}")] {
        assert!(!text.contains(&listed) && !text.to_lowercase().contains(&hex));
    }
}
