//! The telemetry registry.

use std::fmt::Write as _;

use iotsec_telemetry::registry::{
    Aggregate, Buckets, EventDef, Field, FieldKind, Handling, MetricDef, Registry,
};

use crate::product::Product;

const PATH: &str = "iotsec::telemetry::registry";

pub(super) fn rust(product: &Product, registry: &Registry) -> String {
    let mut text = String::new();
    let names = |names: Vec<&str>| names.into_iter().map(constant).collect::<Vec<_>>().join(", ");
    for event in registry.events() {
        let _ = write!(
            text,
            "/// {}\npub const {}: {PATH}::EventDef = {};\n\n",
            one_line(event.why()),
            constant(event.name()),
            self::event(event)
        );
    }
    for metric in registry.metrics() {
        let _ = write!(
            text,
            "/// {}\npub const {}: {PATH}::MetricDef = {};\n\n",
            one_line(metric.why()),
            constant(metric.name()),
            self::metric(metric)
        );
    }
    let about = &product.product;
    let _ = writeln!(text, "iotsec::telemetry::registry!(");
    let _ = writeln!(
        text,
        "    /// Everything that {} ({}) reports.",
        about.name, about.model
    );
    let _ = writeln!(
        text,
        "    pub static TELEMETRY = [{}], metrics [{}], handling {}\n);",
        names(registry.events().iter().map(EventDef::name).collect()),
        names(registry.metrics().iter().map(MetricDef::name).collect()),
        handling(&registry.handling())
    );
    text
}

/// `login.failed` is `LOGIN_FAILED`.
fn constant(name: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let text: String = name.chars().map(letter).collect();
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        format!("N_{text}")
    } else {
        text
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn event(event: &EventDef) -> String {
    let fields: Vec<String> = event.fields().iter().map(field).collect();
    let made = format!(
        "{PATH}::EventDef::new({}, {:?}, {PATH}::Class::{:?}, {:?}, &[{}])",
        event.id(),
        event.name(),
        event.class(),
        event.why(),
        fields.join(", ")
    );
    handled(made, event.handling())
}

fn field(field: &Field) -> String {
    let (name, unit) = (field.name(), field.unit());
    match field.kind() {
        FieldKind::Number { min, max } => format!("{PATH}::Field::number({name:?}, {unit:?}, {min}, {max})"),
        FieldKind::Choice(labels) => format!("{PATH}::Field::choice({name:?}, &{labels:?})"),
        FieldKind::Bucket(edges) => format!("{PATH}::Field::bucket({name:?}, {unit:?}, {})", buckets(&edges)),
    }
}

fn buckets(buckets: &Buckets) -> String {
    format!("{PATH}::Buckets::new(&{:?})", buckets.edges())
}

fn metric(metric: &MetricDef) -> String {
    let epsilon = |epsilon: iotsec_telemetry::privacy::Epsilon| {
        format!(
            "match iotsec::telemetry::privacy::Epsilon::new({}, {}) {{ Ok(epsilon) => epsilon, Err(_) => panic!() }}",
            epsilon.n(),
            epsilon.d()
        )
    };
    let aggregate = match metric.aggregate() {
        Aggregate::RandomizedResponse { answers, epsilon: e } => {
            format!(
                "RandomizedResponse {{ answers: &{answers:?}, epsilon: {} }}",
                epsilon(e)
            )
        }
        Aggregate::Laplace { min, max, epsilon: e } => {
            format!("Laplace {{ min: {min}, max: {max}, epsilon: {} }}", epsilon(e))
        }
        Aggregate::Count => "Count".into(),
        Aggregate::Sum { max } => format!("Sum {{ max: {max} }}"),
        Aggregate::Histogram(edges) => format!("Histogram({})", buckets(&edges)),
    };
    let made = format!(
        "{PATH}::MetricDef::new({}, {:?}, {:?}, {PATH}::Purpose::{:?}, {:?}, {PATH}::Aggregate::{aggregate})",
        metric.id(),
        metric.name(),
        metric.unit(),
        metric.purpose(),
        metric.why()
    );
    handled(made, metric.handling())
}

fn handled(made: String, own: Option<Handling>) -> String {
    match own {
        None => made,
        Some(own) => format!("{made}.handled({})", handling(&own)),
    }
}

fn handling(handling: &Handling) -> String {
    if *handling == Handling::UNSTATED {
        return format!("{PATH}::Handling::UNSTATED");
    }
    let made = format!(
        "{PATH}::Handling::new({:?}, {:?}, {})",
        handling.owner(),
        handling.recipient(),
        handling.kept_days()
    );
    match handling.expires() {
        None => made,
        Some(day) => format!("{made}.until({}, {}, {})", day.year(), day.month(), day.day()),
    }
}
