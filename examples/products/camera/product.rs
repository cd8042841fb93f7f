// Made by `iotsec_product::source` from the product manifest, which is the place for changes.

/// SHA-256 of the product manifest that this is made of.
pub const MANIFEST_SHA256: [u8; 32] = [0xb4, 0xdf, 0x6b, 0xe8, 0x4b, 0xce, 0xca, 0xd8, 0x3b, 0x61, 0x81, 0x4d, 0x66, 0xbe, 0x2e, 0xe2, 0x70, 0x69, 0xc1, 0x48, 0x67, 0xa2, 0x01, 0x56, 0x46, 0x6f, 0xfc, 0x46, 0xea, 0x32, 0xf0, 0x0a];

/// For people.
pub const NAME: &str = "Porch camera";

/// As on the type label.
pub const MODEL: &str = "camera-3";

/// The trade name.
pub const VENDOR: &str = "Example Cameras Ltd";

/// The release.
pub const VERSION: &str = "2.1.0";

/// The vendor identifier of SUIT.
pub const VENDOR_ID: [u8; 16] = [0x12, 0xa6, 0xa9, 0xfa, 0x29, 0x6e, 0x5c, 0x8d, 0x92, 0x8f, 0x76, 0x04, 0xff, 0xd7, 0xb9, 0x48];

/// The class identifier of SUIT.
pub const CLASS_ID: [u8; 16] = [0x27, 0x91, 0x2a, 0x82, 0xc4, 0x73, 0x59, 0x2f, 0x9d, 0x3a, 0xed, 0x22, 0xaf, 0x69, 0x13, 0x20];

/// Where the disclosure policy is.
pub const DISCLOSURE_POLICY: &str = "https://cameras.example.com/security/policy";

/// Security updates until the end of 2033-06-30.
pub const SUPPORT_UNTIL: iotsec::core::hal::UnixTime = iotsec::core::hal::UnixTime(2003788799);

/// When to look for updates and when to install them.
pub const UPDATE_POLICY: iotsec::update::policy::UpdatePolicy = iotsec::update::policy::UpdatePolicy {
    period: iotsec::core::hal::Millis::from_secs(43200),
    grace: iotsec::core::hal::Millis::from_secs(14400),
    longest_postponement: iotsec::core::hal::Millis::from_secs(1209600),
    support_until: Some(SUPPORT_UNTIL),
    ..iotsec::update::policy::UpdatePolicy::DEFAULT
};

use iotsec::net::surface::{Authentication, Debug, Destination, Endpoint, Fact, Host, Interface, Phases, Port, Protocol, Radio, Scope, Service, Socket};

iotsec::net::interfaces!(
    /// Everything that Porch camera (camera-3) opens.
    pub static SURFACE = [
        Interface::service("app", "The owner's app watches, and changes settings", Service::tcp(8443, Scope::Local, Authentication::Password).disclosing(&[Fact::Product])).during(Phases::OWNED),
        Interface::service("set-up", "The owner's app names the network", Service::tcp(8442, Scope::Local, Authentication::Pairing).disclosing(&[Fact::Product, Fact::SetupState])).during(Phases::PROVISIONED),
        Interface::service("encoder", "The program asks the encoder, a process of its own without rights", Service::new(Socket::Unix("/run/camera/encoder"), Authentication::Peer)),
        Interface::endpoint("cloud", "Pictures for the owner away from home, clips, and telemetry that its owner agreed to", Endpoint::new(Host::Name("cloud.cameras.example.com"), 4433, Protocol::Https)).during(Phases::OWNED),
        Interface::endpoint("clips", "Stores clips, if its owner wants that", Endpoint::new(Host::Name("clips.cameras.example.com"), 4433, Protocol::Https)).during(Phases::OWNED),
        Interface::endpoint("updates", "New software", Endpoint::new(Host::Name("updates.cameras.example.com"), 4433, Protocol::Https)).during(Phases::PROVISIONED.and(Phases::OWNED)).serving(Destination::Update),
        Interface::endpoint("alerts", "Tells the maker that the software was changed", Endpoint::new(Host::Name("alerts.cameras.example.com"), 4433, Protocol::Https)).during(Phases::OWNED).serving(Destination::Alert),
        Interface::endpoint("names", "Name resolution", Endpoint::new(Host::Resolver, 53, Protocol::Dns)).serving(Destination::Update),
        Interface::port("power", "Mains, through a USB connector without data lines", Port::Power),
        Interface::port("ethernet", "The owner's network, by wire", Port::Ethernet),
        Interface::radio("wifi", "The owner's network", Radio::Wifi),
        Interface::debug("console", "Tests on the production line", Debug::Console).during(Phases::FACTORY),
        Interface::debug("jtag", "Tests of the bare board", Debug::Jtag).during(Phases::FACTORY),
    ]
);

/// Shows attacks on passwords
pub const LOGIN_FAILED: iotsec::telemetry::registry::EventDef = iotsec::telemetry::registry::EventDef::new(1, "login.failed", iotsec::telemetry::registry::Class::Security, "Shows attacks on passwords", &[iotsec::telemetry::registry::Field::number("attempts", "1", 1, 255)]);

/// Shows that software was changed
pub const INTEGRITY_CHANGED: iotsec::telemetry::registry::EventDef = iotsec::telemetry::registry::EventDef::new(2, "integrity.changed", iotsec::telemetry::registry::Class::Critical, "Shows that software was changed", &[iotsec::telemetry::registry::Field::number("place", "1", 0, 255)]);

/// Shows jamming and failing networks
pub const LINK_LOST: iotsec::telemetry::registry::EventDef = iotsec::telemetry::registry::EventDef::new(3, "link.lost", iotsec::telemetry::registry::Class::Security, "Shows jamming and failing networks", &[iotsec::telemetry::registry::Field::number("outage", "s", 0, 86400)]);

/// Shows how many cameras a server carries
pub const VIEWS_DAILY: iotsec::telemetry::registry::MetricDef = iotsec::telemetry::registry::MetricDef::new(1, "views.daily", "1", iotsec::telemetry::registry::Purpose::Usage, "Shows how many cameras a server carries", iotsec::telemetry::registry::Aggregate::Laplace { min: 0, max: 50, epsilon: match iotsec::telemetry::privacy::Epsilon::new(1, 2) { Ok(epsilon) => epsilon, Err(_) => panic!() } });

iotsec::telemetry::registry!(
    /// Everything that Porch camera (camera-3) reports.
    pub static TELEMETRY = [LOGIN_FAILED, INTEGRITY_CHANGED, LINK_LOST], metrics [VIEWS_DAILY], handling iotsec::telemetry::registry::Handling::new("Product security", "Example Cameras Limited", 90)
);
