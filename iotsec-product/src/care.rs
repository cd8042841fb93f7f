//! What the maker does around the device: processes that people confirm, and measures without a section of their own.

use std::collections::BTreeMap;

use crate::{
    section::{sections, words},
    text::{Function, Id, Link, Prose, TestPath, Text},
};

sections! {
    /// `[[vulnerability-type]]`: what is done about reports of one kind (TS 103 701, IXIT 3).
    pub struct VulnerabilityType {
        /// The name of the entry.
        pub id: Id,
        /// Which kind.
        pub description: Prose,
        /// What is done.
        pub action: Prose,
        /// Within how many days.
        #[schemars(range(min = 1, max = 365))]
        pub days: u16,
    }

    /// `[confirmation]`: who stands for each process (IXIT 4).
    pub struct Confirmation {
        /// Acting on reports (EN 303 645 5.2-2).
        pub vulnerability_actions: Option<Text>,
        /// Looking for weaknesses all the time (5.2-3).
        pub vulnerability_monitoring: Option<Text>,
        /// Updates in good time (5.3-8).
        pub update_procedures: Option<Text>,
        /// Keys over their whole life (5.5-8).
        pub secure_management: Option<Text>,
        /// Secure development (5.6-9).
        pub secure_development: Option<Text>,
    }

    /// An entry that says how something is done: `[[monitoring]]`, `[[minimisation]]`, `[[privilege]]`,
    /// `[[memory-protection]]` (IXIT 5, 16, 17, 18).
    pub struct Measure {
        /// The name of the entry.
        pub id: Id,
        /// How.
        pub description: Prose,
    }

    /// `[[development]]`: a part of secure development (IXIT 19).
    pub struct Development {
        /// The name of the entry.
        pub id: Id,
        /// Which part.
        pub topic: Topic,
        /// How.
        pub description: Prose,
    }

    /// `[[resilience]]`: what carries the product through an outage (IXIT 23).
    pub struct Resilience {
        /// The name of the entry.
        pub id: Id,
        /// How.
        pub description: Prose,
        /// Of what.
        pub against: Outage,
        /// What still works, and what comes back.
        pub guarantees: Prose,
    }

    /// `[guide]`: where users read it (IXIT 2).
    pub struct Guide {
        /// How to set up securely (EN 303 645 5.12-2).
        pub setup: Option<Link>,
        /// How to check that it is set up securely (5.12-3).
        pub setup_check: Option<Link>,
        /// How to check that it is kept so.
        pub maintenance: Option<Link>,
        /// How to change passwords (5.1-4).
        pub change: Option<Link>,
        /// Which sensors there are (5.8-3).
        pub sensors: Option<Link>,
        /// Which personal data is processed (6-1).
        pub personal_data: Option<Link>,
        /// Which telemetry is collected (6-5).
        pub telemetry: Option<Link>,
        /// How to delete data (5.11-3).
        pub deletion: Option<Link>,
        /// How the device is isolated or replaced (5.3-14).
        pub replacement: Option<Link>,
    }

    /// `[[claim]]`: what the maker's own code or papers show about a provision.
    pub struct MakerClaim {
        /// The provision, such as `5.6-3`.
        pub provision: Text,
        /// What is so.
        pub claims: Prose,
        /// The test that shows it: `package::binary::test`, as `cargo test` names it, or `ctest::program::test`.
        pub test: Option<TestPath>,
        /// The function without which it is not so, by its path: it must be in the firmware.
        pub code: Option<Function>,
        /// Who answers for it, where no test can.
        pub by: Option<Text>,
    }
}

/// `[justification]`: why a recommendation is not followed, or does not apply: by provision (EN 303 645 5.0-1).
pub type Justifications = BTreeMap<Text, Prose>;

words! {
    /// What secure development consists of (TS 103 701, IXIT 19).
    pub enum Topic {
        /// Training of developers.
        Training = "training",
        /// Requirements and design.
        Design = "requirements and design",
        /// Secure coding.
        Coding = "secure coding",
        /// Tools.
        Tooling = "tools",
        /// Tests.
        Testing = "tests",
        /// Reviews.
        Review = "review",
        /// Archives.
        Archival = "archives",
        /// Secure deployment.
        Deployment = "deployment",
        /// Third parties.
        Suppliers = "suppliers",
    }

    /// What fails.
    pub enum Outage {
        /// A network.
        Network = "a loss of the network",
        /// Power.
        Power = "a loss of power",
    }
}

impl Topic {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Training,
        Self::Design,
        Self::Coding,
        Self::Tooling,
        Self::Testing,
        Self::Review,
        Self::Archival,
        Self::Deployment,
        Self::Suppliers,
    ];
}
