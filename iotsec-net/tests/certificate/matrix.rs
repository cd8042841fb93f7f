use iotsec_core::error::ErrorCode;
use iotsec_net::certificate::{CertificateError, ServerPolicy, verify_server_chain};

use crate::vector::{NOW, Vectors, suites};

#[test]
fn every_chain_gets_the_answer_it_must_get_by_every_suite() {
    let vectors = Vectors::read();
    assert_eq!(vectors.matrix, 23);
    let anchors = vectors.trust();
    let mut wrong = Vec::new();
    for (suite, algorithms, is_small) in suites() {
        let policy = ServerPolicy::new(&anchors, algorithms).unwrap();
        for chain in &vectors.chains {
            let answer = verify_server_chain(&chain.certificates, &chain.host, NOW, &policy);
            let code = answer.as_ref().map_or_else(ErrorCode::code, |_| 0);
            let expected = if is_small { chain.small_error } else { chain.error };
            if u64::from(code) != expected {
                wrong.push(format!("{suite}: {} gives {code}, not {expected}", chain.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_verified_server_proves_that_it_holds_its_key() {
    let vectors = Vectors::read();
    let anchors = vectors.trust();
    let mut count = 0;
    for (suite, algorithms, is_small) in suites() {
        let policy = ServerPolicy::new(&anchors, algorithms).unwrap();
        for chain in &vectors.chains {
            let is_good = if is_small { chain.small_error } else { chain.error } == 0;
            if !is_good {
                continue;
            }
            count += 1;
            let server = verify_server_chain(&chain.certificates, &chain.host, NOW, &policy).unwrap();
            let check = |scheme, message: &[u8], signature: &[u8]| {
                server.verify_signature(scheme, message, signature)
            };
            assert_eq!(
                check(chain.scheme, vectors.message, chain.signature),
                Ok(()),
                "{suite}: {}",
                chain.name
            );
            let wrong = Err(CertificateError::HandshakeSignature);
            assert_eq!(check(chain.scheme, b"another handshake", chain.signature), wrong);
            assert_eq!(check(chain.scheme, vectors.message, &chain.signature[1..]), wrong);
            assert_eq!(check(chain.scheme, vectors.message, &[]), wrong);
            // PKCS #1 and SHA-1 are no schemes of a handshake in TLS 1.3, and a scheme goes with its key.
            for scheme in [0x0401, 0x0201, 0x0203, 0x0603, 0x0808, 0, 0xFFFF] {
                assert_eq!(
                    check(scheme, vectors.message, chain.signature),
                    Err(CertificateError::Scheme)
                );
            }
            let other = if chain.scheme == 0x0403 { 0x0807 } else { 0x0403 };
            assert_eq!(
                check(other, vectors.message, chain.signature),
                Err(CertificateError::Scheme)
            );
            // The key by itself says the same.
            let key = server.key::<512>().unwrap();
            let check =
                |message: &[u8]| key.verify_signature(algorithms, chain.scheme, message, chain.signature);
            assert_eq!((check(vectors.message), check(b"another")), (Ok(()), wrong));
            assert_eq!(server.key::<43>().unwrap_err(), CertificateError::KeySize);
        }
    }
    assert!(count >= 30, "{count}");
}
