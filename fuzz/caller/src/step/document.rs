//! JSON, documents by a table, Wi-Fi codes, numbers with units.

use std::{ffi::CStr, mem::MaybeUninit, ptr};

use iotsec_ffi::{
    input::{document::*, json::*, wifi::*, *},
    status::{IOTSEC_ERR_SHORT_BUFFER, IOTSEC_OK, iotsec_status_t},
};

use super::{Step, filled, on_copy, plain_call};
use crate::{Input, board::size, guarded::Guarded, world::World};

const FIELD: iotsec_document_field_t = iotsec_document_field_t {
    name: ptr::null(),
    kind: IOTSEC_DOCUMENT_INTEGER,
    presence: IOTSEC_DOCUMENT_OPTIONAL,
    min: 0,
    max: 0,
    fallback: 0,
    input: 0,
    count: 0,
    choices: ptr::null(),
    fields: ptr::null(),
};

/// Constants of the program.
struct Tables {
    _choices: Box<[*const std::ffi::c_char; 2]>,
    _inner: Box<[iotsec_document_field_t; 2]>,
    _element: Box<iotsec_document_field_t>,
    fields: Vec<iotsec_document_field_t>,
}

fn named(name: &'static CStr, kind: iotsec_document_kind_t) -> iotsec_document_field_t {
    iotsec_document_field_t {
        name: name.as_ptr(),
        kind,
        ..FIELD
    }
}

fn tables(input: &mut Input<'_>) -> Tables {
    let choices = Box::new([c"on".as_ptr(), c"off".as_ptr()]);
    let inner = Box::new([
        iotsec_document_field_t {
            max: 20,
            ..named(c"n", IOTSEC_DOCUMENT_INTEGER)
        },
        iotsec_document_field_t {
            max: 20,
            input: input.number(),
            ..named(c"t", IOTSEC_DOCUMENT_TEXT)
        },
    ]);
    let element = Box::new(iotsec_document_field_t {
        kind: IOTSEC_DOCUMENT_OBJECT,
        presence: IOTSEC_DOCUMENT_REQUIRED,
        count: 2,
        fields: inner.as_ptr(),
        ..FIELD
    });
    let last = iotsec_document_field_t {
        presence: input.number(),
        min: input.wide().cast_signed(),
        max: input.wide().cast_signed(),
        fallback: input.wide().cast_signed(),
        ..named(c"z", IOTSEC_DOCUMENT_INTEGER)
    };
    let fields = vec![
        iotsec_document_field_t {
            max: 4,
            count: 1,
            fields: &raw const *element,
            ..named(c"l", IOTSEC_DOCUMENT_LIST)
        },
        iotsec_document_field_t {
            count: 2,
            choices: choices.as_ptr(),
            ..named(c"c", IOTSEC_DOCUMENT_CHOICE)
        },
        iotsec_document_field_t {
            count: 2,
            fields: inner.as_ptr(),
            ..named(c"o", IOTSEC_DOCUMENT_OBJECT)
        },
        named(c"b", IOTSEC_DOCUMENT_BOOL),
        last,
    ];
    Tables {
        _choices: choices,
        _inner: inner,
        _element: element,
        fields,
    }
}

/// Every value lies where its parent says, and every text in the document or in the scratch.
fn judge(values: &[iotsec_document_value_t], places: [(usize, usize); 2]) {
    for value in values {
        assert!(value.first as usize + value.count as usize <= values.len());
        assert!(value.is_present == 0 || value.is_present == 1);
        if !value.text.is_null() {
            let (begins, ends) = (value.text.addr(), value.text.addr() + value.text_len);
            let is_inside = places.iter().any(|(at, len)| *at <= begins && ends <= at + len);
            assert!(is_inside, "a text from elsewhere");
        }
    }
}

fn document(world: &mut World, input: &mut Input<'_>) -> iotsec_status_t {
    let _ = world;
    let (form, tables) = (input.number(), tables(input));
    let document = iotsec_document_t {
        struct_size: size::<iotsec_document_t>(),
        bytes: 200,
        fields: tables.fields.as_ptr(),
        field_count: u32::try_from(tables.fields.len()).expect("few"),
        reserved: 0,
    };
    let (room, mut scratch, bytes) = (
        usize::from(input.byte() % 32),
        Guarded::new(usize::from(input.byte())),
        input.piece(),
    );
    let (at, scratch_size) = (scratch.at(), scratch.size());
    let mut values = vec![MaybeUninit::<iotsec_document_value_t>::uninit(); room];
    let (mut len, mut place) = (usize::MAX, MaybeUninit::<iotsec_document_place_t>::uninit());
    // SAFETY: pointers are to live values that nobody else uses, as large as the length beside them says; here and below.
    let status = unsafe {
        iotsec_document_read(
            form,
            &raw const document,
            bytes.as_ptr(),
            bytes.len(),
            at,
            scratch_size,
            values.as_mut_ptr().cast(),
            room,
            &raw mut len,
            place.as_mut_ptr(),
        )
    };
    scratch.sides();
    match status {
        IOTSEC_OK => {
            // SAFETY: the call has written so many.
            let values = values[..len].iter().map(|value| unsafe { value.assume_init() });
            let places = [(bytes.as_ptr().addr(), bytes.len()), (at.addr(), scratch_size)];
            judge(&values.collect::<Vec<_>>(), places);
        }
        IOTSEC_ERR_SHORT_BUFFER => assert!(len > room && len != usize::MAX),
        _ => assert_eq!(len, usize::MAX),
    }
    status
}

pub(super) const STEPS: &[(&str, Step)] = &[
    ("iotsec_input_quantity", |_, input| {
        let (min, max) = (input.wide().cast_signed(), input.wide().cast_signed());
        let unit = match input.byte() % 3 {
            0 => c"ms",
            1 => c"\xC2\xB0C",
            _ => c"5",
        };
        let (text, mut value, mut offset) = (input.piece(), 0, usize::MAX);
        // SAFETY: as above.
        let status = unsafe {
            let (at, len) = (text.as_ptr(), text.len());
            iotsec_input_quantity(at, len, unit.as_ptr(), min, max, &raw mut value, &raw mut offset)
        };
        assert!(status != IOTSEC_OK || (min..=max).contains(&value));
        assert!(offset == usize::MAX || offset <= text.len());
        status
    }),
    ("iotsec_wifi_parse", |world, input| {
        let (text, mut wifi) = (input.piece(), MaybeUninit::uninit());
        // SAFETY: as above.
        let status = unsafe { iotsec_wifi_parse(text.as_ptr().cast(), text.len(), wifi.as_mut_ptr()) };
        if status == IOTSEC_OK {
            // SAFETY: it was written, as the status says.
            world.wifi = Some(unsafe { wifi.assume_init() });
        }
        status
    }),
    ("iotsec_wifi_write", |world, input| {
        let mut wifi = iotsec_wifi_t {
            struct_size: size::<iotsec_wifi_t>(),
            is_hidden: input.number(),
            ssid_len: input.byte().into(),
            psk_len: input.byte().into(),
            ssid: [input.byte(); IOTSEC_SSID_MAX],
            psk: [input.byte(); IOTSEC_PSK_MAX],
        };
        if wifi.ssid_len == 0 {
            wifi = world.wifi.unwrap_or(wifi);
        }
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_wifi_write(&raw const wifi, out.cast(), size, len)
        })
        .0
    }),
    ("iotsec_document_read", document),
    ("iotsec_json_open", |world, input| {
        let limits = iotsec_json_limits_t {
            struct_size: size::<iotsec_json_limits_t>(),
            bytes: 255,
            depth: input.byte().into(),
            values: 64,
            names: 16,
        };
        let limits = if limits.depth == 0 {
            ptr::null()
        } else {
            &raw const limits
        };
        // A reader keeps its text, and so does this list.
        world.texts.push(input.piece().to_vec());
        let text = &world.texts[world.texts.len() - 1];
        let (at, from, len, mut offset) = (world.json.at(), text.as_ptr(), text.len(), usize::MAX);
        // SAFETY: as above.
        let status = unsafe { iotsec_json_open(at, limits, from, len, &raw mut offset) };
        assert!(offset == usize::MAX || offset <= len);
        status
    }),
    ("iotsec_json_next", |world, _| {
        let mut token = MaybeUninit::uninit();
        // SAFETY: as above.
        unsafe { iotsec_json_next(world.json.at(), token.as_mut_ptr()) }
    }),
    ("all of iotsec_json_next", |world, _| {
        let mut depth = 0i32;
        for _ in 0..1000 {
            let mut token = MaybeUninit::<iotsec_json_token_t>::uninit();
            // SAFETY: as above.
            let status = unsafe { iotsec_json_next(world.json.at(), token.as_mut_ptr()) };
            if status != IOTSEC_OK {
                return status;
            }
            // SAFETY: it was written, as the status says.
            match unsafe { token.assume_init() }.kind {
                IOTSEC_JSON_END => return IOTSEC_OK,
                IOTSEC_JSON_OBJECT | IOTSEC_JSON_ARRAY => depth += 1,
                IOTSEC_JSON_OBJECT_END | IOTSEC_JSON_ARRAY_END => depth -= 1,
                _ => {}
            }
            assert!(depth.abs() <= 32, "deeper than was checked");
        }
        panic!("a document without an end");
    }),
    plain_call!(json, iotsec_json_pass),
    ("iotsec_json_text", |world, input| {
        let at = world.json.at();
        // SAFETY: as above.
        filled(input, |out, size, len| unsafe {
            iotsec_json_text(at, out.cast(), size, len)
        })
        .0
    }),
    ("iotsec_json_is", |world, _| {
        let mut is_same = 7;
        // SAFETY: as above.
        let status = unsafe { iotsec_json_is(world.json.at(), c"a".as_ptr(), &raw mut is_same) };
        assert_eq!(is_same == 7, status != IOTSEC_OK);
        status
    }),
    plain_call!(json, iotsec_json_close),
    ("a copy of a reader", |world, _| {
        let copy = world.json.copied();
        // SAFETY: as above.
        on_copy(|| unsafe { iotsec_json_pass(copy) })
    }),
];
