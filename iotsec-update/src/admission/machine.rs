use iotsec_core::{
    cbor::Reader,
    crypto::{DIGEST_LEN, Digest},
    hal::UnixTime,
};

use super::{DeviceIdentity, Purpose, facts::component};
use crate::{
    command::{Codes, Command, Items, LIMITS, MAX_DEPTH, Parameters, Selection, Way, code, parameter},
    digest,
    envelope::Envelope,
    error::UpdateError,
    manifest::{Manifest, Section},
    plan::{MAX_COMPONENTS, Plan},
};

/// Runs sections without side effects, with a stack of fixed size and no recursion. What they demand of the
/// components and do to them is put into the plan as it becomes known.
pub(super) struct Machine<'m, 'a> {
    pub(super) manifest: &'m Manifest<'a>,
    pub(super) envelope: &'m Envelope<'a>,
    pub(super) device: &'m DeviceIdentity<'m>,
    pub(super) now: Option<UnixTime>,
    pub(super) purpose: Purpose,
    pub(super) hash: &'m mut dyn Digest,
    pub(super) plan: &'m mut Plan<'a>,
    pub(super) state: State,
}

/// Where a run is.
pub(super) struct State {
    /// Effects so far.
    pub(super) writes: usize,
    /// Every command is read, and none has a meaning yet.
    pub(super) is_form: bool,
    // Of the section that is running.
    pub(super) section: Section,
    pub(super) parameters: [Parameters; MAX_COMPONENTS],
    pub(super) strict_order: bool,
    /// The conditions about the device that held.
    held: Codes,
    /// The error under way is that of a condition, which may be passed over by soft failure.
    is_condition: bool,
    selected: Selection,
    /// How often other components were selected.
    moves: u16,
    stack: [Frame; MAX_DEPTH],
    depth: usize,
    pub(super) budget: u16,
}

impl State {
    pub(super) const NEW: Self = Self {
        writes: 0,
        is_form: false,
        section: Section::Shared,
        parameters: [Parameters::NONE; MAX_COMPONENTS],
        strict_order: false,
        held: Codes::NONE,
        is_condition: false,
        selected: Selection::NONE,
        moves: 0,
        stack: [Frame::NONE; MAX_DEPTH],
        depth: 0,
        budget: 0,
    };
}

/// A sequence that is running.
#[derive(Clone, Copy, Debug)]
struct Frame {
    body: Body,
    commands: Items,
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
    /// [`State::moves`] before it began.
    moves: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Section,
    Run,
    Try,
}

impl Frame {
    const NONE: Self = Self {
        body: Body::Section,
        commands: Items::NONE,
        again: Items::NONE,
        rest: Items::NONE,
        soft_failure: false,
        writes: 0,
        components: Selection::NONE,
        to_do: Selection::NONE,
        moves: 0,
    };
}

impl<'a> Machine<'_, 'a> {
    /// Runs the shared sequence and then `section`, with all parameters cleared before.
    pub(super) fn run(&mut self, section: Section, commands: Items) -> Result<(), UpdateError> {
        let state = &mut self.state;
        state.section = section;
        state.parameters = [Parameters::NONE; MAX_COMPONENTS];
        state.held = Codes::NONE;
        state.budget = self.envelope.limits.commands;
        let mut shared = Items::NONE;
        self.manifest.commands(Section::Shared, &mut shared)?;
        self.run_commands(shared)?;
        if !self.state.held.have(code::VENDOR) || !self.state.held.have(code::CLASS) {
            return Err(UpdateError::CompatibilityUnchecked);
        }
        self.run_commands(commands)
    }

    #[inline(never)]
    pub(super) fn run_commands(&mut self, commands: Items) -> Result<(), UpdateError> {
        let manifest = self.manifest;
        let mut command = Command::NONE;
        self.state.strict_order = true;
        self.deselect();
        self.push(Body::Section, commands)?;
        while let Some(frame) = self.top() {
            if !frame.commands.command(manifest, &mut command)? {
                self.end()?;
                continue;
            }
            self.state.budget = self.state.budget.checked_sub(1).ok_or(UpdateError::Commands)?;
            self.state.is_condition = false;
            if let Err(reason) = self.execute(&command) {
                self.fail(reason)?;
            }
        }
        Ok(())
    }

    fn execute(&mut self, command: &Command) -> Result<(), UpdateError> {
        if command.code == code::SELECT {
            self.state.selected = command.selection;
            self.state.moves = self.state.moves.wrapping_add(1);
            return Ok(());
        }
        if command.code == code::SET && !self.state.is_form {
            return self.set(command.items);
        }
        // With several components, a section begins with the choice of one.
        let selected = self.selection()?;
        match command.code {
            code::SET => self.set(command.items),
            code::RUN => self.push(Body::Run, command.items),
            code::TRY => self.push(Body::Try, command.items),
            code if self.state.is_form => {
                if Codes::EFFECTS.have(code) && !self.state.section.allows().have(code) {
                    return Err(UpdateError::CommandMisplaced);
                }
                Ok(())
            }
            code => {
                for component in selected {
                    self.apply(code, component)?;
                }
                Ok(())
            }
        }
    }

    fn set(&mut self, mut assignments: Items) -> Result<(), UpdateError> {
        let manifest = self.manifest;
        let mut place = 0;
        while let Some(parameter) = assignments.assignment(manifest, &mut place)? {
            let mut value = manifest.root.seek(place);
            if self.state.is_form {
                if let Some(install) = self.purpose.install {
                    (install.check_value)(parameter, value)?;
                }
                continue;
            }
            match parameter {
                parameter::STRICT_ORDER => self.state.strict_order = value.bool()?,
                parameter::SOFT_FAILURE => match self.top() {
                    Some(frame) if frame.body != Body::Section => frame.soft_failure = value.bool()?,
                    _ => return Err(UpdateError::SoftFailure),
                },
                _ => {
                    for component in self.selection()? {
                        if let Some(parameters) = self.state.parameters.get_mut(component) {
                            parameters.set(parameter, place);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Decides a condition about the device, demands one about content, or takes note of an effect.
    #[inline(never)]
    fn apply(&mut self, code: u8, index: usize) -> Result<(), UpdateError> {
        let manifest = self.manifest;
        let parameters = self.state.parameters.get(index);
        let parameters = parameters.ok_or(UpdateError::ComponentIndex)?;
        if Codes::DEVICE.have(code) {
            self.state.is_condition = true;
            self.decide(code, index, parameters)?;
            self.state.held = self.state.held.and(code);
            return Ok(());
        }
        let mut content = None;
        let mut computed = [0; DIGEST_LEN];
        let (mut digest, mut size) = (&computed, None);
        if code == code::IMAGE_MATCH {
            let mut value = value(manifest, parameters, parameter::DIGEST)?;
            digest = digest::read(&mut value.embedded(&LIMITS)?)?;
            let value = parameters.get(parameter::SIZE, &manifest.root);
            size = value.and_then(|mut value| value.uint_as().ok());
        } else if matches!(code, code::CHECK_CONTENT | code::WRITE) {
            let bytes = value(manifest, parameters, parameter::CONTENT)?.bytes()?;
            computed = digest::of(self.hash, bytes);
            (digest, size) = (&computed, u32::try_from(bytes.len()).ok());
            content = Some(bytes);
        }
        if Codes::EFFECTS.have(code) {
            self.state.writes = self.state.writes.saturating_add(1);
            if code == code::INVOKE {
                let arguments = parameters.bytes(parameter::INVOKE_ARGUMENTS, &manifest.root);
                if let Some(component) = component(self.plan, index) {
                    component.invoke = true;
                    component.invoke_arguments = arguments;
                }
            } else if let Some(write) = self.purpose.write {
                write(self, code, index, content)?;
            } else {
                self.plan.loads = true;
            }
            if content.is_none() {
                return Ok(());
            }
        } else {
            self.require_hard()?;
        }
        let component = component(self.plan, index).ok_or(UpdateError::ComponentIndex)?;
        component.demand(digest, size)?;
        if code != code::WRITE {
            component.matched(self.state.section);
        }
        Ok(())
    }

    /// A condition that depends on the device and on nothing that the manifest does.
    #[inline(never)]
    fn decide(&self, code: u8, index: usize, parameters: &Parameters) -> Result<(), UpdateError> {
        let (parameter, otherwise) = match code {
            code::DEVICE => (parameter::DEVICE, UpdateError::WrongDevice),
            code::VENDOR => (parameter::VENDOR, UpdateError::WrongVendor),
            code::CLASS => (parameter::CLASS, UpdateError::WrongClass),
            code::SLOT => (parameter::SLOT, UpdateError::WrongSlot),
            code::USE_BEFORE => (parameter::USE_BEFORE, UpdateError::Expired),
            _ => return Err(UpdateError::Aborted),
        };
        let mut value = value(self.manifest, parameters, parameter)?;
        let device = self.device;
        let id = match code {
            code::SLOT => {
                let place = self.plan.components().get(index).map(|component| component.place);
                let place = place.and_then(|place| device.components.get(place));
                if place.and_then(|place| place.slot) == Some(value.uint()?) {
                    return Ok(());
                }
                None
            }
            code::USE_BEFORE => {
                // An expiry date stops an installation. A device that is running does not stop.
                if self.purpose.install.is_none()
                    || self.now.ok_or(UpdateError::TimeUnknown)?.0 < value.uint()?
                {
                    return Ok(());
                }
                None
            }
            code::VENDOR => Some(&device.vendor),
            code::CLASS => Some(&device.class),
            _ => device.device.as_ref(),
        };
        match id {
            Some(id) if id == value.bytes()? => Ok(()),
            _ => Err(otherwise),
        }
    }

    /// Refuses a content check whose failure would not end everything. It does when every sequence
    /// around it is hard, or is an alternative after which no other one can succeed.
    fn require_hard(&self) -> Result<(), UpdateError> {
        for frame in self.state.stack.iter().take(self.state.depth) {
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
        let manifest = self.manifest;
        let parameters = self.state.parameters.get(component);
        let mut parameters = *parameters.ok_or(UpdateError::ComponentIndex)?;
        let mut command = Command::NONE;
        let mut commands = Items::NONE;
        loop {
            match rest.way(manifest, &mut commands)? {
                Way::Commands => {}
                end => return Ok(end == Way::None),
            }
            loop {
                if !commands.command(manifest, &mut command)? {
                    return Ok(false);
                }
                if command.code == code::SET {
                    let mut place = 0;
                    while let Some(parameter) = command.items.assignment(manifest, &mut place)? {
                        parameters.set(parameter, place);
                    }
                } else if !Codes::DEVICE.have(command.code) {
                    return Ok(false);
                } else if self.decide(command.code, component, &parameters).is_err() {
                    break;
                }
            }
        }
    }

    /// Starts a sequence, if it is nested for each selected component in turn.
    #[inline(never)]
    fn push(&mut self, body: Body, again: Items) -> Result<(), UpdateError> {
        let state = &mut self.state;
        let is_allowed = state.depth < usize::from(self.envelope.limits.depth);
        let frame = state.stack.get_mut(state.depth).filter(|_| is_allowed);
        let frame = frame.ok_or(UpdateError::Depth)?;
        state.depth = state.depth.saturating_add(1);
        frame.body = body;
        frame.again = again;
        frame.components = state.selected;
        frame.to_do = state.selected;
        frame.moves = state.moves;
        self.start()
    }

    /// Starts the sequence on top, for the component whose turn it is.
    #[inline(never)]
    fn start(&mut self) -> Result<(), UpdateError> {
        let writes = self.state.writes;
        let Some(frame) = self.top() else {
            return Ok(());
        };
        frame.writes = writes;
        frame.commands = frame.again;
        frame.soft_failure = false;
        match frame.body {
            Body::Section => Ok(()),
            Body::Run => {
                self.state.selected = frame.to_do.first();
                Ok(())
            }
            Body::Try => {
                frame.rest = frame.again;
                self.try_next(UpdateError::Sequence)
            }
        }
    }

    /// Goes on with the next alternative of the try-each on top, or ends for this reason.
    #[inline(never)]
    fn try_next(&mut self, reason: UpdateError) -> Result<(), UpdateError> {
        let manifest = self.manifest;
        let Some(frame) = self.top() else {
            return Err(reason);
        };
        match frame.rest.way(manifest, &mut frame.commands)? {
            Way::Commands => {}
            Way::Nil => frame.commands = Items::NONE,
            Way::None => return Err(reason),
        }
        // Soft failure is the default in a try-each, and only there (§8.4.8.12).
        frame.soft_failure = true;
        self.state.selected = frame.to_do.first();
        Ok(())
    }

    /// The running sequence has come to its end: run it for the next component, or go back.
    fn end(&mut self) -> Result<(), UpdateError> {
        let (manifest, is_form) = (self.manifest, self.state.is_form);
        let Some(frame) = self.top() else {
            return Ok(());
        };
        if is_form {
            let is_left =
                frame.body == Body::Try && frame.rest.way(manifest, &mut frame.commands)? == Way::Commands;
            if !is_left {
                self.state.depth = self.state.depth.saturating_sub(1);
            }
            return Ok(());
        }
        let _ = frame.to_do.next();
        if frame.to_do != Selection::NONE {
            return self.start();
        }
        let (components, moves) = (frame.components, frame.moves);
        let state = &mut self.state;
        state.depth = state.depth.saturating_sub(1);
        // The standard does not say which component is current after a nested sequence chose another:
        // the manifest has to say it.
        state.selected = components;
        if moves != state.moves {
            self.deselect();
        }
        Ok(())
    }

    /// A command failed. A condition that did not hold may be passed over.
    fn fail(&mut self, reason: UpdateError) -> Result<(), UpdateError> {
        let (writes, is_condition) = (self.state.writes, self.state.is_condition);
        let Some(frame) = self.top() else {
            return Err(reason);
        };
        if !is_condition || !frame.soft_failure {
            return Err(reason);
        }
        if frame.body != Body::Try {
            frame.commands = Items::NONE;
            return Ok(());
        }
        if frame.writes != writes {
            return Err(UpdateError::WriteInFailedAlternative);
        }
        self.try_next(reason)
    }

    fn selection(&self) -> Result<Selection, UpdateError> {
        if self.state.selected == Selection::NONE {
            return Err(UpdateError::ComponentIndex);
        }
        Ok(self.state.selected)
    }

    /// With one component, it is the current one; with several, none is.
    fn deselect(&mut self) {
        self.state.selected = match self.manifest.components {
            1 => Selection::FIRST,
            _ => Selection::NONE,
        };
    }

    // Out of line: it is called from everywhere.
    #[inline(never)]
    fn top(&mut self) -> Option<&mut Frame> {
        let state = &mut self.state;
        state.stack.get_mut(state.depth.checked_sub(1)?)
    }
}

/// A reader at the value of a parameter.
pub(super) fn value<'a>(
    manifest: &Manifest<'a>,
    parameters: &Parameters,
    parameter: u8,
) -> Result<Reader<'a>, UpdateError> {
    let value = parameters.get(parameter, &manifest.root);
    value.ok_or(UpdateError::ParameterMissing)
}
