use std::{mem::MaybeUninit, ptr};

use iotsec_ffi::{
    input::*,
    status::{IOTSEC_ERR_SHORT_BUFFER, IOTSEC_OK},
    surface::*,
};

use super::{Step, filled};

pub(super) const APP: iotsec_interface_t = iotsec_interface_t {
    id: c"app".as_ptr(),
    purpose: c"The owner's app".as_ptr(),
    name: ptr::null(),
    kind: IOTSEC_INTERFACE_TCP,
    number: 8443,
    phases: IOTSEC_PHASE_OWNED,
    scope: IOTSEC_SCOPE_LOCAL,
    authentication: IOTSEC_AUTHENTICATION_PASSWORD,
    protocol: 0,
    destination: IOTSEC_DESTINATION_ANY,
};

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_input_check", |_, input| {
        let (kind, text, mut offset) = (input.number(), input.piece(), usize::MAX);
        // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and
        // below.
        let status = unsafe { iotsec_input_check(kind, text.as_ptr(), text.len(), &raw mut offset) };
        assert!(offset == usize::MAX || offset <= text.len());
        status
    }),
    ("iotsec_input_decode", |_, input| {
        let (kind, text) = (input.number(), input.piece());
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_input_decode(kind, text.as_ptr(), text.len(), out, size, len, ptr::null_mut())
        })
        .0
    }),
    ("iotsec_input_integer", |_, input| {
        let (min, max) = (input.wide().cast_signed(), input.wide().cast_signed());
        let (text, mut value) = (input.piece(), 0);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_input_integer(
                text.as_ptr(),
                text.len(),
                min,
                max,
                &raw mut value,
                ptr::null_mut(),
            )
        };
        assert!(status != IOTSEC_OK || (min..=max).contains(&value));
        status
    }),
    ("iotsec_input_version", |_, input| {
        let (text, mut version) = (input.piece(), MaybeUninit::uninit());
        // SAFETY: as above.
        unsafe { iotsec_input_version(text.as_ptr(), text.len(), version.as_mut_ptr(), ptr::null_mut()) }
    }),
    ("iotsec_input_url", |_, input| {
        let (text, mut url) = (input.piece(), MaybeUninit::uninit());
        // SAFETY: as above.
        unsafe { iotsec_input_url(text.as_ptr(), text.len(), url.as_mut_ptr(), ptr::null_mut()) }
    }),
    ("iotsec_input_mqtt_matches", |_, input| {
        let (filter, topic, mut matches) = (input.piece(), input.piece(), 7);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_input_mqtt_matches(
                filter.as_ptr(),
                filter.len(),
                topic.as_ptr(),
                topic.len(),
                &raw mut matches,
                ptr::null_mut(),
            )
        };
        assert_eq!(matches == 7, status != IOTSEC_OK);
        status
    }),
    ("iotsec_surface_audit", |_, input| {
        let (table, phase, least) = ([APP], input.number(), input.number());
        let path = input.piece();
        let mut listeners = Vec::new();
        for _ in 0..input.byte() % 4 {
            let mut address = [0; 16];
            for (to, from) in address.iter_mut().zip(input.piece()) {
                *to = *from;
            }
            listeners.push(iotsec_listener_t {
                kind: input.number(),
                number: input.wide().try_into().unwrap_or(u32::MAX),
                address,
                address_len: input.byte().into(),
                reserved: 0,
                path: path.as_ptr(),
                path_len: path.len(),
                inode: 0,
            });
        }
        let room = usize::from(input.byte() % 6);
        let mut found = vec![MaybeUninit::<iotsec_surface_finding_t>::uninit(); room];
        let (mut len, mut open) = (usize::MAX, 0);
        // SAFETY: as above.
        let status = unsafe {
            iotsec_surface_audit(
                table.as_ptr(),
                1,
                phase,
                least,
                listeners.as_ptr(),
                listeners.len(),
                found.as_mut_ptr().cast(),
                room,
                &raw mut len,
                &raw mut open,
            )
        };
        match status {
            IOTSEC_OK => assert!(len <= room),
            IOTSEC_ERR_SHORT_BUFFER => assert!(len > room),
            _ => assert_eq!(len, usize::MAX),
        }
        status
    }),
    ("iotsec_surface_read_sockets", |_, input| {
        let (file, text) = (input.number(), input.piece());
        let (mut sockets, mut len) = ([MaybeUninit::<iotsec_listener_t>::uninit(); 4], 0);
        let at = sockets.as_mut_ptr().cast();
        // SAFETY: as above.
        unsafe { iotsec_surface_read_sockets(file, text.as_ptr(), text.len(), at, 4, &raw mut len) }
    }),
];
