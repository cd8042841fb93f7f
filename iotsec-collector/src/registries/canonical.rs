//! The canonical encoding, read strictly (`FORMAT.md` of `iotsec-telemetry`, "Registry").

use iotsec_core::{
    cbor::{Limits, Reader, Type},
    hal::{Date, UnixTime},
};
use iotsec_telemetry::registry::{Class, MAX_EVENTS, MAX_FIELDS, MAX_METRICS, Purpose};

use super::description::{Aggregated, Description, Event, Handled, Kind, Metric, Named};
use crate::error::DescriptionError;

const VERSION: u64 = 1;
/// The deepest are the labels of a field. The largest registries that there can be have more items and are
/// refused; of usual ones, with ten items an event, six thousand events fit.
const LIMITS: Limits = Limits {
    depth: 6,
    items: u16::MAX,
    bytes: 4 << 20,
};
/// Labels of a choice at most.
const MAX_LABELS: u64 = 256;
/// Edges of buckets at most.
const MAX_EDGES: u64 = 31;

type Read<T> = Result<T, DescriptionError>;

pub(super) fn read(bytes: &[u8]) -> Read<Description> {
    let mut reader = Reader::new(bytes, &LIMITS)?;
    let r = &mut reader;
    r.array_len(4)?;
    if r.uint()? != VERSION {
        return Err(DescriptionError::Version);
    }
    let events = list(r, MAX_EVENTS as u64, event)?;
    let metrics = list(r, MAX_METRICS as u64, metric)?;
    let handling = Some(handled(r)?).filter(|handling| *handling != Handled::default());
    reader.finish()?;
    Ok(Description {
        events,
        metrics,
        handling,
    })
}

/// `most` comes before memory is asked for.
fn list<T>(r: &mut Reader<'_>, most: u64, item: fn(&mut Reader<'_>) -> Read<T>) -> Read<Vec<T>> {
    let len = r.array()?;
    if len > most {
        return Err(iotsec_telemetry::error::RegistryError::Count.into());
    }
    (0..len).map(|_| item(r)).collect()
}

fn text(r: &mut Reader<'_>) -> Read<String> {
    Ok(r.text()?.to_owned())
}

fn int(r: &mut Reader<'_>) -> Read<i64> {
    Ok(r.int()?)
}

fn event(r: &mut Reader<'_>) -> Read<Event> {
    r.array_len(6)?;
    let (id, name, class) = (r.uint_as()?, text(r)?, r.uint()?);
    let class = Class::ALL
        .into_iter()
        .find(|known| u64::from(known.number()) == class);
    Ok(Event {
        id,
        name,
        class: class.ok_or(DescriptionError::Kind)?,
        why: text(r)?,
        fields: list(r, MAX_FIELDS as u64, field)?,
        handling: own_handling(r)?,
    })
}

fn field(r: &mut Reader<'_>) -> Read<Named> {
    let len = r.array()?;
    let (kind, name, unit) = (r.uint()?, text(r)?, text(r)?);
    let kind = match (kind, len) {
        (0, 5) => Kind::Number {
            min: r.int()?,
            max: r.int()?,
        },
        (1, 4) => Kind::Choice(list(r, MAX_LABELS, text)?),
        (2, 4) => Kind::Bucket(list(r, MAX_EDGES, int)?),
        _ => return Err(DescriptionError::Kind),
    };
    Ok(Named { name, unit, kind })
}

fn metric(r: &mut Reader<'_>) -> Read<Metric> {
    r.array_len(7)?;
    let (id, name, unit, purpose) = (r.uint_as()?, text(r)?, text(r)?, r.uint()?);
    let purposes = [Purpose::Security, Purpose::Health, Purpose::Usage];
    let purpose = purposes
        .into_iter()
        .find(|known| u64::from(known.number()) == purpose);
    Ok(Metric {
        id,
        name,
        unit,
        purpose: purpose.ok_or(DescriptionError::Kind)?,
        why: text(r)?,
        aggregate: aggregate(r)?,
        handling: own_handling(r)?,
    })
}

fn aggregate(r: &mut Reader<'_>) -> Read<Aggregated> {
    let len = r.array()?;
    Ok(match (r.uint()?, len) {
        (0, 4) => Aggregated::RandomizedResponse {
            epsilon: [r.uint_as()?, r.uint_as()?],
            answers: list(r, MAX_LABELS, text)?,
        },
        (1, 5) => Aggregated::Laplace {
            epsilon: [r.uint_as()?, r.uint_as()?],
            min: r.int()?,
            max: r.int()?,
        },
        (2, 1) => Aggregated::Count,
        (3, 2) => Aggregated::Sum { max: r.uint()? },
        (4, 2) => Aggregated::Histogram {
            edges: list(r, MAX_EDGES, int)?,
        },
        _ => return Err(DescriptionError::Kind),
    })
}

fn own_handling(r: &mut Reader<'_>) -> Read<Option<Handled>> {
    if r.peek()? == Type::Null {
        r.null()?;
        return Ok(None);
    }
    handled(r).map(Some)
}

fn handled(r: &mut Reader<'_>) -> Read<Handled> {
    r.array_len(4)?;
    let (owner, recipient, kept_days) = (text(r)?, text(r)?, r.uint_as()?);
    let last_day = if r.peek()? == Type::Null {
        r.null()?;
        None
    } else {
        let end = UnixTime(r.uint()?);
        let day = Date::of(end).filter(|day| day.end() == end);
        Some(day.ok_or(DescriptionError::Date)?)
    };
    Ok(Handled {
        owner,
        recipient,
        kept_days,
        last_day,
    })
}
