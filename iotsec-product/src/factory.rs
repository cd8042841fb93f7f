//! How units of the product are made: `iotsec provision` reads these sections.

use std::path::{Path, PathBuf};

use iotsec_core::{credential::Exposure, input::DeviceSerial};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// How units are numbered.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Serial {
    /// What every serial number starts with.
    pub prefix: Prefix,
    /// Digits of the running number, zeros in front.
    #[serde(default = "six")]
    pub digits: u8,
    /// The first running number that the product ever has.
    #[serde(default = "one")]
    pub first: u32,
}

/// What opens a unit, and how it comes about.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Credential {
    /// A password for the owner's login.
    pub password: bool,
    /// Where the password can be attacked.
    pub exposure: Reach,
    /// Eight digits for pairing, protected by a PAKE and a limit of attempts.
    pub setup_code: bool,
    /// Where passwords come from. Set-up codes are always drawn.
    pub origin: PasswordOrigin,
}

/// Where passwords come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PasswordOrigin {
    /// Drawn; known to nobody once labels and records are destroyed.
    Random,
    /// Derived from model and serial number under the station's batch key, so that a label can be printed again.
    Derived,
}

/// Where a password can be attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// Through the device only, which counts the guesses.
    Online,
    /// Also at the attacker's desk.
    Offline,
}

/// The device key.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Identity {
    /// Where it is made.
    pub origin: KeyOrigin,
    /// Of keys that are made here.
    pub kind: KeyKind,
}

/// Where device keys are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyOrigin {
    /// Made here and delivered encrypted to the programming line.
    Factory,
    /// Made on the device; nothing of it is here.
    Device,
}

/// What a Matter commissioner learns of the product.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Matter {
    /// As the Connectivity Standards Alliance gave it.
    pub vendor_id: u16,
    /// As the vendor gave it.
    pub product_id: u16,
    /// How the device is found before it is in a network.
    pub discovery: Vec<Discovery>,
    /// Rounds of PBKDF2 of the verifier.
    #[serde(default = "ten_thousand")]
    pub iterations: u32,
}

/// A way to find a device that is not in a network yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Discovery {
    /// It opens a wireless network.
    SoftAp,
    /// By Bluetooth.
    Ble,
    /// It is in the network already.
    OnNetwork,
}

impl Matter {
    /// A bit for each way (Matter core specification 1.4 §5.1.3.1).
    pub fn discovery_bits(&self) -> u8 {
        let bit = |way: &Discovery| match way {
            Discovery::SoftAp => 1,
            Discovery::Ble => 2,
            Discovery::OnNetwork => 4,
        };
        self.discovery.iter().map(bit).fold(0, |bits, bit| bits | bit)
    }
}

/// Kinds of device keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyKind {
    /// Where both ends are yours.
    Ed25519,
    /// ECDSA on P-256, which clouds, Matter and Espressif's TLS ask for.
    P256,
}

/// Where the station keeps its things, and whom it encrypts to.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Factory {
    /// The station directory; `--station` comes first. Relative to the manifest.
    pub station: Option<PathBuf>,
    /// Public keys that labels.sealed is encrypted to. Relative to the manifest; the station's own when
    /// there are none.
    pub labels: Vec<PathBuf>,
    /// Public keys that devices.sealed is encrypted to, likewise.
    pub devices: Vec<PathBuf>,
}

impl Serial {
    /// The serial number of a running number.
    pub fn of(&self, number: u32) -> String {
        let digits = usize::from(self.digits);
        format!("{}{number:0digits$}", self.prefix.0)
    }
}

impl Factory {
    /// Puts `folder` in front of the paths.
    pub(crate) fn stand_in(&mut self, folder: &Path) {
        let station = self.station.take().unwrap_or("station".into());
        self.station = Some(folder.join(station));
        for recipient in self.labels.iter_mut().chain(&mut self.devices) {
            *recipient = folder.join(&recipient);
        }
    }
}

impl Default for Credential {
    fn default() -> Self {
        Self {
            password: true,
            exposure: Reach::Online,
            setup_code: false,
            origin: PasswordOrigin::Random,
        }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            origin: KeyOrigin::Factory,
            kind: KeyKind::Ed25519,
        }
    }
}

impl From<Reach> for Exposure {
    fn from(reach: Reach) -> Self {
        match reach {
            Reach::Online => Self::Online,
            Reach::Offline => Self::Offline,
        }
    }
}

/// Ten digits follow at most.
const MAX_PREFIX: usize = DeviceSerial::MAX_LEN - 10;

/// What every serial number of the product starts with. Lists separate serial numbers with commas.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Prefix(String);

impl TryFrom<String> for Prefix {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        // With the least that may follow, it is a serial number as devices have it.
        if DeviceSerial::parse(format!("{text}0").as_bytes()).is_err() || text.len() > MAX_PREFIX {
            return Err("takes up to 22 letters, digits, hyphens and dots, a letter or digit first");
        }
        // Otherwise two prefixes could give one serial number.
        if text.ends_with(|last: char| last.is_ascii_digit()) {
            return Err("a prefix does not end in a digit: put a hyphen behind it");
        }
        Ok(Self(text))
    }
}

impl JsonSchema for Prefix {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Prefix".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z.-])?$", "maxLength": MAX_PREFIX })
    }
}

impl Prefix {
    /// As it stands in the manifest.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn six() -> u8 {
    6
}
const fn one() -> u32 {
    1
}
const fn ten_thousand() -> u32 {
    10_000
}
