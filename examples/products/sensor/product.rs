// Made by `iotsec_product::source` from the product manifest, which is the place for changes.

/// SHA-256 of the product manifest that this is made of.
pub const MANIFEST_SHA256: [u8; 32] = [0xed, 0x28, 0x32, 0x16, 0x6f, 0xe9, 0x84, 0xea, 0x8c, 0x7e, 0x58, 0x69, 0x27, 0x0f, 0x01, 0x99, 0x10, 0x51, 0x99, 0x50, 0x89, 0xf7, 0x93, 0x25, 0x3d, 0xb9, 0xdd, 0xd2, 0x02, 0x13, 0xe0, 0x5b];

/// For people.
pub const NAME: &str = "Room sensor";

/// As on the type label.
pub const MODEL: &str = "sensor-1";

/// The trade name.
pub const VENDOR: &str = "Example Sensors Ltd";

/// The release.
pub const VERSION: &str = "1.0.0";

/// The vendor identifier of SUIT.
pub const VENDOR_ID: [u8; 16] = [0x10, 0x02, 0xf1, 0x94, 0xb9, 0xf0, 0x5d, 0x37, 0x97, 0xdf, 0x8b, 0xda, 0x27, 0x63, 0x5d, 0xe8];

/// The class identifier of SUIT.
pub const CLASS_ID: [u8; 16] = [0xdc, 0x87, 0x95, 0xc7, 0x8a, 0x1b, 0x5c, 0xf4, 0xb9, 0xc7, 0xf1, 0xa8, 0x7d, 0x8b, 0x72, 0xd2];

/// Where the disclosure policy is.
pub const DISCLOSURE_POLICY: &str = "https://sensors.example.com/security/policy";

/// Security updates until the end of 2030-12-31.
pub const SUPPORT_UNTIL: iotsec::core::hal::UnixTime = iotsec::core::hal::UnixTime(1924991999);

use iotsec::net::surface::{Debug, Interface, Phases, Radio};

iotsec::net::interfaces!(
    /// Everything that Room sensor (sensor-1) opens.
    pub static SURFACE = [
        Interface::radio("bluetooth", "The owner's phone or hub reads it and sets its limits", Radio::Bluetooth),
        Interface::debug("swd", "Tests on the production line", Debug::Swd).during(Phases::FACTORY),
    ]
);

/// Tells the owner that a limit was passed
pub const TEMPERATURE_HIGH: iotsec::telemetry::registry::EventDef = iotsec::telemetry::registry::EventDef::new(1, "temperature.high", iotsec::telemetry::registry::Class::Usage, "Tells the owner that a limit was passed", &[iotsec::telemetry::registry::Field::number("temperature", "Cel", -40, 85)]);

/// Shows that somebody tries passwords on this device
pub const IOTSEC_AUTH_BURST: iotsec::telemetry::registry::EventDef = iotsec::telemetry::registry::EventDef::new(61440, "iotsec.auth-burst", iotsec::telemetry::registry::Class::Security, "Shows that somebody tries passwords on this device", &[iotsec::telemetry::registry::Field::number("interface", "1", 0, 15), iotsec::telemetry::registry::Field::number("failures", "1", 0, 65535)]);

iotsec::telemetry::registry!(
    /// Everything that Room sensor (sensor-1) reports.
    pub static TELEMETRY = [TEMPERATURE_HIGH, IOTSEC_AUTH_BURST], metrics [], handling iotsec::telemetry::registry::Handling::new("Product security", "Example Sensors Limited", 90)
);
