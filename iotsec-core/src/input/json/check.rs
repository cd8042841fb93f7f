use super::{
    number,
    text::{self, Text},
};
use crate::input::{
    error::{InputError, InputKind},
    scan,
};

/// Nesting that the checker can follow, whatever [`Limits`] say.
const MAX_DEPTH: usize = 32;

/// How much a document may ask of the reader. Exceeding each has its own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole document.
    pub bytes: u32,
    /// Arrays and objects inside one another; at most 32.
    pub depth: u8,
    /// Values, names not counted.
    pub values: u16,
    /// Names in one object.
    pub names: u16,
}

impl Limits {
    /// For what a device is told: 4 KiB, depth 8, 256 values, 32 names.
    pub const SMALL: Self = Self {
        bytes: 4096,
        depth: 8,
        values: 256,
        names: 32,
    };
    /// For documents on a host: 1 MiB, depth 32, 65,535 values, 1,024 names.
    pub const LARGE: Self = Self {
        bytes: 1 << 20,
        depth: 32,
        values: u16::MAX,
        names: 1024,
    };
}

/// Checks that `input` is one document within `limits`, and nothing else.
///
/// ```
/// use iotsec_core::input::{InputKind, json::{Limits, check}};
///
/// assert!(check(b"[true, null]\n", &Limits::SMALL).is_ok());
/// assert_eq!(check(b"[1,]", &Limits::SMALL).unwrap_err().kind, InputKind::Character);
/// assert_eq!(check(b"9007199254740993", &Limits::SMALL).unwrap_err().kind, InputKind::Range);
/// ```
///
/// # Errors
/// The first violation and its offset; [`InputKind::Utf8`] before all others.
pub fn check(input: &[u8], limits: &Limits) -> Result<(), InputError> {
    let most = usize::try_from(limits.bytes).unwrap_or(usize::MAX);
    scan::length(input, 1, most)?;
    scan::text(input)?;
    let mut checker = Checker {
        input,
        at: 0,
        limits,
        values: 0,
        work: u64::from(limits.bytes).saturating_mul(limits.names.into()),
        stack: [Container::NONE; MAX_DEPTH],
        depth: 0,
    };
    checker.run()
}

crate::claim! {
    provisions: ["5.13-1B"],
    claims: "JSON is read to the letter and within limits of length, depth and count",
    code: [check],
    tests: [
        "iotsec-core::iotsec_core::input::json::tests::documents_are_json_and_nothing_else",
        "iotsec-core::iotsec_core::input::json::tests::each_limit_has_its_error",
    ],
}

/// An array or object that is open.
#[derive(Clone, Copy)]
struct Container {
    object: bool,
    /// Behind its bracket.
    begins: usize,
    names: u16,
}

impl Container {
    const NONE: Self = Self {
        object: false,
        begins: 0,
        names: 0,
    };
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Value,
    /// The first value of an array, or its end.
    First,
    Name,
    /// The first name of an object, or its end.
    FirstName,
    /// A comma, or the end of the container.
    More,
    Nothing,
}

struct Checker<'i> {
    input: &'i [u8],
    at: usize,
    limits: &'i Limits,
    values: u16,
    /// Bytes that may still be gone through to find names that stand twice.
    work: u64,
    stack: [Container; MAX_DEPTH],
    depth: usize,
}

impl Checker<'_> {
    fn run(&mut self) -> Result<(), InputError> {
        let mut next = Next::Value;
        loop {
            self.skip_blanks();
            let Some(byte) = self.input.get(self.at).copied() else {
                return match next {
                    Next::Nothing => Ok(()),
                    _ => Err(self.error(InputKind::Truncated)),
                };
            };
            next = match (next, byte) {
                (Next::Nothing, _) => return Err(self.error(InputKind::Trailing)),
                (Next::First | Next::More, b']') => self.close(false)?,
                (Next::FirstName | Next::More, b'}') => self.close(true)?,
                (Next::More, b',') => {
                    self.step();
                    if self.top()?.object {
                        Next::Name
                    } else {
                        Next::Value
                    }
                }
                (Next::Name | Next::FirstName, b'"') => self.name()?,
                (Next::Value | Next::First, _) => self.value(byte)?,
                _ => return Err(self.error(InputKind::Character)),
            };
        }
    }

    fn error(&self, kind: InputKind) -> InputError {
        InputError::new(kind, self.at)
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.input.get(self.at) {
            self.step();
        }
    }

    fn top(&mut self) -> Result<&mut Container, InputError> {
        let error = self.error(InputKind::Character);
        let top = self.depth.checked_sub(1).and_then(|top| self.stack.get_mut(top));
        top.ok_or(error)
    }

    fn open(&mut self, object: bool) -> Result<Next, InputError> {
        let error = self.error(InputKind::Depth);
        if self.depth >= usize::from(self.limits.depth) {
            return Err(error);
        }
        self.step();
        *self.stack.get_mut(self.depth).ok_or(error)? = Container {
            object,
            begins: self.at,
            names: 0,
        };
        self.depth = self.depth.saturating_add(1);
        Ok(if object { Next::FirstName } else { Next::First })
    }

    fn close(&mut self, object: bool) -> Result<Next, InputError> {
        if self.top()?.object != object {
            return Err(self.error(InputKind::Character));
        }
        self.step();
        self.depth = self.depth.saturating_sub(1);
        Ok(self.after_value())
    }

    fn after_value(&self) -> Next {
        if self.depth == 0 {
            Next::Nothing
        } else {
            Next::More
        }
    }

    fn value(&mut self, byte: u8) -> Result<Next, InputError> {
        self.values = self
            .values
            .checked_add(1)
            .filter(|values| *values <= self.limits.values)
            .ok_or(self.error(InputKind::Count))?;
        match byte {
            b'[' => return self.open(false),
            b'{' => return self.open(true),
            b'"' => self.at = text::check(self.input, self.at)?,
            b'-' | b'0'..=b'9' => self.at = number::check(self.input, self.at)?,
            _ => self.word()?,
        }
        Ok(self.after_value())
    }

    fn word(&mut self) -> Result<(), InputError> {
        let rest = self.input.get(self.at..).unwrap_or_default();
        for word in [&b"true"[..], b"false", b"null"] {
            if rest.starts_with(word) {
                self.at = self.at.saturating_add(word.len());
                return Ok(());
            }
            if word.starts_with(rest) {
                return Err(InputError::new(InputKind::Truncated, self.input.len()));
            }
        }
        Err(self.error(InputKind::Character))
    }

    /// A name, and the colon behind it.
    fn name(&mut self) -> Result<Next, InputError> {
        let begins = self.at;
        self.at = text::check(self.input, begins)?;
        let most = self.limits.names;
        let container = self.top()?;
        container.names = container.names.saturating_add(1);
        let (names, first) = (container.names, container.begins);
        if names > most {
            return Err(InputError::new(InputKind::Count, begins));
        }
        let through = u64::try_from(begins.saturating_sub(first)).unwrap_or(u64::MAX);
        let work = self.work.checked_sub(through);
        self.work = work.ok_or(InputError::new(InputKind::Count, begins))?;
        let name = Text::at(self.input, begins);
        let mut earlier = Names {
            input: self.input,
            at: first,
            end: begins,
        };
        if earlier.any(|other| other.is_same(&name)) {
            return Err(InputError::new(InputKind::Duplicate, begins));
        }
        self.skip_blanks();
        match self.input.get(self.at) {
            Some(b':') => self.step(),
            Some(_) => return Err(self.error(InputKind::Character)),
            None => return Err(self.error(InputKind::Truncated)),
        }
        Ok(Next::Value)
    }
}

/// The names of an object, in a document that was checked as far as `end`.
struct Names<'i> {
    input: &'i [u8],
    at: usize,
    end: usize,
}

impl<'i> Iterator for Names<'i> {
    type Item = Text<'i>;

    fn next(&mut self) -> Option<Text<'i>> {
        let mut depth = 0_usize;
        while self.at < self.end {
            let at = self.at;
            match self.input.get(at)? {
                b'"' => {
                    self.at = text::end(self.input, at);
                    let behind = self.input.get(self.at..self.end)?;
                    let colon = behind.iter().find(|byte| !byte.is_ascii_whitespace());
                    if depth == 0 && colon == Some(&b':') {
                        return Some(Text::at(self.input, at));
                    }
                    continue;
                }
                b'[' | b'{' => depth = depth.saturating_add(1),
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at = at.saturating_add(1);
        }
        None
    }
}
