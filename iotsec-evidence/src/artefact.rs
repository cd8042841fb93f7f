//! Which functions a firmware has: read from the ELF file that was built, not from what was asked of the build.

mod name;

use std::{borrow::Cow, collections::BTreeSet, fmt};

use gimli::{AttributeValue, DebuggingInformationEntry, Dwarf, EndianSlice, RunTimeEndian, Unit, UnitOffset};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SymbolKind};

/// The functions of a firmware, by their path in Rust or their name in C.
#[derive(Clone, Debug, Default)]
pub struct Artefact {
    functions: BTreeSet<String>,
    /// Inlined calls whose function is known, and those of which nothing but a word is.
    named: usize,
    nameless: usize,
}

/// Why a file says nothing of its functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArtefactError {
    /// It is no ELF file, or a damaged one.
    Elf(String),
    /// It has no symbols of functions.
    Stripped,
    /// Its debug information is damaged.
    Dwarf(String),
}

impl ArtefactError {
    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Elf(_) => "name the ELF file that the linker wrote, not an image that was made of it",
            Self::Stripped => {
                "name the file before `strip` or `objcopy`: symbols are not loaded and cost no flash"
            }
            Self::Dwarf(_) => "build anew, with `debug = \"limited\"` in the profile",
        }
    }
}

impl fmt::Display for ArtefactError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elf(cause) => write!(f, "not an ELF file that can be read: {cause}"),
            Self::Stripped => f.write_str("the ELF file has no symbols"),
            Self::Dwarf(cause) => write!(f, "the debug information cannot be read: {cause}"),
        }
    }
}

impl std::error::Error for ArtefactError {}

type Slice<'f> = EndianSlice<'f, RunTimeEndian>;

impl Artefact {
    /// Reads an ELF file.
    ///
    /// A function is there when it has a symbol, or was inlined into one that has. The second is known from debug
    /// information alone (`debug = "limited"`, of which nothing is loaded); where [`is_debugged`](Self::is_debugged)
    /// says that there is none, what was inlined is not found.
    ///
    /// # Errors
    /// [`ArtefactError`].
    ///
    /// ```
    /// use iotsec_evidence::artefact::Artefact;
    ///
    /// let this = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    /// assert!(Artefact::read(&this).unwrap().has("iotsec_evidence::artefact::Artefact::read"));
    /// ```
    pub fn read(file: &[u8]) -> Result<Self, ArtefactError> {
        let elf = object::File::parse(file).map_err(|cause| ArtefactError::Elf(cause.to_string()))?;
        let mut found = Self::default();
        let mut starts = BTreeSet::new();
        for symbol in elf.symbols() {
            if symbol.kind() != SymbolKind::Text || !symbol.is_definition() {
                continue;
            }
            // The lowest bit says that a Cortex-M runs Thumb code there.
            starts.insert(symbol.address() & !1);
            if let Ok(name) = symbol.name() {
                found.add(name);
            }
        }
        if starts.is_empty() {
            return Err(ArtefactError::Stripped);
        }
        found
            .inlined(&elf, &starts)
            .map_err(|cause| ArtefactError::Dwarf(cause.to_string()))?;
        Ok(found)
    }

    /// Whether a function is in it: a path as `iotsec_store::store::Store::mount`, without generics.
    pub fn has(&self, function: &str) -> bool {
        self.functions.contains(function)
    }

    /// Whether its debug information names what was inlined. Line tables alone do not: they have `mount`, not whose.
    pub const fn is_debugged(&self) -> bool {
        self.named > self.nameless
    }

    /// All functions.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(String::as_str)
    }

    fn add(&mut self, mangled: &str) {
        self.functions.extend(name::paths(mangled));
    }

    fn inlined(&mut self, elf: &object::File<'_>, starts: &BTreeSet<u64>) -> gimli::Result<()> {
        let endian = if elf.is_little_endian() {
            RunTimeEndian::Little
        } else {
            RunTimeEndian::Big
        };
        let sections = gimli::DwarfSections::load(|id| {
            let section = elf.section_by_name(id.name());
            let data = section.map(|section| section.data().map(Cow::Borrowed));
            data.unwrap_or(Ok(Cow::Borrowed(&[])))
        })
        // A section that is not where the file says.
        .map_err(|_: object::Error| gimli::Error::OffsetOutOfBounds(0))?;
        let dwarf = sections.borrow(|section| EndianSlice::new(section, endian));
        let mut units = Units {
            dwarf,
            all: Vec::new(),
        };
        let mut headers = units.dwarf.units();
        while let Some(header) = headers.next()? {
            units.all.push(units.dwarf.unit(header)?);
        }
        for unit in &units.all {
            self.unit(&units, unit, starts)?;
        }
        Ok(())
    }

    /// What a unit inlined into functions that are in the file. Of those that the linker left out, it still tells, at
    /// addresses where no function begins.
    fn unit(
        &mut self,
        units: &Units<'_>,
        unit: &Unit<Slice<'_>>,
        starts: &BTreeSet<u64>,
    ) -> gimli::Result<()> {
        let mut entries = unit.entries();
        // The depth of the function that is being read, if it is in the file.
        let mut inside: Option<isize> = None;
        while let Some(entry) = entries.next_dfs()? {
            let depth = entry.depth();
            if inside.is_some_and(|function| depth <= function) {
                inside = None;
            }
            match entry.tag() {
                gimli::DW_TAG_subprogram if inside.is_none() => {
                    let mut ranges = units.dwarf.die_ranges(unit, entry)?;
                    let mut live = false;
                    while let Some(range) = ranges.next()? {
                        live |= starts.contains(&(range.begin & !1));
                    }
                    if live {
                        inside = Some(depth);
                    }
                }
                gimli::DW_TAG_inlined_subroutine if inside.is_some() => match units.name(unit, entry, 0)? {
                    Some(name) => {
                        self.named = self.named.saturating_add(1);
                        self.add(&name);
                    }
                    None => self.nameless = self.nameless.saturating_add(1),
                },
                _ => {}
            }
        }
        Ok(())
    }
}

/// All units, which name functions of each other.
struct Units<'f> {
    dwarf: Dwarf<Slice<'f>>,
    /// In the order of the file.
    all: Vec<Unit<Slice<'f>>>,
}

impl Units<'_> {
    /// What an entry is called: by itself, or by the entry that it is an instance of.
    fn name(
        &self,
        unit: &Unit<Slice<'_>>,
        entry: &DebuggingInformationEntry<Slice<'_>>,
        hops: u8,
    ) -> gimli::Result<Option<String>> {
        if let Some(value) = entry.attr_value(gimli::DW_AT_linkage_name) {
            let name = self.dwarf.attr_string(unit, value)?;
            return Ok(Some(name.to_string_lossy().into_owned()));
        }
        // An instance of a declaration of a definition; a longer chain is a circle.
        if hops < 4 {
            for attribute in [gimli::DW_AT_abstract_origin, gimli::DW_AT_specification] {
                let Some(value) = entry.attr_value(attribute) else {
                    continue;
                };
                if let Some((unit, offset)) = self.target(unit, &value) {
                    return self.name(unit, &unit.entry(offset)?, hops.saturating_add(1));
                }
            }
        }
        Ok(None)
    }

    /// Where a reference leads.
    fn target<'u>(
        &'u self,
        unit: &'u Unit<Slice<'u>>,
        value: &AttributeValue<Slice<'_>>,
    ) -> Option<(&'u Unit<Slice<'u>>, UnitOffset)> {
        match value {
            AttributeValue::UnitRef(offset) => Some((unit, *offset)),
            AttributeValue::DebugInfoRef(offset) => {
                let after = self.all.partition_point(|unit| {
                    unit.header
                        .debug_info_offset()
                        .is_some_and(|start| start <= *offset)
                });
                let unit = self.all.get(after.checked_sub(1)?)?;
                Some((unit, offset.to_unit_offset(&unit.header)?))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_elf_file_is_refused_with_a_remedy() {
        for bad in [
            &b""[..],
            b"\x7fELF",
            &[0; 4096],
            b"\x7fELF\x01\x01\x01 and then nothing that is one",
        ] {
            let error = Artefact::read(bad).unwrap_err();
            assert!(matches!(error, ArtefactError::Elf(_)), "{error}");
            assert!(error.remedy().contains("linker"));
        }
    }

    #[test]
    fn a_damaged_file_ends_in_an_error_or_an_answer() {
        let this = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        // A test program is large; a few cuts tell as much as all.
        for cut in [64, 1000, this.len() / 2, this.len() - 1] {
            if let Err(error) = Artefact::read(&this[..cut]) {
                assert!(!error.to_string().is_empty());
            }
        }
        // Every 4 KiB a byte of the debug information is another.
        let elf = object::File::parse(&this[..]).unwrap();
        let section = elf.section_by_name(".debug_info").unwrap();
        let (start, len) = section.file_range().unwrap();
        let (start, len) = (usize::try_from(start).unwrap(), usize::try_from(len).unwrap());
        let mut damaged = this.clone();
        for at in (start..start + len).step_by(4096) {
            damaged[at] ^= 0xff;
        }
        if let Err(error) = Artefact::read(&damaged) {
            assert!(matches!(error, ArtefactError::Dwarf(_)), "{error}");
        }
    }
}
