use std::mem::MaybeUninit;

use iotsec_ffi::{
    key::{agree::*, cipher::*, life::*, sign::*, *},
    signer::IOTSEC_SIGNATURE_LEN,
    status::{IOTSEC_OK, iotsec_status_t},
};

use super::{Step, filled, store::key as name};
use crate::{Input, guarded::Guarded, world::World};

fn spec(input: &mut Input<'_>) -> iotsec_key_spec_t {
    iotsec_key_spec_t {
        id: name(input),
        kind: input.number(),
        usage: input.byte().into(),
    }
}

/// One of those that the world remembers, as it was given or with another number.
fn remembered(world: &World, input: &mut Input<'_>) -> iotsec_key_t {
    let byte = input.byte();
    let mut key = world.keys[usize::from(byte & 3)];
    key.number = key.number.wrapping_add(u32::from(byte >> 7));
    key
}

/// A call that gives a key, which the world remembers in one of its places.
fn given(
    world: &mut World,
    place: u8,
    call: impl FnOnce(*mut iotsec_key_t) -> iotsec_status_t,
) -> iotsec_status_t {
    let mut key = MaybeUninit::uninit();
    let status = call(key.as_mut_ptr());
    if status == IOTSEC_OK {
        // SAFETY: it was written, as the status says; here and below, pointers are to live values that nobody else uses,
        // as large as the length beside them says.
        world.keys[usize::from(place & 3)] = unsafe { key.assume_init() };
    }
    status
}

/// A call that fills so many bytes, or leaves them as they are.
fn fixed(len: usize, call: impl FnOnce(*mut u8) -> iotsec_status_t) -> (iotsec_status_t, Vec<u8>) {
    let mut out = Guarded::new(len);
    let status = call(out.at());
    (status, out.sides().to_vec())
}

/// The public half of a key of the world's, or a piece of the input.
fn peer(world: &World, input: &mut Input<'_>) -> Vec<u8> {
    match input.piece() {
        [] => world.public.clone(),
        piece => piece.to_vec(),
    }
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_key_generate", |world, input| {
        let (place, spec, at) = (input.byte(), spec(input), world.store.at());
        // SAFETY: as above.
        given(world, place, |key| unsafe {
            iotsec_key_generate(at, &raw const spec, key)
        })
    }),
    ("iotsec_key_import", |world, input| {
        let (place, spec, at) = (input.byte(), spec(input), world.store.at());
        let bytes = match input.piece() {
            [] => *b"an imported key, not a good one.",
            piece => std::array::from_fn(|at| piece.get(at).copied().unwrap_or(7)),
        };
        // SAFETY: as above.
        given(world, place, |key| unsafe {
            iotsec_key_import(at, &raw const spec, bytes.as_ptr(), bytes.len(), key)
        })
    }),
    ("iotsec_key_open", |world, input| {
        let (place, id, at) = (input.byte(), name(input), world.store.at());
        // SAFETY: as above.
        given(world, place, |key| unsafe { iotsec_key_open(at, id, key) })
    }),
    ("iotsec_key_export", |world, input| {
        let (at, key) = (world.store.at(), remembered(world, input));
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_key_export(at, &raw const key, out, size, len)
        })
        .0
    }),
    ("iotsec_key_rotate", |world, input| {
        let (place, at, key) = (input.byte(), world.store.at(), remembered(world, input));
        // SAFETY: as above.
        given(world, place, |next| unsafe {
            iotsec_key_rotate(at, &raw const key, next)
        })
    }),
    ("iotsec_key_previous", |world, input| {
        let (place, at, key) = (input.byte(), world.store.at(), remembered(world, input));
        // SAFETY: as above.
        given(world, place, |previous| unsafe {
            iotsec_key_previous(at, &raw const key, previous)
        })
    }),
    ("iotsec_key_retire", |world, input| {
        let key = remembered(world, input);
        // SAFETY: as above.
        unsafe { iotsec_key_retire(world.store.at(), &raw const key) }
    }),
    ("iotsec_key_destroy", |world, input| {
        let key = remembered(world, input);
        // SAFETY: as above.
        unsafe { iotsec_key_destroy(world.store.at(), &raw const key) }
    }),
    ("iotsec_key_public", |world, input| {
        let (at, key) = (world.store.at(), remembered(world, input));
        // SAFETY: as above.
        let (status, public) = filled(input, |out, size, len| unsafe {
            iotsec_key_public(at, &raw const key, out, size, len)
        });
        if status == IOTSEC_OK {
            world.public = public;
        }
        status
    }),
    ("iotsec_key_sign", |world, input| {
        let (at, key, message) = (world.store.at(), remembered(world, input), input.piece());
        // SAFETY: as above.
        let (status, signature) = fixed(IOTSEC_SIGNATURE_LEN, |out| unsafe {
            iotsec_key_sign(at, &raw const key, message.as_ptr(), message.len(), out)
        });
        if status == IOTSEC_OK {
            world.signature = signature;
        }
        status
    }),
    ("iotsec_key_mac", |world, input| {
        let (at, key, message) = (world.store.at(), remembered(world, input), input.piece());
        // SAFETY: as above.
        let (status, mac) = fixed(IOTSEC_MAC_LEN, |out| unsafe {
            iotsec_key_mac(at, &raw const key, message.as_ptr(), message.len(), out)
        });
        if status == IOTSEC_OK {
            world.signature = mac;
        }
        status
    }),
    ("iotsec_key_verify", |world, input| {
        let (key, message) = (remembered(world, input), input.piece());
        let signature = match input.piece() {
            [] => &world.signature[..],
            piece => piece,
        };
        // SAFETY: as above.
        unsafe {
            iotsec_key_verify(
                world.store.at(),
                &raw const key,
                message.as_ptr(),
                message.len(),
                signature.as_ptr(),
                signature.len(),
            )
        }
    }),
    ("iotsec_key_encrypt", |world, input| {
        let (at, key) = (world.store.at(), remembered(world, input));
        let (aad, text) = (input.piece(), input.piece());
        // SAFETY: as above.
        let (status, sealed) = filled(input, |out, size, len| unsafe {
            iotsec_key_encrypt(
                at,
                &raw const key,
                aad.as_ptr(),
                aad.len(),
                text.as_ptr(),
                text.len(),
                out,
                size,
                len,
            )
        });
        if status == IOTSEC_OK {
            world.sealed = sealed;
        }
        status
    }),
    ("iotsec_key_decrypt", |world, input| {
        let (at, key, aad) = (world.store.at(), remembered(world, input), input.piece());
        let sealed = match input.piece() {
            [] => world.sealed.clone(),
            piece => piece.to_vec(),
        };
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_key_decrypt(
                at,
                &raw const key,
                aad.as_ptr(),
                aad.len(),
                sealed.as_ptr(),
                sealed.len(),
                out,
                size,
                len,
            )
        })
        .0
    }),
    ("iotsec_key_derive", |world, input| {
        let (place, at, base) = (input.byte(), world.store.at(), remembered(world, input));
        let (spec, label) = (spec(input), input.piece());
        // SAFETY: as above.
        given(world, place, |key| unsafe {
            iotsec_key_derive(
                at,
                &raw const base,
                label.as_ptr(),
                label.len(),
                &raw const spec,
                key,
            )
        })
    }),
    ("iotsec_key_derive_secret", |world, input| {
        let (at, base, label) = (world.store.at(), remembered(world, input), input.piece());
        // SAFETY: as above.
        fixed(IOTSEC_KEY_LEN, |out| unsafe {
            iotsec_key_derive_secret(at, &raw const base, label.as_ptr(), label.len(), out)
        })
        .0
    }),
    ("iotsec_key_agree", |world, input| {
        let (place, at, base) = (input.byte(), world.store.at(), remembered(world, input));
        let (spec, peer, label) = (spec(input), peer(world, input), input.piece());
        // SAFETY: as above.
        given(world, place, |key| unsafe {
            iotsec_key_agree(
                at,
                &raw const base,
                peer.as_ptr(),
                peer.len(),
                label.as_ptr(),
                label.len(),
                &raw const spec,
                key,
            )
        })
    }),
    ("iotsec_key_agree_secret", |world, input| {
        let (at, base) = (world.store.at(), remembered(world, input));
        let (peer, label) = (peer(world, input), input.piece());
        // SAFETY: as above.
        fixed(IOTSEC_KEY_LEN, |out| unsafe {
            iotsec_key_agree_secret(
                at,
                &raw const base,
                peer.as_ptr(),
                peer.len(),
                label.as_ptr(),
                label.len(),
                out,
            )
        })
        .0
    }),
];
