//! `iotsec update delta`, `compress` and `apply`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use iotsec::{
    core::crypto::Sha256,
    update::payload::{Delta, Encoding, PayloadError, Transport},
};
use serde_json::json;

use super::payload::{WINDOW, decoded};
use crate::{
    Output, Problem,
    delta::{self, Shrink},
    file::{self, Access},
    key::hex,
};

#[derive(Args)]
pub(crate) struct MakeDelta {
    /// The image that devices run.
    #[arg(long, value_name = "OLD")]
    from: PathBuf,
    /// The image that they get.
    #[arg(long, value_name = "NEW")]
    to: PathBuf,
    /// How the patch is compressed.
    #[arg(long, value_enum, default_value_t = Compression::Heatshrink)]
    compression: Compression,
    #[command(flatten)]
    sizes: Sizes,
    /// Where the patch goes; must not exist.
    #[arg(long, value_name = "PATCH")]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Compression {
    Heatshrink,
    None,
}

/// Of the heatshrink stream.
#[derive(Args)]
struct Sizes {
    /// Window: 2^BITS bytes of the device's memory.
    #[arg(long, value_name = "BITS", default_value_t = 8, value_parser = clap::value_parser!(u8).range(4..=15))]
    window: u8,
    /// Longest repetition: 2^BITS bytes. Less than the window.
    #[arg(long, value_name = "BITS", default_value_t = 7, value_parser = clap::value_parser!(u8).range(3..=14))]
    lookahead: u8,
}

impl Sizes {
    fn shrink(&self) -> Result<Shrink, Problem> {
        if self.lookahead >= self.window {
            return Err(Problem::usage(
                "the lookahead is not less than the window",
                "for small memory use --window 6 --lookahead 4",
            ));
        }
        Ok(Shrink {
            window: self.window,
            lookahead: self.lookahead,
        })
    }
}

#[derive(Args)]
pub(crate) struct Compress {
    /// The image.
    image: PathBuf,
    #[command(flatten)]
    sizes: Sizes,
    /// Where the compressed image goes; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Args)]
pub(crate) struct Apply {
    /// The image that the patch is for.
    #[arg(long, value_name = "OLD")]
    from: PathBuf,
    /// A sequential patch, made here or by detools, without compression or with heatshrink or CRLE.
    #[arg(long, value_name = "PATCH")]
    patch: PathBuf,
    /// Where the image goes that the patch makes; must not exist.
    #[arg(long, value_name = "NEW")]
    out: PathBuf,
}

pub(super) fn make(make: &MakeDelta) -> Result<Output, Problem> {
    let shrink = make.sizes.shrink()?;
    file::must_be_free(&make.out)?;
    let (old, new) = (image(&make.from)?, image(&make.to)?);
    let compression = match make.compression {
        Compression::None => delta::Compression::None,
        Compression::Heatshrink => delta::Compression::Heatshrink(shrink),
    };
    let patch = delta::patch(&old, &new, compression);
    check(&decode_patch(&old, &patch), &new)?;
    file::create(&make.out, &patch, Access::Public)?;

    let human = format!(
        "{}: {} bytes, {} of the image\nfrom     {} bytes, SHA-256 {}\nto       {} bytes, SHA-256 {}\n",
        make.out.display(),
        patch.len(),
        percent(patch.len(), new.len()),
        old.len(),
        digest(&old),
        new.len(),
        digest(&new),
    );
    let json = json!({
        "file": make.out,
        "bytes": patch.len(),
        "from": { "bytes": old.len(), "digest": digest(&old) },
        "to": { "bytes": new.len(), "digest": digest(&new) },
    });
    Ok(Output::new(human, json))
}

pub(super) fn compress(compress: &Compress) -> Result<Output, Problem> {
    let shrink = compress.sizes.shrink()?;
    file::must_be_free(&compress.out)?;
    let image = image(&compress.image)?;
    let packed = shrink.encode(&image);
    let encoding = Encoding::Heatshrink {
        window: shrink.window,
        lookahead: shrink.lookahead,
    };
    let size = u32::try_from(image.len()).unwrap_or(u32::MAX);
    check(&decode(encoding, &packed, &[], size), &image)?;
    file::create(&compress.out, &packed, Access::Public)?;

    let human = format!(
        "{}: {} bytes, {} of the image\nimage    {} bytes, SHA-256 {}\n",
        compress.out.display(),
        packed.len(),
        percent(packed.len(), image.len()),
        image.len(),
        digest(&image),
    );
    let json = json!({
        "file": compress.out,
        "bytes": packed.len(),
        "window": shrink.window,
        "lookahead": shrink.lookahead,
        "image": { "bytes": image.len(), "digest": digest(&image) },
    });
    Ok(Output::new(human, json))
}

pub(super) fn apply(apply: &Apply) -> Result<Output, Problem> {
    file::must_be_free(&apply.out)?;
    let old = image(&apply.from)?;
    let patch = file::read(&apply.patch)?;
    let new = decode_patch(&old, &patch).map_err(Problem::refused(&apply.patch))?;
    file::create(&apply.out, &new, Access::Public)?;
    let human = format!(
        "{}: {} bytes, SHA-256 {}\n\
         not checked: a patch does not say what it makes, compare the digest with the manifest's\n",
        apply.out.display(),
        new.len(),
        digest(&new)
    );
    let json = json!({
        "file": apply.out,
        "bytes": new.len(),
        "digest": digest(&new),
        "checked": false,
    });
    Ok(Output::new(human, json))
}

/// A file of a size that the formats can name.
fn image(path: &Path) -> Result<Vec<u8>, Problem> {
    let bytes = file::read(path)?;
    if u32::try_from(bytes.len()).is_err() {
        return Err(Problem::usage(
            format!("{} has more than 4294967295 bytes", path.display()),
            "give the image that was built",
        ));
    }
    Ok(bytes)
}

/// What a device makes of it.
fn decode_patch(old: &[u8], patch: &[u8]) -> Result<Vec<u8>, PayloadError> {
    let size = Delta::<WINDOW>::announced(patch)?;
    let encoding = Encoding::Delta {
        base: &[0; 32],
        base_size: u32::try_from(old.len()).unwrap_or(u32::MAX),
    };
    decode(encoding, patch, old, size)
}

fn decode(encoding: Encoding<'_>, payload: &[u8], base: &[u8], size: u32) -> Result<Vec<u8>, PayloadError> {
    let transport = Transport {
        encoding,
        ..Transport::plain(u32::try_from(payload.len()).unwrap_or(u32::MAX))
    };
    decoded(&transport, payload, base, size)
}

/// Nothing is written that a device would not turn into the image.
fn check(made: &Result<Vec<u8>, PayloadError>, image: &[u8]) -> Result<(), Problem> {
    match made {
        Ok(made) if made == image => Ok(()),
        Ok(_) => Err(Problem::new(
            "Patch",
            "the result does not make the image again",
            "report this, with both images; ship the whole image meanwhile",
        )),
        Err(cause) => Err(Problem::make("patch")(*cause)),
    }
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::of(&[bytes]))
}

/// `part` of `whole` in percent, with one digit behind the point.
fn percent(part: usize, whole: usize) -> String {
    let thousandths = part * 1000 / whole.max(1);
    format!("{}.{} %", thousandths / 10, thousandths % 10)
}
