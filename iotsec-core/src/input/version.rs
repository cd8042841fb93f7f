use core::{cmp::Ordering, fmt};

use super::{
    error::{InputError, InputKind},
    scan,
};

/// A version after Semantic Versioning 2.0.0, of at most 64 bytes.
///
/// Order is that of precedence (§11): the build does not count, so that two versions may be neither less nor greater
/// and yet differ; [`precedes`](Self::precedes) is therefore no `Ord`.
///
/// ```
/// use iotsec_core::input::SemVer;
///
/// let (old, new) = (SemVer::parse(b"1.4.0-rc.2")?, SemVer::parse(b"1.4.0+5f3a")?);
/// assert!(old.precedes(&new) && !new.precedes(&old));
/// assert!(SemVer::parse(b"1.04.0").is_err() && SemVer::parse(b"v1.4.0").is_err());
/// # Ok::<(), iotsec_core::input::InputError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SemVer<'a> {
    /// Changes when something is taken away.
    pub major: u64,
    /// Changes when something is added.
    pub minor: u64,
    /// Changes when something is mended.
    pub patch: u64,
    pre: &'a str,
    build: &'a str,
}

impl<'a> SemVer<'a> {
    /// Most bytes of a version.
    pub const MAX_LEN: usize = 64;

    /// Reads a version.
    ///
    /// # Errors
    /// [`InputError`].
    pub fn parse(input: &'a [u8]) -> Result<Self, InputError> {
        scan::length(input, 5, Self::MAX_LEN)?;
        let (rest, build) = match scan::split_once(input, b'+') {
            Some((rest, build, at)) => {
                identifiers(build, false).map_err(|error| error.within(at))?;
                (rest, build)
            }
            None => (input, &[][..]),
        };
        let (core, pre) = match scan::split_once(rest, b'-') {
            Some((core, pre, at)) => {
                identifiers(pre, true).map_err(|error| error.within(at))?;
                (core, pre)
            }
            None => (rest, &[][..]),
        };
        let (mut numbers, mut count) = ([0; 3], 0_usize);
        for (at, part) in scan::split(core, b'.') {
            let place = numbers
                .get_mut(count)
                .ok_or(InputError::new(InputKind::Count, at))?;
            *place = scan::decimal(part, u64::MAX).map_err(|error| error.within(at))?;
            count = count.saturating_add(1);
        }
        if count < numbers.len() {
            return Err(InputError::new(InputKind::Truncated, core.len()));
        }
        let [major, minor, patch] = numbers;
        Ok(Self {
            major,
            minor,
            patch,
            pre: scan::text(pre)?,
            build: scan::text(build)?,
        })
    }

    /// What marks it as one before the version itself; empty for that one.
    pub const fn pre(&self) -> &'a str {
        self.pre
    }

    /// Which build it is; empty when it does not say.
    pub const fn build(&self) -> &'a str {
        self.build
    }

    /// Whether it comes before another one (§11).
    pub fn precedes(&self, other: &Self) -> bool {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        let order = numbers(self).cmp(&numbers(other));
        order.then_with(|| compare_pre(self.pre, other.pre)) == Ordering::Less
    }
}

impl fmt::Display for SemVer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        for (mark, part) in [('-', self.pre), ('+', self.build)] {
            if !part.is_empty() {
                write!(f, "{mark}{part}")?;
            }
        }
        Ok(())
    }
}

fn identifiers(input: &[u8], shortest: bool) -> Result<(), InputError> {
    for (at, part) in scan::split(input, b'.') {
        scan::length(part, 1, SemVer::MAX_LEN).map_err(|error| error.within(at))?;
        scan::all(part, |byte| byte.is_ascii_alphanumeric() || byte == b'-')
            .map_err(|error| error.within(at))?;
        if shortest && is_number(part) && part.len() > 1 && part.first() == Some(&b'0') {
            return Err(InputError::new(InputKind::Form, at));
        }
    }
    Ok(())
}

fn is_number(part: &[u8]) -> bool {
    part.iter().all(u8::is_ascii_digit)
}

fn compare_pre(one: &str, other: &str) -> Ordering {
    match (one.is_empty(), other.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut ours, mut theirs) = (
        scan::split(one.as_bytes(), b'.'),
        scan::split(other.as_bytes(), b'.'),
    );
    loop {
        let order = match (ours.next(), theirs.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some((_, our)), Some((_, their))) => match (is_number(our), is_number(their)) {
                // Without zeros in front, the longer number is the greater one.
                (true, true) => our.len().cmp(&their.len()).then_with(|| our.cmp(their)),
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => our.cmp(their),
            },
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn precedence_is_that_of_the_standard() {
        let versions = [
            "0.9.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.0.1",
            "1.2.0",
            "1.10.0",
            "2.0.0",
            "18446744073709551615.0.0",
        ];
        for (at, one) in versions.iter().enumerate() {
            for (against, other) in versions.iter().enumerate() {
                let (one, other) = (
                    SemVer::parse(one.as_bytes()).unwrap(),
                    SemVer::parse(other.as_bytes()).unwrap(),
                );
                assert_eq!(one.precedes(&other), at < against, "{one} {other}");
            }
        }
        let build = SemVer::parse(b"1.0.0-x-y.7+001.sha-5").unwrap();
        assert_eq!((build.pre(), build.build()), ("x-y.7", "001.sha-5"));
        assert_eq!(build.to_string(), "1.0.0-x-y.7+001.sha-5");
    }

    #[test]
    fn other_versions_are_refused() {
        for version in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1.2.03",
            "1.2.3-",
            "1.2.3+",
            "1.2.3-01",
            "1.2.3-a..b",
            "1.2.3-\u{e9}",
            "1.2.3 ",
            "-1.2.3",
            "1.2.3+a+b",
            "18446744073709551616.0.0",
            "1.2.-3",
            "a.b.c",
        ] {
            assert!(SemVer::parse(version.as_bytes()).is_err(), "{version}");
        }
    }
}
