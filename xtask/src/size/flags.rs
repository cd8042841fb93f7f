//! What the flags of `firmware/` change, measured on some images.

use std::{fs, path::Path};

use super::{Cost, Measured, PROBES};
use crate::{
    elf,
    image::{self, THUMBV7EM_HF},
    qemu::{self, Board},
    tool::{self, Failure},
};

const HEADING: &str = "\n## Flags\n";
/// Each is built as often as there are flags.
const IMAGES: [&str; 4] = ["cose_ed25519", "cose_p256", "sealing", "boot_verify_small"];
/// The flags of `firmware/.cargo/config.toml` that a product could leave out.
const COMPACT: [&str; 2] = [
    "--cfg=sha2_backend_soft=\"compact\"",
    "--cfg=aes_backend_soft=\"compact\"",
];
const SMALLER: [&str; 2] = [
    "-Cllvm-args=-enable-machine-outliner=always",
    "-Clink-arg=--icf=all",
];
const LINK: &str = "-Clink-arg=-Tlink.x";

struct Variant {
    about: &'static str,
    compact: bool,
    smaller: bool,
}

const VARIANTS: [Variant; 2] = [
    Variant {
        about: "without the compact back ends of sha2 and aes",
        compact: false,
        smaller: true,
    },
    Variant {
        about: "without the outliner, and equal functions not folded",
        compact: true,
        smaller: false,
    },
];

/// The section: the first row as measured now, the others measured anew or as they stand in `committed`.
pub(super) fn section(
    root: &Path,
    measured: &Measured,
    anew: bool,
    committed: &str,
) -> Result<String, Failure> {
    let mut text = head();
    let missing = || format!("{THUMBV7EM_HF} is not measured");
    let empty = measured.get(&(THUMBV7EM_HF, "empty")).ok_or_else(missing)?;
    let mut costs = Vec::new();
    for image in IMAGES {
        costs.push(*measured.get(&(THUMBV7EM_HF, image)).ok_or_else(missing)?);
    }
    text.push_str(&row("as in `firmware/`", &costs, empty));
    for variant in &VARIANTS {
        if anew {
            let (costs, empty) = variant.measure(root)?;
            text.push_str(&row(variant.about, &costs, &empty));
        } else {
            let start = format!("| {} |", variant.about);
            let line = committed
                .lines()
                .find(|line| line.starts_with(&start))
                .ok_or_else(|| format!("{start} is not there: `cargo xtask size --flags` measures it"))?;
            text.push_str(line);
            text.push('\n');
        }
    }
    Ok(text)
}

fn head() -> String {
    let mut text = format!(
        "{HEADING}\nWhat the flags of `firmware/` change, on {THUMBV7EM_HF}: bytes of flash, and thousands of instructions. \
        `cargo xtask size --flags` measures these rows, each of which builds everything once more; the check measures the first \
        and takes the others as they stand.\n\n|"
    );
    text.push_str(" flags |");
    for image in IMAGES {
        let about = PROBES
            .iter()
            .find(|(name, _)| *name == image)
            .map_or(image, |(_, about)| about);
        text.push_str(&format!(" {about} | |"));
    }
    text.push_str("\n|---|");
    text.push_str(&"--:|--:|".repeat(IMAGES.len()));
    text.push('\n');
    text
}

fn row(about: &str, costs: &[Cost], empty: &Cost) -> String {
    let mut text = format!("| {about} |");
    for cost in costs {
        text.push_str(&format!(
            " {} | {} |",
            cost.flash.saturating_sub(empty.flash),
            cost.instructions / 1000
        ));
    }
    text.push('\n');
    text
}

impl Variant {
    /// The images, and the one that does nothing.
    fn measure(&self, root: &Path) -> Result<(Vec<Cost>, Cost), Failure> {
        let target = root.join("target/size-flags");
        let mut flags = vec![LINK.to_owned()];
        let named = |wanted: bool, flags: [&'static str; 2]| wanted.then_some(flags).into_iter().flatten();
        flags.extend(named(self.compact, COMPACT).map(str::to_owned));
        flags.extend(named(self.smaller, SMALLER).map(str::to_owned));
        flags.extend(image::remapped(&image::Source::of(root))?);
        // These replace those of the configuration.
        let mut command = image::build(root, "footprint", THUMBV7EM_HF)?;
        command
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env("CARGO_TARGET_DIR", &target)
            .args(["--bin", "empty"]);
        tool::run(command.args(IMAGES.iter().flat_map(|name| ["--bin", name])))?;
        let one = |name: &str| -> Result<Cost, Failure> {
            let path = target.join(THUMBV7EM_HF).join("release").join(name);
            let sizes = elf::sizes(&fs::read(&path)?)?;
            let printed = qemu::run(&path, Board::MPS2_AN386)?;
            let reported = super::reported(&printed, name)?;
            Ok(Cost {
                flash: sizes.flash,
                ram: sizes.ram,
                stack: reported.stack,
                bound: None,
                instructions: Board::MPS2_AN386.instructions(reported.ticks),
            })
        };
        let costs: Result<Vec<Cost>, Failure> = IMAGES.into_iter().map(one).collect();
        Ok((costs?, one("empty")?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        let mut measured = Measured::new();
        measured.insert((THUMBV7EM_HF, "empty"), Cost::new(1, 0));
        for image in IMAGES {
            measured.insert((THUMBV7EM_HF, image), Cost::new(5, 0));
        }
        measured
    }

    #[test]
    fn rows_that_are_not_measured_anew_stay_as_they_stand() {
        let rows: String = VARIANTS
            .iter()
            .map(|variant| format!("| {} | 7 |\n", variant.about))
            .collect();
        let text = section(Path::new("."), &measured(), false, &rows).unwrap();
        assert!(text.ends_with(&rows), "{text}");
        assert!(text.contains("| as in `firmware/` | 4 | 0 | 4 | 0 |"), "{text}");
    }

    #[test]
    fn a_row_that_was_never_measured_is_an_error() {
        let error = section(Path::new("."), &measured(), false, "").unwrap_err();
        assert!(error.to_string().contains("--flags"), "{error}");
    }
}
