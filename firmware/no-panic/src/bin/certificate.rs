//! Certificates of servers and clients, anchors, revocation lists, time and the rotation of anchors. What is left is
//! webpki's.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec::net::{
    certificate::{
        CertificateError, ClientPolicy, PinSet, Revocation, RevocationList, ServerPolicy, TrustAnchor,
        Wildcards, verify_client_chain, verify_server_chain,
    },
    time::CertificateTime,
};
use iotsec_core::{hal::UnixTime, input::Host};
use no_panic::{ALGORITHMS, halt, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    black_box(verify(&input).is_ok());
    halt()
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    black_box(bytes);
    black_box([1; 32])
}

fn verify(input: &[u8; 512]) -> Result<(), CertificateError> {
    let malformed = CertificateError::Malformed;
    let time = black_box(CertificateTime::at_least(UnixTime(1), 2));
    let anchor = TrustAnchor::from_der(unknown(input), time).map_err(|_| malformed)?;
    let anchors = [anchor];
    let lists = [RevocationList::from_der(unknown(input))?];
    let revocation = black_box(Revocation::new(&lists).map_err(|_| malformed)?);
    let pins = black_box([[1; 32], [2; 32]]);
    let pins = PinSet::new(&pins, digest).map_err(|_| malformed)?;
    let policy = ServerPolicy::new(&anchors, ALGORITHMS).map_err(|_| malformed)?;
    let policy = policy.with_pins(pins).with_revocation(revocation).with_ip();
    let policy = black_box(policy.with_wildcards(Wildcards::LeftmostLabel));
    let host = Host::parse(unknown(input)).map_err(|_| malformed)?;
    let chain = black_box([unknown(input); 4]);
    let chain = chain.get(..black_box(4)).unwrap_or_default();
    let server = verify_server_chain(chain, &host, time, &policy)?;
    server.verify_signature(black_box(0), unknown(input), unknown(input))?;
    black_box((server.anchor(), server.public_key(), server.serial()));
    let policy = ClientPolicy::new(&anchors, ALGORITHMS).map_err(|_| malformed)?;
    black_box(verify_client_chain(chain, time, &black_box(policy))?.certificate());
    Ok(())
}
