//! What is known of people, what is measured, and how it goes away again.

use crate::{
    section::{sections, words},
    text::{Id, Prose, Text},
};

sections! {
    /// `[[personal-data]]`: data of or about people (TS 103 701, IXIT 21).
    pub struct PersonalData {
        /// The name of the entry.
        pub id: Id,
        /// Which data.
        pub description: Prose,
        /// What for.
        pub purpose: Prose,
        /// On what lawful basis.
        pub basis: Basis,
        /// Disclosing it harms people in particular.
        #[serde(default)]
        pub sensitive: bool,
        /// Where it lies.
        pub stored: Vec<Place>,
        /// Who gets it, third parties and advertisers included.
        #[serde(default)]
        pub recipients: Vec<Prose>,
        /// What is done with it.
        pub processing: Prose,
        /// Endpoints through which it leaves the device, by their ids.
        #[serde(default)]
        pub travels: Vec<Id>,
        /// Days for which it is kept.
        pub kept_days: u16,
        /// Only sums over many are of interest.
        #[serde(default)]
        pub aggregate_only: bool,
        /// How it is kept apart from people.
        pub anonymisation: Option<Prose>,
        /// How consent is obtained, withdrawn and recorded; where that is the basis.
        pub consent: Option<Consent>,
    }

    /// `personal-data.consent` (EN 303 645 6-2, 6-3).
    pub struct Consent {
        /// How it is asked for: freely, in plain sight, by an act.
        pub obtain: Prose,
        /// How it is withdrawn.
        pub withdraw: Prose,
        /// How it is recorded.
        pub record: Prose,
    }

    /// `[[sensor]]`: what the device perceives of its surroundings (IXIT 22).
    pub struct Sensor {
        /// The name of the entry.
        pub id: Id,
        /// Which kind.
        pub kind: Text,
        /// What it perceives, and when.
        pub description: Prose,
        /// How people see that it is on.
        pub indicator: Option<Prose>,
    }

    /// `[[examination]]`: how telemetry is examined for anomalies (IXIT 24).
    pub struct Examination {
        /// The name of the entry.
        pub id: Id,
        /// Events and metrics of the registry, by their names.
        pub telemetry: Vec<Text>,
        /// By whom or what, and what follows.
        pub description: Prose,
    }

    /// `[[deletion]]`: how people delete data (IXIT 25).
    pub struct Deletion {
        /// The name of the entry.
        pub id: Id,
        /// What it does.
        pub description: Prose,
        /// Where.
        pub target: Place,
        /// What is gone then.
        pub erases: Vec<Erased>,
        /// What to do, step by step.
        #[schemars(length(min = 1))]
        pub steps: Vec<Prose>,
        /// How it is confirmed.
        pub confirmation: Option<Prose>,
    }

    /// `[[decision]]`: what a user decides while setting up or later (IXIT 26).
    pub struct Decision {
        /// The name of the entry.
        pub id: Id,
        /// The question.
        pub question: Prose,
        /// The answers.
        #[schemars(length(min = 2))]
        pub options: Vec<Text>,
        /// Which of them holds while nobody decides.
        pub default: Text,
        /// The answer that is recommended, where security depends on it.
        pub recommended: Option<Text>,
        /// When it is asked.
        pub when: Prose,
    }
}

words! {
    /// The lawful basis of processing (Regulation (EU) 2016/679 art. 6).
    pub enum Basis {
        /// The person agreed.
        Consent = "consent",
        /// Needed for what was bought.
        Contract = "needed for what you bought",
        /// The law demands it.
        LegalObligation = "demanded by law",
        /// An interest that outweighs.
        LegitimateInterest = "legitimate interest",
    }

    /// Where data lies.
    pub enum Place {
        /// On the device.
        Device = "on the device",
        /// In a service of the maker.
        Service = "in our services",
        /// In the app.
        App = "in the app",
    }

    /// What a deletion takes away.
    pub enum Erased {
        /// Data of and about people.
        PersonalData = "personal data",
        /// What the user set.
        Configuration = "settings",
        /// Passwords and keys of the user.
        Keys = "passwords and keys",
    }
}
