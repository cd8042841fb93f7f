use iotsec_net::certificate::{TrustAnchor, verify_server_chain};

use crate::vector::{NOW, Vectors, plain};

/// Accepted chains of every shape that software can check: one certificate, two, four; both algorithms.
const SHAPES: [&str; 4] = ["good", "ed25519_all", "four", "no_subject"];

#[test]
fn every_strict_prefix_of_a_certificate_is_refused() {
    let vectors = Vectors::read();
    let anchors = vectors.trust();
    for name in SHAPES {
        let chain = vectors.chain(name);
        for (at, whole) in chain.certificates.iter().enumerate() {
            for len in 0..whole.len() {
                let mut cut = chain.certificates.clone();
                cut[at] = &whole[..len];
                let answer = verify_server_chain(&cut, &chain.host, NOW, &plain(&anchors));
                assert!(answer.is_err(), "{name}: {len} bytes of certificate {at}");
            }
            let longer = [whole, &[0][..]].concat();
            let mut cut = chain.certificates.clone();
            cut[at] = &longer;
            assert!(verify_server_chain(&cut, &chain.host, NOW, &plain(&anchors)).is_err());
        }
    }
}

#[test]
fn every_flipped_bit_of_a_certificate_is_refused() {
    let vectors = Vectors::read();
    let anchors = vectors.trust();
    for name in ["good", "ed25519_all"] {
        let chain = vectors.chain(name);
        // What is left after the path is found is not looked at; the anchor that is sent along is such.
        let needed = if name == "good" { 1 } else { 2 };
        for at in 0..needed {
            let mut bytes = chain.certificates[at].to_vec();
            for bit in 0..bytes.len() * 8 {
                bytes[bit / 8] ^= 1 << (bit % 8);
                let mut flipped = chain.certificates.clone();
                flipped[at] = &bytes;
                let answer = verify_server_chain(&flipped, &chain.host, NOW, &plain(&anchors));
                assert!(answer.is_err(), "{name}: bit {bit} of certificate {at}");
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }
    }
}

#[test]
fn a_damaged_anchor_is_refused_or_leads_nowhere() {
    let vectors = Vectors::read();
    let good = vectors.chain("good");
    let root = vectors.anchors[0];
    for len in 0..root.len() {
        assert!(TrustAnchor::from_der(&root[..len], NOW).is_err());
    }
    let mut bytes = root.to_vec();
    let (mut read, mut refused) = (0, 0);
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(anchor) = TrustAnchor::from_der(&bytes, NOW) {
            // An anchor is believed because of where it comes from: its own signature says nothing.
            let is_same = anchor.as_webpki() == TrustAnchor::from_der(root, NOW).unwrap().as_webpki();
            let anchors = [anchor];
            let answer = verify_server_chain(&good.certificates, &good.host, NOW, &plain(&anchors));
            assert_eq!(answer.is_ok(), is_same, "bit {bit}");
            read += 1;
        } else {
            refused += 1;
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    assert!(read > 500 && refused > 500, "{read} {refused}");
}
