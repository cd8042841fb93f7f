// Made by `iotsec_product::source` from the product manifest, which is the place for changes.

/// SHA-256 of the product manifest that this is made of.
pub const MANIFEST_SHA256: [u8; 32] = [0x8d, 0x6a, 0xf3, 0x9f, 0xae, 0x37, 0x7d, 0xd7, 0xee, 0x62, 0x80, 0x3f, 0x6a, 0x10, 0xb5, 0xc4, 0x25, 0xe0, 0x80, 0xab, 0x1a, 0x06, 0xb3, 0x40, 0xc1, 0x4b, 0xe7, 0x8b, 0x04, 0xc3, 0x47, 0x72];

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
