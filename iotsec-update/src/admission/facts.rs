use iotsec_core::crypto::DIGEST_LEN;

use super::{DeviceIdentity, Purpose};
use crate::{
    error::UpdateError,
    manifest::{ComponentId, Section},
    payload::RawTransport,
    plan::{ComponentPlan, Known, Plan, Source},
};

/// SHA-256 of nothing.
const EMPTY: [u8; DIGEST_LEN] = [
    0xE3, 0xB0, 0xC4, 0x42, 0x98, 0xFC, 0x1C, 0x14, 0x9A, 0xFB, 0xF4, 0xC8, 0x99, 0x6F, 0xB9, 0x24, 0x27,
    0xAE, 0x41, 0xE4, 0x64, 0x9B, 0x93, 0x4C, 0xA4, 0x95, 0x99, 0x1B, 0x78, 0x52, 0xB8, 0x55,
];

/// What the sections demand of the components and do to them, put into the plan as it becomes known.
pub(super) struct Facts<'p, 'a> {
    plan: &'p mut Plan<'a>,
    writes: usize,
}

impl<'p, 'a> Facts<'p, 'a> {
    /// About the components of `plan`, of which nothing is known but their names.
    pub(super) fn new(plan: &'p mut Plan<'a>, device: &DeviceIdentity<'_>) -> Result<Self, UpdateError> {
        for component in plan.components_mut() {
            let mut places = device.components.iter();
            let place = places.position(|place| place.id == component.id);
            component.place = place.ok_or(UpdateError::ComponentUnknown)?;
        }
        Ok(Self { plan, writes: 0 })
    }

    /// How many effects there were so far.
    pub(super) const fn writes(&self) -> usize {
        self.writes
    }

    /// The component with this index in the manifest.
    pub(super) fn component(&self, index: usize) -> Result<&ComponentPlan<'a>, UpdateError> {
        let component = self.plan.components().get(index);
        component.ok_or(UpdateError::ComponentIndex)
    }

    /// The component's content must have this digest and size, or the sequence must not go on.
    pub(super) fn matched(
        &mut self,
        index: usize,
        section: Section,
        digest: &[u8; DIGEST_LEN],
        size: Option<u32>,
    ) -> Result<(), UpdateError> {
        let component = self.demand(index, digest, size)?;
        let known = &mut component.known;
        match section {
            Section::Fetch | Section::Install => {
                if known.order != 0 {
                    known.matched_after_install = true;
                } else {
                    known.matched_early = true;
                }
            }
            Section::Validate => known.validated = true,
            Section::Load => known.matched_after_load |= !component.load.is_none(),
            Section::Shared | Section::Invoke => {}
        }
        Ok(())
    }

    /// The component's content is replaced by `source`.
    pub(super) fn written(
        &mut self,
        index: usize,
        section: Section,
        source: Source<'a>,
        fetch_arguments: Option<&'a [u8]>,
        transport: RawTransport<'a>,
    ) -> Result<(), UpdateError> {
        // What was copied must stay what it was until the plan is done.
        let id = self.component(index)?.id;
        if self
            .plan
            .components()
            .iter()
            .any(|other| installs_from(other, id) || loads_from(other, id))
        {
            return Err(UpdateError::WriteOrder);
        }
        self.writes = self.writes.saturating_add(1);
        let order = self.writes;
        let transported = matches!(source, Source::Uri(_) | Source::Integrated(_));
        if !transported && transport != RawTransport::default() {
            return Err(UpdateError::Transport);
        }
        let component = self.component_mut(index)?;
        let known = &mut component.known;
        if section == Section::Load {
            // A boot that overwrites what install wrote could not be repeated.
            if !component.load.is_none() || known.order != 0 || known.validated {
                return Err(UpdateError::WriteOrder);
            }
            component.load = source;
        } else {
            if known.order != 0 || known.matched_early {
                return Err(UpdateError::WriteOrder);
            }
            known.order = order;
            component.source = source;
            component.fetch_arguments = fetch_arguments;
            component.transport = transport;
        }
        Ok(())
    }

    /// A digest and maybe a size that the component's content must have; told twice, they must agree.
    pub(super) fn demand(
        &mut self,
        index: usize,
        digest: &[u8; DIGEST_LEN],
        size: Option<u32>,
    ) -> Result<&mut ComponentPlan<'a>, UpdateError> {
        let component = self.component_mut(index)?;
        let known = &mut component.known;
        if known.digest && component.digest != *digest {
            return Err(UpdateError::DigestConflict);
        }
        if let Some(size) = size {
            if known.size && component.size != size {
                return Err(UpdateError::DigestConflict);
            }
            known.size = true;
            component.size = size;
        }
        known.digest = true;
        component.digest = *digest;
        Ok(component)
    }

    pub(super) fn invoked(&mut self, index: usize, arguments: Option<&'a [u8]>) -> Result<(), UpdateError> {
        self.writes = self.writes.saturating_add(1);
        let component = self.component_mut(index)?;
        component.invoke = true;
        component.invoke_arguments = arguments;
        Ok(())
    }

    /// Checks what can only be told at the end, and leaves in the plan what there is to do: writes in their
    /// order, then what is only validated, loaded or started.
    pub(super) fn complete(self, device: &DeviceIdentity<'_>, purpose: Purpose) -> Result<(), UpdateError> {
        let components = self.plan.components_mut();
        if !components.iter().any(|component| component.known.validated) {
            return Err(UpdateError::NotValidated);
        }
        sort(components);
        let components = self.plan.components_mut();
        let count = components
            .iter()
            .filter(|component| rank(component) < UNTOUCHED)
            .count();
        for index in 0..count {
            let component = self.component(index)?;
            self.check(component)?;
            let size = self.size(component, purpose)?;
            let place = device.components.get(component.place);
            if size > place.map_or(0, |place| place.capacity) {
                return Err(UpdateError::Capacity);
            }
            // Not known of the component itself: it must not tell the size of another one.
            if let Some(component) = self.plan.components_mut().get_mut(index) {
                component.size = size;
            }
        }
        self.plan.count = count;
        for component in self.plan.components_mut() {
            component.known = Known::default();
        }
        Ok(())
    }

    fn check(&self, component: &ComponentPlan<'a>) -> Result<(), UpdateError> {
        let known = &component.known;
        let written = known.order != 0;
        if (written && !known.matched_after_install && !known.validated)
            || (!component.load.is_none() && !known.matched_after_load)
        {
            return Err(UpdateError::WriteUnverified);
        }
        // A component that is only a stop on the way to another one need not be valid at boot.
        let mut others = self.plan.components().iter();
        let is_staging = others.any(|other| {
            other.known.order != 0 && (installs_from(other, component.id) || loads_from(other, component.id))
        });
        let needs_validation = component.invoke || (written && !is_staging);
        if needs_validation && !known.validated && !known.matched_after_load {
            return Err(UpdateError::NotValidated);
        }
        Ok(())
    }

    /// The size of a component. It may be told through another component with the same digest: equal digests
    /// are equal contents.
    fn size(&self, component: &ComponentPlan<'a>, purpose: Purpose) -> Result<u32, UpdateError> {
        if !component.known.digest {
            return Err(UpdateError::ParameterMissing);
        }
        let mut same = self.plan.components().iter();
        let told = if component.known.size {
            Some(component)
        } else {
            same.find(|other| other.known.size && other.digest == component.digest)
        };
        let size = told.ok_or(UpdateError::ImageSize)?.size;
        // A size that was forgotten must not pass for an empty image.
        if size == 0 && component.digest != EMPTY {
            return Err(UpdateError::ImageSize);
        }
        if let Purpose::Install(payload_size) = purpose {
            let payload = payload_size(&component.transport, size)?;
            match component.source {
                Source::Integrated(bytes) if u32::try_from(bytes.len()) != Ok(payload) => {
                    return Err(UpdateError::ImageSize);
                }
                _ => {}
            }
        }
        Ok(size)
    }

    fn component_mut(&mut self, index: usize) -> Result<&mut ComponentPlan<'a>, UpdateError> {
        let component = self.plan.components_mut().get_mut(index);
        component.ok_or(UpdateError::ComponentIndex)
    }
}

/// Whether what install puts into the component comes from the one called `id`.
fn installs_from(component: &ComponentPlan<'_>, id: ComponentId<'_>) -> bool {
    matches!(component.source, Source::Copy { from } if from == id)
}

/// Whether what load puts into the component comes from the one called `id`.
fn loads_from(component: &ComponentPlan<'_>, id: ComponentId<'_>) -> bool {
    matches!(component.load, Source::Copy { from } if from == id)
}

/// The rank of a component with which there is nothing to do.
const UNTOUCHED: usize = usize::MAX;

/// Where a component belongs in the plan.
fn rank(component: &ComponentPlan<'_>) -> usize {
    match component.known.order {
        0 if component.known.digest || !component.load.is_none() || component.invoke => UNTOUCHED - 1,
        0 => UNTOUCHED,
        order => order,
    }
}

/// By rank; equals stay in their order.
fn sort(mut components: &mut [ComponentPlan<'_>]) {
    while let [_, .., _] = components {
        // The last of the lowest rank bubbles up; there are eight of them at most.
        let mut last = components.len();
        while let Some([a, b]) = last
            .checked_sub(2)
            .and_then(|from| components.get_mut(from..last))
        {
            if rank(b) < rank(a) {
                core::mem::swap(a, b);
            }
            last = last.saturating_sub(1);
        }
        components = components.split_first_mut().map_or(&mut [], |(_, rest)| rest);
    }
}
