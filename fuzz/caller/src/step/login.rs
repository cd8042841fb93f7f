use std::ptr;

use iotsec_ffi::{login::*, password::*, status::iotsec_status_t};

use super::{Step, filled, on_copy, plain_call};
use crate::{Input, board, board::size, world::World};

const PASSWORD: &[u8] = b"seven small otters";

fn attempt(
    world: &World,
    input: &mut Input<'_>,
    right: &[u8],
    how: unsafe extern "C" fn(
        *mut iotsec_login_t,
        *const std::ffi::c_char,
        usize,
        u64,
        *mut iotsec_scheme_t,
    ) -> iotsec_status_t,
) -> iotsec_status_t {
    let (now, mut scheme) = (input.wide(), 0);
    let text = match input.piece() {
        [] => right,
        piece => piece,
    };
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and below.
    let status = unsafe {
        how(
            world.login.at(),
            text.as_ptr().cast(),
            text.len(),
            now,
            &raw mut scheme,
        )
    };
    assert_eq!(scheme == 0, status != 0);
    status
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_password_generate", |world, input| {
        let (credential, entropy) = (world.credential(), board::entropy(world.ctx()));
        let exposure = input.number();
        // SAFETY: as above.
        let (status, label) = filled(input, |out, size, len| unsafe {
            iotsec_password_generate(
                &raw const credential,
                &raw const entropy,
                exposure,
                out.cast(),
                size,
                len,
            )
        });
        if status == 0 {
            world.label = label;
        }
        status
    }),
    ("iotsec_password_choose", |world, input| {
        let (credential, entropy) = (world.credential(), board::entropy(world.ctx()));
        let (password, context) = (input.piece(), [c"LAMP-0042".as_ptr(), ptr::null()]);
        let password = if password.is_empty() { PASSWORD } else { password };
        // SAFETY: as above.
        unsafe {
            iotsec_password_choose(
                &raw const credential,
                &raw const entropy,
                IOTSEC_EXPOSURE_ONLINE,
                IOTSEC_ITERATIONS_MCU,
                password.as_ptr().cast(),
                password.len(),
                context.as_ptr(),
                usize::from(input.byte() % 3),
            )
        }
    }),
    ("iotsec_password_choose_argon2id", |world, input| {
        let (credential, entropy) = (world.credential(), board::entropy(world.ctx()));
        let (lent, context) = (world.argon2id(input), [c"LAMP-0042".as_ptr()]);
        // SAFETY: as above.
        unsafe {
            iotsec_password_choose_argon2id(
                &raw const credential,
                &raw const entropy,
                IOTSEC_EXPOSURE_ONLINE,
                &raw const lent,
                PASSWORD.as_ptr().cast(),
                PASSWORD.len(),
                context.as_ptr(),
                1,
            )
        }
    }),
    ("iotsec_login_lend_argon2id", |world, input| {
        let lent = world.argon2id(input);
        // SAFETY: as above.
        unsafe { iotsec_login_lend_argon2id(world.login.at(), &raw const lent) }
    }),
    ("iotsec_login_attempt_with_rehash", |world, input| {
        let (entropy, now, mut scheme) = (board::entropy(world.ctx()), input.wide(), 0);
        let text = match input.piece() {
            [] => PASSWORD,
            piece => piece,
        };
        // SAFETY: as above.
        unsafe {
            iotsec_login_attempt_with_rehash(
                world.login.at(),
                &raw const entropy,
                IOTSEC_ITERATIONS_MCU,
                text.as_ptr().cast(),
                text.len(),
                now,
                &raw mut scheme,
            )
        }
    }),
    ("iotsec_login_open", |world, input| {
        let credential = world.credential();
        let policy = iotsec_login_policy_t {
            struct_size: size::<iotsec_login_policy_t>(),
            limit: input.byte().into(),
            longest_ms: 60_000,
        };
        let policy = if policy.limit == 0 {
            ptr::null()
        } else {
            &raw const policy
        };
        // SAFETY: as above.
        unsafe { iotsec_login_open(world.login.at(), &raw const credential, policy) }
    }),
    ("iotsec_login_attempt_label", |world, input| {
        attempt(world, input, &world.label, iotsec_login_attempt_label)
    }),
    ("iotsec_login_attempt_text", |world, input| {
        attempt(world, input, PASSWORD, iotsec_login_attempt_text)
    }),
    ("iotsec_login_status", |world, input| {
        let mut status = std::mem::MaybeUninit::uninit();
        // SAFETY: as above.
        unsafe { iotsec_login_status(world.login.at(), input.wide(), status.as_mut_ptr()) }
    }),
    ("iotsec_login_unlock", |world, _| {
        let presence = board::presence(world.ctx());
        // SAFETY: as above.
        unsafe { iotsec_login_unlock(world.login.at(), &raw const presence) }
    }),
    plain_call!(login, iotsec_login_close),
    ("a copy of a login", |world, _| {
        let copy = world.login.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_login_close(copy) })
    }),
];
