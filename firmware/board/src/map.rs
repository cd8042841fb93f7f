//! Where everything is, as the images, their linker scripts and `cargo xtask firmware` all know it. Numbers only:
//! they are built for different machines.

/// A board, and what its memory holds.
#[derive(Clone, Copy, Debug)]
pub struct Map {
    /// What it is called here.
    pub name: &'static str,
    /// QEMU's name for it.
    pub machine: &'static str,
    /// The target that its core runs, and the beginning of that with hard float.
    pub target: &'static str,
    /// The package of its application.
    pub application: &'static str,
    /// Where the boot loader lies, which nothing writes, and its bytes.
    pub loader: (u32, u32),
    /// Where the flash that is written lies: behind the boot loader.
    pub flash: u32,
    /// Bytes in an erase unit.
    pub page: u32,
    /// Bytes in a write unit.
    pub word: u32,
    /// Pages of the image in slot A and in slot B: one in B where there is no room for two.
    pub images: [u32; 2],
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

/// The component that an image for each slot is: images are linked for the place where they run.
pub const COMPONENTS: [[u8; 3]; 2] = [[0x81, 0x41, 0x0A], [0x81, 0x41, 0x0B]];

/// Pages of the journal.
const JOURNAL: u32 = 3;

impl Map {
    const fn pages(first: u32, count: u32) -> Pages {
        Pages { first, count }
    }

    /// The envelope of slot A or B.
    pub const fn manifest(&self, slot: usize) -> Pages {
        Self::pages(if slot == 0 { 0 } else { 1 + self.images[0] }, 1)
    }

    /// The image in slot A or B.
    pub const fn image(&self, slot: usize) -> Pages {
        Self::pages(self.manifest(slot).first + 1, self.images[slot])
    }

    /// The journal.
    pub const fn journal(&self) -> Pages {
        Self::pages(2 + self.images[0] + self.images[1], JOURNAL)
    }

    /// What counts up and is never erased.
    pub const fn fuses(&self) -> Pages {
        Self::pages(self.journal().first + JOURNAL, 1)
    }

    /// The encrypted store.
    pub const fn store(&self) -> Pages {
        Self::pages(self.fuses().first + 1, self.store)
    }

    /// Whether the application is a whole device, and not single parts.
    pub const fn is_whole(&self) -> bool {
        begins(self.application.as_bytes(), b"application")
    }

    /// Whether an update has a slot to go to.
    pub const fn has_two_slots(&self) -> bool {
        self.images[0] == self.images[1]
    }

    /// Bytes of the longest image for slot A or B.
    pub const fn room(&self, slot: usize) -> u32 {
        self.images[slot] * self.page
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
    machine: "mps2-an386",
    target: "thumbv7em-none-eabi",
    application: "application",
    loader: (0, 0x1_4000),
    flash: 0x1_4000,
    page: 4096,
    word: 4,
    images: [40, 40],
    store: 8,
    ram: (0x2000_0000, 0x1_0000),
};

/// Cortex-M33, in its secure world.
pub const MPS2_AN505: Map = Map {
    name: "mps2-an505",
    machine: "mps2-an505",
    target: "thumbv8m.main-none-eabi",
    application: "application",
    loader: (0x1000_0000, 0x1_4000),
    flash: 0x1001_4000,
    page: 2048,
    word: 8,
    images: [80, 80],
    store: 12,
    ram: (0x3800_0000, 0x1_0000),
};

/// Cortex-M3.
pub const MPS2_AN385: Map = Map {
    name: "mps2-an385",
    machine: "mps2-an385",
    target: "thumbv7m-none-eabi",
    page: 1024,
    images: [160, 160],
    ..MPS2_AN386
};

/// A Cortex-M0 with the memory for a whole device: its instructions, all of which a Cortex-M3 has too.
pub const MPS2_AN385_V6M: Map = Map {
    name: "mps2-an385-v6m",
    target: "thumbv6m-none-eabi",
    ..MPS2_AN385
};

/// Cortex-M3 with 256 KB of flash, all of it in use: two images of a whole device, with the small Ed25519.
pub const LM3S6965EVB: Map = Map {
    name: "lm3s6965evb",
    machine: "lm3s6965evb",
    target: "thumbv7m-none-eabi",
    application: "application",
    loader: (0, 0x8800),
    flash: 0x8800,
    page: 1024,
    word: 4,
    images: [105, 105],
    store: 6,
    ram: (0x2000_0000, 0x1_0000),
};

/// Cortex-M0 with 256 KB of flash and 16 KB of RAM, which is enough for the boot loader and for single parts.
pub const MICROBIT: Map = Map {
    name: "microbit",
    machine: "microbit",
    target: "thumbv6m-none-eabi",
    application: "parts",
    loader: (0, 0x1_0000),
    flash: 0x1_0000,
    page: 1024,
    word: 4,
    images: [120, 1],
    store: 8,
    ram: (0x2000_0000, 0x4000),
};

/// RISC-V.
pub const VIRT: Map = Map {
    name: "virt",
    machine: "virt",
    target: "riscv32imac-unknown-none-elf",
    application: "application",
    loader: (0x8000_0000, 0x2_0000),
    flash: 0x8002_0000,
    page: 4096,
    word: 16,
    images: [52, 52],
    store: 8,
    ram: (0x8010_0000, 0x1_0000),
};

/// All of them.
pub const BOARDS: [Map; 7] = [
    MICROBIT,
    MPS2_AN385_V6M,
    LM3S6965EVB,
    MPS2_AN385,
    MPS2_AN386,
    MPS2_AN505,
    VIRT,
];

/// The board of this name; without one, the first whose core runs this target.
pub const fn find(name: &str, target: &str) -> Option<Map> {
    let mut boards: &[Map] = &BOARDS;
    while let [board, rest @ ..] = boards {
        let (is_it, runs) = (
            board.name.len() == name.len() && begins(board.name.as_bytes(), name.as_bytes()),
            begins(target.as_bytes(), board.target.as_bytes()),
        );
        if is_it || name.is_empty() && runs {
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
