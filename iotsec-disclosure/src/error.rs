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
    /// What should have been made is not what it says.
    #[error("{0} cannot be made")]
    Bug(&'static str),
}

impl DisclosureError {
    /// What to do about it, in one line.
    pub fn remedy(&self) -> String {
        match self {
            Self::Section(_) => "add it: `iotsec doctor` says what belongs there".into(),
            Self::Mud(_) => {
                "correct [surface]: `iotsec surface mud` says what is wrong with which entry".into()
            }
            Self::Bug(_) => "report it to the maintainers".into(),
        }
    }
}
