//! What an image may take at most.

use super::{Measured, probe::PROBES};
use crate::image::{RISCV32IMAC, THUMBV6M, THUMBV7EM_HF};

const KIB: u64 = 1024;

/// What an image may take on a target; `cargo xtask size` fails beyond.
struct Budget {
    image: &'static str,
    target: &'static str,
    /// Another image whose flash is not counted: what a product has anyway.
    beyond: Option<&'static str>,
    flash: u64,
    stack: u64,
}

const BUDGETS: &[Budget] = &[
    Budget::new("update_verify", THUMBV7EM_HF, 40 * KIB, 11 * KIB),
    Budget::new("update_verify_small", THUMBV7EM_HF, 30 * KIB, 15 * KIB / 2),
    Budget::new("boot_verify", THUMBV7EM_HF, 39 * KIB, 10 * KIB),
    Budget::new("boot_verify_small", THUMBV7EM_HF, 29 * KIB, 13 * KIB / 2),
    Budget::new("boot_mcuboot", THUMBV7EM_HF, 28 * KIB, 10 * KIB),
    Budget::new("boot_mcuboot_small", THUMBV7EM_HF, 18 * KIB, 6 * KIB),
    // Telemetry adds this to the cryptography that it shares with whatever else is sealed.
    Budget::new("telemetry", THUMBV7EM_HF, 8 * KIB, 4 * KIB).beyond("sealing"),
    Budget::new("telemetry", THUMBV6M, 33 * KIB / 4, 17 * KIB / 4).beyond("sealing"),
    Budget::new("telemetry", RISCV32IMAC, 11 * KIB, 4 * KIB).beyond("sealing"),
    Budget::new("store", THUMBV7EM_HF, 29 * KIB, 19 * KIB / 4),
    Budget::new("store_chacha20_hmac_siv", THUMBV7EM_HF, 24 * KIB, 4 * KIB),
    Budget::new("spool", THUMBV7EM_HF, 81 * KIB / 2, 10 * KIB),
    Budget::new("detect", THUMBV7EM_HF, 25 * KIB / 2, 5 * KIB / 2),
    Budget::new("randomized_response", THUMBV7EM_HF, 13 * KIB / 2, 6 * KIB).beyond("sealing"),
    Budget::new("prio3_all", THUMBV7EM_HF, 12 * KIB, 7 * KIB).beyond("telemetry"),
    Budget::new("prio3_all", THUMBV6M, 12 * KIB, 7 * KIB).beyond("telemetry"),
    // Below what the class has: the rest is the maker's.
    Budget::new("class1", THUMBV7EM_HF, 60 * KIB, 6 * KIB),
    Budget::new("class1", THUMBV6M, 64 * KIB, 8 * KIB),
];

impl Budget {
    const fn new(image: &'static str, target: &'static str, flash: u64, stack: u64) -> Self {
        Self {
            image,
            target,
            beyond: None,
            flash,
            stack,
        }
    }

    const fn beyond(mut self, image: &'static str) -> Self {
        self.beyond = Some(image);
        self
    }

    /// What is over it.
    fn excess(&self, measured: &Measured) -> Vec<String> {
        let flash_of = |image| measured.get(&(self.target, image)).map(|cost| cost.flash);
        let (Some(cost), Some(beyond)) = (
            measured.get(&(self.target, self.image)),
            flash_of(self.beyond.unwrap_or("empty")),
        ) else {
            return vec![format!("{} is not measured on {}", self.image, self.target)];
        };
        let flash = cost.flash.saturating_sub(beyond);
        [("flash", flash, self.flash), ("stack", cost.stack, self.stack)]
            .into_iter()
            .filter(|(_, taken, most)| taken > most)
            .map(|(what, taken, most)| {
                format!(
                    "{} on {}: {taken} bytes of {what}, {most} at most",
                    self.image, self.target
                )
            })
            .collect()
    }
}

/// What is over any budget.
pub(super) fn excess(measured: &Measured) -> Vec<String> {
    BUDGETS
        .iter()
        .flat_map(|budget| budget.excess(measured))
        .collect()
}

/// The section of the document.
pub(super) fn section() -> String {
    let mut text = String::from(
        "\n## Budgets\n\n\
        `cargo xtask size` fails when a row exceeds its budget.\n\n\
        | what | on | flash (bytes) | stack (bytes) |\n|---|---|--:|--:|\n",
    );
    let about = |image: &'static str| {
        PROBES
            .iter()
            .find(|(name, _)| *name == image)
            .map_or(image, |(_, about)| about)
    };
    for budget in BUDGETS {
        let beyond = budget.beyond.map(about);
        let beyond = beyond.map_or(String::new(), |beyond| format!(", beyond \"{beyond}\""));
        text.push_str(&format!(
            "| {}{beyond} | {} | {} | {} |\n",
            about(budget.image),
            budget.target,
            budget.flash,
            budget.stack
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::size::Cost;

    #[test]
    fn a_budget_holds_flash_and_stack_of_an_image_that_is_measured() {
        for budget in BUDGETS {
            assert!(PROBES.iter().any(|(name, _)| *name == budget.image));
            let excess = |flash, stack| {
                let mut measured = Measured::new();
                let beyond = budget.beyond.unwrap_or("empty");
                measured.insert((budget.target, beyond), Cost::new(1000, 0));
                measured.insert((budget.target, budget.image), Cost::new(1000 + flash, stack));
                budget.excess(&measured).len()
            };
            assert_eq!(excess(budget.flash, budget.stack), 0);
            assert_eq!(excess(budget.flash + 1, budget.stack), 1);
            assert_eq!(excess(budget.flash + 1, budget.stack + 1), 2);
            assert_eq!(budget.excess(&Measured::new()).len(), 1);
        }
    }
}
