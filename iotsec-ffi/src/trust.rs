//! Who may sign what: the trust bundle in flash, how it is replaced, and the keys that it names.

use core::slice;

use iotsec::{
    core::{
        cose::Key,
        crypto::{HkdfSha256, KeyType, PublicKey, Sha256},
        hal::Region,
    },
    update::{
        DeviceIdentity,
        trust::{Guard, Role, Seal, TlsAnchor, Trust, TrustBundle, TrustError, TrustStore},
    },
};

use crate::{
    argument,
    certificate::iotsec_bytes_t,
    counter::{CCounter, iotsec_counter_t},
    flash::{CFlash, iotsec_flash_t, iotsec_region_t},
    root_key::{CRootKey, iotsec_root_key_t},
    signer::{IOTSEC_KEY_ED25519, IOTSEC_KEY_P256, IOTSEC_PUBLIC_KEY_MAX, iotsec_key_type_t},
    status::{CallError, Status, iotsec_status_t, status},
    update::config::iotsec_trust_anchor_t,
};

/// Bytes of the largest signed bundle.
pub const IOTSEC_TRUST_BUNDLE_MAX: usize = 4096;

const _: () = assert!(IOTSEC_TRUST_BUNDLE_MAX == TrustBundle::MAX_LEN);

/// Where the trust bundle of a device lives. The struct and what it points to are used during a call only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_trust_config_t {
    /// `sizeof(iotsec_trust_config_t)`.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// The flash.
    pub flash: iotsec_flash_t,
    /// Its part for the bundle alone, two pages or more, used in halves.
    pub region: iotsec_region_t,
    /// A counter of its own that follows the version, so that an older bundle cannot be put back; null for none.
    pub counter: *const iotsec_counter_t,
    /// Seals the bundle, so that only this device can have written it; null for none.
    pub root_key: *const iotsec_root_key_t,
    /// Vendor identifier, as in `iotsec_update_config_t`.
    pub vendor_id: [u8; 16],
    /// Class identifier, as there.
    pub class_id: [u8; 16],
    /// Room for the stored bundle; `IOTSEC_TRUST_BUNDLE_MAX` bytes take every one.
    pub buffer: *mut u8,
    /// Bytes of `buffer`.
    pub buffer_size: usize,
    /// Room for one signed message, as long as the longest bundle that is to be checked.
    pub scratch: *mut u8,
    /// Bytes of `scratch`.
    pub scratch_size: usize,
}

/// What a key may sign.
pub type iotsec_trust_role_t = i32;

/// The next trust bundle.
pub const IOTSEC_TRUST_ROOT: iotsec_trust_role_t = 1;
/// Update manifests.
pub const IOTSEC_TRUST_UPDATE: iotsec_trust_role_t = 2;
/// Statements of what is the latest manifest, for `iotsec_update_latest()`.
pub const IOTSEC_TRUST_FRESHNESS: iotsec_trust_role_t = 3;
/// Tokens for `iotsec_update_downgrade()`.
pub const IOTSEC_TRUST_RECOVERY: iotsec_trust_role_t = 4;

/// The bundle that is in force. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_trust_status_t {
    /// Its version, from 1.
    pub version: u64,
    /// When its keys stop being trusted, in seconds since 1970-01-01 UTC, or 0 for never.
    pub expires_s: u64,
    /// Keys that are revoked for good.
    pub revoked: u32,
    /// What makes TLS servers trustworthy: certificates and hashes of keys.
    pub tls_anchors: u32,
}

const _: () = assert!(size_of::<iotsec_trust_status_t>() == 24);

/// A public key out of the bundle. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_trust_key_t {
    /// `IOTSEC_KEY_*`.
    pub key_type: iotsec_key_type_t,
    /// Bytes of `key` that count.
    pub key_len: u32,
    /// The key; on P-256 the uncompressed SEC1 point.
    pub key: [u8; IOTSEC_PUBLIC_KEY_MAX],
    /// Zero.
    pub reserved: [u8; 3],
}

const _: () = assert!(size_of::<iotsec_trust_key_t>() == 76);

/// Puts the bundle that came with the firmware, `bundle_len` bytes, into flash, in the factory. It must be signed by enough
/// of its own root keys, and be for this vendor and class.
///
/// In the field it mends a store that is `IOTSEC_ERR_TRUST_MISSING` or `_CORRUPT`; a bundle below the counter is refused
/// with `IOTSEC_ERR_TRUST_BELOW_COUNTER`. Power loss leaves nothing or the bundle: do it again until it has returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_trust_install(
    config: *const iotsec_trust_config_t,
    bundle: *const u8,
    bundle_len: usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        unsafe {
            let bundle = argument::bytes(bundle, bundle_len)?;
            with_store(config, |mut store, guard, scratch| {
                let mut hash = Sha256::new();
                let factory = Trust::factory(bundle, &store.device, load, &mut hash, scratch)?;
                TrustStore::provision(&mut store.flash, store.region, &factory, guard, &mut hash)?;
                Ok(())
            })
        }
    })
}

/// Checks the next bundle, `bundle_len` bytes, and puts it into force: its version one higher, signed by enough root keys of
/// the bundle that is in force and by enough of its own, no revocation dropped. Writes 1 to `rotated`, or 0 when it is the
/// very bundle that is in force. A device that missed some is given them one after the other.
///
/// `IOTSEC_ERR_TRUST_*` says why it was refused, and then nothing has changed. Power loss leaves the old bundle or the new
/// one, never neither.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_trust_rotate(
    config: *const iotsec_trust_config_t,
    bundle: *const u8,
    bundle_len: usize,
    rotated: *mut i32,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        unsafe {
            let (bundle, rotated) = (argument::bytes(bundle, bundle_len)?, argument::out(rotated)?);
            with_store(config, |mut store, guard, scratch| {
                let mut hash = Sha256::new();
                let device = store.device;
                let (mut home, trust) = store.mount(guard, &mut hash)?;
                let next = trust.rotate(bundle, &device, load, &mut hash, scratch)?;
                let new = next.is_some();
                if let Some(next) = next {
                    home.put(&mut store.flash, next, guard, &mut hash)?;
                }
                rotated.set(new.into());
                Ok(())
            })
        }
    })
}

/// Says which bundle is in force. Finishes a rotation that power loss interrupted near its end, as the other functions do.
///
/// `IOTSEC_ERR_TRUST_MISSING` when nothing was ever stored, `IOTSEC_ERR_TRUST_CORRUPT` when nothing there is whole and by
/// this device: it has no trust then until `iotsec_trust_install()`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_trust_status(
    config: *const iotsec_trust_config_t,
    result: *mut iotsec_trust_status_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        unsafe {
            let result = argument::out(result)?;
            with_store(config, |mut store, guard, _| {
                let (_, trust) = store.mount(guard, &mut Sha256::new())?;
                let bundle = trust.bundle();
                let count = |count: usize| u32::try_from(count).map_err(|_| CallError::Size);
                result.set(iotsec_trust_status_t {
                    version: bundle.version(),
                    expires_s: bundle.expires().unwrap_or_default().0,
                    revoked: count(bundle.revoked().count())?,
                    tls_anchors: count(bundle.tls_anchors().count())?,
                });
                Ok(())
            })
        }
    })
}

/// Reads the keys of a role, ready for `iotsec_update_config_t`: `keys` and `anchors` have room for `count` each,
/// `IOTSEC_TRUST_ANCHORS_MAX` take every role; `len` gets their number, and `threshold` how many of them must sign.
/// `anchors` point into `keys`, which must stay where it is as long as they are used.
///
/// `now_s` is trusted time in seconds since 1970-01-01 UTC, or 0 where there is none or where it must not matter, as in the
/// boot loader: what was installed rightly still boots when the bundle has expired. `IOTSEC_ERR_TRUST_EXPIRED`;
/// `IOTSEC_ERR_TRUST_ROLE_ABSENT`; `IOTSEC_ERR_TRUST_KEY_REFUSED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_trust_anchors(
    config: *const iotsec_trust_config_t,
    role: iotsec_trust_role_t,
    now_s: u64,
    keys: *mut iotsec_trust_key_t,
    anchors: *mut iotsec_trust_anchor_t,
    count: usize,
    len: *mut usize,
    threshold: *mut u32,
) -> iotsec_status_t {
    status(|| {
        let (mut unused, role) = (0, role_of(role)?);
        // SAFETY: the caller's word, in the documentation; `keys` is only made into places that `array` has checked.
        unsafe {
            let places = argument::array(keys, count, len)?;
            let listed = argument::array(anchors, count, &raw mut unused)?;
            let threshold = argument::out(threshold)?;
            with_store(config, |mut store, guard, _| {
                let (_, trust) = store.mount(guard, &mut Sha256::new())?;
                let now = argument::time(now_s);
                // Refuses keys that this device cannot use, and those of a bundle that has expired.
                let _ = trust.keys(role, now, load)?;
                let (needed, members) = trust.bundle().role(role).ok_or(TrustError::RoleAbsent)?;
                let mut found = [EMPTY_KEY; MAX_ROLE];
                let mut number = 0usize;
                for (place, key) in found.iter_mut().zip(members) {
                    *place = key_to_c(&key)?;
                    number = number.saturating_add(1);
                }
                places.write(number, found.into_iter())?;
                let anchor = |(at, key): (usize, &iotsec_trust_key_t)| iotsec_trust_anchor_t {
                    struct_size: ANCHOR_SIZE,
                    key_type: key.key_type,
                    // SAFETY: `at` is below `number`, for which there was room.
                    key: (&raw const (*keys.add(at)).key).cast(),
                    key_len: usize::try_from(key.key_len).unwrap_or_default(),
                };
                listed.write(number, found.iter().take(number).enumerate().map(anchor))?;
                threshold.set(needed.into());
                Ok(())
            })
        }
    })
}

/// Reads the certificates of the bundle that make TLS servers trustworthy, ready for `iotsec_server_policy_t`: `anchors` has
/// room for `count`, 8 take every bundle; `len` gets their number. They point into the `buffer` of the configuration and are
/// gone with the next call that uses it. Anchors that are hashes of keys are left out: `iotsec_certificate_verify_server()`
/// takes none.
///
/// `now_s` as in `iotsec_trust_anchors()`; `IOTSEC_ERR_TRUST_EXPIRED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_trust_tls_anchors(
    config: *const iotsec_trust_config_t,
    now_s: u64,
    anchors: *mut iotsec_bytes_t,
    count: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, in the documentation.
        unsafe {
            let places = argument::array(anchors, count, len)?;
            with_store(config, |mut store, guard, _| {
                let (_, trust) = store.mount(guard, &mut Sha256::new())?;
                let bundle = trust.bundle();
                if bundle.expires().is_some_and(|end| now_s != 0 && now_s > end.0) {
                    return Err(TrustError::Expired.into());
                }
                let certificates = || {
                    bundle.tls_anchors().filter_map(|anchor| match anchor {
                        TlsAnchor::Certificate(der) => Some(iotsec_bytes_t {
                            bytes: der.as_ptr(),
                            len: der.len(),
                        }),
                        _ => None,
                    })
                };
                places.write(certificates().count(), certificates())
            })
        }
    })
}

/// Keys of a role at most.
const MAX_ROLE: usize = iotsec::update::TrustAnchors::MAX;
const EMPTY_KEY: iotsec_trust_key_t = iotsec_trust_key_t {
    key_type: 0,
    key_len: 0,
    key: [0; IOTSEC_PUBLIC_KEY_MAX],
    reserved: [0; 3],
};
#[allow(
    clippy::cast_possible_truncation,
    clippy::as_conversions,
    reason = "a small struct"
)]
const ANCHOR_SIZE: u32 = size_of::<iotsec_trust_anchor_t>() as u32;

/// Which types of key this interface knows.
pub(crate) fn load(key: &Key<'_>) -> Result<PublicKey, iotsec::core::crypto::CryptoError> {
    PublicKey::from_cose(key)
}

/// The store of a call, checked.
pub(crate) struct CTrust<'b> {
    flash: CFlash,
    region: Region,
    device: DeviceIdentity<'static>,
    buffer: Option<&'b mut [u8]>,
}

impl<'b> CTrust<'b> {
    pub(crate) fn mount(
        &mut self,
        guard: &mut Guard<'_>,
        hash: &mut Sha256,
    ) -> Result<(TrustStore, Trust<'b>), Status> {
        let buffer = self.buffer.take().ok_or(CallError::State)?;
        Ok(TrustStore::mount(
            &mut self.flash,
            self.region,
            &self.device,
            guard,
            hash,
            buffer,
        )?)
    }
}

/// # Safety
/// The configuration is null, or as its documentation says for the length of the call.
pub(crate) unsafe fn with_store<R>(
    config: *const iotsec_trust_config_t,
    work: impl FnOnce(CTrust<'_>, &mut Guard<'_>, &mut [u8]) -> Result<R, Status>,
) -> Result<R, Status> {
    // SAFETY: the caller's word, passed on; here and below.
    let config = unsafe { argument::sized(config) }?;
    argument::zero(config.reserved)?;
    let flash = CFlash::new(argument::same_size(config.flash, config.flash.struct_size)?)?;
    let region = config.region.region(&flash)?;
    if config.buffer.is_null() || config.scratch.is_null() {
        return Err(CallError::Null.into());
    }
    if isize::try_from(config.buffer_size).is_err() || isize::try_from(config.scratch_size).is_err() {
        return Err(CallError::Size.into());
    }
    let (mut counter, root);
    let mut guard = Guard::new();
    if !config.root_key.is_null() {
        // SAFETY: as above.
        root = CRootKey::new(unsafe { argument::sized(config.root_key) }?)?;
        guard = guard.with_seal(Seal {
            root: &root,
            kdf: &HkdfSha256,
        });
    }
    // SAFETY: as above.
    if let Some(given) = unsafe { CCounter::new_or_none(config.counter) }? {
        counter = given;
        guard = guard.with_counter(&mut counter);
    }
    // SAFETY: neither is null nor longer than an object can be; the caller vouches for the rest.
    let (buffer, scratch) = unsafe {
        (
            slice::from_raw_parts_mut(config.buffer, config.buffer_size),
            slice::from_raw_parts_mut(config.scratch, config.scratch_size),
        )
    };
    let store = CTrust {
        flash,
        region,
        device: DeviceIdentity {
            vendor: config.vendor_id,
            class: config.class_id,
            device: None,
            components: &[],
        },
        buffer: Some(buffer),
    };
    work(store, &mut guard, scratch)
}

fn role_of(role: iotsec_trust_role_t) -> Result<Role, Status> {
    let number = u8::try_from(role).map_err(|_| CallError::Config)?;
    let found = Role::ALL.into_iter().find(|role| role.number() == number);
    Ok(found.ok_or(CallError::Config)?)
}

fn key_to_c(key: &Key<'_>) -> Result<iotsec_trust_key_t, Status> {
    let (key_type, key_len, head) = match key.key_type() {
        KeyType::Ed25519 => (IOTSEC_KEY_ED25519, 32, None),
        KeyType::P256 => (IOTSEC_KEY_P256, 65, Some(4)),
        _ => return Err(TrustError::KeyRefused.into()),
    };
    let mut bytes = [0; IOTSEC_PUBLIC_KEY_MAX];
    let from = head.iter().chain(key.x()).chain(key.y().into_iter().flatten());
    for (to, from) in bytes.iter_mut().zip(from) {
        *to = *from;
    }
    Ok(iotsec_trust_key_t {
        key_type,
        key_len,
        key: bytes,
        reserved: [0; 3],
    })
}
