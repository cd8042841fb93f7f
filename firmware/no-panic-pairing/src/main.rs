//! The device's side of a pairing, with P-256 in software: what of it can panic is listed in `xtask/src/no_panic.rs`.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{
    credential::{
        PhysicalPresence, StorageError, Throttle, ThrottleStorage,
        pairing::{CONFIRM_LEN, PairingError, PairingNames, PairingRecord, PairingWindow, SHARE_LEN},
    },
    crypto::CryptoError,
    hal::Millis,
};
use no_panic::{Hardware, halt, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    black_box(pair(unknown(&input)).is_ok());
    halt()
}

fn pair(input: &[u8]) -> Result<(), PairingError> {
    let (storage, now) = (&mut Anything, Millis(black_box(7)));
    let record = PairingRecord::parse(input)?;
    let names = PairingNames::new(input, input)?;
    let length = Millis(black_box(900));
    let mut window = PairingWindow::by_presence(storage, &mut Somebody, now, length)?;
    black_box(window.status(storage, now).is_ok());
    let share = black_box([4; SHARE_LEN]);
    let (waiting, answer) = window.answer(storage, now, &record, names, &share, &mut Hardware, &Hardware)?;
    black_box(answer);
    let confirm = black_box([0; CONFIRM_LEN]);
    let (proof, keys) = window.finish(storage, now, waiting, &confirm, &Hardware)?;
    black_box((proof.scheme(), keys.exporter().expose()));
    Ok(())
}

struct Somebody;

impl PhysicalPresence for Somebody {
    fn is_asserted(&mut self) -> bool {
        black_box(true)
    }
}

/// A count that may be anything and fail at any time.
struct Anything;

impl ThrottleStorage for Anything {
    fn load(&mut self, record: &mut [u8; Throttle::LEN]) -> Result<Option<usize>, StorageError> {
        *record = black_box([0; Throttle::LEN]);
        black_box(Ok(Some(0)))
    }

    fn save(&mut self, record: &[u8; Throttle::LEN]) -> Result<(), StorageError> {
        black_box(record);
        black_box(Err(StorageError::of(&CryptoError::Driver)))
    }
}
