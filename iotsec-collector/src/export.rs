//! Events in the words of other systems.
//!
//! | module | what | who reads it |
//! |---|---|---|
//! | [`json`] | one object a line | scripts |
//! | [`otlp`] | OTLP/HTTP logs in JSON (OpenTelemetry protocol 1) | OpenTelemetry collectors |
//! | [`ocsf`] | Open Cybersecurity Schema Framework 1.6.0 | security data lakes |
//! | [`syslog`] | RFC 5424 | log servers |
//! | [`defender`] | metrics reports of AWS IoT Device Defender | AWS IoT |
//!
//! Everything that comes from a device goes through the encoders here, which escape it; names and texts come from the
//! registry. [`ocsf`] and [`defender`] are for security teams, and take what was collected for security alone: health
//! and usage data were consented to for another purpose.

use iotsec_core::hal::{Date, UnixTime};
use iotsec_telemetry::batch::Held;

use crate::collector::{Record, When};

pub mod defender;
pub mod json;
pub mod ocsf;
pub mod otlp;
pub mod syslog;

/// An event with where it came from.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The device whose session it came through.
    pub device: &'a str,
    /// When it arrived.
    pub received: UnixTime,
    /// What it is.
    pub record: &'a Record,
}

/// The value of a field, as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Number(i64),
    Text(&'static str),
}

impl Arrival<'_> {
    /// When it happened, if that is known.
    fn time(&self) -> Option<UnixTime> {
        match self.record.when {
            When::Known(time) => Some(time),
            When::Unbelievable(_) | When::Unknown => None,
        }
    }

    /// Its fields. A bucket has up to two: from where, and up to but without what.
    fn fields(&self) -> impl Iterator<Item = (String, Told)> {
        let event = self.record.event;
        let fields = event.definition().fields().iter().enumerate();
        fields.flat_map(move |(at, field)| {
            let name = field.name();
            let told = match event.held(at) {
                Some(Held::Number(number)) => [Some((name.to_owned(), Told::Number(number))), None],
                Some(Held::Choice(label)) => [Some((name.to_owned(), Told::Text(label))), None],
                Some(Held::Bucket { from, to }) => [
                    from.map(|edge| (format!("{name}.from"), Told::Number(edge))),
                    to.map(|edge| (format!("{name}.to"), Told::Number(edge))),
                ],
                None => [None, None],
            };
            told.into_iter().flatten()
        })
    }

    /// Unique for ever.
    fn uid(&self) -> String {
        let id = self.record.event.id();
        let purpose = json::purpose_name(id.purpose);
        format!("{}/{purpose}/{}/{}", self.device, id.boot, id.sequence)
    }
}

/// A time as RFC 3339 has it, in UTC. After the year 9999 there is none.
fn rfc3339(time: UnixTime) -> Option<String> {
    let (day, second) = (Date::of(time)?, time.0 % 86_400);
    let (hours, minutes) = (second / 3600, second / 60 % 60);
    Some(format!(
        "{:04}-{:02}-{:02}T{hours:02}:{minutes:02}:{:02}Z",
        day.year(),
        day.month(),
        day.day(),
        second % 60
    ))
}

#[cfg(test)]
mod tests;
