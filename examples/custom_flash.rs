//! A driver of one's own: implement `NorFlash`, let the conformance suite judge it, put a store on it.
//!
//! ```text
//! cargo run --example custom_flash
//! ```
//!
//! The chip here is a serial flash that programs pages of 256 bytes, and in which a write that crosses the end of a page
//! goes on at its beginning, as in real ones. The first driver forgets that; the suite notices.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use iotsec::{
    core::{
        crypto::{Aes256GcmSiv, HkdfSha256},
        hal::Region,
    },
    store::{IndexEntry, KeyDomain, KeyId, ReplayProtection, Store, Suite},
};
use iotsec_testkit::{SimRng, SimRootKey, conformance};

/// What the chip does with the commands that come over its bus.
struct Chip {
    cells: Vec<u8>,
}

impl Chip {
    const SIZE: usize = 64 * 1024;
    const PROGRAM_PAGE: usize = 256;

    fn page_program(&mut self, at: usize, bytes: &[u8]) {
        let page = at / Self::PROGRAM_PAGE * Self::PROGRAM_PAGE;
        for (offset, byte) in bytes.iter().enumerate() {
            // Programming clears bits, and wraps around in its page.
            self.cells[page + (at + offset) % Self::PROGRAM_PAGE] &= byte;
        }
    }

    fn sector_erase(&mut self, at: usize) {
        self.cells[at..at + 4096].fill(0xFF);
    }
}

/// The driver. `SPLITS` says whether it cuts a write where a page of the chip ends.
struct Driver<const SPLITS: bool> {
    chip: Chip,
}

impl<const SPLITS: bool> Driver<SPLITS> {
    fn new() -> Self {
        let cells = vec![0xFF; Chip::SIZE];
        Self { chip: Chip { cells } }
    }
}

impl<const SPLITS: bool> ErrorType for Driver<SPLITS> {
    type Error = NorFlashErrorKind;
}

impl<const SPLITS: bool> ReadNorFlash for Driver<SPLITS> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        check_read(self, offset, bytes.len())?;
        bytes.copy_from_slice(&self.chip.cells[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        Chip::SIZE
    }
}

impl<const SPLITS: bool> NorFlash for Driver<SPLITS> {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 4096;

    fn write(&mut self, offset: u32, mut bytes: &[u8]) -> Result<(), Self::Error> {
        check_write(self, offset, bytes.len())?;
        let mut at = offset as usize;
        while SPLITS && !bytes.is_empty() {
            let room = Chip::PROGRAM_PAGE - at % Chip::PROGRAM_PAGE;
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.chip.page_program(at, now);
            (at, bytes) = (at + now.len(), later);
        }
        self.chip.page_program(at, bytes);
        Ok(())
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        check_erase(self, from, to)?;
        for sector in (from as usize..to as usize).step_by(Self::ERASE_SIZE) {
            self.chip.sector_erase(sector);
        }
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let region = Region::of::<Driver<true>>(0, 64 * 1024)?;
    let fault = conformance::check(&mut Driver::<false>::new(), &region);
    println!("the first driver: {}", fault.expect_err("it wraps around"));

    let mut flash = Driver::<true>::new();
    conformance::check(&mut flash, &region)?;
    println!("the second one keeps every rule");

    let (root, mut rng) = (SimRootKey::new(1), SimRng::new(1));
    let (aead, kdf) = (&Aes256GcmSiv, &HkdfSha256);
    let suite = Suite {
        aead,
        kdf,
        root: &root,
    };
    let (mut index, mut buffer) = ([IndexEntry::EMPTY; 16], [0; 512]);
    let replay = ReplayProtection::None;
    let mut store = Store::format(
        &mut flash,
        region,
        suite,
        &mut index,
        &mut buffer,
        replay,
        &mut rng,
    )?;
    let note = KeyId::new(KeyDomain::User, 1, 1);
    store.put(&mut flash, note, b"kept in a chip of one's own")?;
    let mut out = [0; 64];
    let read = store.get(&mut flash, note, &mut out)?;
    println!("and holds a store: {:?}", String::from_utf8_lossy(read));
    Ok(())
}
