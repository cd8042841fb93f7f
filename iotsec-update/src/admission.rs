//! The device's identity and policy, and the check that an authentic manifest is safe.
//!
//! A genuine manifest can still be wrong for this device, stale, or careless: a content check that may
//! fail softly, a digest that is replaced later, a write that nothing checks. Admission runs every
//! section without side effects. Conditions about the device are decided there and then; conditions
//! about content become demands that the [plan](crate::plan) carries. Whatever it cannot decide, it
//! refuses.

mod facts;
mod form;
mod install;
mod machine;
#[cfg(test)]
mod tests;
mod write;

use iotsec_core::{
    crypto::{DIGEST_LEN, Digest},
    hal::UnixTime,
};

use crate::{
    authenticate::Authenticated,
    command::Items,
    error::UpdateError,
    manifest::{Body, ComponentId, Manifest, Section, SequenceNumber},
    plan::{Accepted, Bootable, Plan},
    trust::{Downgrade, Latest},
};
use install::Install;
use machine::{Machine, State};
use write::Write;

/// A place on this device that a manifest can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceComponent<'a> {
    /// Its name.
    pub id: ComponentId<'a>,
    /// The largest image that fits, in bytes.
    pub capacity: u32,
    /// For a component with several slots: the one to be written (update) or started (boot).
    pub slot: Option<u64>,
}

/// What this device is.
#[derive(Clone, Copy, Debug)]
pub struct DeviceIdentity<'a> {
    /// Vendor identifier: a version 5 UUID of the maker's domain name.
    pub vendor: [u8; 16],
    /// Class identifier: a version 5 UUID of the model, in the vendor's name space.
    pub class: [u8; 16],
    /// Identifier of this one device, where it has one.
    pub device: Option<[u8; 16]>,
    /// What can be updated.
    pub components: &'a [DeviceComponent<'a>],
}

/// What this device accepts at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The sequence number of the manifest that is installed. Lower ones are refused.
    pub installed: SequenceNumber,
    /// Whether a manifest with just that number may be installed again.
    pub reinstall: bool,
    /// How far above `installed` a sequence number may lie. Without a cap, one stolen signature over the
    /// highest number ends all updates.
    pub max_jump: u64,
    /// Trusted time. Without it, a manifest with an expiry date is refused.
    pub now: Option<UnixTime>,
    /// What the latest manifest is, by a fresh signed statement. With it, no other manifest is admitted.
    pub latest: Option<Latest>,
    /// Leave to go back to one certain manifest, which is then admitted although its number is lower and
    /// it is not the latest.
    pub downgrade: Option<Downgrade>,
}

impl Policy {
    /// Anything newer than `installed`, up to 65536 steps, on a device without a clock.
    pub const fn newer_than(installed: SequenceNumber) -> Self {
        Self {
            installed,
            reinstall: false,
            max_jump: 1 << 16,
            now: None,
            latest: None,
            downgrade: None,
        }
    }

    /// The leave for just this manifest, where it needs one.
    fn leave(&self, sequence: SequenceNumber, digest: &[u8; DIGEST_LEN]) -> Option<&Downgrade> {
        self.downgrade
            .as_ref()
            .filter(|downgrade| downgrade.to() == digest && sequence < self.installed)
    }

    fn check_for_install(
        &self,
        sequence: SequenceNumber,
        digest: &[u8; DIGEST_LEN],
    ) -> Result<(), UpdateError> {
        if self.leave(sequence, digest).is_some() {
            return Ok(());
        }
        if let Some(latest) = &self.latest {
            if latest.trust_is_behind() {
                return Err(UpdateError::TrustBehind);
            }
            if latest.sequence_number() != sequence || latest.manifest_digest() != digest {
                return Err(UpdateError::NotLatest);
            }
        }
        if sequence < self.installed {
            Err(UpdateError::Rollback)
        } else if sequence == self.installed && !self.reinstall {
            Err(UpdateError::Installed)
        } else if sequence.0.saturating_sub(self.installed.0) > self.max_jump {
            Err(UpdateError::FastForward)
        } else {
            Ok(())
        }
    }
}

/// What a manifest is wanted for. What only some purposes need is known by reference, so that the others do not link it.
#[derive(Clone, Copy)]
pub(crate) struct Purpose {
    /// Notes what replaces the content of a component.
    write: Option<Write>,
    install: Option<&'static Install>,
}

impl Purpose {
    const INSTALL: Self = Self {
        write: Some(write::write),
        install: Some(&Install::ALL),
    };
    /// Has no payload.
    pub(crate) const BOOT: Self = Self {
        write: Some(write::write),
        install: None,
    };
    /// A boot on a device on which nothing is loaded before it is started: a plan that [`loads`](Plan::loads) is of no
    /// use then, and it is not told how.
    pub(crate) const START: Self = Self {
        write: None,
        install: None,
    };
}

impl<'a> Authenticated<'a> {
    /// Checks that the manifest is meant for this device, newer than what is installed, complete, and
    /// safe to install.
    ///
    /// # Errors
    /// The first reason found, see [`UpdateError`].
    // A frame of its own, gone when the signature of the next envelope is checked.
    #[inline(never)]
    pub fn admit(
        self,
        device: &DeviceIdentity<'_>,
        policy: &Policy,
        hash: &mut dyn Digest,
    ) -> Result<Accepted<'a>, UpdateError> {
        let mut accepted = Accepted::empty(self.envelope.bytes, &self.manifest_digest);
        self.plan_install(device, policy, hash, accepted.plan_mut())?;
        Ok(accepted)
    }

    /// Checks that the manifest is safe to start from.
    ///
    /// It is the same check as [`admit`](Self::admit) on the sections that a boot runs. The sections
    /// that installed it may have been severed since, an expiry date no longer counts, and the sequence
    /// number must be at least `policy.installed`.
    ///
    /// # Errors
    /// The first reason found, see [`UpdateError`].
    #[inline(never)]
    pub fn admit_for_boot(
        self,
        device: &DeviceIdentity<'_>,
        policy: &Policy,
        hash: &mut dyn Digest,
    ) -> Result<Bootable<'a>, UpdateError> {
        let mut bootable = Bootable::empty(self.envelope.bytes, &self.manifest_digest);
        self.plan_boot(device, Purpose::BOOT, hash, bootable.plan_mut())?;
        if bootable.sequence_number() < policy.installed {
            return Err(UpdateError::Rollback);
        }
        Ok(bootable)
    }

    #[inline(never)]
    fn plan_install(
        &self,
        device: &DeviceIdentity<'_>,
        policy: &Policy,
        hash: &mut dyn Digest,
        plan: &mut Plan<'a>,
    ) -> Result<(), UpdateError> {
        self.check_again(hash)?;
        let manifest = Manifest::parse(self, hash, plan)?;
        policy.check_for_install(manifest.sequence, &self.manifest_digest)?;
        plan.leave = policy
            .leave(manifest.sequence, &self.manifest_digest)
            .map(|leave| *leave.from());
        let mut boot = plan.clone();
        let now = policy.now;
        interpret(self, &manifest, device, now, Purpose::INSTALL, hash, plan)?;
        // Installed and then refused at boot, it would cost a boot and a revert.
        interpret(self, &manifest, device, now, Purpose::BOOT, hash, &mut boot)?;
        self.prove(plan)
    }

    /// As [`admit_for_boot`](Self::admit_for_boot), into an empty [`Bootable`] that is already where it is
    /// wanted: plans are large.
    #[inline(never)]
    pub(crate) fn plan_boot(
        &self,
        device: &DeviceIdentity<'_>,
        purpose: Purpose,
        hash: &mut dyn Digest,
        plan: &mut Plan<'a>,
    ) -> Result<(), UpdateError> {
        self.check_again(hash)?;
        let manifest = Manifest::parse(self, hash, plan)?;
        interpret(self, &manifest, device, None, purpose, hash, plan)?;
        self.prove(plan)
    }

    /// Leaves in a plan that is complete what its user decides by again.
    #[inline(never)]
    fn prove(&self, plan: &mut Plan<'a>) -> Result<(), UpdateError> {
        plan.sequence_again = Manifest::sequence_again(self)?;
        plan.proof = self.proof;
        Ok(())
    }
}

iotsec_core::claim! {
    provisions: ["5.3-2", "5.3-9"],
    claims: "An update of which a bit was changed, or that is older or for another vendor, class, device or slot, is refused by the device",
    code: [Authenticated::admit],
    tests: [
        "iotsec-update::iotsec_update::admission::tests::t1_an_envelope_with_any_bit_flipped_is_refused_or_means_the_same",
        "iotsec-update::iotsec_update::admission::tests::t9_a_manifest_for_another_vendor_class_device_or_slot_says_so",
        "iotsec-update::iotsec_update::admission::tests::t7_the_sequence_number_is_held_against_replay_and_fast_forward",
    ],
}

/// Reads all sections, runs those for a purpose, and completes the plan, which has the components and nothing else.
#[inline(never)]
fn interpret<'a>(
    authenticated: &Authenticated<'a>,
    manifest: &Manifest<'a>,
    device: &DeviceIdentity<'_>,
    now: Option<UnixTime>,
    purpose: Purpose,
    hash: &mut dyn Digest,
    plan: &mut Plan<'a>,
) -> Result<(), UpdateError> {
    const SECTIONS: [Section; 5] = [
        Section::Fetch,
        Section::Install,
        Section::Validate,
        Section::Load,
        Section::Invoke,
    ];
    let skipped = if purpose.install.is_some() { 0 } else { 2 };
    let mut machine = Machine {
        manifest,
        envelope: &authenticated.envelope,
        device,
        now,
        purpose,
        hash,
        plan,
        state: State::NEW,
    };
    machine.read_form()?;
    facts::place(machine.plan, device)?;
    for section in SECTIONS.iter().skip(skipped) {
        let mut commands = Items::NONE;
        match manifest.commands(*section, &mut commands)? {
            Body::Missing if *section == Section::Validate => return Err(UpdateError::NotValidated),
            Body::Missing => {}
            Body::Absent => return Err(UpdateError::ElementAbsent),
            Body::Present => machine.run(*section, commands)?,
        }
    }
    facts::complete(plan, device, purpose)
}
