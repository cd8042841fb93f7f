//! Where everything is, as the images, their linker scripts and `cargo xtask firmware` all know it. Numbers only:
//! they are built for different machines.

/// A board, and what its memory holds.
#[derive(Clone, Copy, Debug)]
pub struct Map {
    /// QEMU's name for it.
    pub name: &'static str,
    /// The target that its core runs, and the beginning of that with hard float.
    pub target: &'static str,
    /// Where the boot loader lies, which nothing writes, and its bytes.
    pub loader: (u32, u32),
    /// Where the flash that is written lies: behind the boot loader.
    pub flash: u32,
    /// Bytes in an erase unit.
    pub page: u32,
    /// Bytes in a write unit.
    pub word: u32,
    /// Pages of an image.
    pub image: u32,
    /// Pages of the encrypted store.
    pub store: u32,
    /// RAM and its bytes.
    pub ram: (u32, u32),
}

/// Some pages of the flash, counted from the boot loader's end.
#[derive(Clone, Copy, Debug)]
pub struct Pages {
    /// The first one.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Pages of the journal.
const JOURNAL: u32 = 3;

impl Map {
    const fn pages(first: u32, count: u32) -> Pages {
        Pages { first, count }
    }

    /// The envelope of slot A or B.
    pub const fn manifest(&self, slot: usize) -> Pages {
        Self::pages(if slot == 0 { 0 } else { 1 + self.image }, 1)
    }

    /// The image in slot A or B.
    pub const fn image(&self, slot: usize) -> Pages {
        Self::pages(self.manifest(slot).first + 1, self.image)
    }

    /// The journal.
    pub const fn journal(&self) -> Pages {
        Self::pages(2 * (1 + self.image), JOURNAL)
    }

    /// What counts up and is never erased.
    pub const fn fuses(&self) -> Pages {
        Self::pages(self.journal().first + JOURNAL, 1)
    }

    /// The encrypted store.
    pub const fn store(&self) -> Pages {
        Self::pages(self.fuses().first + 1, self.store)
    }

    /// Pages in all.
    pub const fn page_count(&self) -> u32 {
        self.store().first + self.store
    }

    /// Bytes in all.
    pub const fn capacity(&self) -> u32 {
        self.page_count() * self.page
    }

    /// Where the image of a slot is executed.
    pub const fn entry(&self, slot: usize) -> u32 {
        self.flash + self.image(slot).first * self.page
    }
}

/// Cortex-M4.
pub const MPS2_AN386: Map = Map {
    name: "mps2-an386",
    target: "thumbv7em-none-eabi",
    loader: (0, 0x1_4000),
    flash: 0x1_4000,
    page: 4096,
    word: 4,
    image: 40,
    store: 8,
    ram: (0x2000_0000, 0x1_0000),
};

/// Cortex-M33, in its secure world.
pub const MPS2_AN505: Map = Map {
    name: "mps2-an505",
    target: "thumbv8m.main-none-eabi",
    loader: (0x1000_0000, 0x1_4000),
    flash: 0x1001_4000,
    page: 2048,
    word: 8,
    image: 80,
    store: 12,
    ram: (0x3800_0000, 0x1_0000),
};

/// All of them.
pub const BOARDS: [Map; 2] = [MPS2_AN386, MPS2_AN505];

/// The board whose core runs this target.
pub const fn of_target(target: &str) -> Option<Map> {
    let mut boards: &[Map] = &BOARDS;
    while let [board, rest @ ..] = boards {
        if begins(target.as_bytes(), board.target.as_bytes()) {
            return Some(*board);
        }
        boards = rest;
    }
    None
}

const fn begins(mut text: &[u8], mut head: &[u8]) -> bool {
    while let [wanted, others @ ..] = head {
        match text {
            [found, rest @ ..] if *found == *wanted => (text, head) = (rest, others),
            _ => return false,
        }
    }
    true
}
