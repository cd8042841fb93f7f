//! Trust anchors by the names that an index gives them.

use std::path::Path;

use iotsec_core::{
    cose,
    crypto::{
        CryptoError, Ed25519PublicKey, Ed25519SmallPublicKey, HkdfSha256, HssLmsPublicKey, KeyType,
        MlDsa44PublicKey, P256PublicKey, SymmetricKey, Verify,
    },
    secret::Secret,
};

use super::hex;

/// The key called `name`, or nothing if there is none that can be an anchor.
///
/// `hmac:` and hexadecimal digits is a shared key; `000102..1f` counts up. Every other name is that of a file
/// in `keys/`, `NAME.EXTENSION` with whatever extensions.
pub(super) fn named(folder: &Path, name: &str) -> Option<Box<dyn Verify>> {
    let said = name.split_once(':').filter(|(kind, _)| is_shared(kind));
    if let Some((_, said)) = said {
        let said = said.split_whitespace().next()?;
        return match counted(said).or_else(|| hex::decode(said)) {
            Some(bytes) => shared(&bytes),
            None => shared(&in_file(folder, said)?),
        };
    }
    let bytes = in_file(folder, name)?;
    if is_shared(name) {
        return shared(&bytes);
    }
    public(&bytes)
}

/// Whether a name says that a key is for MACs. What follows an underscore tells keys of a kind apart.
fn is_shared(name: &str) -> bool {
    let name = name.to_lowercase();
    ["hmac", "hs256", "mac", "shared", "symmetric"]
        .iter()
        .any(|kind| name.starts_with(kind))
}

fn in_file(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let files = std::fs::read_dir(folder.join("keys")).ok()?;
    let mut paths: Vec<_> = files.flatten().map(|file| file.path()).collect();
    // Public halves first: `NAME.pub.hex` before `NAME.seed`.
    paths.sort_by_key(|path| (!path.to_string_lossy().contains(".pub"), path.clone()));
    let mut matching = paths.into_iter().filter(|path| {
        let file = path.file_name().map(|file| file.to_string_lossy().into_owned());
        file.is_some_and(|file| {
            file == name || file.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))
        })
    });
    matching.find_map(|path| content(&std::fs::read(path).ok()?))
}

/// Hexadecimal digits, PEM, or the bytes themselves.
fn content(file: &[u8]) -> Option<Vec<u8>> {
    let Ok(text) = std::str::from_utf8(file) else {
        return Some(file.to_vec());
    };
    let text = text.trim();
    if !text.starts_with("-----BEGIN PUBLIC KEY-----") {
        let digits: String = text.split_whitespace().collect();
        return Some(hex::decode(&digits).unwrap_or_else(|| file.to_vec()));
    }
    let base64: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    base64_decode(&base64)
}

fn public(bytes: &[u8]) -> Option<Box<dyn Verify>> {
    if let Ok(key) = cose::Key::parse(bytes) {
        return match key.y() {
            None => raw(key.x()),
            Some(y) => raw(&[&[4], &key.x()[..], y].concat()),
        };
    }
    raw(bytes).or_else(|| raw(subject_public_key(bytes)?))
}

/// A key whose length says what it is.
fn raw(bytes: &[u8]) -> Option<Box<dyn Verify>> {
    Some(match bytes.len() {
        32 => Box::new(BothEd25519::from_bytes(bytes).ok()?),
        33 | 65 => Box::new(P256PublicKey::from_sec1(bytes).ok()?),
        HssLmsPublicKey::LEN => Box::new(HssLmsPublicKey::from_bytes(bytes).ok()?),
        MlDsa44PublicKey::LEN => Box::new(MlDsa44PublicKey::from_bytes(bytes).ok()?),
        _ => return None,
    })
}

/// An Ed25519 key in both backends, whose answers must be the same.
struct BothEd25519(Ed25519PublicKey, Ed25519SmallPublicKey);

impl BothEd25519 {
    fn from_bytes(bytes: &[u8]) -> Result<Self, CryptoError> {
        let (one, other) = (
            Ed25519PublicKey::from_bytes(bytes),
            Ed25519SmallPublicKey::from_bytes(bytes),
        );
        assert_eq!(one.is_ok(), other.is_ok(), "the backends disagree on a key");
        Ok(Self(one?, other?))
    }
}

impl Verify for BothEd25519 {
    fn key_type(&self) -> KeyType {
        self.0.key_type()
    }
    fn public_key(&self) -> &[u8] {
        self.0.public_key()
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        let answer = self.0.verify(message, signature);
        assert_eq!(
            answer,
            self.1.verify(message, signature),
            "the backends disagree on a signature"
        );
        answer
    }
}

/// The bit string of a SubjectPublicKeyInfo (RFC 5280 §4.1): what stands after an algorithm.
fn subject_public_key(der: &[u8]) -> Option<&[u8]> {
    let (whole, rest) = element(der, 0x30)?;
    if !rest.is_empty() {
        return None;
    }
    let (_, rest) = element(whole, 0x30)?;
    let (bits, _) = element(rest, 0x03)?;
    bits.strip_prefix(&[0])
}

fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (len, rest) = match rest {
        [len @ 0..=0x7F, rest @ ..] => (usize::from(*len), rest),
        [0x81, len, rest @ ..] => (usize::from(*len), rest),
        [0x82, a, b, rest @ ..] => (usize::from(u16::from_be_bytes([*a, *b])), rest),
        _ => return None,
    };
    rest.split_at_checked(len)
}

/// `000102..1f` is every byte from 00 to 1f.
fn counted(text: &str) -> Option<Vec<u8>> {
    let (first, last) = text.split_once("..")?;
    let mut bytes = hex::decode(first)?;
    let [last] = hex::decode(last)?[..] else {
        return None;
    };
    let next = bytes.last()?.checked_add(1)?;
    bytes.extend(next..=last);
    Some(bytes)
}

fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').bytes().map(|c| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    });
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for digit in digits {
        bits = bits << 6 | u32::from(digit?);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count).ok()?);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

/// A shared key that owns its secret.
struct Shared {
    secret: Secret<32>,
    name: Vec<u8>,
}

fn shared(bytes: &[u8]) -> Option<Box<dyn Verify>> {
    let secret = Secret::from_slice(bytes).ok()?;
    let name = SymmetricKey::new(&HkdfSha256, &secret)
        .ok()?
        .public_key()
        .to_vec();
    Some(Box::new(Shared { secret, name }))
}

impl Verify for Shared {
    fn key_type(&self) -> KeyType {
        KeyType::HmacSha256
    }
    fn public_key(&self) -> &[u8] {
        &self.name
    }
    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        SymmetricKey::new(&HkdfSha256, &self.secret)?.verify(message, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(bytes: &[u8]) -> Option<KeyType> {
        public(&content(bytes)?).map(|key| key.key_type())
    }

    #[test]
    fn the_form_and_the_length_say_what_a_key_is() {
        // RFC 8410 §10.1
        let pem = "-----BEGIN PUBLIC KEY-----\n\
            MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
            -----END PUBLIC KEY-----\n";
        let raw = content(pem.as_bytes()).unwrap();
        assert_eq!(kind(pem.as_bytes()), Some(KeyType::Ed25519));
        assert_eq!(kind(&raw), Some(KeyType::Ed25519));
        assert_eq!(kind(&raw[12..]), Some(KeyType::Ed25519));
        assert_eq!(kind(hex::encode(&raw[12..]).as_bytes()), Some(KeyType::Ed25519));
        assert_eq!(kind(&[7; 1312]), Some(KeyType::MlDsa44));
        assert_eq!(kind(&[7; 97]), None);
        assert_eq!(kind(b""), None);
        let mut out = [0; cose::Key::MAX_LEN];
        let x = raw[12..].try_into().unwrap();
        let key = cose::Key::ed25519(&x).write(&mut out).unwrap();
        assert_eq!(kind(key), Some(KeyType::Ed25519));
    }

    #[test]
    fn a_shared_key_stands_in_its_name() {
        let nowhere = Path::new("/nonexistent");
        let counted = named(nowhere, "hmac:000102..1f").unwrap();
        let digits: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        let spelled = named(nowhere, &format!("hmac:{digits}")).unwrap();
        assert_eq!(counted.key_type(), KeyType::HmacSha256);
        assert_eq!(counted.public_key(), spelled.public_key());
        assert!(named(nowhere, "hmac:0001").is_none());
        assert!(named(nowhere, "hmac: in another repository").is_none());
        assert!(named(nowhere, "ed25519_a").is_none());
    }
}
