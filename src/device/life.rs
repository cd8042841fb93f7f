//! Making and opening a device.

use core::marker::PhantomData;

use embedded_storage::nor_flash::NorFlash;
use iotsec_core::credential::Throttle;
use iotsec_store::{KeyId, ReplayProtection, Store, StoreError};
use iotsec_telemetry::{consent::Consents, queue::Queue};
use rand_core::TryCryptoRng;

use super::{
    Device, DeviceError, Hardware, Memory, Product,
    provision::MAX_SERIAL,
    record::{self, Records},
};

/// Fresh from the line: no identity, no credentials.
#[derive(Debug)]
pub enum Factory {}
/// Has its identity and its label, and no owner.
#[derive(Debug)]
pub enum Provisioned {}
/// Belongs to somebody.
#[derive(Debug)]
pub enum Owned {}
/// Belongs to somebody whose data cannot be read: the key that they are stored under is damaged. Nothing can be done
/// with the device but to [reset](Device::reset_orphan) it, or to start it again and see whether the key reads then.
#[derive(Debug)]
pub enum Orphaned {}
/// Out of service, without a secret left.
#[derive(Debug)]
pub enum Retired {}

/// A device as it was found at boot, in whatever state.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "all variants have the size of a device")]
pub enum Booted<'d, F, R, const N: usize> {
    /// To be provisioned.
    Factory(Device<'d, Factory, F, R, N>),
    /// To be claimed by an owner.
    Provisioned(Device<'d, Provisioned, F, R, N>),
    /// In use.
    Owned(Device<'d, Owned, F, R, N>),
    /// To be reset: the owner's data are lost.
    Orphaned(Device<'d, Orphaned, F, R, N>),
    /// Of no more use.
    Retired(Device<'d, Retired, F, R, N>),
}

/// The state of a device as a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// See [`enum@Factory`].
    Factory,
    /// See [`Provisioned`].
    Provisioned,
    /// See [`Owned`].
    Owned,
    /// See [`Orphaned`].
    Orphaned,
    /// See [`Retired`].
    Retired,
}

/// A step to another state, or the device as it was and the reason.
pub type Transition<Next, Same> = Result<Next, (Same, DeviceError)>;

const FACTORY: u8 = 1;
pub(crate) const PROVISIONED: u8 = 2;
pub(crate) const RETIRED: u8 = 3;

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, Factory, F, R, N> {
    /// Makes a device out of blank hardware, at the factory. Erases the store's region.
    ///
    /// *Power loss:* there is no device until this is complete; do it again.
    ///
    /// # Errors
    /// Failures of the store.
    pub fn format(
        product: Product<'d>,
        mut hardware: Hardware<'d, F, R>,
        memory: Memory<'d>,
    ) -> Result<Self, DeviceError> {
        let (flash, rng) = (&mut hardware.flash, &mut hardware.rng);
        let suite = store_suite(&product, hardware.root);
        let Memory {
            index,
            record: buffer,
        } = memory;
        let replay = core::mem::replace(&mut hardware.replay, ReplayProtection::None);
        let mut store = Store::format(flash, product.store, suite, index, buffer, replay, rng)?;
        store.put(flash, record::BOOTS, &1u32.to_le_bytes())?;
        store.put(flash, record::STATE, &[FACTORY])?;
        Ok(Self::assemble(product, hardware, store, 1))
    }
}

impl<'d, F: NorFlash, R: TryCryptoRng, const N: usize> Booted<'d, F, R, N> {
    /// Opens a device at boot: mounts the store, counts the boot, finds out the state, finishes an erasure that was
    /// announced, loads consents and queued events.
    ///
    /// A device whose owner's data are lost is [`Orphaned`](Self::Orphaned). What is lost may be in the way of every
    /// write, of the boot's count too: then its events have the numbers that another boot's have.
    ///
    /// *Power loss:* open again.
    ///
    /// # Errors
    /// [`DeviceError::State`] when the state is not known; failures of the store.
    pub fn open(
        product: Product<'d>,
        mut hardware: Hardware<'d, F, R>,
        memory: Memory<'d>,
    ) -> Result<Self, DeviceError> {
        let (flash, rng) = (&mut hardware.flash, &mut hardware.rng);
        let suite = store_suite(&product, hardware.root);
        let Memory {
            index,
            record: buffer,
        } = memory;
        let replay = core::mem::replace(&mut hardware.replay, ReplayProtection::None);
        let mut store = Store::mount(flash, product.store, suite, index, buffer, replay, rng)?;
        let boots = u32::from_le_bytes(read_exact(&mut store, flash, record::BOOTS)?);
        let boots = boots.checked_add(1).ok_or(DeviceError::Boots)?;
        match store.put(flash, record::BOOTS, &boots.to_le_bytes()) {
            Err(StoreError::KeyLost) if store.is_user_key_lost() => {}
            counted => counted?,
        }
        let state = state_of(&mut store, flash)?;
        let mut device = Device::<Factory, F, R, N>::assemble(product, hardware, store, boots);
        let state = device.finish_erasure(state)?;
        Ok(match state {
            State::Factory => Self::Factory(device),
            State::Provisioned => Self::Provisioned(device.into_state()),
            State::Owned => {
                device.consents = Consents::load(&mut device.records());
                let mut device: Device<'d, Owned, F, R, N> = device.into_state();
                device.restore_queue()?;
                Self::Owned(device)
            }
            State::Orphaned => Self::Orphaned(device.into_state()),
            State::Retired => Self::Retired(device.into_state()),
        })
    }

    /// The state that the device was found in.
    pub const fn state(&self) -> State {
        match self {
            Self::Factory(_) => State::Factory,
            Self::Provisioned(_) => State::Provisioned,
            Self::Owned(_) => State::Owned,
            Self::Orphaned(_) => State::Orphaned,
            Self::Retired(_) => State::Retired,
        }
    }
}

iotsec_core::claim! {
    provisions: ["5.9-1", "5.9-2"],
    claims: "A power cut at any step of becoming provisioned or owned leaves a device that opens in a state from which the step can be done again",
    code: [Booted::open],
    tests: [
        "iotsec::life_under_power_cuts::provisioning_can_be_done_again",
        "iotsec::life_under_power_cuts::a_claim_makes_an_owner_or_does_not",
    ],
}

impl<'d, S, F: NorFlash, R: TryCryptoRng, const N: usize> Device<'d, S, F, R, N> {
    /// The serial number, empty before provisioning; `buffer` has 32 bytes.
    ///
    /// # Errors
    /// Failures of the store; [`DeviceError::Damaged`].
    pub fn serial<'b>(&mut self, buffer: &'b mut [u8; MAX_SERIAL]) -> Result<&'b str, DeviceError> {
        match self.store.get(&mut self.hardware.flash, record::SERIAL, buffer) {
            Ok(serial) => core::str::from_utf8(serial).map_err(|_| DeviceError::Damaged),
            Err(StoreError::NotFound) => Ok(""),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives flash, counter and the rest back, as a reboot does.
    pub fn into_hardware(self) -> Hardware<'d, F, R> {
        self.hardware
    }

    /// The hardware, to look at.
    pub const fn hardware(&self) -> &Hardware<'d, F, R> {
        &self.hardware
    }

    /// The hardware, for parts of the application that share it. What the store and the slots hold is not to
    /// be touched.
    pub const fn hardware_mut(&mut self) -> &mut Hardware<'d, F, R> {
        &mut self.hardware
    }

    /// A device in its `boots`th boot, with an empty queue and nothing consented to.
    fn assemble(product: Product<'d>, hardware: Hardware<'d, F, R>, store: Store<'d>, boots: u32) -> Self {
        Self {
            throttle: Throttle::new(product.throttle),
            consents: Consents::off(),
            queue: Queue::new(product.events, boots, product.reserve),
            product,
            hardware,
            store,
            inventory: None,
            memory_hard: None,
            state: PhantomData,
        }
    }

    pub(crate) fn records(&mut self) -> Records<'_, 'd, F> {
        Records {
            store: &mut self.store,
            flash: &mut self.hardware.flash,
        }
    }

    pub(crate) fn write(&mut self, key: KeyId, value: &[u8]) -> Result<(), DeviceError> {
        Ok(self.store.put(&mut self.hardware.flash, key, value)?)
    }

    /// The device in the next state if the step to it was done, else as it was.
    #[allow(clippy::result_large_err, reason = "the device must come back")]
    pub(crate) fn settle<T>(self, done: Result<(), DeviceError>) -> Transition<Device<'d, T, F, R, N>, Self> {
        match done {
            Ok(()) => Ok(self.into_state()),
            Err(error) => Err((self, error)),
        }
    }

    // A function of its own: where it is inlined, the compiler moves the fields one by one, which makes kilobytes of code.
    #[inline(never)]
    pub(crate) fn into_state<T>(self) -> Device<'d, T, F, R, N> {
        Device {
            product: self.product,
            hardware: self.hardware,
            store: self.store,
            throttle: self.throttle,
            consents: self.consents,
            queue: self.queue,
            inventory: self.inventory,
            memory_hard: self.memory_hard,
            state: PhantomData,
        }
    }
}

impl<S, F, R, const N: usize> core::fmt::Debug for Device<'_, S, F, R, N> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Device")
            .field("state", &core::any::type_name::<S>())
            .finish_non_exhaustive()
    }
}

fn store_suite<'d>(
    product: &Product<'d>,
    root: &'d dyn iotsec_core::hal::RootKey,
) -> iotsec_store::Suite<'d> {
    iotsec_store::Suite {
        aead: product.suite.storage,
        kdf: product.suite.kdf,
        root,
    }
}

fn state_of<F: NorFlash>(store: &mut Store<'_>, flash: &mut F) -> Result<State, DeviceError> {
    let [code] = read_exact(store, flash, record::STATE)?;
    Ok(match code {
        FACTORY => State::Factory,
        // An erasure that was cut may have taken the mark that there is an owner, and left other things of theirs.
        PROVISIONED if store.is_user_key_lost() => State::Orphaned,
        // Whether there is an owner is said in the user domain, so that erasing it is all that a reset needs.
        PROVISIONED if store.contains(record::OWNER) => State::Owned,
        PROVISIONED => State::Provisioned,
        RETIRED => State::Retired,
        _ => return Err(DeviceError::State),
    })
}

/// A record that is there and has exactly `L` bytes, or an error.
pub(crate) fn read_exact<F: NorFlash, const L: usize>(
    store: &mut Store<'_>,
    flash: &mut F,
    key: KeyId,
) -> Result<[u8; L], DeviceError> {
    let mut bytes = [0; L];
    match store.get(flash, key, &mut bytes) {
        Ok(read) if read.len() == L => Ok(bytes),
        Ok(_) | Err(StoreError::NotFound | StoreError::Buffer) => Err(DeviceError::State),
        Err(error) => Err(error.into()),
    }
}
