//! The debug port: whether it is as closed as it should be, and how its maker opens it.

use core::ffi::c_char;

use iotsec::{
    core::{
        hal::{DebugPort, DebugState, Millis},
        input::DeviceSerial,
    },
    net::surface::debug::{DebugPolicy, MAX_LIFETIME_S, UnlockChallenge, Unlocked, check_debug_port},
};

use super::{iotsec_interface_t, table::gate, table::with_table};
use crate::{
    argument,
    attest::{debug_of, iotsec_debug_t},
    device::{IOTSEC_SERIAL_MAX, iotsec_device_state_t},
    entropy::{CEntropy, iotsec_entropy_t},
    object::{self, Storage},
    status::{CallError, Status, iotsec_status_t, status},
    update::config::{iotsec_trust_anchor_t, key},
};

/// A way into the chip or its boot loader: `number` of an `IOTSEC_INTERFACE_DEBUG`.
pub type iotsec_debug_port_t = i32;

/// JTAG.
pub const IOTSEC_DEBUG_PORT_JTAG: iotsec_debug_port_t = 1;
/// Serial Wire Debug.
pub const IOTSEC_DEBUG_PORT_SWD: iotsec_debug_port_t = 2;
/// A console on a serial line.
pub const IOTSEC_DEBUG_PORT_CONSOLE: iotsec_debug_port_t = 3;
/// A loader in ROM that takes images.
pub const IOTSEC_DEBUG_PORT_ROM_LOADER: iotsec_debug_port_t = 4;
/// A shell or a debug service behind a network.
pub const IOTSEC_DEBUG_PORT_REMOTE: iotsec_debug_port_t = 5;

/// Words of 8 bytes that an unlocking takes.
pub const IOTSEC_UNLOCK_WORDS: usize = 14;
/// Bytes of the longest challenge.
pub const IOTSEC_UNLOCK_CHALLENGE_MAX: usize = 96;
/// Seconds that an answer is good for, at most: a day at the repair shop.
pub const IOTSEC_UNLOCK_LIFETIME_MAX_S: u32 = 86_400;

const _: () = assert!(IOTSEC_UNLOCK_CHALLENGE_MAX == UnlockChallenge::MAX_LEN);
const _: () = assert!(IOTSEC_UNLOCK_LIFETIME_MAX_S == MAX_LIFETIME_S);

/// Opens a debug port that authenticates (EN 303 645, provision 5.6-4A) to what its maker signed for this device and this
/// challenge, for a time, in the caller's storage. Start it by `iotsec_unlock_open()`, end it by `iotsec_unlock_close()`.
///
/// Challenge and permission live in memory alone: a reboot ends both, and no old answer is good for anything. No clock is
/// needed. The messages are specified in `iotsec-net/src/surface/FORMAT.md`; `iotsec surface` is the maker's side of it.
#[repr(C)]
pub struct iotsec_unlock_t {
    opaque: [u64; IOTSEC_UNLOCK_WORDS],
}

/// The serial number that a challenge names.
#[derive(Clone, Copy)]
pub(crate) struct Serial {
    bytes: [u8; IOTSEC_SERIAL_MAX],
    len: usize,
}

/// What lives in an [`iotsec_unlock_t`].
pub(crate) enum Unlocking {
    Asked(UnlockChallenge<'static>),
    Answered(Unlocked),
    /// By a wrong answer.
    Spent,
}

impl Storage for iotsec_unlock_t {
    type Kept = Serial;
    type Value = Unlocking;
    const KIND: u32 = 0x556E_6C31;
}

/// Checks that the debug port is as closed as it should be, at every boot and before secrets are touched. `debug` is what the
/// hardware says, `IOTSEC_DEBUG_*`; `table`, `count` and `phase` are as in `iotsec_surface_may_listen()`.
///
/// `IOTSEC_ERR_DEBUG_OPEN`: it is open outside of the factory. `IOTSEC_ERR_DEBUG_UNDECLARED`: it is open in the factory, or
/// authenticates, and the table has no `IOTSEC_INTERFACE_DEBUG` for this phase. A product whose secrets a probe could read
/// does not go on then; another gives the same `debug` to `iotsec_security_status()` and to its attestation tokens, which
/// say so. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_surface_check_debug(
    table: *const iotsec_interface_t,
    count: usize,
    phase: iotsec_device_state_t,
    debug: iotsec_debug_t,
) -> iotsec_status_t {
    status(|| {
        let port = Port(debug_of(debug)?);
        // SAFETY: the caller's word, in the documentation.
        unsafe {
            with_table(table, count, |table| {
                let _ = check_debug_port(&port, &gate(table, phase, 0)?, DebugPolicy::Refuse)?;
                Ok(())
            })
        }
    })
}

/// Draws a challenge for whoever asks for the debug port, at `uptime_ms` since this boot. `serial`, of `serial_len`
/// characters, is the serial number of this device: 1 to `IOTSEC_SERIAL_MAX` letters, digits, hyphens and dots, a letter or
/// digit first and last. It is copied.
///
/// `IOTSEC_ERR_UNLOCK_ENTROPY` without random numbers. Writes no flash.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_unlock_open(
    unlock: *mut iotsec_unlock_t,
    serial: *const c_char,
    serial_len: usize,
    entropy: *const iotsec_entropy_t,
    uptime_ms: u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let serial = Serial::new(argument::text(serial, serial_len)?)?;
        let mut entropy = CEntropy::new(argument::sized(entropy)?)?;
        object::start(unlock, serial, |serial| {
            let challenge = UnlockChallenge::new(serial.read()?, &mut entropy, Millis(uptime_ms))?;
            Ok(Unlocking::Asked(challenge))
        })
    })
}

/// Writes the challenge for the maker to `challenge`, which holds `size`, and its length to `len`: nothing in it is secret,
/// and `IOTSEC_UNLOCK_CHALLENGE_MAX` bytes are enough. The same each time; `IOTSEC_ERR_STATE` once it was answered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_unlock_challenge(
    unlock: *mut iotsec_unlock_t,
    challenge: *mut u8,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let out = argument::buffer(challenge, size, len)?;
        object::enter(unlock, |unlocking| {
            let Unlocking::Asked(challenge) = unlocking else {
                return Err(CallError::State.into());
            };
            out.copy(challenge.write(&mut [0; UnlockChallenge::MAX_LEN])?)
        })
    })
}

/// Checks the answer to the challenge, a token of `token_len` bytes, at `uptime_ms`, and permits the port to be open. `anchor`
/// is the key that the maker's service signs such answers with, and nothing else. Writes to `until_ms` the uptime at which
/// the port has to be closed again, counted from when the challenge was drawn.
///
/// A challenge is good for one answer: after a wrong one, close it and open another. `IOTSEC_ERR_UNLOCK_*`,
/// `IOTSEC_ERR_CRYPTO_SIGNATURE` and `IOTSEC_ERR_COSE_*` say what is wrong with it, and nothing was opened.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_unlock_answer(
    unlock: *mut iotsec_unlock_t,
    anchor: *const iotsec_trust_anchor_t,
    token: *const u8,
    token_len: usize,
    uptime_ms: u64,
    until_ms: *mut u64,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let anchor = key(&argument::sized(anchor)?)?;
        let (token, until) = (argument::bytes(token, token_len)?, argument::out(until_ms)?);
        object::enter(unlock, |unlocking| {
            let challenge = match core::mem::replace(unlocking, Unlocking::Spent) {
                Unlocking::Asked(challenge) => challenge,
                other => {
                    *unlocking = other;
                    return Err(CallError::State.into());
                }
            };
            let unlocked = challenge.check(token, &anchor, Millis(uptime_ms), &mut [0; SCRATCH])?;
            until.set(unlocked.until().0);
            *unlocking = Unlocking::Answered(unlocked);
            Ok(())
        })
    })
}

/// Writes 1 to `is_open` while the debug port may be open at `uptime_ms`, else 0: before a good answer, after a wrong one, and
/// when its time is over. Ask before the port is opened, and again until it is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_unlock_is_open(
    unlock: *mut iotsec_unlock_t,
    uptime_ms: u64,
    is_open: *mut i32,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        let is_open = argument::out(is_open)?;
        object::enter(unlock, |unlocking| {
            let open = match unlocking {
                Unlocking::Answered(unlocked) => unlocked.is_open(Millis(uptime_ms)),
                Unlocking::Asked(_) | Unlocking::Spent => false,
            };
            is_open.set(open.into());
            Ok(())
        })
    })
}

/// Ends it: whatever it permitted is over, so close the port. The storage may be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_unlock_close(unlock: *mut iotsec_unlock_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(unlock) })
}

/// What an answer takes to be checked.
const SCRATCH: usize = 256;

/// What the hardware said.
struct Port(DebugState);

impl DebugPort for Port {
    fn state(&self) -> DebugState {
        self.0
    }
}

impl Serial {
    fn new(text: &str) -> Result<Self, Status> {
        DeviceSerial::parse(text.as_bytes())?;
        let mut bytes = [0; IOTSEC_SERIAL_MAX];
        let place = bytes.get_mut(..text.len()).ok_or(CallError::Size)?;
        place.copy_from_slice(text.as_bytes());
        Ok(Self {
            bytes,
            len: text.len(),
        })
    }

    fn read(&self) -> Result<DeviceSerial<'_>, Status> {
        let bytes = self.bytes.get(..self.len).ok_or(CallError::Size)?;
        Ok(DeviceSerial::parse(bytes)?)
    }
}
