//! A second decoder of deterministic CBOR, written from RFC 8949 alone and for clarity alone, to
//! disagree with.

/// A value of the subset that the SDK reads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Uint(u64),
    /// −1 − n.
    Nint(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Tag(u64, Box<Value>),
    Bool(bool),
    Null,
}

/// Containers and tags that may be open at once, as in the decoder under test.
const MAX_DEPTH: usize = 16;

/// The value that is all of `input`, if it is deterministic.
pub(crate) fn decode(input: &[u8]) -> Option<Value> {
    match item(input, 0)? {
        (value, []) => Some(value),
        _ => None,
    }
}

/// The values of a sequence.
pub(crate) fn decode_sequence(mut input: &[u8]) -> Option<Vec<Value>> {
    let mut values = Vec::new();
    while !input.is_empty() {
        let (value, rest) = item(input, 0)?;
        values.push(value);
        input = rest;
    }
    Some(values)
}

fn item(input: &[u8], depth: usize) -> Option<(Value, &[u8])> {
    let (major, argument, rest) = head(input)?;
    if (4..=6).contains(&major) && depth == MAX_DEPTH {
        return None;
    }
    Some(match major {
        0 => (Value::Uint(argument), rest),
        1 => (Value::Nint(argument), rest),
        2 | 3 => {
            let (content, rest) = rest.split_at_checked(usize::try_from(argument).ok()?)?;
            let value = if major == 2 {
                Value::Bytes(content.to_vec())
            } else {
                Value::Text(String::from_utf8(content.to_vec()).ok()?)
            };
            (value, rest)
        }
        4 => {
            let (mut rest, mut elements) = (rest, Vec::new());
            for _ in 0..argument {
                let (element, after) = item(rest, depth + 1)?;
                elements.push(element);
                rest = after;
            }
            (Value::Array(elements), rest)
        }
        5 => {
            let (mut rest, mut entries, mut last) = (rest, Vec::new(), None);
            for _ in 0..argument {
                let (key, after) = item(rest, depth + 1)?;
                let encoded = &rest[..rest.len() - after.len()];
                if last.replace(encoded).is_some_and(|last| encoded <= last) {
                    return None;
                }
                let (value, after) = item(after, depth + 1)?;
                entries.push((key, value));
                rest = after;
            }
            (Value::Map(entries), rest)
        }
        // Bignums would be a second way to write an integer.
        6 if matches!(argument, 2 | 3) => return None,
        6 => {
            let (tagged, rest) = item(rest, depth + 1)?;
            (Value::Tag(argument, Box::new(tagged)), rest)
        }
        // A simple value takes its head byte and no more.
        _ if input.len() - rest.len() != 1 => return None,
        _ => match argument {
            20 => (Value::Bool(false), rest),
            21 => (Value::Bool(true), rest),
            22 => (Value::Null, rest),
            _ => return None,
        },
    })
}

/// Major type, argument in shortest form, and what follows.
fn head(input: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = input.split_first()?;
    let (major, short) = (first >> 5, first & 31);
    let extra = match short {
        0..24 => return Some((major, u64::from(short), rest)),
        24..28 => 1 << (short - 24),
        _ => return None,
    };
    let (bytes, rest) = rest.split_at_checked(extra)?;
    let argument = bytes
        .iter()
        .fold(0, |argument, byte| argument << 8 | u64::from(*byte));
    let least = match extra {
        1 => 24,
        _ => 1_u64 << (extra * 4),
    };
    (argument >= least).then_some((major, argument, rest))
}

impl Value {
    /// The one encoding of the value. Map entries are written in the order they have.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let len = |len: usize| u64::try_from(len).expect("hosts have at most 64 bits");
        match self {
            Self::Uint(argument) => write_head(0, *argument),
            Self::Nint(argument) => write_head(1, *argument),
            Self::Bytes(bytes) => [write_head(2, len(bytes.len())).as_slice(), bytes].concat(),
            Self::Text(text) => [write_head(3, len(text.len())).as_slice(), text.as_bytes()].concat(),
            Self::Array(elements) => {
                let mut out = write_head(4, len(elements.len()));
                out.extend(elements.iter().flat_map(Self::encode));
                out
            }
            Self::Map(entries) => {
                let mut out = write_head(5, len(entries.len()));
                out.extend(
                    entries
                        .iter()
                        .flat_map(|(k, v)| [k.encode(), v.encode()].concat()),
                );
                out
            }
            Self::Tag(tag, tagged) => [write_head(6, *tag), tagged.encode()].concat(),
            Self::Bool(value) => vec![if *value { 0xF5 } else { 0xF4 }],
            Self::Null => vec![0xF6],
        }
    }

    /// Data items in it, itself included.
    pub(crate) fn items(&self) -> usize {
        1 + match self {
            Self::Array(elements) => elements.iter().map(Self::items).sum(),
            Self::Map(entries) => entries.iter().map(|(k, v)| k.items() + v.items()).sum(),
            Self::Tag(_, tagged) => tagged.items(),
            _ => 0,
        }
    }

    /// Arrays, maps and tags inside one another.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Array(elements) => 1 + elements.iter().map(Self::depth).max().unwrap_or(0),
            Self::Map(entries) => {
                1 + entries
                    .iter()
                    .map(|(k, v)| k.depth().max(v.depth()))
                    .max()
                    .unwrap_or(0)
            }
            Self::Tag(_, tagged) => 1 + tagged.depth(),
            _ => 0,
        }
    }

    /// The value of a key in a map.
    pub(crate) fn at(&self, label: i64) -> Option<&Self> {
        let key = u64::try_from(label).map_or_else(|_| Self::Nint(label.unsigned_abs() - 1), Self::Uint);
        match self {
            Self::Map(entries) => entries.iter().find(|(k, _)| *k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

fn write_head(major: u8, argument: u64) -> Vec<u8> {
    let bytes = argument.to_be_bytes();
    let (short, extra) = match argument {
        0..24 => (bytes[7], &bytes[8..]),
        24..0x100 => (24, &bytes[7..]),
        0x100..0x1_0000 => (25, &bytes[6..]),
        0x1_0000..0x1_0000_0000 => (26, &bytes[4..]),
        _ => (27, &bytes[..]),
    };
    [&[major << 5 | short], extra].concat()
}
