//! DER (ITU-T X.690), written from the inside out: certificates are short, so that copies cost nothing.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const OID: u8 = 0x06;
pub(super) const UTF8_STRING: u8 = 0x0C;
pub(super) const PRINTABLE_STRING: u8 = 0x13;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// A value of a tag around the parts of its content.
pub(super) fn value(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    let len = content.len().to_be_bytes();
    let digits = len.iter().skip_while(|byte| **byte == 0);
    if content.len() < 0x80 {
        out.extend(digits.take(1));
        if content.is_empty() {
            out.push(0);
        }
    } else {
        let digits: Vec<u8> = digits.copied().collect();
        out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
        out.extend(digits);
    }
    out.extend(content);
    out
}

/// A non-negative INTEGER of big-endian bytes.
pub(super) fn unsigned(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let digits = bytes.get(zeros..).unwrap_or_default();
    let lead: &[u8] = match digits.first() {
        Some(first) if *first < 0x80 => &[],
        _ => &[0],
    };
    value(INTEGER, &[lead, digits])
}

/// A BIT STRING of whole bytes.
pub(super) fn bits(bytes: &[u8]) -> Vec<u8> {
    value(BIT_STRING, &[&[0], bytes])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_integers_have_their_shortest_form() {
        assert_eq!(value(SEQUENCE, &[]), [0x30, 0]);
        assert_eq!(value(OCTET_STRING, &[&[7], &[8]]), [4, 2, 7, 8]);
        assert_eq!(value(4, &[&[0; 127]])[..2], [4, 127]);
        assert_eq!(value(4, &[&[0; 128]])[..3], [4, 0x81, 128]);
        assert_eq!(value(4, &[&[0; 256]])[..4], [4, 0x82, 1, 0]);
        assert_eq!(unsigned(&[0, 0, 0x7F]), [2, 1, 0x7F]);
        assert_eq!(unsigned(&[0x80]), [2, 2, 0, 0x80]);
        assert_eq!(unsigned(&[]), [2, 1, 0]);
    }
}
