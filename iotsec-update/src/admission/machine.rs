use iotsec_core::{cbor, crypto::Digest};

use super::{DeviceComponent, DeviceIdentity, Policy, Purpose, facts::Facts};
use crate::{
    command::{
        Alternative, Alternatives, Assignment, Assignments, Command, Condition, Effect, MAX_DEPTH,
        Parameters, Selection, Sequence,
    },
    digest,
    envelope::Envelope,
    error::UpdateError,
    manifest::{Manifest, Section},
    plan::{MAX_COMPONENTS, Source},
};

/// Runs sections without side effects, with a stack of fixed size and no recursion.
pub(super) struct Machine<'m, 'a> {
    manifest: &'m Manifest<'a>,
    envelope: &'m Envelope<'a>,
    device: &'m DeviceIdentity<'m>,
    places: [Option<&'m DeviceComponent<'m>>; MAX_COMPONENTS],
    policy: &'m Policy,
    purpose: Purpose,
    hash: &'m mut dyn Digest,
    cbor: cbor::Limits,

    facts: Facts<'a>,
    // Of the section that is running.
    section: Section,
    parameters: [Parameters<'a>; MAX_COMPONENTS],
    strict_order: bool,
    vendor_checked: bool,
    class_checked: bool,
    selected: Selection,
    stack: [Option<Frame<'a>>; MAX_DEPTH],
    depth: usize,
    budget: u16,
}

/// A sequence that is running.
#[derive(Clone, Debug)]
struct Frame<'a> {
    commands: Sequence<'a>,
    body: Body<'a>,
    soft_failure: bool,
    /// Effects before it began.
    writes: usize,
    /// Components that it is run for, one after the other, and which of them it is now.
    components: Selection,
    turn: usize,
    /// Whether it changed the component index.
    moved: bool,
}

#[derive(Clone, Debug)]
enum Body<'a> {
    Section,
    Run {
        again: Sequence<'a>,
    },
    Try {
        again: Alternatives<'a>,
        rest: Alternatives<'a>,
    },
}

/// How a condition turned out, with the reason when it failed.
type Outcome = Result<(), UpdateError>;

/// What becomes of a sequence after a command.
enum Step {
    Next,
    /// A condition did not hold. Unlike an error, it may be passed over by soft failure.
    Failed(UpdateError),
}

impl<'m, 'a> Machine<'m, 'a> {
    pub(super) fn new(
        manifest: &'m Manifest<'a>,
        envelope: &'m Envelope<'a>,
        device: &'m DeviceIdentity<'m>,
        policy: &'m Policy,
        purpose: Purpose,
        hash: &'m mut dyn Digest,
    ) -> Result<Self, UpdateError> {
        let mut places = [None; MAX_COMPONENTS];
        for (place, id) in places.iter_mut().zip(manifest.components()) {
            let found = device.components.iter().find(|place| place.id == *id);
            *place = Some(found.ok_or(UpdateError::ComponentUnknown)?);
        }
        Ok(Self {
            manifest,
            envelope,
            device,
            places,
            policy,
            purpose,
            hash,
            cbor: envelope.limits.cbor(2),
            facts: Facts::new(),
            section: Section::Shared,
            parameters: [Parameters::default(); MAX_COMPONENTS],
            strict_order: true,
            vendor_checked: false,
            class_checked: false,
            selected: Selection::NONE,
            stack: [const { None }; MAX_DEPTH],
            depth: 0,
            budget: 0,
        })
    }

    pub(super) fn into_facts(self) -> Facts<'a> {
        self.facts
    }

    /// Runs the shared sequence and then `section`, with all parameters cleared before.
    pub(super) fn run(&mut self, section: Section) -> Result<(), UpdateError> {
        self.section = section;
        self.parameters = [Parameters::default(); MAX_COMPONENTS];
        self.vendor_checked = false;
        self.class_checked = false;
        self.budget = self.envelope.limits.commands;
        self.run_commands(Section::Shared)?;
        if !self.vendor_checked || !self.class_checked {
            return Err(UpdateError::CompatibilityUnchecked);
        }
        self.run_commands(section)
    }

    fn run_commands(&mut self, section: Section) -> Result<(), UpdateError> {
        let Some(commands) = self.manifest.commands(section, &self.cbor)? else {
            return Ok(());
        };
        self.strict_order = true;
        self.deselect();
        self.push(Frame {
            commands,
            body: Body::Section,
            soft_failure: false,
            writes: self.facts.writes(),
            components: Selection::NONE,
            turn: 0,
            moved: false,
        })?;
        while let Some(frame) = self.top() {
            match frame.commands.next()? {
                None => self.succeed()?,
                Some(command) => {
                    self.budget = self.budget.checked_sub(1).ok_or(UpdateError::Commands)?;
                    if let Step::Failed(reason) = self.execute(command)? {
                        self.fail(reason)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn execute(&mut self, command: Command<'a>) -> Result<Step, UpdateError> {
        match command {
            Command::Check(condition) => {
                for component in self.selection()?.as_slice() {
                    if let Err(reason) = self.check(condition, *component)? {
                        return Ok(Step::Failed(reason));
                    }
                }
            }
            Command::Do(effect) => {
                for component in self.selection()?.as_slice() {
                    self.effect(effect, *component)?;
                }
            }
            Command::Select(index) => {
                self.selected = index.resolve(self.manifest.components().len())?;
                for frame in self.stack.iter_mut().flatten() {
                    frame.moved = true;
                }
            }
            Command::Set(assignments) => self.set(assignments)?,
            Command::Run(again) => {
                let commands = again.clone();
                self.enter(commands, Body::Run { again }, false)?;
            }
            Command::Try(again) => {
                let mut rest = again.clone();
                let Some(Alternative::Commands(first)) = rest.next()? else {
                    return Err(UpdateError::Sequence);
                };
                // Soft failure is the default in a try-each, and only there (§8.4.8.12).
                self.enter(first, Body::Try { again, rest }, true)?;
            }
        }
        Ok(Step::Next)
    }

    fn set(&mut self, mut assignments: Assignments<'a>) -> Result<(), UpdateError> {
        while let Some(assignment) = assignments.next()? {
            match assignment {
                Assignment::StrictOrder(strict) => self.strict_order = strict,
                Assignment::SoftFailure(soft) => match self.top() {
                    Some(frame) if !matches!(frame.body, Body::Section) => frame.soft_failure = soft,
                    _ => return Err(UpdateError::SoftFailure),
                },
                _ => {
                    for component in self.selection()?.as_slice() {
                        self.parameters
                            .get_mut(*component)
                            .ok_or(UpdateError::ComponentIndex)?
                            .set(assignment);
                    }
                }
            }
        }
        Ok(())
    }

    /// Decides a condition about the device, or demands one about content.
    fn check(&mut self, condition: Condition, component: usize) -> Result<Outcome, UpdateError> {
        let parameters = self.parameters_of(component)?;
        match condition {
            Condition::ImageMatch => {
                let digest = parameters.digest.ok_or(UpdateError::ParameterMissing)?;
                self.require_hard()?;
                self.facts
                    .matched(component, self.section, digest, parameters.size)?;
                Ok(Ok(()))
            }
            Condition::CheckContent => {
                let content = parameters.content.ok_or(UpdateError::ParameterMissing)?;
                self.require_hard()?;
                let (digest, size) = (digest::of(self.hash, content), size_of(content));
                self.facts.matched(component, self.section, &digest, size)?;
                Ok(Ok(()))
            }
            _ => {
                let outcome = self.decide(condition, component, &parameters);
                if outcome.is_ok() {
                    self.vendor_checked |= condition == Condition::Vendor;
                    self.class_checked |= condition == Condition::Class;
                }
                Ok(outcome)
            }
        }
    }

    /// A condition that depends on the device and on nothing that the manifest does.
    fn decide(&self, condition: Condition, component: usize, parameters: &Parameters<'a>) -> Outcome {
        fn same<T: PartialEq>(wanted: Option<T>, have: Option<T>, otherwise: UpdateError) -> Outcome {
            match (wanted, have) {
                (None, _) => Err(UpdateError::ParameterMissing),
                (Some(wanted), Some(have)) if wanted == have => Ok(()),
                _ => Err(otherwise),
            }
        }
        match condition {
            Condition::Vendor => same(
                parameters.vendor,
                Some(&self.device.vendor),
                UpdateError::WrongVendor,
            ),
            Condition::Class => same(
                parameters.class,
                Some(&self.device.class),
                UpdateError::WrongClass,
            ),
            Condition::Device => same(
                parameters.device,
                self.device.device.as_ref(),
                UpdateError::WrongDevice,
            ),
            Condition::Slot => {
                let place = self.places.get(component).copied().flatten();
                same(
                    parameters.slot,
                    place.and_then(|place| place.slot),
                    UpdateError::WrongSlot,
                )
            }
            Condition::UseBefore => self.in_time(parameters.use_before),
            Condition::Abort => Err(UpdateError::Aborted),
            // Content is not known yet.
            Condition::ImageMatch | Condition::CheckContent => Err(UpdateError::SoftMatch),
        }
    }

    fn in_time(&self, use_before: Option<u64>) -> Outcome {
        let last = use_before.ok_or(UpdateError::ParameterMissing)?;
        if self.purpose == Purpose::Boot {
            // An expiry date stops an installation. A device that is running does not stop.
            return Ok(());
        }
        match self.policy.now {
            None => Err(UpdateError::TimeUnknown),
            Some(now) if now.0 < last => Ok(()),
            Some(_) => Err(UpdateError::Expired),
        }
    }

    fn effect(&mut self, effect: Effect, component: usize) -> Result<(), UpdateError> {
        let parameters = self.parameters_of(component)?;
        let source = match effect {
            Effect::Invoke => return self.facts.invoked(component, &parameters),
            Effect::Write => Source::Content(parameters.content.ok_or(UpdateError::ParameterMissing)?),
            Effect::Fetch => {
                let uri = parameters.uri.ok_or(UpdateError::ParameterMissing)?;
                if uri.starts_with('#') {
                    let payload = self.envelope.integrated(uri)?;
                    Source::Integrated(payload.ok_or(UpdateError::PayloadAbsent)?)
                } else {
                    Source::Uri(uri)
                }
            }
            Effect::Copy => {
                let source = parameters.source.ok_or(UpdateError::ParameterMissing)?;
                if !self.strict_order {
                    return Err(UpdateError::StrictOrder);
                }
                let from = self.manifest.components().get(source).copied();
                if source == component {
                    return Err(UpdateError::ComponentIndex);
                }
                Source::Copy {
                    from: from.ok_or(UpdateError::ComponentIndex)?,
                }
            }
        };
        let id = self.manifest.components().get(component);
        self.facts.written(
            component,
            id.copied().ok_or(UpdateError::ComponentIndex)?,
            self.section,
            source,
            &parameters,
        )?;
        if let Source::Content(content) = source {
            let digest = digest::of(self.hash, content);
            self.facts.known(component, &digest, size_of(content))?;
        }
        Ok(())
    }

    /// Refuses a content check whose failure would not end everything. It does when every sequence
    /// around it is hard, or is an alternative after which no other one can succeed.
    fn require_hard(&self) -> Result<(), UpdateError> {
        for frame in self.stack.iter().take(self.depth).flatten() {
            match (&frame.body, frame.components.as_slice().get(frame.turn)) {
                _ if !frame.soft_failure => {}
                (Body::Try { rest, .. }, Some(component)) if self.must_fail(rest.clone(), *component)? => {}
                _ => return Err(UpdateError::SoftMatch),
            }
        }
        Ok(())
    }

    /// Whether none of the alternatives can succeed on this device, which is so when each comes to a
    /// condition about the device that does not hold before it does anything.
    fn must_fail(&self, mut rest: Alternatives<'a>, component: usize) -> Result<bool, UpdateError> {
        let mut parameters = self.parameters_of(component)?;
        while let Some(alternative) = rest.next()? {
            let Alternative::Commands(mut commands) = alternative else {
                return Ok(false);
            };
            loop {
                match commands.next()? {
                    Some(Command::Set(mut assignments)) => {
                        while let Some(assignment) = assignments.next()? {
                            parameters.set(assignment);
                        }
                    }
                    Some(Command::Check(condition))
                        if !matches!(condition, Condition::ImageMatch | Condition::CheckContent) =>
                    {
                        if self.decide(condition, component, &parameters).is_err() {
                            break;
                        }
                    }
                    _ => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    /// Starts a nested sequence, for each selected component in turn.
    fn enter(
        &mut self,
        commands: Sequence<'a>,
        body: Body<'a>,
        soft_failure: bool,
    ) -> Result<(), UpdateError> {
        let components = self.selection()?;
        let first = components.as_slice().first().copied();
        self.selected = Selection::one(first.ok_or(UpdateError::ComponentIndex)?);
        let writes = self.facts.writes();
        self.push(Frame {
            commands,
            body,
            soft_failure,
            writes,
            components,
            turn: 0,
            moved: false,
        })
    }

    /// The running sequence has come to its end: run it for the next component, or go back.
    fn succeed(&mut self) -> Result<(), UpdateError> {
        let writes = self.facts.writes();
        let Some(frame) = self.top() else {
            return Ok(());
        };
        frame.turn = frame.turn.saturating_add(1);
        let next = frame.components.as_slice().get(frame.turn).copied();
        if let Some(next) = next {
            match &mut frame.body {
                Body::Section => {}
                Body::Run { again } => {
                    frame.commands = again.clone();
                    frame.soft_failure = false;
                }
                Body::Try { again, rest } => {
                    *rest = again.clone();
                    let Some(Alternative::Commands(first)) = rest.next()? else {
                        return Err(UpdateError::Sequence);
                    };
                    frame.commands = first;
                    frame.soft_failure = true;
                }
            }
            frame.writes = writes;
            self.selected = Selection::one(next);
            return Ok(());
        }
        let (components, moved) = (frame.components, frame.moved);
        self.pop();
        // The standard does not say which component is current after a nested sequence chose another:
        // the manifest has to say it.
        self.selected = components;
        if moved {
            self.deselect();
        }
        Ok(())
    }

    /// A condition did not hold.
    fn fail(&mut self, reason: UpdateError) -> Result<(), UpdateError> {
        let writes = self.facts.writes();
        let Some(frame) = self.top() else {
            return Err(reason);
        };
        if !frame.soft_failure {
            return Err(reason);
        }
        let component = frame.components.as_slice().get(frame.turn).copied();
        match &mut frame.body {
            Body::Section => Err(reason),
            Body::Run { .. } => self.succeed(),
            Body::Try { rest, .. } => {
                if frame.writes != writes {
                    return Err(UpdateError::WriteInFailedAlternative);
                }
                match rest.next()? {
                    None => Err(reason),
                    Some(Alternative::Nil) => self.succeed(),
                    Some(Alternative::Commands(commands)) => {
                        frame.commands = commands;
                        frame.soft_failure = true;
                        self.selected = Selection::one(component.ok_or(UpdateError::ComponentIndex)?);
                        Ok(())
                    }
                }
            }
        }
    }

    fn selection(&self) -> Result<Selection, UpdateError> {
        if self.selected.as_slice().is_empty() {
            return Err(UpdateError::ComponentIndex);
        }
        Ok(self.selected)
    }

    /// With one component, it is the current one; with several, none is.
    fn deselect(&mut self) {
        self.selected = match self.manifest.components().len() {
            1 => Selection::one(0),
            _ => Selection::NONE,
        };
    }

    fn parameters_of(&self, component: usize) -> Result<Parameters<'a>, UpdateError> {
        let parameters = self.parameters.get(component).copied();
        parameters.ok_or(UpdateError::ComponentIndex)
    }

    fn top(&mut self) -> Option<&mut Frame<'a>> {
        let top = self.depth.checked_sub(1)?;
        self.stack.get_mut(top)?.as_mut()
    }

    fn push(&mut self, frame: Frame<'a>) -> Result<(), UpdateError> {
        if self.depth >= usize::from(self.envelope.limits.depth) {
            return Err(UpdateError::Depth);
        }
        *self.stack.get_mut(self.depth).ok_or(UpdateError::Depth)? = Some(frame);
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    fn pop(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if let Some(place) = self.stack.get_mut(self.depth) {
            *place = None;
        }
    }
}

fn size_of(content: &[u8]) -> Option<u32> {
    u32::try_from(content.len()).ok()
}
