//! What a device says of itself: what it is, until when it is supported, where a weakness is reported.

use core::ffi::c_char;

use iotsec::status::About;

use crate::{
    argument,
    device::{iotsec_device_t, iotsec_owner_t},
    object,
    status::{Status, iotsec_status_t, status},
};

/// What a device says of itself in the home network (EN 303 645, provisions 5.2-1, 5.3-13 and 5.3-16). The constants that
/// `iotsec constants` makes from the product manifest have the same names. Texts end in zero, and are used during the call
/// only.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_about_t {
    /// `sizeof(iotsec_about_t)`.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// The product, for people.
    pub name: *const c_char,
    /// The model, as on the type label.
    pub model: *const c_char,
    /// The trade name of the maker.
    pub vendor: *const c_char,
    /// The release that runs.
    pub version: *const c_char,
    /// Where the disclosure policy is, to whom a weakness is reported and when an answer comes; null for nowhere.
    pub disclosure_policy: *const c_char,
    /// The end of the support period that was published for the product, in seconds since 1970-01-01 UTC; 0 for none.
    pub support_until_s: u64,
}

/// Writes it as JSON for whoever asks to `json`, which holds `size` bytes, and the length to `len`: all but the version,
/// which tells attackers what works (5.6-2). The document is the one that Rust writes.
///
/// `IOTSEC_ERR_TEXT` when a text is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_about_json(
    about: *const iotsec_about_t,
    json: *mut c_char,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let about = about_of(about)?;
            let out = argument::buffer(json.cast(), size, len)?;
            out.write(|text| about.write_public(text))
        }
    })
}

/// What `iotsec_about_json()` writes with the version, for the owner: `owner` is what `iotsec_device_login()` gave, and stays
/// good. Belongs to `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_about_json(
    device: *mut iotsec_device_t,
    owner: iotsec_owner_t,
    about: *const iotsec_about_t,
    json: *mut c_char,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let about = about_of(about)?;
            let out = argument::buffer(json.cast(), size, len)?;
            object::enter(device, |held| {
                let (_, proof) = held.with_owner(owner)?;
                out.write(|text| about.write_for_owner(proof, text))
            })
        }
    })
}

/// # Safety
/// As [`argument::sized`], and its texts are null or end in zero.
unsafe fn about_of<'a>(about: *const iotsec_about_t) -> Result<About<'a>, Status> {
    // SAFETY: the caller's word, passed on.
    unsafe {
        let about = argument::sized(about)?;
        argument::zero(about.reserved)?;
        Ok(About {
            name: argument::zero_ended(about.name)?,
            model: argument::zero_ended(about.model)?,
            vendor: argument::zero_ended(about.vendor)?,
            version: argument::zero_ended(about.version)?,
            support_until: argument::time(about.support_until_s),
            disclosure_policy: if about.disclosure_policy.is_null() {
                None
            } else {
                Some(argument::zero_ended(about.disclosure_policy)?)
            },
        })
    }
}
