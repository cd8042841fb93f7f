//! What replaces the content of a component.

use iotsec_core::cbor::Reader;

use super::{
    facts::component,
    machine::{Machine, value},
};
use crate::{
    command::{Parameters, code, parameter},
    envelope::Envelope,
    error::UpdateError,
    manifest::Section,
    payload::RawTransport,
    plan::{ComponentPlan, Source},
};

/// Takes note of such an effect on the component with this index.
pub(super) type Write =
    for<'a> fn(&mut Machine<'_, 'a>, u8, usize, Option<&'a [u8]>) -> Result<(), UpdateError>;

pub(super) fn write<'a>(
    machine: &mut Machine<'_, 'a>,
    code: u8,
    index: usize,
    content: Option<&'a [u8]>,
) -> Result<(), UpdateError> {
    let (manifest, section) = (machine.manifest, machine.state.section);
    let parameters = machine.state.parameters.get(index);
    let parameters = parameters.ok_or(UpdateError::ComponentIndex)?;
    let value = |parameter| value(manifest, parameters, parameter);
    let source = match content {
        Some(content) => Source::Content(content),
        None if code == code::COPY => {
            let source = value(parameter::SOURCE)?.uint_as()?;
            if !machine.state.strict_order {
                return Err(UpdateError::StrictOrder);
            }
            if source == index {
                return Err(UpdateError::ComponentIndex);
            }
            let from = component(machine.plan, source).ok_or(UpdateError::ComponentIndex)?;
            from.known.copied = true;
            from.known.staged |= section != Section::Load;
            Source::Copy { from: from.id }
        }
        None => fetch(machine.envelope, value(parameter::URI)?)?,
    };
    let is_transported = matches!(source, Source::Uri(_) | Source::Integrated(_));
    if !is_transported && parameters.tell_transport() {
        return Err(UpdateError::Transport);
    }
    let component = component(machine.plan, index).ok_or(UpdateError::ComponentIndex)?;
    component.written(section, source, machine.state.writes)?;
    if section != Section::Load {
        describe(component, parameters, &manifest.root);
    }
    Ok(())
}

/// What to fetch from the URI at the reader.
fn fetch<'a>(envelope: &Envelope<'a>, mut uri: Reader<'a>) -> Result<Source<'a>, UpdateError> {
    let uri = uri.text()?;
    if uri.starts_with('#') {
        let payload = envelope.integrated(uri);
        payload.map(Source::Integrated).ok_or(UpdateError::PayloadAbsent)
    } else {
        Ok(Source::Uri(uri))
    }
}

/// Takes note of how the payload of a component is fetched and transported.
fn describe<'a>(component: &mut ComponentPlan<'a>, parameters: &Parameters, root: &Reader<'a>) {
    let bytes = |parameter| parameters.bytes(parameter, root);
    component.fetch_arguments = bytes(parameter::FETCH_ARGUMENTS);
    component.transport = RawTransport {
        encryption: bytes(parameter::ENCRYPTION),
        chunks: bytes(parameter::CHUNK_DIGESTS),
        encoding: bytes(parameter::PAYLOAD_ENCODING),
    };
}
