use super::MAX_NAME_LEN;
use crate::error::RegistryError;

/// Edges of one [`Buckets`] at most: with more, a bucket no longer hides much.
const MAX_EDGES: usize = 31;
/// Labels of one choice at most.
const MAX_LABELS: usize = 256;

/// A named value of an event, with its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    name: &'static str,
    unit: &'static str,
    kind: FieldKind,
}

/// What a field can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A number from `min` to `max`, both included.
    Number {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: i64,
    },
    /// One of these labels, recorded by its position.
    Choice(&'static [&'static str]),
    /// One of these buckets.
    Bucket(Buckets),
}

impl Field {
    /// A number from `min` to `max`, both included, in `unit` (a UCUM symbol; `1` for counts).
    pub const fn number(name: &'static str, unit: &'static str, min: i64, max: i64) -> Self {
        Self {
            name,
            unit,
            kind: FieldKind::Number { min, max },
        }
    }

    /// One of `labels`, recorded by its position.
    pub const fn choice(name: &'static str, labels: &'static [&'static str]) -> Self {
        Self {
            name,
            unit: "1",
            kind: FieldKind::Choice(labels),
        }
    }

    /// One of `buckets`, the only kind of field that a coarsened personal value fits.
    pub const fn bucket(name: &'static str, unit: &'static str, buckets: Buckets) -> Self {
        Self {
            name,
            unit,
            kind: FieldKind::Bucket(buckets),
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its unit.
    pub const fn unit(&self) -> &'static str {
        self.unit
    }

    /// What it can hold.
    pub const fn kind(&self) -> FieldKind {
        self.kind
    }

    /// How many values it can hold, or zero if that is more than 64 bits can count, which no registry
    /// accepts.
    pub(crate) const fn range(&self) -> u64 {
        match self.kind {
            FieldKind::Number { min, max } => match max.abs_diff(min).checked_add(1) {
                Some(range) => range,
                None => 0,
            },
            FieldKind::Choice(labels) => count(labels),
            FieldKind::Bucket(buckets) => count(buckets.edges).saturating_add(1),
        }
    }

    /// How many values it can hold, if it is well formed.
    pub(super) const fn check(&self) -> Result<u64, RegistryError> {
        if !name_fits(self.name) || !name_fits(self.unit) {
            return Err(RegistryError::Name);
        }
        let well_formed = match self.kind {
            FieldKind::Number { min, max } => min <= max,
            FieldKind::Choice(labels) => labels_fit(labels),
            FieldKind::Bucket(buckets) => buckets.ascend(),
        };
        if !well_formed {
            return Err(RegistryError::Bounds);
        }
        match self.range() {
            0 => Err(RegistryError::TooWide),
            range => Ok(range),
        }
    }
}

/// Ranges that hide the exact value.
///
/// With edges `e0 < e1 < …` the buckets are: below `e0`, from `e0` up to but without `e1`, and so on, and
/// from the last edge up.
///
/// ```
/// use iotsec_telemetry::registry::Buckets;
///
/// const HOURS: Buckets = Buckets::new(&[1, 8, 24]);
/// assert_eq!((HOURS.index_of(0), HOURS.index_of(8), HOURS.index_of(500)), (0, 2, 3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Buckets {
    edges: &'static [i64],
}

impl Buckets {
    /// Declares buckets; 1 to 31 ascending edges, checked when a [`Registry`](super::Registry) is made.
    pub const fn new(edges: &'static [i64]) -> Self {
        Self { edges }
    }

    /// The edges.
    pub const fn edges(&self) -> &'static [i64] {
        self.edges
    }

    /// The bucket that `value` falls into, from zero.
    pub fn index_of(&self, value: i64) -> usize {
        self.edges.iter().take_while(|edge| **edge <= value).count()
    }

    pub(super) const fn ascend(&self) -> bool {
        let mut left = self.edges;
        while let [edge, rest @ ..] = left {
            if let [next, ..] = rest
                && *next <= *edge
            {
                return false;
            }
            left = rest;
        }
        !self.edges.is_empty() && self.edges.len() <= MAX_EDGES
    }
}

pub(super) const fn name_fits(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME_LEN
}

pub(super) const fn labels_fit(labels: &[&str]) -> bool {
    let mut left = labels;
    while let [label, rest @ ..] = left {
        if !name_fits(label) {
            return false;
        }
        left = rest;
    }
    !labels.is_empty() && labels.len() <= MAX_LABELS
}

pub(super) const fn count<T>(items: &[T]) -> u64 {
    let mut count = 0u64;
    let mut left = items;
    while let [_, rest @ ..] = left {
        count = count.saturating_add(1);
        left = rest;
    }
    count
}
