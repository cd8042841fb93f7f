use iotsec_ffi::{
    device::{erase::*, owner::*, *},
    erased::{IOTSEC_RECEIPT_MAX, iotsec_erased_verify},
    password::{IOTSEC_EXPOSURE_ONLINE, IOTSEC_ITERATIONS_MCU},
    security::*,
    setup::*,
    signer::IOTSEC_KEY_ED25519,
    status::{IOTSEC_OK, iotsec_status_t},
};

use super::{Step, call_back, filled, number_call, on_copy, plain_call};
use crate::{Input, board, board::size, world::World};

const PASSWORD: &[u8] = b"seven small otters";

fn open(
    world: &mut World,
    input: &mut Input<'_>,
    how: unsafe extern "C" fn(*mut iotsec_device_t, *const iotsec_device_config_t) -> iotsec_status_t,
) -> iotsec_status_t {
    let config = world.device_config(input.byte() % 2 == 1);
    // SAFETY: everything in the configuration outlives the object; here and below, pointers are to live values that
    // nobody else uses, as large as the length beside them says.
    unsafe { how(world.device.at(), &raw const config) }
}

/// The password that is right, or a piece of the input.
fn password<'i>(input: &mut Input<'i>) -> &'i [u8] {
    match input.piece() {
        [] => PASSWORD,
        piece => piece,
    }
}

/// The proof that was given, or a number.
fn owner(world: &World, input: &mut Input<'_>) -> iotsec_owner_t {
    match input.byte() {
        0 => world.owner,
        other => other.into(),
    }
}

fn label(world: &World, input: &mut Input<'_>) -> Vec<u8> {
    match input.piece() {
        [] => world.label.clone(),
        piece => piece.to_vec(),
    }
}

pub(super) fn observed(input: &mut Input<'_>) -> iotsec_observed_t {
    iotsec_observed_t {
        struct_size: size::<iotsec_observed_t>(),
        software: input.number(),
        updates: input.number(),
        updates_ask: 0,
        undeclared: input.number(),
        debug: input.number(),
        support_until_s: input.wide(),
        time_s: input.wide(),
    }
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_device_format", |world, input| {
        open(world, input, iotsec_device_format)
    }),
    ("iotsec_device_open", |world, input| {
        open(world, input, iotsec_device_open)
    }),
    number_call!(device, iotsec_device_state),
    ("iotsec_device_draw_code", |world, input| {
        let at = world.device.at();
        // SAFETY: as above.
        let (status, label) = filled(input, |out, size, len| unsafe {
            iotsec_device_draw_code(at, IOTSEC_EXPOSURE_ONLINE, out.cast(), size, len)
        });
        if status == IOTSEC_OK {
            world.label = label;
        }
        status
    }),
    ("iotsec_device_provision", |world, input| {
        let mut enrolment = std::mem::MaybeUninit::uninit();
        let serial = match input.piece() {
            [] => b"LAMP-0042",
            piece => piece,
        };
        // SAFETY: as above.
        unsafe {
            iotsec_device_provision(
                world.device.at(),
                serial.as_ptr().cast(),
                serial.len(),
                enrolment.as_mut_ptr(),
            )
        }
    }),
    ("iotsec_device_serial", |world, input| {
        let at = world.device.at();
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_device_serial(at, out.cast(), size, len)
        })
        .0
    }),
    ("iotsec_device_login", |world, input| {
        let (password, now, mut owner) = (password(input), input.wide(), 0);
        let (at, text) = (world.device.at(), password.as_ptr().cast());
        // SAFETY: as above.
        let status = unsafe { iotsec_device_login(at, text, password.len(), now, &raw mut owner) };
        assert_eq!(owner == 0, status != IOTSEC_OK);
        world.owner = owner;
        status
    }),
    plain_call!(device, iotsec_device_logout),
    ("iotsec_device_login_status", |world, input| {
        let mut status = std::mem::MaybeUninit::uninit();
        // SAFETY: as above.
        unsafe { iotsec_device_login_status(world.device.at(), input.wide(), status.as_mut_ptr()) }
    }),
    ("iotsec_device_unlock", |world, _| {
        let presence = board::presence(world.ctx());
        // SAFETY: as above.
        unsafe { iotsec_device_unlock(world.device.at(), &raw const presence) }
    }),
    ("iotsec_device_set_password", |world, input| {
        let (owner, at) = (owner(world, input), world.device.at());
        let password = password(input);
        let (text, context) = (password.as_ptr().cast(), [c"LAMP-0042".as_ptr()]);
        // SAFETY: as above.
        unsafe {
            iotsec_device_set_password(
                at,
                owner,
                IOTSEC_EXPOSURE_ONLINE,
                IOTSEC_ITERATIONS_MCU,
                text,
                password.len(),
                context.as_ptr(),
                1,
            )
        }
    }),
    ("iotsec_device_set_network", |world, input| {
        let (owner, network) = (owner(world, input), input.piece());
        // SAFETY: as above.
        unsafe { iotsec_device_set_network(world.device.at(), owner, network.as_ptr(), network.len()) }
    }),
    ("iotsec_device_network", |world, input| {
        let at = world.device.at();
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_device_network(at, out, size, len)
        })
        .0
    }),
    ("iotsec_device_put", |world, input| {
        let (key, value) = (input.wide() | 1 << 32, input.piece());
        // SAFETY: as above.
        unsafe { iotsec_device_put(world.device.at(), key, value.as_ptr(), value.len()) }
    }),
    ("iotsec_device_get", |world, input| {
        let (key, at) = (input.wide() | 1 << 32, world.device.at());
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_device_get(at, key, out, size, len)
        })
        .0
    }),
    ("iotsec_device_remove", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_device_remove(world.device.at(), input.wide() | 1 << 32) }
    }),
    ("iotsec_device_reset", |world, input| {
        let owner = owner(world, input);
        // SAFETY: as above.
        unsafe { iotsec_device_reset(world.device.at(), owner, input.wide(), 0) }
    }),
    ("iotsec_device_transfer", |world, input| {
        let owner = owner(world, input);
        // SAFETY: as above.
        unsafe { iotsec_device_transfer(world.device.at(), owner, 0, input.wide()) }
    }),
    ("iotsec_device_retire", |world, input| {
        let (owner, nonce) = (owner(world, input), input.piece());
        // SAFETY: as above.
        unsafe { iotsec_device_retire(world.device.at(), owner, 0, 0, nonce.as_ptr(), nonce.len()) }
    }),
    ("iotsec_device_give_up", |world, input| {
        let label = label(world, input);
        // SAFETY: as above.
        unsafe {
            iotsec_device_give_up(
                world.device.at(),
                label.as_ptr().cast(),
                label.len(),
                1_000_000,
                0,
            )
        }
    }),
    ("iotsec_device_give_up_by_presence", |world, _| {
        let presence = board::presence(world.ctx());
        // SAFETY: as above.
        unsafe { iotsec_device_give_up_by_presence(world.device.at(), &raw const presence, 0, 0) }
    }),
    plain_call!(device, iotsec_device_begin_scrub),
    number_call!(device, iotsec_device_scrub_step),
    ("iotsec_device_receipt", |world, input| {
        let (at, nonce) = (world.device.at(), input.piece());
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_device_receipt(at, nonce.as_ptr(), nonce.len(), out, size, len)
        })
        .0
    }),
    plain_call!(device, iotsec_device_close),
    ("iotsec_setup_begin", |world, input| {
        let plan = iotsec_setup_plan_t {
            struct_size: size::<iotsec_setup_plan_t>(),
            online: input.number(),
            identity: input.number(),
            reserved: 0,
            made_s: 1_790_000_000,
        };
        // SAFETY: as above.
        unsafe { iotsec_setup_begin(world.device.at(), &raw const plan) }
    }),
    ("iotsec_setup_present_label", |world, input| {
        let now = input.wide();
        let label = label(world, input);
        // SAFETY: as above.
        unsafe { iotsec_setup_present_label(world.device.at(), label.as_ptr().cast(), label.len(), now) }
    }),
    plain_call!(device, iotsec_setup_leave),
    ("iotsec_setup_give_network", |world, input| {
        let network = input.piece();
        // SAFETY: as above.
        unsafe { iotsec_setup_give_network(world.device.at(), network.as_ptr(), network.len()) }
    }),
    ("iotsec_setup_report", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_setup_report(world.device.at(), input.number()) }
    }),
    ("iotsec_setup_set_time", |world, input| {
        // SAFETY: as above.
        unsafe { iotsec_setup_set_time(world.device.at(), input.wide() << 20) }
    }),
    ("iotsec_setup_restart", |world, _| {
        let presence = board::presence(world.ctx());
        // SAFETY: as above.
        unsafe { iotsec_setup_restart(world.device.at(), &raw const presence, 0, 0) }
    }),
    ("iotsec_setup_status", |world, input| {
        let mut status = std::mem::MaybeUninit::uninit();
        // SAFETY: as above.
        unsafe { iotsec_setup_status(world.device.at(), input.wide(), status.as_mut_ptr()) }
    }),
    ("iotsec_setup_status_json", |world, input| {
        let (at, now) = (world.device.at(), input.wide());
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_setup_status_json(at, now, out.cast(), size, len)
        })
        .0
    }),
    ("iotsec_setup_claim", |world, input| {
        let (password, context) = (password(input), [c"LAMP-0042".as_ptr()]);
        // SAFETY: as above.
        unsafe {
            iotsec_setup_claim(
                world.device.at(),
                IOTSEC_EXPOSURE_ONLINE,
                IOTSEC_ITERATIONS_MCU,
                password.as_ptr().cast(),
                password.len(),
                context.as_ptr(),
                1,
            )
        }
    }),
    ("iotsec_security_status_json", |world, input| {
        let (at, observed, now) = (world.device.at(), observed(input), input.wide());
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_security_status_json(at, &raw const observed, now, out.cast(), size, len)
        })
        .0
    }),
    ("a copy of a device", |world, _| {
        let copy = world.device.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_device_close(copy) })
    }),
    ("a device that is called back", |world, input| {
        let at = world.device.at();
        call_back(
            world,
            // SAFETY: as above.
            |device| unsafe { iotsec_device_logout(device.cast()) },
            at.cast(),
        );
        // SAFETY: as above.
        let status = filled(input, |out, size, len| unsafe {
            iotsec_device_serial(at, out.cast(), size, len)
        })
        .0;
        world.board().call_back = None;
        status
    }),
    ("iotsec_erased_verify", |_, input| {
        let (key, receipt) = (crate::vectors::public_key(), input.piece());
        let mut erased = std::mem::MaybeUninit::uninit();
        assert!(receipt.len() <= IOTSEC_RECEIPT_MAX);
        // SAFETY: as above.
        unsafe {
            iotsec_erased_verify(
                IOTSEC_KEY_ED25519,
                key.as_ptr(),
                32,
                receipt.as_ptr(),
                receipt.len(),
                std::ptr::null(),
                0,
                erased.as_mut_ptr(),
            )
        }
    }),
    ("iotsec_device_lend_argon2id", |world, input| {
        let lent = world.argon2id(input);
        // SAFETY: as above.
        unsafe { iotsec_device_lend_argon2id(world.device.at(), &raw const lent) }
    }),
    ("iotsec_device_login_with_rehash", |world, input| {
        let (password, now, mut proof) = (password(input), input.wide(), 0);
        // SAFETY: as above.
        let status = unsafe {
            let (text, len) = (password.as_ptr().cast(), password.len());
            let rounds = IOTSEC_ITERATIONS_MCU;
            iotsec_device_login_with_rehash(world.device.at(), rounds, text, len, now, &raw mut proof)
        };
        if status == IOTSEC_OK {
            world.owner = proof;
        }
        status
    }),
];
