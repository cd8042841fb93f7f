//! Time without a clock, and trust anchors that replace each other. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec::net::{
    certificate::{AnchorRotation, AnchorRotationError, AnchorStorage},
    time::{TimeError, TimePolicy, TimeStorage, TrustedTime},
};
use iotsec_core::{credential::StorageError, hal::UnixTime};
use no_panic::{halt, unknown};

struct Record([u8; 512]);

impl TimeStorage for Record {
    fn load(&mut self, record: &mut [u8; TrustedTime::LEN]) -> Result<Option<usize>, StorageError> {
        *record = black_box(*record);
        Ok(black_box(Some(9)))
    }
    fn save(&mut self, record: &[u8; TrustedTime::LEN]) -> Result<(), StorageError> {
        black_box(record);
        Ok(())
    }
}

impl AnchorStorage for Record {
    fn load(&mut self, record: &mut [u8; AnchorRotation::MAX_LEN]) -> Result<Option<usize>, StorageError> {
        *record = black_box(*record);
        Ok(black_box(Some(9)))
    }
    fn save(&mut self, record: &[u8]) -> Result<(), StorageError> {
        black_box(record);
        Ok(())
    }
}

#[entry]
fn main() -> ! {
    let mut record = Record([0; 512]);
    black_box(time(&mut record).is_ok());
    black_box(anchors(&mut record).is_ok());
    halt()
}

fn time(record: &mut Record) -> Result<(), TimeError> {
    let mut time = TrustedTime::load(black_box(UnixTime(1)), record)?;
    time.raise(black_box(UnixTime(2)), record)?;
    time.follow(black_box(Some(UnixTime(3))), record)?;
    black_box(time.certificate_time(black_box(None), black_box(TimePolicy::Strict))?);
    black_box(TrustedTime::reset(black_box(UnixTime(1)), record)?);
    Ok(())
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    black_box(bytes);
    black_box([1; 32])
}

fn anchors(record: &mut Record) -> Result<(), AnchorRotationError> {
    let input = record.0;
    let bundle = black_box([unknown(&input); 8]);
    let bundle = bundle.get(..black_box(8)).unwrap_or_default();
    let mut rotation = AnchorRotation::load(digest, record)?;
    rotation.adopt(bundle, record)?;
    rotation.connected(unknown(&input), bundle, record)?;
    black_box(rotation.retained(bundle));
    rotation.forget(record)
}
