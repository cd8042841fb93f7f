//! Work for many units at once.

use std::thread;

use super::unit::{Unit, Units};
use crate::Problem;

/// Units that are worked on at the same time.
const TOGETHER: usize = 128;
/// Workers. Most of the time they wait for the disk, so that there are more of them than processors.
const WORKERS: usize = 8;

/// The next units; none behind the last.
pub(super) fn some(units: &mut Units<'_>) -> Result<Vec<Unit>, Problem> {
    let mut some = Vec::with_capacity(TOGETHER);
    while some.len() < TOGETHER
        && let Some(unit) = units.next()?
    {
        some.push(unit);
    }
    Ok(some)
}

/// What `make` makes of each unit, in their order; the first failure otherwise.
pub(super) fn each<T: Send>(
    units: &[Unit],
    make: impl Fn(&Unit) -> Result<T, Problem> + Sync,
) -> Result<Vec<T>, Problem> {
    let share = units.len().div_ceil(WORKERS).max(1);
    let (make, failed) = (&make, || {
        Problem::new("Thread", "a thread ended early", "run the same command again")
    });
    thread::scope(|scope| {
        let workers: Vec<_> = units
            .chunks(share)
            .map(|share| scope.spawn(move || share.iter().map(make).collect::<Result<Vec<T>, _>>()))
            .collect();
        let mut made = Vec::with_capacity(units.len());
        for worker in workers {
            made.extend(worker.join().unwrap_or_else(|_| Err(failed()))?);
        }
        Ok(made)
    })
}
