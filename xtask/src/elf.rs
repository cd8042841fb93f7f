//! The sections of an ELF image, and how much flash and RAM they take.

use std::collections::{BTreeMap, BTreeSet};

use crate::tool::Failure;

/// Bytes that an image occupies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Code, constants and the initial values of statics.
    pub(crate) flash: u64,
    /// Statics, initialised or not; without the stack.
    pub(crate) ram: u64,
}

/// Where a Cortex-M has RAM (Armv7-M Architecture Reference Manual, B3.1), and where `firmware/memory/riscv32` puts it.
const RAM: [std::ops::Range<u64>; 2] = [0x2000_0000..0x2100_0000, 0x8020_0000..0x8030_0000];
const NOBITS: u64 = 8;
const ALLOC: u64 = 2;
/// Input that an image brings along to have something to work on, and what riscv-rt leaves for the stack.
const NOT_COUNTED: [&[u8]; 2] = [b".test_data\0", b".stack\0"];

/// Adds up the sections of an image.
pub(crate) fn sizes(file: &[u8]) -> Result<Sizes, Failure> {
    let table = Table::read(file)?;
    let mut sizes = Sizes::default();
    for index in 0..table.count {
        let header = table.header(index)?;
        if header.flags & ALLOC == 0 || NOT_COUNTED.iter().any(|name| header.name.starts_with(name)) {
            continue;
        }
        // Everything that is loaded lies in flash, also the first content of what later lives in RAM.
        if header.kind != NOBITS {
            sizes.flash += header.len;
        }
        if RAM.iter().any(|ram| ram.contains(&header.address)) {
            sizes.ram += header.len;
        }
    }
    Ok(sizes)
}

/// The content of the section called `name`, which ends in a zero byte.
pub(crate) fn section<'f>(file: &'f [u8], name: &[u8]) -> Result<&'f [u8], Failure> {
    content(file, &find(file, name)?)
}

fn content<'f>(file: &'f [u8], header: &Header<'_>) -> Result<&'f [u8], Failure> {
    let range = usize::try_from(header.offset)?..usize::try_from(header.offset + header.len)?;
    Ok(file.get(range).ok_or("ELF file ends early")?)
}

fn find<'f>(file: &'f [u8], name: &[u8]) -> Result<Header<'f>, Failure> {
    let table = Table::read(file)?;
    for index in 0..table.count {
        let header = table.header(index)?;
        if header.name.starts_with(name) {
            return Ok(header);
        }
    }
    Err(format!("the image has no section {}", String::from_utf8_lossy(name)).into())
}

/// What is loaded from address `start` on, gaps filled with 0xFF (TIS ELF 1.2, figure 2-1). What lies below is the
/// linker's: the headers of the file.
pub(crate) fn loaded(file: &[u8], start: u32) -> Result<Vec<u8>, Failure> {
    const LOAD: u64 = 1;
    let (table, size, count) = (number(file, 28, 4)?, number(file, 42, 2)?, number(file, 44, 2)?);
    let mut bytes = Vec::new();
    for entry in 0..count {
        let at = usize::try_from(table + entry * size)?;
        let field = |offset| number(file, at + offset, 4);
        let (kind, from, address, len) = (field(0)?, field(4)?, field(12)?, field(16)?);
        let skipped = u64::from(start).saturating_sub(address);
        if kind != LOAD || len <= skipped {
            continue;
        }
        let part = file.get(usize::try_from(from + skipped)?..usize::try_from(from + len)?);
        let place = usize::try_from(address + skipped - u64::from(start))?;
        let end = place + usize::try_from(len - skipped)?;
        if bytes.len() < end {
            bytes.resize(end, 0xFF);
        }
        bytes[place..end].copy_from_slice(part.ok_or("ELF file ends early")?);
    }
    Ok(bytes)
}

/// A function in an image.
pub(crate) struct Function {
    /// Its name, as the linker knows it.
    pub(crate) name: String,
    /// Its first instruction, without the bit that says Thumb.
    pub(crate) address: u32,
    /// Its bytes.
    pub(crate) len: u32,
}

/// The functions that the symbol table names (TIS ELF 1.2, figure 1-15).
pub(crate) fn functions(file: &[u8]) -> Result<Vec<Function>, Failure> {
    const FUNCTION: u8 = 2;
    let mut functions = Vec::new();
    let symbols = symbols(file)?;
    for (name, symbol) in symbols.iter().filter(|(_, symbol)| symbol[12] & 15 == FUNCTION) {
        let field = |at| number(*symbol, at, 4);
        functions.push(Function {
            name: String::from_utf8_lossy(name).into_owned(),
            address: u32::try_from(field(4)?)? & !1,
            len: u32::try_from(field(8)?)?,
        });
    }
    Ok(functions)
}

/// A name, and an entry of the symbol table.
type Symbol<'f> = (&'f [u8], &'f [u8; 16]);

/// The symbol table.
fn symbols(file: &[u8]) -> Result<Vec<Symbol<'_>>, Failure> {
    let (symbols, names) = (section(file, b".symtab\0")?, section(file, b".strtab\0")?);
    let mut named = Vec::new();
    for symbol in symbols.as_chunks::<16>().0 {
        let name = names
            .get(usize::try_from(number(symbol, 0, 4)?)?..)
            .unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        named.push((name, symbol));
    }
    Ok(named)
}

/// What an image executes, without the constants between its functions (ELF for the Arm Architecture, mapping symbols).
pub(crate) struct Code<'f> {
    sections: Vec<(u32, &'f [u8])>,
    /// Where instructions begin and where constants do.
    kinds: BTreeMap<u32, bool>,
}

impl Code<'_> {
    /// The halfword of an instruction at `address`, if one is there.
    pub(crate) fn half(&self, address: u32) -> Option<u16> {
        let (_, is_code) = self.kinds.range(..=address).next_back()?;
        if !is_code {
            return None;
        }
        self.sections.iter().find_map(|(start, bytes)| {
            let at = usize::try_from(address.checked_sub(*start)?).ok()?;
            Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
        })
    }
}

/// The code of an image.
pub(crate) fn code(file: &[u8]) -> Result<Code<'_>, Failure> {
    let mut kinds = BTreeMap::new();
    for (name, symbol) in symbols(file)? {
        let address = u32::try_from(number(symbol, 4, 4)?)?;
        match name.get(..2) {
            Some(b"$t") => kinds.insert(address, true),
            Some(b"$d") => kinds.insert(address, false),
            _ => None,
        };
    }
    Ok(Code {
        sections: sections(file, b"\0")?,
        kinds,
    })
}

/// All aligned words that are loaded: among them are the addresses of functions that tables hold. Those that only the
/// processor jumps to are left out.
pub(crate) fn words(file: &[u8]) -> Result<BTreeSet<u32>, Failure> {
    let flash = sections(file, b".vector_table\0")?;
    let words = flash.iter().flat_map(|(_, bytes)| bytes.as_chunks::<4>().0);
    Ok(words.map(|word| u32::from_le_bytes(*word)).collect())
}

/// Sections that lie in flash, with their addresses, but for one.
fn sections<'f>(file: &'f [u8], without: &[u8]) -> Result<Vec<(u32, &'f [u8])>, Failure> {
    let table = Table::read(file)?;
    let mut sections = Vec::new();
    for index in 0..table.count {
        let header = table.header(index)?;
        if header.flags & ALLOC != 0 && header.kind != NOBITS && !header.name.starts_with(without) {
            sections.push((u32::try_from(header.address)?, content(file, &header)?));
        }
    }
    Ok(sections)
}

/// The section table of a 32-bit little-endian image (TIS ELF 1.2, figures 1-3 and 1-8).
struct Table<'f> {
    file: &'f [u8],
    start: u64,
    entry: u64,
    count: u64,
    names: u64,
}

struct Header<'f> {
    /// The name, and what follows it.
    name: &'f [u8],
    kind: u64,
    flags: u64,
    address: u64,
    offset: u64,
    len: u64,
}

impl<'f> Table<'f> {
    fn read(file: &'f [u8]) -> Result<Self, Failure> {
        if file.get(..6) != Some(b"\x7fELF\x01\x01") {
            return Err("not a 32-bit little-endian ELF file".into());
        }
        let (start, entry, count) = (number(file, 32, 4)?, number(file, 46, 2)?, number(file, 48, 2)?);
        let names = start + number(file, 50, 2)? * entry;
        let names = number(file, usize::try_from(names)? + 16, 4)?;
        Ok(Self {
            file,
            start,
            entry,
            count,
            names,
        })
    }

    fn header(&self, index: u64) -> Result<Header<'f>, Failure> {
        let at = usize::try_from(self.start + index * self.entry)?;
        let field = |offset| number(self.file, at + offset, 4);
        let name = usize::try_from(self.names + field(0)?)?;
        Ok(Header {
            name: self.file.get(name..).ok_or("ELF file ends early")?,
            kind: field(4)?,
            flags: field(8)?,
            address: field(12)?,
            offset: field(16)?,
            len: field(20)?,
        })
    }
}

fn number(file: &[u8], at: usize, len: usize) -> Result<u64, Failure> {
    let bytes = file.get(at..at + len).ok_or("ELF file ends early")?;
    Ok(bytes
        .iter()
        .rev()
        .fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: &[u8] = b"\0.test_data\0";

    fn named(name: u32, kind: u32, flags: u32, address: u32, len: u32) -> Vec<u8> {
        // The names follow the file header.
        [name, kind, flags, address, 52, len, 0, 0, 0, 0]
            .map(u32::to_le_bytes)
            .concat()
    }

    fn section(kind: u32, flags: u32, address: u32, len: u32) -> Vec<u8> {
        named(0, kind, flags, address, len)
    }

    fn file(sections: &[Vec<u8>]) -> Vec<u8> {
        let mut file = b"\x7fELF\x01\x01".to_vec();
        file.resize(52, 0);
        file.extend(NAMES);
        let table = u32::try_from(file.len()).unwrap();
        file[32..36].copy_from_slice(&table.to_le_bytes());
        file[46..48].copy_from_slice(&40u16.to_le_bytes());
        file[48..50].copy_from_slice(&u16::try_from(sections.len()).unwrap().to_le_bytes());
        file.extend(sections.concat());
        file
    }

    #[test]
    fn initialised_statics_count_twice_and_debug_sections_not_at_all() {
        let image = file(&[
            section(1, 6, 0x400, 1000),
            section(1, 3, 0x2000_0000, 20),
            section(8, 3, 0x2000_0014, 300),
            section(8, 3, 0x2100_0000, 65_536),
            section(1, 0, 0, 9999),
        ]);
        assert_eq!(
            sizes(&image).unwrap(),
            Sizes {
                flash: 1020,
                ram: 320
            }
        );
    }

    #[test]
    fn test_data_is_not_counted() {
        let image = file(&[named(1, 1, 2, 0x400, 5000), section(1, 2, 0x2000, 7)]);
        assert_eq!(sizes(&image).unwrap(), Sizes { flash: 7, ram: 0 });
    }

    #[test]
    fn a_cut_file_is_refused() {
        let mut image = file(&[section(1, 6, 0x400, 1000)]);
        image.pop();
        assert!(sizes(&image[..70]).is_err());
        assert!(sizes(b"\x7fELF\x02\x01").is_err());
    }
}
