//! What a device says of itself.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use std::{ffi::c_char, ptr};

use iotsec_ffi::{about::*, device::iotsec_owner_t, status::*};

use crate::device::{PASSWORD, Unit};

pub(crate) const ABOUT: iotsec_about_t = iotsec_about_t {
    struct_size: size_of::<iotsec_about_t>() as u32,
    reserved: 0,
    name: c"Lamp".as_ptr(),
    model: c"lamp-2".as_ptr(),
    vendor: c"Example \"Lighting\" Ltd".as_ptr(),
    version: c"1.4.2".as_ptr(),
    disclosure_policy: c"https://lighting.example.com/security/policy".as_ptr(),
    support_until_s: 1_956_527_999,
};

type Told = Result<String, (iotsec_status_t, usize)>;

fn told(room: usize, call: impl FnOnce(*mut c_char, usize, *mut usize) -> iotsec_status_t) -> Told {
    let (mut json, mut len) = (vec![0u8; room], 0);
    match call(json.as_mut_ptr().cast(), room, &raw mut len) {
        IOTSEC_OK => Ok(String::from_utf8(json[..len].to_vec()).unwrap()),
        refused => {
            assert!(json.iter().all(|byte| *byte == 0), "refused and wrote");
            Err((refused, len))
        }
    }
}

fn public(about: &iotsec_about_t, room: usize) -> Told {
    // SAFETY: see the top.
    told(room, |json, size, len| unsafe {
        iotsec_about_json(about, json, size, len)
    })
}

fn for_owner(unit: &Unit, owner: iotsec_owner_t) -> Told {
    let at = unit.device.at();
    // SAFETY: see the top.
    told(512, |json, size, len| unsafe {
        iotsec_device_about_json(at, owner, &ABOUT, json, size, len)
    })
}

#[test]
fn everybody_learns_where_to_report_and_the_owner_the_version_too() {
    let everybody = r#"{"name":"Lamp","model":"lamp-2","vendor":"Example \"Lighting\" Ltd","support_until":"2031-12-31","report_weaknesses":"https://lighting.example.com/security/policy"}"#;
    assert_eq!(public(&ABOUT, 512).as_deref(), Ok(everybody));
    assert_eq!(public(&ABOUT, 7), Err((IOTSEC_ERR_SHORT_BUFFER, everybody.len())));
    let little = iotsec_about_t {
        disclosure_policy: ptr::null(),
        support_until_s: 0,
        ..ABOUT
    };
    assert!(public(&little, 512).unwrap().ends_with(r#"Ltd"}"#));

    let unit = Unit::owned();
    assert_eq!(for_owner(&unit, 0), Err((IOTSEC_ERR_STATE, 0)));
    let owner = unit.login(PASSWORD, 30_000).unwrap();
    let with_version = everybody.replace(r#","support"#, r#","version":"1.4.2","support"#);
    assert_eq!(for_owner(&unit, owner), Ok(with_version));
    // The proof stays good, until they leave.
    assert!(for_owner(&unit, owner).is_ok());
    assert_eq!(unit.reset(owner), IOTSEC_OK);
    assert_eq!(for_owner(&unit, owner), Err((IOTSEC_ERR_STATE, 0)));
}

#[test]
fn a_struct_of_another_version_and_texts_that_are_none_are_refused() {
    let refused = |change: fn(&mut iotsec_about_t)| {
        let mut about = ABOUT;
        change(&mut about);
        public(&about, 512).unwrap_err().0
    };
    assert_eq!(refused(|about| about.struct_size += 8), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(|about| about.reserved = 1), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(|about| about.version = ptr::null()), IOTSEC_ERR_NULL);
    assert_eq!(refused(|about| about.name = c"\xFF".as_ptr()), IOTSEC_ERR_TEXT);
}
