use core::fmt::{self, Display, Write};

/// Writes JSON; puts the commas.
pub(super) struct Json<'o> {
    out: &'o mut dyn Write,
    /// Whether something stands before, at this level.
    follows: bool,
}

impl<'o> Json<'o> {
    pub(super) fn new(out: &'o mut dyn Write) -> Self {
        Self { out, follows: false }
    }

    fn comma(&mut self) -> fmt::Result {
        if self.follows {
            self.out.write_char(',')?;
        }
        self.follows = true;
        Ok(())
    }

    pub(super) fn begin(&mut self, bracket: char) -> Result<&mut Self, fmt::Error> {
        self.comma()?;
        self.out.write_char(bracket)?;
        self.follows = false;
        Ok(self)
    }

    pub(super) fn end(&mut self, bracket: char) -> Result<&mut Self, fmt::Error> {
        self.out.write_char(bracket)?;
        self.follows = true;
        Ok(self)
    }

    pub(super) fn key(&mut self, name: &str) -> Result<&mut Self, fmt::Error> {
        self.text(name)?;
        self.out.write_char(':')?;
        self.follows = false;
        Ok(self)
    }

    pub(super) fn text(&mut self, text: &str) -> Result<&mut Self, fmt::Error> {
        self.comma()?;
        self.out.write_char('"')?;
        for c in text.chars() {
            match c {
                '"' | '\\' => write!(self.out, "\\{c}")?,
                c if c.is_control() => write!(self.out, "\\u{:04x}", u32::from(c))?,
                c => self.out.write_char(c)?,
            }
        }
        self.out.write_char('"')?;
        Ok(self)
    }

    /// What needs no quotes: a number, `true`, `[null]`.
    pub(super) fn plain(&mut self, value: impl Display) -> Result<&mut Self, fmt::Error> {
        self.comma()?;
        write!(self.out, "{value}")?;
        Ok(self)
    }
}
