use super::{Epsilon, Sensitivity, Weights};
use crate::{
    error::MetricError,
    registry::{Aggregate, Handling, HashedRegistry, MetricDef, Purpose, REGISTRY_HASH_LEN},
};

/// How a metric's answers are noised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mechanism {
    /// One of so many labels, 2 to 256, that is often another than the true one.
    RandomizedResponse {
        /// How many.
        labels: u16,
    },
    /// A number with discrete Laplace noise.
    Laplace {
        /// The least value before noise.
        min: i64,
        /// The greatest value before noise.
        max: i64,
    },
}

impl Mechanism {
    /// The nearest value that the metric can have.
    pub(super) fn clamped(self, value: i64) -> i64 {
        let (min, max) = match self {
            Self::RandomizedResponse { labels } => (0, i64::from(labels).saturating_sub(1)),
            Self::Laplace { min, max } => (min, max),
        };
        value.min(max).max(min)
    }

    pub(super) fn check(self, epsilon: Epsilon) -> Result<(), MetricError> {
        match self {
            Self::RandomizedResponse { labels } => Weights::new(labels, epsilon).map(drop),
            Self::Laplace { min, max } => Sensitivity::of(min, max).map(drop),
        }
    }
}

/// A metric that the registry declares and whose answers are noised on the device.
///
/// ```
/// use iotsec_core::crypto::Sha256;
/// use iotsec_telemetry::{
///     epsilon, error::MetricError, privacy::{Mechanism, Metric}, registry,
///     registry::{Aggregate, Handling, MetricDef, Purpose},
/// };
///
/// const NIGHT: MetricDef = MetricDef::new(
///     1, "lamp.on-at-night", "1", Purpose::Usage, "Tells whether the night mode is worth having",
///     Aggregate::RandomizedResponse { answers: &["no", "yes"], epsilon: epsilon!(1 / 1) },
/// );
/// const LIT: MetricDef = MetricDef::new(
///     2, "lamp.lit", "h", Purpose::Usage, "Tells how long lamps have to last", Aggregate::Sum { max: 24 },
/// );
/// registry!(static PRODUCT = [], metrics [NIGHT], handling Handling::new("data@lamps.example", "Lamps Ltd", 90));
///
/// let registry = PRODUCT.hashed(&mut Sha256::new());
/// let night = Metric::new(&registry, &NIGHT)?;
/// assert_eq!(night.mechanism(), Mechanism::RandomizedResponse { labels: 2 });
/// assert_eq!(Metric::new(&registry, &LIT).err(), Some(MetricError::Undeclared));
/// # Ok::<(), MetricError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    pub(super) registry: [u8; REGISTRY_HASH_LEN],
    pub(super) id: u16,
    pub(super) purpose: Purpose,
    pub(super) mechanism: Mechanism,
    pub(super) epsilon: Epsilon,
    pub(super) handling: Handling,
}

impl Metric {
    /// Looks `definition` up in `registry`.
    ///
    /// # Errors
    /// [`MetricError::Undeclared`] when the registry does not have exactly this metric;
    /// [`MetricError::Mechanism`] when it is not noised on the device; [`MetricError::Bounds`].
    pub fn new(registry: &HashedRegistry, definition: &MetricDef) -> Result<Self, MetricError> {
        if !registry.registry().has_metric(definition) {
            return Err(MetricError::Undeclared);
        }
        let (mechanism, epsilon) = match definition.aggregate() {
            Aggregate::RandomizedResponse { answers, epsilon } => {
                let labels = u16::try_from(answers.len()).map_err(|_| MetricError::Bounds)?;
                (Mechanism::RandomizedResponse { labels }, epsilon)
            }
            Aggregate::Laplace { min, max, epsilon } => (Mechanism::Laplace { min, max }, epsilon),
            Aggregate::Count | Aggregate::Sum { .. } | Aggregate::Histogram(_) => {
                return Err(MetricError::Mechanism);
            }
        };
        mechanism.check(epsilon)?;
        Ok(Self {
            registry: *registry.hash(),
            id: definition.id(),
            purpose: definition.purpose(),
            mechanism,
            epsilon,
            handling: registry.registry().handling_of_metric(definition),
        })
    }

    /// The hash of its registry.
    pub const fn registry(&self) -> &[u8; REGISTRY_HASH_LEN] {
        &self.registry
    }

    /// Its number.
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// What it is collected for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// How its answers are noised.
    pub const fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// How much one report tells at most.
    pub const fn epsilon(&self) -> Epsilon {
        self.epsilon
    }
}
