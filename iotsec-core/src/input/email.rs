use super::{
    error::{InputError, InputKind},
    hostname::Hostname,
    scan,
};

/// The address of a mailbox: the part of RFC 5321 §4.1.2 that people have.
///
/// ```text
/// address = atom *("." atom) "@" hostname       ; 64 bytes before the @ and 254 in all at most
/// ```
///
/// Quoted names, addresses in brackets and other scripts are refused.
///
/// ```
/// use iotsec_core::input::Email;
///
/// let address = Email::parse(b"security@example.com")?;
/// assert_eq!((address.local(), address.domain().as_str()), ("security", "example.com"));
/// assert!(Email::parse(b"a..b@example.com").is_err());
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Email<'a> {
    whole: &'a str,
    local: &'a str,
    domain: Hostname<'a>,
}

impl<'a> Email<'a> {
    /// Most bytes of an address.
    pub const MAX_LEN: usize = 254;

    /// Reads an address.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, InputError> {
        scan::length(input, 3, Self::MAX_LEN)?;
        let cut = scan::split_once(input, b'@');
        let (local, domain, begins) = cut.ok_or(InputError::new(InputKind::Form, input.len()))?;
        scan::length(local, 1, 64)?;
        for (at, atom) in scan::split(local, b'.') {
            scan::length(atom, 1, 64).map_err(|error| error.within(at))?;
            scan::all(atom, |byte| {
                byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
            })
            .map_err(|error| error.within(at))?;
        }
        if let [.., b'.'] = domain {
            return Err(InputError::new(
                InputKind::Trailing,
                input.len().saturating_sub(1),
            ));
        }
        let domain = Hostname::parse(domain).map_err(|error| error.within(begins))?;
        if domain.is_single_label() {
            return Err(InputError::new(InputKind::Form, begins));
        }
        Ok(Self {
            whole: scan::text(input)?,
            local: scan::text(local)?,
            domain,
        })
    }

    /// The address.
    pub const fn as_str(&self) -> &'a str {
        self.whole
    }

    /// What stands before the `@`.
    pub const fn local(&self) -> &'a str {
        self.local
    }

    /// What stands behind it.
    pub const fn domain(&self) -> Hostname<'a> {
        self.domain
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn addresses_are_those_that_people_have() {
        for address in [
            "a@b.c",
            "first.last+tag@sub.example.com",
            "o'neil_{x}@example.org",
        ] {
            assert_eq!(Email::parse(address.as_bytes()).unwrap().as_str(), address);
        }
        let long = format!("{}@example.com", "a".repeat(65));
        for address in [
            "",
            "a",
            "a@",
            "@b.c",
            "a@b",
            "a@b@c.d",
            ".a@b.c",
            "a.@b.c",
            "a..b@c.d",
            "\"a b\"@c.d",
            "a b@c.d",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@b.c.",
            "a@b.c\r\nBcc: d@e.f",
            "\u{fc}@b.c",
            "a@b\u{fc}.c",
            &long,
        ] {
            assert!(Email::parse(address.as_bytes()).is_err(), "{address:?}");
        }
    }
}
