//! The manifest as a whole.

use std::path::Path;

use iotsec_collector::registries::Description;
use iotsec_core::crypto::Sha256;
use iotsec_net::surface::InterfaceTable;
use iotsec_telemetry::registry::{EventDef, MetricDef, Registry};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    access::{Communication, Implementation, Input, KeyManagement, Mechanism, Parameter, UserInterface},
    care::{
        Confirmation, Development, Guide, Justifications, MakerClaim, Measure, Resilience, VulnerabilityType,
    },
    document::{Document, Kind},
    factory::{Credential, Factory, Identity, Matter, Serial},
    finding::Finding,
    lint,
    maker::{About, Disclosure, Maker, Support},
    place::Places,
    privacy::{Decision, Deletion, Examination, PersonalData, Sensor},
    software::{Board, Component, Replacement, SecureBoot, Software, Update, UpdateProcedure},
    surface::Surface,
    text::Uuid,
};

/// Bytes of a manifest at most. The largest sample has a twentieth of it.
pub const MAX_LEN: usize = 1024 * 1024;

/// A manifest, as findings name it.
const MANIFEST: Kind = Kind {
    size: "manifest.size",
    text: "manifest.text",
    form: "manifest.form",
    max_len: MAX_LEN,
    smaller: "a manifest describes one product; put lists of units into a batch",
    example: "`iotsec new` shows a complete manifest",
    about: "the file is TOML, and `iotsec doctor --schema` writes its schema for editors",
};

/// A product manifest. Sections and names that it does not know are refused: a misspelt setting must not turn into a
/// default. Sections that a command needs and does not find, it asks for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Product {
    /// What it is called.
    pub product: About,
    /// Who makes it.
    pub maker: Option<Maker>,
    /// How long there are security updates.
    pub support: Option<Support>,
    /// How weaknesses are reported.
    pub disclosure: Option<Disclosure>,

    /// How units are numbered.
    pub serial: Serial,
    /// What opens a unit.
    #[serde(default)]
    pub credential: Credential,
    /// The device key.
    #[serde(default)]
    pub identity: Identity,
    /// For Matter.
    #[serde(default)]
    pub matter: Option<Matter>,
    /// Where the factory keeps its things.
    #[serde(default)]
    pub factory: Factory,

    /// What identifies the software.
    pub software: Option<Software>,
    /// The hardware.
    #[serde(default)]
    pub board: Vec<Board>,
    /// Parts of the software.
    #[serde(default)]
    pub component: Vec<Component>,
    /// What updates them.
    #[serde(default)]
    pub update: Vec<Update>,
    /// How updates come about.
    #[serde(default)]
    pub update_procedure: Vec<UpdateProcedure>,
    /// For what cannot be updated.
    pub replacement: Option<Replacement>,
    /// What verifies software.
    #[serde(default)]
    pub secure_boot: Vec<SecureBoot>,

    /// All that it opens.
    #[serde(default)]
    pub surface: Option<Surface>,
    /// Who shows by what who it is.
    #[serde(default)]
    pub authentication: Vec<Mechanism>,
    /// Keys and other values that security rests on.
    #[serde(default)]
    pub parameter: Vec<Parameter>,
    /// Secure channels.
    #[serde(default)]
    pub communication: Vec<Communication>,
    /// Reviewed software for networks and security.
    #[serde(default)]
    pub implementation: Vec<Implementation>,
    /// The life of keys.
    #[serde(default)]
    pub key_management: Vec<KeyManagement>,
    /// Where data comes in.
    #[serde(default)]
    pub input: Vec<Input>,
    /// Where people use it.
    #[serde(default)]
    pub user_interface: Vec<UserInterface>,

    /// Data of and about people.
    #[serde(default)]
    pub personal_data: Vec<PersonalData>,
    /// What it perceives.
    #[serde(default)]
    pub sensor: Vec<Sensor>,
    /// The telemetry registry.
    #[schemars(with = "Option<crate::schema::Telemetry>")]
    pub telemetry: Option<Description>,
    /// How telemetry is examined.
    #[serde(default)]
    pub examination: Vec<Examination>,
    /// How data is deleted.
    #[serde(default)]
    pub deletion: Vec<Deletion>,
    /// What users decide.
    #[serde(default)]
    pub decision: Vec<Decision>,

    /// What is done about reports.
    #[serde(default)]
    pub vulnerability_type: Vec<VulnerabilityType>,
    /// How weaknesses are looked for.
    #[serde(default)]
    pub monitoring: Vec<Measure>,
    /// Who stands for which process.
    pub confirmation: Option<Confirmation>,
    /// How code is kept small.
    #[serde(default)]
    pub minimisation: Vec<Measure>,
    /// How software runs with few privileges.
    #[serde(default)]
    pub privilege: Vec<Measure>,
    /// How memory is protected by hardware.
    #[serde(default)]
    pub memory_protection: Vec<Measure>,
    /// How it is developed.
    #[serde(default)]
    pub development: Vec<Development>,
    /// What carries it through outages.
    #[serde(default)]
    pub resilience: Vec<Resilience>,
    /// Where users read.
    pub guide: Option<Guide>,

    /// Why recommendations are not followed or do not apply, by provision.
    #[serde(default)]
    pub justification: Justifications,
    /// What the maker's own code and papers show.
    #[serde(default)]
    pub claim: Vec<MakerClaim>,

    /// SHA-256 of the file: of which manifest something was made.
    #[serde(skip)]
    pub digest: [u8; 32],
    #[serde(skip)]
    places: Places,
    /// What `surface` declares.
    #[serde(skip)]
    interfaces: Option<InterfaceTable>,
    /// What `telemetry` declares.
    #[serde(skip)]
    registry: Option<&'static Registry>,
}

impl Product {
    /// Reads and checks the bytes of a manifest. Paths of the factory stay as they stand.
    ///
    /// # Errors
    /// What is wrong, at least one [`Finding`] and errors all.
    ///
    /// ```
    /// use iotsec_product::Product;
    ///
    /// let lamp = "[product]\nname = 'Lamp'\nmodel = 'lamp-2'\nvendor = 'V'\n[serial]\nprefix = 'L-'\n";
    /// assert_eq!(Product::parse(lamp.as_bytes()).unwrap().serial(7), "L-000007");
    ///
    /// let misspelt = Product::parse(format!("{lamp}digit = 5\n").as_bytes()).unwrap_err();
    /// assert!(misspelt[0].to_string().starts_with("line 7, column 1: unknown field `digit`"));
    /// ```
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        let (mut product, places) = Document::<Self>::parse(MANIFEST, bytes)?.into_parts();
        product.places = places;
        product.digest = Sha256::of(&[bytes]);
        let errors = product.declare();
        if errors.is_empty() {
            Ok(product)
        } else {
            Err(errors)
        }
    }

    /// Makes the interface table and the registry, which live as long as the program, once. What is wrong with these and
    /// with the rest, at its place.
    fn declare(&mut self) -> Vec<Finding> {
        let mut errors = lint::check(self);
        if let Some(surface) = &self.surface {
            match surface.table() {
                Ok(table) => self.interfaces = Some(table),
                Err(cause) => errors.push(Finding::error(
                    "surface.table",
                    "surface",
                    cause,
                    "correct that entry of [surface]; examples/products has tables to start from",
                )),
            }
        }
        if let Some(description) = self.telemetry.clone() {
            match description.declare() {
                Ok(registry) => self.registry = Some(registry),
                Err(cause) => errors.push(Finding::error(
                    "telemetry.registry",
                    "telemetry",
                    cause.to_string(),
                    "correct the declaration; iotsec-telemetry/FORMAT.md has the rules",
                )),
            }
        }
        errors.extend(lint::examined(self));
        errors.into_iter().map(|finding| self.place(finding)).collect()
    }

    /// Reads a file, and puts its folder in front of the paths in it.
    ///
    /// # Errors
    /// As [`Self::parse`]; a file that cannot be read is a finding of the rule `manifest.file`.
    pub fn read(path: &Path) -> Result<Self, Vec<Finding>> {
        let bytes = std::fs::read(path).map_err(|cause| {
            vec![Finding::error(
                "manifest.file",
                "",
                cause.to_string(),
                "check the name, and that the file can be read; `iotsec new` makes a first one",
            )]
        })?;
        let mut product = Self::parse(&bytes)?;
        product.factory.stand_in(path.parent().unwrap_or(Path::new("")));
        Ok(product)
    }

    /// The serial number of a running number.
    pub fn serial(&self, number: u32) -> String {
        self.serial.of(number)
    }

    /// The vendor identifier and the class identifier of SUIT; none without `[software]` or `[maker]`.
    pub fn suit_ids(&self) -> Option<(Uuid, Uuid)> {
        let software = self.software.as_ref();
        let vendor = software.and_then(|software| software.vendor_id).or_else(|| {
            self.maker
                .as_ref()
                .map(|maker| Uuid::of_domain(maker.domain.as_str()))
        })?;
        let class = software
            .and_then(|software| software.class_id)
            .unwrap_or_else(|| vendor.of_model(self.product.model.as_str()));
        Some((vendor, class))
    }

    /// The interface table that `[surface]` declares, if it is there.
    pub const fn interfaces(&self) -> Option<InterfaceTable> {
        self.interfaces
    }

    /// The registry that `[telemetry]` declares, if it is there.
    pub const fn registry(&self) -> Option<&'static Registry> {
        self.registry
    }

    /// Names of all events and metrics of the telemetry registry.
    pub fn telemetry_names(&self) -> Vec<&'static str> {
        let Some(registry) = self.registry else {
            return Vec::new();
        };
        let events = registry.events().iter().map(EventDef::name);
        events
            .chain(registry.metrics().iter().map(MetricDef::name))
            .collect()
    }

    /// Lines that still say what `iotsec new` put there.
    pub fn placeholders(&self) -> Vec<Finding> {
        let places = self.places.lines_with("EXAMPLE");
        places
            .map(|place| {
                Finding::error(
                    "manifest.example",
                    "",
                    "this line still says EXAMPLE",
                    "say what is true of the product, or take the line out",
                )
                .found(Some(place))
            })
            .collect()
    }

    /// Puts the place in the text to what a finding is about.
    pub fn place(&self, finding: Finding) -> Finding {
        let place = finding.place.or_else(|| self.places.find(&finding.at));
        finding.found(place)
    }
}
