use std::{string::String, vec::Vec};

use iotsec_core::crypto::Sha256;

use super::*;
use crate::{
    epsilon,
    registry::{Buckets, Class, Field},
};

const LOGIN: EventDef = EventDef::new(
    1,
    "login.failed",
    Class::Security,
    "Shows attacks on the password",
    &[
        Field::choice("interface", &["web", "radio", "cable"]),
        Field::number("attempts", "1", 1, 255),
    ],
);
const WARM: EventDef = EventDef::new(
    2,
    "board.hot",
    Class::Health,
    "Tells <b>when</b> \"boards\" & lamps get hot",
    &[Field::bucket("degrees", "Cel", Buckets::new(&[40, 85]))],
)
.handled(Handling::new("it's us", "A & B <Ltd>", 1).until(2031, 12, 31));
const MOVED: EventDef = EventDef::new(3, "moved", Class::Usage, "Tells whether lamps are moved", &[]);

const fn metric(id: u16, name: &'static str, aggregate: Aggregate) -> MetricDef {
    MetricDef::new(
        id,
        name,
        "h",
        Purpose::Usage,
        "Tells how lamps are used",
        aggregate,
    )
}
const NIGHT: MetricDef = metric(
    1,
    "night",
    Aggregate::RandomizedResponse {
        answers: &["no", "yes"],
        epsilon: epsilon!(1 / 2),
    },
);
const LIT: MetricDef = metric(
    2,
    "lit",
    Aggregate::Laplace {
        min: 0,
        max: 24,
        epsilon: epsilon!(1 / 4),
    },
);
const TIMER: MetricDef = metric(3, "timer", Aggregate::Count);
const SUM: MetricDef = metric(4, "sum", Aggregate::Sum { max: 24 });
const SPREAD: MetricDef = metric(5, "spread", Aggregate::Histogram(Buckets::new(&[1, 8])));

static PRODUCT: crate::registry::Registry = match crate::registry::Registry::declare(
    &[LOGIN, WARM, MOVED],
    &[NIGHT, LIT, TIMER, SUM, SPREAD],
    Handling::new("data@lamps.example", "Lamps Ltd", 90),
) {
    Ok(registry) => registry,
    Err(_) => panic!("well formed"),
};

fn both(product: &str) -> (serde_json::Value, String) {
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let map = DataMap::new(product, &registry);
    assert_eq!(map.gaps(), 0);
    let (mut json, mut page) = (String::new(), String::new());
    map.write_json(&mut json).unwrap();
    map.write_page(&mut page).unwrap();
    (serde_json::from_str(&json).unwrap(), page)
}

#[test]
fn the_json_says_everything_that_is_declared() {
    let (json, _) = both("Lamp \"3\"\n\\");
    assert_eq!(json["product"], "Lamp \"3\"\n\\");
    assert_eq!(json["registry"].as_str().unwrap().len(), 32);
    let data = json["data"].as_array().unwrap();
    assert_eq!(data.len(), 8);
    let login = serde_json::json!({
        "kind": "event", "id": 1, "name": "login.failed", "why": "Shows attacks on the password",
        "purpose": "security", "consent": false,
        "collected": [
            {"name": "interface", "unit": "1", "choice": ["web", "radio", "cable"]},
            {"name": "attempts", "unit": "1", "min": 1, "max": 255},
        ],
        "mechanism": {"kind": "identified"},
        "owner": "data@lamps.example", "recipient": "Lamps Ltd", "kept_days": 90, "expires": null,
    });
    assert_eq!(data[0], login);
    assert_eq!(data[1]["collected"][0]["edges"], serde_json::json!([40, 85]));
    assert_eq!(
        (&data[1]["expires"], &data[1]["recipient"]),
        (&"2031-12-31".into(), &"A & B <Ltd>".into())
    );
    assert_eq!(data[2]["collected"], serde_json::json!([]));
    let mechanisms: Vec<_> = data[3..].iter().map(|item| &item["mechanism"]).collect();
    assert_eq!(
        *mechanisms[0],
        serde_json::json!({"kind": "randomized-response", "epsilon": "1/2"})
    );
    assert_eq!(
        *mechanisms[1],
        serde_json::json!({"kind": "laplace", "epsilon": "1/4"})
    );
    assert!(
        mechanisms[2..]
            .iter()
            .all(|mechanism| mechanism["kind"] == "secret-shared")
    );
    assert!(
        data[2..]
            .iter()
            .all(|item| item["consent"] == true && item["purpose"] == "usage")
    );
}

#[test]
fn the_page_says_in_plain_words_what_the_json_says() {
    let (_, page) = both("Lamp 3");
    for sentence in [
        "<h1>What Lamp 3 sends, and why</h1>",
        "Shows attacks on the password",
        "That it happened, and when; interface (web, radio or cable); attempts, from 1 to 255.",
        "That it happened, and when; degrees, as one range: below 40, 40 to 85, 85 or more °C.",
        "That it happened, and when.</dd>",
        "One answer: no or yes.",
        "A number from 0 to 24 hours.",
        "One range: below 1, 1 to 8, 8 or more hours.",
        "epsilon: 1/2;",
        "epsilon: 1/4;",
        "Neither server can read its part.",
        "Lamps Ltd. Questions: data@lamps.example",
        "Kept 90 days.",
        "Kept 1 day. Collected until 2031-12-31, and then no more.",
        "Sent without asking you.",
        "Only if you agree.",
        "cannot be recalled",
    ] {
        assert!(page.contains(sentence), "{sentence} is missing in\n{page}");
    }
    let of = |text: &str| page.matches(text).count();
    assert_eq!((of("<article>"), of("</article>"), of("<section>")), (8, 8, 3));
    assert_eq!(of("cannot be recalled"), 5);
}

#[test]
fn nothing_that_a_registry_says_becomes_markup_and_nothing_is_fetched() {
    let (_, page) = both("<script>alert('1')</script>");
    assert!(page.contains("Tells &lt;b&gt;when&lt;/b&gt; &quot;boards&quot; &amp; lamps get hot"));
    assert!(page.contains("A &amp; B &lt;Ltd&gt;. Questions: it&#39;s us"));
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"));
    for active in [
        "<script", "src=", "href=", "url(", "@import", "<b>", "http:", "https:", "onload",
    ] {
        assert!(!page.contains(active), "{active}");
    }
}

#[test]
fn what_is_not_said_is_a_gap_that_is_seen() {
    crate::registry!(static SILENT = [MOVED, EventDef::new(9, "other", Class::Usage, "Another", &[])]);
    let registry = SILENT.hashed(&mut Sha256::new());
    let map = DataMap::new("Lamp", &registry);
    assert_eq!(map.gaps(), 2);
    let (mut json, mut page) = (String::new(), String::new());
    map.write_json(&mut json).unwrap();
    map.write_page(&mut page).unwrap();
    assert_eq!(page.matches("The maker has not said.").count(), 4);
    assert_eq!(json.matches("\"recipient\":null").count(), 2);
    // A purpose of which nothing is declared is not spoken of.
    assert_eq!(page.matches("<section>").count(), 1);
}

#[test]
fn a_writer_that_is_full_is_an_error() {
    struct Full(usize);
    impl Write for Full {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 = self.0.checked_sub(text.len()).ok_or(fmt::Error)?;
            Ok(())
        }
    }
    let registry = PRODUCT.hashed(&mut Sha256::new());
    let map = DataMap::new("Lamp", &registry);
    assert!(map.write_json(&mut Full(100)).is_err() && map.write_page(&mut Full(5000)).is_err());
    assert!(map.write_json(&mut Full(10_000)).is_ok() && map.write_page(&mut Full(30_000)).is_ok());
}

/// To be looked at: `IOTSEC_PAGE=/tmp/page.html cargo test -p iotsec-telemetry data_map`.
#[test]
fn the_page_fits_a_telephone() {
    let (_, page) = both("Lamp 3");
    if let Some(path) = std::env::var_os("IOTSEC_PAGE") {
        std::fs::write(path, &page).unwrap();
    }
    assert!(
        page.contains("width=device-width") && page.len() < 20_000,
        "{} bytes",
        page.len()
    );
}
