use iotsec_core::crypto::DIGEST_LEN;

use super::{DeviceIdentity, Purpose};
use crate::{
    error::UpdateError,
    manifest::Section,
    plan::{ComponentPlan, Plan, Source},
};

/// SHA-256 of nothing.
const EMPTY: [u8; DIGEST_LEN] = [
    0xE3, 0xB0, 0xC4, 0x42, 0x98, 0xFC, 0x1C, 0x14, 0x9A, 0xFB, 0xF4, 0xC8, 0x99, 0x6F, 0xB9, 0x24, 0x27,
    0xAE, 0x41, 0xE4, 0x64, 0x9B, 0x93, 0x4C, 0xA4, 0x95, 0x99, 0x1B, 0x78, 0x52, 0xB8, 0x55,
];

/// Finds the components of a plan on this device. Nothing is known of them but their names.
pub(super) fn place(plan: &mut Plan<'_>, device: &DeviceIdentity<'_>) -> Result<(), UpdateError> {
    for component in plan.components_mut() {
        let mut places = device.components.iter();
        let place = places.position(|place| place.id == component.id);
        component.place = place.ok_or(UpdateError::ComponentUnknown)?;
    }
    Ok(())
}

/// The component with this index in the manifest.
// Out of line: it is called from everywhere.
#[inline(never)]
pub(super) fn component<'p, 'a>(plan: &'p mut Plan<'a>, index: usize) -> Option<&'p mut ComponentPlan<'a>> {
    plan.components_mut().get_mut(index)
}

impl<'a> ComponentPlan<'a> {
    /// The content had the digest and the size that were demanded, or the sequence did not go on.
    pub(super) fn matched(&mut self, section: Section) {
        let known = &mut self.known;
        match section {
            Section::Fetch | Section::Install => {
                if known.order != 0 {
                    known.matched_after_install = true;
                } else {
                    known.matched_early = true;
                }
            }
            Section::Validate => known.validated = true,
            Section::Load => known.matched_after_load |= !self.load.is_none(),
            Section::Shared | Section::Invoke => {}
        }
    }

    /// The content is replaced by `source`, by the effect that comes `order`th.
    pub(super) fn written(
        &mut self,
        section: Section,
        source: Source<'a>,
        order: usize,
    ) -> Result<(), UpdateError> {
        let known = &mut self.known;
        // What was copied must stay what it was until the plan is done.
        if known.copied || known.order != 0 {
            return Err(UpdateError::WriteOrder);
        }
        if section == Section::Load {
            // A boot that overwrites what install wrote could not be repeated.
            if !self.load.is_none() || known.validated {
                return Err(UpdateError::WriteOrder);
            }
            self.load = source;
        } else {
            if known.matched_early {
                return Err(UpdateError::WriteOrder);
            }
            known.order = order;
            self.source = source;
        }
        Ok(())
    }

    /// A digest and maybe a size that the content must have; told twice, they must agree.
    pub(super) fn demand(&mut self, digest: &[u8; DIGEST_LEN], size: Option<u32>) -> Result<(), UpdateError> {
        let known = &mut self.known;
        if known.digest && self.digest != *digest {
            return Err(UpdateError::DigestConflict);
        }
        if let Some(size) = size {
            if known.size && self.size != size {
                return Err(UpdateError::DigestConflict);
            }
            known.size = true;
            self.size = size;
        }
        known.digest = true;
        self.digest = *digest;
        Ok(())
    }
}

/// Checks what can only be told at the end, and leaves in the plan what there is to do: writes in their
/// order, then what is only validated, loaded or started.
#[inline(never)]
pub(super) fn complete(
    plan: &mut Plan<'_>,
    device: &DeviceIdentity<'_>,
    purpose: Purpose,
) -> Result<(), UpdateError> {
    let components = plan.components_mut();
    if !components.iter().any(|component| component.known.validated) {
        return Err(UpdateError::NotValidated);
    }
    // Those with which there is nothing to do are left out.
    let mut count = 0usize;
    for index in 0..components.len() {
        if !components.get(index).is_some_and(is_touched) {
            continue;
        }
        if let Some([place, .., touched]) = components.get_mut(count..=index) {
            core::mem::swap(place, touched);
        }
        count = count.saturating_add(1);
    }
    plan.count = count;
    for index in 0..count {
        let Some(known) = plan.components().get(index) else {
            break;
        };
        check(known)?;
        let size = size(plan, known, purpose)?;
        let place = device.components.get(known.place);
        if size > place.map_or(0, |place| place.capacity) {
            return Err(UpdateError::Capacity);
        }
        // Not known of the component itself: it must not tell the size of another one.
        if let Some(component) = component(plan, index) {
            component.size = size;
        }
    }
    if let Some(install) = purpose.install {
        (install.arrange)(plan.components_mut());
    }
    Ok(())
}

fn check(component: &ComponentPlan<'_>) -> Result<(), UpdateError> {
    let known = &component.known;
    let written = known.order != 0;
    if (written && !known.matched_after_install && !known.validated)
        || (!component.load.is_none() && !known.matched_after_load)
    {
        return Err(UpdateError::WriteUnverified);
    }
    // A component that is only a stop on the way to another one need not be valid at boot.
    let needs_validation = component.invoke || (written && !known.staged);
    if needs_validation && !known.validated && !known.matched_after_load {
        return Err(UpdateError::NotValidated);
    }
    Ok(())
}

/// The size of a component. It may be told through another component with the same digest: equal digests
/// are equal contents.
fn size(plan: &Plan<'_>, component: &ComponentPlan<'_>, purpose: Purpose) -> Result<u32, UpdateError> {
    if !component.known.digest {
        return Err(UpdateError::ParameterMissing);
    }
    let mut same = plan.components().iter();
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
    if let Some(install) = purpose.install {
        (install.check)(component, size)?;
    }
    Ok(size)
}

fn is_touched(component: &ComponentPlan<'_>) -> bool {
    let known = &component.known;
    known.order != 0 || known.digest || component.invoke || !component.load.is_none()
}
