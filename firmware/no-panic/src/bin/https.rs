//! Requests, answers and downloads over HTTPS. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::input::Url;
use iotsec_net::https::{Download, EntityTag, Event, HttpsError, Request, Response};
use no_panic::{halt, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    if let Ok(url) = Url::parse(unknown(&input)) {
        black_box(ask(&url, &input).is_ok());
        black_box(download(&url, &input).is_ok());
    }
    halt()
}

fn ask(url: &Url<'_>, input: &[u8; 512]) -> Result<(), HttpsError> {
    let mut out = [0; 256];
    let tag = EntityTag::parse(unknown(input)).ok_or(HttpsError::Request)?;
    black_box(Request::get(url).unless(tag).write(&mut out)?);
    let media_type = core::str::from_utf8(unknown(input)).unwrap_or_default();
    black_box(Request::post(url, media_type, black_box(7)).write(&mut out)?);
    Ok(())
}

fn download(url: &Url<'_>, input: &[u8; 512]) -> Result<(), HttpsError> {
    let mut download = Download::new(black_box(0), black_box(100))?;
    black_box(download.request(url).write(&mut [0; 256])?);
    let mut response = Response::<256>::new(download.limit());
    while !download.is_complete() {
        match response.take(unknown(input))?.1 {
            Event::Head(head) => {
                black_box(response.location(&head));
                download.begin(&head)?;
            }
            Event::Body(part) => {
                black_box(download.part(part)?);
            }
            Event::More | Event::End => response.closed()?,
        }
    }
    Ok(())
}
