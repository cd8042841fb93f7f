use std::mem::MaybeUninit;

use iotsec_ffi::{
    boot::*,
    status::{IOTSEC_OK, iotsec_status_t},
    update::*,
};

use super::{Step, freshness, number_call, on_copy, plain_call};
use crate::{Input, vectors, world::World};

/// An envelope that is right, or one with a piece of the input in it.
pub(super) fn envelope(input: &mut Input<'_>) -> (Vec<u8>, &'static [u8]) {
    let (image, envelope) = vectors::release(input.byte());
    let (mut envelope, at, piece) = (envelope.clone(), usize::from(input.byte()) * 2, input.piece());
    for (to, from) in envelope.iter_mut().skip(at).zip(piece) {
        *to = *from;
    }
    (envelope, image)
}

/// Tries both slots in turn, as a boot loader and its application do.
fn boot(world: &World) -> Result<iotsec_boot_t, iotsec_status_t> {
    let (config, mut boot) = (world.update_config(), MaybeUninit::uninit());
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and below.
    match unsafe { iotsec_boot_select(&raw const config, boot.as_mut_ptr()) } {
        // SAFETY: a success has written it.
        IOTSEC_OK => Ok(unsafe { boot.assume_init() }),
        status => Err(status),
    }
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_slot_provision", |world, input| {
        let (config, slot) = (world.update_config(), input.number());
        let (envelope, image) = envelope(input);
        // SAFETY: as above.
        unsafe {
            iotsec_slot_provision(
                &raw const config,
                slot,
                envelope.as_ptr(),
                envelope.len(),
                image.as_ptr(),
                image.len(),
            )
        }
    }),
    ("iotsec_boot_select", |world, _| {
        boot(world).map_or_else(|status| status, |_| IOTSEC_OK)
    }),
    ("iotsec_boot_verify", |world, input| {
        let (config, mut boot) = (world.update_config(), MaybeUninit::uninit());
        // SAFETY: as above.
        unsafe { iotsec_boot_verify(&raw const config, input.number(), boot.as_mut_ptr()) }
    }),
    ("iotsec_update_open", |world, input| {
        let (config, slot) = (world.update_config(), input.number());
        // SAFETY: as above.
        let status = unsafe { iotsec_update_open(world.update.at(), &raw const config, slot) };
        freshness::opened(world, status)
    }),
    ("a boot and iotsec_update_open", |world, _| {
        let config = world.update_config();
        let status = match boot(world) {
            // SAFETY: as above.
            Ok(boot) => unsafe { iotsec_update_open(world.update.at(), &raw const config, boot.slot) },
            Err(status) => status,
        };
        freshness::opened(world, status)
    }),
    ("iotsec_update_begin", |world, input| {
        let (now, mut resume) = (input.wide(), 0);
        // An update keeps it, and so does this list.
        let (envelope, _) = envelope(input);
        world.envelopes.push(envelope);
        let kept = &world.envelopes[world.envelopes.len() - 1];
        let (at, from, len) = (world.update.at(), kept.as_ptr(), kept.len());
        // SAFETY: as above.
        let status = unsafe { iotsec_update_begin(at, from, len, now, &raw mut resume) };
        if status == IOTSEC_OK {
            world.taken = usize::try_from(resume).expect("a length");
            freshness::begun(world);
        }
        status
    }),
    ("iotsec_update_write", |world, input| {
        let (image, _) = vectors::release(input.byte());
        let rest = image.get(world.taken..).unwrap_or_default();
        let (chunk, mut taken) = (&rest[..rest.len().min(input.size())], 0);
        // SAFETY: as above.
        let status =
            unsafe { iotsec_update_write(world.update.at(), chunk.as_ptr(), chunk.len(), &raw mut taken) };
        assert!(taken <= chunk.len());
        world.taken += taken;
        status
    }),
    ("the whole image", |world, input| {
        let (image, _) = vectors::release(input.byte());
        while let rest @ [_, ..] = image.get(world.taken..).unwrap_or_default() {
            let mut taken = 0;
            // SAFETY: as above.
            let status =
                unsafe { iotsec_update_write(world.update.at(), rest.as_ptr(), rest.len(), &raw mut taken) };
            if status != IOTSEC_OK {
                return status;
            }
            world.taken += taken;
        }
        IOTSEC_OK
    }),
    number_call!(update, iotsec_update_finish),
    ("all of iotsec_update_finish", |world, _| {
        let mut done = 0;
        while done == 0 {
            // SAFETY: as above.
            let status = unsafe { iotsec_update_finish(world.update.at(), &raw mut done) };
            if status != IOTSEC_OK {
                return status;
            }
        }
        IOTSEC_OK
    }),
    plain_call!(update, iotsec_update_install),
    plain_call!(update, iotsec_update_accept),
    plain_call!(update, iotsec_update_reject),
    plain_call!(update, iotsec_update_cancel),
    plain_call!(update, iotsec_update_forget_rejected),
    number_call!(update, iotsec_update_clean),
    ("iotsec_update_status", |world, _| {
        let mut status = MaybeUninit::uninit();
        // SAFETY: as above.
        unsafe { iotsec_update_status(world.update.at(), status.as_mut_ptr()) }
    }),
    plain_call!(update, iotsec_update_close),
    ("a copy of an update", |world, _| {
        let copy = world.update.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_update_install(copy) })
    }),
];
