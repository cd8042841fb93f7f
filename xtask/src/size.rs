//! `docs/footprint.md`: what each part costs on a microcontroller, measured.

mod budget;
mod class1;
mod flags;
mod linux;
mod peers;
mod probe;

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use probe::{ON_RISCV, PROBES};

use crate::{
    elf,
    image::{self, RISCV32IMAC, THUMBV6M, THUMBV7EM_HF},
    qemu::{self, Board},
    stack,
    tool::{self, Failure},
};

const FILE: &str = "docs/footprint.md";
/// How far numbers may differ, in thousandths. The compiler orders functions by hashes over the paths of the
/// packages, so that an image built in another folder differs by some bytes of padding.
const SAME_COMPILER: u64 = 5;
/// The same when another compiler made them.
const OTHER_COMPILER: u64 = 100;

/// Costs by target and image.
type Measured = BTreeMap<(&'static str, &'static str), Cost>;

#[derive(Clone, Copy)]
struct Cost {
    flash: u64,
    ram: u64,
    stack: u64,
    /// What no run exceeds, where machine code is read.
    bound: Option<u64>,
    instructions: u64,
}

/// What `harness::measure` calls.
const PROBE: &str = "7measure4call";
/// Bytes that the measuring leaves unpainted and counts as used.
const MARGIN: u64 = 256;

/// Images whose stack cannot be bounded from their code, what the refusal then names, and why that is so.
const UNBOUNDED: [(&str, &str, &str); 2] = [
    (
        "certificate",
        "build_chain_inner",
        "webpki follows a chain by calling itself, for six intermediates at most",
    ),
    (
        "setup_label",
        "text is formatted",
        "the document for the app is written through `core::fmt`",
    ),
];

/// Whose images are measured, each by itself where its dependencies turn on features of others.
const PACKAGES: [&str; 3] = ["footprint", "footprint-pairing", "footprint-c"];

/// Where images run.
pub(crate) const TARGETS: [(&str, Board); 3] = [
    (THUMBV7EM_HF, Board::MPS2_AN386),
    (THUMBV6M, Board::MPS2_AN385),
    (RISCV32IMAC, Board::RISCV_VIRT),
];

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let check = match args {
        [] => false,
        ["--check"] => true,
        ["--flags"] => return flags::renew(root, &root.join(FILE)),
        _ => return Err("takes --check, --flags or nothing".into()),
    };
    qemu::need()?;
    qemu::need_riscv()?;
    let compiler = tool::text(Command::new("rustc").arg("--version"))?;
    let mut document = introduction(compiler.trim());
    let mut measured = Measured::new();
    for (target, board) in TARGETS {
        let on_riscv = target == RISCV32IMAC;
        if on_riscv {
            let bins = ON_RISCV.iter().flat_map(|name| ["--bin", name]);
            tool::run(image::build(root, "footprint", target)?.args(bins))?;
        } else {
            for package in PACKAGES {
                tool::run(&mut image::build(root, package, target)?)?;
            }
        }
        let empty = measure(root, target, board, "empty")?;
        measured.insert((target, "empty"), empty);
        document.push_str(&heading(target, board, &empty));
        for (name, about) in PROBES {
            if on_riscv && !ON_RISCV.contains(name) {
                continue;
            }
            let cost = measure(root, target, board, name)?;
            document.push_str(&row(about, &cost, &empty));
            measured.insert((target, name), cost);
        }
    }
    document.push_str(&linux::section(root)?);
    document.push_str(&class1::section(&measured));
    let committed = fs::read_to_string(root.join(FILE)).unwrap_or_default();
    document.push_str(&flags::section(&measured, &committed)?);
    document.push_str(peers::section());
    document.push_str(&budget::section());
    print!("{document}");
    settle(&root.join(FILE), &document, check)?;
    let exceeded = budget::excess(&measured);
    if exceeded.is_empty() {
        return Ok(());
    }
    Err(format!("budgets exceeded:\n{}", exceeded.join("\n")).into())
}

fn measure(root: &Path, target: &str, board: Board, name: &str) -> Result<Cost, Failure> {
    let path = image::path(root, target, name);
    let file = fs::read(&path)?;
    let sizes = elf::sizes(&file)?;
    let bound = bound(&file, target, name)?;
    let printed = qemu::run(&path, board)?;
    let Reported { stack, ticks } = reported(&printed, name)?;
    if bound.is_some_and(|bound: u64| bound.max(MARGIN) < stack) {
        return Err(format!("{name} used {stack} bytes of stack, beyond its bound of {bound:?}").into());
    }
    Ok(Cost {
        flash: sizes.flash,
        ram: sizes.ram,
        stack,
        bound,
        instructions: board.instructions(ticks),
    })
}

/// What an image says of itself.
struct Reported {
    stack: u64,
    ticks: u64,
}

fn reported(printed: &str, name: &str) -> Result<Reported, Failure> {
    let number = |label: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(label));
        line.and_then(|number| number.trim().parse::<u64>().ok())
            .ok_or_else(|| format!("{name} did not report its {label}:\n{printed}"))
    };
    Ok(Reported {
        stack: number("stack")?,
        ticks: number("ticks")?,
    })
}

/// The bound of an image whose machine code is read.
fn bound(file: &[u8], target: &str, name: &str) -> Result<Option<u64>, Failure> {
    if target != THUMBV7EM_HF {
        return Ok(None);
    }
    let known = UNBOUNDED.iter().find(|(image, ..)| *image == name);
    match (stack::bound(file, PROBE), known) {
        (Ok(bound), None) => Ok(Some(bound.into())),
        (Ok(_), Some(_)) => Err(format!("{name} has a bound after all: take it from the list").into()),
        (Err(error), Some((_, named, _))) if error.to_string().contains(named) => Ok(None),
        (Err(error), _) => Err(format!("{name}: {error}").into()),
    }
}

fn introduction(compiler: &str) -> String {
    format!(
        "# Footprint\n\n\
        Generated by `cargo xtask size` from the images in `firmware/footprint`, `firmware/footprint-pairing` and \
        `firmware/footprint-c`, with the profile and flags of `firmware/`; `cargo xtask size --check` fails when a number has drifted by more than half a per cent.\n\n\
        Compiler: {compiler}\n\n\
        - Flash is code and constants beyond those of an image that does nothing. The slot that a device left the factory \
        with is in the simulated flash when it is switched on; the driver of that flash is counted.\n\
        - RAM is statics beyond those of that image: the SDK has none of its own, what a row needs lies on the \
        stack or in buffers that the caller provides.\n\
        - Stack is the deepest point reached, painted and measured, with the buffers that the image keeps there.\n\
        - Stack at most is what no run exceeds, whatever the input: the frames in the machine code, summed along the deepest \
        path of calls, without what a product does when it panics. A call through a pointer may reach every function whose \
        address the image has, but for two callers in the SDK whose pointers are of one type. No path calls itself and none \
        formats text, which this shows too{}.\n\
        - Instructions are counted by QEMU, on Cortex-M in steps of 40. They repeat exactly, and they are not cycles. What \
        the simulated flash takes is among them: about ten instructions a byte.\n\
        - Rows share code: the flash of two features together is less than the sum.\n",
        unbounded()
    )
}

/// What has no bound, as the end of a sentence.
fn unbounded() -> String {
    let [(.., first), (.., second)] = UNBOUNDED;
    format!(", but for two: {first}, and {second}")
}

fn heading(target: &str, board: Board, empty: &Cost) -> String {
    format!(
        "\n## {target}\n\n\
        Measured on QEMU's {} ({}); the image that does nothing has {} bytes of flash.\n\n\
        | what | flash (bytes) | RAM (bytes) | stack (bytes) | stack at most | instructions |\n|---|--:|--:|--:|--:|--:|\n",
        board.machine, board.core, empty.flash
    )
}

fn row(about: &str, cost: &Cost, empty: &Cost) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {} |\n",
        about,
        cost.flash.saturating_sub(empty.flash),
        cost.ram.saturating_sub(empty.ram),
        cost.stack,
        cost.bound
            .map_or_else(|| "–".to_owned(), |bound| bound.to_string()),
        cost.instructions
    )
}

/// Writes the document, or fails when the committed one says something else.
fn settle(path: &Path, document: &str, check: bool) -> Result<(), Failure> {
    if !check {
        return Ok(fs::write(path, document)?);
    }
    let committed =
        fs::read_to_string(path).map_err(|error| format!("{FILE}: {error}; `cargo xtask size` writes it"))?;
    let drift = drift(&committed, document);
    if drift.is_empty() {
        println!("{FILE} holds");
        return Ok(());
    }
    Err(format!(
        "{FILE} has drifted; if that is meant, run `cargo xtask size`:\n{}",
        drift.join("\n")
    )
    .into())
}

/// The lines that differ. Another compiler makes other code, so there a number may be further away.
fn drift(committed: &str, measured: &str) -> Vec<String> {
    let compiler = |document: &str| {
        document
            .lines()
            .find(|line| line.starts_with("Compiler: "))
            .map(str::to_owned)
    };
    let same = compiler(committed) == compiler(measured);
    let slack = if same { SAME_COMPILER } else { OTHER_COMPILER };
    let (old, new): (Vec<_>, Vec<_>) = (committed.lines().collect(), measured.lines().collect());
    let mut drift = Vec::new();
    if old.len() != new.len() {
        drift.push(format!("{} lines committed, {} measured", old.len(), new.len()));
    }
    for (old, new) in old.iter().zip(&new) {
        let other_compiler = !same && new.starts_with("Compiler: ");
        if !other_compiler && !near(old, new, slack) {
            drift.push(format!("- {old}\n+ {new}"));
        }
    }
    drift
}

/// Same words, and numbers within `slack` thousandths of each other.
fn near(old: &str, new: &str, slack: u64) -> bool {
    let (mut old, mut new) = (old.split_whitespace(), new.split_whitespace());
    loop {
        match (old.next(), new.next()) {
            (None, None) => return true,
            (Some(old), Some(new)) if old == new => {}
            (Some(old), Some(new)) => match (old.parse::<u64>(), new.parse::<u64>()) {
                (Ok(old), Ok(new)) if old.abs_diff(new) * 1000 <= old.max(new) * slack => {}
                _ => return false,
            },
            _ => return false,
        }
    }
}

#[cfg(test)]
impl Cost {
    fn new(flash: u64, stack: u64) -> Self {
        Self {
            flash,
            ram: 0,
            stack,
            bound: None,
            instructions: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "Compiler: rustc 1.0\n| a | 1000 | 20 |\n";

    #[test]
    fn the_same_compiler_must_give_almost_the_same_numbers() {
        assert!(drift(OLD, OLD).is_empty());
        assert!(drift(OLD, "Compiler: rustc 1.0\n| a | 1004 | 20 |\n").is_empty());
        assert_eq!(drift(OLD, "Compiler: rustc 1.0\n| a | 1006 | 20 |\n").len(), 1);
        assert_eq!(drift(OLD, "Compiler: rustc 1.0\n| a | 1000 | 21 |\n").len(), 1);
    }

    #[test]
    fn another_compiler_must_give_near_numbers() {
        assert!(drift(OLD, "Compiler: rustc 1.1\n| a | 1090 | 20 |\n").is_empty());
        assert_eq!(drift(OLD, "Compiler: rustc 1.1\n| a | 1200 | 20 |\n").len(), 1);
    }

    #[test]
    fn a_missing_or_renamed_row_is_drift() {
        assert!(!drift(OLD, "Compiler: rustc 1.1\n").is_empty());
        assert!(!drift(OLD, "Compiler: rustc 1.1\n| b | 1000 | 20 |\n").is_empty());
    }
}
