//! How far a long run has come.

use std::{
    io::IsTerminal as _,
    time::{Duration, Instant},
};

/// Rate and time left: one line that changes on a terminal, otherwise a line now and then.
pub(super) struct Meter {
    count: u32,
    from: u32,
    begun: Instant,
    shown: Instant,
    terminal: bool,
}

impl Meter {
    pub(super) fn new(count: u32, from: u32) -> Self {
        Self {
            count,
            from,
            begun: Instant::now(),
            shown: Instant::now(),
            terminal: std::io::stderr().is_terminal(),
        }
    }

    pub(super) fn show(&mut self, done: u32) {
        let pause = if self.terminal { 200 } else { 5_000 };
        if self.shown.elapsed() < Duration::from_millis(pause) {
            return;
        }
        self.shown = Instant::now();
        let rate = f64::from(done - self.from) / self.begun.elapsed().as_secs_f64().max(0.001);
        let left = (f64::from(self.count - done) / rate.max(0.001)).ceil();
        let line = format!(
            "{done} of {} units, {rate:.0} a second, {left} s left",
            self.count
        );
        if self.terminal {
            let tenths = u64::from(done) * 20 / u64::from(self.count);
            let bar = "#".repeat(usize::try_from(tenths).unwrap_or(0));
            eprint!("\r[{bar:<20}] {line}\x1b[K");
        } else {
            eprintln!("{line}");
        }
    }

    pub(super) fn done(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}
