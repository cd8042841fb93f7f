//! A pulse on the supply or the clock can make a core skip an instruction. This skips each one on the way to a
//! decision, and looks at what the device accepts.

mod attack;
mod case;
// Built for the device, and here: what both must know alike.
#[allow(unreachable_pub, reason = "public in the images")]
#[path = "../../firmware/fault-injection/src/device.rs"]
#[allow(dead_code, reason = "some is for the images alone")]
mod device;
mod maker;
mod mcuboot;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    thread,
    time::Instant,
};

use attack::{Plan, Report};
use case::Case;

use crate::{
    elf,
    image::{self, THUMBV7EM},
    qemu,
    tool::{self, Failure},
};

/// How a run ends, numbered as the images do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
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

/// Every instruction, and in loops the first two times around.
const FULL: Plan = Plan {
    repeats: 2,
    every: 1,
    bytes: 0,
};
const QUICK: Plan = Plan {
    repeats: 1,
    every: 16,
    bytes: 0,
};
const NO_SKIP: Plan = Plan {
    repeats: 0,
    every: 0,
    bytes: 0,
};
/// With signatures checked in software a run takes a hundred times as long: of its instructions, one in so many.
const SOFTWARE: u32 = 4096;

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let (plan, only) = options(args)?;
    let started = Instant::now();
    qemu::need()?;
    tool::run(&mut image::build(root, "fault-injection", THUMBV7EM)?)?;
    for case in case::genuine()?.into_iter().chain(mcuboot::genuine()?) {
        attack::run(&path(root, &case), &case, NO_SKIP)?;
    }
    println!("what is genuine is accepted without a fault");

    // As few instructions as this image has are skipped one by one in any case.
    for case in [case::unprotected()?, mcuboot::unprotected()?] {
        let image = case.image;
        let (_, wrong) = attack(root, &[case], FULL)?;
        if wrong == 0 {
            return Err(format!("{image}, which decides once, withstands: this check sees nothing").into());
        }
        println!("{image}, which decides once, falls, as it must: {wrong} ways\n");
    }

    let software = Plan {
        repeats: 1,
        every: SOFTWARE,
        ..plan
    };
    let attacks = [case::attacks()?, mcuboot::attacks()?].concat();
    let mut sums = vec![attack(root, &chosen(attacks, &only), plan)?];
    if plan.every == FULL.every {
        let attacks = [case::software()?, mcuboot::software()?].concat();
        sums.push(attack(root, &chosen(attacks, &only), software)?);
    }
    let tried: u64 = sums.iter().map(|(tried, _)| tried).sum();
    let wrong: usize = sums.iter().map(|(_, wrong)| wrong).sum();
    println!(
        "\n{tried} skips, {wrong} wrongly accepted, in {} s",
        started.elapsed().as_secs()
    );
    if wrong > 0 {
        return Err(format!("{wrong} skips made the device accept what it must not").into());
    }
    Ok(())
}

fn options(args: &[&str]) -> Result<(Plan, String), Failure> {
    let (mut plan, mut only) = (FULL, String::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match (*arg, args.as_slice()) {
            ("--quick", _) => {
                plan = Plan {
                    bytes: plan.bytes,
                    ..QUICK
                }
            }
            ("--bytes", [number, ..]) => {
                plan.bytes = number.parse()?;
                args.next();
            }
            ("--only", [text, ..]) => {
                only = (*text).to_owned();
                args.next();
            }
            _ => return Err("takes --quick, --bytes N and --only TEXT".into()),
        }
    }
    Ok((plan, only))
}

/// The cases whose image or name has this in it.
fn chosen(mut cases: Vec<Case>, only: &str) -> Vec<Case> {
    cases.retain(|case| format!("{}, {}", case.image, case.name).contains(only));
    cases
}

fn path(root: &Path, case: &Case) -> PathBuf {
    image::path(root, THUMBV7EM, case.image)
}

/// All skips of the cases, on all cores of this machine: how many were tried, and how many made the device accept
/// what it must not.
fn attack(root: &Path, cases: &[Case], plan: Plan) -> Result<(u64, usize), Failure> {
    let next = AtomicUsize::new(0);
    let (tried, wrong) = (AtomicU64::new(0), AtomicUsize::new(0));
    let work = || -> Result<(), String> {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let image = path(root, case);
            let report = attack::run(&image, case, plan).map_err(|error| error.to_string())?;
            tell(&image, case, &report).map_err(|error| error.to_string())?;
            tried.fetch_add(report.tried(), Ordering::Relaxed);
            wrong.fetch_add(report.wrong.len(), Ordering::Relaxed);
        }
        Ok(())
    };
    let workers = thread::available_parallelism()?.get();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        for thread in threads {
            thread.join().map_err(|_| "a worker died")??;
        }
        Ok::<(), Failure>(())
    })?;
    Ok((tried.into_inner(), wrong.into_inner()))
}

/// Prints what came of a case.
fn tell(image: &Path, case: &Case, report: &Report) -> Result<(), Failure> {
    let [a, b, refused, fault, hang] = report.ends;
    let wrong = u64::try_from(report.wrong.len())?;
    let mut text = format!(
        "{}, {}: {} instructions, {} skips: {refused} refused, {} right all the same, {fault} fault, {hang} hang, \
        {wrong} wrongly accepted",
        case.image,
        case.name,
        report.executed,
        report.tried(),
        a + b - wrong,
    );
    let functions = elf::functions(&fs::read(image)?)?;
    for skip in &report.wrong {
        let inside = |function: &&elf::Function| {
            (function.address..function.address + function.len).contains(&skip.address)
        };
        let name = functions
            .iter()
            .find(inside)
            .map_or("?", |function| &function.name);
        text.push_str(&format!(
            "\n  {:#x}, in {name}, after {} instructions",
            skip.address, skip.after
        ));
    }
    println!("{text}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_in_any_order() {
        let given = |args: &[&str]| options(args).map(|(plan, _)| (plan.every, plan.bytes)).ok();
        assert_eq!(given(&[]), Some((1, 0)));
        assert_eq!(given(&["--quick", "--bytes", "4"]), Some((16, 4)));
        assert_eq!(given(&["--bytes", "4", "--quick"]), Some((16, 4)));
        assert_eq!(given(&["--bytes"]), None);
        assert_eq!(given(&["--fast"]), None);
    }
}
