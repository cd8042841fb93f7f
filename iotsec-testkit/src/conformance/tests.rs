use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};
use iotsec_core::hal::Region;

use super::{NonConformance, Rule, check};
use crate::{Geometry, SimFlash, SimFlashError};

/// A flash of three pages of 256 bytes and words of 4 that gets one thing wrong.
struct Broken {
    cells: Vec<u8>,
    defect: Defect,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Defect {
    None,
    ErasesToZero,
    EraseSkipsLastByte,
    EraseFails,
    StuckBit,
    AliasedPages,
    PadsToEight,
    OneWordAWrite,
    ErasesNeighbour,
    ReadsWholeWords,
    RoundsWritesDown,
    RoundsErasesUp,
    WrapsAround,
    IgnoresBackwardErase,
    RefusesEmpty,
    TooLarge,
}

impl ErrorType for Broken {
    type Error = SimFlashError;
}

impl ReadNorFlash for Broken {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), SimFlashError> {
        let mut from = offset as usize;
        if self.defect == Defect::WrapsAround {
            from %= self.cells.len();
        }
        if from + bytes.len() > self.cells.len() {
            return Err(SimFlashError::OutOfBounds);
        }
        if bytes.is_empty() && self.defect == Defect::RefusesEmpty {
            return Err(SimFlashError::OutOfBounds);
        }
        if self.defect == Defect::ReadsWholeWords {
            from &= !3;
        }
        bytes.copy_from_slice(&self.cells[from..from + bytes.len()]);
        Ok(())
    }
    fn capacity(&self) -> usize {
        match self.defect {
            Defect::TooLarge => 512,
            _ => self.cells.len(),
        }
    }
}

impl NorFlash for Broken {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 256;
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), SimFlashError> {
        let (mut from, mut bytes) = (offset as usize, bytes.to_vec());
        if self.defect == Defect::RoundsWritesDown {
            from &= !3;
            bytes.truncate(bytes.len() / 4 * 4);
        }
        if from + bytes.len() > self.cells.len() {
            return Err(SimFlashError::OutOfBounds);
        }
        if !from.is_multiple_of(4) || !bytes.len().is_multiple_of(4) {
            return Err(SimFlashError::NotAligned);
        }
        match self.defect {
            Defect::StuckBit if from <= 100 && from + bytes.len() > 100 => bytes[100 - from] |= 1,
            Defect::AliasedPages if !bytes.is_empty() => {
                let other = (from + 256) % self.cells.len();
                let len = bytes.len().min(self.cells.len() - other);
                self.cells[other..other + len].copy_from_slice(&bytes[..len]);
            }
            Defect::PadsToEight if bytes.len() == 4 && !from.is_multiple_of(8) => {
                self.cells[from - 4..from].fill(0);
            }
            Defect::OneWordAWrite => bytes.truncate(256),
            _ => {}
        }
        self.cells[from..from + bytes.len()].copy_from_slice(&bytes);
        Ok(())
    }
    fn erase(&mut self, from: u32, to: u32) -> Result<(), SimFlashError> {
        let (from, mut to) = (from as usize, to as usize);
        if self.defect == Defect::EraseFails {
            return Err(SimFlashError::Injected);
        }
        if self.defect == Defect::RoundsErasesUp {
            to = to.next_multiple_of(256);
        }
        if self.defect == Defect::IgnoresBackwardErase && to < from {
            return Ok(());
        }
        if to > self.cells.len() || from > to {
            return Err(SimFlashError::OutOfBounds);
        }
        if !from.is_multiple_of(256) || !to.is_multiple_of(256) {
            return Err(SimFlashError::NotAligned);
        }
        let byte = if self.defect == Defect::ErasesToZero {
            0
        } else {
            0xFF
        };
        match self.defect {
            Defect::EraseSkipsLastByte => to -= 1,
            Defect::ErasesNeighbour => to = (to + 4).min(self.cells.len()),
            _ => {}
        }
        self.cells[from..to].fill(byte);
        Ok(())
    }
}

fn verdict(defect: Defect) -> Result<(), Rule> {
    let mut flash = Broken {
        cells: vec![0x12; 768],
        defect,
    };
    let region = Region::new(0, 256, 3, 4).unwrap();
    check(&mut flash, &region).map_err(|broken| broken.rule)
}

#[test]
fn each_defect_is_found_under_its_rule() {
    let table = [
        (Defect::None, Ok(())),
        (Defect::TooLarge, Err(Rule::Geometry)),
        (Defect::ErasesToZero, Err(Rule::Erase)),
        (Defect::EraseSkipsLastByte, Err(Rule::Erase)),
        (Defect::EraseFails, Err(Rule::Erase)),
        (Defect::StuckBit, Err(Rule::ReadBack)),
        (Defect::AliasedPages, Err(Rule::ReadBack)),
        (Defect::PadsToEight, Err(Rule::WordByWord)),
        (Defect::OneWordAWrite, Err(Rule::Range)),
        (Defect::ErasesNeighbour, Err(Rule::Neighbours)),
        (Defect::ReadsWholeWords, Err(Rule::ReadAnywhere)),
        (Defect::RoundsWritesDown, Err(Rule::Alignment)),
        (Defect::RoundsErasesUp, Err(Rule::Alignment)),
        (Defect::WrapsAround, Err(Rule::Bounds)),
        (Defect::IgnoresBackwardErase, Err(Rule::Bounds)),
        (Defect::RefusesEmpty, Err(Rule::Empty)),
    ];
    for (defect, expected) in table {
        assert_eq!(verdict(defect), expected, "{defect:?}");
    }
}

#[test]
fn the_simulated_flash_conforms_in_every_geometry() {
    for (name, geometry) in Geometry::table(3) {
        let region = geometry.pages(0, 3).unwrap();
        let mut flash = SimFlash::new(geometry);
        assert_eq!(check(&mut flash, &region), Ok(()), "{name}");
        assert!(
            flash.image().iter().all(|byte| *byte == region.erased()),
            "{name}"
        );
        assert!(flash.wear().iter().all(|erases| *erases <= 24), "{name}");
    }
}

#[test]
fn a_wrong_description_of_the_flash_is_found() {
    let mut flash = SimFlash::new(Geometry::small(4));
    let rule = |flash: &mut SimFlash, region: Region| check(flash, &region).map_err(|broken| broken.rule);
    let one_page = Region::new(0, 256, 1, 4).unwrap();
    assert_eq!(rule(&mut flash, one_page), Err(Rule::Geometry));
    let smaller_pages = Region::new(0, 128, 4, 4).unwrap();
    assert_eq!(rule(&mut flash, smaller_pages), Err(Rule::Erase));
    let smaller_words = Region::new(0, 256, 4, 2).unwrap();
    assert_eq!(rule(&mut flash, smaller_words), Err(Rule::WordByWord));
    let other_erased_value = Region::new(0, 256, 4, 4).unwrap().with_erased(0);
    assert_eq!(rule(&mut flash, other_erased_value), Err(Rule::Erase));
}

#[test]
fn the_offset_of_the_first_difference_is_reported() {
    let mut flash = SimFlash::new(Geometry::small(4));
    flash.make_unstable(300, 0xFF);
    let region = Region::new(256, 256, 2, 4).unwrap();
    let mut stuck = Broken {
        cells: vec![0xFF; 1024],
        defect: Defect::StuckBit,
    };
    assert_eq!(
        check(&mut stuck, &Region::new(0, 256, 2, 4).unwrap()),
        Err(NonConformance {
            rule: Rule::ReadBack,
            offset: 100
        })
    );
    assert_eq!(
        check(&mut flash, &region),
        Ok(()),
        "an erase makes the bit stable"
    );
}
