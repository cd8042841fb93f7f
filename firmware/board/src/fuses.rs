//! A counter that never goes down: a word of a page that is never erased for each number.

use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec_core::hal::{CounterError, MonotonicCounter};

use crate::{
    flash::{Flash, MAP, PAGE, WORD},
    options::Cut,
};

/// The counter. What it counts is how many words were programmed, whole or in part.
pub struct Fuses(Flash);

impl Fuses {
    /// The counter of the board.
    pub fn new(cut: Option<Cut>) -> Self {
        Self(Flash::new(cut))
    }

    fn place(number: u64) -> Option<u32> {
        let number = u32::try_from(number)
            .ok()
            .filter(|number| *number < (PAGE / WORD) as u32)?;
        Some(MAP.fuses().first * MAP.page + number * MAP.word)
    }
}

impl MonotonicCounter for Fuses {
    fn read(&mut self) -> Result<u64, CounterError> {
        let mut count = 0;
        while let Some(at) = Self::place(count) {
            let mut word = [0; WORD];
            self.0.read(at, &mut word).map_err(|_| CounterError::Unreadable)?;
            if word == [0xFF; WORD] {
                break;
            }
            count += 1;
        }
        Ok(count)
    }

    fn advance_to(&mut self, value: u64) -> Result<(), CounterError> {
        for number in self.read()?..value {
            let at = Self::place(number).ok_or(CounterError::Exhausted)?;
            self.0
                .write(at, &[0; WORD])
                .map_err(|_| CounterError::Unreadable)?;
        }
        Ok(())
    }
}
