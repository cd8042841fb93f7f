//! Text and exit codes over semihosting, without `core::fmt`, which would cost the flash that is measured.

use semihosting::io::{self, Write};

/// Prints `text`.
pub fn text(text: &str) {
    // Nobody is left to hear of a console that fails.
    if let Ok(mut out) = io::stdout() {
        let _ = out.write_all(text.as_bytes());
    }
}

/// Prints a line of `label` and a decimal number.
pub fn number(label: &str, value: u32) {
    let mut digits = [b'0'; 10];
    let mut rest = value;
    let mut len = 0;
    for digit in digits.iter_mut().rev() {
        if rest == 0 && len > 0 {
            break;
        }
        *digit = b'0' | (rest % 10) as u8;
        rest /= 10;
        len += 1;
    }
    text(label);
    if let Some(Ok(shown)) = digits.get(digits.len() - len..).map(core::str::from_utf8) {
        text(shown);
    }
    text("\n");
}

/// Ends the run as passed.
pub fn pass() -> ! {
    semihosting::process::exit(0)
}

/// Ends the run as failed, and says what failed.
pub fn fail(what: &str) -> ! {
    text("FAILED: ");
    text(what);
    text("\n");
    semihosting::process::exit(1)
}

/// Ends the run as failed unless `condition` holds.
pub fn require(condition: bool, what: &str) {
    if !condition {
        fail(what)
    }
}
