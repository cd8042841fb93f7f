//! The service's receipt: encoding, signing, checking.

use core::fmt;

use iotsec_core::{
    cbor::{CborError, Limits, Reader, Writer},
    cose::{ContentType, Sign1, Sign1Builder},
    crypto::{Digest, KeyType, Sign, Verify},
    hal::{Date, UnixTime},
};

use super::{Request, RequestHash};
use crate::{error::DeletionError, pseudonym::purpose_of, registry::Purpose};

const VERSION: u64 = 1;
/// Keeps this signature apart from every other one of the same key.
const DOMAIN: &[u8] = b"iotsec/telemetry/deleted/v1";
const CONTENT_TYPE: &str = "application/vnd.iotsec.deleted+cbor";

/// Six labels, and values of 1, 34, 1, 9, 5 and 1 bytes, in a map.
const MAX_PAYLOAD: usize = 58;
/// The payload, the protected header, the domain and 16 bytes for what holds them together.
const SCRATCH: usize = 160;
const LIMITS: Limits = Limits {
    depth: 3,
    items: 24,
    bytes: 176,
};
const _: () = assert!(Deleted::MAX_LEN == 176);

/// What a deletion does not reach, as the service says: sentences to show to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Remains(u8);

impl Remains {
    /// Nothing.
    pub const NOTHING: Self = Self(0);
    /// Statistics from reports that carry no identifier.
    pub const AGGREGATED: Self = Self(1);
    /// Backups, until they expire.
    pub const BACKUPS: Self = Self(2);
    /// What the service must keep by law.
    pub const BY_LAW: Self = Self(4);

    const SENTENCES: [(Self, &'static str); 3] = [
        (
            Self::AGGREGATED,
            "Statistics to which this device has added cannot be recalled: nobody can tell what came from it.",
        ),
        (Self::BACKUPS, "Backups still hold it until they expire."),
        (
            Self::BY_LAW,
            "Some of it must be kept by law, and is used for nothing else.",
        ),
    ];

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is among it.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// What remains, in plain words.
    pub fn sentences(self) -> impl Iterator<Item = &'static str> {
        let sentences = Self::SENTENCES.into_iter();
        sentences.filter_map(move |(kind, sentence)| self.has(kind).then_some(sentence))
    }

    fn of(bits: u8) -> Option<Self> {
        (bits < 8).then_some(Self(bits))
    }
}

/// What a service says when it has deleted.
///
/// `Display` shows it to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// The hash of the request.
    pub request: RequestHash,
    /// What the data had been sent for.
    pub purpose: Purpose,
    /// When, by the service's clock.
    pub time: UnixTime,
    /// How many events were deleted.
    pub events: u32,
    /// What the deletion does not reach.
    pub remains: Remains,
}

/// A service's receipt for a request of this device, whose signature was checked. Only [`Deleted::verify`] makes one.
///
/// It proves that the holder of the service's key said so. Whether the service did as it says, no device can know.
#[derive(Debug)]
pub struct Acknowledged {
    deleted: Deleted,
}

impl Acknowledged {
    /// What the service says.
    pub const fn deleted(&self) -> &Deleted {
        &self.deleted
    }
}

impl Deleted {
    /// Bytes of a receipt at most.
    pub const MAX_LEN: usize = 176;

    /// The answer to `request`, at the service.
    pub fn of(
        request: &Request,
        time: UnixTime,
        events: u32,
        remains: Remains,
        hash: &mut dyn Digest,
    ) -> Self {
        Self {
            request: request.hash(hash),
            purpose: request.purpose(),
            time,
            events,
            remains,
        }
    }

    /// Signs the receipt with the service's key, Ed25519 or P-256. `out` has [`MAX_LEN`](Self::MAX_LEN) bytes.
    ///
    /// # Errors
    /// [`DeletionError::Key`]; [`DeletionError::Cose`] when `out` is too small or the key fails.
    pub fn sign<'o>(&self, key: &dyn Sign, out: &'o mut [u8]) -> Result<&'o [u8], DeletionError> {
        check_key(key.key_type())?;
        let mut payload = [0; MAX_PAYLOAD];
        let payload = self.write(&mut payload)?;
        let builder = Sign1Builder::new().content_type(ContentType::Media(CONTENT_TYPE));
        Ok(builder.sign(key, payload, DOMAIN, &mut [0; SCRATCH], out)?)
    }

    /// Checks a receipt under the service's key, which the device was built with or has from its trust bundle, for a
    /// request of this device.
    ///
    /// Bytes of any kind are safe to give, and each receipt has one encoding only.
    ///
    /// # Errors
    /// [`DeletionError`] says what is wrong; nothing of it is to be believed then.
    pub fn verify(
        bytes: &[u8],
        key: &dyn Verify,
        request: &Request,
        hash: &mut dyn Digest,
    ) -> Result<Acknowledged, DeletionError> {
        let deleted = Self::verify_any(bytes, key)?;
        if deleted.request != request.hash(hash) || deleted.purpose != request.purpose() {
            return Err(DeletionError::Request);
        }
        Ok(Acknowledged { deleted })
    }

    /// Checks a receipt for whatever request, as whoever was shown one does. A device asks for
    /// [`verify`](Self::verify).
    ///
    /// # Errors
    /// As [`verify`](Self::verify).
    pub fn verify_any(bytes: &[u8], key: &dyn Verify) -> Result<Self, DeletionError> {
        check_key(key.key_type())?;
        if !Sign1::has_only(bytes, &LIMITS, key.key_type(), CONTENT_TYPE)? {
            return Err(DeletionError::Headers);
        }
        let verified = Sign1::parse(bytes, &LIMITS)?.verify(key, DOMAIN, &mut [0; SCRATCH])?;
        Self::read(verified.payload())
    }

    fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], CborError> {
        let mut writer = Writer::new(out);
        writer.map(6)?.uint(1)?.uint(VERSION)?;
        writer.uint(2)?.bytes(&self.request)?;
        writer.uint(3)?.uint(self.purpose.number().into())?;
        writer.uint(4)?.uint(self.time.0)?;
        writer.uint(5)?.uint(self.events.into())?;
        writer.uint(6)?.uint(self.remains.0.into())?;
        writer.finish()
    }

    /// Reads a payload whose signature was checked.
    fn read(payload: &[u8]) -> Result<Self, DeletionError> {
        let mut reader = Reader::new(payload, &LIMITS)?;
        if reader.map()? != 6 {
            return Err(DeletionError::Content);
        }
        reader.expect_label(1)?;
        if reader.uint()? != VERSION {
            return Err(DeletionError::Version);
        }
        reader.expect_label(2)?;
        let request = *reader.array_of()?;
        reader.expect_label(3)?;
        let purpose = purpose_of(reader.uint_as()?).ok_or(DeletionError::Content)?;
        reader.expect_label(4)?;
        let time = UnixTime(reader.uint()?);
        reader.expect_label(5)?;
        let events = reader.uint_as()?;
        reader.expect_label(6)?;
        let remains = Remains::of(reader.uint_as()?).ok_or(DeletionError::Content)?;
        Ok(Self {
            request,
            purpose,
            time,
            events,
            remains,
        })
    }
}

iotsec_core::claim! {
    provisions: ["5.11-4"],
    claims: "That a service has deleted is believed by its signature over this request alone, and said with what remains",
    code: [Deleted::verify],
    tests: [
        "iotsec-telemetry::iotsec_telemetry::deletion::tests::only_the_service_acknowledges_and_only_this_request",
        "iotsec-telemetry::iotsec_telemetry::deletion::tests::a_receipt_for_people_says_what_remains",
    ],
}

/// For people: what was deleted, when, and what a deletion does not reach.
///
/// ```
/// use iotsec_core::hal::UnixTime;
/// use iotsec_telemetry::{deletion::{Deleted, Remains}, registry::Purpose};
///
/// let deleted = Deleted {
///     request: [0; 32],
///     purpose: Purpose::Usage,
///     time: UnixTime(1_790_000_000),
///     events: 214,
///     remains: Remains::AGGREGATED,
/// };
/// assert_eq!(
///     deleted.to_string(),
///     "The service has deleted 214 events about how the device is used, on 2026-09-21. \
///      Statistics to which this device has added cannot be recalled: nobody can tell what came from it.",
/// );
/// ```
impl fmt::Display for Deleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (events, about) = (self.events, self.purpose.about());
        let unit = if events == 1 { "event" } else { "events" };
        write!(f, "The service has deleted {events} {unit} about {about}")?;
        match Date::of(self.time) {
            Some(date) => write!(f, ", on {date}.")?,
            None => f.write_str(".")?,
        }
        for sentence in self.remains.sentences() {
            write!(f, " {sentence}")?;
        }
        Ok(())
    }
}

fn check_key(key: KeyType) -> Result<(), DeletionError> {
    match key {
        KeyType::Ed25519 | KeyType::P256 => Ok(()),
        _ => Err(DeletionError::Key),
    }
}
