//! Which provisions apply to a product, computed from its manifest: V3.1.3 has made every condition a question that
//! the tables of an assessment answer.

use std::collections::BTreeMap;

use iotsec_product::{
    Product,
    access::{Factor, Origin, ParameterKind, Use, Who},
    privacy::{Basis, Place},
    software::{Component, Delivery, Excluded, ImmutableReason},
    surface::{AuthenticationName, DebugName, PortName, ScopeName},
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
        let stuck = |one: &&Component| {
            let reason = one.immutable.as_ref().map(|why| why.reason);
            one.updates.is_empty() && reason != Some(ImmutableReason::Security)
        };
        let not_updated = product.component.iter().filter(stuck);
        let conditions = BTreeMap::from([
            (
                3,
                any(
                    "components without update",
                    not_updated.map(|one| one.id.as_str()),
                    "every component is updated",
                ),
            ),
            (
                12,
                any(
                    "updates",
                    product.update.iter().map(|one| one.id.as_str()),
                    "no [[update]] is declared",
                ),
            ),
            (
                14,
                not(&any(
                    "board.limit",
                    excluded(Excluded::BruteForceProtection),
                    "no limit of resources is declared",
                )),
            ),
            (
                15,
                not(&any(
                    "board.limit",
                    excluded(Excluded::Update),
                    "no limit of resources is declared",
                )),
            ),
            (
                16,
                any(
                    "critical parameters",
                    product
                        .parameter
                        .iter()
                        .filter(|one| one.kind == ParameterKind::Critical)
                        .map(|one| one.id.as_str()),
                    "no critical [[parameter]] is declared",
                ),
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
    let mechanisms = || {
        product
            .authentication
            .iter()
            .filter(|one| one.factor != Factor::None)
    };
    let surface = product.surface.as_ref();
    let services = || surface.into_iter().flat_map(|surface| surface.service.iter());
    let reachable = |id: &str| {
        services().any(|service| {
            service.id == id && service.scope.is_some_and(|scope| scope != ScopeName::Loopback)
        }) || surface.is_some_and(|surface| surface.radio.iter().any(|radio| radio.id == id))
    };
    let debug = || surface.into_iter().flat_map(|surface| surface.debug.iter());
    let data = || product.personal_data.iter();
    let to_service = |place: &[Place]| place.contains(&Place::Service);
    let unused = surface.into_iter().flat_map(|surface| {
        let services = surface
            .service
            .iter()
            .filter(|one| one.disabled)
            .map(|one| one.id.as_str());
        let ports = surface
            .port
            .iter()
            .filter(|one| one.disabled && one.kind == PortName::Ethernet);
        let radios = surface
            .radio
            .iter()
            .filter(|one| one.disabled)
            .map(|one| one.id.as_str());
        services.chain(ports.map(|one| one.id.as_str())).chain(radios)
    });
    let telemetry = product.telemetry_names();
    let critical = || {
        product
            .parameter
            .iter()
            .filter(|one| one.kind == ParameterKind::Critical)
    };
    let none = "no such entry is declared under [[authentication]]";
    let no_data = "no such entry is declared under [[personal-data]]";
    let no_update = "no such entry is declared under [[update]]";
    let no_parameter = "no such entry is declared under [[parameter]]";
    BTreeMap::from([
        (
            "a",
            any(
                "authentication",
                mechanisms()
                    .filter(|one| one.factor.is_password())
                    .map(|one| one.id.as_str()),
                none,
            ),
        ),
        (
            "b",
            any(
                "authentication",
                mechanisms()
                    .filter(|one| one.factor.is_password() && one.origin == Origin::PerDevice)
                    .map(|one| one.id.as_str()),
                none,
            ),
        ),
        (
            "c",
            any("authentication", mechanisms().map(|one| one.id.as_str()), none),
        ),
        (
            "d",
            any(
                "authentication",
                mechanisms()
                    .filter(|one| one.who == Who::User)
                    .map(|one| one.id.as_str()),
                none,
            ),
        ),
        (
            "e",
            any(
                "authentication",
                mechanisms()
                    .filter(|one| one.interfaces.iter().any(|id| reachable(id.as_str())))
                    .map(|one| one.id.as_str()),
                none,
            ),
        ),
        (
            "f",
            any(
                "component",
                product
                    .component
                    .iter()
                    .filter(|one| {
                        one.immutable
                            .as_ref()
                            .is_none_or(|why| why.reason != ImmutableReason::Security)
                    })
                    .map(|one| one.id.as_str()),
                "every component is immutable for security",
            ),
        ),
        (
            "g",
            any(
                "component",
                product
                    .component
                    .iter()
                    .filter(|one| !one.updates.is_empty())
                    .map(|one| one.id.as_str()),
                "no component is updated",
            ),
        ),
        (
            "h",
            any(
                "update",
                product
                    .update
                    .iter()
                    .filter(|one| one.owner.automatic)
                    .map(|one| one.id.as_str()),
                no_update,
            ),
        ),
        (
            "i",
            any(
                "update",
                product
                    .update
                    .iter()
                    .filter(|one| one.notice.is_some())
                    .map(|one| one.id.as_str()),
                no_update,
            ),
        ),
        (
            "j",
            any(
                "update",
                product
                    .update
                    .iter()
                    .filter(|one| one.delivery == Delivery::Network)
                    .map(|one| one.id.as_str()),
                no_update,
            ),
        ),
        (
            "k",
            any(
                "parameter",
                product
                    .parameter
                    .iter()
                    .filter(|one| one.storage.is_persistent())
                    .map(|one| one.id.as_str()),
                no_parameter,
            ),
        ),
        (
            "l",
            any(
                "parameter",
                product
                    .parameter
                    .iter()
                    .filter(|one| one.identity.is_some())
                    .map(|one| one.id.as_str()),
                no_parameter,
            ),
        ),
        (
            "m",
            any(
                "parameter",
                critical()
                    .filter(|one| {
                        one.used_for
                            .iter()
                            .any(|one| matches!(one, Use::UpdateVerification | Use::ServiceProtection))
                    })
                    .map(|one| one.id.as_str()),
                no_parameter,
            ),
        ),
        (
            "n",
            any(
                "surface.service",
                services()
                    .filter(|one| one.configures && !one.disabled && reachable(&one.id))
                    .map(|one| one.id.as_str()),
                "no service that a network reaches configures anything",
            ),
        ),
        (
            "o",
            any(
                "parameter",
                critical()
                    .filter(|one| !one.travels.is_empty())
                    .map(|one| one.id.as_str()),
                no_parameter,
            ),
        ),
        (
            "p",
            any("unused", unused, "every network interface and service is used"),
        ),
        (
            "q",
            any(
                "surface.debug",
                debug().map(|one| one.id.as_str()),
                "no debug interface is declared",
            ),
        ),
        (
            "r",
            any(
                "surface.debug",
                debug()
                    .filter(|one| one.kind != DebugName::Remote)
                    .map(|one| one.id.as_str()),
                "no debug port is declared",
            ),
        ),
        (
            "s",
            any(
                "secure-boot",
                product.secure_boot.iter().map(|one| one.id.as_str()),
                "no [[secure-boot]] is declared",
            ),
        ),
        (
            "t",
            any(
                "personal-data",
                data()
                    .filter(|one| to_service(&one.stored) || !one.travels.is_empty())
                    .map(|one| one.id.as_str()),
                no_data,
            ),
        ),
        (
            "u",
            any(
                "personal-data",
                data()
                    .filter(|one| one.sensitive && (to_service(&one.stored) || !one.travels.is_empty()))
                    .map(|one| one.id.as_str()),
                no_data,
            ),
        ),
        (
            "v",
            any(
                "sensor",
                product.sensor.iter().map(|one| one.id.as_str()),
                "no [[sensor]] is declared",
            ),
        ),
        (
            "w",
            any(
                "telemetry",
                telemetry.iter().map(String::as_str),
                "[telemetry] declares nothing",
            ),
        ),
        (
            "x",
            any(
                "personal-data",
                data()
                    .filter(|one| to_service(&one.stored))
                    .map(|one| one.id.as_str()),
                no_data,
            ),
        ),
        (
            "y",
            any(
                "personal-data",
                data()
                    .filter(|one| one.basis == Basis::Consent)
                    .map(|one| one.id.as_str()),
                no_data,
            ),
        ),
        (
            "z",
            any("personal-data", data().map(|one| one.id.as_str()), no_data),
        ),
        (
            "aa",
            any(
                "personal-data",
                data().filter(|one| one.aggregate_only).map(|one| one.id.as_str()),
                no_data,
            ),
        ),
    ])
}

/// Conditions 1 to 13 of V2.1.1, of which most became features.
fn conditions_v2(
    product: &Product,
    features: &BTreeMap<&'static str, Answer>,
    conditions: &BTreeMap<u8, Answer>,
) -> BTreeMap<u8, Answer> {
    let feature = |letter: &str| features.get(letter).cloned();
    let constrained = any(
        "board.limit",
        product
            .board
            .iter()
            .filter(|board| !board.limit.is_empty())
            .map(|board| board.id.as_str()),
        "no limit of resources is declared",
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

/// A service without authentication, for those who look for one.
pub(crate) fn is_open(authentication: AuthenticationName) -> bool {
    authentication == AuthenticationName::None
}
