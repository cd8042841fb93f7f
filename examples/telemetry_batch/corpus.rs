//! A corpus of events in a file, and the registry that follows from it.
//!
//! ```json
//! {"registry": [{"name": "auth.failure", "severity": "warn",
//!                "args": [{"name": "iface", "kind": "enum"}, {"name": "attempts", "kind": "u"}]}],
//!  "enum": ["serial", "web"],
//!  "events": [{"t_ms": 1800000263318, "kind": 0, "args": [1, 6]}]}
//! ```
//!
//! A product declares its registry in its source. Here it is made while the program runs, so that any corpus of this
//! form can be encoded; its declarations then live as long as the program.

use iotsec::{
    core::{
        crypto::Sha256,
        input::{
            InputKind,
            json::{self, Limits},
        },
    },
    telemetry::registry::{Class, EventDef, Field, HashedRegistry, Registry},
};
use serde_json::Value;

/// What is wrong with a corpus, and where.
pub(crate) type Refusal = String;

/// Sixteen megabytes, which is a hundred thousand events and more.
const LIMITS: Limits = Limits {
    bytes: 16 << 20,
    depth: 8,
    values: u16::MAX,
    names: 1024,
};
/// What the fields of one declaration may multiply to: the position of the declaration needs room too.
const WIDEST: u64 = 1 << 51;
const MAX_FIELDS: usize = 8;
const MAX_LABELS: usize = 256;

pub(crate) struct Corpus {
    pub(crate) registry: HashedRegistry,
    pub(crate) kinds: Vec<Kind>,
    /// In order of time.
    pub(crate) lines: Vec<Line>,
}

/// A kind of event: one declaration, or several when its arguments are too wide for one.
pub(crate) struct Kind {
    pub(crate) parts: Vec<Part>,
}

pub(crate) struct Part {
    pub(crate) definition: EventDef,
    /// Which argument each field holds: the widest stands last.
    pub(crate) arguments: Vec<usize>,
}

/// An event of the corpus, at whole seconds: a batch has no finer time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Line {
    pub(crate) second: u64,
    pub(crate) kind: usize,
    pub(crate) arguments: Vec<i64>,
}

impl Corpus {
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Refusal> {
        check(text)?;
        let document: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let labels = texts(&document["enum"], "enum")?;
        let described = list(&document["registry"], "registry")?;
        let described: Vec<Described> = described
            .iter()
            .enumerate()
            .map(|(at, kind)| Described::parse(kind, &format!("registry[{at}]")))
            .collect::<Result<_, _>>()?;
        let lines = list(&document["events"], "events")?.iter().enumerate();
        let mut lines: Vec<Line> = lines
            .map(|(at, event)| line(event, &described, labels.len(), &format!("events[{at}]")))
            .collect::<Result<_, _>>()?;
        if lines.is_empty() {
            return Err("events: none".into());
        }
        // A device records as time passes. Events of one second stay as they stood.
        lines.sort_by_key(|line| line.second);

        let labels: &'static [&'static str] = labels.leak();
        let mut kinds = Vec::new();
        let mut id = 0;
        for (at, kind) in described.into_iter().enumerate() {
            let of_kind: Vec<&Line> = lines.iter().filter(|line| line.kind == at).collect();
            let parts = kind.declare(&of_kind, labels, &mut id, &format!("registry[{at}]"))?;
            kinds.push(Kind { parts });
        }
        let events = kinds
            .iter()
            .flat_map(|kind| &kind.parts)
            .map(|part| part.definition);
        let registry = Registry::new(events.collect::<Vec<_>>().leak());
        let registry = registry.map_err(|error| format!("registry: {error}"))?;
        let registry: &'static Registry = Box::leak(Box::new(registry));
        Ok(Self {
            registry: registry.hashed(&mut Sha256::new()),
            kinds,
            lines,
        })
    }
}

/// Strict JSON: no name twice, nothing after the end. A long corpus has more values than the strict reader
/// counts, and is then checked by the other reader alone.
fn check(text: &[u8]) -> Result<(), Refusal> {
    match json::check(text, &LIMITS) {
        Err(error) if error.kind != InputKind::Count => Err(error.to_string()),
        _ => Ok(()),
    }
}

/// A kind as the file describes it.
struct Described {
    name: String,
    class: Class,
    arguments: Vec<Argument>,
}

struct Argument {
    name: String,
    is_label: bool,
}

impl Described {
    fn parse(kind: &Value, place: &str) -> Result<Self, Refusal> {
        let arguments = list(&kind["args"], &format!("{place}.args"))?.iter().enumerate();
        let arguments = arguments.map(|(at, argument)| {
            let place = format!("{place}.args[{at}]");
            let is_label = match text(&argument["kind"], &format!("{place}.kind"))?.as_str() {
                "enum" => true,
                "u" => false,
                other => return Err(format!("{place}.kind: {other:?} is neither \"u\" nor \"enum\"")),
            };
            let name = text(&argument["name"], &format!("{place}.name"))?;
            Ok(Argument { name, is_label })
        });
        Ok(Self {
            name: text(&kind["name"], &format!("{place}.name"))?,
            class: match text(&kind["severity"], &format!("{place}.severity"))?.as_str() {
                "crit" | "critical" => Class::Critical,
                "high" | "error" | "warn" | "warning" => Class::Security,
                "info" => Class::Health,
                // Whatever it is, it needs consent and displaces nothing.
                _ => Class::Usage,
            },
            arguments: arguments.collect::<Result<_, Refusal>>()?,
        })
    }

    /// Declares it, in as many parts as its arguments need. The file says no bounds: a number may be as large as
    /// 8, 16, 32 or 48 bits hold, whichever holds all of the corpus.
    fn declare(
        self,
        lines: &[&Line],
        labels: &'static [&'static str],
        id: &mut u16,
        place: &str,
    ) -> Result<Vec<Part>, Refusal> {
        let mut fields = Vec::new();
        for (at, argument) in self.arguments.into_iter().enumerate() {
            let name: &'static str = argument.name.leak();
            if argument.is_label && labels.len() <= MAX_LABELS {
                fields.push((labels.len() as u64, at, Field::choice(name, labels)));
                continue;
            }
            let most = lines.iter().filter_map(|line| line.arguments.get(at)).max();
            let most = most.copied().unwrap_or_default();
            let bits = [8, 16, 32, 48].into_iter().find(|bits| most < 1 << bits);
            let bits = bits.ok_or_else(|| format!("{place}.args[{at}]: {most} has more than 48 bits"))?;
            fields.push((1 << bits, at, Field::number(name, "1", 0, (1 << bits) - 1)));
        }
        fields.sort_by_key(|(range, at, _)| (*range, *at));
        let mut parts: Vec<(u64, Vec<usize>, Vec<Field>)> = vec![(1, Vec::new(), Vec::new())];
        for (range, at, field) in fields {
            let room = parts.last_mut().filter(|(product, arguments, _)| {
                arguments.len() < MAX_FIELDS
                    && product
                        .checked_mul(range)
                        .is_some_and(|product| product <= WIDEST)
            });
            match room {
                Some((product, arguments, fields)) => {
                    *product *= range;
                    arguments.push(at);
                    fields.push(field);
                }
                None => parts.push((range, vec![at], vec![field])),
            }
        }
        let name: &'static str = self.name.leak();
        let parts = parts.into_iter().map(|(_, arguments, fields)| {
            let why = "An event of a corpus, encoded to see what it costs";
            let definition = EventDef::new(*id, name, self.class, why, fields.leak());
            *id = id.checked_add(1).ok_or("registry: too many kinds")?;
            Ok(Part {
                definition,
                arguments,
            })
        });
        parts.collect()
    }
}

fn line(event: &Value, kinds: &[Described], labels: usize, place: &str) -> Result<Line, Refusal> {
    let number = |value: &Value, place: String| {
        let number = value.as_u64().and_then(|number| i64::try_from(number).ok());
        number.ok_or_else(|| format!("{place}: not a whole number from 0 to 2^63-1"))
    };
    let second = number(&event["t_ms"], format!("{place}.t_ms"))?.unsigned_abs() / 1000;
    if second > u64::from(u32::MAX) {
        return Err(format!(
            "{place}.t_ms: after the year 2106, which a batch cannot say"
        ));
    }
    let kind = number(&event["kind"], format!("{place}.kind"))?;
    let kind = usize::try_from(kind).unwrap_or(usize::MAX);
    let Some(described) = kinds.get(kind) else {
        return Err(format!(
            "{place}.kind: {kind} is not in the registry, which has {}",
            kinds.len()
        ));
    };
    let arguments = list(&event["args"], &format!("{place}.args"))?;
    if arguments.len() != described.arguments.len() {
        let (has, declared) = (arguments.len(), described.arguments.len());
        return Err(format!(
            "{place}.args: {has}, where {:?} has {declared}",
            described.name
        ));
    }
    let mut values = Vec::new();
    for (at, (value, declared)) in arguments.iter().zip(&described.arguments).enumerate() {
        let value = number(value, format!("{place}.args[{at}]"))?;
        if declared.is_label && usize::try_from(value).is_ok_and(|value| value >= labels) {
            return Err(format!(
                "{place}.args[{at}]: {value} is not in enum, which has {labels}"
            ));
        }
        values.push(value);
    }
    Ok(Line {
        second,
        kind,
        arguments: values,
    })
}

fn list<'v>(value: &'v Value, place: &str) -> Result<&'v [Value], Refusal> {
    let list = value.as_array().map(Vec::as_slice);
    list.ok_or_else(|| format!("{place}: not an array"))
}

fn text(value: &Value, place: &str) -> Result<String, Refusal> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| format!("{place}: not a text"))
}

fn texts(value: &Value, place: &str) -> Result<Vec<&'static str>, Refusal> {
    let texts = list(value, place)?.iter().enumerate();
    let texts = texts.map(|(at, label)| Ok(&*text(label, &format!("{place}[{at}]"))?.leak()));
    texts.collect()
}
