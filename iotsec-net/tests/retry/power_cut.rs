use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};
use iotsec_core::{
    credential::StorageError,
    crypto::Sha256,
    error::ErrorCode,
    hal::{FlashError, Millis},
};
use iotsec_net::retry::{Failure, Retry, RetryPolicy, RetryStorage};
use iotsec_testkit::{Geometry, SimFlash, each_cut};

const MOST: u32 = u32::MAX;

/// The record in two pages in turn, with a number and a digest: as simple as keeps the contract.
struct OnFlash<'f>(&'f mut SimFlash);

impl OnFlash<'_> {
    fn newest(&mut self) -> Option<(u32, u32, [u8; Retry::LEN])> {
        let page_size = self.0.geometry().sector(0).1;
        let mut newest: Option<(u32, u32, [u8; Retry::LEN])> = None;
        for page in [0, page_size] {
            let mut entry = [0; 32];
            if self.0.read(page, &mut entry).is_err() || entry[12..] != Sha256::of(&[&entry[..12]])[..20] {
                continue;
            }
            let number = u32::from_be_bytes(entry[..4].try_into().unwrap());
            if newest.is_none_or(|(_, other, _)| number > other) {
                newest = Some((page, number, entry[4..12].try_into().unwrap()));
            }
        }
        newest
    }
}

impl RetryStorage for OnFlash<'_> {
    fn load(&mut self, record: &mut [u8; Retry::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.newest().map(|(_, _, kept)| {
            *record = kept;
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Retry::LEN]) -> Result<(), StorageError> {
        let failed = |_| StorageError::of(&FlashError::Driver);
        let page_size = self.0.geometry().sector(0).1;
        let (page, number) = match self.newest() {
            Some((0, number, _)) => (page_size, number + 1),
            Some((_, number, _)) => (0, number + 1),
            None => (0, 0),
        };
        let mut entry = [0; 32];
        entry[..4].copy_from_slice(&number.to_be_bytes());
        entry[4..12].copy_from_slice(record);
        let digest = Sha256::of(&[&entry[..12]]);
        entry[12..].copy_from_slice(&digest[..20]);
        self.0.erase(page, page + page_size).map_err(failed)?;
        self.0.write(page, &entry).map_err(failed)
    }
}

fn boot(flash: &mut SimFlash) -> Retry {
    Retry::restore(RetryPolicy::DEFAULT, &mut OnFlash(flash), Millis(0), MOST).unwrap()
}

/// Every attempt that reached the network is in the record, wherever the power went.
#[test]
fn an_attempt_is_in_flash_before_it_is_made_at_every_cut() {
    let mut points = 0;
    for geometry in [
        Geometry::small(2),
        Geometry::stm32l4(2),
        Geometry::nrf52840(2),
        Geometry::erased_zero(2),
    ] {
        let made = std::cell::Cell::new((0_u8, 0_u8));
        points += each_cut(
            || {
                made.set((0, 0));
                SimFlash::new(geometry.clone())
            },
            |flash| {
                // Three attempts, two of them refused.
                let mut retry = boot(flash);
                let mut storage = OnFlash(flash);
                for failure in [Failure::Refused, Failure::Unreachable, Failure::Refused] {
                    let now = retry.due();
                    let attempt = retry.begin(&mut storage, now, 0)?;
                    made.set((made.get().0 + 1, made.get().1));
                    retry.failed(&mut storage, attempt, failure, now, 0)?;
                    made.set((made.get().0, made.get().1 + u8::from(failure == Failure::Refused)));
                }
                Ok::<(), iotsec_net::retry::RetryError>(())
            },
            |flash, _| {
                let status = boot(flash).status();
                let (attempts, refusals) = made.get();
                assert!(
                    status.attempts >= attempts,
                    "{status:?} after {attempts} attempts"
                );
                assert!(
                    status.attempts <= attempts + 1,
                    "{status:?} after {attempts} attempts"
                );
                assert!(
                    status.refusals >= refusals,
                    "{status:?} after {refusals} refusals"
                );
            },
        );
    }
    println!("{points} cut points");
    assert!(points > 50, "{points}");
}

/// A cut while the record is cleared leaves it as it was or clear, and never makes the next boot hasty.
#[test]
fn clearing_is_old_or_new() {
    let points = each_cut(
        || {
            let mut flash = SimFlash::new(Geometry::small(2));
            let mut retry = boot(&mut flash);
            let now = retry.due();
            let attempt = retry.begin(&mut OnFlash(&mut flash), now, 0).unwrap();
            retry
                .failed(&mut OnFlash(&mut flash), attempt, Failure::Unreachable, now, 0)
                .unwrap();
            flash
        },
        |flash| {
            let mut retry = boot(flash);
            let mut storage = OnFlash(flash);
            retry
                .repair(&mut storage, Millis(0), 0)
                .map_err(|error| error.code())
        },
        |flash, outcome| {
            let attempts = boot(flash).status().attempts;
            assert!(
                attempts == 0 || (attempts == 1 && !outcome.completed),
                "{attempts}"
            );
        },
    );
    assert!(points > 5, "{points}");
}
