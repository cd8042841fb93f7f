//! One image at work on one case, in QEMU.

use std::{
    env, fs,
    path::Path,
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use super::{End, case::Case, device::Job};
use crate::{
    qemu::{self, Board},
    tool::Failure,
};

const BOARD: Board = Board::MPS2_AN386;
/// Where the images look for the job.
const JOB: u32 = 0x2100_0000;

/// For hundreds of thousands of runs, on a machine that has other work too.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Which instructions are skipped.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    /// An instruction is skipped at most so many times with the same return address and stack pointer.
    pub(super) repeats: u32,
    /// Of what is left, every so many; 0 for none.
    pub(super) every: u32,
    /// Bytes to skip; 0 for one instruction.
    pub(super) bytes: u32,
}

/// What came of it.
#[derive(Default)]
pub(super) struct Report {
    /// Instructions that the undisturbed run executes.
    pub(super) executed: u64,
    /// How many runs ended in which way.
    pub(super) ends: [u64; 5],
    /// How the undisturbed run ended.
    pub(super) end: Option<End>,
    pub(super) wrong: Vec<Wrong>,
}

/// A skip that made the device accept what it must not.
pub(super) struct Wrong {
    pub(super) address: u32,
    /// Instructions executed before it.
    pub(super) after: u64,
}

/// Attacks a case.
pub(super) fn run(image: &Path, case: &Case, plan: Plan) -> Result<Report, Failure> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let job = Job {
        budget: case.budget,
        repeats: plan.repeats,
        every: plan.every,
        bytes: plan.bytes,
        may_start: case.may_start,
        input: case.input,
    };
    let name = format!(
        "iotsec-fault-{}-{}",
        process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    let file = env::temp_dir().join(name);
    fs::write(&file, job.to_bytes())?;
    let loader = format!("loader,file={},addr={JOB:#x},force-raw=on", file.display());
    let printed = qemu::run_with(image, BOARD, &["-device", &loader], PATIENCE);
    fs::remove_file(&file)?;
    let report = Report::read(&printed?)?;
    if report.end == Some(case.expected) {
        return Ok(report);
    }
    let (image, name, expected, end) = (case.image, case.name, case.expected, report.end);
    Err(format!("{image}, {name}: without a fault it ends {end:?} instead of {expected:?}").into())
}

impl Report {
    fn read(printed: &str) -> Result<Self, Failure> {
        let mut report = Self::default();
        let mut complete = false;
        for line in printed.lines() {
            let (what, numbers) = line.split_once(' ').unwrap_or((line, ""));
            let numbers: Result<Vec<u64>, _> = numbers.split(' ').map(str::parse).collect();
            match (what, numbers?.as_slice()) {
                ("wrong", [address, after]) => report.wrong.push(Wrong {
                    address: u32::try_from(*address)?,
                    after: *after,
                }),
                ("executed", [count]) => report.executed = *count,
                ("end", [number]) => report.end = End::ALL.get(usize::try_from(*number)?).copied(),
                ("ends", numbers) => {
                    report.ends = numbers.try_into()?;
                    complete = true;
                }
                _ => return Err(format!("the image says: {line}").into()),
            }
        }
        // An attacked run that found the way to end QEMU would cut the report short.
        if complete {
            Ok(report)
        } else {
            Err(format!("the image stopped early:\n{printed}").into())
        }
    }

    pub(super) fn tried(&self) -> u64 {
        self.ends.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_counts_only_when_it_is_complete() {
        let report = Report::read("wrong 4096 17\nexecuted 90\nend 2\nends 1 0 80 7 2\n").unwrap();
        assert_eq!((report.executed, report.tried(), report.wrong.len()), (90, 90, 1));
        assert_eq!(report.end, Some(End::Refused));
        assert!(Report::read("wrong 4096 17\nexecuted 90\n").is_err());
        assert!(Report::read("the attack does not begin\n").is_err());
    }
}
