//! What only an installation asks of a manifest.

use iotsec_core::cbor::Reader;

use crate::{
    command::parameter,
    error::UpdateError,
    payload::RawTransport,
    plan::{ComponentPlan, Known, Source},
};

/// What is known only of an installation.
pub(super) struct Install {
    /// Checks the payload of a component of this size.
    pub(super) check: fn(&ComponentPlan<'_>, u32) -> Result<(), UpdateError>,
    /// Looks closer at the value of a parameter.
    pub(super) check_value: fn(u8, Reader<'_>) -> Result<(), UpdateError>,
    /// Puts the components in the order of their writes, and then those that are only validated, loaded or started.
    pub(super) arrange: fn(&mut [ComponentPlan<'_>]),
}

impl Install {
    pub(super) const ALL: Self = Self {
        check,
        check_value,
        arrange,
    };
}

fn check(component: &ComponentPlan<'_>, size: u32) -> Result<(), UpdateError> {
    let payload = component.transport.parse(size)?.size;
    match component.source {
        Source::Integrated(bytes) if u32::try_from(bytes.len()) != Ok(payload) => Err(UpdateError::ImageSize),
        _ => Ok(()),
    }
}

/// Equals stay in their order.
fn arrange(all: &mut [ComponentPlan<'_>]) {
    let rank = |component: &ComponentPlan<'_>| component.known.order.wrapping_sub(1);
    let mut components = &mut *all;
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
    for component in all {
        component.known = Known::default();
    }
}

/// Looks into the values that say how a payload is transported, also where no component uses them.
fn check_value(parameter: u8, mut value: Reader<'_>) -> Result<(), UpdateError> {
    match parameter {
        parameter::CHUNK_DIGESTS => RawTransport::check_chunks(value.bytes()?),
        parameter::PAYLOAD_ENCODING => RawTransport::check_encoding(value.bytes()?),
        _ => Ok(()),
    }
}
