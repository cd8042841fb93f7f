use iotsec_core::{cbor::Reader, crypto::Digest};

use super::{DeviceIdentity, Policy, Purpose, facts::Facts};
use crate::{
    command::{
        Alternative, Command, Condition, Effect, Items, LIMITS, MAX_DEPTH, Parameters, Selection, key,
    },
    digest,
    envelope::Envelope,
    error::UpdateError,
    manifest::{Manifest, Section},
    plan::{MAX_COMPONENTS, Plan, Source},
};

/// Runs sections without side effects, with a stack of fixed size and no recursion.
pub(super) struct Machine<'m, 'a> {
    manifest: &'m Manifest<'a>,
    envelope: &'m Envelope<'a>,
    device: &'m DeviceIdentity<'m>,
    policy: &'m Policy,
    purpose: Purpose,
    hash: &'m mut dyn Digest,

    facts: Facts<'m, 'a>,
    // Of the section that is running.
    section: Section,
    parameters: [Parameters; MAX_COMPONENTS],
    strict_order: bool,
    vendor_checked: bool,
    class_checked: bool,
    /// The error under way is that of a condition, which may be passed over by soft failure.
    is_condition: bool,
    selected: Selection,
    stack: [Frame; MAX_DEPTH],
    depth: usize,
    budget: u16,
}

/// A sequence that is running.
#[derive(Clone, Copy, Debug)]
struct Frame {
    commands: Items,
    body: Body,
    /// The sequence, or the try-each, from its start.
    again: Items,
    /// Of a try-each: the alternatives that were not tried.
    rest: Items,
    soft_failure: bool,
    /// Effects before it began.
    writes: usize,
    /// Components that it is run for, one after the other, and those for which it is not done.
    components: Selection,
    to_do: Selection,
    /// Whether it changed the component index.
    moved: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Section,
    Run,
    Try,
}

impl Frame {
    const NONE: Self = Self {
        commands: Items::NONE,
        body: Body::Section,
        again: Items::NONE,
        rest: Items::NONE,
        soft_failure: false,
        writes: 0,
        components: Selection::NONE,
        to_do: Selection::NONE,
        moved: false,
    };
}

impl<'m, 'a> Machine<'m, 'a> {
    pub(super) fn new(
        manifest: &'m Manifest<'a>,
        envelope: &'m Envelope<'a>,
        device: &'m DeviceIdentity<'m>,
        policy: &'m Policy,
        purpose: Purpose,
        hash: &'m mut dyn Digest,
        plan: &'m mut Plan<'a>,
    ) -> Result<Self, UpdateError> {
        Ok(Self {
            manifest,
            envelope,
            device,
            policy,
            purpose,
            hash,
            facts: Facts::new(plan, device)?,
            section: Section::Shared,
            parameters: [Parameters::NONE; MAX_COMPONENTS],
            strict_order: true,
            vendor_checked: false,
            class_checked: false,
            is_condition: false,
            selected: Selection::NONE,
            stack: [Frame::NONE; MAX_DEPTH],
            depth: 0,
            budget: 0,
        })
    }

    /// Ends the run: the plan is complete.
    pub(super) fn complete(self) -> Result<(), UpdateError> {
        self.facts.complete(self.device, self.purpose)
    }

    /// Runs the shared sequence and then `section`, with all parameters cleared before.
    pub(super) fn run(&mut self, section: Section) -> Result<(), UpdateError> {
        self.section = section;
        self.parameters = [Parameters::NONE; MAX_COMPONENTS];
        self.vendor_checked = false;
        self.class_checked = false;
        self.budget = self.envelope.limits.commands;
        self.run_commands(Section::Shared)?;
        if !self.vendor_checked || !self.class_checked {
            return Err(UpdateError::CompatibilityUnchecked);
        }
        self.run_commands(section)
    }

    #[inline(never)]
    fn run_commands(&mut self, section: Section) -> Result<(), UpdateError> {
        let Some(commands) = self.manifest.commands(section)? else {
            return Ok(());
        };
        let (manifest, components) = (self.manifest, self.manifest.components);
        self.strict_order = true;
        self.deselect();
        self.push(Frame {
            commands,
            writes: self.facts.writes(),
            ..Frame::NONE
        })?;
        while let Some(frame) = self.top() {
            match frame.commands.command(&manifest.root, components)? {
                None => self.succeed()?,
                Some(command) => {
                    self.budget = self.budget.checked_sub(1).ok_or(UpdateError::Commands)?;
                    self.is_condition = false;
                    if let Err(reason) = self.execute(command) {
                        self.fail(reason)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn execute(&mut self, command: Command) -> Result<(), UpdateError> {
        match command {
            Command::Check(condition) => {
                for component in self.selection()? {
                    self.check(condition, component)?;
                }
            }
            Command::Do(effect) => {
                for component in self.selection()? {
                    self.effect(effect, component)?;
                }
            }
            Command::Select(selected) => {
                self.selected = selected;
                for frame in &mut self.stack {
                    frame.moved = true;
                }
            }
            Command::Set(assignments) => self.set(assignments)?,
            Command::Run(again) => {
                self.enter(Frame {
                    commands: again,
                    body: Body::Run,
                    again,
                    ..Frame::NONE
                })?;
            }
            Command::Try(again) => {
                self.enter(Frame {
                    body: Body::Try,
                    again,
                    ..Frame::NONE
                })?;
            }
        }
        Ok(())
    }

    fn set(&mut self, mut assignments: Items) -> Result<(), UpdateError> {
        let manifest = self.manifest;
        while let Some((key, mut value)) = assignments.assignment(&manifest.root, manifest.components)? {
            match key {
                key::STRICT_ORDER => self.strict_order = value.bool()?,
                key::SOFT_FAILURE => match self.top() {
                    Some(frame) if frame.body != Body::Section => frame.soft_failure = value.bool()?,
                    _ => return Err(UpdateError::SoftFailure),
                },
                _ => {
                    for component in self.selection()? {
                        if let Some(parameters) = self.parameters.get_mut(component) {
                            parameters.set(key, value.offset());
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Decides a condition about the device, or demands one about content.
    fn check(&mut self, condition: Condition, component: usize) -> Result<(), UpdateError> {
        let parameters = self.parameters_of(component)?;
        let (computed, digest, size);
        match condition {
            Condition::ImageMatch => {
                let mut reader = self.value(parameters, key::DIGEST)?;
                digest = digest::read(&mut reader.embedded(&LIMITS)?)?;
                let value = parameters.get(key::SIZE, &self.manifest.root);
                size = value.and_then(|mut value| value.uint_as().ok());
            }
            Condition::CheckContent => {
                let content = self.value(parameters, key::CONTENT)?.bytes()?;
                computed = digest::of(self.hash, content);
                (digest, size) = (&computed, size_of(content));
            }
            _ => {
                let decided = self.decide(condition, component, parameters);
                self.is_condition = true;
                decided?;
                self.vendor_checked |= condition == Condition::Vendor;
                self.class_checked |= condition == Condition::Class;
                return Ok(());
            }
        }
        self.require_hard()?;
        self.facts.matched(component, self.section, digest, size)
    }

    /// A condition that depends on the device and on nothing that the manifest does.
    fn decide(
        &self,
        condition: Condition,
        component: usize,
        parameters: &Parameters,
    ) -> Result<(), UpdateError> {
        let (key, otherwise) = match condition {
            Condition::Vendor => (key::VENDOR, UpdateError::WrongVendor),
            Condition::Class => (key::CLASS, UpdateError::WrongClass),
            Condition::Device => (key::DEVICE, UpdateError::WrongDevice),
            Condition::Slot => (key::SLOT, UpdateError::WrongSlot),
            Condition::UseBefore => (key::USE_BEFORE, UpdateError::Expired),
            Condition::Abort => return Err(UpdateError::Aborted),
            // Content is not known yet.
            Condition::ImageMatch | Condition::CheckContent => return Err(UpdateError::SoftMatch),
        };
        let mut value = self.value(parameters, key)?;
        let holds = match condition {
            Condition::Slot => {
                let place = self.device.components.get(self.facts.component(component)?.place);
                place.and_then(|place| place.slot) == Some(value.uint()?)
            }
            Condition::UseBefore => {
                // An expiry date stops an installation. A device that is running does not stop.
                matches!(self.purpose, Purpose::Boot)
                    || self.policy.now.ok_or(UpdateError::TimeUnknown)?.0 < value.uint()?
            }
            _ => {
                let id = match condition {
                    Condition::Vendor => Some(&self.device.vendor),
                    Condition::Class => Some(&self.device.class),
                    _ => self.device.device.as_ref(),
                };
                let wanted = value.bytes()?;
                id.is_some_and(|id| id == wanted)
            }
        };
        if holds { Ok(()) } else { Err(otherwise) }
    }

    fn effect(&mut self, effect: Effect, component: usize) -> Result<(), UpdateError> {
        let parameters = self.parameters_of(component)?;
        let root = &self.manifest.root;
        let source = match effect {
            Effect::Invoke => {
                let arguments = parameters.bytes(key::INVOKE_ARGUMENTS, root);
                return self.facts.invoked(component, arguments);
            }
            Effect::Write => Source::Content(self.value(parameters, key::CONTENT)?.bytes()?),
            Effect::Fetch => {
                let uri = self.value(parameters, key::URI)?.text()?;
                if uri.starts_with('#') {
                    let payload = self.envelope.integrated(uri);
                    Source::Integrated(payload.ok_or(UpdateError::PayloadAbsent)?)
                } else {
                    Source::Uri(uri)
                }
            }
            Effect::Copy => {
                let source = self.value(parameters, key::SOURCE)?.uint_as()?;
                if !self.strict_order {
                    return Err(UpdateError::StrictOrder);
                }
                if source == component {
                    return Err(UpdateError::ComponentIndex);
                }
                let from = self.facts.component(source)?.id;
                Source::Copy { from }
            }
        };
        let fetch_arguments = parameters.bytes(key::FETCH_ARGUMENTS, root);
        let transport = parameters.transport(root);
        self.facts
            .written(component, self.section, source, fetch_arguments, transport)?;
        if let Source::Content(content) = source {
            let digest = digest::of(self.hash, content);
            self.facts.demand(component, &digest, size_of(content))?;
        }
        Ok(())
    }

    /// Refuses a content check whose failure would not end everything. It does when every sequence
    /// around it is hard, or is an alternative after which no other one can succeed.
    fn require_hard(&self) -> Result<(), UpdateError> {
        for frame in self.stack.iter().take(self.depth) {
            if !frame.soft_failure {
                continue;
            }
            let component = { frame.to_do }.next().ok_or(UpdateError::SoftMatch)?;
            if frame.body != Body::Try || !self.must_fail(frame.rest, component)? {
                return Err(UpdateError::SoftMatch);
            }
        }
        Ok(())
    }

    /// Whether none of the alternatives can succeed on this device, which is so when each comes to a
    /// condition about the device that does not hold before it does anything.
    fn must_fail(&self, mut rest: Items, component: usize) -> Result<bool, UpdateError> {
        let (root, components) = (&self.manifest.root, self.manifest.components);
        let mut parameters = *self.parameters_of(component)?;
        loop {
            let mut commands = match rest.alternative(root)? {
                Alternative::Commands(commands) => commands,
                Alternative::Nil => return Ok(false),
                Alternative::None => return Ok(true),
            };
            loop {
                match commands.command(root, components)? {
                    Some(Command::Set(mut assignments)) => {
                        while let Some((key, value)) = assignments.assignment(root, components)? {
                            parameters.set(key, value.offset());
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
    }

    /// Starts a nested sequence, for each selected component in turn.
    fn enter(&mut self, frame: Frame) -> Result<(), UpdateError> {
        let components = self.selection()?;
        self.push(Frame {
            components,
            to_do: components,
            ..frame
        })?;
        self.start()
    }

    /// Starts the nested sequence on top, for the component whose turn it is.
    fn start(&mut self) -> Result<(), UpdateError> {
        let (manifest, writes) = (self.manifest, self.facts.writes());
        let Some(frame) = self.top() else {
            return Ok(());
        };
        frame.writes = writes;
        frame.commands = frame.again;
        // Soft failure is the default in a try-each, and only there (§8.4.8.12).
        frame.soft_failure = frame.body == Body::Try;
        if frame.soft_failure {
            frame.rest = frame.again;
            let Alternative::Commands(first) = frame.rest.alternative(&manifest.root)? else {
                return Err(UpdateError::Sequence);
            };
            frame.commands = first;
        }
        self.selected = frame.to_do.first();
        Ok(())
    }

    /// The running sequence has come to its end: run it for the next component, or go back.
    fn succeed(&mut self) -> Result<(), UpdateError> {
        let Some(frame) = self.top() else {
            return Ok(());
        };
        let _ = frame.to_do.next();
        if frame.to_do != Selection::NONE {
            return self.start();
        }
        let (components, moved) = (frame.components, frame.moved);
        self.depth = self.depth.saturating_sub(1);
        // The standard does not say which component is current after a nested sequence chose another:
        // the manifest has to say it.
        self.selected = components;
        if moved {
            self.deselect();
        }
        Ok(())
    }

    /// A command failed. A condition that did not hold may be passed over.
    fn fail(&mut self, reason: UpdateError) -> Result<(), UpdateError> {
        let (manifest, writes, is_condition) = (self.manifest, self.facts.writes(), self.is_condition);
        let Some(frame) = self.top() else {
            return Err(reason);
        };
        if !is_condition || !frame.soft_failure {
            return Err(reason);
        }
        if frame.body != Body::Try {
            return self.succeed();
        }
        if frame.writes != writes {
            return Err(UpdateError::WriteInFailedAlternative);
        }
        match frame.rest.alternative(&manifest.root)? {
            Alternative::None => Err(reason),
            Alternative::Nil => self.succeed(),
            Alternative::Commands(commands) => {
                frame.commands = commands;
                frame.soft_failure = true;
                self.selected = frame.to_do.first();
                Ok(())
            }
        }
    }

    fn selection(&self) -> Result<Selection, UpdateError> {
        if self.selected == Selection::NONE {
            return Err(UpdateError::ComponentIndex);
        }
        Ok(self.selected)
    }

    /// With one component, it is the current one; with several, none is.
    fn deselect(&mut self) {
        self.selected = match self.manifest.components {
            1 => Selection::FIRST,
            _ => Selection::NONE,
        };
    }

    fn parameters_of(&self, component: usize) -> Result<&Parameters, UpdateError> {
        let parameters = self.parameters.get(component);
        parameters.ok_or(UpdateError::ComponentIndex)
    }

    /// A reader at the value of a parameter.
    fn value(&self, parameters: &Parameters, key: i16) -> Result<Reader<'a>, UpdateError> {
        let value = parameters.get(key, &self.manifest.root);
        value.ok_or(UpdateError::ParameterMissing)
    }

    // Out of line: it is called from everywhere.
    #[inline(never)]
    fn top(&mut self) -> Option<&mut Frame> {
        self.stack.get_mut(self.depth.checked_sub(1)?)
    }

    fn push(&mut self, frame: Frame) -> Result<(), UpdateError> {
        if self.depth >= usize::from(self.envelope.limits.depth) {
            return Err(UpdateError::Depth);
        }
        *self.stack.get_mut(self.depth).ok_or(UpdateError::Depth)? = frame;
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }
}

fn size_of(content: &[u8]) -> Option<u32> {
    u32::try_from(content.len()).ok()
}
