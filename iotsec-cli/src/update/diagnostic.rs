//! CBOR as people read it (diagnostic notation, RFC 8949 §8), on one line and safe for a terminal.

use iotsec::core::cbor::{CborError, Limits, Reader, Type};

use crate::key::hex;

/// As deep as the reader goes, and no other limit: the file is in memory already.
pub(super) const LIMITS: Limits = Limits {
    depth: 16,
    items: u16::MAX,
    bytes: u32::MAX,
};
/// Bytes of a string that are shown.
const SHOWN: usize = 64;

/// One item; what is not deterministic CBOR is shown in hexadecimal.
pub(super) fn show(item: &[u8]) -> String {
    let mut out = String::new();
    let walked = Reader::new(item, &LIMITS).and_then(|mut reader| walk(&mut reader, &mut out));
    match walked {
        Ok(()) => out,
        Err(_) => bytes(item),
    }
}

/// A byte string, cut when it is long.
pub(super) fn bytes(bytes: &[u8]) -> String {
    match bytes.get(..SHOWN) {
        Some(start) if bytes.len() > SHOWN => format!("h'{}'… ({} bytes)", hex(start), bytes.len()),
        _ => format!("h'{}'", hex(bytes)),
    }
}

// The reader has checked that the nesting ends.
fn walk(reader: &mut Reader<'_>, out: &mut String) -> Result<(), CborError> {
    match reader.peek()? {
        Type::Uint => *out += &reader.uint()?.to_string(),
        Type::Bytes => *out += &bytes(reader.bytes()?),
        Type::Text => *out += &format!("{:?}", reader.text()?),
        Type::Bool => *out += &reader.bool()?.to_string(),
        Type::Null => {
            reader.null()?;
            *out += "null";
        }
        Type::Tag => {
            *out += &format!("{}(", reader.tag()?);
            walk(reader, out)?;
            out.push(')');
        }
        Type::Array => {
            out.push('[');
            for index in 0..reader.array()? {
                *out += if index > 0 { ", " } else { "" };
                walk(reader, out)?;
            }
            out.push(']');
        }
        Type::Map => {
            out.push('{');
            for index in 0..reader.map()? {
                *out += if index > 0 { ", " } else { "" };
                walk(reader, out)?;
                *out += ": ";
                walk(reader, out)?;
            }
            out.push('}');
        }
        // A negative integer, below i64 too.
        _ => match reader.int() {
            Ok(value) => *out += &value.to_string(),
            Err(_) => *out += &bytes(reader.skip()?),
        },
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_shown_in_diagnostic_notation() {
        let item = [0xA2, 0x01, 0x82, 0x20, 0xF5, 0x62, b'\n', b'a', 0xC1, 0x41, 0x0F];
        assert_eq!(show(&item), r#"{1: [-1, true], "\na": 1(h'0f')}"#);
        assert_eq!(
            show(&[0x3B, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
            "h'3bffffffffffffffff'"
        );
    }

    #[test]
    fn what_is_not_one_strict_item_is_shown_in_hexadecimal() {
        assert_eq!(show(&[0x18, 0x01]), "h'1801'");
        assert_eq!(bytes(&[1; 65]), format!("h'{}'… (65 bytes)", "01".repeat(64)));
    }
}
