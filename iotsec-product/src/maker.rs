//! Who makes the product, how long it is supported, and how weaknesses are reported.

use crate::{
    section::{sections, words},
    text::{Contact, Day, Link, Prose, Text},
};

sections! {
    /// `[product]`: what it is called.
    pub struct About {
        /// For people.
        pub name: Text,
        /// As on the type label (EN 303 645 5.3-16).
        pub model: Text,
        /// The trade name on labels and in certificates.
        pub vendor: Text,
        /// What it is and does, in a sentence or two.
        pub description: Option<Prose>,
        /// What kind of product, where the law asks.
        #[serde(default)]
        pub category: Category,
        /// Where people read about it.
        pub page: Option<Link>,
        /// The batch that a statement of compliance is for.
        pub batch: Option<Text>,
        /// For what use and surroundings it is made.
        pub intended_use: Option<Prose>,
        /// Which use is to be foreseen and brings risks.
        pub foreseeable_misuse: Option<Prose>,
    }

    /// `[maker]`: the manufacturer, as law means it.
    pub struct Maker {
        /// The legal name.
        pub name: Prose,
        /// The postal address.
        pub address: Prose,
        /// The domain name that the vendor identifier is made of (RFC 9562, version 5).
        pub domain: Text,
        /// Where customers turn to.
        pub contact: Contact,
        /// The authorised representative, if there is one.
        pub representative: Option<Representative>,
        /// Who signs for the maker.
        pub signatory: Option<Signatory>,
    }

    /// `[maker.representative]`: acts for the maker where the product is sold.
    pub struct Representative {
        /// The legal name.
        pub name: Prose,
        /// The postal address.
        pub address: Prose,
    }

    /// `[maker.signatory]`: a person.
    pub struct Signatory {
        /// The name.
        pub name: Text,
        /// The function in the firm.
        pub function: Text,
        /// Where it is signed.
        pub place: Text,
    }

    /// `[support]`: how long there are security updates (EN 303 645 5.3-13).
    pub struct Support {
        /// The last day.
        pub end: Day,
        /// Why it is that long (Code of Practice, guideline 3).
        pub reason: Prose,
        /// Where this is published.
        pub page: Link,
        /// How the consumer is told of a longer period.
        pub extension: Option<Prose>,
    }

    /// `[disclosure]`: how weaknesses are reported (EN 303 645 5.2-1, RFC 9116).
    pub struct Disclosure {
        /// In order of preference.
        #[schemars(length(min = 1))]
        pub contacts: Vec<Contact>,
        /// Where the policy is published: for everybody, free, without an account.
        pub policy: Link,
        /// Where `security.txt` is published.
        pub canonical: Link,
        /// Days until a report is acknowledged.
        #[schemars(range(min = 1, max = 90))]
        pub acknowledge_days: u16,
        /// Days between two messages on how it stands, until it is resolved.
        #[schemars(range(min = 1, max = 90))]
        pub update_days: u16,
        /// Days within which a weakness is to be mended.
        #[serde(default = "ninety")]
        #[schemars(range(min = 1, max = 365))]
        pub fix_days: u16,
        /// Languages for reports (RFC 5646). The law of the United Kingdom asks for English.
        #[serde(default = "english")]
        #[schemars(length(min = 1))]
        pub languages: Vec<Text>,
        /// A key to encrypt reports to.
        pub encryption: Option<Link>,
        /// Where finders are thanked.
        pub acknowledgments: Option<Link>,
        /// Where security advisories are published: `provider-metadata.json` (CSAF 2.0).
        pub csaf: Option<Link>,
    }
}

words! {
    /// Kinds of product that the Cyber Resilience Act has rules of their own for (Annex III, class I).
    #[derive(Default)]
    pub enum Category {
        /// None of these.
        #[default]
        Other = "a consumer product",
        /// Locks, cameras, baby monitors and alarms.
        HomeSecurity = "a smart home product with security functions",
        /// Toys that talk or locate.
        Toy = "a connected toy",
        /// Health monitoring, or worn by children.
        Wearable = "a wearable for health or for children",
        /// Virtual assistants.
        Assistant = "a virtual assistant",
        /// Routers and modems for the internet.
        Router = "a router or modem",
    }
}

impl Category {
    /// A harmonised standard is to be followed in full, or somebody else assesses.
    pub const fn is_important(self) -> bool {
        !matches!(self, Self::Other)
    }
}

const fn ninety() -> u16 {
    90
}

fn english() -> Vec<Text> {
    Text::try_from("en".to_owned()).into_iter().collect()
}
