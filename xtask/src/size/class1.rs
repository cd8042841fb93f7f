//! What fits into a device of class 1.

use super::{Cost, Measured};
use crate::image::{THUMBV6M, THUMBV7EM_HF};

const KIB: u64 = 1024;
/// RFC 7228, section 3: about 100 KiB of code and 10 KiB of data.
const FLASH: u64 = 100 * KIB;
const RAM: u64 = 10 * KIB;

/// Programs that share the flash and run one after the other, and which guidelines are in them.
const PROFILES: [(&str, &[&str], &str); 5] = [
    ("a boot loader", &["boot_verify_small"], "7, and 3 in part"),
    (
        "an application whose updates are others'",
        &["class1"],
        "1, 4, 6, 8, 9, 10, 11, 13, and 5 in part",
    ),
    (
        "both",
        &["boot_verify_small", "class1"],
        "1, 4, 6 to 11, 13, and 3 and 5 in part",
    ),
    (
        "an application that admits updates too",
        &["class1_admit"],
        "1, 4, 6, 8 to 11, 13, and 3 and 5 in part",
    ),
    (
        "an application that installs them too",
        &["class1_install"],
        "1, 3, 4, 6, 8 to 11, 13, and 5 in part",
    ),
];

/// The section of the document.
pub(super) fn section(measured: &Measured) -> String {
    let mut text = String::from(INTRODUCTION);
    for target in [THUMBV7EM_HF, THUMBV6M] {
        text.push_str(&format!("\n{target}:\n\n{HEAD}"));
        for (about, programs, guidelines) in PROFILES {
            if let Some(profile) = Profile::of(measured, target, programs) {
                text.push_str(&format!(
                    "| {about} | {} | {} | {} | {guidelines} |\n",
                    profile.flash,
                    profile.ram,
                    profile.verdict()
                ));
            }
        }
    }
    text
}

struct Profile {
    flash: u64,
    ram: u64,
}

impl Profile {
    fn of(measured: &Measured, target: &'static str, programs: &[&'static str]) -> Option<Self> {
        let empty = measured.get(&(target, "empty"))?;
        let mut profile = Self { flash: 0, ram: 0 };
        for program in programs {
            let Cost {
                flash, ram, stack, ..
            } = measured.get(&(target, *program))?;
            profile.flash += flash.saturating_sub(empty.flash);
            profile.ram = profile.ram.max(ram.saturating_sub(empty.ram) + stack);
        }
        Some(profile)
    }

    fn verdict(&self) -> String {
        let beyond: Vec<&str> = [("flash", self.flash > FLASH), ("RAM", self.ram > RAM)]
            .into_iter()
            .filter_map(|(what, beyond)| beyond.then_some(what))
            .collect();
        if beyond.is_empty() {
            "yes".to_owned()
        } else {
            format!("no: {}", beyond.join(", "))
        }
    }
}

const HEAD: &str = "| what | flash (bytes) | RAM (bytes) | fits | guidelines |\n|---|--:|--:|---|---|\n";

const INTRODUCTION: &str = "\n## Class 1\n\n\
A device of class 1 has about 100 KiB of code and 10 KiB of data (RFC 7228, section 3): 102400 and 10240 bytes. What of the \
SDK fits there, with the small Ed25519 backend and ChaCha20-HMAC-SIV? RAM is what is held while there is power (the mounted store with room for \
16 keys and a record of 256 bytes, eight events, the count of guesses, the bytes of an envelope) and the deepest stack above \
it. A boot loader and its application share the flash, and have the RAM one after the other. The maker's own code comes on top: \
what fits by a little does not fit a product.\n\n\
- 1, 4, 6, 8, 9, 10, 11 and 13 fit: a password of its own for each unit, guesses counted in the encrypted store, keys kept, \
nothing personal before consent, alarms queued and sealed, reconnection without storms, erasure, an interface table, settings \
from JSON.\n\
- 5 fits in part: what is sealed (batches, signed updates) is safe on any link. TLS does not fit: the check of a server's \
certificate alone takes two thirds of the flash, and more than the RAM.\n\
- 3 and 7 fit on a Cortex-M4 as a program of their own, a boot loader, which leaves the application of this table 13 KB for what is \
the maker's; the installation of an update takes more than the RAM by itself, so \
that something else has to put the image into its slot.\n\
- 12 does not fit: the set-up takes two thirds of the flash and more than one and a half times the RAM.\n\
- 2 is the maker's, not the device's.\n\
- On a Cortex-M0 the small backend takes more stack than there is RAM, so nothing that checks a signature of Ed25519 fits \
there. P-256 admits an update within it, with nothing else held.\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_share_the_flash_and_not_the_ram() {
        let mut measured = Measured::new();
        measured.insert((THUMBV6M, "empty"), Cost::new(1000, 0));
        measured.insert((THUMBV6M, "boot_verify_small"), Cost::new(1000 + FLASH - 5, RAM));
        measured.insert((THUMBV6M, "class1"), Cost::new(1006, 7));
        let verdict =
            |programs: &[&'static str]| Profile::of(&measured, THUMBV6M, programs).map(|p| p.verdict());
        assert_eq!(verdict(&["boot_verify_small"]).as_deref(), Some("yes"));
        assert_eq!(verdict(&["class1"]).as_deref(), Some("yes"));
        assert_eq!(
            verdict(&["boot_verify_small", "class1"]).as_deref(),
            Some("no: flash")
        );
        assert_eq!(verdict(&["all"]), None);
    }

    #[test]
    fn a_byte_of_ram_too_much_does_not_fit() {
        let mut measured = Measured::new();
        measured.insert((THUMBV7EM_HF, "empty"), Cost::new(0, 0));
        measured.insert((THUMBV7EM_HF, "class1"), Cost::new(1, RAM + 1));
        let profile = Profile::of(&measured, THUMBV7EM_HF, &["class1"]).unwrap();
        assert_eq!(profile.verdict(), "no: RAM");
        assert!(section(&measured).contains("| 1 | 10241 | no: RAM |"));
    }
}
