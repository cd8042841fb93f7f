//! The outcome of an update, signed, for whoever sent it (draft-ietf-suit-report-19).
//!
//! ```text
//! SUIT_Report = { ? 2 => nonce: bstr,
//!                 3 => [* [[], section: int, offset: uint, component: uint, {* parameter}]
//!                       / {0 => component-id, 3 => SUIT_Digest, 14 => size}],
//!                 4 => true / {5 => code: int, 6 => record, 7 => reason: 0..12},
//!                 99 => [reference-uri: tstr, SUIT_Digest] }
//! ```
//!
//! It travels in a COSE_Sign1 under a key of the device, so a server learns which device says so and
//! that nobody on the way made it up. The *code* is the stable number of the error; the *reason* is the
//! draft's coarse sorting of it, which other makers' servers understand.
//!
//! Power loss: nothing is stored. A report can be made anew from what the
//! [`Updater`](crate::Updater) says after every reset.

mod reason;
#[cfg(test)]
mod tests;

use iotsec_core::{
    cbor::{self, CborError, Reader, Writer},
    cose::{CoseError, Sign1, Sign1Builder},
    crypto::{DIGEST_LEN, Sign, Verify},
    error::{ErrorCode, Fault},
};

use crate::{digest, error::UpdateError, manifest::ComponentId};
pub use reason::Reason;

/// What became of one manifest.
///
/// ```
/// use iotsec_core::{
///     crypto::{Ed25519PublicKey, Ed25519SigningKey, Sign},
///     secret::Secret,
/// };
/// use iotsec_update::report::{Failure, Outcome, Reason, Report, verify};
///
/// let report = Report {
///     reference_uri: "https://fw.example/m",
///     manifest_digest: &[7; 32],
///     nonce: Some(b"asked by the server"),
///     measured: &[],
///     outcome: Outcome::Failed(Failure::of(2709)),
/// };
/// let device = Ed25519SigningKey::from_seed(&Secret::from_bytes([3; 32]));
/// let (mut scratch, mut out) = ([0; 512], [0; 512]);
/// let message = report.sign(&device, Some(b"device-0001"), &mut scratch, &mut out)?;
///
/// // At the server:
/// let public = Ed25519PublicKey::from_bytes(device.public_key())?;
/// let mut scratch = [0; 512];
/// let received = verify(message, &public, &mut scratch)?;
/// assert_eq!(received.manifest_digest, &[7; 32]);
/// let Outcome::Failed(failure) = received.outcome else { panic!() };
/// assert_eq!((failure.code, failure.reason), (2709, Reason::OperationFailed));
/// # Ok::<(), iotsec_update::report::ReportError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// Where the manifest says it can be found; empty when it does not say.
    pub reference_uri: &'a str,
    /// SHA-256 of the manifest, as it was signed.
    pub manifest_digest: &'a [u8; DIGEST_LEN],
    /// What the server asked with, if it did: makes an old report useless.
    pub nonce: Option<&'a [u8]>,
    /// What was found in the components.
    pub measured: &'a [Measured<'a>],
    /// How it ended.
    pub outcome: Outcome,
}

/// The content of one component, as it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured<'a> {
    /// Which component.
    pub id: ComponentId<'a>,
    /// SHA-256 of its content.
    pub digest: [u8; DIGEST_LEN],
    /// Bytes of its content.
    pub size: u32,
}

/// How an update ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is installed and accepted.
    Done,
    /// It is not.
    Failed(Failure),
}

/// Why an update is not installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The number of the error, as [`ErrorCode::code`] and
    /// [`Updater::cause`](crate::Updater::cause) give it.
    pub code: u16,
    /// The draft's sorting of it.
    pub reason: Reason,
    /// The key of the section that was processed: 7 validate, 20 install, ...
    pub section: u8,
    /// The component that was processed.
    pub component: u8,
}

impl Failure {
    /// What an error number stands for.
    pub const fn of(code: u16) -> Self {
        let reason = Reason::of(code);
        Self {
            code,
            reason,
            section: match reason {
                // Found by the boot loader, or on trial.
                Reason::InvokePending => 9,
                _ if code >= 2800 && code < 2900 => 7,
                _ => 20,
            },
            component: 0,
        }
    }
}

const NONCE: i64 = 2;
const RECORDS: i64 = 3;
const RESULT: i64 = 4;
const CODE: i64 = 5;
const RECORD: i64 = 6;
const REASON: i64 = 7;
const REFERENCE: i64 = 99;

impl Report<'_> {
    /// Signs the report with a key of the device.
    ///
    /// `scratch` holds the report twice: 256 bytes, the URI, the nonce and 64 bytes for each measured
    /// component, times two, are enough; `out` takes half of that and 128 bytes.
    ///
    /// # Errors
    /// [`ReportError::Encoding`] for a buffer that is too small, [`ReportError::Cose`] when the key fails.
    pub fn sign<'o>(
        &self,
        key: &dyn Sign,
        kid: Option<&[u8]>,
        scratch: &mut [u8],
        out: &'o mut [u8],
    ) -> Result<&'o [u8], ReportError> {
        let half = scratch.len() / 2;
        let (payload, scratch) = scratch.split_at_mut_checked(half).unwrap_or_default();
        let mut writer = Writer::new(payload);
        self.write(&mut writer)?;
        let payload = writer.finish()?;
        let builder = match kid {
            Some(kid) => Sign1Builder::new().kid(kid),
            None => Sign1Builder::new(),
        };
        Ok(builder.sign(key, payload, b"", scratch, out)?)
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), CborError> {
        writer.map(if self.nonce.is_some() { 4 } else { 3 })?;
        if let Some(nonce) = self.nonce {
            writer.int(NONCE)?.bytes(nonce)?;
        }
        let measured = u64::try_from(self.measured.len()).unwrap_or(u64::MAX);
        writer.int(RECORDS)?.array(measured)?;
        for component in self.measured {
            writer.map(3)?.uint(0)?.raw(component.id.encoded())?;
            writer
                .uint(3)?
                .embedded(|inner| digest::write(inner, &component.digest))?;
            writer.uint(14)?.uint(component.size.into())?;
        }
        writer.int(RESULT)?;
        match self.outcome {
            Outcome::Done => {
                writer.bool(true)?;
            }
            Outcome::Failed(failure) => {
                writer.map(3)?.int(CODE)?.uint(failure.code.into())?;
                // The manifest itself, the section from its beginning, no parameters.
                writer.int(RECORD)?.array(5)?.array(0)?;
                writer.uint(failure.section.into())?.uint(0)?;
                writer.uint(failure.component.into())?.map(0)?;
                writer.int(REASON)?.uint(failure.reason.number().into())?;
            }
        }
        writer.int(REFERENCE)?.array(2)?.text(self.reference_uri)?;
        digest::write(writer, self.manifest_digest)
    }
}

/// A report that was read, with its measured components still encoded.
#[derive(Clone, Debug)]
pub struct Received<'a> {
    /// Where the manifest says it can be found.
    pub reference_uri: &'a str,
    /// SHA-256 of the manifest.
    pub manifest_digest: &'a [u8; DIGEST_LEN],
    /// What it answers.
    pub nonce: Option<&'a [u8]>,
    /// How it ended.
    pub outcome: Outcome,
    records: Reader<'a>,
    count: u64,
}

/// Checks the device's signature and reads the report, for hosts.
///
/// Whether the nonce is the one that was asked with is for the caller to compare. `scratch` holds as many
/// bytes as `message`.
///
/// # Errors
/// [`ReportError`].
pub fn verify<'m>(
    message: &'m [u8],
    key: &dyn Verify,
    scratch: &mut [u8],
) -> Result<Received<'m>, ReportError> {
    let signed = Sign1::parse(message, &LIMITS)?.verify(key, b"", scratch)?;
    let mut reader = Reader::new(signed.payload(), &LIMITS)?;
    let entries = reader.map()?;
    let (mut nonce, mut records, mut outcome, mut reference) = (None, None, None, None);
    for _ in 0..entries {
        match reader.int()? {
            NONCE => nonce = Some(reader.bytes()?),
            RECORDS => {
                let count = reader.array()?;
                records = Some((reader.clone(), count));
                for _ in 0..count {
                    reader.skip()?;
                }
            }
            RESULT => outcome = Some(read_outcome(&mut reader)?),
            REFERENCE => {
                reader.array_len(2)?;
                reference = Some((reader.text()?, digest::read(&mut reader)?));
            }
            _ => return Err(ReportError::Content),
        }
    }
    reader.finish()?;
    match (records, outcome, reference) {
        (Some((records, count)), Some(outcome), Some((reference_uri, manifest_digest))) => Ok(Received {
            reference_uri,
            manifest_digest,
            nonce,
            outcome,
            records,
            count,
        }),
        _ => Err(ReportError::Content),
    }
}

fn read_outcome(reader: &mut Reader<'_>) -> Result<Outcome, ReportError> {
    if reader.peek()? == cbor::Type::Bool {
        return match reader.bool()? {
            true => Ok(Outcome::Done),
            false => Err(ReportError::Content),
        };
    }
    if reader.map()? != 3 || reader.int()? != CODE {
        return Err(ReportError::Content);
    }
    let code = reader.uint_as()?;
    if reader.int()? != RECORD {
        return Err(ReportError::Content);
    }
    reader.array_len(5)?;
    reader.array_len(0)?;
    let (section, _offset) = (reader.uint_as()?, reader.uint()?);
    let component = reader.uint_as()?;
    reader.skip()?;
    if reader.int()? != REASON {
        return Err(ReportError::Content);
    }
    let reason = Reason::from_number(reader.uint_as()?).ok_or(ReportError::Content)?;
    Ok(Outcome::Failed(Failure {
        code,
        reason,
        section,
        component,
    }))
}

impl<'a> Received<'a> {
    /// The next measured component; `None` after the last. Records of failed conditions are passed over.
    ///
    /// # Errors
    /// [`ReportError`] for one that is malformed.
    pub fn next_measured(&mut self) -> Result<Option<Measured<'a>>, ReportError> {
        while let Some(left) = self.count.checked_sub(1) {
            self.count = left;
            if self.records.peek()? != cbor::Type::Map {
                self.records.skip()?;
                continue;
            }
            let reader = &mut self.records;
            if reader.map()? != 3 || reader.uint()? != 0 {
                return Err(ReportError::Content);
            }
            let id = ComponentId::from_encoded(reader.skip()?)?;
            if reader.uint()? != 3 {
                return Err(ReportError::Content);
            }
            let digest = *digest::read(&mut reader.embedded(&LIMITS)?)?;
            if reader.uint()? != 14 {
                return Err(ReportError::Content);
            }
            let size = reader.uint_as()?;
            return Ok(Some(Measured { id, digest, size }));
        }
        Ok(None)
    }
}

/// Eight measured components take 90 items.
const LIMITS: cbor::Limits = cbor::Limits {
    depth: 6,
    items: 256,
    bytes: 4096,
};

/// Why a report cannot be made or is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The encoding is at fault, or a buffer too small.
    #[error(transparent)]
    Encoding(#[from] CborError),
    /// The signature or the message around the report is at fault.
    #[error(transparent)]
    Cose(#[from] CoseError),
    /// A digest or component identifier is at fault.
    #[error(transparent)]
    Update(#[from] UpdateError),
    /// An entry is missing, unknown or out of place.
    #[error("not a report of an update")]
    Content,
}

impl From<iotsec_core::crypto::CryptoError> for ReportError {
    fn from(error: iotsec_core::crypto::CryptoError) -> Self {
        Self::Cose(error.into())
    }
}

impl ErrorCode for ReportError {
    fn code(&self) -> u16 {
        match self {
            Self::Encoding(error) => error.code(),
            Self::Cose(error) => error.code(),
            Self::Update(error) => error.code(),
            Self::Content => 2420,
        }
    }

    fn fault(&self) -> Fault {
        match self {
            Self::Encoding(error) => error.fault(),
            Self::Cose(error) => error.fault(),
            Self::Update(error) => error.fault(),
            Self::Content => Fault::Input,
        }
    }
}
