//! What the product collects, said to those whom it is collected from.

use core::{ffi::c_char, fmt};

use iotsec::telemetry::data_map::DataMap;

use super::iotsec_telemetry_t;
use crate::{
    argument, object,
    status::{Status, iotsec_status_t, status},
};

/// Writes everything that the tables declare as JSON, for tools: what leaves the device, why, for whom, for how long, how it
/// is protected, and whether anybody is asked. `product` is the product's name, `product_len` bytes of UTF-8; `json` holds
/// `size` bytes, `len` gets the length. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_data_map_json(
    telemetry: *mut iotsec_telemetry_t,
    product: *const c_char,
    product_len: usize,
    json: *mut c_char,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        write(
            telemetry,
            (product, product_len),
            (json, size, len),
            |map, out| map.write_json(out),
        )
    })
}

/// The same as a page in HTML for a consumer: in plain words, without scripts, and with nothing that is fetched from
/// anywhere.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_telemetry_data_map_page(
    telemetry: *mut iotsec_telemetry_t,
    product: *const c_char,
    product_len: usize,
    page: *mut c_char,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        write(
            telemetry,
            (product, product_len),
            (page, size, len),
            |map, out| map.write_page(out),
        )
    })
}

/// # Safety
/// As [`argument::text`], [`argument::buffer`] and [`object::enter`].
unsafe fn write(
    telemetry: *mut iotsec_telemetry_t,
    (product, product_len): (*const c_char, usize),
    (text, size, len): (*mut c_char, usize, *mut usize),
    how: impl Fn(&DataMap<'_>, &mut dyn fmt::Write) -> fmt::Result,
) -> Result<(), Status> {
    // SAFETY: the caller's word, passed on.
    unsafe {
        let product = argument::text(product, product_len)?;
        let out = argument::buffer(text.cast(), size, len)?;
        object::enter(telemetry, |telemetry| {
            let map = DataMap::new(product, &telemetry.registry);
            out.write(|text| how(&map, text))
        })
    }
}
