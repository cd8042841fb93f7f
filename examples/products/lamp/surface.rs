// Made by `iotsec surface table` from the product manifest, which is the place for changes.
use iotsec::net::surface::{Authentication, Debug, Destination, Endpoint, Fact, Host, Interface, Phases, Port, Protocol, Radio, Scope, Service};

iotsec::net::interfaces!(
    /// Everything that Lamp (lamp-2) opens.
    pub static SURFACE = [
        Interface::service("set-up", "The owner's app names the network", Service::tcp(8442, Scope::Local, Authentication::Pairing).disclosing(&[Fact::Product, Fact::SetupState])).during(Phases::PROVISIONED),
        Interface::service("app", "The owner's app switches the lamp", Service::tcp(8443, Scope::Local, Authentication::Password).disclosing(&[Fact::Product, Fact::Name])).during(Phases::OWNED),
        Interface::service("update-agent", "The application hands updates to the agent that installs them", Service::tcp(9000, Scope::Loopback, Authentication::SharedKey)),
        Interface::endpoint("cloud", "Control from afar, and telemetry that its owner agreed to", Endpoint::new(Host::Name("mqtt.lighting.example.com"), 8883, Protocol::Mqtts)).during(Phases::OWNED),
        Interface::endpoint("updates", "New software", Endpoint::new(Host::Name("updates.lighting.example.com"), 443, Protocol::Https)).during(Phases::PROVISIONED.and(Phases::OWNED)).serving(Destination::Update),
        Interface::endpoint("alerts", "Tells the maker that the software was changed", Endpoint::new(Host::Name("alerts.lighting.example.com"), 443, Protocol::Https)).during(Phases::OWNED).serving(Destination::Alert),
        Interface::endpoint("names", "Name resolution", Endpoint::new(Host::Resolver, 53, Protocol::Dns)).serving(Destination::Update),
        Interface::port("power", "Mains", Port::Power),
        Interface::radio("wifi", "The owner's network", Radio::Wifi),
        Interface::debug("swd", "Tests on the production line", Debug::Swd).during(Phases::FACTORY),
    ]
);
