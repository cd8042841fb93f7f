//! Whether a server is who it says, for C programs whose TLS stack asks.

use iotsec::{
    core::{hal::UnixTime, input::Host},
    net::{
        certificate::{
            KeyKind, MAX_ANCHORS, MAX_CHAIN, ServerPolicy, TrustAnchor, algorithm, verify_server_chain,
        },
        time::CertificateTime,
    },
};

use crate::{
    argument,
    input::parsed,
    signer::{IOTSEC_KEY_ED25519, IOTSEC_KEY_P256, iotsec_key_type_t},
    status::{CallError, Status, iotsec_status_t},
};

/// Certificates of a chain at most, the server's own included.
pub const IOTSEC_CHAIN_MAX: usize = 4;
/// Anchors at most.
pub const IOTSEC_ANCHORS_MAX: usize = 9;

const _: () = assert!(IOTSEC_CHAIN_MAX == MAX_CHAIN);
const _: () = assert!(IOTSEC_ANCHORS_MAX == MAX_ANCHORS);

/// Bytes that the caller lends for the call. An array of them is not versioned by size: this struct never grows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_bytes_t {
    /// Where they are.
    pub bytes: *const u8,
    /// How many.
    pub len: usize,
}

/// What a server's certificate is checked against. The pointers are used during the call only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_server_policy_t {
    /// `sizeof(iotsec_server_policy_t)`.
    pub struct_size: u32,
    /// 1 to `IOTSEC_ANCHORS_MAX`.
    pub anchor_count: u32,
    /// Certificates of CAs that are trusted, in DER.
    pub anchors: *const iotsec_bytes_t,
    /// Unix time in seconds: now, or the latest moment that is known to have passed.
    pub time: u64,
    /// Seconds by which it may be later than `time`: 0 for a device whose clock is right.
    pub time_slack: u64,
}

/// The key of a server whose certificate is good. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct iotsec_server_key_t {
    /// `IOTSEC_KEY_*`.
    pub key_type: iotsec_key_type_t,
    /// Where its SubjectPublicKeyInfo (RFC 5280 §4.1) begins in the server's certificate.
    pub offset: u32,
    /// Bytes of it.
    pub len: u32,
    /// Zero.
    pub reserved: u32,
}

const _: () = assert!(size_of::<iotsec_server_key_t>() == 16);

/// Verifies the certificates that a server sent, as the TLS stack has them at hand: `chain` holds `chain_count` of
/// them in DER, the server's own first, at most `IOTSEC_CHAIN_MAX` of at most 8 KB. `host`, of `host_len` bytes, is the
/// name or address that the device wanted to reach, and not one that the server gave.
///
/// Checked are signatures with Ed25519 and ECDSA on P-256, the path (RFC 5280), constraints, purposes, the name (a DNS
/// name of the subject alternative names, no wildcards) and the time. Call it from the stack's verification callback and
/// refuse the handshake for anything but `IOTSEC_OK`. The stack then checks the signature of the handshake with the key
/// that `key` describes.
///
/// `IOTSEC_ERR_ANCHOR_*` for an anchor that may not be one, `IOTSEC_ERR_INPUT_*` for a host that is none,
/// `IOTSEC_ERR_CERTIFICATE_*` for why the chain is refused. Needs about 11 KB of stack, no heap, and writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_certificate_verify_server(
    policy: *const iotsec_server_policy_t,
    chain: *const iotsec_bytes_t,
    chain_count: usize,
    host: *const u8,
    host_len: usize,
    key: *mut iotsec_server_key_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    unsafe {
        parsed(host, host_len, core::ptr::null_mut(), |host| {
            let policy = argument::sized(policy)?;
            let out = argument::out(key)?;
            let time = CertificateTime::at_least(UnixTime(policy.time), policy.time_slack);
            let host = Host::parse(host)?;
            let (mut given, mut certificates) = ([EMPTY; MAX_ANCHORS], [EMPTY; MAX_CHAIN]);
            let count = usize::try_from(policy.anchor_count).unwrap_or(usize::MAX);
            let given = lent(policy.anchors, count, &mut given)?;
            let chain = lent(chain, chain_count, &mut certificates)?;
            with_anchors(given, time, |anchors| {
                let policy = ServerPolicy::new(anchors, algorithm::ALL)?;
                let verified = verify_server_chain(chain, &host, time, &policy)?;
                let leaf = chain.first().copied().unwrap_or(EMPTY);
                out.set(describe(leaf, verified.public_key(), verified.key_kind())?);
                Ok(())
            })?;
            Ok(())
        })
    }
}

const EMPTY: &[u8] = &[];

/// # Safety
/// `parts` is null, or points to `count` structs whose pointers are null or to as many bytes as they say.
unsafe fn lent<'p>(
    parts: *const iotsec_bytes_t,
    count: usize,
    out: &'p mut [&'static [u8]],
) -> Result<&'p [&'p [u8]], Status> {
    if parts.is_null() || !parts.is_aligned() {
        return Err(CallError::Null.into());
    }
    let out = out.get_mut(..count).ok_or(CallError::Size)?;
    for (at, place) in out.iter_mut().enumerate() {
        // SAFETY: `at` is below the count, and the caller says that so many are there.
        let part = unsafe { parts.add(at).read() };
        // SAFETY: the caller's word, passed on; used during this call only.
        *place = unsafe { argument::bytes(part.bytes, part.len) }?;
    }
    Ok(out)
}

fn with_anchors(
    given: &[&[u8]],
    time: CertificateTime,
    work: impl FnOnce(&[TrustAnchor<'_>]) -> Result<(), Status>,
) -> Result<(), Status> {
    let (first, rest) = given.split_first().ok_or(CallError::Size)?;
    // Nothing is an anchor before it is read, so the first one stands in the places of the others.
    let first = TrustAnchor::from_der(first, time)?;
    let mut anchors: [TrustAnchor<'_>; MAX_ANCHORS] = core::array::from_fn(|_| first.clone());
    for (place, given) in anchors.iter_mut().skip(1).zip(rest) {
        *place = TrustAnchor::from_der(given, time)?;
    }
    work(anchors.get(..given.len()).ok_or(CallError::Size)?)
}

fn describe(leaf: &[u8], public_key: &[u8], kind: KeyKind) -> Result<iotsec_server_key_t, Status> {
    let offset = public_key.as_ptr().addr().checked_sub(leaf.as_ptr().addr());
    let place = |number: Option<usize>| number.and_then(|number| u32::try_from(number).ok());
    Ok(iotsec_server_key_t {
        key_type: match kind {
            KeyKind::Ed25519 => IOTSEC_KEY_ED25519,
            KeyKind::P256 => IOTSEC_KEY_P256,
            _ => return Err(CallError::Config.into()),
        },
        offset: place(offset).ok_or(CallError::Size)?,
        len: place(Some(public_key.len())).ok_or(CallError::Size)?,
        reserved: 0,
    })
}
