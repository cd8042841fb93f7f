//! Boot loader and application of two boards, built from two clean copies of the sources that lie at different places,
//! with packages from different places: what is loaded into a device must be the same, bit for bit.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    thread,
};

use iotsec::core::crypto::Sha256;

use crate::{
    elf,
    image::{self, Source},
    life::{
        self,
        map::{self, Map},
    },
    tool::{self, Failure},
};

/// Built when no other board is asked for: one of each architecture.
const BOARDS: [Map; 2] = [map::MPS2_AN386, map::VIRT];
/// Where the copies lie: of different length and depth, in case something counts.
const PLACES: [&str; 2] = ["target/reproduce/one", "target/reproduce/and/another"];
/// What the boot loader is called.
const LOADER: &str = "boot";

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let (boards, control) = match args {
        [] => (BOARDS.to_vec(), false),
        ["--control"] => (BOARDS[..1].to_vec(), true),
        ["--board", name] => {
            let named = map::BOARDS.into_iter().filter(|board| board.name == *name);
            (named.collect(), false)
        }
        _ => return Err("takes --board NAME or --control".into()),
    };
    if boards.is_empty() {
        return Err("no such board".into());
    }
    let home = image::home();
    let mut copies = Vec::new();
    for (number, place) in PLACES.iter().enumerate() {
        let copy = Copy::make(root, &root.join(place), &home)?;
        // The control is built with the place in it, as rustc does when nobody tells it otherwise.
        let source = Source {
            remapped: !(control && number == 1),
            ..copy.source
        };
        copies.push(Copy { source });
    }
    for board in &boards {
        println!("== {} ({})", board.name, board.target);
        let [one, other] = build_both(&copies, board)?;
        for (one, other) in one.iter().zip(&other) {
            println!(
                "   {}  {} ({} bytes)",
                tool::hex(&Sha256::of(&[&one.bytes])),
                one.name,
                one.bytes.len()
            );
            if let Some(difference) = one.difference(other) {
                return Err(format!("{} on {}: {difference}", one.name, board.name).into());
            }
        }
    }
    println!("== built twice, bit for bit the same");
    Ok(())
}

/// What is loaded into a device.
struct Loaded {
    name: &'static str,
    bytes: Vec<u8>,
}

impl Loaded {
    /// Where two builds of an image first differ.
    fn difference(&self, other: &Self) -> Option<String> {
        if self.bytes == other.bytes {
            return None;
        }
        let same = self
            .bytes
            .iter()
            .zip(&other.bytes)
            .take_while(|(one, other)| one == other)
            .count();
        Some(format!(
            "two builds differ from byte {same} on, of {} and {}",
            self.bytes.len(),
            other.bytes.len()
        ))
    }
}

/// A clean copy of the sources, and a folder of cargo's beside it.
struct Copy {
    source: Source,
}

impl Copy {
    fn make(root: &Path, place: &Path, home: &Path) -> Result<Self, Failure> {
        if place.exists() {
            fs::remove_dir_all(place)?;
        }
        let source = Source {
            root: place.join("iotsec"),
            home: place.join("home"),
            remapped: true,
        };
        copy(root, &source.root)?;
        fs::create_dir_all(&source.home)?;
        for name in ["config.toml", "registry"] {
            if home.join(name).exists() {
                symlink(home.join(name), source.home.join(name))?;
            }
        }
        Ok(Self { source })
    }

    fn build(&self, board: &Map) -> Result<Vec<Loaded>, Failure> {
        for mut command in life::commands(&self.source, board)? {
            tool::run(command.args(["--jobs", "1"]))?;
        }
        let entries = [board.entry(0), board.entry(1)];
        let images = life::names(board).iter().copied().zip(entries);
        let mut loaded = Vec::new();
        for (name, start) in [(LOADER, board.loader.0)].into_iter().chain(images) {
            let file = fs::read(image::path(&self.source.root, board.target, name))?;
            let bytes = elf::loaded(&file, start)?;
            loaded.push(Loaded { name, bytes });
        }
        Ok(loaded)
    }
}

/// Both copies at a time, on a core each.
fn build_both(copies: &[Copy], board: &Map) -> Result<[Vec<Loaded>; 2], Failure> {
    let built = thread::scope(|scope| {
        let builds: Vec<_> = copies
            .iter()
            .map(|copy| scope.spawn(move || copy.build(board).map_err(|error| error.to_string())))
            .collect();
        let mut built = Vec::new();
        for build in builds {
            built.push(build.join().map_err(|_| "a build died".to_owned())??);
        }
        Ok::<_, String>(built)
    })?;
    built.try_into().map_err(|_| "not two builds".into())
}

/// Everything but what was built and what git keeps.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let place: PathBuf = to.join(&name);
        if name == "target" || name == ".git" {
            continue;
        }
        if kind.is_dir() {
            copy(&entry.path(), &place)?;
        } else {
            fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_is_a_difference_and_so_is_a_byte_more() {
        let image = |bytes: &[u8]| Loaded {
            name: "image",
            bytes: bytes.to_vec(),
        };
        let built = image(b"built");
        assert_eq!(built.difference(&image(b"built")), None);
        assert!(built.difference(&image(b"builu")).unwrap().contains("byte 4"));
        assert!(built.difference(&image(b"built!")).unwrap().contains("5 and 6"));
    }
}
