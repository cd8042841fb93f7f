//! Who may do what, with which secrets, through which interfaces.

use crate::{
    section::{sections, words},
    software::Guarantee,
    text::{Id, Prose, Text},
};

sections! {
    /// `[[authentication]]`: how a person or a machine shows who it is (TS 103 701, IXIT 1).
    pub struct Mechanism {
        /// The name of the entry.
        pub id: Id,
        /// How it works.
        pub description: Prose,
        /// Who is authenticated.
        pub who: Who,
        /// By what.
        pub factor: Factor,
        /// Where the secret comes from.
        pub origin: Origin,
        /// How a secret that comes with the device was made.
        pub generation: Option<Prose>,
        /// Services and ports that ask for it, by their ids.
        pub interfaces: Vec<Id>,
        /// What it guarantees.
        pub guarantees: Vec<Guarantee>,
        /// The algorithms.
        #[serde(default)]
        pub cryptography: Vec<Text>,
        /// What makes guessing impracticable.
        pub brute_force: Option<Prose>,
        /// How the owner changes it.
        pub change: Option<Prose>,
    }

    /// `[[parameter]]`: a key or another value that security rests on (IXIT 10).
    pub struct Parameter {
        /// The name of the entry.
        pub id: Id,
        /// What it is.
        pub description: Prose,
        /// Whether it is a secret.
        pub kind: ParameterKind,
        /// What for.
        #[serde(rename = "use")]
        pub used_for: Vec<Use>,
        /// Where it lies.
        pub storage: Storage,
        /// How it is protected there.
        pub protection: Prose,
        /// What that guarantees.
        pub guarantees: Vec<Guarantee>,
        /// How it is made.
        pub generation: Generation,
        /// How it comes to the device.
        pub provisioning: Prose,
        /// No two units have the same.
        #[serde(default)]
        pub unique: bool,
        /// An identity that is fixed for life; then what resists tampering with it.
        pub identity: Option<Prose>,
        /// Endpoints and services through which it leaves the device or comes to it, by their ids.
        #[serde(default)]
        pub travels: Vec<Id>,
    }

    /// `[[communication]]`: a secure channel (IXIT 11).
    pub struct Communication {
        /// The name of the entry.
        pub id: Id,
        /// What it is used for.
        pub description: Prose,
        /// The endpoints and services that have it, by their ids.
        pub interfaces: Vec<Id>,
        /// What it guarantees.
        pub guarantees: Vec<Guarantee>,
        /// Protocols and algorithms.
        pub cryptography: Vec<Text>,
    }

    /// `[[implementation]]`: software for networks and security that somebody reviewed (IXIT 12).
    pub struct Implementation {
        /// The name of the entry.
        pub id: Id,
        /// What it is.
        pub name: Text,
        /// The release that ships.
        pub version: Text,
        /// Who reviewed or evaluated it, and how.
        pub review: Prose,
        /// Where the report is.
        pub report: Option<Prose>,
    }

    /// `[[key-management]]`: what becomes of keys over their life (IXIT 14).
    pub struct KeyManagement {
        /// The name of the entry.
        pub id: Id,
        /// Who does what.
        pub description: Prose,
        /// Which parts of the life it covers.
        pub covers: Vec<KeyLife>,
    }

    /// `[[input]]`: where data comes in, and what checks it (IXIT 29).
    pub struct Input {
        /// The name of the entry.
        pub id: Id,
        /// Services, endpoints and user interfaces, by their ids.
        pub sources: Vec<Id>,
        /// What is checked.
        pub description: Prose,
    }

    /// `[[user-interface]]`: where people use the device (IXIT 27).
    pub struct UserInterface {
        /// The name of the entry.
        pub id: Id,
        /// What it shows and takes.
        pub description: Prose,
        /// Which kind.
        pub kind: UserInterfaceKind,
    }
}

words! {
    /// Who is authenticated.
    pub enum Who {
        /// A person.
        User = "a user",
        /// A machine or a service.
        Machine = "a machine",
    }

    /// By what somebody is authenticated.
    pub enum Factor {
        /// A password or passphrase.
        Password = "a password",
        /// Digits that are used once or behind a PAKE, for the first conversation.
        SetupCode = "a set-up code",
        /// A short number.
        Pin = "a PIN",
        /// A certificate or raw public key.
        Certificate = "a certificate",
        /// A symmetric key.
        SharedKey = "a shared key",
        /// Something of the body.
        Biometric = "a biometric feature",
        /// Something held, a press of a button included.
        Possession = "possession of the device",
        /// By nothing.
        None = "nothing",
    }

    /// Where a secret comes from.
    pub enum Origin {
        /// On every unit when it leaves the factory, another for each.
        PerDevice = "another for each unit, from the factory",
        /// The same on every unit.
        PerModel = "the same on every unit",
        /// Chosen by the user before first use.
        User = "chosen by the user",
        /// Agreed when two machines meet.
        Agreed = "agreed when both meet",
    }

    /// Whether a parameter is a secret.
    pub enum ParameterKind {
        /// Its disclosure or its change breaks security.
        Critical = "critical",
        /// Its change breaks security.
        Public = "public",
    }

    /// What a parameter is used for.
    pub enum Use {
        /// Checking updates.
        UpdateVerification = "checking updates",
        /// Checking software at start-up.
        BootVerification = "checking software at start-up",
        /// Talking to services.
        ServiceProtection = "protecting services",
        /// Knowing a user or a machine.
        Authentication = "authentication",
        /// Encrypting what is stored.
        Storage = "encrypting what is stored",
        /// Being known.
        Identity = "identity",
        /// Telemetry.
        Telemetry = "sealing telemetry",
    }

    /// Where a parameter lies.
    pub enum Storage {
        /// In the encrypted store.
        Store = "in the encrypted store",
        /// In a secure element, a TPM or fuses that software cannot read.
        Hardware = "in hardware that does not give it away",
        /// In memory that is written once.
        Fuses = "in fuses",
        /// In the image of the software.
        Image = "in the image of the software",
        /// In working memory alone.
        Volatile = "in working memory",
    }

    /// How a parameter is made.
    pub enum Generation {
        /// By a cryptographic random generator.
        Random = "drawn at random",
        /// From another secret, by a key derivation function.
        Derived = "derived from another secret",
        /// In a signed bundle of the maker.
        Signed = "signed by the maker",
        /// Chosen by the user.
        User = "chosen by the user",
    }

    /// A part of the life of a key (EN 303 645 5.5-8).
    pub enum KeyLife {
        /// Made.
        Generation = "generation",
        /// Brought to the device.
        Provisioning = "provisioning",
        /// Kept.
        Storage = "storage",
        /// Replaced.
        Update = "update",
        /// Destroyed or archived.
        Retirement = "retirement",
        /// Expired or compromised.
        Compromise = "expiry and compromise",
    }

    /// Kinds of user interface.
    pub enum UserInterfaceKind {
        /// On the device.
        Device = "on the device",
        /// An app.
        App = "an app",
        /// A web page that the device serves.
        Web = "a web page",
        /// A voice.
        Voice = "voice",
    }
}

impl Storage {
    /// It is still there after power was off.
    pub const fn is_persistent(self) -> bool {
        !matches!(self, Self::Volatile)
    }
}

impl Factor {
    /// What EN 303 645 5.1 calls a password.
    pub const fn is_password(self) -> bool {
        matches!(self, Self::Password | Self::Pin)
    }
}
