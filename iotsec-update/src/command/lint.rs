use super::{CheckValue, Codes, Command, Items, Way, code};
use crate::{
    envelope::Limits,
    error::UpdateError,
    manifest::{Manifest, Section},
};

/// Sequences inside one another that can be followed, whatever [`Limits::depth`] says.
pub(crate) const MAX_DEPTH: usize = 4;

/// What the form of a manifest is judged by.
pub(crate) struct Form<'m, 'a> {
    pub(crate) manifest: &'m Manifest<'a>,
    pub(crate) limits: &'m Limits,
    pub(crate) check: Option<CheckValue>,
    /// What is left of [`Limits::commands`].
    pub(crate) budget: u16,
}

impl Form<'_, '_> {
    /// Reads every command of a section, also those in branches that this device would not take: an unknown
    /// command or an effect where none may be must not hide in them.
    pub(crate) fn lint(&mut self, section: Section, commands: Items) -> Result<(), UpdateError> {
        let manifest = self.manifest;
        let mut command = Command::NONE;
        if manifest.components > 1 {
            let _ = { commands }.command(manifest, &mut command)?;
            if command.code != code::SELECT {
                return Err(UpdateError::ComponentIndex);
            }
        }
        let mut stack = [Level {
            commands: Items::NONE,
            alternatives: Items::NONE,
        }; MAX_DEPTH];
        let mut depth = 0usize;
        let mut next = Some(commands);
        loop {
            if let Some(commands) = next.take() {
                if depth >= usize::from(self.limits.depth) {
                    return Err(UpdateError::Depth);
                }
                let level = stack.get_mut(depth).ok_or(UpdateError::Depth)?;
                (level.commands, level.alternatives) = (commands, Items::NONE);
                depth = depth.saturating_add(1);
            }
            let Some(level) = stack.get_mut(depth.wrapping_sub(1)) else {
                return Ok(());
            };
            if level.alternatives.way(manifest, &mut command.items)? == Way::Commands {
                next = Some(command.items);
                continue;
            }
            if !level.commands.command(manifest, &mut command)? {
                depth = depth.saturating_sub(1);
                continue;
            }
            self.budget = self.budget.checked_sub(1).ok_or(UpdateError::Commands)?;
            match command.code {
                code::SET => {
                    let mut place = 0;
                    while let Some(parameter) = command.items.assignment(manifest, &mut place)? {
                        if let Some(check) = self.check {
                            check(parameter, manifest.root.seek(place))?;
                        }
                    }
                }
                code::RUN => next = Some(command.items),
                code::TRY => level.alternatives = command.items,
                code if Codes::EFFECTS.have(code) && !section.allows().have(code) => {
                    return Err(UpdateError::CommandMisplaced);
                }
                _ => {}
            }
        }
    }
}

#[derive(Clone, Copy)]
struct Level {
    commands: Items,
    /// Of the try-each that is being read.
    alternatives: Items,
}

impl Section {
    /// The effects that it may have. The shared sequence and validation change nothing; only invocation starts
    /// something; a boot does not fetch.
    const fn allows(self) -> Codes {
        match self {
            Self::Shared | Self::Validate => Codes::NONE,
            Self::Fetch | Self::Install => Codes::NONE.and(code::WRITE).and(code::FETCH).and(code::COPY),
            Self::Load => Codes::NONE.and(code::WRITE).and(code::COPY),
            Self::Invoke => Codes::NONE.and(code::INVOKE),
        }
    }
}
