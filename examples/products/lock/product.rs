// Made by `iotsec_product::source` from the product manifest, which is the place for changes.

/// SHA-256 of the product manifest that this is made of.
pub const MANIFEST_SHA256: [u8; 32] = [0xdb, 0x5b, 0x1e, 0x32, 0xae, 0x4a, 0x87, 0xbc, 0xd6, 0x9e, 0x77, 0x65, 0xcb, 0xd0, 0x99, 0xb9, 0x2d, 0x0e, 0x58, 0x06, 0x08, 0x5a, 0xec, 0x91, 0xb3, 0xf7, 0x15, 0xf2, 0x3a, 0x3f, 0x66, 0xb6];

/// For people.
pub const NAME: &str = "Front door";

/// As on the type label.
pub const MODEL: &str = "lock-1";

/// The trade name.
pub const VENDOR: &str = "Example Locks Ltd";

/// The release.
pub const VERSION: &str = "1.4.0";

/// The vendor identifier of SUIT.
pub const VENDOR_ID: [u8; 16] = [0x86, 0xdf, 0x21, 0x29, 0xbe, 0xe9, 0x54, 0xbc, 0xac, 0xb5, 0x73, 0x44, 0x9a, 0xd5, 0x52, 0x80];

/// The class identifier of SUIT.
pub const CLASS_ID: [u8; 16] = [0x10, 0x58, 0xe4, 0xc8, 0xa3, 0x25, 0x5f, 0x5d, 0xa5, 0xcc, 0xf3, 0xe8, 0x54, 0xa1, 0xab, 0xaf];

/// Where the disclosure policy is.
pub const DISCLOSURE_POLICY: &str = "https://locks.example.com/security/policy";

/// Security updates until the end of 2034-12-31.
pub const SUPPORT_UNTIL: iotsec::core::hal::UnixTime = iotsec::core::hal::UnixTime(2051222399);

/// When to look for updates and when to install them.
pub const UPDATE_POLICY: iotsec::update::policy::UpdatePolicy = iotsec::update::policy::UpdatePolicy {
    period: iotsec::core::hal::Millis::from_secs(86400),
    grace: iotsec::core::hal::Millis::from_secs(7200),
    longest_postponement: iotsec::core::hal::Millis::from_secs(2592000),
    least_battery: 30,
    support_until: Some(SUPPORT_UNTIL),
    ..iotsec::update::policy::UpdatePolicy::DEFAULT
};

use iotsec::net::surface::{Authentication, Debug, Destination, Endpoint, Fact, Host, Interface, Phases, Protocol, Radio, Scope, Service};

iotsec::net::interfaces!(
    /// Everything that Front door (lock-1) opens.
    pub static SURFACE = [
        Interface::service("app", "The owner's app opens the door and changes settings", Service::tcp(8443, Scope::Local, Authentication::Password).disclosing(&[Fact::Product])).during(Phases::OWNED),
        Interface::service("set-up", "The owner's app names the network", Service::tcp(8442, Scope::Local, Authentication::Pairing).disclosing(&[Fact::Product, Fact::SetupState])).during(Phases::PROVISIONED),
        Interface::endpoint("updates", "New software", Endpoint::new(Host::Name("updates.locks.example.com"), 443, Protocol::Https)).serving(Destination::Update),
        Interface::endpoint("cloud", "Control from afar, and telemetry that its owner agreed to", Endpoint::new(Host::Name("mqtt.locks.example.com"), 8883, Protocol::Mqtts)).during(Phases::OWNED),
        Interface::endpoint("alerts", "Tells the maker that the software was changed", Endpoint::new(Host::Name("alerts.locks.example.com"), 443, Protocol::Https)).during(Phases::OWNED).serving(Destination::Alert),
        Interface::radio("wifi", "The owner's network", Radio::Wifi),
        Interface::debug("swd", "Tests on the production line", Debug::Swd).during(Phases::FACTORY),
    ]
);

/// Shows attacks on passwords
pub const LOGIN_FAILED: iotsec::telemetry::registry::EventDef = iotsec::telemetry::registry::EventDef::new(1, "login.failed", iotsec::telemetry::registry::Class::Security, "Shows attacks on passwords", &[iotsec::telemetry::registry::Field::number("attempts", "1", 1, 255)]);

/// Tells how large the battery of the next model must be
pub const OPENINGS_DAILY: iotsec::telemetry::registry::MetricDef = iotsec::telemetry::registry::MetricDef::new(1, "openings.daily", "1", iotsec::telemetry::registry::Purpose::Usage, "Tells how large the battery of the next model must be", iotsec::telemetry::registry::Aggregate::Laplace { min: 0, max: 50, epsilon: match iotsec::telemetry::privacy::Epsilon::new(1, 2) { Ok(epsilon) => epsilon, Err(_) => panic!() } });

iotsec::telemetry::registry!(
    /// Everything that Front door (lock-1) reports.
    pub static TELEMETRY = [LOGIN_FAILED], metrics [OPENINGS_DAILY], handling iotsec::telemetry::registry::Handling::new("Product security", "Example Locks Limited", 90)
);
