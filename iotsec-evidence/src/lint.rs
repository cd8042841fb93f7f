//! What an assessor would object to in the papers, before anything is tested: the conceptual test units of TS 103 701
//! as rules over the manifest. A product that passes them still has to do what its manifest says.

mod access;
mod privacy;
mod process;
mod software;

use std::collections::BTreeSet;

use iotsec_product::{Finding, Product, Severity, software::Guarantee, text::Id};

use crate::applicability::Facts;

/// A rule, with the provisions that it belongs to.
pub struct Rule {
    /// Its name, which findings have.
    pub name: &'static str,
    /// Provisions of V3.1.3.
    pub provisions: &'static [&'static str],
    check: fn(&Context<'_>) -> Vec<Finding>,
}

impl Rule {
    const fn new(
        name: &'static str,
        provisions: &'static [&'static str],
        check: fn(&Context<'_>) -> Vec<Finding>,
    ) -> Self {
        Self {
            name,
            provisions,
            check,
        }
    }

    /// The maker gives a reason for not following a recommendation that the rule belongs to (EN 303 645 5.0-1). What is
    /// an error stays one.
    fn is_excused(&self, product: &Product) -> bool {
        product
            .justification
            .keys()
            .any(|number| self.provisions.contains(&number.as_str()))
    }
}

/// What a rule sees.
pub(crate) struct Context<'a> {
    product: &'a Product,
    facts: Facts,
}

impl Context<'_> {
    fn holds(&self, feature: &str) -> bool {
        self.facts.feature(feature).is_some_and(|answer| answer.holds)
    }

    /// Nobody reads what travels through this interface.
    fn is_confidential(&self, interface: &Id) -> bool {
        let channels = self.product.communication.iter();
        let mut of_it = channels.filter(|channel| channel.interfaces.contains(interface));
        of_it
            .next()
            .is_some_and(|channel| channel.guarantees.contains(&Guarantee::Confidentiality))
    }
}

/// All rules, in the order of the provisions.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    access::RULES
        .iter()
        .chain(software::RULES)
        .chain(privacy::RULES)
        .chain(process::RULES)
}

/// What all rules find in a manifest, with places.
///
/// ```
/// use iotsec_product::Product;
///
/// let shared = "[product]\nname = 'Lamp'\nmodel = 'lamp-2'\nvendor = 'V'\n[serial]\nprefix = 'L-'\n\
///     [[surface.service]]\nid = 'web'\npurpose = 'Settings'\ntcp = 443\nscope = 'local'\nauthentication = 'password'\n\
///     [[authentication]]\nid = 'admin'\ndescription = 'A login'\nwho = 'user'\nfactor = 'password'\n\
///     origin = 'per-model'\ninterfaces = ['web']\nguarantees = ['integrity', 'authenticity']\n";
/// let findings = iotsec_evidence::lint::check(&Product::parse(shared.as_bytes()).unwrap());
/// assert!(findings.iter().any(|finding| finding.rule == "password.universal"));
/// ```
pub fn check(product: &Product) -> Vec<Finding> {
    let context = Context {
        product,
        facts: Facts::of(product),
    };
    rules()
        .flat_map(|rule| {
            let excused = rule.is_excused(product);
            let found = (rule.check)(&context).into_iter();
            let kept = found.filter(move |finding| finding.severity == Severity::Error || !excused);
            kept.map(|finding| Finding {
                rule: rule.name,
                ..finding
            })
        })
        .map(|finding| product.place(finding))
        .collect()
}

/// What a rule finds. [`check`] adds the name of the rule.
fn fault(at: impl Into<String>, message: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding::error("", at, message, remedy)
}

/// What is wrong with the entries of a section, each of which is told where it stands.
fn each<T, F: IntoIterator<Item = Finding>>(
    section: &str,
    entries: &[T],
    wrong: impl Fn(&T, String) -> F,
) -> Vec<Finding> {
    let entries = entries.iter().enumerate();
    entries
        .flat_map(|(n, one)| wrong(one, format!("{section}[{n}]")))
        .collect()
}

/// Guarantees that are missing, in words.
fn missing(has: &[Guarantee], needs: &[Guarantee]) -> Option<String> {
    let has: BTreeSet<Guarantee> = has.iter().copied().collect();
    let missing: Vec<&str> = needs
        .iter()
        .filter(|one| !has.contains(one))
        .map(|one| one.said())
        .collect();
    (!missing.is_empty()).then(|| missing.join(" and "))
}
