use iotsec_core::hal::UnixTime;
use iotsec_net::{
    certificate::{AnchorError, KeyKind, TrustAnchor},
    time::CertificateTime,
};
use rustls_pki_types::CertificateDer;

use crate::vector::{NOW, file};

#[test]
fn an_anchor_is_a_ca_with_a_strong_key_that_has_not_ended() {
    for (certificate, expected) in [
        (file!("good.der"), Err(AnchorError::NotCa)),
        (file!("anchor_ended.der"), Err(AnchorError::Ended)),
        (file!("anchor_early.der"), Err(AnchorError::NotYetValid)),
        (file!("anchor_no_usage.der"), Err(AnchorError::KeyUsage)),
        (file!("anchor_not_critical.der"), Err(AnchorError::KeyUsage)),
        (file!("anchor_no_name.der"), Err(AnchorError::Malformed)),
        (file!("anchor_rsa1024.der"), Err(AnchorError::KeySize)),
        (file!("anchor_k1.der"), Err(AnchorError::KeyKind)),
        (file!("anchor_rsa2048.der"), Ok(KeyKind::Rsa(2048))),
        (file!("anchor_p384.der"), Ok(KeyKind::P384)),
        (file!("root.der"), Ok(KeyKind::P256)),
        (&[], Err(AnchorError::Length)),
        (&[0x30; 8193], Err(AnchorError::Length)),
    ] {
        let answer = TrustAnchor::from_der(certificate, NOW).map(|anchor| anchor.key_kind());
        assert_eq!(answer, expected);
    }
}

#[test]
fn an_anchor_is_what_webpki_reads_in_it() {
    for der in [
        file!("root.der"),
        file!("anchor_rsa2048.der"),
        file!("anchor_p384.der"),
    ] {
        let certificate = CertificateDer::from(der);
        let theirs = webpki::anchor_from_trusted_cert(&certificate).unwrap();
        let ours = TrustAnchor::from_der(der, NOW).unwrap();
        assert_eq!(ours.as_webpki(), &theirs);
        assert_eq!(ours.as_der(), der);
    }
}

#[test]
fn without_a_clock_an_anchor_may_begin_a_little_later_than_the_floor() {
    let begin = 1_767_225_600; // 2026-01-01
    let at = |floor, max_age| {
        TrustAnchor::from_der(
            file!("root.der"),
            CertificateTime::at_least(UnixTime(floor), max_age),
        )
        .map(|_| ())
    };
    assert_eq!(at(begin - 10, 10), Ok(()));
    assert_eq!(at(begin - 10, 9), Err(AnchorError::NotYetValid));
    assert_eq!(at(4_102_444_799, 0), Ok(()));
    assert_eq!(at(4_102_444_800, 0), Err(AnchorError::Ended));
}
