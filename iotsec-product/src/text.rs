//! Words of a manifest that are checked when they are read.

use std::{fmt, str::FromStr as _};

use iotsec_core::hal::{Date, UnixTime};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};

/// A checked text: what it takes, in words and for the schema.
macro_rules! checked {
    ($(#[$meta:meta])* $name:ident, $wrong:literal, $pattern:literal, $most:literal, |$text:ident| $right:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                let $text = text.as_str();
                if text.is_empty() || text.len() > $most || !$right {
                    return Err($wrong);
                }
                Ok(Self(text))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $wrong, "pattern": $pattern, "minLength": 1, "maxLength": $most })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl $name {
            /// As it stands in the manifest.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

checked!(
    /// Text for labels, certificates and lists: 1 to 64 bytes without control characters.
    Text,
    "takes 1 to 64 bytes without control characters",
    r"^[^\u0000-\u001F\u007F-\u009F]+$",
    64,
    |text| !text.chars().any(char::is_control)
);

checked!(
    /// Text that people read: 1 to 1,000 bytes without control characters but line breaks.
    Prose,
    "takes 1 to 1,000 bytes without control characters but line breaks",
    r"^[^\u0000-\u0009\u000B-\u001F\u007F-\u009F]+$",
    1000,
    |text| !text.chars().any(|c| c.is_control() && c != '\n') && !text.trim().is_empty()
);

checked!(
    /// The name of an entry, by which others refer to it.
    Id,
    "takes 1 to 32 lower-case letters, digits and hyphens, a letter first",
    r"^[a-z][a-z0-9-]*$",
    32,
    |text| text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
);

checked!(
    /// A test: `package::target::path`, where the target is a file under `tests`, or the library; or
    /// `ctest::program::test`, for a test of a build with CMake.
    TestPath,
    "takes package::target::path, as in door::owner::a_stranger_stands_outside, or ctest::program::test",
    r"^[A-Za-z0-9_.-]+(::[A-Za-z0-9_.-]+){2,}$",
    400,
    |text| iotsec_core::claim::is_test(text)
);

checked!(
    /// A function: its path in Rust, without generics, or its name in C.
    Function,
    "takes the path of a function, as in door::owner::Owner::open, without generics",
    r"^[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*$",
    400,
    |text| text.split("::").all(is_word)
);

checked!(
    /// An address in the web: `https`, without white space.
    Link,
    "takes an address that starts with https:// and has no white space",
    r"^https://[^\s/?#]+[^\s]*$",
    400,
    |text| is_link(text)
);

checked!(
    /// How to reach somebody (RFC 9116 §2.5.3): `https:`, `mailto:` or `tel:`.
    Contact,
    "takes an address that starts with https://, mailto: or tel: and has no white space",
    r"^(https://[^\s/?#]+[^\s]*|mailto:[^\s@]+@[^\s@]+|tel:\+[0-9-]+)$",
    400,
    |text| is_link(text) || is_mail(text) || is_telephone(text)
);

checked!(
    /// A package URL (ECMA-427): which package of which registry.
    Purl,
    "takes a package URL such as pkg:github/Mbed-TLS/mbedtls@3.6.4",
    r"^pkg:[a-z][a-z0-9.+-]*/[^\s]+$",
    400,
    |text| is_purl(text)
);

checked!(
    /// A SHA-256 digest.
    Digest,
    "takes 64 hexadecimal digits in lower case",
    r"^[0-9a-f]{64}$",
    64,
    |text| text.len() == 64 && text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
);

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn is_purl(text: &str) -> bool {
    let Some((kind, name)) = text.strip_prefix("pkg:").and_then(|rest| rest.split_once('/')) else {
        return false;
    };
    kind.starts_with(|c: char| c.is_ascii_lowercase())
        && kind
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_graphic())
}

fn is_link(text: &str) -> bool {
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !host.is_empty()
        && text.chars().all(|c| {
            c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
        })
}

fn is_mail(text: &str) -> bool {
    let rest = text.strip_prefix("mailto:").unwrap_or_default();
    let well = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\'))
    };
    matches!(rest.split_once('@'), Some((name, host)) if well(name) && well(host) && !host.contains('@'))
}

fn is_telephone(text: &str) -> bool {
    let rest = text.strip_prefix("tel:+").unwrap_or_default();
    !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '-')
}

/// A day, as TOML has it: `2031-12-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl Day {
    /// A day of the calendar.
    pub const fn new(date: Date) -> Self {
        Self(date)
    }

    /// As year, month and day.
    pub const fn date(self) -> Date {
        self.0
    }

    /// When it begins, in UTC.
    pub const fn start(self) -> UnixTime {
        self.0.start()
    }

    /// When it is over, in UTC.
    pub const fn end(self) -> UnixTime {
        self.0.end()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'d> Deserialize<'d> for Day {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::custom("takes a day such as 2031-12-31");
        let written = toml::value::Datetime::deserialize(from)?;
        let (Some(day), None, None) = (written.date, written.time, written.offset) else {
            return Err(wrong());
        };
        Date::new(day.year, day.month, day.day)
            .map(Self)
            .ok_or_else(wrong)
    }
}

impl JsonSchema for Day {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date", "description": "A day, without quotes in TOML" })
    }
}

/// Vendor and class of SUIT (RFC 9562).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uuid(uuid::Uuid);

impl Uuid {
    /// The bytes, as a SUIT manifest has them.
    pub const fn bytes(self) -> [u8; 16] {
        *self.0.as_bytes()
    }

    /// That of a maker: version 5 of its domain name in the name space of DNS.
    pub fn of_domain(domain: &str) -> Self {
        Self(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_DNS, domain.as_bytes()))
    }

    /// That of a model: version 5 of its name in the maker's name space.
    pub fn of_model(self, model: &str) -> Self {
        Self(uuid::Uuid::new_v5(&self.0, model.as_bytes()))
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'d> Deserialize<'d> for Uuid {
    fn deserialize<D: Deserializer<'d>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        uuid::Uuid::from_str(&text)
            .map(Self)
            .map_err(|_| D::Error::custom("takes a UUID such as 7d3b1c9e-1f0a-5c6e-9d0c-3a2b1c0d9e8f"))
    }
}

impl JsonSchema for Uuid {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Uuid".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uuid" })
    }
}

/// A text of a maker, for a page of Markdown: it is text there and no markup, and stays on one line.
///
/// ```
/// assert_eq!(iotsec_product::text::markdown("<b>*a*\nb|&"), "\\<b\\>\\*a\\* b\\|\\&");
/// ```
pub fn markdown(text: impl fmt::Display) -> String {
    let mut out = String::new();
    for c in text.to_string().chars() {
        if matches!(
            c,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '&'
        ) {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out
}
