use super::{Alternative, Alternatives, Assignment, Command, Effect, Sequence};
use crate::{envelope::Limits, error::UpdateError, manifest::Section, payload::RawTransport};

/// Sequences inside one another that can be followed, whatever [`Limits::depth`] says.
pub(crate) const MAX_DEPTH: usize = 4;

/// Reads every command of a section, also those in branches that this device would not take: an unknown
/// command or an effect where none may be must not hide in them.
///
/// `budget` is what is left of [`Limits::commands`].
pub(crate) fn lint(
    commands: Sequence<'_>,
    section: Section,
    components: usize,
    limits: &Limits,
    budget: &mut u16,
) -> Result<(), UpdateError> {
    if components > 1 && !matches!(commands.clone().next()?, Some(Command::Select(_))) {
        return Err(UpdateError::ComponentIndex);
    }
    let mut stack: [Option<Level<'_>>; MAX_DEPTH] = [const { None }; MAX_DEPTH];
    let mut depth = 0usize;
    let mut next = Some(commands);
    loop {
        if let Some(commands) = next.take() {
            if depth >= usize::from(limits.depth) {
                return Err(UpdateError::Depth);
            }
            *stack.get_mut(depth).ok_or(UpdateError::Depth)? = Some(Level {
                commands,
                alternatives: None,
            });
            depth = depth.saturating_add(1);
        }
        let top = depth.checked_sub(1).and_then(|top| stack.get_mut(top));
        let Some(level) = top.and_then(Option::as_mut) else {
            return Ok(());
        };
        if let Some(alternatives) = &mut level.alternatives {
            match alternatives.next()? {
                Some(Alternative::Commands(commands)) => next = Some(commands),
                Some(Alternative::Nil) => {}
                None => level.alternatives = None,
            }
            continue;
        }
        let Some(command) = level.commands.next()? else {
            depth = depth.saturating_sub(1);
            continue;
        };
        *budget = budget.checked_sub(1).ok_or(UpdateError::Commands)?;
        match command {
            Command::Check(_) => {}
            Command::Do(effect) => {
                if !allowed(effect, section) {
                    return Err(UpdateError::CommandMisplaced);
                }
            }
            Command::Select(index) => {
                index.resolve(components)?;
            }
            Command::Set(mut assignments) => {
                while let Some(assignment) = assignments.next()? {
                    check(assignment, components)?;
                }
            }
            Command::Run(commands) => next = Some(commands),
            Command::Try(alternatives) => level.alternatives = Some(alternatives),
        }
    }
}

struct Level<'a> {
    commands: Sequence<'a>,
    /// Of the try-each that is being read.
    alternatives: Option<Alternatives<'a>>,
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

fn check(assignment: Assignment<'_>, components: usize) -> Result<(), UpdateError> {
    match assignment {
        Assignment::Source(source) if source >= components => Err(UpdateError::ComponentIndex),
        Assignment::Chunks(encoded) => RawTransport::check_chunks(encoded),
        Assignment::Encoding(encoded) => RawTransport::check_encoding(encoded),
        _ => Ok(()),
    }
}
