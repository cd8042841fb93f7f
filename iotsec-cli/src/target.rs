//! For which devices an update is: vendor, class and component.

use std::fmt;

use clap::Args;
use iotsec::update::ComponentId;
use uuid::Uuid;

use crate::{
    Problem,
    key::{hex, unhex_all},
};

/// Vendor and class, as identifiers or by the names that they are derived from.
#[derive(Args)]
pub(crate) struct Target {
    #[command(flatten)]
    vendor: Vendor,
    #[command(flatten)]
    class: Class,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Vendor {
    /// The maker's domain name in lower case: the vendor identifier is its version 5 UUID (RFC 9562) in
    /// the DNS name space.
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    vendor_domain: Option<String>,
    /// The vendor identifier itself.
    #[arg(long, value_name = "UUID")]
    vendor: Option<Uuid>,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Class {
    /// The model name: the class identifier is its version 5 UUID in the vendor's name space.
    #[arg(long, value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    model: Option<String>,
    /// The class identifier itself.
    #[arg(long, value_name = "UUID")]
    class: Option<Uuid>,
}

impl Target {
    /// The vendor identifier and the class identifier.
    pub(crate) fn ids(&self) -> (Uuid, Uuid) {
        let domain = self.vendor.vendor_domain.as_deref().unwrap_or_default();
        let vendor = self
            .vendor
            .vendor
            .unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_DNS, domain.as_bytes()));
        let model = self.class.model.as_deref().unwrap_or_default();
        let class = self
            .class
            .class
            .unwrap_or_else(|| Uuid::new_v5(&vendor, model.as_bytes()));
        (vendor, class)
    }
}

/// The name of a component: its parts in hexadecimal, joined by slashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Component(Vec<Vec<u8>>);

impl Component {
    /// The encoding of the component identifier.
    pub(crate) fn encoded(&self) -> Result<Vec<u8>, Problem> {
        let mut buffer = [0; 128];
        let id = ComponentId::encode(&self.parts(), &mut buffer);
        let id = id.map_err(Problem::make("component identifier"))?;
        Ok(id.encoded().to_vec())
    }

    fn parts(&self) -> Vec<&[u8]> {
        self.0.iter().map(Vec::as_slice).collect()
    }
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|part| hex(part)).collect();
        f.write_str(&parts.join("/"))
    }
}

impl std::str::FromStr for Component {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let part = |part: &str| unhex_all(part).filter(|bytes| !bytes.is_empty());
        let parts: Option<Vec<Vec<u8>>> = text.split('/').map(part).collect();
        parts
            .map(Self)
            .ok_or("takes pairs of hexadecimal digits, such as 00 or 6170/01")
    }
}

fn domain(text: &str) -> Result<String, &'static str> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label = |label: &str| !label.is_empty() && label.chars().all(good);
    // Another spelling would be another identifier, which no device has.
    if text.split('.').all(label) {
        Ok(text.to_owned())
    } else {
        Err("takes a domain name in lower case, such as example.com (international names as xn--…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_those_of_the_vectors() {
        let target = Target {
            vendor: Vendor {
                vendor_domain: Some("iotsec.example".into()),
                vendor: None,
            },
            class: Class {
                model: Some("sensor-rev-b".into()),
                class: None,
            },
        };
        let (vendor, class) = target.ids();
        let envelope = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../vectors/suit/oracle/p01_ed25519_fully_specified.suit"
        );
        let envelope = std::fs::read(envelope).unwrap();
        for id in [vendor, class] {
            assert!(envelope.windows(16).any(|window| window == id.as_bytes()), "{id}");
        }
    }

    #[test]
    fn a_component_is_read_from_hexadecimal_parts() {
        let component: Component = "6170/01".parse().unwrap();
        assert_eq!(component.parts(), [&b"ap"[..], &[1]]);
        assert_eq!(component.to_string(), "6170/01");
        for bad in ["", "0", "00/", "0x00", "é"] {
            assert!(bad.parse::<Component>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_domain_has_one_spelling() {
        assert!(domain("iotsec.example").is_ok());
        for bad in [
            "",
            "Iotsec.example",
            "iotsec.example.",
            "iotsec example",
            "https://iotsec.example",
        ] {
            assert!(domain(bad).is_err(), "{bad:?}");
        }
    }
}
