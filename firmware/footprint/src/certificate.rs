//! A server's certificate.

use core::hint::black_box;

use harness::vector;
use iotsec_core::{hal::UnixTime, input::Host};
use iotsec_net::{
    certificate::{ServerPolicy, TrustAnchor, algorithm, verify_server_chain},
    time::CertificateTime,
};

/// Reads an anchor, and verifies the certificate of a server under it: two keys of P-256, one signature.
#[inline(never)]
pub fn run() -> bool {
    let now = black_box(CertificateTime::exact(UnixTime(1_800_000_000)));
    let Ok(anchor) = TrustAnchor::from_der(black_box(&vector::CERTIFICATE_ROOT), now) else {
        return false;
    };
    let anchors = [anchor];
    let algorithms = [algorithm::ECDSA_P256_SHA256];
    let Ok(policy) = ServerPolicy::new(&anchors, &algorithms) else {
        return false;
    };
    let chain: [&[u8]; 1] = [black_box(&vector::CERTIFICATE)];
    Host::parse(black_box(b"broker.example"))
        .is_ok_and(|host| verify_server_chain(&chain, &host, now, &policy).is_ok())
}
