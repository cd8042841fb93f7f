//! The devices that vectors are made for.

use iotsec_core::{
    cbor::{self, Key, Reader},
    hal::UnixTime,
};
use iotsec_update::{ComponentId, DeviceComponent, DeviceIdentity, Policy, SequenceNumber};

/// What an entry says of the device's state.
pub(super) struct State {
    pub(super) installed: Option<u64>,
    pub(super) slot: Option<u64>,
    pub(super) now: Option<u64>,
}

/// A device, with what its identity borrows.
pub(super) struct Device {
    vendor: [u8; 16],
    class: [u8; 16],
    unit: Option<[u8; 16]>,
    components: Vec<Vec<u8>>,
    slot: u64,
    pub(super) policy: Policy,
}

/// UUID5(DNS, "iotsec.example")
const VENDOR: [u8; 16] = [
    0x0E, 0x01, 0x1A, 0x35, 0xE5, 0x98, 0x55, 0x69, 0x81, 0x98, 0xAE, 0x31, 0x7F, 0x6D, 0xA1, 0x78,
];
/// UUID5(vendor, "sensor-rev-b")
const CLASS: [u8; 16] = [
    0x35, 0xC5, 0x00, 0xE3, 0x28, 0xA3, 0x5F, 0xC1, 0xBD, 0x5D, 0x0E, 0x07, 0x9A, 0xB2, 0x96, 0x6F,
];
/// UUID5(vendor, "device-0001")
const UNIT: [u8; 16] = [
    0x7C, 0x2D, 0xAA, 0xC0, 0xAB, 0x45, 0x54, 0x78, 0xA8, 0x90, 0x5D, 0xA9, 0x22, 0xAF, 0xED, 0xAB,
];
/// 2026-01-01
const NOW: UnixTime = UnixTime(1_767_225_600);
const INSTALLED: SequenceNumber = SequenceNumber(10);

impl Device {
    /// The device of `oracle/` and `negative/`: vendor "iotsec.example", class "sensor-rev-b", device
    /// "device-0001", components `[h'00']` and `[h'01']`, sequence number 10 installed.
    pub(super) fn ours(state: &State) -> Self {
        Self {
            vendor: VENDOR,
            class: CLASS,
            unit: Some(UNIT),
            components: vec![vec![0x81, 0x41, 0x00], vec![0x81, 0x41, 0x01]],
            slot: state.slot.unwrap_or(0),
            policy: policy(state, INSTALLED),
        }
    }

    /// The device that an authentic manifest is made for, fresh from the factory.
    pub(super) fn made_for(manifest: &[u8], state: &State) -> Result<Self, String> {
        let wanted = Wanted::read(manifest).map_err(|error| format!("manifest: {error}"))?;
        Ok(Self {
            vendor: wanted.vendor.unwrap_or_default(),
            class: wanted.class.unwrap_or_default(),
            unit: None,
            components: wanted.components,
            slot: state.slot.unwrap_or(0),
            policy: policy(state, SequenceNumber(0)),
        })
    }

    pub(super) fn components(&self) -> Result<Vec<DeviceComponent<'_>>, String> {
        let mut components = Vec::new();
        for id in &self.components {
            components.push(DeviceComponent {
                id: ComponentId::from_encoded(id).map_err(|error| format!("component: {error}"))?,
                capacity: u32::MAX,
                slot: Some(self.slot),
            });
        }
        Ok(components)
    }

    pub(super) fn identity<'d>(&self, components: &'d [DeviceComponent<'d>]) -> DeviceIdentity<'d> {
        DeviceIdentity {
            vendor: self.vendor,
            class: self.class,
            device: self.unit,
            components,
        }
    }
}

/// The vectors' positives carry the sequence number that is installed, and one the highest there is.
fn policy(state: &State, installed: SequenceNumber) -> Policy {
    Policy {
        reinstall: true,
        max_jump: u64::MAX,
        now: Some(state.now.map_or(NOW, UnixTime)),
        ..Policy::newer_than(state.installed.map_or(installed, SequenceNumber))
    }
}

/// What a manifest says of the device that it is for.
#[derive(Default)]
struct Wanted {
    components: Vec<Vec<u8>>,
    vendor: Option<[u8; 16]>,
    class: Option<[u8; 16]>,
}

const LIMITS: cbor::Limits = cbor::Limits {
    depth: 8,
    items: 4096,
    bytes: 1 << 20,
};

impl Wanted {
    fn read(manifest: &[u8]) -> Result<Self, cbor::CborError> {
        let mut wanted = Self::default();
        let Some(mut common) = entry(&mut Reader::new(manifest, &LIMITS)?, 3)? else {
            return Ok(wanted);
        };
        let mut common = common.embedded(&LIMITS)?;
        if let Some(mut components) = entry(&mut common.clone(), 2)? {
            for _ in 0..components.array()? {
                wanted.components.push(components.skip()?.to_vec());
            }
        }
        if let Some(mut shared) = entry(&mut common, 4)? {
            let mut shared = shared.embedded(&LIMITS)?;
            for _ in 0..shared.array()? / 2 {
                if shared.int()? == 20 {
                    let parameters = shared.clone();
                    wanted.vendor = wanted.vendor.or(uuid(&parameters, 1)?);
                    wanted.class = wanted.class.or(uuid(&parameters, 2)?);
                }
                shared.skip()?;
            }
        }
        Ok(wanted)
    }
}

/// The value under `wanted` in the map at `reader`.
fn entry<'a>(reader: &mut Reader<'a>, wanted: i64) -> Result<Option<Reader<'a>>, cbor::CborError> {
    for _ in 0..reader.map()? {
        if reader.key()? == Key::Int(wanted) {
            return Ok(Some(reader.clone()));
        }
        reader.skip()?;
    }
    Ok(None)
}

fn uuid(parameters: &Reader<'_>, key: i64) -> Result<Option<[u8; 16]>, cbor::CborError> {
    match entry(&mut parameters.clone(), key)? {
        Some(mut value) => value.array_of().copied().map(Some),
        None => Ok(None),
    }
}
