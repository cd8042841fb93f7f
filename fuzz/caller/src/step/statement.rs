//! What a device says of itself, signed or not; and what is computed from the arguments alone.

use std::{ffi::CStr, mem::MaybeUninit, ptr};

use iotsec_ffi::{
    abi::*,
    about::*,
    attest::*,
    certificate::*,
    erased::*,
    root_key::iotsec_root_key_derive,
    security::*,
    signer::*,
    status::{IOTSEC_ERR_SHORT_BUFFER, IOTSEC_OK, iotsec_status_name, iotsec_status_t},
    surface::*,
    telemetry::{batch::*, iotsec_value_t, shares::*},
};

use super::{Step, device::observed, filled, plain::APP, telemetry::batch};
use crate::{Input, board::size, guarded::Guarded};

static SEED: [u8; 32] = [7; 32];
pub(super) static DIGEST: [u8; 32] = [2; 32];

unsafe extern "C" fn sign(
    _: *mut std::ffi::c_void,
    message: *const u8,
    len: usize,
    signature: *mut u8,
) -> i32 {
    // SAFETY: as the header says of the callback; here and below, pointers are to live values that nobody else uses, as
    // large as the length beside them says.
    unsafe { iotsec_ed25519_sign(SEED.as_ptr(), message, len, signature) }
}

pub(super) fn signer() -> iotsec_signer_t {
    let mut public_key = [0; IOTSEC_PUBLIC_KEY_MAX];
    public_key[..32].copy_from_slice(crate::vectors::public_key());
    iotsec_signer_t {
        struct_size: size::<iotsec_signer_t>(),
        key_type: IOTSEC_KEY_ED25519,
        ctx: ptr::null_mut(),
        sign: Some(sign),
        public_key,
    }
}

const ABOUT: iotsec_about_t = iotsec_about_t {
    struct_size: size::<iotsec_about_t>(),
    reserved: 0,
    name: c"Lamp".as_ptr(),
    model: c"lamp-2".as_ptr(),
    vendor: c"Example Lighting Ltd".as_ptr(),
    version: c"1.4.2".as_ptr(),
    disclosure_policy: ptr::null(),
    support_until_s: 0,
};

/// A call that fills so many bytes.
fn fixed(len: usize, call: impl FnOnce(*mut u8) -> iotsec_status_t) -> iotsec_status_t {
    let mut out = Guarded::new(len);
    let status = call(out.at());
    out.sides();
    status
}

fn seed(input: &mut Input<'_>) -> [u8; 32] {
    [input.byte(); 32]
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_abi_version", |_, _| {
        assert_eq!(iotsec_abi_version(), IOTSEC_ABI_VERSION);
        IOTSEC_OK
    }),
    ("iotsec_status_name", |_, input| {
        let number = i32::try_from(input.wide()).unwrap_or(-1);
        // SAFETY: the name ends in zero and lives as long as the program.
        assert!(!unsafe { CStr::from_ptr(iotsec_status_name(number)) }.is_empty());
        IOTSEC_OK
    }),
    ("iotsec_about_json", |_, input| {
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_about_json(&ABOUT, out.cast(), size, len)
        })
        .0
    }),
    ("iotsec_device_about_json", |world, input| {
        let (at, owner) = (world.device.at(), world.owner);
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_device_about_json(at, owner, &ABOUT, out.cast(), size, len)
        })
        .0
    }),
    ("iotsec_security_status", |world, input| {
        let (observed, now, room) = (observed(input), input.wide(), usize::from(input.byte()));
        let mut findings = vec![MaybeUninit::<iotsec_finding_t>::uninit(); room];
        let (mut len, mut verdict) = (usize::MAX, 0);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_security_status(
                world.device.at(),
                &raw const observed,
                now,
                findings.as_mut_ptr().cast(),
                room,
                &raw mut len,
                &raw mut verdict,
            )
        };
        match status {
            IOTSEC_OK => assert!(len <= room),
            IOTSEC_ERR_SHORT_BUFFER => assert!(len > room),
            _ => assert_eq!(len, usize::MAX),
        }
        status
    }),
    ("iotsec_attest_token", |_, input| {
        let component = iotsec_attest_component_t {
            role: c"App".as_ptr(),
            version: c"1.4.2".as_ptr(),
            digest: DIGEST.as_ptr(),
            signer: DIGEST.as_ptr(),
        };
        let (nonce, boot_seed) = (input.piece(), input.piece());
        let nonce = if nonce.is_empty() { &SEED } else { nonce };
        let claims = iotsec_attest_claims_t {
            struct_size: size::<iotsec_attest_claims_t>(),
            client_id: input.number(),
            lifecycle: u16::from(input.byte()) << 8,
            reserved: 0,
            debug: input.number(),
            implementation_id: DIGEST.as_ptr(),
            nonce: nonce.as_ptr(),
            nonce_len: nonce.len(),
            boot_seed: if boot_seed.is_empty() {
                ptr::null()
            } else {
                boot_seed.as_ptr()
            },
            boot_seed_len: boot_seed.len(),
            components: &raw const component,
            component_count: usize::from(input.byte() % 2),
        };
        let (signer, mut scratch) = (signer(), Guarded::new(input.size()));
        let (room, room_size) = (scratch.at(), scratch.size());
        // SAFETY: as above.
        let status = filled(input, |out, size, len| unsafe {
            iotsec_attest_token(
                &raw const signer,
                &raw const claims,
                room,
                room_size,
                out,
                size,
                len,
            )
        })
        .0;
        scratch.sides();
        status
    }),
    ("iotsec_erased_sign", |_, input| {
        let (signer, nonce) = (signer(), input.piece());
        let erased = iotsec_erased_t {
            struct_size: size::<iotsec_erased_t>(),
            reason: input.number(),
            scope: input.number(),
            erasures: input.byte().into(),
            values: input.byte().into(),
            scrubbed: input.number(),
            boot: input.byte().into(),
            namespace_count: input.byte().into(),
            uptime_ms: input.wide(),
            time_s: input.wide(),
            namespaces: std::array::from_fn(|at| u8::try_from(at).unwrap_or(u8::MAX)),
            device: [0; 32],
        };
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_erased_sign(
                &raw const signer,
                &raw const erased,
                nonce.as_ptr(),
                nonce.len(),
                out,
                size,
                len,
            )
        })
        .0
    }),
    ("iotsec_ed25519_sign", |_, input| {
        let (seed, message) = (seed(input), input.piece());
        // SAFETY: as above.
        fixed(IOTSEC_SIGNATURE_LEN, |out| unsafe {
            iotsec_ed25519_sign(seed.as_ptr(), message.as_ptr(), message.len(), out)
        })
    }),
    ("iotsec_ed25519_public_key", |_, input| {
        let seed = seed(input);
        // SAFETY: as above.
        fixed(32, |out| unsafe { iotsec_ed25519_public_key(seed.as_ptr(), out) })
    }),
    ("iotsec_root_key_derive", |_, input| {
        let root: [u8; 32] = match input.byte() {
            0 => *b"the root key of one lamp in rows",
            byte => [byte; 32],
        };
        let label = input.piece();
        // SAFETY: as above.
        fixed(32, |out| unsafe {
            iotsec_root_key_derive(root.as_ptr(), label.as_ptr(), label.len(), out)
        })
    }),
    ("iotsec_certificate_verify_server", |_, input| {
        static ROOT: &[u8] = include_bytes!("../../../../vectors/certificate/root.der");
        static GOOD: &[u8] = include_bytes!("../../../../vectors/certificate/good.der");
        let lent = |bytes: &[u8]| iotsec_bytes_t {
            bytes: bytes.as_ptr(),
            len: bytes.len(),
        };
        let mut good = GOOD.to_vec();
        let (at, piece) = (usize::from(input.byte()) * 3, input.piece());
        for (to, from) in good.iter_mut().skip(at).zip(piece) {
            *to = *from;
        }
        let (anchors, chain) = ([lent(ROOT)], [lent(&good)]);
        let policy = iotsec_server_policy_t {
            struct_size: size::<iotsec_server_policy_t>(),
            anchor_count: 1,
            anchors: anchors.as_ptr(),
            time: 1_800_000_000u64.saturating_add(input.wide()),
            time_slack: 0,
        };
        let (host, mut key) = (b"broker.example", MaybeUninit::uninit());
        // SAFETY: as above.
        unsafe {
            iotsec_certificate_verify_server(
                &raw const policy,
                chain.as_ptr(),
                1,
                host.as_ptr(),
                host.len(),
                key.as_mut_ptr(),
            )
        }
    }),
    ("iotsec_surface_check", |_, input| {
        let table = [APP; 3];
        // SAFETY: as above.
        unsafe { iotsec_surface_check(table.as_ptr(), usize::from(input.byte() % 4)) }
    }),
    ("iotsec_surface_may_listen", |_, input| {
        let (phase, least, id) = (input.number(), input.number(), input.piece());
        let id = if id.is_empty() { b"app" } else { id };
        // SAFETY: as above.
        unsafe { iotsec_surface_may_listen(&APP, 1, phase, least, id.as_ptr().cast(), id.len()) }
    }),
    ("iotsec_surface_may_connect", |_, input| {
        let (phase, least, id, host) = (input.number(), input.number(), input.piece(), input.piece());
        let port = u16::try_from(input.wide()).unwrap_or(u16::MAX);
        // SAFETY: as above.
        unsafe {
            iotsec_surface_may_connect(
                &APP,
                1,
                phase,
                least,
                id.as_ptr().cast(),
                id.len(),
                host.as_ptr().cast(),
                host.len(),
                port,
            )
        }
    }),
    ("iotsec_telemetry_batch_for", |world, input| {
        let (purpose, epoch) = (input.number(), input.byte().into());
        // SAFETY: as above.
        batch(world, input, |it| unsafe {
            iotsec_telemetry_batch_for(
                it.telemetry,
                purpose,
                epoch,
                it.service,
                it.scratch,
                it.scratch_size,
                it.out,
                it.size,
                it.len,
                it.receipt,
            )
        })
    }),
    ("iotsec_telemetry_split", |world, input| {
        let value = iotsec_value_t {
            number: input.wide().cast_signed(),
            personal: input.number(),
        };
        let (metric, time, chunk) = (u16::from(input.byte() % 6), input.wide(), input.byte().into());
        let (at, context, nonce) = (world.telemetry.at(), input.piece(), [7; IOTSEC_SHARES_NONCE_LEN]);
        let mut shares = MaybeUninit::<iotsec_shares_t>::uninit();
        let mut written = 0;
        // SAFETY: as above.
        let status = filled(input, |out, size, len| unsafe {
            let status = iotsec_telemetry_split(
                at,
                metric,
                &raw const value,
                time,
                context.as_ptr(),
                context.len(),
                nonce.as_ptr(),
                chunk,
                out,
                size,
                len,
                shares.as_mut_ptr(),
            );
            written = *len;
            status
        })
        .0;
        if status == IOTSEC_OK {
            // SAFETY: it was written, as the status says.
            let shares = unsafe { shares.assume_init() };
            let parts = [shares.public_len, shares.leader_len, shares.helper_len];
            assert_eq!(parts.map(|part| part as usize).iter().sum::<usize>(), written);
        }
        status
    }),
];
