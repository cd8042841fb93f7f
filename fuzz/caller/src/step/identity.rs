use std::{ffi::c_void, mem::MaybeUninit};

use iotsec_ffi::{
    device::identity::*,
    signer::{IOTSEC_SIGNATURE_LEN, iotsec_signer_t},
    status::{IOTSEC_ERR_STATE, IOTSEC_OK, iotsec_status_t},
};

use super::{Step, call_back, filled, number_call, plain_call};
use crate::guarded::Guarded;

/// Around the key of the request that was made last.
fn certificate_for(request: &[u8]) -> Vec<u8> {
    let start = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70];
    let at = request.windows(9).position(|part| part == start);
    let key = at.and_then(|at| request.get(at..at + 44)).unwrap_or_default();
    let head = [
        0x30, 0x43, 0x30, 0x3C, 0xA0, 3, 2, 1, 2, 2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0,
    ];
    [&head, key, &[0x30, 0, 0x03, 1, 0]].concat()
}

fn call_in(device: *mut c_void) -> iotsec_status_t {
    // SAFETY: the device that is in a call; here and below, pointers are to live values that nobody else uses, as large as
    // the length beside them says.
    unsafe { iotsec_identity_start(device.cast()) }
}

pub(super) const STEPS: &[(&str, Step)] = &[
    plain_call!(device, iotsec_identity_use_ed25519),
    plain_call!(device, iotsec_identity_use_p256),
    plain_call!(device, iotsec_identity_make),
    ("iotsec_identity_adopt", |world, input| {
        let seed = [input.byte(), 0, 1, 2, 3, 4, 5, 6].repeat(4);
        // SAFETY: as above.
        unsafe { iotsec_identity_adopt(world.device.at(), seed.as_ptr()) }
    }),
    number_call!(device, iotsec_identity_status),
    plain_call!(device, iotsec_identity_start),
    ("iotsec_identity_request", |world, input| {
        let (at, which, subject) = (world.device.at(), input.number(), input.piece());
        let subject = if subject.is_empty() { b"LAMP-0042" } else { subject };
        // SAFETY: as above.
        let (status, request) = filled(input, |out, size, len| unsafe {
            iotsec_identity_request(at, which, subject.as_ptr().cast(), subject.len(), out, size, len)
        });
        if status == IOTSEC_OK {
            world.request = request;
        }
        status
    }),
    ("iotsec_identity_certify", |world, input| {
        let (which, piece) = (input.number(), input.piece());
        let certificate = match piece {
            [] => certificate_for(&world.request),
            piece => piece.to_vec(),
        };
        // SAFETY: as above.
        unsafe { iotsec_identity_certify(world.device.at(), which, certificate.as_ptr(), certificate.len()) }
    }),
    ("iotsec_identity_certificate", |world, input| {
        let (at, which) = (world.device.at(), input.number());
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_identity_certificate(at, which, out, size, len)
        })
        .0
    }),
    ("iotsec_identity_signer", |world, input| {
        let mut signer = MaybeUninit::<iotsec_signer_t>::uninit();
        // SAFETY: as above.
        let status =
            unsafe { iotsec_identity_signer(world.device.at(), input.number(), signer.as_mut_ptr()) };
        if status == IOTSEC_OK {
            // SAFETY: it was written, as the status says.
            world.signer = Some(unsafe { signer.assume_init() });
        }
        status
    }),
    ("a signature of the identity", |world, input| {
        let Some(signer) = world.signer else {
            return IOTSEC_ERR_STATE;
        };
        let (message, mut out) = (input.piece(), Guarded::new(IOTSEC_SIGNATURE_LEN));
        let (sign, at) = (signer.sign.expect("it has one"), out.at());
        // SAFETY: as above. The device is storage for as long as the world lasts, open or not.
        let status = unsafe { sign(signer.ctx, message.as_ptr(), message.len(), at) };
        out.sides();
        status
    }),
    plain_call!(device, iotsec_identity_commit),
    plain_call!(device, iotsec_identity_cancel),
    ("an identity that is called back", |world, _| {
        let at = world.device.at();
        call_back(world, call_in, at.cast());
        let mut step = 0;
        // SAFETY: as above.
        let status = unsafe { iotsec_identity_status(at, &raw mut step) };
        world.board().call_back = None;
        status
    }),
];
