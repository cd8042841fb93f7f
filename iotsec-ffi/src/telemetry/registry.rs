//! What may be reported, as tables of C.

use core::{ffi::c_char, slice};

use iotsec::telemetry::{
    detect::EVENTS as DETECTED,
    error::RegistryError,
    privacy::Epsilon,
    registry::{
        Aggregate, Buckets, Class, EventDef, Field, Handling, MAX_EVENTS, MAX_FIELDS, MetricDef, Purpose,
        RESERVED_IDS, Registry,
    },
};

use crate::{
    argument,
    status::{CallError, Status},
};

/// Why data leaves the device.
pub type iotsec_purpose_t = i32;

/// Keeping this device and others safe: needs no consent, and takes no personal value.
pub const IOTSEC_PURPOSE_SECURITY: iotsec_purpose_t = 0;
/// Keeping the device working. Needs the owner's consent.
pub const IOTSEC_PURPOSE_HEALTH: iotsec_purpose_t = 1;
/// Learning how it is used. Needs the owner's consent.
pub const IOTSEC_PURPOSE_USAGE: iotsec_purpose_t = 2;

/// How urgent an event is, and with that what it is sent for.
pub type iotsec_event_class_t = i32;

/// The device is under attack or damaged. For `IOTSEC_PURPOSE_SECURITY`; never displaced by newer ones.
pub const IOTSEC_EVENT_CRITICAL: iotsec_event_class_t = 0;
/// Worth a security team's attention. For `IOTSEC_PURPOSE_SECURITY`.
pub const IOTSEC_EVENT_SECURITY: iotsec_event_class_t = 1;
/// How well the device works. For `IOTSEC_PURPOSE_HEALTH`.
pub const IOTSEC_EVENT_HEALTH: iotsec_event_class_t = 2;
/// How the device is used. For `IOTSEC_PURPOSE_USAGE`.
pub const IOTSEC_EVENT_USAGE: iotsec_event_class_t = 3;

/// What a field holds.
pub type iotsec_field_kind_t = i32;

/// A number from `min` to `max`, both included.
pub const IOTSEC_FIELD_NUMBER: iotsec_field_kind_t = 1;
/// One of `labels`, by its position from 0.
pub const IOTSEC_FIELD_CHOICE: iotsec_field_kind_t = 2;
/// Which of the ranges between `edges` a number is in: below the first, from each up to but without the next, from
/// the last up. The number itself is not kept.
pub const IOTSEC_FIELD_BUCKET: iotsec_field_kind_t = 3;

/// How a metric is kept from telling about one device.
pub type iotsec_aggregate_t = i32;

/// The device says one of `labels`, by its position from 0, and not always the true one: `iotsec_telemetry_report()`.
pub const IOTSEC_AGGREGATE_RESPONSE: iotsec_aggregate_t = 1;
/// The device adds noise to a number from `min` to `max`; what is beyond counts as these: `iotsec_telemetry_report()`.
pub const IOTSEC_AGGREGATE_LAPLACE: iotsec_aggregate_t = 2;
/// Two servers learn how many devices said yes, which is 1 and not 0: `iotsec_telemetry_share()`.
pub const IOTSEC_AGGREGATE_COUNT: iotsec_aggregate_t = 3;
/// Two servers learn the sum of numbers from 0 to `max`: `iotsec_telemetry_share()`.
pub const IOTSEC_AGGREGATE_SUM: iotsec_aggregate_t = 4;
/// Two servers learn how many numbers are in each of the ranges between `edges`: `iotsec_telemetry_share()`.
pub const IOTSEC_AGGREGATE_HISTOGRAM: iotsec_aggregate_t = 5;

/// How much one answer tells at most, as the fraction `n/d`: above 0, at most 16, `d` at most 10000. Whatever is seen, it is
/// at most e to this power times likelier under one true value than under another; smaller protects better. Not versioned
/// by size: this struct never grows.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct iotsec_epsilon_t {
    /// The numerator.
    pub n: u32,
    /// The denominator.
    pub d: u32,
}

impl iotsec_epsilon_t {
    pub(crate) fn epsilon(self) -> Result<Epsilon, Status> {
        Ok(Epsilon::new(self.n, self.d)?)
    }
}

/// Who answers for data, who gets them, for how long. Not versioned by size: this struct never grows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_handling_t {
    /// Who answers for the data inside the maker's organisation: text that ends in zero, at most 48 bytes. Null, and
    /// everything else zero, where nothing is said; a data map shows that as a gap.
    pub owner: *const c_char,
    /// Who gets them: likewise.
    pub recipient: *const c_char,
    /// Days after which they are deleted there; at least 1.
    pub kept_days: u16,
    /// The last day on which they are collected, or year 0 for no such day. A device that does not know the date
    /// goes on.
    pub last_year: u16,
    /// 1 to 12.
    pub last_month: u8,
    /// 1 to 31.
    pub last_day: u8,
}

/// A field of an event. Not versioned by size: this struct never grows. Members of another kind are not looked at.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_event_field_t {
    /// `IOTSEC_FIELD_*`.
    pub kind: iotsec_field_kind_t,
    /// Labels of a choice, 1 to 256; edges of a bucket, 1 to 31.
    pub count: u32,
    /// Text that ends in zero, 1 to 48 bytes; and so are the unit and each label.
    pub name: *const c_char,
    /// A UCUM symbol, `"1"` for counts. Of a choice it is not looked at.
    pub unit: *const c_char,
    /// The least number.
    pub min: i64,
    /// The greatest number.
    pub max: i64,
    /// The labels of a choice.
    pub labels: *const *const c_char,
    /// The edges of buckets, ascending.
    pub edges: *const i64,
}

/// An event that may be recorded. Not versioned by size: this struct never grows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_event_t {
    /// Its number, which keeps its meaning for ever; below 0xF000, where those of detectors begin.
    pub id: u16,
    /// How many fields, at most 8. Their ranges multiply to less than 2^64 over the number of events; the widest
    /// stands last.
    pub field_count: u16,
    /// `IOTSEC_EVENT_*`.
    pub event_class: iotsec_event_class_t,
    /// Text that ends in zero, 1 to 48 bytes.
    pub name: *const c_char,
    /// What it is collected for, in plain words: text that ends in zero, 1 to 200 bytes. People are shown it.
    pub why: *const c_char,
    /// The fields; null when there are none.
    pub fields: *const iotsec_event_field_t,
    /// How it is handled; null for as the rest.
    pub handling: *const iotsec_handling_t,
}

/// A number that is learnt about all devices together and about none alone. Not versioned by size: this struct never
/// grows. Members that its aggregate does not need are not looked at.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct iotsec_metric_t {
    /// Its number, which keeps its meaning for ever. Metrics and events are numbered apart.
    pub id: u16,
    /// Zero.
    pub reserved: u16,
    /// `IOTSEC_AGGREGATE_*`.
    pub aggregate: iotsec_aggregate_t,
    /// `IOTSEC_PURPOSE_*`.
    pub purpose: iotsec_purpose_t,
    /// Labels, 2 to 256; edges, 1 to 31.
    pub count: u32,
    /// Text that ends in zero, 1 to 48 bytes; and so are the unit and each label.
    pub name: *const c_char,
    /// A UCUM symbol, `"1"` for counts.
    pub unit: *const c_char,
    /// What it is collected for, in plain words: text that ends in zero, 1 to 200 bytes. People are shown it.
    pub why: *const c_char,
    /// The least number.
    pub min: i64,
    /// The greatest number.
    pub max: i64,
    /// How much one answer tells.
    pub epsilon: iotsec_epsilon_t,
    /// What can be answered.
    pub labels: *const *const c_char,
    /// The edges of buckets, ascending.
    pub edges: *const i64,
    /// How it is handled; null for as the rest.
    pub handling: *const iotsec_handling_t,
}

// `IOTSEC_TELEMETRY_ARENA_WORDS` and `IOTSEC_TELEMETRY_METRIC_WORDS` of the header count with these.
const WORD: usize = size_of::<u64>();
const PER_POINTER: usize = size_of::<usize>() / 4;
const _: () = assert!(size_of::<EventDef>() <= (4 + 5 * PER_POINTER) * WORD);
const _: () = assert!(size_of::<Field>() <= (3 + 2 * PER_POINTER) * WORD);
const _: () = assert!(size_of::<MetricDef>() <= (8 + 5 * PER_POINTER) * WORD);
const _: () = assert!(size_of::<&str>() <= PER_POINTER * WORD);

/// Memory of the caller that definitions are laid out in.
struct Arena {
    at: *mut u64,
    left: usize,
}

impl Arena {
    /// Room for `count` values, which the caller of this writes.
    fn reserve<T>(&mut self, count: usize) -> Result<*mut T, Status> {
        const { assert!(align_of::<T>() <= align_of::<u64>()) };
        let bytes = count.checked_mul(size_of::<T>()).ok_or(CallError::Size)?;
        let words = bytes.div_ceil(WORD);
        self.left = self.left.checked_sub(words).ok_or(CallError::Size)?;
        let place = self.at;
        self.at = place.wrapping_add(words);
        Ok(place.cast())
    }

    /// `count` values that `make` gives, by their positions.
    ///
    /// # Safety
    /// The memory of the arena is as [`declare`] says.
    unsafe fn fill<T: Copy>(
        &mut self,
        count: usize,
        mut make: impl FnMut(&mut Self, usize) -> Result<T, Status>,
    ) -> Result<&'static [T], Status> {
        if count == 0 {
            return Ok(&[]);
        }
        let place = self.reserve::<T>(count)?;
        for at in 0..count {
            let value = make(self, at)?;
            // SAFETY: `reserve` has made sure that `count` of them fit, aligned; nobody else uses the memory.
            unsafe { place.add(at).write(value) };
        }
        // SAFETY: all of them were written, and nothing writes there as long as the registry is used.
        Ok(unsafe { slice::from_raw_parts(place, count) })
    }
}

/// Tables of C, with as many entries as `count` says.
///
/// # Safety
/// `table` is null, or points to that many.
unsafe fn entry<T: Copy>(table: *const T, at: usize) -> Result<T, Status> {
    // SAFETY: the caller's word, passed on. What is not null and not aligned is refused.
    unsafe { argument::copied(table.wrapping_add(at)) }
}

/// Lays the tables out in the arena and checks them.
///
/// # Safety
/// `events` points to `event_count` events, `metrics` to `metric_count` metrics, and the pointers of everything in them are
/// null or to what their documentation says, until the registry is used no more. So is `arena`, of `arena_words` words, which
/// nobody else uses.
pub(crate) unsafe fn declare(
    (events, event_count): (*const iotsec_event_t, u32),
    detectors: u32,
    (metrics, metric_count): (*const iotsec_metric_t, u32),
    handling: &iotsec_handling_t,
    arena: *mut u64,
    arena_words: usize,
) -> Result<Registry, Status> {
    if arena.is_null() || !arena.is_aligned() {
        return Err(CallError::Null.into());
    }
    let count = usize::try_from(event_count).map_err(|_| RegistryError::Count)?;
    let metric_count = usize::try_from(metric_count).map_err(|_| RegistryError::Count)?;
    if count.saturating_add(metric_count) > MAX_EVENTS {
        return Err(RegistryError::Count.into());
    }
    if detectors >> DETECTED.len() != 0 {
        return Err(CallError::Config.into());
    }
    // Their ids are above all others, and ascend.
    let mut detected = DETECTED
        .iter()
        .zip(0u32..)
        .filter(|(_, bit)| detectors >> bit & 1 == 1);
    if events.is_null() && count > 0 || metrics.is_null() && metric_count > 0 {
        return Err(CallError::Null.into());
    }
    let mut arena = Arena {
        at: arena,
        left: arena_words,
    };
    // SAFETY: the caller's word, passed on.
    unsafe {
        let handling = handling_of(handling)?;
        let all = count.saturating_add(detected.clone().count());
        let events = arena.fill(all, |arena, at| {
            if at < count {
                return event(arena, entry(events, at)?);
            }
            let (detected, _) = detected.next().ok_or(RegistryError::Count)?;
            Ok(*detected)
        })?;
        let metrics = arena.fill(metric_count, |arena, at| metric(arena, entry(metrics, at)?))?;
        Ok(Registry::declare(events, metrics, handling)?)
    }
}

/// # Safety
/// As [`declare`].
unsafe fn event(arena: &mut Arena, event: iotsec_event_t) -> Result<EventDef, Status> {
    let count = usize::from(event.field_count);
    if count > MAX_FIELDS {
        return Err(RegistryError::Count.into());
    }
    if event.id >= RESERVED_IDS {
        return Err(CallError::Config.into());
    }
    let class = class_of(event.event_class)?;
    // SAFETY: the caller's word, passed on.
    unsafe {
        let name = argument::zero_ended(event.name)?;
        let why = argument::zero_ended(event.why)?;
        if count > 0 && event.fields.is_null() {
            return Err(CallError::Null.into());
        }
        let fields = arena.fill(count, |arena, at| field(arena, entry(event.fields, at)?))?;
        let definition = EventDef::new(event.id, name, class, why, fields);
        if event.handling.is_null() {
            return Ok(definition);
        }
        Ok(definition.handled(handling_of(&argument::copied(event.handling)?)?))
    }
}

/// # Safety
/// As [`declare`].
unsafe fn metric(arena: &mut Arena, metric: iotsec_metric_t) -> Result<MetricDef, Status> {
    argument::zero(metric.reserved)?;
    // SAFETY: the caller's word, passed on.
    unsafe {
        let (name, unit) = (
            argument::zero_ended(metric.name)?,
            argument::zero_ended(metric.unit)?,
        );
        let why = argument::zero_ended(metric.why)?;
        let aggregate = match metric.aggregate {
            IOTSEC_AGGREGATE_RESPONSE => Aggregate::RandomizedResponse {
                answers: labels(arena, metric.labels, metric.count)?,
                epsilon: metric.epsilon.epsilon()?,
            },
            IOTSEC_AGGREGATE_LAPLACE => Aggregate::Laplace {
                min: metric.min,
                max: metric.max,
                epsilon: metric.epsilon.epsilon()?,
            },
            IOTSEC_AGGREGATE_COUNT => Aggregate::Count,
            IOTSEC_AGGREGATE_SUM => Aggregate::Sum {
                max: u64::try_from(metric.max).map_err(|_| RegistryError::Bounds)?,
            },
            IOTSEC_AGGREGATE_HISTOGRAM => Aggregate::Histogram(buckets(metric.edges, metric.count)?),
            _ => return Err(CallError::Config.into()),
        };
        let purpose = purpose_of(metric.purpose)?;
        let definition = MetricDef::new(metric.id, name, unit, purpose, why, aggregate);
        if metric.handling.is_null() {
            return Ok(definition);
        }
        Ok(definition.handled(handling_of(&argument::copied(metric.handling)?)?))
    }
}

/// # Safety
/// As [`declare`].
unsafe fn labels(
    arena: &mut Arena,
    labels: *const *const c_char,
    count: u32,
) -> Result<&'static [&'static str], Status> {
    // As many as a registry takes at most, before any is looked at.
    let count = u16::try_from(count).ok().filter(|count| *count <= 256);
    let count = count.ok_or(RegistryError::Bounds)?;
    if labels.is_null() {
        return Err(CallError::Null.into());
    }
    // SAFETY: the caller's word, passed on.
    unsafe { arena.fill(count.into(), |_, at| argument::zero_ended(entry(labels, at)?)) }
}

/// # Safety
/// As [`declare`].
unsafe fn buckets(edges: *const i64, count: u32) -> Result<Buckets, Status> {
    let count = u16::try_from(count).ok().filter(|count| *count <= 31);
    let count = count.ok_or(RegistryError::Bounds)?;
    if edges.is_null() || !edges.is_aligned() {
        return Err(CallError::Null.into());
    }
    // SAFETY: not null, aligned and few; the caller vouches for the rest.
    Ok(Buckets::new(unsafe {
        slice::from_raw_parts(edges, count.into())
    }))
}

/// # Safety
/// As [`declare`].
unsafe fn field(arena: &mut Arena, field: iotsec_event_field_t) -> Result<Field, Status> {
    // SAFETY: the caller's word, passed on.
    unsafe {
        let name = argument::zero_ended(field.name)?;
        match field.kind {
            IOTSEC_FIELD_NUMBER => Ok(Field::number(
                name,
                argument::zero_ended(field.unit)?,
                field.min,
                field.max,
            )),
            IOTSEC_FIELD_CHOICE => Ok(Field::choice(name, labels(arena, field.labels, field.count)?)),
            IOTSEC_FIELD_BUCKET => {
                let buckets = buckets(field.edges, field.count)?;
                Ok(Field::bucket(name, argument::zero_ended(field.unit)?, buckets))
            }
            _ => Err(CallError::Config.into()),
        }
    }
}

/// # Safety
/// As [`declare`].
unsafe fn handling_of(handling: &iotsec_handling_t) -> Result<Handling, Status> {
    let is_unstated = handling.owner.is_null() && handling.recipient.is_null();
    if is_unstated && (handling.kept_days, handling.last_year) == (0, 0) {
        return Ok(Handling::UNSTATED);
    }
    // SAFETY: the caller's word, passed on.
    let (owner, recipient) = unsafe {
        (
            argument::zero_ended(handling.owner)?,
            argument::zero_ended(handling.recipient)?,
        )
    };
    let stated = Handling::new(owner, recipient, handling.kept_days);
    Ok(match handling.last_year {
        0 => stated,
        year => stated.until(year, handling.last_month, handling.last_day),
    })
}

/// The class in Rust.
pub(crate) fn class_of(class: iotsec_event_class_t) -> Result<Class, Status> {
    match class {
        IOTSEC_EVENT_CRITICAL => Ok(Class::Critical),
        IOTSEC_EVENT_SECURITY => Ok(Class::Security),
        IOTSEC_EVENT_HEALTH => Ok(Class::Health),
        IOTSEC_EVENT_USAGE => Ok(Class::Usage),
        _ => Err(CallError::Config.into()),
    }
}

/// The purpose in Rust.
pub(crate) fn purpose_of(purpose: iotsec_purpose_t) -> Result<Purpose, Status> {
    match purpose {
        IOTSEC_PURPOSE_SECURITY => Ok(Purpose::Security),
        IOTSEC_PURPOSE_HEALTH => Ok(Purpose::Health),
        IOTSEC_PURPOSE_USAGE => Ok(Purpose::Usage),
        _ => Err(CallError::Config.into()),
    }
}
