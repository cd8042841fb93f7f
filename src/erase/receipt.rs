//! The receipt: encoding, signing, checking.

use iotsec_core::{
    cbor::{CborError, Limits, Reader, Type, Writer},
    cose::{ContentType, CoseError, Key, Sign1, Sign1Builder},
    crypto::{DIGEST_LEN, Digest, KeyType, Sign, Verify},
    error::{ErrorCode, Fault},
    hal::{Millis, UnixTime},
};

const VERSION: u64 = 1;
/// Keeps this signature apart from every other one of the same key.
const DOMAIN: &[u8] = b"iotsec/erased/v1";
const CONTENT_TYPE: &str = "application/vnd.iotsec.erased+cbor";

const LABEL_VERSION: i32 = 1;
const LABEL_REASON: i32 = 2;
const LABEL_SCOPE: i32 = 3;
const LABEL_ERASURES: i32 = 4;
const LABEL_VALUES: i32 = 5;
const LABEL_SCRUBBED: i32 = 6;
const LABEL_BOOT: i32 = 7;
const LABEL_UPTIME: i32 = 8;
const LABEL_TIME: i32 = 9;
const LABEL_DEVICE: i32 = 10;
const LABEL_NONCE: i32 = 11;

/// Bytes of a payload at most: eleven labels, and values of 1, 1, 34, 5, 5, 1, 5, 9, 9, 34 and 66 bytes.
const MAX_PAYLOAD: usize = 182;
/// The payload, the protected header, the domain and 16 bytes for what holds them together.
const SCRATCH: usize = 256;

const LIMITS: Limits = Limits {
    depth: 4,
    items: 48,
    bytes: 295,
};

/// Why something was erased, and so what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The owner gave the device up. Its identity stays, and it is claimed with the code that it had.
    Reset,
    /// The owner hands the device on. Its identity stays, and it is claimed with another code than before.
    Transfer,
    /// The device goes out of service. The receipt is signed *before* the key that signs it is destroyed with
    /// everything else, so it says what the device had then bound itself to do.
    Retirement,
    /// The owner asked for some data to be deleted, and keeps the device.
    Request,
}

impl Reason {
    const ALL: [Self; 4] = [Self::Reset, Self::Transfer, Self::Retirement, Self::Request];

    /// Its number in the receipt.
    pub const fn number(self) -> u8 {
        match self {
            Self::Reset => 1,
            Self::Transfer => 2,
            Self::Retirement => 3,
            Self::Request => 4,
        }
    }

    /// The reason with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.number() == number)
    }
}

/// What was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope<'a> {
    /// Everything of the owner's: the only copy of the key of the user domain was destroyed.
    User,
    /// Everything of the owner's, and every secret of the device. With [`Reason::Retirement`], and only then.
    Device,
    /// These namespaces of the user domain: 1 to 32, in ascending order. With [`Reason::Request`], and only then.
    Namespaces(&'a [u8]),
}

/// What a device says when it has erased.
///
/// ```cddl
/// receipt = #6.18([protected: << {1: -19 / -9, 3: "application/vnd.iotsec.erased+cbor"} >>, {}, << erased >>, signature: bstr .size 64])
/// erased  = { 1: 1, 2: reason, 3: scope, 4: erasures, 5: values, 6: scrubbed, 7: boot, ? 8: uptime, ? 9: time, 10: device, ? 11: nonce }
/// ```
///
/// The device is named by the thumbprint of its identity key (RFC 9679), not by its serial number: whoever can check
/// the signature has the key already and learns nothing else, and whoever finds the receipt can neither read nor guess
/// which unit or model it is of, as with a hash of a serial number he could.
///
/// ```
/// use iotsec::core::crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign};
/// use iotsec::core::{hal::UnixTime, secret::Secret};
/// use iotsec::erase::{Erased, Reason, ReceiptError, Scope};
///
/// let identity = Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]));
/// let erased = Erased {
///     reason: Reason::Reset,
///     scope: Scope::User,
///     erasures: 1,
///     values: 5,
///     scrubbed: true,
///     boot: 12,
///     uptime: None,
///     time: Some(UnixTime(1_790_000_000)),
///     nonce: Some(b"a fresh number"),
/// };
/// let mut out = [0; Erased::MAX_LEN];
/// let receipt = erased.sign(&identity, &mut Sha256::new(), &mut out)?;
///
/// let key = Ed25519PublicKey::from_bytes(identity.public_key())?;
/// let checked = Erased::verify(receipt, &key, Some(b"a fresh number"), &mut Sha256::new())?;
/// assert_eq!(checked.erased(), &erased);
///
/// let other = Erased::verify(receipt, &key, Some(b"another number"), &mut Sha256::new());
/// assert_eq!(other.err(), Some(ReceiptError::Nonce));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Erased<'a> {
    /// Why.
    pub reason: Reason,
    /// What.
    pub scope: Scope<'a>,
    /// How often this device has erased its owner's data, this time included: from 1, and never lower than before.
    pub erasures: u32,
    /// Values that were erased.
    pub values: u32,
    /// Whether even the ciphertext was gone from flash when this was signed. Never at [`Reason::Retirement`].
    pub scrubbed: bool,
    /// The boot in which it was erased, as the device counts its boots.
    pub boot: u32,
    /// When in that boot.
    pub uptime: Option<Millis>,
    /// When, if the device had a clock that it trusts.
    pub time: Option<UnixTime>,
    /// What the requester gave, to know that this was signed for him: 8 to 64 bytes.
    pub nonce: Option<&'a [u8]>,
}

/// A receipt whose signature was checked. Only [`Erased::verify`] makes one.
///
/// It proves that the device with that key said so. It does not prove what nobody but the device can know: that its
/// firmware does what it says.
#[derive(Clone, Copy, Debug)]
pub struct ErasedReceipt<'a> {
    erased: Erased<'a>,
    device: &'a [u8; DIGEST_LEN],
}

impl<'a> ErasedReceipt<'a> {
    /// What it says.
    pub const fn erased(&self) -> &Erased<'a> {
        &self.erased
    }

    /// The thumbprint of the device's identity key (RFC 9679).
    pub const fn device(&self) -> &'a [u8; DIGEST_LEN] {
        self.device
    }
}

impl<'a> Erased<'a> {
    /// Bytes of a receipt at most.
    pub const MAX_LEN: usize = 295;
    /// Lengths that a nonce may have, in bytes.
    pub const NONCE_LEN: core::ops::RangeInclusive<usize> = 8..=64;
    /// Namespaces in a receipt at most.
    pub const MAX_NAMESPACES: usize = 32;

    /// Signs the receipt with the device's identity key, Ed25519 or P-256. `out` has [`MAX_LEN`](Self::MAX_LEN)
    /// bytes.
    ///
    /// # Errors
    /// [`ReceiptError::Content`] for what a receipt cannot say, [`ReceiptError::NonceLength`], [`ReceiptError::Key`];
    /// [`ReceiptError::Cose`] when `out` is too small or the key fails.
    pub fn sign<'o>(
        &self,
        key: &dyn Sign,
        hash: &mut dyn Digest,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], ReceiptError> {
        self.check()?;
        let device = device(key.key_type(), key.public_key(), hash)?;
        let mut payload = [0; MAX_PAYLOAD];
        let payload = self.write(&device, &mut payload)?;
        let builder = Sign1Builder::new().content_type(ContentType::Media(CONTENT_TYPE));
        Ok(builder.sign(key, payload, DOMAIN, &mut [0; SCRATCH], out)?)
    }

    /// Checks a receipt under the key of the device that it is expected from. With `nonce`, it must have been signed
    /// for just that; without, it may be a copy of any age.
    ///
    /// Bytes of any kind are safe to give, and each receipt has one encoding only.
    ///
    /// # Errors
    /// [`ReceiptError`] says what is wrong; nothing of it is to be believed then.
    pub fn verify(
        bytes: &'a [u8],
        key: &dyn Verify,
        nonce: Option<&[u8]>,
        hash: &mut dyn Digest,
    ) -> Result<ErasedReceipt<'a>, ReceiptError> {
        let expected = device(key.key_type(), key.public_key(), hash)?;
        if !Sign1::has_only(bytes, &LIMITS, key.key_type(), CONTENT_TYPE)? {
            return Err(ReceiptError::Headers);
        }
        let verified = Sign1::parse(bytes, &LIMITS)?.verify(key, DOMAIN, &mut [0; SCRATCH])?;
        let receipt = Self::read(verified.payload())?;
        if *receipt.device != expected {
            return Err(ReceiptError::Device);
        }
        if nonce.is_some() && receipt.erased.nonce != nonce {
            return Err(ReceiptError::Nonce);
        }
        Ok(receipt)
    }

    /// What holds for the content, whoever writes it.
    fn check(&self) -> Result<(), ReceiptError> {
        let fits = match self.scope {
            Scope::User => matches!(self.reason, Reason::Reset | Reason::Transfer),
            Scope::Device => self.reason == Reason::Retirement && !self.scrubbed,
            Scope::Namespaces(list) => {
                let ascending = list.is_sorted_by(|a, b| a < b);
                self.reason == Reason::Request
                    && ascending
                    && (1..=Self::MAX_NAMESPACES).contains(&list.len())
            }
        };
        if !fits || self.erasures == 0 {
            return Err(ReceiptError::Content);
        }
        match self.nonce {
            Some(nonce) if !Self::NONCE_LEN.contains(&nonce.len()) => Err(ReceiptError::NonceLength),
            _ => Ok(()),
        }
    }

    fn write<'o>(&self, device: &[u8; DIGEST_LEN], out: &'o mut [u8]) -> Result<&'o [u8], CborError> {
        let optional = [self.uptime.is_some(), self.time.is_some(), self.nonce.is_some()];
        let optional = optional.into_iter().map(u64::from);
        let mut writer = Writer::new(out);
        writer.map(optional.fold(8, u64::saturating_add))?;
        writer.int(LABEL_VERSION.into())?.uint(VERSION)?;
        writer
            .int(LABEL_REASON.into())?
            .uint(self.reason.number().into())?;
        writer.int(LABEL_SCOPE.into())?;
        match self.scope {
            Scope::User => writer.uint(1)?,
            Scope::Device => writer.uint(2)?,
            Scope::Namespaces(list) => writer.bytes(list)?,
        };
        writer.int(LABEL_ERASURES.into())?.uint(self.erasures.into())?;
        writer.int(LABEL_VALUES.into())?.uint(self.values.into())?;
        writer.int(LABEL_SCRUBBED.into())?.bool(self.scrubbed)?;
        writer.int(LABEL_BOOT.into())?.uint(self.boot.into())?;
        if let Some(Millis(uptime)) = self.uptime {
            writer.int(LABEL_UPTIME.into())?.uint(uptime)?;
        }
        if let Some(UnixTime(time)) = self.time {
            writer.int(LABEL_TIME.into())?.uint(time)?;
        }
        writer.int(LABEL_DEVICE.into())?.bytes(device)?;
        if let Some(nonce) = self.nonce {
            writer.int(LABEL_NONCE.into())?.bytes(nonce)?;
        }
        writer.finish()
    }

    /// Reads a payload whose signature was checked.
    fn read(payload: &'a [u8]) -> Result<ErasedReceipt<'a>, ReceiptError> {
        let mut reader = Reader::new(payload, &LIMITS)?;
        let count = reader.map()?;
        reader.expect_label(LABEL_VERSION)?;
        if reader.uint()? != VERSION {
            return Err(ReceiptError::Version);
        }
        reader.expect_label(LABEL_REASON)?;
        let reason = Reason::from_number(reader.uint_as()?).ok_or(ReceiptError::Content)?;
        reader.expect_label(LABEL_SCOPE)?;
        let scope = match reader.peek()? {
            Type::Bytes => Scope::Namespaces(reader.bytes()?),
            _ => match reader.uint()? {
                1 => Scope::User,
                2 => Scope::Device,
                _ => return Err(ReceiptError::Content),
            },
        };
        reader.expect_label(LABEL_ERASURES)?;
        let erasures = reader.uint_as()?;
        reader.expect_label(LABEL_VALUES)?;
        let values = reader.uint_as()?;
        reader.expect_label(LABEL_SCRUBBED)?;
        let scrubbed = reader.bool()?;
        reader.expect_label(LABEL_BOOT)?;
        let boot = reader.uint_as()?;
        let uptime = optional(&mut reader, LABEL_UPTIME, |reader| reader.uint().map(Millis))?;
        let time = optional(&mut reader, LABEL_TIME, |reader| reader.uint().map(UnixTime))?;
        reader.expect_label(LABEL_DEVICE)?;
        let device = reader.array_of()?;
        let nonce = optional(&mut reader, LABEL_NONCE, Reader::bytes)?;
        reader.finish()?;
        let read = [uptime.is_some(), time.is_some(), nonce.is_some()];
        if count != read.into_iter().map(u64::from).fold(8, u64::saturating_add) {
            return Err(ReceiptError::Content);
        }
        let erased = Self {
            reason,
            scope,
            erasures,
            values,
            scrubbed,
            boot,
            uptime,
            time,
            nonce,
        };
        erased.check()?;
        Ok(ErasedReceipt { erased, device })
    }
}

iotsec_core::claim! {
    provisions: ["5.11-4"],
    claims: "A device confirms what it erased in a receipt that it signs, of which no bit can be changed",
    code: [Erased::sign],
    tests: [
        "iotsec::iotsec::erase::receipt::tests::what_was_signed_comes_back",
        "iotsec::iotsec::erase::receipt::tests::no_changed_bit_and_no_cut_is_accepted",
    ],
}

/// The thumbprint of a key that signs receipts.
fn device(kind: KeyType, public: &[u8], hash: &mut dyn Digest) -> Result<[u8; DIGEST_LEN], ReceiptError> {
    match (kind, public) {
        (KeyType::Ed25519, public) => {
            let x = public.try_into().map_err(|_| ReceiptError::Key)?;
            Ok(Key::ed25519(x).thumbprint(hash))
        }
        (KeyType::P256, [4, point @ ..]) => match point.as_chunks() {
            ([x, y], []) => Ok(Key::p256(x, y).thumbprint(hash)),
            _ => Err(ReceiptError::Key),
        },
        _ => Err(ReceiptError::Key),
    }
}

fn optional<'a, T>(
    reader: &mut Reader<'a>,
    label: i32,
    read: impl FnOnce(&mut Reader<'a>) -> Result<T, CborError>,
) -> Result<Option<T>, CborError> {
    if reader.clone().label() != Some(label) {
        return Ok(None);
    }
    reader.label();
    read(reader).map(Some)
}

/// Why a receipt was refused, or could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// Not a COSE_Sign1 with a CBOR map in it, or the signature is not of this key.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// Headers that a receipt does not have: it is something else, or was changed.
    #[error("not the headers of a deletion receipt")]
    Headers,
    /// Of a version that this code does not know.
    #[error("deletion receipt of an unknown version")]
    Version,
    /// It says what cannot be, such as a reason that does not fit what was erased.
    #[error("deletion receipt contradicts itself")]
    Content,
    /// It names another device than the one whose key signed it.
    #[error("deletion receipt names another device")]
    Device,
    /// It was not signed for this nonce: it may be an old one.
    #[error("deletion receipt is not for this nonce")]
    Nonce,
    /// A nonce has 8 to 64 bytes.
    #[error("nonce of wrong length")]
    NonceLength,
    /// Neither an Ed25519 nor a P-256 key.
    #[error("type of key that signs no deletion receipts")]
    Key,
}

impl From<CborError> for ReceiptError {
    fn from(error: CborError) -> Self {
        Self::Cose(error.into())
    }
}

impl ErrorCode for ReceiptError {
    fn code(&self) -> u16 {
        match self {
            Self::Cose(error) => error.code(),
            Self::Headers => 6201,
            Self::Version => 6202,
            Self::Content => 6203,
            Self::Device => 6204,
            Self::Nonce => 6205,
            Self::NonceLength => 6206,
            Self::Key => 6207,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Cose(error) => error.fault(),
            Self::NonceLength | Self::Key => Fault::Misuse,
            _ => Fault::Input,
        }
    }
}

#[cfg(all(test, feature = "rustcrypto"))]
mod tests;
