//! Runs the attacked code again and again, each time with one instruction skipped.

use semihosting::{print, println, process};

use crate::{
    core::{Delay, Registers, Stop, go_on},
    device::{ENTRIES, Input, Job},
    landmark::{READY, REFUSED},
    memory,
};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Accepted(u32),
    Refused,
    /// An exception, a panic included: the device resets.
    Fault,
    /// The instructions are used up: the watchdog resets.
    Hang,
}

/// Whether slot B will run, from what the attacked code left.
type HasStaged = fn(&Input) -> bool;

/// How many runs came to which end.
#[derive(Clone, Copy, Default)]
struct Ends {
    accepted: [u32; 2],
    refused: u32,
    fault: u32,
    hang: u32,
}

/// Does the host's job and reports. `attacked` is a function that finds its input where its argument says.
pub(crate) fn run(attacked: extern "C" fn(u32) -> !, has_staged: HasStaged) -> ! {
    let job = memory::job();
    let Some(step) = Delay::step() else {
        println!("the clock does not count instructions");
        process::exit(1)
    };
    memory::prepare(&job.input);
    let mut registers = Registers::at(attacked as usize as u32, memory::INPUT, memory::STACK_TOP);
    if go_on(&mut registers, Delay::long(job.budget)) != Stop::Call(READY) {
        println!("the attack does not begin");
        process::exit(1)
    }
    let (mut ends, mut executed, mut chosen) = (Ends::default(), 0_u32, 0_u32);
    let end = loop {
        if job.every > 0 && is_chosen(registers.place(), job) {
            if chosen % job.every == 0 {
                let end = fork(&registers, job, has_staged);
                ends.count(end);
                if let End::Accepted(slot) = end
                    && job.may_start & 1 << slot == 0
                {
                    println!("wrong {} {}", registers.pc(), executed);
                }
            }
            chosen += 1;
        }
        executed += 1;
        let delay = if job.every > 0 {
            step
        } else {
            Delay::long(job.budget)
        };
        match go_on(&mut registers, delay) {
            Stop::Clock if job.every > 0 => {}
            stop => break End::of(stop, has_staged),
        }
    };
    println!("executed {executed}");
    println!("end {}", end.number());
    print!("ends {} {}", ends.accepted[0], ends.accepted[1]);
    println!(" {} {} {}", ends.refused, ends.fault, ends.hang);
    process::exit(0)
}

/// Whether there were so few visits of this place that the next instruction may be skipped.
fn is_chosen(place: [u32; 3], job: &Job) -> bool {
    let Some(visits) = memory::visit(place) else {
        println!("more places than there is memory for");
        process::exit(1)
    };
    visits <= job.repeats
}

/// The end of the run without the next instruction. Memory is as it was afterwards.
fn fork(registers: &Registers, job: &Job, has_staged: HasStaged) -> End {
    memory::save();
    let mut forked = *registers;
    forked.skip(job.bytes);
    let stop = go_on(&mut forked, Delay::long(job.budget));
    let end = End::of(stop, has_staged);
    memory::restore();
    end
}

impl End {
    fn of(stop: Stop, has_staged: HasStaged) -> Self {
        match stop {
            _ if has_staged(memory::input(memory::INPUT)) => Self::Accepted(1),
            Stop::Call(entry) if entry == ENTRIES[0] => Self::Accepted(0),
            Stop::Call(entry) if entry == ENTRIES[1] => Self::Accepted(1),
            Stop::Call(REFUSED) => Self::Refused,
            // A jump to where no image is.
            Stop::Call(_) | Stop::Fault => Self::Fault,
            Stop::Clock => Self::Hang,
        }
    }

    /// As the host counts ends.
    fn number(self) -> u32 {
        match self {
            Self::Accepted(slot) => slot,
            Self::Refused => 2,
            Self::Fault => 3,
            Self::Hang => 4,
        }
    }
}

impl Ends {
    fn count(&mut self, end: End) {
        let count = match end {
            End::Accepted(0) => &mut self.accepted[0],
            End::Accepted(_) => &mut self.accepted[1],
            End::Refused => &mut self.refused,
            End::Fault => &mut self.fault,
            End::Hang => &mut self.hang,
        };
        *count += 1;
    }
}

/// The input at an address, for code that was told the address by [`run`].
pub fn input<'a>(at: u32) -> &'a mut Input {
    memory::input(at)
}
