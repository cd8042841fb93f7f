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
            Image::Loader => "loader",
            Image::Application => "application",
        };
        for arg in (&args).flatten() {
            match arg.split_once('=') {
                Some(("seed", value)) => options.seed = value.parse().unwrap_or(1),
                Some((key, value)) if key == name => options.cut = cut(value),
                None if arg == "warm" => options.is_warm = true,
                _ => {}
            }
        }
        options
    }
}

fn cut(value: &str) -> Option<Cut> {
    let (operation, part) = value.split_once('.')?;
    Some(Cut {
        operation: operation.parse().ok()?,
        part: part.parse().ok()?,
    })
}
