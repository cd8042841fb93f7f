//! What the factory station gives one unit.

mod error;
#[cfg(test)]
mod tests;

pub use error::UnitRecordError;

use super::{
    blocklist, is_setup_code,
    password::{DevicePassword, Exposure},
    symbol::{self, Symbols},
};
use crate::{
    cbor::{Kind, Limits, Reader, Writer},
    checksum::crc32,
    input::DeviceSerial,
};

/// What was minted for one unit, as `iotsec provision export --format store` writes it and the unit reads it once, when
/// it is provisioned. `FORMAT.md` beside the source has the bytes.
///
/// It holds secrets in the clear: the programming line decrypts it for the unit in hand, and the unit erases it when it
/// has stored what is its own. The checksum finds damage; nothing in it says who wrote it.
///
/// A record is the one text from which a [`DevicePassword`] comes back: it stands beside the serial number that it was
/// minted with, so that a record in the image of a firmware would give every unit one serial number too. A password
/// that the generator would not have drawn is refused.
///
/// ```
/// use iotsec_core::credential::{DevicePassword, Exposure, UnitRecord, UnitRecordError};
///
/// # let mut rng = iotsec_testkit::SimRng::new(1);
/// // At the station.
/// let password = DevicePassword::generate(Exposure::Online, &mut rng).unwrap();
/// let label = password.label();
/// let minted = UnitRecord::new("L2-000001", &[7; 16])
///     .with_password(label.as_str())
///     .with_setup_code("20202021");
/// let mut out = [0xFF; 256];
/// let len = minted.write(&mut out)?.len();
///
/// // On the device, from its flash: what is behind the record is erased.
/// let record = UnitRecord::parse(&out)?;
/// assert_eq!((record.serial(), record.setup_code()), ("L2-000001", Some("20202021")));
/// let password = record.password().ok_or(UnitRecordError::Value)?;
/// assert_eq!(password.label().as_str(), label.as_str());
///
/// out[len - 5] ^= 1;
/// assert_eq!(UnitRecord::parse(&out).err(), Some(UnitRecordError::Damaged));
/// # Ok::<(), UnitRecordError>(())
/// ```
#[derive(Clone, Copy)]
pub struct UnitRecord<'a> {
    serial: &'a str,
    batch: &'a [u8; 16],
    password: Option<&'a str>,
    setup_code: Option<&'a str>,
    device_key: Option<UnitKey<'a>>,
    certificate: Option<&'a [u8]>,
}

impl<'a> UnitRecord<'a> {
    /// Most bytes of a certificate. Those of the station have up to 500.
    pub const MAX_CERTIFICATE: usize = 1024;
    /// Bytes of the longest record.
    pub const MAX_LEN: usize = HEAD + MAX_CONTENT + CHECK;

    /// A record with nothing but serial number and batch.
    pub const fn new(serial: &'a str, batch: &'a [u8; 16]) -> Self {
        Self {
            serial,
            batch,
            password: None,
            setup_code: None,
            device_key: None,
            certificate: None,
        }
    }

    /// With a password, as its label has it.
    #[must_use]
    pub const fn with_password(mut self, label: &'a str) -> Self {
        self.password = Some(label);
        self
    }
    /// With a set-up code of eight digits.
    #[must_use]
    pub const fn with_setup_code(mut self, digits: &'a str) -> Self {
        self.setup_code = Some(digits);
        self
    }
    /// With a device key.
    #[must_use]
    pub const fn with_device_key(mut self, key: UnitKey<'a>) -> Self {
        self.device_key = Some(key);
        self
    }
    /// With the certificate over the device key, in DER.
    #[must_use]
    pub const fn with_certificate(mut self, der: &'a [u8]) -> Self {
        self.certificate = Some(der);
        self
    }

    /// The serial number.
    pub const fn serial(&self) -> &'a str {
        self.serial
    }
    /// The number of the batch, as the signed manifest has it.
    pub const fn batch(&self) -> &'a [u8; 16] {
        self.batch
    }
    /// The password, for [`Verifier::for_device`](super::Verifier::for_device).
    pub fn password(&self) -> Option<DevicePassword> {
        password_of(self.password?)
    }
    /// The set-up code. Every use of this is a place to review.
    pub const fn setup_code(&self) -> Option<&'a str> {
        self.setup_code
    }
    /// The device key. Every use of this is a place to review.
    pub const fn device_key(&self) -> Option<UnitKey<'a>> {
        self.device_key
    }
    /// The certificate over the device key, in DER and as yet unchecked.
    pub const fn certificate(&self) -> Option<&'a [u8]> {
        self.certificate
    }

    /// Writes the record.
    ///
    /// # Errors
    /// [`UnitRecordError::Value`] for what [`parse`](Self::parse) would refuse; [`UnitRecordError::Cbor`] for a buffer
    /// that is too small; [`MAX_LEN`](Self::MAX_LEN) bytes are enough.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], UnitRecordError> {
        self.check()?;
        let full = UnitRecordError::Cbor(crate::cbor::CborError::new(Kind::BufferFull, out.len()));
        let (head, rest) = out.split_first_chunk_mut::<HEAD>().ok_or(full)?;
        let mut writer = Writer::new(rest);
        let optional = [
            self.password.is_some(),
            self.setup_code.is_some(),
            self.device_key.is_some(),
            self.certificate.is_some(),
        ];
        let optional = optional
            .into_iter()
            .fold(0u64, |count, there| count.saturating_add(u64::from(there)));
        writer.map(optional.saturating_add(2))?;
        writer.uint(SERIAL)?.text(self.serial)?;
        writer.uint(BATCH)?.bytes(self.batch)?;
        if let Some(label) = self.password {
            writer.uint(PASSWORD)?.text(label)?;
        }
        if let Some(digits) = self.setup_code {
            writer.uint(CODE)?.text(digits)?;
        }
        if let Some(UnitKey::Ed25519(seed)) = self.device_key {
            writer.uint(SEED)?.bytes(seed)?;
        }
        if let Some(der) = self.certificate {
            writer.uint(CERTIFICATE)?.bytes(der)?;
        }
        if let Some(UnitKey::P256(scalar)) = self.device_key {
            writer.uint(SCALAR)?.bytes(scalar)?;
        }
        let len = writer.len();
        for (to, from) in head.iter_mut().zip(MAGIC.iter().copied().chain(len_bytes(len)?)) {
            *to = from;
        }
        let end = HEAD.saturating_add(len);
        let check = crc32(out.get(..end).ok_or(full)?).to_be_bytes();
        let place = out.get_mut(end..).and_then(<[u8]>::first_chunk_mut::<CHECK>);
        *place.ok_or(full)? = check;
        out.get(..end.saturating_add(CHECK)).ok_or(full)
    }

    /// Reads the record at the start of `bytes`. What is behind it is `FF`, as in erased flash, or not there.
    ///
    /// # Errors
    /// [`UnitRecordError`], by what is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, UnitRecordError> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>().ok_or(UnitRecordError::Format)?;
        let [magic @ .., high, low] = head;
        if magic != MAGIC {
            return Err(UnitRecordError::Format);
        }
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        if len > MAX_CONTENT {
            return Err(UnitRecordError::Damaged);
        }
        let (content, rest) = rest.split_at_checked(len).ok_or(UnitRecordError::Damaged)?;
        let (check, behind) = rest
            .split_first_chunk::<CHECK>()
            .ok_or(UnitRecordError::Damaged)?;
        let covered = bytes.get(..HEAD.saturating_add(len)).unwrap_or_default();
        if crc32(covered).to_be_bytes() != *check || behind.iter().any(|byte| *byte != 0xFF) {
            return Err(UnitRecordError::Damaged);
        }
        let record = Self::read(content)?;
        record.check()?;
        Ok(record)
    }

    fn read(content: &'a [u8]) -> Result<Self, UnitRecordError> {
        let mut reader = Reader::new(content, &LIMITS)?;
        let pairs = reader.map()?;
        let (mut serial, mut batch) = (None, None);
        let mut record = Self::new("", &[0; 16]);
        for _ in 0..pairs {
            let unknown = reader.error(Kind::UnknownKey);
            match reader.uint()? {
                SERIAL => serial = Some(reader.text()?),
                BATCH => batch = Some(reader.array_of()?),
                PASSWORD => record.password = Some(reader.text()?),
                CODE => record.setup_code = Some(reader.text()?),
                SEED => record.device_key = Some(UnitKey::Ed25519(reader.array_of()?)),
                CERTIFICATE => record.certificate = Some(reader.bytes()?),
                // One key a unit.
                SCALAR if record.device_key.is_none() => {
                    record.device_key = Some(UnitKey::P256(reader.array_of()?));
                }
                _ => return Err(unknown.into()),
            }
        }
        let missing = reader.error(Kind::MissingKey);
        record.serial = serial.ok_or(missing)?;
        record.batch = batch.ok_or(missing)?;
        Ok(record)
    }

    fn check(&self) -> Result<(), UnitRecordError> {
        let serial = DeviceSerial::parse(self.serial.as_bytes()).is_ok();
        let password = self.password.is_none_or(|label| password_of(label).is_some());
        let code = self
            .setup_code
            .is_none_or(|digits| <&[u8; 8]>::try_from(digits.as_bytes()).is_ok_and(is_setup_code));
        let certificate = self
            .certificate
            .is_none_or(|der| (1..=Self::MAX_CERTIFICATE).contains(&der.len()));
        if serial && password && code && certificate {
            Ok(())
        } else {
            Err(UnitRecordError::Value)
        }
    }
}

/// The private key of a unit.
#[derive(Clone, Copy)]
pub enum UnitKey<'a> {
    /// The seed (RFC 8032 §5.1.5).
    Ed25519(&'a [u8; 32]),
    /// The scalar, big-endian.
    P256(&'a [u8; 32]),
}

impl core::fmt::Debug for UnitKey<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("UnitKey(..)")
    }
}

impl core::fmt::Debug for UnitRecord<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("UnitRecord")
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

/// The one spelling that a label has, of a password that the generator may have drawn.
fn password_of(label: &str) -> Option<DevicePassword> {
    let mut symbols = Symbols::empty();
    let (digits, check) = label.split_at_checked(label.len().checked_sub(1)?)?;
    for character in digits.chars().filter(|character| *character != '-') {
        let symbol = symbol::decode(character)?;
        if !symbols.push(symbol) {
            return None;
        }
    }
    let lengths = [Exposure::Online.symbols(), Exposure::Offline.symbols()];
    let fits = lengths.contains(&symbols.as_slice().len())
        && check
            .bytes()
            .eq([symbol::encode(symbol::check_symbol(symbols.as_slice()))])
        && !blocklist::refuses_code(symbols.as_slice());
    let password = fits.then(|| DevicePassword::minted(symbols))?;
    (password.label().as_str() == label).then_some(password)
}

fn len_bytes(len: usize) -> Result<[u8; 2], UnitRecordError> {
    let len = u16::try_from(len).map_err(|_| UnitRecordError::Value)?;
    Ok(len.to_be_bytes())
}

/// The version is its last character.
const MAGIC: &[u8; 8] = b"iotsecU1";
/// Magic and length.
const HEAD: usize = 10;
const CHECK: usize = 4;
/// Six keys and heads of three bytes at most each, and the values.
const MAX_CONTENT: usize =
    1 + 6 * 4 + DeviceSerial::MAX_LEN + 16 + super::Label::MAX_LEN + 8 + 32 + UnitRecord::MAX_CERTIFICATE;
const LIMITS: Limits = Limits {
    depth: 1,
    items: 13,
    bytes: 1158,
};
const _: () = assert!(MAX_CONTENT == 1158, "the limits follow the fields");

const SERIAL: u64 = 1;
const BATCH: u64 = 2;
const PASSWORD: u64 = 3;
const CODE: u64 = 4;
const SEED: u64 = 5;
const CERTIFICATE: u64 = 6;
const SCALAR: u64 = 7;
