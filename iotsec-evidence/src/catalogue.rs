//! The provisions, as data. Identifiers, statuses and conditions are facts of the standards; every sentence is ours.

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

const PROVISIONS: &str = include_str!("../data/en_303_645.json");
const TABLES: &str = include_str!("../data/ts_103_701.json");
const RADIO: &str = include_str!("../data/en_18031.json");

/// An edition of EN 303 645.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// V2.1.1 of June 2020, which the law of the United Kingdom names.
    V2_1_1,
    /// V3.1.3 of September 2024.
    V3_1_3,
}

impl Edition {
    /// Both.
    pub const ALL: [Self; 2] = [Self::V2_1_1, Self::V3_1_3];

    /// As it is cited.
    pub const fn cited(self) -> &'static str {
        match self {
            Self::V2_1_1 => "ETSI EN 303 645 V2.1.1 (2020-06)",
            Self::V3_1_3 => "ETSI EN 303 645 V3.1.3 (2024-09)",
        }
    }
}

/// Everything that is known of the standards.
#[derive(Debug)]
pub struct Catalogue {
    provisions: Provisions,
    tables: Vec<Table>,
    radio: Vec<RadioRequirement>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Provisions {
    clauses: Vec<Clause>,
    conditions: BTreeMap<String, String>,
    conditions_v2: BTreeMap<String, String>,
    features: BTreeMap<String, String>,
    provisions: Vec<Provision>,
}

/// A clause: 5.0 to 5.13, and 6.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Its number.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// A provision.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// Its number in V3.1.3.
    pub id: String,
    /// The number of its clause.
    pub clause: String,
    /// What it asks for, in our words.
    pub about: String,
    /// Whom it addresses.
    pub addressee: Addressee,
    /// Guidelines of the Code of Practice that it grew out of.
    pub guidelines: Vec<u8>,
    v3: Standing,
    v2: Option<Numbered>,
    /// Numbers of the IXIT tables that it is tested with.
    ixit: Vec<String>,
    /// Test cases of TS 103 701 V2.1.1 with their kind.
    pub cases: Vec<(String, String)>,
    /// The paragraph of Schedule 1 of the PSTI regulations.
    pub psti: Option<String>,
    /// Clauses of Annex I (I.I, I.II), II and VII, and paragraphs of Article 13, of the Cyber Resilience Act.
    pub cra: Vec<String>,
    /// Requirements of EN 18031.
    pub en18031: Vec<String>,
    /// Capabilities of NISTIR 8425.
    pub nistir: Vec<String>,
    /// By what it can be met: code, tool, doc, process, hw.
    pub modes: Vec<String>,
}

/// Whom a provision addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Addressee {
    /// The device.
    Device,
    /// Its manufacturer.
    Manufacturer,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Standing {
    status: Status,
    conditions: Vec<u8>,
    features: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Numbered {
    id: String,
    status: Status,
    conditions: Vec<u8>,
}

/// How binding a provision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Status {
    /// Mandatory.
    #[serde(rename = "M")]
    Mandatory,
    /// A recommendation.
    #[serde(rename = "R")]
    Recommended,
}

impl Status {
    /// The letter.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Mandatory => "M",
            Self::Recommended => "R",
        }
    }
}

impl Provision {
    /// Its number in an edition; none where it is not in it.
    pub fn number(&self, edition: Edition) -> Option<&str> {
        match edition {
            Edition::V3_1_3 => Some(&self.id),
            Edition::V2_1_1 => self.v2.as_ref().map(|v2| v2.id.as_str()),
        }
    }

    /// Its status in an edition.
    pub fn status(&self, edition: Edition) -> Option<Status> {
        match edition {
            Edition::V3_1_3 => Some(self.v3.status),
            Edition::V2_1_1 => self.v2.as_ref().map(|v2| v2.status),
        }
    }

    /// Numbers of the conditions under which it applies.
    pub fn conditions(&self, edition: Edition) -> &[u8] {
        match (edition, &self.v2) {
            (Edition::V3_1_3, _) => &self.v3.conditions,
            (Edition::V2_1_1, Some(v2)) => &v2.conditions,
            (Edition::V2_1_1, None) => &[],
        }
    }

    /// Letters of the features with which it applies; V2.1.1 has none.
    pub fn features(&self, edition: Edition) -> &[String] {
        match edition {
            Edition::V3_1_3 => &self.v3.features,
            Edition::V2_1_1 => &[],
        }
    }

    /// As the table in annex B has it: `M C F (14, e)`.
    pub fn notation(&self, edition: Edition) -> String {
        let Some(status) = self.status(edition) else {
            return "–".into();
        };
        let (conditions, features) = (self.conditions(edition), self.features(edition));
        let letters = [("C", conditions.is_empty()), ("F", features.is_empty())];
        let mut text = status.letter().to_owned();
        for (letter, _) in letters.iter().filter(|(_, none)| !none) {
            text = format!("{text} {letter}");
        }
        let numbers = conditions.iter().map(u8::to_string);
        let all: Vec<String> = numbers.chain(features.iter().cloned()).collect();
        if all.is_empty() {
            text
        } else {
            format!("{text} ({})", all.join(", "))
        }
    }

    /// The IXIT tables that it is tested with.
    pub fn tables(&self) -> Vec<u8> {
        self.ixit
            .iter()
            .filter_map(|number| number.parse().ok())
            .collect()
    }
}

/// A table of extra information for testing (TS 103 701).
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// 1 to 29.
    #[serde(rename = "no")]
    pub number: u8,
    /// Its short name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// It has one row.
    pub single: bool,
    /// Its columns, or its rows where it is single.
    pub fields: Vec<String>,
}

/// A requirement of EN 18031.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RadioRequirement {
    /// Its name.
    pub id: String,
    /// What it asks for, in our words.
    pub about: String,
    /// The parts that have it.
    pub parts: Vec<u8>,
}

impl Catalogue {
    /// The only one.
    ///
    /// # Panics
    /// When the data in this package is damaged, which its tests would show.
    ///
    /// ```
    /// use iotsec_evidence::catalogue::{Catalogue, Edition, Provision, Status};
    ///
    /// let all = Catalogue::get().provisions();
    /// let is_mandatory = |one: &&Provision| one.status(Edition::V3_1_3) == Some(Status::Mandatory);
    /// assert_eq!((all.len(), all.iter().filter(is_mandatory).count()), (78, 36));
    /// ```
    #[expect(
        clippy::expect_used,
        reason = "the data is part of the program, and read by its tests"
    )]
    pub fn get() -> &'static Self {
        static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
        CATALOGUE.get_or_init(|| Self {
            provisions: serde_json::from_str(PROVISIONS).expect("data/en_303_645.json is well-formed"),
            tables: serde_json::from_str(TABLES).expect("data/ts_103_701.json is well-formed"),
            radio: serde_json::from_str(RADIO).expect("data/en_18031.json is well-formed"),
        })
    }

    /// All provisions, in the order of V3.1.3.
    pub fn provisions(&self) -> &[Provision] {
        &self.provisions.provisions
    }

    /// The provision of a number in V3.1.3.
    pub fn provision(&self, id: &str) -> Option<&Provision> {
        self.provisions().iter().find(|provision| provision.id == id)
    }

    /// All clauses, in order.
    pub fn clauses(&self) -> &[Clause] {
        &self.provisions.clauses
    }

    /// What a condition says, in our words.
    pub fn condition(&self, edition: Edition, number: u8) -> &str {
        let conditions = match edition {
            Edition::V3_1_3 => &self.provisions.conditions,
            Edition::V2_1_1 => &self.provisions.conditions_v2,
        };
        conditions.get(&number.to_string()).map_or("", String::as_str)
    }

    /// What a feature says, in our words.
    pub fn feature(&self, letter: &str) -> &str {
        self.provisions.features.get(letter).map_or("", String::as_str)
    }

    /// Letters of all features: a to z, then aa.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        let letters = self.provisions.features.keys().map(String::as_str);
        let (one, two): (Vec<&str>, Vec<&str>) = letters.partition(|letter| letter.len() == 1);
        one.into_iter().chain(two)
    }

    /// The IXIT tables.
    pub fn tables(&self) -> &[Table] {
        &self.tables
    }

    /// The requirements of EN 18031.
    pub fn radio(&self) -> &[RadioRequirement] {
        &self.radio
    }
}
