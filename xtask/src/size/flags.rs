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
/// Leaves `firmware/mem` out.
const COMPILERS: &str = "--cfg=compilers_memory_functions";

/// What a row changes of the profile and the flags of `firmware/`.
struct Variant {
    about: &'static str,
    compact: bool,
    smaller: bool,
    /// With `firmware/mem`.
    memory: bool,
    /// A setting of the profile, as cargo takes it from the environment.
    profile: Option<(&'static str, &'static str)>,
    /// With multiples of the generator of Ed25519 in flash.
    tables: bool,
}

/// What the first row says.
const FIRST: &str = "as in `firmware/`";

const AS_IT_IS: Variant = Variant {
    about: FIRST,
    compact: true,
    smaller: true,
    memory: true,
    profile: None,
    tables: false,
};

const OPT_LEVEL: &str = "CARGO_PROFILE_RELEASE_OPT_LEVEL";
const LTO: &str = "CARGO_PROFILE_RELEASE_LTO";

const VARIANTS: [Variant; 9] = [
    Variant {
        about: "without the compact back ends of sha2 and aes",
        compact: false,
        ..AS_IT_IS
    },
    Variant {
        about: "without the outliner, and equal functions not folded",
        smaller: false,
        ..AS_IT_IS
    },
    Variant {
        about: "with the memory functions of the compiler in place of `firmware/mem`",
        memory: false,
        ..AS_IT_IS
    },
    Variant {
        about: "`opt-level = \"z\"` in place of `\"s\"`",
        profile: Some((OPT_LEVEL, "z")),
        ..AS_IT_IS
    },
    Variant {
        about: "`opt-level = 2`",
        profile: Some((OPT_LEVEL, "2")),
        ..AS_IT_IS
    },
    Variant {
        about: "`opt-level = 3`",
        profile: Some((OPT_LEVEL, "3")),
        ..AS_IT_IS
    },
    Variant {
        about: "`lto = \"thin\"` in place of `\"fat\"`",
        profile: Some((LTO, "thin")),
        ..AS_IT_IS
    },
    Variant {
        about: "`lto = \"off\"`",
        profile: Some((LTO, "off")),
        ..AS_IT_IS
    },
    Variant {
        about: "with the tables of the curve (`fast` of ed25519-dalek; those of p256 need a critical section)",
        tables: true,
        ..AS_IT_IS
    },
];

/// The section: the first row as measured now, the others as they stand in `committed`.
pub(super) fn section(measured: &Measured, committed: &str) -> Result<String, Failure> {
    let mut text = head();
    let missing = || format!("{THUMBV7EM_HF} is not measured");
    let empty = measured.get(&(THUMBV7EM_HF, "empty")).ok_or_else(missing)?;
    let mut costs = Vec::new();
    for image in IMAGES {
        costs.push(*measured.get(&(THUMBV7EM_HF, image)).ok_or_else(missing)?);
    }
    text.push_str(&row(FIRST, &costs, empty));
    for variant in &VARIANTS {
        let start = format!("| {} |", variant.about);
        let line = committed
            .lines()
            .find(|line| line.starts_with(&start))
            .ok_or_else(|| format!("{start} is not there: `cargo xtask size --flags` measures it"))?;
        text.push_str(line);
        text.push('\n');
    }
    Ok(text)
}

/// Measures every row of the section anew, and puts it in the place of the one in `path`. The rest of the page stays.
pub(super) fn renew(root: &Path, path: &Path) -> Result<(), Failure> {
    qemu::need()?;
    let mut text = head();
    for variant in [&AS_IT_IS].into_iter().chain(&VARIANTS) {
        let (costs, empty) = variant.measure(root)?;
        let row = row(variant.about, &costs, &empty);
        print!("{row}");
        text.push_str(&row);
    }
    let page = fs::read_to_string(path)?;
    Ok(fs::write(path, replaced(&page, &text)?)?)
}

/// The page with another section of flags.
fn replaced(page: &str, section: &str) -> Result<String, Failure> {
    let (before, old) = page.split_once(HEADING).ok_or("the page has no table of flags")?;
    let after = old.find("\n## ").map_or("", |at| &old[at..]);
    Ok([before, section, after].concat())
}

fn head() -> String {
    let mut text = format!(
        "{HEADING}\nWhat the flags of `firmware/` change, on {THUMBV7EM_HF}: bytes of flash, and thousands of instructions. \
        `cargo xtask size --flags` measures these rows, each of which builds everything once more. `cargo xtask size` and the \
        check measure the first row alone: the others are as the last run with `--flags` had them, and nothing notices when they have become \
        old.\n\n|"
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
        flags.extend((!self.memory).then(|| COMPILERS.to_owned()));
        flags.extend(image::remapped(&image::Source::of(root))?);
        // These replace those of the configuration.
        let mut command = image::build(root, "footprint", THUMBV7EM_HF)?;
        command
            .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
            .env("CARGO_TARGET_DIR", &target)
            .args(["--bin", "empty"]);
        if let Some((name, value)) = self.profile {
            command.env(name, value);
        }
        if self.tables {
            command.args(["--features", "tables"]);
        }
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
        let text = section(&measured(), &rows).unwrap();
        assert!(text.ends_with(&rows), "{text}");
        assert!(text.contains("| as in `firmware/` | 4 | 0 | 4 | 0 |"), "{text}");
    }

    #[test]
    fn a_row_that_was_never_measured_is_an_error() {
        let error = section(&measured(), "").unwrap_err();
        assert!(error.to_string().contains("--flags"), "{error}");
    }

    #[test]
    fn the_rest_of_the_page_stays() {
        let page = format!("a\n{HEADING}\nold\n\n## Others\n\nb\n");
        let section = format!("{HEADING}\nnew\n");
        let renewed = replaced(&page, &section).unwrap();
        assert_eq!(renewed, format!("a\n{section}\n## Others\n\nb\n"));
        assert!(replaced("a page", &section).is_err());
    }
}
