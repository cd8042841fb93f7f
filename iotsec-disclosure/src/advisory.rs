//! What a person writes about weaknesses of a product: `advisory.toml`, from which CSAF and VEX are made.
//!
//! One file is one advisory, or one statement that says which releases a weakness does not touch (VEX). A release is a
//! version of the firmware and the digest of its image; of each weakness and release it says whether the one is in the other.

mod check;

use iotsec_product::{
    Finding,
    document::{Document, Kind},
    text::{Digest, Link, Prose, Purl, Text},
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Moment;

/// Its file, as findings name it.
const ADVISORY: Kind = Kind {
    size: "advisory.size",
    text: "advisory.text",
    form: "advisory.form",
    max_len: 256 * 1024,
    smaller: "write an advisory for each matter",
    example: "docs/guides/disclosure.md shows a complete advisory",
    about: "the file is TOML: texts in quotes, times as 2026-12-01T08:30:00Z",
};

/// An advisory that keeps to the rules of CSAF 2.0 and VEX.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Advisory {
    /// How others cite it, such as `ELL-2026-001`.
    pub id: Text,
    /// In one line.
    pub title: Prose,
    /// In a few sentences, for people who own the product.
    pub summary: Prose,
    /// Which kind of document it is.
    #[serde(default)]
    pub profile: Profile,
    /// Whether more is to come.
    #[serde(default)]
    pub status: Status,
    /// The language that it is written in (RFC 5646).
    pub language: Option<Text>,
    /// When it was published and changed, oldest first.
    pub revision: Vec<Revision>,
    /// Versions of the firmware that it speaks of.
    pub release: Vec<Release>,
    /// What is weak.
    pub vulnerability: Vec<Vulnerability>,
}

/// Kinds of documents (CSAF 2.0 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// A security advisory.
    #[default]
    SecurityAdvisory,
    /// A statement on which releases a weakness touches.
    Vex,
}

/// Whether more is to come (CSAF 2.0 §3.2.1.12.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Not for the public.
    Draft,
    /// It will change.
    Interim,
    /// It is not expected to change.
    #[default]
    Final,
}

/// `[[revision]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Revision {
    /// When.
    pub date: Moment,
    /// What was changed.
    pub summary: Prose,
}

/// `[[release]]`: a firmware.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Release {
    /// As the manifest of that release had it.
    pub version: Text,
    /// SHA-256 of its image. That of the release that is made now comes from the image.
    pub sha256: Option<Digest>,
    /// The name of its image.
    pub file: Option<Text>,
    /// Where its bill of materials is published.
    pub sbom: Option<Link>,
}

/// `[[vulnerability]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Vulnerability {
    /// The number of the CVE list.
    pub cve: Option<Text>,
    /// The maker's own number, where there is no other.
    pub number: Option<Text>,
    /// In one line.
    pub title: Option<Prose>,
    /// What an attacker needs, does and gets.
    pub description: Prose,
    /// Which kind of weakness.
    pub cwe: Option<Cwe>,
    /// The base metrics of CVSS 3.1.
    pub cvss: Option<Text>,
    /// The component that it lies in, as the bill of materials names it; without a version for all of them.
    pub component: Option<Purl>,
    /// When the maker learned of it.
    pub discovered: Option<Moment>,
    /// When it was made public first.
    pub released: Option<Moment>,
    /// Where more is written.
    #[serde(default)]
    pub reference: Vec<Reference>,
    /// Who is thanked.
    #[serde(default)]
    pub thanks: Vec<Thanks>,
    /// How it stands with each release.
    pub standing: Vec<Standing>,
}

/// `vulnerability.cwe`: an entry of the list of weaknesses, under its name there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cwe {
    /// Such as `CWE-307`.
    pub id: Text,
    /// Its name, to the letter.
    pub name: Prose,
}

/// `[[vulnerability.reference]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reference {
    /// What is there.
    pub summary: Prose,
    /// Where.
    pub url: Link,
}

/// `[[vulnerability.thanks]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Thanks {
    /// People.
    #[serde(default)]
    pub names: Vec<Text>,
    /// Where they work.
    pub organization: Option<Text>,
}

/// `[[vulnerability.standing]]`: of some releases.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Standing {
    /// Their versions.
    pub releases: Vec<Text>,
    /// How it stands with them.
    pub is: State,
    /// Why they are not affected.
    pub justification: Option<Justification>,
    /// Why they are not affected, in words.
    pub impact: Option<Prose>,
    /// What to do, where they are affected.
    pub action: Option<Prose>,
    /// Which kind of action that is.
    pub remedy: Option<Remedy>,
    /// Where the remedy is.
    pub page: Option<Link>,
}

/// How it stands with a release (VEX).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The weakness is in it, and something is to be done.
    Affected,
    /// It is of no consequence there.
    NotAffected,
    /// It is mended there.
    Fixed,
    /// Nobody knows yet.
    UnderInvestigation,
}

/// Why a release is not affected (CISA, VEX status justifications).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Justification {
    /// The component is not in it.
    ComponentNotPresent,
    /// The component is, the code is not.
    VulnerableCodeNotPresent,
    /// The code is never run.
    VulnerableCodeNotInExecutePath,
    /// No attacker reaches it.
    VulnerableCodeCannotBeControlledByAdversary,
    /// Something else stops the attack, and cannot be switched off.
    InlineMitigationsAlreadyExist,
}

/// What is done about it (CSAF 2.0 §3.2.3.12.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Remedy {
    /// An update.
    VendorFix,
    /// Something that lessens the harm.
    Mitigation,
    /// Something that avoids it.
    Workaround,
    /// Nothing yet.
    NoneAvailable,
    /// Nothing, ever.
    NoFixPlanned,
}

impl Advisory {
    /// Reads and checks the bytes of a file.
    ///
    /// ```
    /// use iotsec_disclosure::advisory::Advisory;
    ///
    /// let file = include_str!("../samples/lock-advisory.toml");
    /// assert_eq!(Advisory::parse(file.as_bytes()).unwrap().id.as_str(), "ELL-2026-001");
    ///
    /// let hasty = file.replace("action = ", "# action = ");
    /// let findings = Advisory::parse(hasty.as_bytes()).unwrap_err();
    /// assert_eq!(findings[0].rule, "advisory.action");
    /// assert!(findings[0].place.is_some());
    /// ```
    ///
    /// # Errors
    /// What is wrong, at least one [`Finding`], with line, column and remedy.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        let document = Document::<Self>::parse(ADVISORY, bytes)?;
        let found = check::check(document.value());
        if found.is_empty() {
            Ok(document.value().clone())
        } else {
            Err(found.into_iter().map(|finding| document.place(finding)).collect())
        }
    }

    /// The release of this version.
    pub fn release(&self, version: &str) -> Option<&Release> {
        self.release.iter().find(|one| one.version.as_str() == version)
    }

    /// When it was published first.
    pub fn published(&self) -> Moment {
        self.revision.first().map_or(Moment::EPOCH, |one| one.date)
    }

    /// When it was changed last.
    pub fn changed(&self) -> Moment {
        self.revision.last().map_or(Moment::EPOCH, |one| one.date)
    }
}

impl Vulnerability {
    /// How it stands with a release, if that is said.
    pub fn standing(&self, version: &str) -> Option<&Standing> {
        self.standing
            .iter()
            .find(|one| one.releases.iter().any(|release| release.as_str() == version))
    }

    /// Its number: of the CVE list, or the maker's own.
    pub fn number(&self) -> &str {
        let number = self.cve.as_ref().or(self.number.as_ref());
        number.map(Text::as_str).unwrap_or_default()
    }
}

/// Names that documents have for the values of an enum.
macro_rules! names {
    ($name:ident, $what:literal: $($variant:ident = $text:literal),+ $(,)?) => {
        impl $name {
            #[doc = $what]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

names!(Profile, "As CSAF names it.": SecurityAdvisory = "csaf_security_advisory", Vex = "csaf_vex");
names!(Status, "As CSAF names it.": Draft = "draft", Interim = "interim", Final = "final");
names!(State, "The list of CSAF that such releases are in.":
    Affected = "known_affected", NotAffected = "known_not_affected", Fixed = "fixed",
    UnderInvestigation = "under_investigation");
names!(Justification, "As VEX names it.":
    ComponentNotPresent = "component_not_present",
    VulnerableCodeNotPresent = "vulnerable_code_not_present",
    VulnerableCodeNotInExecutePath = "vulnerable_code_not_in_execute_path",
    VulnerableCodeCannotBeControlledByAdversary = "vulnerable_code_cannot_be_controlled_by_adversary",
    InlineMitigationsAlreadyExist = "inline_mitigations_already_exist");
names!(Remedy, "As CSAF names it.":
    VendorFix = "vendor_fix", Mitigation = "mitigation", Workaround = "workaround",
    NoneAvailable = "none_available", NoFixPlanned = "no_fix_planned");
