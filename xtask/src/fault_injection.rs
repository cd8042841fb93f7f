//! A pulse on the supply or the clock can make a core skip an instruction. This skips each one on the way to a
//! decision, and looks at what the device accepts.

mod attack;
mod case;
// Built for the device, and here: what both must know alike.
#[allow(unreachable_pub, reason = "public in the images")]
#[path = "../../firmware/fault-injection/src/device.rs"]
mod device;
mod maker;

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Instant,
};

use attack::Plan;
use case::Case;

use crate::{
    elf,
    image::{self, THUMBV7EM},
    qemu,
    tool::{self, Failure},
};

/// How a run ends, numbered as the images do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The image in this slot runs.
    Accepted(u32),
    /// The device refused.
    Refused,
    /// An exception, a panic included: the device resets.
    Fault,
    /// The instructions are used up: the watchdog resets.
    Hang,
}

impl End {
    const ALL: [Self; 5] = [
        Self::Accepted(0),
        Self::Accepted(1),
        Self::Refused,
        Self::Fault,
        Self::Hang,
    ];
}

const NO_SKIP: Plan = Plan { repeats: 0, every: 0, bytes: 0 };

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let plan = plan(args)?;
    qemu::need()?;
    tool::run(&mut image::build(root, "fault-injection", THUMBV7EM)?)?;
    for case in case::genuine()? {
        attack::run(&path(root, &case), &case, NO_SKIP)?;
    }
    let unprotected = attack(root, &[case::unprotected()?], Plan { every: 1, ..plan })?;
    if unprotected == 0 {
        return Err("a boot loader that decides once withstands: this check sees nothing".into());
    }
    let started = Instant::now();
    let failed = attack(root, &case::attacks()?, plan)?
        + attack(root, &case::software()?, Plan { every: plan.every * 64, repeats: 1, ..plan })?;
    println!("{:?}", started.elapsed());
    if failed > 0 {
        return Err(format!("{failed} skips made the device accept what it must not").into());
    }
    Ok(())
}

fn path(root: &Path, case: &Case) -> std::path::PathBuf {
    image::path(root, THUMBV7EM, case.image)
}

fn plan(args: &[&str]) -> Result<Plan, Failure> {
    let mut plan = Plan { repeats: 16, every: 1, bytes: 0 };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match *arg {
            "--repeats" => plan.repeats = args.next().ok_or("")?.parse()?,
            "--every" => plan.every = args.next().ok_or("")?.parse()?,
            "--quick" => plan.every = 16,
            "--bytes" => plan.bytes = args.next().ok_or("--bytes takes a number")?.parse()?,
            _ => return Err("takes --quick and --bytes N".into()),
        }
    }
    Ok(plan)
}

/// All skips of the cases, on all cores of this machine. Returns how many made the device accept what it must not.
fn attack(root: &Path, cases: &[Case], plan: Plan) -> Result<usize, Failure> {
    let (next, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let workers = thread::available_parallelism()?.get();
    let work = || -> Result<(), String> {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let started = Instant::now();
            let image = path(root, case);
            let report = attack::run(&image, case, plan).map_err(|error| error.to_string())?;
            println!("{}, {}: {} executed, {} skipped {:?}, {:?}", case.image, case.name, report.executed, report.tried(), report.ends, started.elapsed());
            let file = fs::read(&image).map_err(|error| error.to_string())?;
            let functions = elf::functions(&file).map_err(|error| error.to_string())?;
            for skip in &report.wrong {
                let name = functions.iter().find(|f| (f.address..f.address + f.len).contains(&skip.address));
                println!("  WRONG {:#x} after {} in {}", skip.address, skip.after, name.map_or("?", |f| &f.name));
            }
            wrong.fetch_add(report.wrong.len(), Ordering::Relaxed);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread.join().map_err(|_| "a worker died")??;
        }
        Ok::<(), Failure>(())
    })?;
    Ok(wrong.into_inner())
}
