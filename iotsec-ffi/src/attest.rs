//! Attestation tokens: what the device is and runs, signed for whoever asked with a nonce.

use core::ffi::c_char;

use iotsec::core::{
    attest::{AttestError, BootSeed, Claims, Component, InstanceId, Lifecycle, Nonce},
    crypto::Sha256,
    hal::DebugState,
};

use crate::{
    argument,
    signer::{CSigner, iotsec_signer_t},
    status::{CallError, Status, iotsec_status_t, status},
};

/// Most components of a token.
pub const IOTSEC_ATTEST_COMPONENTS_MAX: usize = 16;

/// Bytes of a token without its components, at most.
pub const IOTSEC_ATTEST_TOKEN_BASE: usize = 516;
/// Bytes that each component adds, at most.
pub const IOTSEC_ATTEST_TOKEN_COMPONENT: usize = 240;

const _: () = assert!(IOTSEC_ATTEST_TOKEN_BASE == Claims::max_len(0));
const _: () = assert!(IOTSEC_ATTEST_TOKEN_COMPONENT == Component::MAX_LEN);
const _: () =
    assert!(2 * (IOTSEC_ATTEST_TOKEN_BASE + IOTSEC_ATTEST_TOKEN_COMPONENT) >= Claims::max_scratch(1));

/// In the factory, without secrets.
pub const IOTSEC_LIFECYCLE_ASSEMBLY: u16 = 0x1000;
/// In the factory, getting them.
pub const IOTSEC_LIFECYCLE_PROVISIONING: u16 = 0x2000;
/// In the field, closed.
pub const IOTSEC_LIFECYCLE_SECURED: u16 = 0x3000;
/// The application can be debugged, what signs tokens cannot.
pub const IOTSEC_LIFECYCLE_DEBUG: u16 = 0x4000;
/// Everything can be debugged.
pub const IOTSEC_LIFECYCLE_ROOT_DEBUG: u16 = 0x5000;
/// Its life has ended.
pub const IOTSEC_LIFECYCLE_DECOMMISSIONED: u16 = 0x6000;

/// State of the debug port.
pub type iotsec_debug_t = i32;

/// Anyone with a probe reads memory and flash: the token then says so, whatever the life cycle is.
pub const IOTSEC_DEBUG_OPEN: iotsec_debug_t = 1;
/// Opens only to an authenticated probe.
pub const IOTSEC_DEBUG_AUTHENTICATED: iotsec_debug_t = 2;
/// Closed for good.
pub const IOTSEC_DEBUG_CLOSED: iotsec_debug_t = 3;

/// Something that was measured before it was started. An array of them is not versioned by size: this struct never
/// grows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_attest_component_t {
    /// Its role, text that ends in zero: `"BL"`, `"PRoT"`, `"ARoT"`, `"App"`, `"TS"`, `"SUIT"` for the manifest that
    /// an image was installed by, or `"App_CONFIG"` for the product manifest that the firmware was built from.
    pub role: *const c_char,
    /// Its version, text that ends in zero, at most 32 bytes.
    pub version: *const c_char,
    /// SHA-256 of it as it was measured, 32 bytes: for an image `iotsec_boot_t.digest`.
    pub digest: *const u8,
    /// SHA-256 of the public key that it was signed with, 32 bytes.
    pub signer: *const u8,
}

/// What a token says. The pointers are used during the call only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_attest_claims_t {
    /// `sizeof(iotsec_attest_claims_t)`.
    pub struct_size: u32,
    /// Who asked on the device: positive from the secure side, zero and below from the other.
    pub client_id: i32,
    /// `IOTSEC_LIFECYCLE_*`, with what the product defines in the low byte.
    pub lifecycle: u16,
    /// Zero.
    pub reserved: u16,
    /// `IOTSEC_DEBUG_*`.
    pub debug: iotsec_debug_t,
    /// Which hardware it is, 32 bytes, the same for all of one kind.
    pub implementation_id: *const u8,
    /// The verifier's nonce.
    pub nonce: *const u8,
    /// 32, 48 or 64.
    pub nonce_len: usize,
    /// A random number of this boot; null for none.
    pub boot_seed: *const u8,
    /// 8 to 32, or 0 for none.
    pub boot_seed_len: usize,
    /// What was measured and started.
    pub components: *const iotsec_attest_component_t,
    /// 1 to `IOTSEC_ATTEST_COMPONENTS_MAX`.
    pub component_count: usize,
}

/// Writes an attestation token (RFC 9711, RFC 9783) to `token`, which holds `token_size`; `token_len` gets its
/// length. `IOTSEC_ATTEST_TOKEN_MAX(components)` bytes are enough. `scratch`, of `scratch_size` bytes, is used during the
/// call: `IOTSEC_ATTEST_SCRATCH_MAX(components)` are enough.
///
/// The instance id is made from the signer's public key. `IOTSEC_ERR_ATTEST_*` says which claim is refused;
/// `IOTSEC_ERR_SIZE` that `scratch` is too small, or that there are too many components. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_attest_token(
    signer: *const iotsec_signer_t,
    claims: *const iotsec_attest_claims_t,
    scratch: *mut u8,
    scratch_size: usize,
    token: *mut u8,
    token_size: usize,
    token_len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        let mut unused = 0;
        // SAFETY: the caller's word, in the documentation.
        let (signer, claims, scratch, token) = unsafe {
            (
                CSigner::new(argument::sized(signer)?)?,
                argument::sized(claims)?,
                argument::buffer(scratch, scratch_size, &raw mut unused)?,
                argument::buffer(token, token_size, token_len)?,
            )
        };
        argument::zero(claims.reserved)?;
        let mut components = [EMPTY; IOTSEC_ATTEST_COMPONENTS_MAX];
        // SAFETY: as above.
        let components = unsafe { components_of(&claims, &mut components) }?;
        // SAFETY: as above.
        let (nonce, implementation_id, boot_seed) = unsafe {
            (
                argument::bytes(claims.nonce, claims.nonce_len)?,
                argument::bytes(claims.implementation_id, 32)?,
                match claims.boot_seed_len {
                    0 => None,
                    len => Some(argument::bytes(claims.boot_seed, len)?),
                },
            )
        };
        let claims = Claims {
            nonce: Nonce::new(nonce)?,
            instance_id: InstanceId::of(
                iotsec::core::crypto::Sign::public_key(&signer),
                &mut Sha256::new(),
            ),
            implementation_id: implementation_id.try_into().map_err(|_| CallError::Size)?,
            client_id: claims.client_id,
            lifecycle: Lifecycle::from_number(claims.lifecycle)?.with_debug_port(debug_of(claims.debug)?),
            components,
            boot_seed: boot_seed.map(BootSeed::new).transpose()?,
            boot_seed_for_tfm: false,
            certification: None,
            service: None,
        };
        let token = token.at_least(Claims::max_len(components.len()))?;
        scratch.fill(|scratch| {
            let scratch = scratch
                .get_mut(..Claims::max_scratch(components.len()))
                .ok_or(CallError::Size)?;
            token.fill(|out| Ok(claims.sign(&signer, scratch, out)?.len()))?;
            Ok(0)
        })
    })
}

const EMPTY: Component<'static> = Component {
    role: None,
    digest: &[],
    version: None,
    signer: &[],
    hash: None,
};

/// # Safety
/// `claims.components` is null, or points to as many as it says, and their pointers are null or to what they say.
unsafe fn components_of<'c>(
    claims: &iotsec_attest_claims_t,
    components: &'c mut [Component<'static>; IOTSEC_ATTEST_COMPONENTS_MAX],
) -> Result<&'c [Component<'c>], Status> {
    if claims.components.is_null() || !claims.components.is_aligned() {
        return Err(CallError::Null.into());
    }
    if claims.component_count == 0 {
        return Err(AttestError::Component.into());
    }
    let components = components
        .get_mut(..claims.component_count)
        .ok_or(CallError::Size)?;
    for (at, component) in components.iter_mut().enumerate() {
        // SAFETY: `at` is below the count, and the caller says that so many are there.
        let given = unsafe { claims.components.add(at).read() };
        // SAFETY: the caller's word, passed on; used during this call only.
        let (role, version, digest, signer) = unsafe {
            (
                argument::zero_ended(given.role)?,
                argument::zero_ended(given.version)?,
                argument::bytes(given.digest, 32)?,
                argument::bytes(given.signer, 32)?,
            )
        };
        *component = Component {
            role: Some(role),
            digest,
            version: Some(version),
            signer,
            hash: Some("sha-256"),
        };
    }
    Ok(components)
}

/// What the debug port allows.
pub(crate) fn debug_of(debug: iotsec_debug_t) -> Result<DebugState, Status> {
    match debug {
        IOTSEC_DEBUG_OPEN => Ok(DebugState::Open),
        IOTSEC_DEBUG_AUTHENTICATED => Ok(DebugState::Authenticated),
        IOTSEC_DEBUG_CLOSED => Ok(DebugState::Closed),
        _ => Err(CallError::Config.into()),
    }
}
