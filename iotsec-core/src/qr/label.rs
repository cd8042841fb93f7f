use super::{
    error::QrError,
    text::{Text, position},
};
use crate::{
    checksum::crc32,
    credential::{decode_symbol, encode_symbol, is_setup_code},
    crypto::Digest,
    identity::SubjectPublicKey,
    input::scan,
};

/// The first half of SHA-256 over a public key's SubjectPublicKeyInfo: 128 bits by which a phone knows its device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyFingerprint([u8; Self::LEN]);

impl KeyFingerprint {
    /// Bytes of a fingerprint. Making a key that has a given one takes 2^128 tries.
    pub const LEN: usize = 16;

    /// Of a device key.
    pub fn of(key: &SubjectPublicKey<'_>, hash: &mut dyn Digest) -> Self {
        let mut half = [0; Self::LEN];
        for (to, from) in half.iter_mut().zip(key.fingerprint(hash)) {
            *to = from;
        }
        Self(half)
    }

    /// As a register of devices has it.
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

/// The label of one unit: who it is, the fingerprint of its key, and its set-up code if that is to be scanned.
///
/// ```text
/// label       = "IOTSEC1:" product "/" serial "/" fingerprint [ "/" code ] "/" check
/// product     = serial = 1*32( %x30-39 / %x41-5A / "-" / "." )
/// fingerprint = 26symbol     ; 128 bits, then two zero bits
/// code        = 8DIGIT
/// check       = 7symbol      ; three zero bits, then CRC-32 (ISO-HDLC) of everything in front of it
/// symbol      = ; Crockford base 32, most significant first
/// ```
///
/// Every character is of the alphanumeric set of QR codes (ISO/IEC 18004 §7.4.4), two of which take 11 bits. With
/// eight characters each for product and serial, and a code, it has 69 characters: version 4 at level M, which holds 90.
///
/// Debug shows no code. Whoever writes one out wipes the buffer.
///
/// ```
/// use iotsec_core::qr::{KeyFingerprint, ProductLabel, QrError};
///
/// let label = ProductLabel::new("LAMP-2", "0042", KeyFingerprint::from_bytes([7; 16]))?.with_code("20202021")?;
/// let mut out = [0; ProductLabel::MAX_LEN];
/// let text = label.write(&mut out)?;
/// assert!(text.starts_with("IOTSEC1:LAMP-2/0042/"));
/// assert_eq!(ProductLabel::parse(text)?, label);
/// assert_eq!(ProductLabel::parse(&text.replace("0042", "0043")).err(), Some(QrError::Check));
/// # Ok::<(), QrError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ProductLabel<'a> {
    product: &'a str,
    serial: &'a str,
    fingerprint: KeyFingerprint,
    code: Option<&'a str>,
}

impl<'a> ProductLabel<'a> {
    /// Most bytes of product and serial number, each.
    pub const MAX_NAME: usize = 32;
    /// Bytes of the longest label.
    pub const MAX_LEN: usize =
        PREFIX.len() + 2 * (Self::MAX_NAME + 1) + FINGERPRINT_SYMBOLS + 1 + 8 + 1 + CHECK_SYMBOLS;

    /// A label without a code.
    ///
    /// # Errors
    /// [`QrError::Value`] unless product and serial are 1 to 32 capital letters, digits, hyphens and dots.
    pub fn new(product: &'a str, serial: &'a str, fingerprint: KeyFingerprint) -> Result<Self, QrError> {
        Ok(Self {
            product: name(product)?,
            serial: name(serial)?,
            fingerprint,
            code: None,
        })
    }

    /// With a set-up code.
    ///
    /// # Errors
    /// [`QrError::Value`] unless it is eight digits, and none that every attacker tries first.
    pub fn with_code(mut self, code: &'a str) -> Result<Self, QrError> {
        let digits = code.as_bytes().try_into().map_err(|_| QrError::Value)?;
        if !is_setup_code(digits) {
            return Err(QrError::Value);
        }
        self.code = Some(code);
        Ok(self)
    }

    /// The product.
    pub const fn product(&self) -> &'a str {
        self.product
    }
    /// The serial number.
    pub const fn serial(&self) -> &'a str {
        self.serial
    }
    /// The fingerprint of the unit's key.
    pub const fn fingerprint(&self) -> &KeyFingerprint {
        &self.fingerprint
    }
    /// The set-up code. Every use of this is a place to review.
    pub const fn code(&self) -> Option<&'a str> {
        self.code
    }

    /// Writes the text.
    ///
    /// # Errors
    /// [`QrError::BufferFull`]; [`MAX_LEN`](Self::MAX_LEN) bytes are enough.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, QrError> {
        let mut text = Text::new(out);
        text.bytes(PREFIX)?;
        for part in [self.product, self.serial] {
            text.bytes(part.as_bytes())?;
            text.push(b'/')?;
        }
        // Two zero bits follow the 128.
        let bits = u128::from_be_bytes(self.fingerprint.0);
        for symbol in 0..25u32 {
            let value = bits >> 123u32.saturating_sub(symbol.saturating_mul(5));
            text.push(symbol_of(value))?;
        }
        text.push(symbol_of(bits << 2))?;
        text.push(b'/')?;
        if let Some(code) = self.code {
            text.bytes(code.as_bytes())?;
            text.push(b'/')?;
        }
        let check = check_of(text.written());
        text.bytes(&check)?;
        text.finish()
    }

    /// Reads a label.
    ///
    /// # Errors
    /// [`QrError`], by what is wrong.
    pub fn parse(text: &'a str) -> Result<Self, QrError> {
        let rest = text.strip_prefix("IOTSEC1:").ok_or(QrError::Prefix)?;
        if text.len() > Self::MAX_LEN {
            return Err(QrError::Length);
        }
        let strange =
            |byte: u8| !(byte.is_ascii_digit() || byte.is_ascii_uppercase() || b"-./".contains(&byte));
        if let Some(at) = rest.bytes().position(strange) {
            let position = position(at.saturating_add(PREFIX.len()));
            return Err(QrError::Character { position });
        }
        let (front, check) = text
            .len()
            .checked_sub(CHECK_SYMBOLS)
            .and_then(|at| text.split_at_checked(at))
            .ok_or(QrError::Length)?;
        if check.as_bytes() != check_of(front.as_bytes()) {
            return Err(QrError::Check);
        }
        let mut fields = scan::split(rest.as_bytes(), b'/').filter_map(|(_, field)| scan::text(field).ok());
        let mut field = || fields.next().ok_or(QrError::Field);
        let (product, serial, fingerprint, next) = (field()?, field()?, field()?, field()?);
        let label = Self::new(product, serial, fingerprint_of(fingerprint)?)?;
        // The last field is the check.
        match (fields.next(), fields.next()) {
            (None, _) if next.len() == CHECK_SYMBOLS => Ok(label),
            (Some(check), None) if check.len() == CHECK_SYMBOLS => label.with_code(next),
            _ => Err(QrError::Field),
        }
    }
}

crate::claim! {
    provisions: ["5.3-16"],
    claims: "The QR code of the label names the product and the unit",
    code: [ProductLabel::write],
    tests: [
        "iotsec-core::iotsec_core::qr::tests::a_label_is_the_one_that_another_implementation_writes",
        "iotsec-core::iotsec_core::qr::tests::any_label_comes_back_as_it_went_out_and_fits_the_alphanumeric_set",
    ],
}

impl core::fmt::Debug for ProductLabel<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ProductLabel")
            .field("product", &self.product)
            .field("serial", &self.serial)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

fn name(text: &str) -> Result<&str, QrError> {
    let allowed = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_uppercase() || b"-.".contains(&byte);
    if (1..=ProductLabel::MAX_NAME).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text)
    } else {
        Err(QrError::Value)
    }
}

/// The symbol of the last five bits.
fn symbol_of(bits: u128) -> u8 {
    encode_symbol(u8::try_from(bits & 31).unwrap_or(0))
}

fn check_of(text: &[u8]) -> [u8; CHECK_SYMBOLS] {
    let crc = u128::from(crc32(text));
    core::array::from_fn(|at| {
        let shift = CHECK_SYMBOLS
            .saturating_sub(1)
            .saturating_sub(at)
            .saturating_mul(5);
        symbol_of(crc >> shift)
    })
}

/// Reads the one spelling that [`ProductLabel::write`] has, not what people type.
fn fingerprint_of(text: &str) -> Result<KeyFingerprint, QrError> {
    if text.len() != FINGERPRINT_SYMBOLS {
        return Err(QrError::Field);
    }
    let mut bits = 0u128;
    let mut last = 0;
    for (at, character) in text.chars().enumerate() {
        let symbol =
            decode_symbol(character).filter(|symbol| char::from(encode_symbol(*symbol)) == character);
        last = symbol.ok_or(QrError::Value)?;
        // The last symbol has three bits of the number.
        let (shift, value) = if at < FINGERPRINT_SYMBOLS.saturating_sub(1) {
            (5, last)
        } else {
            (3, last >> 2)
        };
        bits = (bits << shift) | u128::from(value);
    }
    if last & 3 != 0 {
        return Err(QrError::Value);
    }
    Ok(KeyFingerprint(bits.to_be_bytes()))
}

const PREFIX: &[u8] = b"IOTSEC1:";
const FINGERPRINT_SYMBOLS: usize = 26;
const CHECK_SYMBOLS: usize = 7;
