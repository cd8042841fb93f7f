//! The static libraries for microcontrollers, each linked into a C firmware and run in QEMU.

use std::{fs, path::Path, process::Command};

use super::{EXAMPLES, PROGRAMS, example, library, quickstart, refused};
use crate::{
    qemu::{self, Board},
    tool::{self, Failure},
};

/// The firmware that runs on each.
const FIRMWARE: &str = "firmware";

/// A processor without an operating system, and a board that has one.
struct Bare {
    target: &'static str,
    /// The compiler is `PREFIXgcc`.
    prefix: &'static str,
    options: &'static [&'static str],
    board: Board,
    /// Where flash and RAM are, if not where `qemu_board.ld` has them.
    memory: &'static [&'static str],
}

const ARM: &str = "arm-none-eabi-";
const RISCV: &str = "riscv64-unknown-elf-";

/// The first runs every example, the others the firmware.
const ALL: [Bare; 4] = [
    Bare {
        target: "thumbv7em-none-eabihf",
        prefix: ARM,
        options: &[
            "-mcpu=cortex-m4",
            "-mthumb",
            "-mfloat-abi=hard",
            "-mfpu=fpv4-sp-d16",
        ],
        board: Board::MPS2_AN386,
        memory: &[],
    },
    Bare {
        target: "thumbv6m-none-eabi",
        prefix: ARM,
        options: &["-mcpu=cortex-m0", "-mthumb"],
        board: Board::MPS2_AN385,
        memory: &[],
    },
    Bare {
        target: "thumbv8m.main-none-eabi",
        prefix: ARM,
        options: &["-mcpu=cortex-m33+nofp", "-mthumb", "-mfloat-abi=soft"],
        board: Board::MPS2_AN505,
        memory: &["flash_origin=0x10000000", "ram_origin=0x38000000"],
    },
    Bare {
        target: "riscv32imac-unknown-none-elf",
        prefix: RISCV,
        options: &[
            "-march=rv32imac",
            "-mabi=ilp32",
            "-mcmodel=medany",
            "--specs=picolibc.specs",
        ],
        board: Board::RISCV_VIRT,
        memory: &["flash_origin=0x80000000", "ram_origin=0x80200000"],
    },
];

/// Builds and runs for the targets of these names, or for all.
pub(super) fn run(root: &Path, targets: &[&str]) -> Result<(), Failure> {
    if let Some(unknown) = targets
        .iter()
        .find(|name| ALL.iter().all(|bare| bare.target != **name))
    {
        return Err(format!("{unknown} is none of {:?}", ALL.map(|bare| bare.target)).into());
    }
    let [first, ..] = ALL;
    for bare in ALL {
        if !targets.is_empty() && !targets.contains(&bare.target) {
            continue;
        }
        bare.need()?;
        let library = library::build(root, Some(bare.target))?;
        println!("-- {}", bare.target);
        library::exports(root, &library)?;
        library::self_contained(&library, bare.prefix, bare.options)?;
        let programs = if bare.target == first.target {
            &PROGRAMS[..]
        } else {
            &[FIRMWARE]
        };
        for program in programs {
            println!("-- {program}.c on {}", bare.board.core);
            print!("{}", bare.run(root, program, &library, &[])?);
        }
        if bare.target == first.target {
            refused(bare.run(root, super::UPDATE, &library, &[super::FLIPPED]))?;
            quickstart::run(root, "cortex-m", 5)?;
        }
    }
    Ok(())
}

impl Bare {
    /// Fails with what is missing.
    fn need(&self) -> Result<(), Failure> {
        tool::need_target(self.target)?;
        if self.prefix == RISCV {
            tool::need(
                "riscv64-unknown-elf-gcc",
                "apt-get install --no-install-recommends gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf",
            )?;
            qemu::need_riscv()
        } else {
            tool::need(
                "arm-none-eabi-gcc",
                "apt-get install --no-install-recommends gcc-arm-none-eabi libnewlib-arm-none-eabi",
            )?;
            qemu::need()
        }
    }

    fn tool(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn run(&self, root: &Path, name: &str, library: &Path, options: &[&str]) -> Result<String, Failure> {
        let work = root.join("target/c").join(self.target);
        fs::create_dir_all(&work)?;
        let program = work.join(name).with_extension("elf");
        let mut command = example(root, name, &self.tool("gcc"), "qemu_board");
        command.args(self.options).args(options);
        command.args(["-Os", "-ffunction-sections", "-fdata-sections", "-nostartfiles"]);
        command.arg("-Wl,--gc-sections,-z,noexecstack");
        command.args(self.memory.iter().map(|symbol| format!("-Wl,--defsym={symbol}")));
        command.arg("-T").arg(root.join(EXAMPLES).join("qemu_board.ld"));
        tool::run(command.arg(library).arg("-o").arg(&program))?;
        self.no_heap(&program)?;
        let size = tool::text(Command::new(self.tool("size")).arg(&program))?;
        Ok(size + &qemu::run(&program, self.board)?)
    }

    /// Neither side asks for a heap.
    fn no_heap(&self, program: &Path) -> Result<(), Failure> {
        let symbols = tool::text(Command::new(self.tool("nm")).arg(program))?;
        let heap = ["malloc", "_malloc_r", "_sbrk", "sbrk", "__rust_alloc"];
        match symbols
            .lines()
            .filter_map(|line| line.rsplit(' ').next())
            .find(|name| heap.contains(name))
        {
            Some(name) => Err(format!("{} was linked: {name}", program.display()).into()),
            None => Ok(()),
        }
    }
}
