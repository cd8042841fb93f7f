//! The product manifest `iotsec.toml`: what is true of every unit, in one file that people write.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use iotsec::core::{credential::Exposure, crypto::Sha256, input::DeviceSerial};
use serde::Deserialize;

mod surface;

use crate::{Problem, file};
use surface::Surface;

/// A product manifest. Sections and names that it does not know are refused: a misspelt setting must not
/// turn into a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Product {
    pub(crate) product: About,
    pub(crate) serial: Serial,
    #[serde(default)]
    pub(crate) credential: Credential,
    #[serde(default)]
    pub(crate) identity: Identity,
    #[serde(default)]
    pub(crate) matter: Option<Matter>,
    #[serde(default)]
    pub(crate) factory: Factory,
    #[serde(default)]
    pub(crate) surface: Option<Surface>,
    /// SHA-256 of the file, so that a run which goes on after a crash goes on with the same product.
    #[serde(skip)]
    pub(crate) digest: [u8; 32],
}

/// What the product is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    /// For people.
    pub(crate) name: Text,
    /// As on the type label.
    pub(crate) model: Text,
    pub(crate) vendor: Text,
}

/// How units are numbered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serial {
    pub(crate) prefix: Prefix,
    /// Digits of the running number, zeros in front.
    #[serde(default = "six")]
    pub(crate) digits: u8,
    /// The first running number that the product ever has.
    #[serde(default = "one")]
    pub(crate) first: u32,
}

/// What opens a unit, and how it comes about.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Credential {
    /// A password for the owner's login.
    pub(crate) password: bool,
    /// Where the password can be attacked.
    pub(crate) exposure: Reach,
    /// Eight digits for pairing, protected by a PAKE and a limit of attempts.
    pub(crate) setup_code: bool,
    /// Where passwords come from. Set-up codes are always drawn.
    pub(crate) origin: PasswordOrigin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PasswordOrigin {
    /// Drawn; known to nobody once labels and records are destroyed.
    Random,
    /// Derived from model and serial number under the station's batch key, so that a label can be printed again.
    Derived,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reach {
    /// Through the device only, which counts the guesses.
    Online,
    /// Also at the attacker's desk.
    Offline,
}

/// The device key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Identity {
    pub(crate) origin: KeyOrigin,
    /// Of keys that are made here.
    pub(crate) kind: KeyKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyOrigin {
    /// Made here and delivered encrypted to the programming line.
    Factory,
    /// Made on the device; nothing of it is here.
    Device,
}

/// What a Matter commissioner learns of the product.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Matter {
    /// As the Connectivity Standards Alliance gave it.
    pub(crate) vendor_id: u16,
    /// As the vendor gave it.
    pub(crate) product_id: u16,
    /// How the device is found before it is in a network.
    pub(crate) discovery: Vec<Discovery>,
    /// Rounds of PBKDF2 of the verifier.
    #[serde(default = "ten_thousand")]
    pub(crate) iterations: u32,
}

/// A way to find a device that is not in a network yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Discovery {
    SoftAp,
    Ble,
    OnNetwork,
}

impl Matter {
    /// A bit for each way (Matter core specification 1.4 §5.1.3.1).
    pub(crate) fn discovery_bits(&self) -> u8 {
        let bit = |way: &Discovery| match way {
            Discovery::SoftAp => 1,
            Discovery::Ble => 2,
            Discovery::OnNetwork => 4,
        };
        self.discovery.iter().map(bit).fold(0, |bits, bit| bits | bit)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyKind {
    /// Where both ends are yours.
    Ed25519,
    /// ECDSA on P-256, which clouds, Matter and Espressif's TLS ask for.
    P256,
}

/// Where the station keeps its things, and whom it encrypts to.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Factory {
    /// The station directory; `--station` comes first. Relative to the manifest.
    pub(crate) station: Option<PathBuf>,
    /// Public keys that labels.sealed is encrypted to. Relative to the manifest; the station's own when
    /// there are none.
    pub(crate) labels: Vec<PathBuf>,
    /// Public keys that devices.sealed is encrypted to, likewise.
    pub(crate) devices: Vec<PathBuf>,
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

impl Product {
    /// Reads and checks a manifest.
    pub(crate) fn read(path: &Path) -> Result<Self, Problem> {
        let bytes = file::read(path)?;
        let refused = |cause: String| {
            Problem::new(
                "Manifest",
                format!("{} refused: {cause}", path.display()),
                "correct the product manifest; examples/products has one to start from",
            )
        };
        let text = std::str::from_utf8(&bytes).map_err(|_| refused("not UTF-8".into()))?;
        let mut product = Self::parse(text).map_err(refused)?;
        product.digest = Sha256::of(&[&bytes]);
        let folder = path.parent().unwrap_or(Path::new(""));
        let station = product.factory.station.unwrap_or("station".into());
        product.factory.station = Some(folder.join(station));
        for recipient in product
            .factory
            .labels
            .iter_mut()
            .chain(&mut product.factory.devices)
        {
            *recipient = folder.join(&recipient);
        }
        Ok(product)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let product: Self = toml::from_str(text).map_err(|cause| {
            let line = cause.span().map(|span| {
                let before = text.get(..span.start).unwrap_or_default();
                format!("line {}: ", before.matches('\n').count() + 1)
            });
            format!("{}{}", line.unwrap_or_default(), cause.message())
        })?;
        product.check()?;
        Ok(product)
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=10).contains(&self.serial.digits) {
            return Err("serial.digits is 1 to 10".into());
        }
        if !self.credential.password && !self.credential.setup_code {
            return Err("[credential] asks for neither a password nor a set-up code".into());
        }
        if let Some(surface) = &self.surface {
            surface.table()?;
        }
        if let Some(matter) = &self.matter {
            if !self.credential.setup_code {
                return Err("[matter] needs credential.setup-code = true: the code is the passcode".into());
            }
            if !(1..=0xFFF4).contains(&matter.vendor_id) || matter.product_id == 0 {
                return Err("matter.vendor-id is 1 to 0xFFF4, matter.product-id 1 to 0xFFFF".into());
            }
            if matter.discovery.is_empty() {
                return Err("matter.discovery names at least one of soft-ap, ble, on-network".into());
            }
            if !(1000..=100_000).contains(&matter.iterations) {
                return Err("matter.iterations is 1000 to 100000".into());
            }
        }
        Ok(())
    }

    /// The serial number of a running number.
    pub(crate) fn serial(&self, number: u32) -> String {
        let digits = usize::from(self.serial.digits);
        format!("{}{number:0digits$}", self.serial.prefix.0)
    }
}

/// Text for labels, certificates and lists: 1 to 64 bytes without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Text(String);

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.is_empty() || text.len() > 64 || text.chars().any(char::is_control) {
            return Err("takes 1 to 64 bytes without control characters");
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Ten digits follow at most.
const MAX_PREFIX: usize = DeviceSerial::MAX_LEN - 10;

/// What every serial number of the product starts with. Lists separate serial numbers with commas.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Prefix(String);

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

impl Prefix {
    pub(crate) fn as_str(&self) -> &str {
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

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = include_str!("../../examples/products/lamp/iotsec.toml");

    #[test]
    fn the_sample_reads() {
        let product = Product::parse(SAMPLE).unwrap();
        assert_eq!(product.product.model.as_str(), "lamp-2");
        assert_eq!(product.serial(7), "L2-000007");
        assert_eq!(product.serial(12_345_678), "L2-12345678");
    }

    #[test]
    fn what_is_misspelt_or_out_of_range_is_refused_with_its_place() {
        let base = "[product]\nname = \"Lamp\"\nmodel = \"l\"\nvendor = \"V\"\n[serial]\nprefix = \"L-\"\n";
        assert!(Product::parse(base).is_ok());
        for (more, expected) in [
            ("colour = \"red\"\n", "line 7: unknown field `colour`"),
            (
                "[credentials]\npassword = true\n",
                "line 7: unknown field `credentials`",
            ),
            (
                "[credential]\nexposure = \"none\"\n",
                "line 8: unknown variant `none`",
            ),
            ("digits = 11\n", "serial.digits is 1 to 10"),
            (
                "[credential]\npassword = false\n",
                "[credential] asks for neither a password nor a set-up code",
            ),
        ] {
            let error = Product::parse(&format!("{base}{more}")).unwrap_err();
            assert!(error.starts_with(expected), "{more}: {error}");
        }
        let matter = "[credential]\nsetup-code = true\n[matter]\nvendor-id = 0xFFF1\nproduct-id = 0x8000\n\
                      discovery = [\"ble\", \"on-network\"]\n";
        let product = Product::parse(&format!("{base}{matter}")).unwrap();
        assert_eq!(product.matter.unwrap().discovery_bits(), 6);
        for (right, wrong, expected) in [
            ("true", "false", "[matter] needs credential.setup-code"),
            ("0xFFF1", "0xFFF5", "matter.vendor-id is"),
            ("0xFFF1", "0", "matter.vendor-id is"),
            ("0x8000", "0", "matter.vendor-id is"),
            ("\"ble\", \"on-network\"", "", "matter.discovery names"),
            ("\"ble\"", "\"nfc\"", "line 12: unknown variant `nfc`"),
        ] {
            let text = format!("{base}{matter}").replace(right, wrong);
            let error = Product::parse(&text).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
        let few = Product::parse(&format!("{base}{matter}iterations = 999\n"));
        assert!(few.unwrap_err().starts_with("matter.iterations is"));
        let comma = base.replace("L-", "L,");
        let (longest, long) = ("L".repeat(MAX_PREFIX), "L".repeat(MAX_PREFIX + 1));
        assert!(Product::parse(&base.replace("L-", &longest)).is_ok());
        let digit = base.replace("L-", "L2");
        assert!(
            Product::parse(&digit)
                .unwrap_err()
                .contains("does not end in a digit")
        );
        for wrong in [comma, base.replace("L-", &long), base.replace("L-", "-")] {
            let error = Product::parse(&wrong).unwrap_err();
            assert!(error.contains("takes up to 22 letters"), "{error}");
        }
    }
}
