//! The states of a device, and the steps between them.

use iotsec::{
    core::{credential::MemoryCost, crypto::MemoryHard},
    device::{Factory, Orphaned, Owned, Provisioned, Retired},
    erase::Inventory,
};

use super::{CSetup, Unit};
use crate::status::{CallError, Status};

/// The device in its state, or nowhere for as long as a step is under way.
#[allow(clippy::large_enum_variant, reason = "all variants have the size of a device")]
pub(crate) enum Life {
    Moving,
    Factory(Unit<Factory>),
    Provisioned(Unit<Provisioned>),
    Setup(CSetup),
    Owned(Unit<Owned>),
    Orphaned(Unit<Orphaned>),
    Retired(Unit<Retired>),
}

/// Runs the same lines on the device in whatever state.
macro_rules! in_any_state {
    ($life:expr, $device:ident => $work:expr) => {
        match $life {
            Life::Moving => Err(CallError::State.into()),
            Life::Factory($device) => $work,
            Life::Provisioned($device) => $work,
            Life::Setup(setup) => {
                let $device = setup.device_mut();
                $work
            }
            Life::Owned($device) => $work,
            Life::Orphaned($device) => $work,
            Life::Retired($device) => $work,
        }
    };
}
pub(crate) use in_any_state;

impl Life {
    /// From here on, values of the owner are taken for the places of the inventory only, if there is one.
    pub(super) fn with(self, inventory: Option<Inventory>) -> Self {
        let Some(inventory) = inventory else {
            return self;
        };
        match self {
            Self::Factory(device) => Self::Factory(device.with_inventory(inventory)),
            Self::Provisioned(device) => Self::Provisioned(device.with_inventory(inventory)),
            Self::Owned(device) => Self::Owned(device.with_inventory(inventory)),
            Self::Orphaned(device) => Self::Orphaned(device.with_inventory(inventory)),
            Self::Retired(device) => Self::Retired(device.with_inventory(inventory)),
            // None of the two is found at a start.
            other @ (Self::Moving | Self::Setup(_)) => other,
        }
    }
}

impl Life {
    /// From here on, passwords that are chosen are stretched with `function`. Gives back what is in no state for that.
    pub(super) fn with_memory_hard(
        self,
        function: &'static dyn MemoryHard,
        cost: MemoryCost,
    ) -> Result<Self, Self> {
        Ok(match self {
            Self::Factory(device) => Self::Factory(device.with_memory_hard(function, cost)),
            Self::Provisioned(device) => Self::Provisioned(device.with_memory_hard(function, cost)),
            Self::Owned(device) => Self::Owned(device.with_memory_hard(function, cost)),
            Self::Orphaned(device) => Self::Orphaned(device.with_memory_hard(function, cost)),
            Self::Retired(device) => Self::Retired(device.with_memory_hard(function, cost)),
            other @ (Self::Moving | Self::Setup(_)) => return Err(other),
        })
    }
}

/// A state that a step leads out of, or into.
pub(crate) trait State: Sized {
    /// Gives back what is in another state.
    fn take(life: Life) -> Result<Self, Life>;
    fn put(self) -> Life;
}

macro_rules! states {
    ($($variant:ident($state:ty)),* $(,)?) => {
        $(impl State for $state {
            fn take(life: Life) -> Result<Self, Life> {
                match life {
                    Life::$variant(state) => Ok(state),
                    other => Err(other),
                }
            }

            fn put(self) -> Life {
                Life::$variant(self)
            }
        })*
    };
}
states! {
    Factory(Unit<Factory>),
    Provisioned(Unit<Provisioned>),
    Setup(CSetup),
    Owned(Unit<Owned>),
    Orphaned(Unit<Orphaned>),
    Retired(Unit<Retired>),
}

/// A step of the device's life from one state to another. It leaves a device in any case.
pub(crate) fn advance<From: State, To: State, E: Into<Status>>(
    life: &mut Life,
    step: impl FnOnce(From) -> Result<To, (From, E)>,
) -> Result<(), Status> {
    let (next, done) = match From::take(core::mem::replace(life, Life::Moving)) {
        Ok(from) => match step(from) {
            Ok(to) => (to.put(), Ok(())),
            Err((from, error)) => (from.put(), Err(error.into())),
        },
        Err(other) => (other, Err(CallError::State.into())),
    };
    *life = next;
    done
}
