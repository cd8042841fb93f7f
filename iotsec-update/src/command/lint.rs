use iotsec_core::cbor::Reader;

use super::{Alternative, Command, Effect, Items};
use crate::{envelope::Limits, error::UpdateError, manifest::Section};

/// Sequences inside one another that can be followed, whatever [`Limits::depth`] says.
pub(crate) const MAX_DEPTH: usize = 4;

/// Reads every command of a section, also those in branches that this device would not take: an unknown
/// command or an effect where none may be must not hide in them.
///
/// `budget` is what is left of [`Limits::commands`].
pub(crate) fn lint(
    root: &Reader<'_>,
    commands: Items,
    section: Section,
    components: usize,
    limits: &Limits,
    budget: &mut u16,
) -> Result<(), UpdateError> {
    if components > 1 && !matches!({ commands }.command(root, components)?, Some(Command::Select(_))) {
        return Err(UpdateError::ComponentIndex);
    }
    let mut stack = [Level {
        commands: Items::NONE,
        alternatives: Items::NONE,
    }; MAX_DEPTH];
    let mut depth = 0usize;
    let mut next = Some(commands);
    loop {
        if let Some(commands) = next.take() {
            if depth >= usize::from(limits.depth) {
                return Err(UpdateError::Depth);
            }
            *stack.get_mut(depth).ok_or(UpdateError::Depth)? = Level {
                commands,
                alternatives: Items::NONE,
            };
            depth = depth.saturating_add(1);
        }
        let top = depth.checked_sub(1).and_then(|top| stack.get_mut(top));
        let Some(level) = top else {
            return Ok(());
        };
        match level.alternatives.alternative(root)? {
            Alternative::Commands(commands) => {
                next = Some(commands);
                continue;
            }
            Alternative::Nil | Alternative::None => {}
        }
        let Some(command) = level.commands.command(root, components)? else {
            depth = depth.saturating_sub(1);
            continue;
        };
        *budget = budget.checked_sub(1).ok_or(UpdateError::Commands)?;
        match command {
            Command::Check(_) | Command::Select(_) => {}
            Command::Do(effect) => {
                if !allowed(effect, section) {
                    return Err(UpdateError::CommandMisplaced);
                }
            }
            Command::Set(mut assignments) => while assignments.assignment(root, components)?.is_some() {},
            Command::Run(commands) => next = Some(commands),
            Command::Try(alternatives) => level.alternatives = alternatives,
        }
    }
}

#[derive(Clone, Copy)]
struct Level {
    commands: Items,
    /// Of the try-each that is being read.
    alternatives: Items,
}

/// The shared sequence and validation change nothing; only invocation starts something; a boot does
/// not fetch.
fn allowed(effect: Effect, section: Section) -> bool {
    match section {
        Section::Shared | Section::Validate => false,
        Section::Fetch | Section::Install => effect != Effect::Invoke,
        Section::Load => matches!(effect, Effect::Copy | Effect::Write),
        Section::Invoke => effect == Effect::Invoke,
    }
}
