//! What was measured: the record that `iotsec evidence run` signs. `FORMAT.md` has its bytes.
//!
//! It holds what was found and no conclusions: the manifest as it was, which functions the firmware has, how each test
//! ended. Whoever reads it draws the conclusions anew, see [`judgement`](crate::judgement).

mod bytes;

use std::collections::{BTreeMap, BTreeSet};

use iotsec_core::{
    cbor::{DocumentError, Limits, from_slice, to_vec},
    cose::{CoseError, Sign1, Sign1Builder},
    crypto::{SIGNATURE_LEN, Sha256, Sign, Verify},
    error::{ErrorCode, Fault},
};
use iotsec_product::{Finding, Product};
use serde::{Deserialize, Serialize};

use crate::{claims, outcome::Outcome};

/// Bytes of a signed record at most: a manifest may take one MiB, and a record of the SDK lies in that of a product.
pub const MAX_LEN: usize = 4 * 1024 * 1024;

const VERSION: u8 = 1;
const CONTEXT: &[u8] = b"iotsec evidence record 1";
const LIMITS: Limits = Limits {
    depth: 8,
    items: u16::MAX,
    bytes: 4 * 1024 * 1024,
};
/// Headers and the frame of the signed structure.
const FRAME: usize = 256;

/// What was found, of a product or of the SDK alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    version: u8,
    /// What it is of.
    pub subject: Subject,
    /// SHA-256 of the claims of the SDK that it was made with.
    #[serde(with = "bytes::array")]
    pub claims: [u8; 32],
    /// Functions that claims name, and whether the firmware has them.
    pub functions: BTreeMap<String, bool>,
    /// Test programs that were run.
    pub programs: Vec<Program>,
    /// How each test ended.
    pub tests: BTreeMap<String, Outcome>,
    /// Versions of the tools.
    pub tools: BTreeMap<String, String>,
    /// When it began and ended, in seconds since 1970.
    pub time: (u64, u64),
}

/// What a record is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Subject {
    /// The SDK: a component, whose tests a product inherits.
    Component {
        /// Its version.
        version: String,
    },
    /// A product.
    Product {
        /// The manifest, as it was.
        #[serde(with = "bytes")]
        manifest: Vec<u8>,
        /// The firmware.
        firmware: Firmware,
        /// The signed record of the SDK that it inherits from.
        #[serde(with = "bytes::optional")]
        component: Option<Vec<u8>>,
    },
}

/// The file in which functions were looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Firmware {
    /// Its name, without folders.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    #[serde(with = "bytes::array")]
    pub sha256: [u8; 32],
    /// Whether its debug information names what was inlined.
    pub debugged: bool,
}

/// A test program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The package.
    pub package: String,
    /// The target.
    pub target: String,
    /// Its digest.
    #[serde(with = "bytes::array")]
    pub sha256: [u8; 32],
}

/// Why a record is not taken.
#[derive(Clone, Debug)]
pub enum RecordError {
    /// It is not signed by this key, or no signed record.
    Signature(CoseError),
    /// It is signed and no record.
    Document(DocumentError),
    /// Its version is not known.
    Version(u8),
    /// It was made with the claims of another version of the SDK.
    OtherClaims,
    /// Its manifest is not one that can be read.
    Manifest(Vec<Finding>),
    /// It is of the SDK where that of a product is needed, or the other way round.
    Subject,
    /// There is no record of the SDK in it.
    NothingInherited,
    /// The record of the SDK in it is not taken.
    Inherited(Box<Self>),
    /// Of this test it says another thing than the record of the SDK in it.
    Differs(String),
}

impl std::fmt::Display for RecordError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Signature(cause) => write!(f, "not a record signed by this key: {cause}"),
            Self::Document(cause) => write!(f, "signed, and not a record: {cause}"),
            Self::Version(version) => write!(f, "version {version} of records is not known"),
            Self::OtherClaims => f.write_str("made with the claims of another version of the SDK"),
            Self::Manifest(findings) => {
                write!(f, "its manifest cannot be read: ")?;
                findings.first().map_or(Ok(()), |first| write!(f, "{first}"))
            }
            Self::Subject => {
                f.write_str("a record of the SDK where one of a product is needed, or the other way round")
            }
            Self::NothingInherited => f.write_str("there is no record of the SDK in it"),
            Self::Inherited(cause) => write!(f, "the record of the SDK in it: {cause}"),
            Self::Differs(test) => {
                write!(
                    f,
                    "of `{test}` it says another thing than the record of the SDK in it"
                )
            }
        }
    }
}

impl std::error::Error for RecordError {}

impl RecordError {
    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Signature(_) => {
                "take the file as `iotsec evidence run` wrote it, and the key that it was signed with"
            }
            Self::Document(_) | Self::Version(_) => "read it with the version of the tool that wrote it",
            Self::OtherClaims => "run `iotsec evidence run` anew with this version of the tool",
            Self::Manifest(_) => "read it with the version of the tool that wrote it, or run it anew",
            Self::Subject => {
                "`iotsec evidence run` writes that of a product, `iotsec evidence component` that of the SDK"
            }
            Self::NothingInherited => {
                "run `iotsec evidence run` with --component, or leave --component-key away"
            }
            Self::Inherited(_) => {
                "take the key that the record of the SDK was signed with, and the version of the tool that wrote it"
            }
            Self::Differs(_) => {
                "ask whoever signed it: `iotsec evidence run` takes over what the SDK's record says"
            }
        }
    }
}

impl ErrorCode for RecordError {
    fn code(&self) -> u16 {
        match self {
            Self::Signature(cause) => cause.code(),
            Self::Document(cause) => cause.code(),
            Self::Inherited(cause) => cause.code(),
            Self::Version(_)
            | Self::OtherClaims
            | Self::Manifest(_)
            | Self::Subject
            | Self::NothingInherited
            | Self::Differs(_) => 1020,
        }
    }
    fn fault(&self) -> Fault {
        Fault::Input
    }
}

impl Record {
    /// One in which nothing was found yet. Times are in seconds since 1970.
    pub fn new(subject: Subject, started: u64) -> Self {
        Self {
            version: VERSION,
            subject,
            claims: claims::digest(),
            functions: BTreeMap::new(),
            programs: Vec::new(),
            tests: BTreeMap::new(),
            tools: BTreeMap::new(),
            time: (started, started),
        }
    }

    /// As a COSE_Sign1 (RFC 9052 §4.2).
    ///
    /// # Errors
    /// [`RecordError`] for one that is longer than [`MAX_LEN`], or when the key fails.
    pub fn sign(&self, key: &dyn Sign, kid: Option<&[u8]>) -> Result<Vec<u8>, RecordError> {
        let payload = to_vec(self, &LIMITS).map_err(RecordError::Document)?;
        let frame = FRAME
            .saturating_add(SIGNATURE_LEN)
            .saturating_add(kid.map_or(0, <[u8]>::len));
        let room = payload.len().saturating_add(frame);
        let (mut scratch, mut out) = (vec![0; room], vec![0; room]);
        let builder = kid.map_or_else(Sign1Builder::new, |kid| Sign1Builder::new().kid(kid));
        let signed = builder
            .sign(key, &payload, CONTEXT, &mut scratch, &mut out)
            .map_err(RecordError::Signature)?;
        Ok(signed.to_vec())
    }

    /// Reads a signed record, after its signature is checked.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn verify(signed: &[u8], key: &dyn Verify) -> Result<Self, RecordError> {
        let mut scratch = vec![0; signed.len().min(MAX_LEN).saturating_add(FRAME)];
        let message = Sign1::parse(signed, &LIMITS).map_err(RecordError::Signature)?;
        let verified = message
            .verify(key, CONTEXT, &mut scratch)
            .map_err(RecordError::Signature)?;
        let record: Self = from_slice(verified.payload(), &LIMITS).map_err(RecordError::Document)?;
        if record.version != VERSION {
            return Err(RecordError::Version(record.version));
        }
        Ok(record)
    }

    /// That conclusions can be drawn from it here: it was made with the claims that this program knows.
    ///
    /// # Errors
    /// [`RecordError::OtherClaims`].
    pub fn fits(&self) -> Result<(), RecordError> {
        if self.claims == claims::digest() {
            Ok(())
        } else {
            Err(RecordError::OtherClaims)
        }
    }

    /// The product that it is of, read from the manifest in it.
    ///
    /// # Errors
    /// [`RecordError::Subject`] for one of the SDK, [`RecordError::Manifest`].
    pub fn product(&self) -> Result<Product, RecordError> {
        let Subject::Product { manifest, .. } = &self.subject else {
            return Err(RecordError::Subject);
        };
        Product::parse(manifest).map_err(RecordError::Manifest)
    }

    /// The firmware, where it is of a product.
    pub const fn firmware(&self) -> Option<&Firmware> {
        match &self.subject {
            Subject::Product { firmware, .. } => Some(firmware),
            Subject::Component { .. } => None,
        }
    }

    /// SHA-256 of the manifest, where it is of a product.
    pub fn manifest_sha256(&self) -> Option<[u8; 32]> {
        match &self.subject {
            Subject::Product { manifest, .. } => Some(Sha256::of(&[manifest])),
            Subject::Component { .. } => None,
        }
    }

    /// Takes over how tests ended that were run for another record, and the programs of them. Its own come first.
    pub fn inherit(&mut self, other: &Self) {
        for (name, outcome) in &other.tests {
            self.tests.entry(name.clone()).or_insert_with(|| outcome.clone());
        }
        let known: BTreeSet<(String, String)> = self
            .programs
            .iter()
            .map(|program| (program.package.clone(), program.target.clone()))
            .collect();
        for program in &other.programs {
            if !known.contains(&(program.package.clone(), program.target.clone())) {
                self.programs.push(program.clone());
            }
        }
    }

    /// That it says of the tests of the SDK what the record of the SDK in it says, which `key` signed: whoever
    /// signs for a product cannot change that.
    ///
    /// # Errors
    /// [`RecordError::Inherited`] with the reason why the record in it is not taken;
    /// [`RecordError::NothingInherited`]; [`RecordError::Differs`]; [`RecordError::Subject`].
    pub fn check_inherited(&self, key: &dyn Verify) -> Result<(), RecordError> {
        let Subject::Product { component, .. } = &self.subject else {
            return Err(RecordError::Subject);
        };
        let signed = component.as_ref().ok_or(RecordError::NothingInherited)?;
        let inherited = |cause| RecordError::Inherited(Box::new(cause));
        let component = Self::verify(signed, key).map_err(inherited)?;
        component.fits().map_err(inherited)?;
        if !matches!(component.subject, Subject::Component { .. }) {
            return Err(inherited(RecordError::Subject));
        }
        let other = component
            .tests
            .iter()
            .find(|(name, outcome)| self.outcome(name) != *outcome);
        other.map_or(Ok(()), |(name, _)| Err(RecordError::Differs(name.clone())))
    }

    /// How a test ended; missing, if nothing was found of it.
    pub fn outcome(&self, test: &str) -> &Outcome {
        self.tests.get(test).unwrap_or(&Outcome::Missing)
    }
}
