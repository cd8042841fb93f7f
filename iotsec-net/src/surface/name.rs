//! Rules for names that the compiler can check.

/// Bytes of a host name at most (RFC 1123 §2.1, with RFC 1035 §2.3.4).
const MAX_HOST_LEN: usize = 253;
/// Bytes of a label at most.
const MAX_LABEL_LEN: u8 = 63;

/// Lower-case letters, digits and hyphens.
pub(super) const fn is_id(id: &str, max: usize) -> bool {
    let mut bytes = id.as_bytes();
    while let [byte, rest @ ..] = bytes {
        if !matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-') {
            return false;
        }
        bytes = rest;
    }
    !id.is_empty() && id.len() <= max
}

/// A host name in lower case with at least two labels, of which the last is no number: no pattern, no address.
pub(super) const fn is_host_name(name: &str) -> bool {
    if name.len() > MAX_HOST_LEN {
        return false;
    }
    let mut bytes = name.as_bytes();
    // Of the label that is being read.
    let (mut len, mut digits, mut last) = (0u8, true, b'.');
    let mut labels = 1u8;
    while let [byte, rest @ ..] = bytes {
        match *byte {
            b'.' if len == 0 || last == b'-' => return false,
            b'.' => {
                len = 0;
                digits = true;
                labels = labels.saturating_add(1);
            }
            b'-' if len == 0 => return false,
            b'a'..=b'z' | b'0'..=b'9' | b'-' => {
                len = len.saturating_add(1);
                digits = digits && byte.is_ascii_digit();
            }
            _ => return false,
        }
        if len > MAX_LABEL_LEN {
            return false;
        }
        last = *byte;
        bytes = rest;
    }
    len > 0 && last != b'-' && !digits && labels > 1
}

/// `==` of texts, while compiling.
pub(super) const fn same(one: &str, two: &str) -> bool {
    let (mut one, mut two) = (one.as_bytes(), two.as_bytes());
    while let ([first, one_rest @ ..], [second, two_rest @ ..]) = (one, two) {
        if *first != *second {
            return false;
        }
        one = one_rest;
        two = two_rest;
    }
    one.is_empty() && two.is_empty()
}
