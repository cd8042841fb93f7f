//! Answers a folder of MCUboot images.
//!
//! What must be answered is in the name of the file:
//!
//! | name | answer |
//! |---|---|
//! | `neg_*` | refused: malformed, contradictory, or of a kind that is not supported |
//! | `hash_only*` | refused: not signed |
//! | `untrusted*` | refused: signed by another key |
//! | `ecdsa*` | accepted if a P-256 key is trusted, and refused without it |
//! | all others | accepted |
//!
//! Trusted are the Ed25519 and P-256 keys among the files `*.pub.hex` of the key folder (32 and 65 bytes in
//! hexadecimal) that do not have `untrusted` in their names. An image that is accepted from memory is read
//! again through a flash driver. Behind an image there may be erased flash and a whole trailer, nothing else.
//! Vendor and class are not compared: the folder says nothing of a device.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use iotsec_core::{
    crypto::{Ed25519PublicKey, KeyType, P256PublicKey, Sha256, Sha512, Verify},
    hal::Region,
};
use iotsec_update::mcuboot::{
    Flag, FlashBytes, Hashes, Image, ImageBytes, Magic, McubootError, SliceBytes, Trailer, Verified,
};

use crate::{Geometry, SimFlash};

/// What became of one file.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its name.
    pub file: String,
    /// What was answered, with the reason.
    pub answer: String,
    /// Whether its name asks for another answer.
    pub wrong: bool,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.wrong { "WRONG" } else { "ok   " };
        write!(f, "{word} {}: {}", self.file, self.answer)
    }
}

/// Answers every `*.bin` in `folder`, trusting the keys in `keys`.
///
/// # Errors
/// When a folder or file cannot be read, or there is no key.
pub fn answer(folder: &Path, keys: &Path) -> io::Result<Vec<Line>> {
    let keys = load_keys(keys)?;
    let keys: Vec<&dyn Verify> = keys.iter().map(AsRef::as_ref).collect();
    let mut lines = Vec::new();
    for path in files(folder, ".bin")? {
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = fs::read(&path)?;
        let answer = judge(&bytes, &keys);
        let has = |kind: KeyType| keys.iter().any(|key| key.key_type() == kind);
        let refuse = ["neg_", "hash_only", "untrusted"]
            .iter()
            .any(|start| file.starts_with(start));
        let ecdsa = file.starts_with("ecdsa");
        let expected = !refuse && (!ecdsa || has(KeyType::P256));
        let mut wrong = answer.is_ok() != expected;
        if let Ok(image) = &answer {
            // The key that signed is needed, and not just any key.
            let signer = keys.get(image.key()).map(|key| key.key_type());
            let others: Vec<&dyn Verify> = keys
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != image.key())
                .map(|(_, key)| *key)
                .collect();
            wrong |= ecdsa && signer != Some(KeyType::P256);
            wrong |= judge(&bytes, &others).is_ok();
        }
        lines.push(Line {
            file,
            answer: match answer {
                Ok(image) => describe(&image),
                Err(reason) => format!("refused: {reason}"),
            },
            wrong,
        });
    }
    Ok(lines)
}

/// Why a file is not an image to trust.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// The image itself.
    #[error(transparent)]
    Image(#[from] McubootError),
    /// Bytes that do not belong to it.
    #[error("neither erased flash nor a trailer behind the image")]
    Behind,
    /// Memory and flash disagree.
    #[error("read from flash it is answered otherwise")]
    Flash,
}

/// Reads and verifies a whole file.
///
/// # Errors
/// [`Reason`].
pub fn judge(bytes: &[u8], keys: &[&dyn Verify]) -> Result<Verified, Reason> {
    let image = verify(&mut SliceBytes(bytes), keys)?;
    let end = usize::try_from(image.size()).map_err(|_| Reason::Behind)?;
    if !is_blank_or_trailer(bytes, end) {
        return Err(Reason::Behind);
    }
    let mut flash = flash_with(bytes, 0xFF);
    let region = flash.region().map_err(|_| Reason::Flash)?;
    match verify(&mut FlashBytes::new(&mut flash, region), keys) {
        Ok(again) if again == image => Ok(image),
        // The signature is over the bytes, and this flash is not mapped.
        Err(McubootError::NotMapped) => Ok(image),
        _ => Err(Reason::Flash),
    }
}

fn verify(bytes: &mut dyn ImageBytes, keys: &[&dyn Verify]) -> Result<Verified, McubootError> {
    let (mut sha256, mut sha512) = (Sha256::new(), Sha512::new());
    let mut hashes = Hashes {
        sha256: &mut sha256,
        sha512: Some(&mut sha512),
    };
    Image::read(bytes)?.verify(bytes, keys, &mut hashes)
}

/// What may stand behind an image in a file: nothing, erased bytes, or those and a trailer.
fn is_blank_or_trailer(bytes: &[u8], end: usize) -> bool {
    let behind = bytes.get(end..).unwrap_or_default();
    let Some(erased) = behind.first().copied() else {
        return true;
    };
    if !matches!(erased, 0x00 | 0xFF) {
        return false;
    }
    if behind.iter().all(|byte| *byte == erased) {
        return true;
    }
    [8, 16, 32].into_iter().any(|align| {
        let mut flash = flash_with(bytes, erased);
        let Ok(len) = u32::try_from(bytes.len()) else {
            return false;
        };
        let region = Region::new(0, 256, len / 256, 8).map(|region| region.with_erased(erased));
        let Some(trailer) = region.ok().and_then(|region| Trailer::new(region, align).ok()) else {
            return false;
        };
        let whole = trailer.read(&mut flash).is_ok_and(|state| {
            state.magic == Magic::Good && state.image_ok != Flag::Bad && state.copy_done != Flag::Bad
        });
        // The five fields lie in the last 160 bytes at most; everything before them is blank.
        let blank = behind.len().saturating_sub(160);
        let before = behind.get(..blank).unwrap_or_default();
        len % 256 == 0 && whole && before.iter().all(|byte| *byte == erased)
    })
}

/// A flash of words of 8 and pages of 256 bytes that begins with `bytes`.
fn flash_with(bytes: &[u8], erased: u8) -> SimFlash {
    let pages = bytes.len().div_ceil(256).max(1);
    SimFlash::from_image(Geometry::new(&vec![256; pages], 8).with_erased(erased), bytes)
}

fn describe(image: &Verified) -> String {
    let version = image.version();
    let mut text = format!(
        "accepted: {}.{}.{}+{}, {} bytes",
        version.major,
        version.minor,
        version.revision,
        version.build,
        image.size()
    );
    if let Some(counter) = image.security_counter() {
        text += &format!(", security counter {counter}");
    }
    if !image.dependencies().is_empty() {
        text += &format!(", {} dependencies", image.dependencies().len());
    }
    text
}

/// The trusted keys of a folder.
///
/// # Errors
/// When the folder cannot be read or holds no key of a known kind.
pub fn load_keys(folder: &Path) -> io::Result<Vec<Box<dyn Verify>>> {
    let mut keys: Vec<Box<dyn Verify>> = Vec::new();
    for path in files(folder, ".pub.hex")? {
        if path.to_string_lossy().contains("untrusted") {
            continue;
        }
        let text = fs::read_to_string(&path)?;
        let Some(bytes) = from_hex(text.trim()) else {
            return Err(io::Error::other(format!("{} is not hexadecimal", path.display())));
        };
        match bytes.len() {
            32 => keys.push(Box::new(
                Ed25519PublicKey::from_bytes(&bytes).map_err(io::Error::other)?,
            )),
            65 => keys.push(Box::new(
                P256PublicKey::from_sec1(&bytes).map_err(io::Error::other)?,
            )),
            _ => {}
        }
    }
    if keys.is_empty() {
        return Err(io::Error::other(format!("no key in {}", folder.display())));
    }
    Ok(keys)
}

fn files(folder: &Path, end: &str) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(end) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [_, _] => u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok(),
            _ => None,
        })
        .collect()
}
