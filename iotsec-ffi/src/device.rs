//! A device and its life: factory, sale, owner, erasure, retirement.
#![allow(clippy::result_large_err, reason = "the device must come back")]

pub mod detection;
pub mod erase;
pub mod identity;
mod life;
pub mod owner;

use core::ffi::c_char;

use iotsec::{
    core::{
        credential::{
            Authenticated, DevicePassword, SetupCode,
            pairing::{PairingParameters, PairingRecord},
        },
        crypto::{Aes256GcmSiv, ChaCha20Poly1305, Ed25519SigningKey, HkdfSha256, Sha256, Sign},
        hal::{CounterError, Millis, MonotonicCounter},
        input::DeviceSerial,
    },
    device::{Booted, Device, DeviceError, Factory, Hardware, Memory, Moment, Owned, Product, Suite},
    erase::{Inventory, Place},
    setup::Setup,
    store::ReplayProtection,
    telemetry::{
        detect::{AUTH_BURST, BOOT_LOOP, INTEGRITY},
        registry,
    },
};
use rand_core::TryRng;

use self::life::in_any_state;
pub(crate) use self::life::{Life, advance};

use crate::{
    argon2id::CArgon2id,
    argument,
    counter::{CCounter, iotsec_counter_t},
    entropy::{CEntropy, iotsec_entropy_t},
    flash::{CFlash, iotsec_flash_t, iotsec_region_t},
    login::{iotsec_login_policy_t, policy_of},
    object::{self, Storage},
    password::{IOTSEC_LABEL_MAX, exposure_of, iotsec_exposure_t},
    root_key::{CRootKey, iotsec_root_key_t},
    status::{CallError, Status, iotsec_status_t, status},
    store::{iotsec_index_entry_t, memory},
};

/// Words of 8 bytes that a device takes.
pub const IOTSEC_DEVICE_WORDS: usize = 256;

/// Index entries that the life cycle itself needs. The rest of the index is the application's.
pub const IOTSEC_DEVICE_INDEX: u32 = 24;
/// Bytes of the store's buffer that the life cycle itself needs.
pub const IOTSEC_DEVICE_BUFFER: usize = 280;

/// Bytes of the longest serial number.
pub const IOTSEC_SERIAL_MAX: usize = 32;

const _: () = assert!(IOTSEC_SERIAL_MAX == DeviceSerial::MAX_LEN);

/// A device in the caller's storage, from the factory to the end of its life, with an encrypted store of its own.
/// Start it by `iotsec_device_format()` or `iotsec_device_open()`, end it by `iotsec_device_close()`.
///
/// Power loss: every step from one state to another is one record of the store, or the erasure of what is the
/// owner's. After a cut the device is in the old state or in the new one.
#[repr(C)]
pub struct iotsec_device_t {
    opaque: [u64; IOTSEC_DEVICE_WORDS],
}

/// Where a device is in its life.
pub type iotsec_device_state_t = i32;

/// Fresh from the line: no identity, no credentials. Next is `iotsec_device_provision()`.
pub const IOTSEC_DEVICE_FACTORY: iotsec_device_state_t = 1;
/// Has its identity and its label, and no owner. Next is `iotsec_setup_begin()`.
pub const IOTSEC_DEVICE_PROVISIONED: iotsec_device_state_t = 2;
/// Belongs to somebody.
pub const IOTSEC_DEVICE_OWNED: iotsec_device_state_t = 3;
/// Belongs to somebody whose data cannot be read any more. Next is `iotsec_device_give_up()`.
pub const IOTSEC_DEVICE_ORPHANED: iotsec_device_state_t = 4;
/// Out of service, without a secret left.
pub const IOTSEC_DEVICE_RETIRED: iotsec_device_state_t = 5;

/// Proof that the owner was there: what `iotsec_device_login()` gives. It belongs to the device that gave it and ends
/// with the next login, with `iotsec_device_logout()`, with the erasure that it permits, or with the object. Zero is
/// nobody's. Keep it with the conversation in which the password came, and give it to nobody else.
pub type iotsec_owner_t = u64;

/// Most places of personal data that one configuration holds.
pub const IOTSEC_PLACES_MAX: usize = 8;

/// A place where the application keeps personal data. An array of them is not versioned by size: this struct never grows.
/// The texts are for people, end in zero, and must outlive the device: the owner asks what the device knows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_place_t {
    /// The namespace of `IOTSEC_DOMAIN_USER`: 0 to 254.
    pub name_space: u32,
    /// Zero.
    pub reserved: u32,
    /// What is there, in plain words.
    pub holds: *const c_char,
    /// What it is there for.
    pub purpose: *const c_char,
}

/// Where a device keeps its data, and what it works with.
///
/// The struct, the structs in it and those that it points to are copied. `index` and `buffer` are used until the device
/// is closed; what they hold is of no concern.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_device_config_t {
    /// `sizeof(iotsec_device_config_t)`.
    pub struct_size: u32,
    /// Entries of `index`: `IOTSEC_DEVICE_INDEX`, and one for each value of the application.
    pub index_count: u32,
    /// Its flash.
    pub flash: iotsec_flash_t,
    /// The store's part of the flash, five pages or more.
    pub region: iotsec_region_t,
    /// Keys and salts are drawn from it.
    pub entropy: iotsec_entropy_t,
    /// Wraps the keys, and peppers the passwords.
    pub root_key: iotsec_root_key_t,
    /// A counter of the store's own, so that an earlier copy of the flash is refused; null for none, and then the
    /// security status says so. Not the counter of the updates.
    pub replay_counter: *const iotsec_counter_t,
    /// How many guesses at passwords, and how fast; null for 100, and at most 15 minutes between two.
    pub policy: *const iotsec_login_policy_t,
    /// One entry for each value.
    pub index: *mut iotsec_index_entry_t,
    /// Room for one record: a value and 24 bytes, rounded up to a word, and `IOTSEC_DEVICE_BUFFER` at least. Wiped after
    /// use.
    pub buffer: *mut u8,
    /// Bytes of `buffer`.
    pub buffer_size: usize,
    /// Every place where the application keeps personal data: values of `IOTSEC_DOMAIN_USER` anywhere else are refused
    /// with `IOTSEC_ERR_DEVICE_UNREGISTERED`. Null for none said, and then the security status says of such values that
    /// they are listed nowhere. Copied, the texts are not.
    pub places: *const iotsec_place_t,
    /// How many, at most `IOTSEC_PLACES_MAX`.
    pub place_count: usize,
}

/// What the factory and the service learn of a unit. A struct that the library fills never grows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_enrolment_t {
    /// The public half of the unit's identity key, Ed25519: it checks receipts of erasure. The private half never leaves
    /// the device.
    pub identity: [u8; 32],
    /// The key that opens this unit's telemetry. A secret: it goes to the service, over a channel that keeps it secret,
    /// and is wiped then.
    pub telemetry: [u8; 32],
}

const _: () = assert!(size_of::<iotsec_enrolment_t>() == 64);

registry!(static EVENTS = [AUTH_BURST, BOOT_LOOP, INTEGRITY]);

/// Events that a device's own queue holds. Nothing in this interface records one.
const QUEUE: usize = 1;

pub(crate) type Unit<S> = Device<'static, S, CFlash, CEntropy, QUEUE>;
pub(crate) type CSetup = Setup<'static, CFlash, CEntropy, QUEUE>;

/// Makes of a set-up code what the device keeps of it. A pointer, so that a program which draws no set-up code does not
/// have its arithmetic.
pub(crate) type Register = fn(&SetupCode, &PairingParameters, &[u8]) -> Result<PairingRecord, Status>;

/// What lives in an [`iotsec_device_t`].
pub(crate) struct Held {
    pub(crate) life: Life,
    pub(crate) entropy: CEntropy,
    /// Drawn, shown, and not yet in force.
    code: Option<DevicePassword>,
    /// Likewise.
    pub(crate) setup_code: Option<(SetupCode, PairingParameters, Register)>,
    owner: Option<(iotsec_owner_t, Authenticated)>,
    /// Where the function goes that the device borrows, until memory is lent for it.
    argon2id: Option<&'static mut CArgon2id>,
    identity: identity::Kept,
}

/// What the device borrows.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    root: CRootKey,
    replay: Option<CCounter>,
    updates: NoCounter,
    places: [Place; IOTSEC_PLACES_MAX],
    argon2id: CArgon2id,
}

/// Stands where the counter of the updates is in Rust: `iotsec_update_t` has its own.
#[derive(Clone, Copy)]
struct NoCounter;

impl MonotonicCounter for NoCounter {
    fn read(&mut self) -> Result<u64, CounterError> {
        Err(CounterError::Unreadable)
    }

    fn advance_to(&mut self, _: u64) -> Result<(), CounterError> {
        Err(CounterError::Unreadable)
    }
}

impl Storage for iotsec_device_t {
    type Kept = Parts;
    type Value = Held;
    const KIND: u32 = 0x4465_7631;
}

/// Makes a device out of blank hardware, at the factory, whatever the region held before. Erases every page.
///
/// Power loss: there is no device until the call is complete; format again. A device in the field never does: one that
/// does not open is a fault to report.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_format(
    device: *mut iotsec_device_t,
    config: *const iotsec_device_config_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        start(device, config, |product, hardware, memory| {
            Ok(Life::Factory(Device::format(product, hardware, memory)?))
        })
    })
}

/// Opens the device at boot, in the state that it is in: mounts its store, counts the boot, and finishes an erasure that
/// power loss interrupted. `iotsec_device_state()` says what comes next.
///
/// `IOTSEC_ERR_STORE_UNFORMATTED` when the region holds no device, or the root key is not the one that made it;
/// `IOTSEC_ERR_STORE_ROLLED_BACK` when an earlier image of the flash was put back and there is a `replay_counter`. Power
/// loss: open again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_open(
    device: *mut iotsec_device_t,
    config: *const iotsec_device_config_t,
) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe {
        start(device, config, |product, hardware, memory| {
            Ok(match Booted::open(product, hardware, memory)? {
                Booted::Factory(device) => Life::Factory(device),
                Booted::Provisioned(device) => Life::Provisioned(device),
                Booted::Owned(device) => Life::Owned(device),
                Booted::Orphaned(device) => Life::Orphaned(device),
                Booted::Retired(device) => Life::Retired(device),
            })
        })
    })
}

/// Writes to `state` where the device is in its life: `IOTSEC_DEVICE_*`. A function that belongs to another state
/// refuses with `IOTSEC_ERR_STATE` and changes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_state(
    device: *mut iotsec_device_t,
    state: *mut iotsec_device_state_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let state = argument::out(state)?;
            object::enter(device, |held| {
                state.set(held.state());
                Ok(())
            })
        }
    })
}

/// Draws the code for a label, `XXXX-XXXX-XXXX-C` with a check symbol, and writes it to `label`, which holds
/// `IOTSEC_LABEL_MAX` bytes or more. It opens nothing until `iotsec_device_provision()` or `iotsec_device_transfer()`
/// puts it in force; until then it is kept in memory, and a second call draws another.
///
/// The label is the one copy of the code: print it or show it first, then go on, then wipe it. Power loss forgets a code
/// that is not in force. Belongs to `IOTSEC_DEVICE_FACTORY` and `IOTSEC_DEVICE_OWNED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_draw_code(
    device: *mut iotsec_device_t,
    exposure: iotsec_exposure_t,
    label: *mut c_char,
    label_size: usize,
    label_len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let label = argument::buffer(label.cast(), label_size, label_len)?.at_least(IOTSEC_LABEL_MAX)?;
            object::enter(device, |held| {
                if !matches!(held.life, Life::Factory(_) | Life::Owned(_)) {
                    return Err(CallError::State.into());
                }
                let code = DevicePassword::generate(exposure_of(exposure)?, &mut held.entropy)?;
                label.copy(code.label().as_str().as_bytes())?;
                held.code = Some(code);
                Ok(())
            })
        }
    })
}

/// Gives the unit its serial number, `serial_len` letters, digits, hyphens and dots in `serial`, its keys, the code that
/// `iotsec_device_draw_code()` drew, and the set-up code if `iotsec_device_draw_setup_code()` drew one. Writes to
/// `enrolment` what the factory and the service need to know.
///
/// Power loss: the device is still in the factory state; draw a code and do it again. From
/// `IOTSEC_DEVICE_FACTORY` to `IOTSEC_DEVICE_PROVISIONED`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_provision(
    device: *mut iotsec_device_t,
    serial: *const c_char,
    serial_len: usize,
    enrolment: *mut iotsec_enrolment_t,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let serial = argument::text(serial, serial_len)?;
            let enrolment = argument::out(enrolment)?;
            object::enter(device, |held| {
                let Held {
                    life,
                    code,
                    setup_code,
                    ..
                } = held;
                let drawn = code.as_ref().ok_or(CallError::State)?;
                let pairing = match setup_code {
                    Some((code, parameters, register)) => {
                        Some(register(code, parameters, serial.as_bytes())?)
                    }
                    None => None,
                };
                let mut learned = None;
                advance(life, |device: Unit<Factory>| {
                    let (device, secrets) = match &pairing {
                        Some(pairing) => device.provision_with_pairing(serial, drawn, pairing)?,
                        None => device.provision(serial, drawn)?,
                    };
                    learned = Some(secrets);
                    Ok::<_, (_, DeviceError)>(device)
                })?;
                let learned = learned.ok_or(CallError::State)?;
                (*code, *setup_code) = (None, None);
                let identity = Ed25519SigningKey::from_seed(&learned.identity);
                enrolment.set(iotsec_enrolment_t {
                    identity: <[u8; 32]>::try_from(identity.public_key()).map_err(|_| CallError::Size)?,
                    telemetry: *learned.telemetry.expose(),
                });
                Ok(())
            })
        }
    })
}

/// Reads the serial number into `serial`, which holds `size`, and writes its length to `len`: 0 before the device is
/// provisioned and after it is retired, `IOTSEC_SERIAL_MAX` at most.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_serial(
    device: *mut iotsec_device_t,
    serial: *mut c_char,
    size: usize,
    len: *mut usize,
) -> iotsec_status_t {
    status(|| {
        // SAFETY: the caller's word, see the README.
        unsafe {
            let out = argument::buffer(serial.cast(), size, len)?;
            object::enter(device, |held| {
                let mut bytes = [0; IOTSEC_SERIAL_MAX];
                in_any_state!(&mut held.life, device => out.copy(device.serial(&mut bytes)?.as_bytes()))
            })
        }
    })
}

/// Ends a device and wipes its keys and the code that was drawn. What it is stays in flash; storage, index and buffer may
/// be used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn iotsec_device_close(device: *mut iotsec_device_t) -> iotsec_status_t {
    // SAFETY: the caller's word, see the README.
    status(|| unsafe { object::end(device) })
}

impl Held {
    const fn state(&self) -> iotsec_device_state_t {
        match self.life {
            // No call sees a step half-way.
            Life::Moving => 0,
            Life::Factory(_) => IOTSEC_DEVICE_FACTORY,
            Life::Provisioned(_) | Life::Setup(_) => IOTSEC_DEVICE_PROVISIONED,
            Life::Owned(_) => IOTSEC_DEVICE_OWNED,
            Life::Orphaned(_) => IOTSEC_DEVICE_ORPHANED,
            Life::Retired(_) => IOTSEC_DEVICE_RETIRED,
        }
    }

    /// The device of somebody.
    pub(crate) const fn owned(&mut self) -> Result<&mut Unit<Owned>, CallError> {
        match &mut self.life {
            Life::Owned(device) => Ok(device),
            _ => Err(CallError::State),
        }
    }

    /// The device of somebody, with the proof that they are there.
    pub(crate) fn with_owner(
        &mut self,
        owner: iotsec_owner_t,
    ) -> Result<(&mut Unit<Owned>, &Authenticated), CallError> {
        match (&mut self.life, &self.owner) {
            (Life::Owned(device), Some((number, proof))) if *number == owner => Ok((device, proof)),
            _ => Err(CallError::State),
        }
    }

    /// The proof, for a step that uses it up.
    fn spend_owner(&mut self, owner: iotsec_owner_t) -> Result<Authenticated, CallError> {
        match self.owner.take() {
            Some((number, proof)) if number == owner => Ok(proof),
            other => {
                self.owner = other;
                Err(CallError::State)
            }
        }
    }

    /// Keeps a proof, under a number that nobody can have had before.
    fn keep_owner(&mut self, proof: Authenticated) -> Result<iotsec_owner_t, Status> {
        let number = self.entropy.try_next_u64().map_err(|_| CallError::Callback)? | 1;
        self.owner = Some((number, proof));
        Ok(number)
    }
}

/// The proof that the owner is there, for a step of another object that uses it up.
///
/// # Safety
/// As [`object::enter`].
pub(crate) unsafe fn spend_owner(
    device: *mut iotsec_device_t,
    owner: iotsec_owner_t,
) -> Result<Authenticated, Status> {
    // SAFETY: the caller's word, passed on.
    unsafe { object::enter(device, |held| Ok(held.spend_owner(owner)?)) }
}

/// When something is done; zero stands for a time that is not known.
pub(crate) fn moment(uptime_ms: u64, time_s: u64) -> Moment {
    Moment {
        uptime: (uptime_ms != 0).then_some(Millis(uptime_ms)),
        time: argument::time(time_s),
    }
}

/// # Safety
/// As [`object::start`], and the configuration is as its documentation says until the device is closed.
unsafe fn start(
    device: *mut iotsec_device_t,
    config: *const iotsec_device_config_t,
    make: impl FnOnce(
        Product<'static>,
        Hardware<'static, CFlash, CEntropy>,
        Memory<'static>,
    ) -> Result<Life, Status>,
) -> Result<(), Status> {
    // SAFETY: the caller's word, passed on; here and below.
    let config = unsafe { argument::sized(config) }?;
    let flash = CFlash::new(argument::same_size(config.flash, config.flash.struct_size)?)?;
    let entropy = CEntropy::new(argument::same_size(config.entropy, config.entropy.struct_size)?)?;
    let root = CRootKey::new(argument::same_size(config.root_key, config.root_key.struct_size)?)?;
    // SAFETY: as above.
    let replay = unsafe { CCounter::new_or_none(config.replay_counter) }?;
    // SAFETY: as above.
    let throttle = unsafe { policy_of(config.policy) }?;
    let region = config.region.region(&flash)?;
    // SAFETY: as above.
    let (index, record) = unsafe {
        object::vacant(device)?;
        memory(
            config.index,
            config.index_count,
            config.buffer,
            config.buffer_size,
        )
    }?;
    let small = u32::try_from(index.len()).is_ok_and(|count| count < IOTSEC_DEVICE_INDEX);
    if small || record.len() < IOTSEC_DEVICE_BUFFER {
        return Err(CallError::Size.into());
    }
    // SAFETY: as above.
    let given = unsafe { argument::slice(config.places, config.place_count) }?;
    let mut places = [const { Place::new(0, "", "") }; IOTSEC_PLACES_MAX];
    if given.len() > places.len() {
        return Err(CallError::Size.into());
    }
    for (place, given) in places.iter_mut().zip(given) {
        argument::zero(given.reserved)?;
        let name_space = u8::try_from(given.name_space).map_err(|_| CallError::Config)?;
        // SAFETY: as above; the texts outlive the device.
        let (holds, purpose) = unsafe {
            (
                argument::zero_ended(given.holds)?,
                argument::zero_ended(given.purpose)?,
            )
        };
        *place = Place::new(name_space, holds, purpose);
    }
    let count = given.len();
    let product = Product {
        store: region,
        events: EVENTS.hashed(&mut Sha256::new()),
        reserve: 0,
        throttle,
        suite: Suite {
            storage: &Aes256GcmSiv,
            wire: &ChaCha20Poly1305,
            kdf: &HkdfSha256,
        },
    };
    let parts = Parts {
        root,
        replay,
        updates: NoCounter,
        places,
        argon2id: CArgon2id::NONE,
    };
    // SAFETY: as above.
    unsafe {
        object::start(device, parts, |parts| {
            let Parts {
                root,
                replay,
                updates,
                places,
                argon2id,
            } = parts;
            let places: &'static [Place] = places.get(..count).unwrap_or_default();
            let inventory = match places {
                [] => None,
                places => Some(Inventory::new(places).ok_or(CallError::Config)?),
            };
            let hardware = Hardware {
                flash,
                rng: entropy,
                counter: updates,
                root,
                replay: match replay {
                    Some(counter) => ReplayProtection::EachPage(counter),
                    None => ReplayProtection::None,
                },
            };
            Ok(Held {
                life: make(product, hardware, Memory { index, record })?.with(inventory),
                entropy,
                code: None,
                setup_code: None,
                owner: None,
                argon2id: Some(argon2id),
                identity: identity::Kept::default(),
            })
        })
    }
}
