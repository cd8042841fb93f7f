//! What is claimed of provisions: by the code of the SDK, beside which it stands, and by the maker in the manifest.

use std::sync::OnceLock;

use iotsec_core::crypto::Sha256;
use iotsec_product::{
    Product,
    text::{Function, TestPath, Text},
};
use serde::Deserialize;

use crate::catalogue::{Edition, Provision};

const CLAIMS: &str = include_str!("../data/claims.json");

/// A claim of the SDK, as `claim!` has it beside the code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Provisions, in the numbers of V3.1.3.
    pub provisions: Vec<String>,
    /// What is so.
    pub claims: String,
    /// The package that it stands in.
    pub package: String,
    /// Functions without which it is not so. None where a tool of the maker's computer does it.
    pub code: Vec<String>,
    /// The tool.
    pub tool: Option<String>,
    /// The feature of `iotsec` that brings the code.
    pub feature: Option<String>,
    /// The file that it stands in.
    pub file: String,
    /// Tests that fail where it is not so.
    pub tests: Vec<String>,
}

/// All claims of the SDK.
///
/// # Panics
/// When the data in this package is damaged, which its tests would show.
///
/// ```
/// use iotsec_evidence::{catalogue::Catalogue, claims};
///
/// for claim in claims::sdk() {
///     assert!(claim.provisions.iter().all(|id| Catalogue::get().provision(id).is_some()));
/// }
/// ```
#[expect(
    clippy::expect_used,
    reason = "the data is part of the program, and read by its tests"
)]
pub fn sdk() -> &'static [Claim] {
    static SDK: OnceLock<Vec<Claim>> = OnceLock::new();
    SDK.get_or_init(|| serde_json::from_str(CLAIMS).expect("data/claims.json is well-formed"))
}

/// What tells these claims from those of another version of the SDK.
pub fn digest() -> [u8; 32] {
    Sha256::of(&[CLAIMS.as_bytes()])
}

/// Who claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The SDK.
    Sdk,
    /// The maker: the number of the `[[claim]]`, from 0.
    Maker(usize),
}

/// One claim, whoever makes it.
#[derive(Clone, Debug)]
pub struct Assertion<'a> {
    /// Provisions, in the numbers of either edition.
    pub provisions: Vec<&'a str>,
    /// What is so.
    pub says: &'a str,
    /// Who claims it.
    pub origin: Origin,
    /// Functions that a firmware must have.
    pub code: Vec<&'a str>,
    /// Tests that must pass.
    pub tests: Vec<&'a str>,
    /// A person who answers for it.
    pub by: Option<&'a str>,
    /// The tool of the maker's computer that does it.
    pub tool: Option<&'a str>,
    /// The feature of `iotsec` that brings the code.
    pub feature: Option<&'a str>,
}

impl Assertion<'_> {
    /// Whether it is about a provision.
    pub fn is_about(&self, provision: &Provision) -> bool {
        self.provisions.iter().any(|number| is_of(provision, number))
    }
}

/// Everything that is claimed of a product: by the SDK, then by its maker.
pub fn of(product: &Product) -> Vec<Assertion<'_>> {
    let sdk = sdk().iter().map(|claim| Assertion {
        provisions: texts(&claim.provisions),
        says: &claim.claims,
        origin: Origin::Sdk,
        code: texts(&claim.code),
        tests: texts(&claim.tests),
        by: None,
        tool: claim.tool.as_deref(),
        feature: claim.feature.as_deref(),
    });
    let maker = product.claim.iter().enumerate().map(|(n, claim)| Assertion {
        provisions: vec![claim.provision.as_str()],
        says: claim.claims.as_str(),
        origin: Origin::Maker(n),
        code: claim.code.iter().map(Function::as_str).collect(),
        tests: claim.test.iter().map(TestPath::as_str).collect(),
        by: claim.by.as_ref().map(Text::as_str),
        tool: None,
        feature: None,
    });
    sdk.chain(maker).collect()
}

/// Whether a number of either edition names a provision.
pub(crate) fn is_of(provision: &Provision, number: &str) -> bool {
    Edition::ALL
        .iter()
        .any(|edition| provision.number(*edition) == Some(number))
}

fn texts(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}
