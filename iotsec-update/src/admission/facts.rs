use iotsec_core::crypto::DIGEST_LEN;

use super::DeviceIdentity;
use crate::{
    authenticate::Authenticated,
    command::Parameters,
    error::UpdateError,
    manifest::{ComponentId, Manifest, Section},
    payload::RawTransport,
    plan::{ComponentPlan, MAX_COMPONENTS, Plan, Source},
};

/// What the sections demand of one component, and what they do to it.
#[derive(Clone, Copy, Debug, Default)]
struct Fact<'a> {
    digest: Option<[u8; DIGEST_LEN]>,
    size: Option<u32>,
    /// What install puts there, and as which write of all.
    source: Option<(Source<'a>, usize)>,
    /// What load puts there at every boot.
    load: Option<Source<'a>>,
    /// Matched before any write of install.
    matched_early: bool,
    /// Matched after install wrote it.
    matched_after_install: bool,
    matched_after_load: bool,
    /// Matched in the validate section.
    validated: bool,
    invoke: bool,
    invoke_arguments: Option<&'a [u8]>,
    fetch_arguments: Option<&'a [u8]>,
    transport: RawTransport<'a>,
}

/// SHA-256 of nothing.
const EMPTY: [u8; DIGEST_LEN] = [
    0xE3, 0xB0, 0xC4, 0x42, 0x98, 0xFC, 0x1C, 0x14, 0x9A, 0xFB, 0xF4, 0xC8, 0x99, 0x6F, 0xB9, 0x24, 0x27,
    0xAE, 0x41, 0xE4, 0x64, 0x9B, 0x93, 0x4C, 0xA4, 0x95, 0x99, 0x1B, 0x78, 0x52, 0xB8, 0x55,
];

/// What is known of all components.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts<'a> {
    components: [Fact<'a>; MAX_COMPONENTS],
    writes: usize,
}

impl<'a> Facts<'a> {
    pub(super) const fn new() -> Self {
        const NONE: Fact<'_> = Fact {
            digest: None,
            size: None,
            source: None,
            load: None,
            matched_early: false,
            matched_after_install: false,
            matched_after_load: false,
            validated: false,
            invoke: false,
            invoke_arguments: None,
            fetch_arguments: None,
            transport: RawTransport {
                encryption: None,
                chunks: None,
                encoding: None,
            },
        };
        Self {
            components: [NONE; MAX_COMPONENTS],
            writes: 0,
        }
    }

    /// How many effects there were so far.
    pub(super) const fn writes(&self) -> usize {
        self.writes
    }

    /// The component's content must have this digest and size, or the sequence must not go on.
    pub(super) fn matched(
        &mut self,
        component: usize,
        section: Section,
        digest: &[u8; DIGEST_LEN],
        size: Option<u32>,
    ) -> Result<(), UpdateError> {
        let fact = self.fact(component)?;
        fact.demand(digest, size)?;
        match section {
            Section::Fetch | Section::Install => {
                if fact.source.is_some() {
                    fact.matched_after_install = true;
                } else {
                    fact.matched_early = true;
                }
            }
            Section::Validate => fact.validated = true,
            Section::Load => fact.matched_after_load |= fact.load.is_some(),
            Section::Shared | Section::Invoke => {}
        }
        Ok(())
    }

    /// The component's content is replaced by `source`.
    pub(super) fn written(
        &mut self,
        component: usize,
        id: ComponentId<'a>,
        section: Section,
        source: Source<'a>,
        parameters: &Parameters<'a>,
    ) -> Result<(), UpdateError> {
        // What was copied must stay what it was until the plan is done.
        if self.components.iter().any(|other| other.copies_from(id)) {
            return Err(UpdateError::WriteOrder);
        }
        self.writes = self.writes.saturating_add(1);
        let order = self.writes;
        let transported = matches!(source, Source::Uri(_) | Source::Integrated(_));
        if !transported && parameters.transport != RawTransport::default() {
            return Err(UpdateError::Transport);
        }
        let fact = self.fact(component)?;
        if section == Section::Load {
            // A boot that overwrites what install wrote could not be repeated.
            if fact.load.is_some() || fact.source.is_some() || fact.validated {
                return Err(UpdateError::WriteOrder);
            }
            fact.load = Some(source);
        } else {
            if fact.source.is_some() || fact.matched_early {
                return Err(UpdateError::WriteOrder);
            }
            fact.source = Some((source, order));
            fact.fetch_arguments = parameters.fetch_arguments;
            fact.transport = parameters.transport;
        }
        Ok(())
    }

    /// Bytes that are known here and now are demanded of the component that they are written to.
    pub(super) fn known(
        &mut self,
        component: usize,
        digest: &[u8; DIGEST_LEN],
        size: Option<u32>,
    ) -> Result<(), UpdateError> {
        self.fact(component)?.demand(digest, size)
    }

    pub(super) fn invoked(
        &mut self,
        component: usize,
        parameters: &Parameters<'a>,
    ) -> Result<(), UpdateError> {
        self.writes = self.writes.saturating_add(1);
        let fact = self.fact(component)?;
        fact.invoke = true;
        fact.invoke_arguments = parameters.invoke_arguments;
        Ok(())
    }

    /// Checks what can only be told at the end, and draws up the plan.
    pub(super) fn into_plan(
        self,
        authenticated: &Authenticated<'a>,
        manifest: &Manifest<'a>,
        device: &DeviceIdentity<'_>,
    ) -> Result<Plan<'a>, UpdateError> {
        let mut plan = Plan::new(
            authenticated.envelope.bytes,
            authenticated.manifest_digest,
            manifest.sequence,
        );
        if !self.components.iter().any(|fact| fact.validated) {
            return Err(UpdateError::NotValidated);
        }
        // Writes in their order, then what is only validated, loaded or started.
        for order in (1..=self.writes).map(Some).chain([None]) {
            for (fact, id) in self.components.iter().zip(manifest.components()) {
                if fact.source.map(|(_, order)| order) != order || fact.is_untouched() {
                    continue;
                }
                self.check(fact, *id)?;
                let (digest, size) = self.content(fact)?;
                let mut places = device.components.iter().enumerate();
                let place = places.find(|(_, place)| place.id == *id);
                let (index, place) = place.ok_or(UpdateError::ComponentUnknown)?;
                if size > place.capacity {
                    return Err(UpdateError::Capacity);
                }
                plan.push(ComponentPlan {
                    id: *id,
                    place: index,
                    digest,
                    size,
                    source: fact.source.map_or(Source::None, |(source, _)| source),
                    load: fact.load,
                    invoke: fact.invoke,
                    invoke_arguments: fact.invoke_arguments,
                    fetch_arguments: fact.fetch_arguments,
                    transport: fact.transport,
                })?;
            }
        }
        Ok(plan)
    }

    fn check(&self, fact: &Fact<'a>, id: ComponentId<'a>) -> Result<(), UpdateError> {
        let matched_after_write = fact.matched_after_install || fact.validated;
        if (fact.source.is_some() && !matched_after_write)
            || (fact.load.is_some() && !fact.matched_after_load)
        {
            return Err(UpdateError::WriteUnverified);
        }
        // A component that is only a stop on the way to another one need not be valid at boot.
        let is_staging = self
            .components
            .iter()
            .any(|other| other.source.is_some() && other.copies_from(id));
        let needs_validation = fact.invoke || (fact.source.is_some() && !is_staging);
        if needs_validation && !fact.validated && !fact.matched_after_load {
            return Err(UpdateError::NotValidated);
        }
        Ok(())
    }

    /// Digest and size of a component. A size may be told through another component with the same
    /// digest: equal digests are equal contents.
    fn content(&self, fact: &Fact<'a>) -> Result<([u8; DIGEST_LEN], u32), UpdateError> {
        let digest = fact.digest.ok_or(UpdateError::ParameterMissing)?;
        let same = self
            .components
            .iter()
            .filter(|other| other.digest == Some(digest));
        let size = fact.size.or_else(|| same.filter_map(|other| other.size).next());
        let size = size.ok_or(UpdateError::ImageSize)?;
        // A size that was forgotten must not pass for an empty image.
        if size == 0 && digest != EMPTY {
            return Err(UpdateError::ImageSize);
        }
        let transport = fact.transport.parse(size)?;
        match fact.source {
            Some((Source::Integrated(bytes), _)) if u32::try_from(bytes.len()) != Ok(transport.size) => {
                Err(UpdateError::ImageSize)
            }
            _ => Ok((digest, size)),
        }
    }

    fn fact(&mut self, component: usize) -> Result<&mut Fact<'a>, UpdateError> {
        self.components
            .get_mut(component)
            .ok_or(UpdateError::ComponentIndex)
    }
}

impl<'a> Fact<'a> {
    fn copies_from(&self, id: ComponentId<'a>) -> bool {
        let from = |source: Source<'a>| matches!(source, Source::Copy { from } if from == id);
        self.source.is_some_and(|(source, _)| from(source)) || self.load.is_some_and(from)
    }

    fn demand(&mut self, digest: &[u8; DIGEST_LEN], size: Option<u32>) -> Result<(), UpdateError> {
        let other_digest = self.digest.is_some_and(|known| known != *digest);
        let other_size = size.is_some() && self.size.is_some() && self.size != size;
        if other_digest || other_size {
            return Err(UpdateError::DigestConflict);
        }
        self.digest = Some(*digest);
        self.size = self.size.or(size);
        Ok(())
    }

    fn is_untouched(&self) -> bool {
        self.digest.is_none() && self.source.is_none() && self.load.is_none() && !self.invoke
    }
}
