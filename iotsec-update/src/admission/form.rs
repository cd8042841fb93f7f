//! The form of a manifest: what is read of every command, taken or not.

use super::machine::Machine;
use crate::{
    command::{Codes, Items, code},
    error::UpdateError,
    manifest::{Body, Section},
};

impl Machine<'_, '_> {
    /// Reads every command of every section that is here, also those in branches that this device would not take: an
    /// unknown command or an effect where none may be must not hide in them.
    pub(super) fn read_form(&mut self) -> Result<(), UpdateError> {
        self.state.is_form = true;
        self.state.budget = self.envelope.limits.commands;
        for section in [
            Section::Shared,
            Section::Fetch,
            Section::Install,
            Section::Validate,
            Section::Load,
            Section::Invoke,
        ] {
            let mut commands = Items::NONE;
            if self.manifest.commands(section, &mut commands)? == Body::Present {
                self.state.section = section;
                self.run_commands(commands)?;
            }
        }
        self.state.is_form = false;
        Ok(())
    }
}

impl Section {
    /// The effects that it may have. The shared sequence and validation change nothing; only invocation starts
    /// something; a boot does not fetch.
    pub(super) const fn allows(self) -> Codes {
        match self {
            Self::Shared | Self::Validate => Codes::NONE,
            Self::Fetch | Self::Install => Codes::NONE.and(code::WRITE).and(code::FETCH).and(code::COPY),
            Self::Load => Codes::NONE.and(code::WRITE).and(code::COPY),
            Self::Invoke => Codes::NONE.and(code::INVOKE),
        }
    }
}
