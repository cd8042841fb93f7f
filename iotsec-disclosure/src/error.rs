//! Why a document cannot be made, and what to do about it.

use iotsec_net::surface::mud::MudError;

/// Why a document cannot be made.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisclosureError {
    /// The manifest lacks a section that the document is made of.
    #[error("the manifest has no [{0}]")]
    Section(&'static str),
    /// The interface table cannot be said in a MUD file.
    #[error("the MUD file cannot be made: {0}")]
    Mud(MudError),
    /// `disclosure.csaf` is no address of a `provider-metadata.json`.
    #[error("disclosure.csaf is no address of a provider-metadata.json")]
    Provider,
    /// The output of cargo is none.
    #[error("the output of cargo {0}")]
    Metadata(String),
    /// There is no such package, or none was named where there are several.
    #[error("{}; there are: {there}", missing(.asked.as_deref()))]
    Package {
        /// What was asked for.
        asked: Option<String>,
        /// Names of the packages of the workspace.
        there: String,
    },
    /// The `Cargo.lock` is none of this build.
    #[error("Cargo.lock {0}")]
    Lock(String),
    /// A release that could be any file.
    #[error("release {0} has no digest")]
    Digest(String),
    /// The image is not the one that the advisory speaks of.
    #[error("the image is not that of release {0}: its digest is another")]
    Image(String),
    /// The bill of materials is none of CycloneDX with a serial number and a firmware.
    #[error("the bill of materials has no serial number or no firmware")]
    Bill,
    /// An advisory, its weakness and the release that it says nothing about.
    #[error("{0} does not say how it stands with {1} in release {2}")]
    Release(String, String, String),
    /// A component that is not in the bill.
    #[error("{0} is not in the bill of materials")]
    Component(String),
    /// A component that is in the bill, and was said not to be.
    #[error("{0} is in the bill of materials, and was said not to be present")]
    Present(String),
    /// A weakness that two advisories speak of.
    #[error("{0} is in two advisories")]
    Twice(String),
    /// What should have been made is not what it says.
    #[error("{0} cannot be made")]
    Bug(&'static str),
}

impl DisclosureError {
    /// What to do about it, in one line.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Section(_) => "add it: `iotsec doctor` says what belongs there",
            Self::Mud(_) => "correct [surface]: RFC 8520 has limits for what the file says",
            Self::Provider => "write csaf = \"https://…/.well-known/csaf/provider-metadata.json\"",
            Self::Metadata(_) => {
                "give the output of `cargo metadata --format-version 1` or `cargo tree` as it is"
            }
            Self::Package { .. } => "say --package and one of these",
            Self::Lock(_) => "take the Cargo.lock that the firmware was built with",
            Self::Digest(_) => "give its image with --firmware, or its sha256 under [[release]]",
            Self::Image(_) => "take the image of that release, or correct the digest under [[release]]",
            Self::Bill => "make it with `iotsec disclose sbom`",
            Self::Release(..) => {
                "add the release to a [[vulnerability.standing]], with affected, not-affected, fixed or under-investigation"
            }
            Self::Component(_) => "correct the package URL, or say justification = \"component-not-present\"",
            Self::Present(_) => "give another justification: the component is there",
            Self::Twice(_) => "say of each weakness once how it stands",
            Self::Bug(_) => "report it to the maintainers",
        }
    }
}

fn missing(asked: Option<&str>) -> String {
    match asked {
        Some(name) => format!("{name} is no package of the workspace"),
        None => "the root of the workspace is no package".into(),
    }
}
