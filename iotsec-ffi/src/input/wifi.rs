//! A Wi-Fi network as a QR code has it.

use core::ffi::c_char;

use iotsec::core::{
    input::{Psk, Ssid},
    qr::{WifiKey, WifiNetwork},
    secret::Secret,
};

use crate::{
    argument,
    status::{CallError, Status, iotsec_status_t, status},
};

/// Bytes of the longest name of a Wi-Fi network.
pub const IOTSEC_SSID_MAX: usize = 32;
/// Bytes of the longest key of a Wi-Fi network.
pub const IOTSEC_PSK_MAX: usize = 64;
/// Bytes of the longest text of a Wi-Fi network.
pub const IOTSEC_WIFI_TEXT_MAX: usize = 220;

const _: () = assert!(IOTSEC_SSID_MAX == Ssid::MAX_LEN && IOTSEC_PSK_MAX == Psk::MAX_LEN);
const _: () = assert!(IOTSEC_WIFI_TEXT_MAX >= WifiNetwork::MAX_LEN);

/// A Wi-Fi network and what one needs to join it. It holds a secret: wipe it after use.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_wifi_t {
    /// `sizeof(iotsec_wifi_t)`; written by `iotsec_wifi_parse()`.
    pub struct_size: u32,
    /// 1 for a network that does not show its name, else 0.
    pub is_hidden: i32,
    /// Bytes of `ssid`, 1 to 32.
    pub ssid_len: u32,
    /// Bytes of `psk`, 8 to 64; 0 for an open network.
    pub psk_len: u32,
    /// The name, without a final zero: UTF-8 that can be shown.
    pub ssid: [u8; IOTSEC_SSID_MAX],
    /// The passphrase, or the key itself in 64 hexadecimal digits, without a final zero.
    pub psk: [u8; IOTSEC_PSK_MAX],
}

const _: () = assert!(size_of::<iotsec_wifi_t>() == 112);

/// Reads what a QR code says of a Wi-Fi network, `WIFI:T:WPA;S:name;P:key;;` in the form of the WPA3 specification, into
/// `wifi`. `text` has `text_len` bytes, at most 300.
///
/// `IOTSEC_ERR_QR_*` when it is anything else, or a network that cannot be; `_UNSUPPORTED` for WEP and enterprise networks.
/// Nothing in it is authentic: whoever made the code wrote what it says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_wifi_parse(
    text: *const c_char,
    text_len: usize,
    wifi: *mut iotsec_wifi_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    status(|| unsafe {
        let (text, out) = (argument::text(text, text_len)?, argument::out(wifi)?);
        let network = WifiNetwork::parse(text)?;
        let (ssid, ssid_len) = filled::<IOTSEC_SSID_MAX>(network.ssid())?;
        let (psk, psk_len) = filled::<IOTSEC_PSK_MAX>(network.key().expose().unwrap_or_default())?;
        out.set(iotsec_wifi_t {
            struct_size: u32::try_from(size_of::<iotsec_wifi_t>()).map_err(|_| CallError::Config)?,
            is_hidden: i32::from(network.hidden()),
            ssid_len,
            psk_len,
            ssid: *ssid.expose(),
            psk: *psk.expose(),
        });
        Ok(())
    })
}

/// Writes the text of a QR code that joins `wifi`, such as the access point of a device, to `text`, which holds `size`, and
/// its length to `len`: at most `IOTSEC_WIFI_TEXT_MAX`. Wipe it after use.
///
/// `IOTSEC_ERR_QR_VALUE` when the name or the key is none, `IOTSEC_ERR_CONFIG` for a length beyond its bytes or another
/// number than 0 and 1.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_wifi_write(
    wifi: *const iotsec_wifi_t,
    text: *mut c_char,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, in the documentation.
    status(|| unsafe {
        let (wifi, out) = (
            argument::sized_ref(wifi)?,
            argument::buffer(text.cast(), size, len)?,
        );
        let is_hidden = match wifi.is_hidden {
            0 => false,
            1 => true,
            _ => return Err(CallError::Config.into()),
        };
        let key = match wifi.psk_len {
            0 => WifiKey::Open,
            len => WifiKey::password(text_of(&wifi.psk, len)?)?,
        };
        let network = WifiNetwork::new(text_of(&wifi.ssid, wifi.ssid_len)?, key)?.with_hidden(is_hidden);
        let mut written = Secret::<IOTSEC_WIFI_TEXT_MAX>::zero();
        out.copy(network.write(written.expose_mut())?.as_bytes())
    })
}

fn filled<const N: usize>(text: &str) -> Result<(Secret<N>, u32), Status> {
    let mut bytes = Secret::zero();
    for (to, from) in bytes.expose_mut().iter_mut().zip(text.bytes()) {
        *to = from;
    }
    Ok((bytes, u32::try_from(text.len()).map_err(|_| CallError::Size)?))
}

fn text_of(bytes: &[u8], len: u32) -> Result<&str, Status> {
    let len = usize::try_from(len).map_err(|_| CallError::Config)?;
    let bytes = bytes.get(..len).ok_or(CallError::Config)?;
    Ok(core::str::from_utf8(bytes).map_err(|_| CallError::Text)?)
}
