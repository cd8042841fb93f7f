//! Bare-metal images on emulated boards.

use std::{
    io::Read,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::tool::{self, Failure};

/// No image takes a quarter of this; a hang is a failure, not a wait.
const PATIENCE: Duration = Duration::from_secs(300);

/// A board that QEMU emulates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Board {
    /// QEMU's name for it.
    pub(crate) machine: &'static str,
    /// The core on it.
    pub(crate) core: &'static str,
    /// Instructions of one tick of the images' counter.
    ///
    /// The Cortex-M boards clock their core at 25 MHz, the M33 at 20 MHz: 40 or 50 ns a tick, and `-icount shift=0` lets one nanosecond pass
    /// with each instruction. RISC-V counts instructions itself.
    tick: u64,
}

impl Board {
    /// Cortex-M4 with a floating-point unit.
    pub(crate) const MPS2_AN386: Self = Self {
        machine: "mps2-an386",
        core: "Cortex-M4F",
        tick: 40,
    };
    /// Runs ARMv6-M code: QEMU's only Cortex-M0 has 16 KB of RAM and room for nothing else.
    pub(crate) const MPS2_AN385: Self = Self {
        machine: "mps2-an385",
        core: "Cortex-M3",
        tick: 40,
    };
    /// Cortex-M33, started in the secure state, with its memory elsewhere.
    pub(crate) const MPS2_AN505: Self = Self {
        machine: "mps2-an505",
        core: "Cortex-M33",
        tick: 50,
    };
    /// A 32-bit RISC-V core.
    pub(crate) const RISCV_VIRT: Self = Self {
        machine: "virt",
        core: "RV32IMAC",
        tick: 1,
    };

    /// The instructions that passed in `ticks`.
    pub(crate) const fn instructions(self, ticks: u64) -> u64 {
        ticks * self.tick
    }
}

/// The emulator of a board, with what to boot from, and without a monitor on the terminal.
pub(crate) fn command(machine: &str) -> Command {
    let mut command = if machine == Board::RISCV_VIRT.machine {
        let mut command = Command::new(RISCV);
        command.args(["-bios", "none"]);
        command
    } else {
        Command::new("qemu-system-arm")
    };
    command.args(["-M", machine, "-nographic", "-monitor", "none"]);
    command
}

const RISCV: &str = "qemu-system-riscv32";

/// Fails with what to install when QEMU is missing.
pub(crate) fn need() -> Result<(), Failure> {
    tool::need(
        "qemu-system-arm",
        "apt-get install --no-install-recommends qemu-system-arm",
    )
}

/// Fails with what to install when QEMU for RISC-V is missing.
pub(crate) fn need_riscv() -> Result<(), Failure> {
    tool::need(RISCV, "apt-get install --no-install-recommends qemu-system-misc")
}

/// Runs `image` on `board` until it ends itself, and returns what it printed; an error unless it exits with 0.
pub(crate) fn run(image: &Path, board: Board) -> Result<String, Failure> {
    run_with(image, board, &[], PATIENCE)
}

/// As [`run`], with more arguments for QEMU and another patience.
pub(crate) fn run_with(
    image: &Path,
    board: Board,
    args: &[&str],
    patience: Duration,
) -> Result<String, Failure> {
    let mut child = command(board.machine)
        .args(["-serial", "null"])
        .args(["-semihosting-config", "enable=on,target=native"])
        .args(["-icount", "shift=0", "-kernel"])
        .arg(image)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()?;
    let stdout = child.stdout.take();
    let reader = thread::spawn(move || {
        let mut printed = String::new();
        stdout.map_or(Ok(0), |mut stdout| stdout.read_to_string(&mut printed))?;
        Ok::<_, std::io::Error>(printed)
    });
    let deadline = Instant::now() + patience;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(Duration::from_millis(5));
    };
    let printed = reader.join().map_err(|_| "the reader of QEMU's output died")??;
    let name = image.file_name().unwrap_or_default().display();
    match status {
        Some(status) if status.success() => Ok(printed),
        Some(status) => Err(format!("{name} on {}: {status}\n{printed}", board.machine).into()),
        None => Err(format!(
            "{name} on {}: no end after {patience:?}\n{printed}",
            board.machine
        )
        .into()),
    }
}
