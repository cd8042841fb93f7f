use std::{mem::MaybeUninit, ptr};

use iotsec_ffi::{
    signer::IOTSEC_KEY_ED25519,
    status::{IOTSEC_OK, iotsec_status_t},
    telemetry::{batch::*, config::*, consent::*, deletion::*, *},
    update::config::iotsec_trust_anchor_t,
};

use super::{Step, filled, number_call, on_copy, plain_call};
use crate::{Input, board::size, guarded::Guarded, vectors, world::World};

static SHARED: [u8; 32] = [9; 32];

pub(super) fn service(input: &mut Input<'_>) -> iotsec_service_t {
    let kind = input.byte();
    iotsec_service_t {
        struct_size: size::<iotsec_service_t>(),
        seal: i32::from(kind % 4),
        largest: u16::from(kind >> 2) * 64,
        is_fixed: input.byte().into(),
        key_id: [7; 8],
        key: SHARED.as_ptr(),
    }
}

/// What every function takes that fills a buffer with a batch.
pub(super) struct Batch {
    pub(super) telemetry: *mut iotsec_telemetry_t,
    pub(super) service: *const iotsec_service_t,
    pub(super) scratch: *mut u8,
    pub(super) scratch_size: usize,
    pub(super) out: *mut u8,
    pub(super) size: usize,
    pub(super) len: *mut usize,
    pub(super) receipt: *mut u32,
}

/// Has one of them do so, and keeps what the batch is acknowledged by.
pub(super) fn batch(
    world: &mut World,
    input: &mut Input<'_>,
    call: impl FnOnce(Batch) -> iotsec_status_t,
) -> iotsec_status_t {
    let (service, mut receipt) = (service(input), 0);
    let mut scratch = Guarded::new(input.size());
    let status = filled(input, |out, size, len| {
        call(Batch {
            telemetry: world.telemetry.at(),
            service: &raw const service,
            scratch: scratch.at(),
            scratch_size: scratch.size(),
            out,
            size,
            len,
            receipt: &raw mut receipt,
        })
    })
    .0;
    scratch.sides();
    if status == IOTSEC_OK {
        world.receipt = receipt;
    }
    status
}

fn by_number(
    world: &World,
    input: &mut Input<'_>,
    how: impl FnOnce(*mut iotsec_telemetry_t, i32, u64) -> iotsec_status_t,
) -> iotsec_status_t {
    how(world.telemetry.at(), input.number(), input.wide())
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_telemetry_open", |world, _| {
        let config = world.telemetry_config();
        // SAFETY: everything in the configuration outlives the object; here and below, pointers are to live values that
        // nobody else uses, as large as the length beside them says.
        unsafe { iotsec_telemetry_open(world.telemetry.at(), &raw const config) }
    }),
    ("iotsec_telemetry_record", |world, input| {
        let (event, now) = (input.wide(), input.wide());
        let mut values = Vec::new();
        for _ in 0..input.byte() % 10 {
            values.push(iotsec_value_t {
                number: input.wide().cast_signed(),
                personal: input.number(),
            });
        }
        let event = u16::try_from(event).unwrap_or(u16::MAX);
        // SAFETY: as above.
        unsafe { iotsec_telemetry_record(world.telemetry.at(), event, values.as_ptr(), values.len(), now) }
    }),
    ("iotsec_telemetry_set_clock", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_telemetry_set_clock(world.telemetry.at(), input.wide(), input.wide()) }
    }),
    ("iotsec_telemetry_batch", |world, input| {
        // SAFETY: as above.
        batch(world, input, |it| unsafe {
            iotsec_telemetry_batch(
                it.telemetry,
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
    ("iotsec_telemetry_acknowledge", |world, input| {
        let receipt = world.receipt + u32::from(input.byte());
        // SAFETY: as above.
        unsafe { iotsec_telemetry_acknowledge(world.telemetry.at(), receipt) }
    }),
    ("iotsec_telemetry_refused", |world, input| {
        let (receipt, mut aside) = (world.receipt + u32::from(input.byte()), 0);
        // SAFETY: as above.
        unsafe { iotsec_telemetry_refused(world.telemetry.at(), receipt, &raw mut aside) }
    }),
    ("iotsec_telemetry_status", |world, input| {
        let mut counts = MaybeUninit::uninit();
        // SAFETY: as above.
        unsafe { iotsec_telemetry_status(world.telemetry.at(), input.number(), counts.as_mut_ptr()) }
    }),
    ("iotsec_telemetry_registry", |world, input| {
        let at = world.telemetry.at();
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_telemetry_registry(at, out, size, len)
        })
        .0
    }),
    plain_call!(telemetry, iotsec_telemetry_close),
    ("iotsec_telemetry_consent", |world, input| {
        let mut consent = MaybeUninit::uninit();
        // SAFETY: as above.
        unsafe { iotsec_telemetry_consent(world.telemetry.at(), input.number(), consent.as_mut_ptr()) }
    }),
    ("iotsec_telemetry_grant", |world, input| {
        // SAFETY: as above.
        by_number(world, input, |at, purpose, time| unsafe {
            iotsec_telemetry_grant(at, purpose, 1, time)
        })
    }),
    ("iotsec_telemetry_withdraw", |world, input| {
        // SAFETY: as above.
        by_number(world, input, |at, purpose, time| unsafe {
            iotsec_telemetry_withdraw(at, purpose, time)
        })
    }),
    number_call!(telemetry, iotsec_telemetry_purge_step),
    ("all of iotsec_telemetry_purge_step", |world, _| {
        let mut done = 0;
        while done == 0 {
            // SAFETY: as above.
            let status = unsafe { iotsec_telemetry_purge_step(world.telemetry.at(), &raw mut done) };
            if status != IOTSEC_OK {
                return status;
            }
        }
        IOTSEC_OK
    }),
    ("iotsec_telemetry_pseudonym", |world, input| {
        let mut out = Guarded::new(IOTSEC_PSEUDONYM_LEN);
        let at = out.at();
        // SAFETY: as above.
        let status = unsafe {
            iotsec_telemetry_pseudonym(world.telemetry.at(), input.number(), input.byte().into(), at)
        };
        out.sides();
        status
    }),
    ("iotsec_telemetry_ask_deletion", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_telemetry_ask_deletion(world.telemetry.at(), input.number()) }
    }),
    ("iotsec_telemetry_deletion_request", |world, input| {
        let (service, at) = (service(input), world.telemetry.at());
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_telemetry_deletion_request(at, &raw const service, out, size, len)
        })
        .0
    }),
    ("iotsec_telemetry_deletion_receipt", |world, input| {
        let (receipt, mut deleted) = (input.piece(), MaybeUninit::uninit());
        let signer = iotsec_trust_anchor_t {
            struct_size: size::<iotsec_trust_anchor_t>(),
            key_type: IOTSEC_KEY_ED25519,
            key: vectors::public_key().as_ptr(),
            key_len: 32,
        };
        // SAFETY: as above.
        unsafe {
            iotsec_telemetry_deletion_receipt(
                world.telemetry.at(),
                receipt.as_ptr(),
                receipt.len(),
                ptr::from_ref(&signer),
                deleted.as_mut_ptr(),
            )
        }
    }),
    ("a copy of telemetry", |world, _| {
        let copy = world.telemetry.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_telemetry_close(copy) })
    }),
];
