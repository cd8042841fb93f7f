use super::{Buckets, Handling, MAX_WHY_LEN, Purpose, field};
use crate::{error::RegistryError, privacy::Epsilon};

/// Widest range of a value that is noised: the sampler multiplies it in 64 bits.
const MAX_RANGE: u64 = 0x7FFF_FFFF;
/// Greatest value of a sum: 32 bits, of which the sum over four thousand million devices fits the field.
const MAX_SUM: u64 = 0xFFFF_FFFF;

/// The declaration of a number that is learnt about all devices together and about none alone.
///
/// Where an [`EventDef`](super::EventDef) is sent as it is, by a device that its service knows, a metric
/// leaves the device noised or in shares, without an identifier.
///
/// ```
/// use iotsec_telemetry::{epsilon, registry::{Aggregate, MetricDef, Purpose}};
///
/// const NIGHT: MetricDef = MetricDef::new(
///     1, "lamp.on-at-night", "1", Purpose::Usage, "Tells whether the night mode is worth having",
///     Aggregate::RandomizedResponse { answers: &["no", "yes"], epsilon: epsilon!(1 / 1) },
/// );
/// assert_eq!(NIGHT.name(), "lamp.on-at-night");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricDef {
    id: u16,
    name: &'static str,
    unit: &'static str,
    purpose: Purpose,
    why: &'static str,
    aggregate: Aggregate,
    handling: Option<Handling>,
}

/// How a metric is kept from telling about one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// The device says one of these answers, and not always the true one.
    RandomizedResponse {
        /// What can be answered, two to 256.
        answers: &'static [&'static str],
        /// How much one answer tells at most.
        epsilon: Epsilon,
    },
    /// The device adds noise to a number.
    Laplace {
        /// The least value; what is below counts as this.
        min: i64,
        /// The greatest value; what is above counts as this.
        max: i64,
        /// How much one report tells at most.
        epsilon: Epsilon,
    },
    /// Two servers learn how many devices said yes (Prio3Count).
    Count,
    /// Two servers learn the sum over all devices (Prio3Sum).
    Sum {
        /// The greatest value of one device; the least is zero.
        max: u64,
    },
    /// Two servers learn how many devices are in each bucket (Prio3Histogram).
    Histogram(Buckets),
}

impl MetricDef {
    /// Declares a metric. It is checked when it joins a [`Registry`](super::Registry). `unit` is a UCUM
    /// symbol, `1` for counts; `why` says in plain words what it is collected for.
    pub const fn new(
        id: u16,
        name: &'static str,
        unit: &'static str,
        purpose: Purpose,
        why: &'static str,
        aggregate: Aggregate,
    ) -> Self {
        Self {
            id,
            name,
            unit,
            purpose,
            why,
            aggregate,
            handling: None,
        }
    }

    /// Handled otherwise than the rest of its registry.
    #[must_use]
    pub const fn handled(mut self, handling: Handling) -> Self {
        self.handling = Some(handling);
        self
    }

    /// Its number, which keeps its meaning for ever. Metrics and events are numbered apart.
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its unit.
    pub const fn unit(&self) -> &'static str {
        self.unit
    }

    /// What it is collected for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Why it is collected.
    pub const fn why(&self) -> &'static str {
        self.why
    }

    /// How it is kept from telling about one device.
    pub const fn aggregate(&self) -> Aggregate {
        self.aggregate
    }

    /// Its own handling, where it differs from the registry's.
    pub const fn handling(&self) -> Option<Handling> {
        self.handling
    }

    /// Whether its answers are split into shares.
    pub(super) const fn is_split(&self) -> bool {
        matches!(
            self.aggregate,
            Aggregate::Count | Aggregate::Sum { .. } | Aggregate::Histogram(_)
        )
    }

    pub(super) const fn check(&self) -> Result<(), RegistryError> {
        if !field::name_fits(self.name) || !field::name_fits(self.unit) {
            return Err(RegistryError::Name);
        }
        if self.why.is_empty() || self.why.len() > MAX_WHY_LEN {
            return Err(RegistryError::Why);
        }
        if let Some(handling) = &self.handling
            && let Err(error) = handling.check()
        {
            return Err(error);
        }
        let well_formed = match self.aggregate {
            Aggregate::RandomizedResponse { answers, .. } => answers.len() >= 2 && field::labels_fit(answers),
            Aggregate::Laplace { min, max, .. } => min < max && max.abs_diff(min) <= MAX_RANGE,
            Aggregate::Count => true,
            Aggregate::Sum { max } => max > 0 && max <= MAX_SUM,
            Aggregate::Histogram(buckets) => buckets.ascend(),
        };
        if well_formed {
            Ok(())
        } else {
            Err(RegistryError::Bounds)
        }
    }
}
