//! The keys and their encodings are those of RFC 8410 §10 and of OpenSSL 3.0.

use iotsec::core::crypto::KeyType;

use super::{exchange::Foreign, *};

/// RFC 8410 §10.1 and §10.3.
const RFC8410_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";
const RFC8410_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";

fn verifier(pem: &str) -> Box<dyn Verify> {
    let key = KeyFile::foreign("key.pem".as_ref(), pem.as_bytes(), None).unwrap();
    key.verifier().unwrap()
}

#[test]
fn the_keys_of_rfc_8410_are_read_and_written() {
    let public = verifier(RFC8410_PUBLIC);
    assert_eq!(public.key_type(), KeyType::Ed25519);
    assert_eq!(exchange::public_pem(public.as_ref()).unwrap(), RFC8410_PUBLIC);
    assert_eq!(verifier(RFC8410_PRIVATE).public_key(), public.public_key());
    let Some(Foreign::Private(_, secret)) = Foreign::read(RFC8410_PRIVATE.as_bytes()) else {
        panic!("no private key");
    };
    let written = exchange::private_pem(public.as_ref(), &secret).unwrap();
    assert_eq!(String::from_utf8(written.to_vec()).unwrap(), RFC8410_PRIVATE);
}

#[test]
fn a_p256_key_comes_back_as_it_went_out() {
    let secret = Secret::from_bytes([0x42; 32]);
    let signer = P256SigningKey::from_scalar(&secret).unwrap();
    let cose = cose_key(signer.public_key(), None, None).unwrap();
    let key = Key::parse(&cose).unwrap();
    let point = [&[4], &key.x()[..], key.y().unwrap()].concat();
    let public = iotsec::core::crypto::P256PublicKey::from_sec1(&point).unwrap();
    let private = exchange::private_der(&public, &secret).unwrap();
    let Some(Foreign::Private(KeyType::P256, back)) = Foreign::read(&private) else {
        panic!("no private key");
    };
    assert!(back.ct_eq(&secret));
    let der = exchange::public_der(&public).unwrap();
    let Some(Foreign::Public(KeyType::P256, back)) = Foreign::read(&der) else {
        panic!("no public key");
    };
    assert_eq!(back, signer.public_key());
}

#[test]
fn keys_of_other_kinds_and_broken_text_are_no_keys() {
    // id-X25519 instead of id-Ed25519.
    let x25519 = RFC8410_PUBLIC.replace("BQYDK2Vw", "BQYDK2Vu");
    let cut = RFC8410_PUBLIC.replace("AxZuE=", "");
    for text in [x25519.as_str(), &cut, "-----BEGIN", "", "0"] {
        assert!(Foreign::read(text.as_bytes()).is_none(), "{text}");
    }
}

#[test]
fn a_fingerprint_is_the_thumbprint_of_rfc_9679() {
    // The key and the thumbprint of RFC 9679 §6.
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
            .collect()
    };
    let point = [
        vec![4],
        bytes("65eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d"),
        bytes("1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c"),
    ]
    .concat();
    let public = iotsec::core::crypto::P256PublicKey::from_sec1(&point).unwrap();
    assert_eq!(
        fingerprint(&public).unwrap(),
        "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec"
    );
}

#[test]
fn hexadecimal_is_read_whole_or_not_at_all() {
    assert_eq!(unhex::<2>("0aff"), Some([10, 255]));
    for bad in ["", "0af", "0aff0", "0xff", "+a+b"] {
        assert_eq!(unhex::<2>(bad), None, "{bad}");
    }
}
