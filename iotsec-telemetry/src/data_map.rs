//! What a product collects, said to those whom it is collected from.
//!
//! The [`Registry`](crate::registry::Registry) knows it all: what leaves the device, why, for whom, for how long, by
//! which mechanism, and whether anybody is asked. [`DataMap`] writes it down twice, without memory of its own: as JSON
//! for tools, and as a page for people. Nothing is said here that the registry does not say, so the page cannot fall
//! behind the product: where something was left open, the page says that it is not stated, and
//! [`gaps`](DataMap::gaps) counts it.
//!
//! Provisions 6-1 and 6-5 of EN 303 645 ask a maker to tell consumers, clearly and in plain words, which personal data
//! and which telemetry a device and its services process, how, by whom and for what.

use core::fmt::{self, Write};

use crate::registry::{Aggregate, EventDef, Handling, HashedRegistry, MetricDef, Purpose};

mod json;
mod page;
mod words;

/// What a registry collects, to be written out.
///
/// ```
/// use iotsec_core::crypto::Sha256;
/// use iotsec_telemetry::{data_map::DataMap, detect::BOOT_LOOP, registry};
///
/// registry!(static PRODUCT = [BOOT_LOOP]);
/// let registry = PRODUCT.hashed(&mut Sha256::new());
/// let map = DataMap::new("Lamp 3", &registry);
///
/// let (mut json, mut page) = (String::new(), String::new());
/// map.write_json(&mut json)?;
/// map.write_page(&mut page)?;
/// assert!(json.starts_with("{\"format\":\"iotsec/data-map/v1\",\"product\":\"Lamp 3\","));
/// assert!(page.contains("the device cannot stay up"));
/// // Nobody said who gets it.
/// assert_eq!(map.gaps(), 1);
/// # Ok::<(), core::fmt::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DataMap<'a> {
    product: &'a str,
    registry: &'a HashedRegistry,
}

impl<'a> DataMap<'a> {
    /// Of the product of this name.
    pub const fn new(product: &'a str, registry: &'a HashedRegistry) -> Self {
        Self { product, registry }
    }

    /// Writes it as JSON (`FORMAT.md`, "Data map"), without line breaks.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json<W: Write + ?Sized>(&self, out: &mut W) -> fmt::Result {
        json::write(self, out)
    }

    /// Writes it as a page in HTML for a consumer: in plain words, readable on a telephone and in the dark, printable,
    /// without scripts, and with nothing that is fetched from anywhere. What the registry says is escaped.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_page<W: Write + ?Sized>(&self, out: &mut W) -> fmt::Result {
        page::write(self, out)
    }

    /// How many declarations leave it open who gets the data and how long they are kept.
    pub fn gaps(&self) -> usize {
        self.items().filter(|item| item.handling.is_unstated()).count()
    }

    /// Everything that is declared.
    fn items(&self) -> impl Iterator<Item = Item> + use<'a> {
        let registry = self.registry.registry();
        let default = registry.handling();
        let events = registry.events().iter().map(move |event| Item {
            what: What::Event(event),
            handling: event.handling().unwrap_or(default),
        });
        let metrics = registry.metrics().iter().map(move |metric| Item {
            what: What::Metric(metric),
            handling: metric.handling().unwrap_or(default),
        });
        events.chain(metrics)
    }
}

/// One declaration.
#[derive(Clone, Copy)]
struct Item {
    what: What,
    handling: Handling,
}

#[derive(Clone, Copy)]
enum What {
    Event(&'static EventDef),
    Metric(&'static MetricDef),
}

impl Item {
    const fn id(&self) -> u16 {
        match self.what {
            What::Event(event) => event.id(),
            What::Metric(metric) => metric.id(),
        }
    }

    const fn name(&self) -> &'static str {
        match self.what {
            What::Event(event) => event.name(),
            What::Metric(metric) => metric.name(),
        }
    }

    const fn why(&self) -> &'static str {
        match self.what {
            What::Event(event) => event.why(),
            What::Metric(metric) => metric.why(),
        }
    }

    const fn purpose(&self) -> Purpose {
        match self.what {
            What::Event(event) => event.class().purpose(),
            What::Metric(metric) => metric.purpose(),
        }
    }

    const fn aggregate(&self) -> Option<Aggregate> {
        match self.what {
            What::Event(_) => None,
            What::Metric(metric) => Some(metric.aggregate()),
        }
    }
}

#[cfg(test)]
mod tests;
