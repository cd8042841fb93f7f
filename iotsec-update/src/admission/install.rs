//! What only an installation asks of a manifest.

use iotsec_core::cbor::Reader;

use crate::{
    command::{Parameters, parameter},
    envelope::Envelope,
    error::UpdateError,
    payload::RawTransport,
    plan::{ComponentPlan, Known, Source},
};

/// What is known only of an installation, by reference: so a boot, which does the rest in the same way, does not
/// link it.
pub(super) struct Install {
    /// What to fetch from the URI at the reader.
    pub(super) fetch: for<'a> fn(&Envelope<'a>, Reader<'a>) -> Result<Source<'a>, UpdateError>,
    /// Takes note of how the payload of a component is fetched and transported.
    pub(super) describe: for<'a> fn(&mut ComponentPlan<'a>, &Parameters, &Reader<'a>),
    /// Checks the payload of a component of this size.
    pub(super) check: fn(&ComponentPlan<'_>, u32) -> Result<(), UpdateError>,
    /// Puts the components in the order of their writes, and then those that are only validated, loaded or started.
    pub(super) arrange: fn(&mut [ComponentPlan<'_>]),
}

impl Install {
    pub(super) const ALL: Self = Self {
        fetch,
        describe,
        check,
        arrange,
    };
}

fn fetch<'a>(envelope: &Envelope<'a>, mut uri: Reader<'a>) -> Result<Source<'a>, UpdateError> {
    let uri = uri.text()?;
    if uri.starts_with('#') {
        let payload = envelope.integrated(uri);
        payload.map(Source::Integrated).ok_or(UpdateError::PayloadAbsent)
    } else {
        Ok(Source::Uri(uri))
    }
}

fn describe<'a>(component: &mut ComponentPlan<'a>, parameters: &Parameters, root: &Reader<'a>) {
    let bytes = |parameter| parameters.bytes(parameter, root);
    component.fetch_arguments = bytes(parameter::FETCH_ARGUMENTS);
    component.transport = RawTransport {
        encryption: bytes(parameter::ENCRYPTION),
        chunks: bytes(parameter::CHUNK_DIGESTS),
        encoding: bytes(parameter::PAYLOAD_ENCODING),
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
pub(super) fn check_value(parameter: u8, mut value: Reader<'_>) -> Result<(), UpdateError> {
    match parameter {
        parameter::CHUNK_DIGESTS => RawTransport::check_chunks(value.bytes()?),
        parameter::PAYLOAD_ENCODING => RawTransport::check_encoding(value.bytes()?),
        _ => Ok(()),
    }
}
