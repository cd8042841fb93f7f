//! What admission leaves: a bounded list of what to install and what to start.

use iotsec_core::crypto::DIGEST_LEN;

use crate::{
    error::UpdateError,
    fault::Proof,
    manifest::{ComponentId, SequenceNumber},
    payload::{RawTransport, Transport},
};

/// Components that one manifest may have.
pub const MAX_COMPONENTS: usize = 8;

/// Where a component's new content comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source<'a> {
    /// Nothing to install: the component is validated and started only.
    None,
    /// To be fetched.
    Uri(&'a str),
    /// Bytes carried in the envelope; not yet hashed.
    Integrated(&'a [u8]),
    /// Bytes carried in the manifest.
    Content(&'a [u8]),
    /// To be copied from another component, installed before it if it is in the plan too.
    Copy {
        /// That component.
        from: ComponentId<'a>,
    },
}

impl Source<'_> {
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// What is to be done with one component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComponentPlan<'a> {
    pub(crate) id: ComponentId<'a>,
    pub(crate) place: usize,
    pub(crate) digest: [u8; DIGEST_LEN],
    pub(crate) size: u32,
    pub(crate) source: Source<'a>,
    /// [`Source::None`] for none.
    pub(crate) load: Source<'a>,
    pub(crate) invoke: bool,
    pub(crate) invoke_arguments: Option<&'a [u8]>,
    pub(crate) fetch_arguments: Option<&'a [u8]>,
    pub(crate) transport: RawTransport<'a>,
    pub(crate) known: Known,
}

/// What admission has come to know of a component beside the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) digest: bool,
    pub(crate) size: bool,
    /// Matched before any write of install.
    pub(crate) matched_early: bool,
    /// Matched after install wrote it.
    pub(crate) matched_after_install: bool,
    pub(crate) matched_after_load: bool,
    /// Matched in the validate section.
    pub(crate) validated: bool,
    /// Another component is copied from it, and that by install.
    pub(crate) copied: bool,
    pub(crate) staged: bool,
    /// Which write of all puts its source there, counted from 1.
    pub(crate) order: usize,
}

impl<'a> ComponentPlan<'a> {
    /// A component of which nothing is known.
    pub(crate) const UNKNOWN: Self = {
        Self {
            id: ComponentId::NONE,
            place: 0,
            digest: [0; DIGEST_LEN],
            size: 0,
            source: Source::None,
            load: Source::None,
            invoke: false,
            invoke_arguments: None,
            fetch_arguments: None,
            transport: RawTransport {
                encryption: None,
                chunks: None,
                encoding: None,
            },
            known: Known {
                digest: false,
                size: false,
                matched_early: false,
                matched_after_install: false,
                matched_after_load: false,
                validated: false,
                copied: false,
                staged: false,
                order: 0,
            },
        }
    };

    /// Which component.
    pub const fn id(&self) -> ComponentId<'a> {
        self.id
    }
    /// Its index among [`DeviceIdentity::components`](crate::DeviceIdentity::components).
    pub const fn place(&self) -> usize {
        self.place
    }
    /// SHA-256 of the whole content.
    pub const fn digest(&self) -> &[u8; DIGEST_LEN] {
        &self.digest
    }
    /// Bytes of the whole content.
    pub const fn size(&self) -> u32 {
        self.size
    }
    /// Where the content comes from.
    pub const fn source(&self) -> Source<'a> {
        self.source
    }
    /// Content to be put in place at every boot, before start (`suit-load`), with this digest and size.
    pub const fn load(&self) -> Option<Source<'a>> {
        match self.load {
            Source::None => None,
            source => Some(source),
        }
    }
    /// Whether this component is started after it was validated.
    pub const fn invoke(&self) -> bool {
        self.invoke
    }
    /// What the manifest hands to the component when it is started.
    pub const fn invoke_arguments(&self) -> Option<&'a [u8]> {
        self.invoke_arguments
    }
    /// The payload as it is transported.
    ///
    /// # Errors
    /// None in practice: admission has read it.
    pub fn transport(&self) -> Result<Transport<'a>, UpdateError> {
        self.transport.parse(self.size)
    }
    /// What the manifest hands to the transport that fetches the content.
    pub const fn fetch_arguments(&self) -> Option<&'a [u8]> {
        self.fetch_arguments
    }
}

/// A manifest that is authentic and safe to install on this device. Only
/// [`Authenticated::admit`](crate::Authenticated::admit) makes one; an envelope has to be authenticated
/// first.
///
/// ```compile_fail,E0599
/// use iotsec_core::crypto::Sha256;
/// use iotsec_update::{DeviceIdentity, Envelope, Policy};
///
/// fn shortcut(envelope: Envelope<'_>, device: &DeviceIdentity<'_>, policy: &Policy) {
///     envelope.admit(device, policy, &mut Sha256::default());
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Accepted<'a> {
    plan: Plan<'a>,
}

/// A manifest that is authentic and safe to boot from. Only
/// [`Authenticated::admit_for_boot`](crate::Authenticated::admit_for_boot) makes one.
///
/// What may boot may not, for that, be installed:
///
/// ```compile_fail,E0308
/// fn install(_: iotsec_update::Accepted<'_>) {}
/// fn boot(bootable: iotsec_update::Bootable<'_>) {
///     install(bootable);
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Bootable<'a> {
    plan: Plan<'a>,
}

/// What both tokens carry.
#[derive(Clone, Debug)]
pub(crate) struct Plan<'a> {
    envelope: &'a [u8],
    manifest_digest: [u8; DIGEST_LEN],
    pub(crate) sequence: SequenceNumber,
    /// The same, read again.
    pub(crate) sequence_again: SequenceNumber,
    /// That the manifest was signed, and admitted after that.
    pub(crate) proof: Proof,
    /// Something is loaded into a component at every boot, of which nothing else is known here.
    pub(crate) loads: bool,
    /// The manifest from which this one may be gone back to.
    pub(crate) leave: Option<[u8; DIGEST_LEN]>,
    all: [ComponentPlan<'a>; MAX_COMPONENTS],
    pub(crate) count: usize,
}

impl<'a> Plan<'a> {
    /// Adds a component of which nothing is known yet.
    pub(crate) fn push(&mut self, id: ComponentId<'a>) -> Result<(), UpdateError> {
        let place = self.all.get_mut(self.count).ok_or(UpdateError::Components)?;
        place.id = id;
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    pub(crate) fn components(&self) -> &[ComponentPlan<'a>] {
        self.all.get(..self.count).unwrap_or_default()
    }

    pub(crate) fn components_mut(&mut self) -> &mut [ComponentPlan<'a>] {
        self.all.get_mut(..self.count).unwrap_or_default()
    }
}

macro_rules! accessors {
    ($token:ident) => {
        impl<'a> $token<'a> {
            /// Without components. Plans are large: this one is filled where it is, and not moved.
            pub(crate) const fn empty(envelope: &'a [u8], manifest_digest: &[u8; DIGEST_LEN]) -> Self {
                Self {
                    plan: Plan {
                        envelope,
                        manifest_digest: *manifest_digest,
                        sequence: SequenceNumber(0),
                        sequence_again: SequenceNumber(0),
                        proof: Proof::NONE,
                        loads: false,
                        leave: None,
                        all: [const { ComponentPlan::UNKNOWN }; MAX_COMPONENTS],
                        count: 0,
                    },
                }
            }
            pub(crate) const fn plan_mut(&mut self) -> &mut Plan<'a> {
                &mut self.plan
            }
            /// The manifest's sequence number.
            pub const fn sequence_number(&self) -> SequenceNumber {
                self.plan.sequence
            }
            /// Read again from the manifest, for decisions that are taken again.
            pub(crate) const fn sequence_again(&self) -> SequenceNumber {
                self.plan.sequence_again
            }
            /// What there is to show for the signatures and the admission.
            pub(crate) const fn proof(&self) -> Proof {
                self.plan.proof
            }
            /// SHA-256 of the manifest: its identity.
            pub const fn manifest_digest(&self) -> &[u8; DIGEST_LEN] {
                &self.plan.manifest_digest
            }
            /// The components in the order in which they are to be installed.
            pub fn components(&self) -> &[ComponentPlan<'a>] {
                self.plan.components()
            }
            /// The envelope it came from.
            pub const fn envelope(&self) -> &'a [u8] {
                self.plan.envelope
            }
        }
    };
}

impl Bootable<'_> {
    /// Whether there is more to load than the components say.
    pub(crate) const fn loads(&self) -> bool {
        self.plan.loads
    }
}

impl Accepted<'_> {
    /// Whether it may be gone back to, over a manifest with this digest, by a downgrade token.
    pub(crate) fn may_go_back_from(&self, installed: &[u8; DIGEST_LEN]) -> bool {
        self.plan.leave.as_ref() == Some(installed)
    }
}

accessors!(Accepted);
accessors!(Bootable);
