//! Which provisions apply to a product, computed from its manifest: V3.1.3 has made every condition a question that
//! the tables of an assessment answer.

use std::collections::BTreeMap;

use iotsec_product::{
    Product,
    access::{Factor, Mechanism, Origin, Parameter, ParameterKind, Use, Who},
    privacy::{Basis, PersonalData, Place},
    software::{Component, Delivery, Excluded, ImmutableReason},
    surface::{DebugName, PortName, ScopeName},
};

use crate::catalogue::{Edition, Provision};

/// Whether something is so, and of what in the manifest it was concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// It is so.
    pub holds: bool,
    /// Why.
    pub why: String,
}

/// Whether a provision applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applicability {
    /// It does, for these reasons; none where it applies to every product.
    Applies(Vec<Answer>),
    /// It does not: what is not so.
    NotApplicable(Vec<Answer>),
    /// The edition does not have it.
    Absent,
}

impl Applicability {
    /// It applies.
    pub const fn holds(&self) -> bool {
        matches!(self, Self::Applies(_))
    }

    /// Why, in a sentence.
    pub fn why(&self) -> String {
        match self {
            Self::Absent => "not in this edition".into(),
            Self::Applies(answers) | Self::NotApplicable(answers) if answers.is_empty() => {
                "applies to every product".into()
            }
            Self::Applies(answers) | Self::NotApplicable(answers) => answers
                .iter()
                .map(|answer| answer.why.as_str())
                .collect::<Vec<_>>()
                .join("; "),
        }
    }
}

/// Answers to all conditions and features.
#[derive(Clone, Debug)]
pub struct Facts {
    features: BTreeMap<&'static str, Answer>,
    conditions: BTreeMap<u8, Answer>,
    /// Those of V2.1.1 that have another meaning there or are not in V3.1.3.
    conditions_v2: BTreeMap<u8, Answer>,
}

/// The first entry of `found`, named; or what there is none of.
fn any<'a>(section: &str, found: impl IntoIterator<Item = &'a str>, none: &str) -> Answer {
    let found: Vec<&str> = found.into_iter().collect();
    if found.is_empty() {
        return Answer {
            holds: false,
            why: none.into(),
        };
    }
    Answer {
        holds: true,
        why: format!("{section}: {}", found.join(", ")),
    }
}

fn not(answer: &Answer) -> Answer {
    Answer {
        holds: !answer.holds,
        why: answer.why.clone(),
    }
}

/// The entries of a list for which something is so, named; or what there is none of.
macro_rules! those {
    ($section:literal, $list:expr, $none:expr, |$one:pat_param| $is_so:expr) => {
        any(
            $section,
            $list.iter().filter(|$one| $is_so).map(|one| one.id.as_str()),
            $none,
        )
    };
}

impl Facts {
    /// Of a product.
    pub fn of(product: &Product) -> Self {
        let features = features(product);
        let excluded = |what: Excluded| {
            let boards = product.board.iter();
            boards.flat_map(move |board| {
                let limits = board.limit.iter().filter(move |limit| limit.excludes == what);
                limits.map(|limit| limit.why.as_str())
            })
        };
        // What never changes for the sake of security, such as the first link of a chain of trust, is meant to stay.
        let stuck = |one: &Component| {
            let reason = one.immutable.as_ref().map(|why| why.reason);
            one.updates.is_empty() && reason != Some(ImmutableReason::Security)
        };
        let no_limit = "no limit of resources is declared";
        let allowed = |what| not(&any("board.limit", excluded(what), no_limit));
        let secrets = "no critical [[parameter]] is declared";
        let conditions = BTreeMap::from([
            (
                3,
                those!(
                    "components without update",
                    product.component,
                    "every component is updated",
                    |one| stuck(one)
                ),
            ),
            (
                12,
                those!("updates", product.update, "no [[update]] is declared", |_| true),
            ),
            (14, allowed(Excluded::BruteForceProtection)),
            (15, allowed(Excluded::Update)),
            (
                16,
                those!("critical parameters", product.parameter, secrets, |one| one.kind
                    == ParameterKind::Critical),
            ),
        ]);
        let conditions_v2 = conditions_v2(product, &features, &conditions);
        Self {
            features,
            conditions,
            conditions_v2,
        }
    }

    /// The answer to a feature of V3.1.3.
    pub fn feature(&self, letter: &str) -> Option<&Answer> {
        self.features.get(letter)
    }

    /// The answer to a condition.
    pub fn condition(&self, edition: Edition, number: u8) -> Option<&Answer> {
        match edition {
            Edition::V3_1_3 => self.conditions.get(&number),
            Edition::V2_1_1 => self.conditions_v2.get(&number),
        }
    }

    /// Whether a provision applies in an edition. What no rule answers counts as met: an assessor decides then.
    pub fn applies(&self, provision: &Provision, edition: Edition) -> Applicability {
        if provision.status(edition).is_none() {
            return Applicability::Absent;
        }
        let conditions = provision.conditions(edition).iter();
        let conditions = conditions.filter_map(|number| self.condition(edition, *number));
        let features = provision.features(edition).iter();
        let features = features.filter_map(|letter| self.feature(letter));
        let answers: Vec<Answer> = conditions.chain(features).cloned().collect();
        if answers.iter().all(|answer| answer.holds) {
            return Applicability::Applies(answers);
        }
        Applicability::NotApplicable(answers.into_iter().filter(|answer| !answer.holds).collect())
    }
}

fn features(product: &Product) -> BTreeMap<&'static str, Answer> {
    let surface = product.surface.as_ref();
    let services = surface.map_or(&[][..], |surface| &surface.service);
    let debug = surface.map_or(&[][..], |surface| &surface.debug);
    let (mechanisms, parameters) = (&product.authentication, &product.parameter);
    let (components, updates, data) = (&product.component, &product.update, &product.personal_data);
    let reachable = |id: &str| reaches_a_network(product, id);
    let is_secret = |one: &Parameter| one.kind == ParameterKind::Critical;
    let protects = |one: &Use| matches!(one, Use::UpdateVerification | Use::ServiceProtection);
    let leaves = |one: &PersonalData| one.stored.contains(&Place::Service) || !one.travels.is_empty();
    let telemetry = product.telemetry_names();
    let no_mechanism = "no such entry is declared under [[authentication]]";
    let no_data = "no such entry is declared under [[personal-data]]";
    let no_update = "no such entry is declared under [[update]]";
    let no_parameter = "no such entry is declared under [[parameter]]";
    let mechanism = |holds: &dyn Fn(&Mechanism) -> bool| {
        those!("authentication", mechanisms, no_mechanism, |one| one.factor
            != Factor::None
            && holds(one))
    };
    BTreeMap::from([
        ("a", mechanism(&|one| one.factor.is_password())),
        (
            "b",
            mechanism(&|one| one.factor.is_password() && one.origin == Origin::PerDevice),
        ),
        ("c", mechanism(&|_| true)),
        ("d", mechanism(&|one| one.who == Who::User)),
        (
            "e",
            mechanism(&|one| one.interfaces.iter().any(|id| reachable(id.as_str()))),
        ),
        (
            "f",
            those!(
                "component",
                components,
                "every component is immutable for security",
                |one| {
                    one.immutable
                        .as_ref()
                        .is_none_or(|why| why.reason != ImmutableReason::Security)
                }
            ),
        ),
        (
            "g",
            those!("component", components, "no component is updated", |one| !one
                .updates
                .is_empty()),
        ),
        (
            "h",
            those!("update", updates, no_update, |one| one.owner.automatic),
        ),
        (
            "i",
            those!("update", updates, no_update, |one| one.notice.is_some()),
        ),
        (
            "j",
            those!("update", updates, no_update, |one| one.delivery
                == Delivery::Network),
        ),
        (
            "k",
            those!("parameter", parameters, no_parameter, |one| one
                .storage
                .is_persistent()),
        ),
        (
            "l",
            those!("parameter", parameters, no_parameter, |one| one
                .identity
                .is_some()),
        ),
        (
            "m",
            those!("parameter", parameters, no_parameter, |one| {
                is_secret(one) && one.used_for.iter().any(protects)
            }),
        ),
        (
            "n",
            those!(
                "surface.service",
                services,
                "no service that a network reaches configures anything",
                |one| { one.configures && !one.disabled && reachable(&one.id) }
            ),
        ),
        (
            "o",
            those!("parameter", parameters, no_parameter, |one| is_secret(one)
                && !one.travels.is_empty()),
        ),
        (
            "p",
            any(
                "unused",
                unused(product),
                "every network interface and service is used",
            ),
        ),
        (
            "q",
            those!("surface.debug", debug, "no debug interface is declared", |_| true),
        ),
        (
            "r",
            those!("surface.debug", debug, "no debug port is declared", |one| one
                .kind
                != DebugName::Remote),
        ),
        (
            "s",
            those!(
                "secure-boot",
                product.secure_boot,
                "no [[secure-boot]] is declared",
                |_| true
            ),
        ),
        ("t", those!("personal-data", data, no_data, |one| leaves(one))),
        (
            "u",
            those!("personal-data", data, no_data, |one| one.sensitive && leaves(one)),
        ),
        (
            "v",
            those!("sensor", product.sensor, "no [[sensor]] is declared", |_| true),
        ),
        ("w", any("telemetry", telemetry, "[telemetry] declares nothing")),
        (
            "x",
            those!("personal-data", data, no_data, |one| one
                .stored
                .contains(&Place::Service)),
        ),
        (
            "y",
            those!("personal-data", data, no_data, |one| one.basis == Basis::Consent),
        ),
        ("z", those!("personal-data", data, no_data, |_| true)),
        (
            "aa",
            those!("personal-data", data, no_data, |one| one.aggregate_only),
        ),
    ])
}

/// Interfaces to a network that are switched off.
fn unused(product: &Product) -> impl Iterator<Item = &str> {
    product.surface.iter().flat_map(|surface| {
        let services = surface.service.iter().filter(|one| one.disabled);
        let ports = surface
            .port
            .iter()
            .filter(|one| one.disabled && one.kind == PortName::Ethernet);
        let radios = surface.radio.iter().filter(|one| one.disabled);
        let ports = ports.map(|one| one.id.as_str());
        let radios = radios.map(|one| one.id.as_str());
        services.map(|one| one.id.as_str()).chain(ports).chain(radios)
    })
}

/// Conditions 1 to 13 of V2.1.1, of which most became features.
fn conditions_v2(
    product: &Product,
    features: &BTreeMap<&'static str, Answer>,
    conditions: &BTreeMap<u8, Answer>,
) -> BTreeMap<u8, Answer> {
    let feature = |letter: &str| features.get(letter).cloned();
    let constrained = those!(
        "board.limit",
        product.board,
        "no limit of resources is declared",
        |board| !board.limit.is_empty()
    );
    let notified = match (feature("h"), feature("i")) {
        (Some(automatic), Some(notice)) if !automatic.holds => Some(notice),
        (automatic, _) => automatic,
    };
    let answers = [
        (1, feature("a")),
        (2, feature("b")),
        (3, conditions.get(&3).cloned()),
        (4, Some(constrained.clone())),
        (5, Some(not(&constrained))),
        (6, feature("w")),
        (7, feature("y")),
        (8, feature("d")),
        (9, notified),
        (10, feature("l")),
        (11, feature("j")),
        (12, conditions.get(&12).cloned()),
        (13, feature("r")),
    ];
    answers
        .into_iter()
        .filter_map(|(number, answer)| Some((number, answer?)))
        .collect()
}

/// Whether a network reaches the service or radio of this name.
pub(crate) fn reaches_a_network(product: &Product, id: &str) -> bool {
    product.surface.as_ref().is_some_and(|surface| {
        let mut services = surface.service.iter().filter(|service| service.id == id);
        let reached = services.any(|one| one.scope.is_some_and(|scope| scope != ScopeName::Loopback));
        reached || surface.radio.iter().any(|radio| radio.id == id)
    })
}
