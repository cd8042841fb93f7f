use std::mem::MaybeUninit;

use iotsec_ffi::{pairing::*, status::iotsec_status_t};

use super::{Step, filled, on_copy, plain_call};
use crate::{Input, board, guarded::Guarded, world::World};

const APP: &[u8] = b"phone-7";
/// The base point of the curve (SEC 2, 2.4.2): a share like any other.
const SHARE: [u8; IOTSEC_PAIRING_SHARE_LEN] = [
    0x04, 0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96, 0x4f,
    0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16, 0x2b, 0xce,
    0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];

/// Bytes that are right, with a piece of the input over them.
fn over<const N: usize>(mut bytes: [u8; N], input: &mut Input<'_>) -> [u8; N] {
    for (to, from) in bytes.iter_mut().zip(input.piece()) {
        *to = *from;
    }
    bytes
}

fn answer(world: &World, input: &mut Input<'_>, pairing: *mut iotsec_pairing_t) -> iotsec_status_t {
    let (now, share, mut out) = (
        input.wide(),
        over(SHARE, input),
        Guarded::new(IOTSEC_PAIRING_ANSWER_LEN),
    );
    let name = match input.piece() {
        [] => APP,
        piece => piece,
    };
    let (at, device) = (out.at(), world.device.at());
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and below.
    let status = unsafe {
        iotsec_pairing_answer(
            pairing,
            device,
            name.as_ptr(),
            name.len(),
            share.as_ptr(),
            now,
            at,
        )
    };
    out.sides();
    status
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_device_draw_setup_code", |world, input| {
        let (at, iterations) = (world.device.at(), 1000 + u32::from(input.byte() % 2));
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_device_draw_setup_code(at, iterations, out.cast(), size, len)
        })
        .0
    }),
    ("iotsec_pairing_parameters", |world, _| {
        let mut out = Guarded::new(IOTSEC_PAIRING_PARAMETERS_LEN);
        let at = out.at();
        // SAFETY: as above.
        let status = unsafe { iotsec_pairing_parameters(world.device.at(), at) };
        out.sides();
        status
    }),
    ("iotsec_pairing_open", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_pairing_open(world.device.at(), input.wide(), input.wide()) }
    }),
    ("iotsec_pairing_open_by_presence", |world, input| {
        let presence = board::presence(world.ctx());
        let at = world.device.at();
        // SAFETY: as above.
        unsafe { iotsec_pairing_open_by_presence(at, &raw const presence, input.wide(), input.wide()) }
    }),
    ("iotsec_pairing_answer", |world, input| {
        answer(world, input, world.pairing.at())
    }),
    ("iotsec_pairing_finish", |world, input| {
        let (confirm, mut keys) = (
            over([0; IOTSEC_PAIRING_CONFIRM_LEN], input),
            MaybeUninit::uninit(),
        );
        let (pairing, device, now) = (world.pairing.at(), world.device.at(), input.wide());
        // SAFETY: as above.
        unsafe { iotsec_pairing_finish(pairing, device, confirm.as_ptr(), now, keys.as_mut_ptr()) }
    }),
    plain_call!(pairing, iotsec_pairing_close),
    ("a copy of a pairing", |world, _| {
        let copy = world.pairing.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_pairing_close(copy) })
    }),
];
