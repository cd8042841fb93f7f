//! Certificates of servers, anchors, and revocation lists.

use std::sync::LazyLock;

use iotsec_core::{hal::UnixTime, input::Host};
use iotsec_net::{
    certificate::{
        CertificateError, Revocation, RevocationList, ServerPolicy, SignatureVerificationAlgorithm,
        TrustAnchor, UnknownStatus, algorithm, verify_server_chain,
    },
    time::CertificateTime,
};
use rustls_pki_types::{AlgorithmIdentifier, CertificateDer, InvalidSignature, alg_id};

use crate::Seed;

const NOW: CertificateTime = CertificateTime::exact(UnixTime(1_800_000_000));
const HOST: &[u8] = b"broker.example";
const MAX_CHAIN: usize = 5;

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../../vectors/certificate/", $name)).as_slice()
    };
}

/// Says yes to every signature, so that what stands in front of the check is reached whatever the bytes.
#[derive(Debug)]
struct Credulous(AlgorithmIdentifier, AlgorithmIdentifier);

impl SignatureVerificationAlgorithm for Credulous {
    fn verify_signature(&self, _: &[u8], _: &[u8], _: &[u8]) -> Result<(), InvalidSignature> {
        Ok(())
    }
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0
    }
    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.1
    }
}

static CREDULOUS: [Credulous; 2] = [
    Credulous(alg_id::ECDSA_P256, alg_id::ECDSA_SHA256),
    Credulous(alg_id::ED25519, alg_id::ED25519),
];

static ANCHORS: LazyLock<[TrustAnchor<'static>; 2]> = LazyLock::new(|| {
    [vector!("root.der"), vector!("anchor_next.der")]
        .map(|der| TrustAnchor::from_der(der, NOW).expect("a good anchor"))
});

/// Each certificate behind its length in two bytes.
fn join(certificates: &[&[u8]]) -> Vec<u8> {
    let len = |certificate: &[u8]| {
        u16::try_from(certificate.len())
            .expect("a short one")
            .to_be_bytes()
    };
    let parts = certificates
        .iter()
        .map(|certificate| [&len(certificate)[..], certificate].concat());
    parts.collect::<Vec<_>>().concat()
}

/// The other way, as far as there are whole ones; the rest is the last.
fn split(mut input: &[u8]) -> Vec<&[u8]> {
    let mut chain = Vec::new();
    while let Some((len, rest)) = input.split_first_chunk::<2>()
        && chain.len() < MAX_CHAIN
    {
        let len = usize::from(u16::from_be_bytes(*len)).min(rest.len());
        let (certificate, rest) = rest.split_at(len);
        chain.push(certificate);
        input = rest;
    }
    chain
}

/// A chain is believed only if somebody who may signed each of its certificates, and its leaf is a server's for this
/// host in the eyes of another parser too.
pub fn chain(input: &[u8]) -> bool {
    let chain = split(input);
    let host = Host::parse(HOST).expect("a good name");
    let genuine = ServerPolicy::new(&*ANCHORS, algorithm::ALL).expect("a good policy");
    if verify_server_chain(&chain, &host, NOW, &genuine).is_ok() {
        // Nobody but the maker of the vectors signs under these anchors.
        let known = [vector!("good.der"), vector!("good_next.der")];
        assert!(known.contains(&chain[0]), "a forged leaf was believed");
    }
    let credulous = CREDULOUS
        .each_ref()
        .map(|one| one as &dyn SignatureVerificationAlgorithm);
    let policy = ServerPolicy::new(&*ANCHORS, &credulous).expect("a good policy");
    let Ok(server) = verify_server_chain(&chain, &host, NOW, &policy) else {
        return false;
    };
    let leaf = CertificateDer::from(chain[0]);
    let parsed = webpki::EndEntityCert::try_from(&leaf).expect("webpki reads it too");
    let mut names = parsed.valid_dns_names();
    assert!(names.any(|name| name.as_bytes().eq_ignore_ascii_case(HOST)));
    assert_eq!(parsed.serial(), server.serial());
    assert!(server.anchor() < ANCHORS.len() && server.not_after() >= NOW.earliest());
    // serverAuth stands in it, and anyExtendedKeyUsage does not.
    let has = |oid: &[u8]| chain[0].windows(oid.len()).any(|part| part == oid);
    assert!(has(&[0x06, 0x08, 0x2B, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01]));
    assert!(server.key::<128>().is_ok());
    true
}

/// Seeds of [`chain`].
pub fn chain_seeds() -> Vec<Seed> {
    let (good, next, root) = (vector!("good.der"), vector!("good_next.der"), vector!("root.der"));
    let impostor = vector!("impostor.der");
    vec![
        Seed::new("valid-one", join(&[good])),
        Seed::new("valid-with-anchor", join(&[next, vector!("anchor_next.der")])),
        Seed::new("valid-with-others", join(&[good, impostor, root])),
        Seed::new("near-anchor-alone", join(&[root])),
        Seed::new("near-leaf-as-issuer", join(&[good, good])),
        Seed::new("near-five", join(&[good, root, root, root, root])),
    ]
}

/// An anchor is what webpki takes it for, and a CA.
pub fn anchor(input: &[u8]) -> bool {
    let Ok(anchor) = TrustAnchor::from_der(input, NOW) else {
        return false;
    };
    let der = CertificateDer::from(input);
    let theirs = webpki::anchor_from_trusted_cert(&der).expect("webpki reads it too");
    assert_eq!(anchor.as_webpki(), &theirs);
    assert!(anchor.not_after() >= NOW.earliest());
    // It is no server, whatever it says of itself.
    assert!(!chain(&join(&[input])));
    true
}

/// Seeds of [`anchor`].
pub fn anchor_seeds() -> Vec<Seed> {
    vec![
        Seed::new("valid-p256", vector!("root.der")),
        Seed::new("valid-rsa2048", vector!("anchor_rsa2048.der")),
        Seed::new("near-leaf", vector!("good.der")),
        Seed::new("near-no-usage", vector!("anchor_no_usage.der")),
        Seed::new("near-rsa1024", vector!("anchor_rsa1024.der")),
    ]
}

/// Whatever a list says, a chain under it is good, or refused because of the list.
pub fn list(input: &[u8]) -> bool {
    let Ok(list) = RevocationList::from_der(input) else {
        return false;
    };
    let lists = [list];
    let credulous = CREDULOUS
        .each_ref()
        .map(|one| one as &dyn SignatureVerificationAlgorithm);
    let host = Host::parse(HOST).expect("a good name");
    let mut answers = [UnknownStatus::Refuse, UnknownStatus::Accept].map(|unknown| {
        let revocation = Revocation::new(&lists).expect("one list");
        let policy = ServerPolicy::new(&*ANCHORS, &credulous).expect("a good policy");
        let policy = policy.with_revocation(revocation.with_unknown(unknown));
        verify_server_chain(&[vector!("good.der")], &host, NOW, &policy).map(|_| ())
    });
    for answer in &mut answers {
        assert!(
            matches!(
                answer,
                Ok(())
                    | Err(CertificateError::Revoked
                        | CertificateError::RevocationUnknown
                        | CertificateError::RevocationEnded
                        | CertificateError::RevocationList
                        | CertificateError::SignatureAlgorithm
                        | CertificateError::Malformed)
            ),
            "{answer:?}"
        );
    }
    // Who refuses the unknown refuses no less.
    assert!(answers[0].is_err() || answers[1].is_ok());
    true
}

/// Seeds of [`list`].
pub fn list_seeds() -> Vec<Seed> {
    let clean = vector!("crl_root_clean.der");
    vec![
        Seed::new("valid-clean", clean),
        Seed::new("valid-revoked", vector!("crl_root_good_revoked.der")),
        Seed::new("valid-ended", vector!("crl_root_ended.der")),
        Seed::new("near-certificate", vector!("good.der")),
        Seed::new("near-cut", &clean[..clean.len() - 1]),
    ]
}
