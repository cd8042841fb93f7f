//! The CSV file that ESP-IDF's `nvs_partition_gen` makes a partition of: `key,type,encoding,value`.
//!
//! Namespace `iotsec` has the serial number and the unit's record. With Matter there is also `chip-factory`, with the
//! keys that the Matter SDK reads there.

use std::fmt::Write as _;

use iotsec::core::credential::Label;
use zeroize::Zeroizing;

use super::{Made, matter, store};
use crate::{Problem, provision::unit::Unit};

/// Most bytes of a name in Matter's basic information (Matter core specification 1.4 §11.1.5).
const MAX_NAME: usize = 32;

pub(super) fn list(unit: &Unit) -> Made {
    let record = store::record(unit)?;
    let room = 1024 + 2 * record.len() + Label::MAX_LEN;
    let mut out = Zeroizing::new(String::with_capacity(room));
    out.push_str("key,type,encoding,value\niotsec,namespace,,\n");
    value(&mut out, "serial", "string", &unit.entry.serial);
    out.push_str("unit,data,hex2bin,");
    for byte in record.iter() {
        let _ = write!(out, "{byte:02x}");
    }
    out.push('\n');
    if let Some(secrets) = matter::secrets(unit)? {
        let (entry, about) = (&unit.entry, secrets.about);
        for name in [&entry.vendor, &entry.product, &entry.serial] {
            if name.len() > MAX_NAME {
                return Err(Problem::new(
                    "MatterName",
                    format!("Matter takes names of {MAX_NAME} bytes at most, not {name:?}"),
                    "shorten product.name, product.vendor or serial.prefix, and mint another batch",
                ));
            }
        }
        out.push_str("chip-factory,namespace,,\n");
        for (key, number) in [
            ("discriminator", about.discriminator.into()),
            ("iteration-count", about.iterations),
            ("vendor-id", about.vendor.into()),
            ("product-id", about.product.into()),
        ] {
            value(&mut out, key, "u32", &number.to_string());
        }
        for (key, text) in [
            ("salt", &secrets.salt),
            ("verifier", &secrets.verifier),
            ("vendor-name", &entry.vendor),
            ("product-name", &entry.product),
            ("serial-num", &entry.serial),
        ] {
            value(&mut out, key, "string", text);
        }
    }
    Ok(Zeroizing::new(out.as_bytes().to_vec()))
}

/// A line; quotes as RFC 4180 has them.
fn value(out: &mut String, key: &str, encoding: &str, text: &str) {
    let quoted = text.contains([',', '"']);
    let text = if quoted {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    };
    let _ = writeln!(out, "{key},data,{encoding},{text}");
}

#[cfg(test)]
mod tests {
    use super::value;

    #[test]
    fn commas_and_quotes_stay_within_their_field() {
        let mut out = String::new();
        value(&mut out, "a", "string", "Lamp, \"large\"");
        value(&mut out, "b", "u32", "7");
        assert_eq!(out, "a,data,string,\"Lamp, \"\"large\"\"\"\nb,data,u32,7\n");
    }
}
