//! What an updater and a boot loader know about their device.

use core::slice;

use iotsec::core::{
    crypto::PublicKey,
    hal::{Slot, UnixTime},
};
use iotsec::update::{
    ComponentId, DeviceComponent, DeviceIdentity, Limits, TrustAnchor, TrustAnchors,
    boot::BootConfig,
    rollback::{Rollback, RollbackPolicy},
    slot::{SlotLayout, UpdateLayout},
};

use crate::{
    argument,
    counter::{CCounter, iotsec_counter_t},
    flash::{CFlash, iotsec_flash_t, iotsec_region_t},
    signer::{iotsec_key_type_t, public_key},
    status::{CallError, Status},
};

/// Most public keys that one configuration holds: as many as a role of a trust bundle has.
pub const IOTSEC_TRUST_ANCHORS_MAX: usize = 8;

const _: () = assert!(IOTSEC_TRUST_ANCHORS_MAX == TrustAnchors::MAX);

/// A public key whose signature over an update counts.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_trust_anchor_t {
    /// `sizeof(iotsec_trust_anchor_t)`.
    pub struct_size: u32,
    /// `IOTSEC_KEY_*`.
    pub key_type: iotsec_key_type_t,
    /// The public key; on P-256 a SEC1 point, compressed (33 bytes) or not.
    pub key: *const u8,
    /// Its bytes.
    pub key_len: usize,
}

/// Which of the two slots.
pub type iotsec_slot_t = i32;

/// The first slot.
pub const IOTSEC_SLOT_A: iotsec_slot_t = 0;
/// The second slot.
pub const IOTSEC_SLOT_B: iotsec_slot_t = 1;

/// The regions of one slot.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_slot_layout_t {
    /// Where the envelope of the image is stored.
    pub manifest: iotsec_region_t,
    /// The image, from the first byte of the region on, so that it can run in place.
    pub image: iotsec_region_t,
}

/// A device that is updated by two slots. The boot loader and the application use the same one.
///
/// What the pointers in it point to is kept, not copied: it must outlive every object that was given this
/// configuration. `static const` data does.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_update_config_t {
    /// `sizeof(iotsec_update_config_t)`.
    pub struct_size: u32,
    /// How many different keys of `anchors` must have signed; at least 1.
    pub threshold: u32,
    /// Boots of a new image that is not accepted before the old one is started again; 1 to 255.
    pub trial_boots: u32,
    /// The security counter is the sequence number shifted right by this, 0 to 63. With 0, every accepted
    /// release closes the way back; with 8, one release in 256 does.
    pub counter_shift: u32,
    /// How far above the installed sequence number a new one may lie, at least 1. Without a bound, one stolen
    /// signature over the highest number would end all updates.
    pub max_jump: u64,
    /// The flash with all five regions.
    pub flash: iotsec_flash_t,
    /// The security counter.
    pub counter: iotsec_counter_t,
    /// The first slot.
    pub slot_a: iotsec_slot_layout_t,
    /// The second slot.
    pub slot_b: iotsec_slot_layout_t,
    /// Where the state of the update is kept: two pages at least, three to be safe against worn flash.
    pub journal: iotsec_region_t,
    /// Vendor identifier: a version 5 UUID of the maker's domain name.
    pub vendor_id: [u8; 16],
    /// Class identifier: a version 5 UUID of the model in the vendor's name space.
    pub class_id: [u8; 16],
    /// Identifier of this one device, 16 bytes, or null where it has none.
    pub device_id: *const u8,
    /// Name of what is updated, as a CBOR array of byte strings: `81 41 00` for `[h'00']`.
    pub component: *const u8,
    /// Bytes of `component`.
    pub component_len: usize,
    /// The public keys.
    pub anchors: *const iotsec_trust_anchor_t,
    /// How many, at most `IOTSEC_TRUST_ANCHORS_MAX`.
    pub anchor_count: usize,
    /// Room for the largest stored envelope, used during calls only. 4096 bytes take every envelope that
    /// this library admits, integrated payloads aside.
    pub scratch: *mut u8,
    /// Bytes of `scratch`.
    pub scratch_size: usize,
}

/// A configuration that was checked for null and for size.
#[derive(Clone, Copy)]
pub(crate) struct Config {
    raw: iotsec_update_config_t,
    pub(crate) flash: CFlash,
    counter: CCounter,
    pub(crate) layout: UpdateLayout,
    policy: RollbackPolicy,
    trial_boots: u8,
    threshold: u8,
}

/// What the functions of `iotsec_update` want, made for one call.
pub(crate) struct Parts<'p> {
    pub(crate) flash: CFlash,
    pub(crate) boot: BootConfig<'p>,
    pub(crate) rollback: Rollback<'p>,
    pub(crate) policy: RollbackPolicy,
    pub(crate) scratch: &'p mut [u8],
}

impl Config {
    /// # Safety
    /// As [`argument::sized`], and what the pointers in it point to is as the struct says, for as long as
    /// the [`Config`] is used.
    pub(crate) unsafe fn new(config: *const iotsec_update_config_t) -> Result<Self, Status> {
        // SAFETY: the caller's word, passed on.
        let raw = unsafe { argument::sized(config) }?;
        let pointers = [raw.component, raw.anchors.cast(), raw.scratch.cast_const()];
        if pointers.iter().any(|pointer| pointer.is_null()) || !raw.anchors.is_aligned() {
            return Err(CallError::Null.into());
        }
        // Any more than these are refused again where they are used; here the caller learns it first.
        if raw.anchor_count > IOTSEC_TRUST_ANCHORS_MAX || raw.trial_boots == 0 {
            return Err(CallError::Config.into());
        }
        let flash = CFlash::new(argument::same_size(raw.flash, raw.flash.struct_size)?)?;
        let counter = CCounter::new(argument::same_size(raw.counter, raw.counter.struct_size)?)?;
        let slot = |slot: &iotsec_slot_layout_t| -> Result<SlotLayout, Status> {
            Ok(SlotLayout {
                manifest: slot.manifest.region(&flash)?,
                images: [slot.image.region(&flash)?],
            })
        };
        let layout = UpdateLayout::new(
            slot(&raw.slot_a)?,
            slot(&raw.slot_b)?,
            raw.journal.region(&flash)?,
        )?;
        let config = Self {
            raw,
            flash,
            counter,
            layout,
            policy: RollbackPolicy::new(raw.counter_shift)?.with_max_jump(raw.max_jump),
            trial_boots: u8::try_from(raw.trial_boots).map_err(|_| CallError::Config)?,
            threshold: u8::try_from(raw.threshold).map_err(|_| CallError::Config)?,
        };
        // Keys and names that do not read are found now and not at the first update.
        // SAFETY: the caller's word, passed on.
        unsafe { config.with(None, |_| Ok(())) }?;
        Ok(config)
    }

    /// Which device it is, with nothing of what can be updated.
    ///
    /// # Safety
    /// As [`with`](Self::with).
    pub(crate) unsafe fn device(&self) -> DeviceIdentity<'static> {
        let id = self.raw.device_id;
        DeviceIdentity {
            vendor: self.raw.vendor_id,
            class: self.raw.class_id,
            // SAFETY: not null; the caller says that 16 bytes are there.
            device: (!id.is_null()).then(|| unsafe { id.cast::<[u8; 16]>().read() }),
            components: &[],
        }
    }

    /// Makes the parts, lends them to `work`, and forgets them.
    ///
    /// # Safety
    /// What the pointers of the configuration point to is still there, and nobody else uses the scratch.
    pub(crate) unsafe fn with<R>(
        &self,
        now: Option<UnixTime>,
        work: impl FnOnce(Parts<'_>) -> Result<R, Status>,
    ) -> Result<R, Status> {
        let raw = &self.raw;
        // SAFETY: `new` has checked for null and size; the caller vouches for the rest, here and below.
        let (anchors, component) = unsafe {
            (
                slice::from_raw_parts(raw.anchors, raw.anchor_count),
                argument::bytes(raw.component, raw.component_len)?,
            )
        };
        let mut keys = [const { None }; IOTSEC_TRUST_ANCHORS_MAX];
        for (place, anchor) in keys.iter_mut().zip(anchors) {
            // SAFETY: as above.
            *place = Some(unsafe { key(anchor) }?);
        }
        let Some(Some(first)) = keys.first() else {
            return Err(CallError::Config.into());
        };
        // The places beyond `anchor_count` hold a copy that is cut off again in the next line.
        let mut trusted = [TrustAnchor {
            key: first,
            kid: None,
        }; IOTSEC_TRUST_ANCHORS_MAX];
        for (place, key) in trusted.iter_mut().zip(keys.iter().flatten()) {
            place.key = key;
        }
        let trusted = trusted.get(..anchors.len()).ok_or(CallError::Config)?;

        let id = ComponentId::from_encoded(component)?;
        let place = |slot| {
            let number = match slot {
                Slot::A => 0,
                Slot::B => 1,
            };
            DeviceComponent {
                id,
                capacity: self.layout.slot(slot).images[0].len(),
                slot: Some(number),
            }
        };
        let (in_a, in_b) = ([place(Slot::A)], [place(Slot::B)]);
        // SAFETY: the caller's word, passed on.
        let device = unsafe { self.device() };
        let identity = |components| DeviceIdentity { components, ..device };
        let boot = BootConfig {
            layout: self.layout,
            anchors: TrustAnchors::new(trusted, self.threshold)?,
            device_a: identity(&in_a),
            device_b: identity(&in_b),
            limits: Limits::DEFAULT,
            trial_boots: self.trial_boots,
            now,
        };
        let mut counter = self.counter;
        if isize::try_from(raw.scratch_size).is_err() {
            return Err(CallError::Size.into());
        }
        // SAFETY: not null and not longer than an object can be; the caller vouches for the rest.
        let scratch = unsafe { slice::from_raw_parts_mut(raw.scratch, raw.scratch_size) };
        work(Parts {
            flash: self.flash,
            boot,
            rollback: Rollback::new(&mut counter, self.policy),
            policy: self.policy,
            scratch,
        })
    }
}

/// # Safety
/// The key of `anchor` is null, or points to as many bytes as it says.
pub(crate) unsafe fn key(anchor: &iotsec_trust_anchor_t) -> Result<PublicKey, Status> {
    let anchor = argument::same_size(*anchor, anchor.struct_size)?;
    // SAFETY: the caller's word, passed on.
    let bytes = unsafe { argument::bytes(anchor.key, anchor.key_len) }?;
    public_key(anchor.key_type, bytes)
}

/// The slot in Rust.
pub(crate) fn slot_of(slot: iotsec_slot_t) -> Result<Slot, Status> {
    match slot {
        IOTSEC_SLOT_A => Ok(Slot::A),
        IOTSEC_SLOT_B => Ok(Slot::B),
        _ => Err(CallError::Config.into()),
    }
}

/// The slot in C.
pub(crate) const fn slot_to_c(slot: Slot) -> iotsec_slot_t {
    match slot {
        Slot::A => IOTSEC_SLOT_A,
        Slot::B => IOTSEC_SLOT_B,
    }
}
