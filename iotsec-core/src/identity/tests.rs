use super::{
    der::{self, Reader, Writer},
    *,
};
use crate::crypto::{CryptoError, KeyType, SIGNATURE_LEN, Sign};

/// A key whose signature is what the test wants.
struct Fixed {
    key_type: KeyType,
    public: [u8; 65],
    signature: [u8; SIGNATURE_LEN],
}

impl Sign for Fixed {
    fn key_type(&self) -> KeyType {
        self.key_type
    }
    fn public_key(&self) -> &[u8] {
        &self.public
    }
    fn sign(&self, _: &[u8], signature: &mut [u8; SIGNATURE_LEN]) -> Result<(), CryptoError> {
        *signature = self.signature;
        Ok(())
    }
}

fn p256(signature: [u8; SIGNATURE_LEN]) -> Fixed {
    Fixed {
        key_type: KeyType::P256,
        public: [4; 65],
        signature,
    }
}

#[test]
fn the_longest_request_has_exactly_the_stated_length() {
    let text = "x".repeat(64);
    let subject = Subject::new(&text)
        .and_then(|subject| subject.common_name(&text))
        .and_then(|subject| subject.organization(&text))
        .unwrap();
    let mut out = [0; CertificationRequest::MAX_LEN];
    let der = CertificationRequest::write(&subject, &p256([0xFF; SIGNATURE_LEN]), &mut out).unwrap();
    assert_eq!(der.len(), CertificationRequest::MAX_LEN);
}

#[test]
fn numbers_of_a_signature_are_in_shortest_form() {
    let integer = |bytes: &[u8]| {
        let mut out = [0; 40];
        let mut writer = Writer::new(&mut out);
        writer.unsigned(bytes).unwrap();
        let len = writer.settle();
        out[..len].to_vec()
    };
    // X.690 §8.3.2: the first nine bits are neither all zeros nor all ones.
    assert_eq!(integer(&[0, 0, 0]), [2, 1, 0]);
    assert_eq!(integer(&[0, 0x7F]), [2, 1, 0x7F]);
    assert_eq!(integer(&[0, 0x80]), [2, 2, 0, 0x80]);
    assert_eq!(integer(&[0xFF, 0]), [2, 3, 0, 0xFF, 0]);
}

#[test]
fn lengths_are_in_shortest_form_both_ways() {
    for (len, head) in [
        (0, &[0x30, 0][..]),
        (127, &[0x30, 127]),
        (128, &[0x30, 0x81, 128]),
        (255, &[0x30, 0x81, 255]),
        (256, &[0x30, 0x82, 1, 0]),
        (65_535, &[0x30, 0x82, 255, 255]),
    ] {
        let (bytes, count) = der::head(der::SEQUENCE, len).unwrap();
        assert_eq!(&bytes[..count], head);
        let mut input = head.to_vec();
        input.resize(head.len() + len, 7);
        assert_eq!(
            Reader::new(&input).value(der::SEQUENCE).map(<[u8]>::len),
            Some(len)
        );
    }
    assert_eq!(
        der::head(der::SEQUENCE, 65_536).err(),
        Some(IdentityError::BufferFull)
    );
    for bad in [
        &[0x30, 0x80, 0, 0][..],
        &[0x30, 0x81, 0x7F],
        &[0x30, 0x82, 0, 0x80],
        &[0x30, 0x83, 1, 0, 0],
    ] {
        let mut input = bad.to_vec();
        input.resize(70_000, 0);
        assert_eq!(Reader::new(&input).value(der::SEQUENCE), None, "{bad:02x?}");
    }
}

#[test]
fn keys_that_no_certificate_is_for_are_refused() {
    let subject = Subject::new("1").unwrap();
    let mut out = [0; CertificationRequest::MAX_LEN];
    for (key_type, first) in [
        (KeyType::HmacSha256, 4),
        (KeyType::MlDsa44, 4),
        (KeyType::Ed25519, 4),
        (KeyType::P256, 2),
    ] {
        let mut key = p256([1; SIGNATURE_LEN]);
        (key.key_type, key.public[0]) = (key_type, first);
        let refused = CertificationRequest::write(&subject, &key, &mut out);
        assert_eq!(refused.err(), Some(IdentityError::KeyType), "{key_type:?}");
    }
}

#[test]
fn a_subject_is_text_that_x509_allows() {
    let long = "x".repeat(65);
    for serial in ["", &long, "a_b", "a\0", "ä", "a*", "a@b", "a\n"] {
        assert_eq!(
            Subject::new(serial).err(),
            Some(IdentityError::Subject),
            "{serial}"
        );
    }
    let subject = Subject::new("Az09 '()+,-./:=?").unwrap();
    for name in ["", &long, "a\u{7}", "a\u{85}", "\u{0}"] {
        assert_eq!(subject.common_name(name).err(), Some(IdentityError::Subject));
        assert_eq!(subject.organization(name).err(), Some(IdentityError::Subject));
    }
}
