//! The first meeting of owner and device, under the set-up code on its label (SPAKE2+, RFC 9383).

use core::ffi::c_char;

use iotsec::core::{
    credential::{
        SetupCode,
        pairing::{
            ANSWER_LEN, CONFIRM_LEN, DeviceWaiting, MAX_NAME, PairingCode, PairingNames, PairingParameters,
            PairingRecord, SHARE_LEN,
        },
    },
    crypto::HkdfSha256,
    hal::Millis,
};

use crate::{
    argument,
    device::{IOTSEC_SERIAL_MAX, Life, iotsec_device_t},
    login::{CPresence, iotsec_presence_t},
    object::{self, Storage},
    setup::with_setup,
    status::{CallError, Status, iotsec_status_t, status},
};

/// Digits of a set-up code.
pub const IOTSEC_SETUP_CODE_LEN: usize = 8;
/// Bytes of what an owner's side needs beside the code.
pub const IOTSEC_PAIRING_PARAMETERS_LEN: usize = 20;
/// Bytes of the owner's share: an uncompressed point on P-256.
pub const IOTSEC_PAIRING_SHARE_LEN: usize = 65;
/// Bytes of the device's answer.
pub const IOTSEC_PAIRING_ANSWER_LEN: usize = 97;
/// Bytes of the owner's confirmation.
pub const IOTSEC_PAIRING_CONFIRM_LEN: usize = 32;
/// Bytes of the name of an owner at most.
pub const IOTSEC_PAIRING_NAME_MAX: usize = 64;

const _: () = assert!(IOTSEC_PAIRING_PARAMETERS_LEN == PairingParameters::LEN);
const _: () = assert!(IOTSEC_PAIRING_SHARE_LEN == SHARE_LEN);
const _: () = assert!(IOTSEC_PAIRING_ANSWER_LEN == ANSWER_LEN);
const _: () = assert!(IOTSEC_PAIRING_CONFIRM_LEN == CONFIRM_LEN);
const _: () = assert!(IOTSEC_PAIRING_NAME_MAX == MAX_NAME);

/// Words of 8 bytes that a pairing takes.
pub const IOTSEC_PAIRING_WORDS: usize = 80;

/// A pairing between the device's answer and the owner's confirmation, in the caller's storage. Start it by
/// `iotsec_pairing_answer()`, end it by `iotsec_pairing_finish()`, or by `iotsec_pairing_close()` when the other side says
/// no more.
#[repr(C)]
pub struct iotsec_pairing_t {
    opaque: [u64; IOTSEC_PAIRING_WORDS],
}

/// The names of both sides, which stay as long as the pairing does.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    owner: [u8; MAX_NAME],
    len: usize,
    serial: [u8; IOTSEC_SERIAL_MAX],
}

impl Storage for iotsec_pairing_t {
    type Kept = Names;
    type Value = DeviceWaiting<'static>;
    const KIND: u32 = 0x5061_6931;
}

/// What both ends hold after a pairing, and nobody else: use them for the conversation in which network and password come,
/// and wipe them. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_pairing_keys_t {
    /// Protects what the owner sends.
    pub owner_to_device: [u8; 32],
    /// Protects what the device sends.
    pub device_to_owner: [u8; 32],
    /// For what the product derives besides.
    pub exporter: [u8; 32],
}

const _: () = assert!(size_of::<iotsec_pairing_keys_t>() == 96);

/// Draws the set-up code of a unit, eight decimal digits for its label, and writes them to `code`, which holds
/// `IOTSEC_SETUP_CODE_LEN` bytes or more. `iotsec_device_provision()` puts it in force together with the code that
/// `iotsec_device_draw_code()` drew; a second call draws another. `iterations` are those of the owner's side, 1000 to
/// 100 000: an app computes them once.
///
/// The label is the one copy of the code: print it, then wipe it. Power loss forgets a code that is not in force. Belongs to
/// `IOTSEC_DEVICE_FACTORY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_draw_setup_code(
    device: *mut iotsec_device_t,
    iterations: u32,
    code: *mut c_char,
    code_size: usize,
    code_len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let out = argument::buffer(code.cast(), code_size, code_len)?.at_least(IOTSEC_SETUP_CODE_LEN)?;
            object::enter(device, |held| {
                if !matches!(held.life, Life::Factory(_)) {
                    return Err(CallError::State.into());
                }
                let parameters = PairingParameters::generate(iterations, &mut held.entropy)?;
                let code = SetupCode::generate(&mut held.entropy)?;
                out.copy(code.digits().as_bytes())?;
                held.setup_code = Some((code, parameters, register));
                Ok(())
            })
        }
    })
}

fn register(
    code: &SetupCode,
    parameters: &PairingParameters,
    serial: &[u8],
) -> Result<PairingRecord, Status> {
    let code = PairingCode::parse(code.digits())?;
    Ok(PairingRecord::register(&code, serial, parameters, &HkdfSha256)?)
}

/// Writes what an owner's side needs beside the code to `parameters`, `IOTSEC_PAIRING_PARAMETERS_LEN` bytes. Anybody may
/// know them. `IOTSEC_ERR_DEVICE_NO_SETUP_CODE` for a unit without a set-up code. Belongs to the set-up, as what follows.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_pairing_parameters(
    device: *mut iotsec_device_t,
    parameters: *mut u8,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let out = argument::out(parameters.cast::<[u8; IOTSEC_PAIRING_PARAMETERS_LEN]>())?;
            with_setup(device, |setup| {
                out.set(*setup.device_mut().pairing_parameters()?.as_bytes());
                Ok(())
            })
        }
    })
}

/// Lets owners pair for `length_ms`, 15 minutes at most, because the device was switched on for the first time since it was
/// made or erased; `uptime_ms` is the time since this boot. After 20 failures it takes no more attempts.
///
/// `IOTSEC_ERR_PAIRING_CLOSED` when power-on has had its window: later ones take somebody at the device. Power loss: there is
/// no window, and it may be that this was the one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_pairing_open(
    device: *mut iotsec_device_t,
    uptime_ms: u64,
    length_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        with_setup(device, |setup| {
            Ok(setup.open_window(Millis(uptime_ms), Millis(length_ms))?)
        })
    })
}

/// `iotsec_pairing_open()` for somebody at the device, as often as they like. Failures are forgotten.
/// `IOTSEC_ERR_PAIRING_CLOSED` when `presence` says that nobody is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_pairing_open_by_presence(
    device: *mut iotsec_device_t,
    presence: *const iotsec_presence_t,
    uptime_ms: u64,
    length_ms: u64,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let mut presence = CPresence::new(presence)?;
            with_setup(device, |setup| {
                let (now, length) = (Millis(uptime_ms), Millis(length_ms));
                Ok(setup.open_window_by_presence(&mut presence, now, length)?)
            })
        }
    })
}

/// Answers an owner whose app is known by the name `owner`, `owner_len` bytes, 1 to `IOTSEC_PAIRING_NAME_MAX`, and has sent
/// `share`, `IOTSEC_PAIRING_SHARE_LEN` bytes. The device's name is its serial number. Writes `IOTSEC_PAIRING_ANSWER_LEN`
/// bytes to `answer`, to be sent back, and starts `pairing`, which waits for the owner's confirmation.
///
/// The attempt is counted as a failure before there is an answer, until it is finished. `IOTSEC_ERR_PAIRING_CLOSED` without
/// an open window; `IOTSEC_ERR_THROTTLE_WAIT` and `_LOCKED` mean that no attempt was taken; `IOTSEC_ERR_PAIRING_MESSAGE` for
/// a share that is none. Power loss: the attempt may be counted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_pairing_answer(
    pairing: *mut iotsec_pairing_t,
    device: *mut iotsec_device_t,
    owner: *const u8,
    owner_len: usize,
    share: *const u8,
    uptime_ms: u64,
    answer: *mut u8,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let (name, share) = (
                argument::bytes(owner, owner_len)?,
                argument::copied(share.cast())?,
            );
            let out = argument::out(answer.cast::<[u8; IOTSEC_PAIRING_ANSWER_LEN]>())?;
            let mut names = Names {
                owner: [0; MAX_NAME],
                len: name.len(),
                serial: [0; IOTSEC_SERIAL_MAX],
            };
            let room = names.owner.get_mut(..name.len()).ok_or(CallError::Size)?;
            room.copy_from_slice(name);
            object::start(pairing, names, |names| {
                let Names { owner, len, serial } = names;
                let owner: &'static [u8] = owner.get(..*len).unwrap_or_default();
                with_setup(device, |setup| {
                    let names: PairingNames<'static> = setup.device_mut().pairing_names(owner, serial)?;
                    let (waiting, answer) = setup.answer(names, &share, Millis(uptime_ms))?;
                    out.set(answer);
                    Ok(waiting)
                })
            })
        }
    })
}

/// Takes the owner's confirmation, `IOTSEC_PAIRING_CONFIRM_LEN` bytes, as proof that they have the label, as
/// `iotsec_setup_present_label()` takes the other code; closes the window and writes the keys of both sides to `keys`. Ends
/// `pairing`, also when the call fails.
///
/// `IOTSEC_ERR_PAIRING_REFUSED` for a wrong code. Power loss: nobody has shown the label, and the attempt may be counted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_pairing_finish(
    pairing: *mut iotsec_pairing_t,
    device: *mut iotsec_device_t,
    confirm: *const u8,
    uptime_ms: u64,
    keys: *mut iotsec_pairing_keys_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let (confirm, out) = (argument::copied(confirm.cast())?, argument::out(keys)?);
            object::somewhere(device)?;
            object::spend(pairing, |waiting| {
                with_setup(device, |setup| {
                    let keys = setup.finish(waiting, &confirm, Millis(uptime_ms))?;
                    out.set(iotsec_pairing_keys_t {
                        owner_to_device: *keys.owner_to_device().expose(),
                        device_to_owner: *keys.device_to_owner().expose(),
                        exporter: *keys.exporter().expose(),
                    });
                    Ok(())
                })
            })
        }
    })
}

/// Ends a pairing without a confirmation, and wipes what it held. The attempt stays counted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_pairing_close(pairing: *mut iotsec_pairing_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(pairing) })
}
