//! How much flash and RAM an ELF image takes, from its section table.

use crate::tool::Failure;

/// Bytes that an image occupies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// Code, constants and the initial values of statics.
    pub(crate) flash: u64,
    /// Statics, initialised or not; without the stack.
    pub(crate) ram: u64,
}

/// Where a Cortex-M has RAM (Armv7-M Architecture Reference Manual, B3.1).
const RAM: std::ops::Range<u64> = 0x2000_0000..0x2100_0000;
const NOBITS: u64 = 8;
const ALLOC: u64 = 2;
/// Input that an image brings along to have something to work on.
const NOT_COUNTED: &[u8] = b".test_data\0";

/// Reads the section table of a 32-bit little-endian image (TIS ELF 1.2, figure 1-8).
pub(crate) fn sizes(file: &[u8]) -> Result<Sizes, Failure> {
    if file.get(..6) != Some(b"\x7fELF\x01\x01") {
        return Err("not a 32-bit little-endian ELF file".into());
    }
    let (table, entry, count) = (number(file, 32, 4)?, number(file, 46, 2)?, number(file, 48, 2)?);
    let header = |index: u64| usize::try_from(table + index * entry);
    let names = number(file, header(number(file, 50, 2)?)? + 16, 4)?;
    let mut sizes = Sizes::default();
    for index in 0..count {
        let at = header(index)?;
        let field = |offset| number(file, at + offset, 4);
        let name = file
            .get(usize::try_from(names + field(0)?)?..)
            .ok_or("ELF file ends early")?;
        if name.starts_with(NOT_COUNTED) {
            continue;
        }
        let (kind, flags, address, len) = (field(4)?, field(8)?, field(12)?, field(20)?);
        if flags & ALLOC == 0 {
            continue;
        }
        // Everything that is loaded lies in flash, also the first content of what later lives in RAM.
        if kind != NOBITS {
            sizes.flash += len;
        }
        if RAM.contains(&address) {
            sizes.ram += len;
        }
    }
    Ok(sizes)
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
        file[32..36].copy_from_slice(&u32::try_from(file.len()).unwrap().to_le_bytes());
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
