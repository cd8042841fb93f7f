//! `docs/footprint.md`: what each part costs on a microcontroller, measured.

mod linux;

use std::{fs, path::Path, process::Command};

use crate::{
    elf,
    image::{self, THUMBV6M, THUMBV7EM_HF},
    qemu::{self, Board},
    tool::{self, Failure},
};

const FILE: &str = "docs/footprint.md";
/// How far numbers may differ, in thousandths. The compiler orders functions by hashes over the paths of the
/// packages, so that an image built in another folder differs by some bytes of padding.
const SAME_COMPILER: u64 = 5;
/// The same when another compiler made them.
const OTHER_COMPILER: u64 = 100;

/// The name of each image, and what its row says.
const PROBES: &[(&str, &str)] = &[
    ("sha256", "SHA-256 of 4 KiB"),
    ("hkdf", "HKDF-SHA-256, one 32-byte key"),
    (
        "chacha20_poly1305",
        "ChaCha20-Poly1305, 256 bytes sealed and opened",
    ),
    ("aes256_gcm_siv", "AES-256-GCM-SIV, 256 bytes sealed and opened"),
    ("cose_ed25519", "COSE_Sign1 under Ed25519"),
    ("cose_p256", "COSE_Sign1 under P-256"),
    ("cose_both", "one of each"),
    ("credential", "password: check with throttle"),
    ("csr", "identity: request for a certificate, P-256"),
    ("attest", "identity: attestation token, P-256"),
    ("pairing", "identity: the device's side of a pairing (SPAKE2+)"),
    (
        "certificate",
        "net: certificate of a server verified under an anchor, P-256",
    ),
    ("input", "input: five settings read from 227 bytes of JSON"),
    ("surface", "net: interface table, a grant, the debug port checked"),
    (
        "document_json",
        "input: the same settings as a document with bounds, from JSON",
    ),
    ("document_cbor", "input: the same document from 159 bytes of CBOR"),
    ("store", "store: mount, put and get 32 bytes"),
    ("update_verify", "update: authenticate and admit, Ed25519"),
    (
        "update_verify_small",
        "update: the same, the small Ed25519 backend",
    ),
    ("update_verify_p256", "update: the same, P-256"),
    (
        "update_install",
        "update: authenticate, admit and install 5000 bytes, Ed25519",
    ),
    (
        "update_delta",
        "update: the same with a patch of 103 bytes for an image of 1841, Ed25519",
    ),
    (
        "boot_verify",
        "boot: choose a slot, authenticate, measure 4 KiB, Ed25519",
    ),
    ("boot_verify_small", "boot: the same, the small Ed25519 backend"),
    (
        "retry",
        "net: when to try again, an attempt that fails and one that lasts",
    ),
    ("telemetry", "telemetry: record an event, seal a batch"),
    (
        "setup_label",
        "device: opened, set up by its label's password, owned (PBKDF2 of 10,000 iterations in it)",
    ),
    ("all", "boot, update, store, password and telemetry together"),
];

/// What an image may take at most on [`BUDGET_TARGET`]; `--check` fails beyond.
struct Budget {
    image: &'static str,
    flash: u64,
    stack: u64,
}

const BUDGET_TARGET: &str = THUMBV7EM_HF;
const KIB: u64 = 1024;
const BUDGETS: &[Budget] = &[
    Budget {
        image: "update_verify",
        flash: 40 * KIB,
        stack: 11 * KIB,
    },
    Budget {
        image: "update_verify_small",
        flash: 29 * KIB,
        stack: 15 * KIB / 2,
    },
    Budget {
        image: "boot_verify",
        flash: 46 * KIB,
        stack: 10 * KIB,
    },
    Budget {
        image: "boot_verify_small",
        flash: 36 * KIB,
        stack: 13 * KIB / 2,
    },
];

struct Cost {
    flash: u64,
    ram: u64,
    stack: u64,
    instructions: u64,
}

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let check = match args {
        [] => false,
        ["--check"] => true,
        _ => return Err("takes --check or nothing".into()),
    };
    qemu::need()?;
    let compiler = tool::text(Command::new("rustc").arg("--version"))?;
    let mut document = introduction(compiler.trim());
    let mut exceeded = Vec::new();
    for (target, board) in [(THUMBV7EM_HF, Board::MPS2_AN386), (THUMBV6M, Board::MPS2_AN385)] {
        for package in ["footprint", "footprint-pairing"] {
            tool::run(&mut image::build(root, package, target)?)?;
        }
        let empty = measure(root, target, board, "empty")?;
        document.push_str(&heading(target, board, &empty));
        for (name, about) in PROBES {
            let cost = measure(root, target, board, name)?;
            document.push_str(&row(about, &cost, &empty));
            if target == BUDGET_TARGET {
                exceeded.extend(excess(name, cost.flash.saturating_sub(empty.flash), cost.stack));
            }
        }
    }
    document.push_str(&linux::section(root)?);
    document.push_str(&budgets());
    print!("{document}");
    settle(&root.join(FILE), &document, check)?;
    if exceeded.is_empty() {
        return Ok(());
    }
    Err(format!("budgets exceeded:\n{}", exceeded.join("\n")).into())
}

/// What is over the budget of an image, if it has one.
fn excess(image: &str, flash: u64, stack: u64) -> Vec<String> {
    let budgets = BUDGETS.iter().filter(|budget| budget.image == image);
    budgets
        .flat_map(|budget| [("flash", flash, budget.flash), ("stack", stack, budget.stack)])
        .filter(|(_, taken, most)| taken > most)
        .map(|(what, taken, most)| format!("{image}: {taken} bytes of {what}, {most} at most"))
        .collect()
}

fn budgets() -> String {
    let mut text = format!(
        "\n## Budgets\n\n\
        On {BUDGET_TARGET}; `cargo xtask size` fails when a row exceeds its budget.\n\n\
        | what | flash (bytes) | stack (bytes) |\n|---|--:|--:|\n"
    );
    for budget in BUDGETS {
        let about = PROBES.iter().find(|(name, _)| *name == budget.image);
        let about = about.map_or(budget.image, |(_, about)| about);
        text.push_str(&format!("| {about} | {} | {} |\n", budget.flash, budget.stack));
    }
    text
}

fn measure(root: &Path, target: &str, board: Board, name: &str) -> Result<Cost, Failure> {
    let path = image::path(root, target, name);
    let sizes = elf::sizes(&fs::read(&path)?)?;
    let printed = qemu::run(&path, board)?;
    let reported = |label: &str| {
        let line = printed.lines().find_map(|line| line.strip_prefix(label));
        line.and_then(|number| number.trim().parse::<u64>().ok())
            .ok_or_else(|| format!("{name} did not report its {label}:\n{printed}"))
    };
    Ok(Cost {
        flash: sizes.flash,
        ram: sizes.ram,
        stack: reported("stack")?,
        instructions: board.instructions(reported("ticks")?),
    })
}

fn introduction(compiler: &str) -> String {
    format!(
        "# Footprint\n\n\
        Generated by `cargo xtask size` from the images in `firmware/footprint` and `firmware/footprint-pairing`, with the \
        profile and flags of `firmware/`; `cargo xtask size --check` fails when a number has drifted by more than half a per cent.\n\n\
        Compiler: {compiler}\n\n\
        - Flash is code and constants beyond those of an image that does nothing.\n\
        - RAM is statics beyond those of that image: the SDK has none of its own, what a row needs lies on the \
        stack or in buffers that the caller provides.\n\
        - Stack is the deepest point reached, painted and measured, with the buffers that the image keeps there.\n\
        - Instructions are counted by QEMU in steps of 40. They repeat exactly, and they are not cycles. What \
        the simulated flash takes is among them: about ten instructions a byte.\n\
        - Rows share code: the flash of two features together is less than the sum.\n"
    )
}

fn heading(target: &str, board: Board, empty: &Cost) -> String {
    format!(
        "\n## {target}\n\n\
        Measured on QEMU's {} ({}); the image that does nothing has {} bytes of flash.\n\n\
        | what | flash (bytes) | RAM (bytes) | stack (bytes) | instructions |\n|---|--:|--:|--:|--:|\n",
        board.machine, board.core, empty.flash
    )
}

fn row(about: &str, cost: &Cost, empty: &Cost) -> String {
    format!(
        "| {} | {} | {} | {} | {} |\n",
        about,
        cost.flash.saturating_sub(empty.flash),
        cost.ram.saturating_sub(empty.ram),
        cost.stack,
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
mod tests {
    use super::*;

    #[test]
    fn a_budget_holds_flash_and_stack_of_an_image_that_exists() {
        for budget in BUDGETS {
            assert!(PROBES.iter().any(|(name, _)| *name == budget.image));
            assert!(excess(budget.image, budget.flash, budget.stack).is_empty());
            assert_eq!(excess(budget.image, budget.flash + 1, budget.stack).len(), 1);
            assert_eq!(excess(budget.image, budget.flash + 1, budget.stack + 1).len(), 2);
        }
        assert!(excess("empty", u64::MAX, u64::MAX).is_empty());
    }

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
