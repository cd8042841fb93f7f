//! What the host asks of a run, on the command line that semihosting hands over.

use harness::console;
use semihosting::{experimental::env, process};

/// Which image reads the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// The boot loader.
    Loader,
    /// The application.
    Application,
}

/// A power cut at one operation of the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Which one, counted from 1 in each image.
    pub operation: u32,
    /// How far it comes: of a page so much of 256 is erased, and in a word these bits are not programmed.
    pub part: u8,
}

/// How QEMU ends when the power was cut.
pub const CUT: i32 = 9;
/// How QEMU ends when the boot loader starts nothing.
pub const RECOVERY: i32 = 8;

impl Cut {
    pub(crate) fn happen(self) -> ! {
        console::number("power cut at operation ", self.operation);
        process::exit(CUT)
    }
}

/// What the host asks.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Where the power is cut.
    pub cut: Option<Cut>,
    /// What the source of random bytes begins with. QEMU has none on these boards.
    pub seed: u64,
    /// Whether a restart is a warm one: the machine stays under power.
    pub is_warm: bool,
}

impl Options {
    /// Reads `seed=N`, `warm`, and `loader=N.P` or `application=N.P` for a power cut.
    pub fn read(image: Image) -> Self {
        let mut options = Self {
            cut: None,
            seed: 1,
            is_warm: false,
        };
        let Ok(args) = env::args::<128>() else {
            console::fail("no command line")
        };
        let name = match image {
            Image::Loader => b"loader".as_slice(),
            Image::Application => b"application",
        };
        for arg in (&args).flatten().map(str::as_bytes) {
            if let Some(value) = arg.strip_prefix(b"seed=") {
                (options.seed, _) = number(value);
            } else if let Some(value) = arg.strip_prefix(name) {
                options.cut = cut(value);
            } else if arg == b"warm" {
                options.is_warm = true;
            }
        }
        options
    }
}

fn cut(value: &[u8]) -> Option<Cut> {
    let (operation, rest) = number(value.strip_prefix(b"=")?);
    let (part, _) = number(rest.strip_prefix(b".")?);
    Some(Cut {
        operation: operation.try_into().ok()?,
        part: part.try_into().ok()?,
    })
}

/// The decimal number that begins a text, and what comes behind it.
// Out of line: `str::parse` is a quarter of a kilobyte for each type.
#[inline(never)]
fn number(mut text: &[u8]) -> (u64, &[u8]) {
    let mut value = 0_u64;
    while let Some((digit @ b'0'..=b'9', rest)) = text.split_first() {
        value = value.wrapping_mul(10).wrapping_add(u64::from(*digit - b'0'));
        text = rest;
    }
    (value, text)
}
