//! `iotsec provision batch`

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use clap::Args;
use getrandom::SysRng;
use iotsec::core::{credential::Exposure, secret::Secret};
use iotsec_product::{
    Product,
    factory::{KeyOrigin, PasswordOrigin},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    CHUNK, DEVICES, FILES, LABELS, LABELS_HEAD, MANIFEST, PLAIN, SIGNER,
    meter::Meter,
    mint::{Chunk, Minter},
    registry::{Progress, Range},
    sealed,
    station::Station,
};
use crate::{
    Output, Problem,
    ca::Issuer,
    encryption::Recipient,
    file::{self, Access},
    key::{KeyFile, cose_key, hex, unhex},
    product,
};

#[derive(Args)]
pub(crate) struct New {
    /// The product manifest; examples/products has one to start from.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// How many units.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_UNITS))]
    count: u32,
    /// The batch directory: a new one, or that of the same command when it was interrupted.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The station directory, with registry and keys; made when it is not there. By default the one that
    /// the product manifest names.
    #[arg(long, value_name = "DIR")]
    station: Option<PathBuf>,
    /// The private key that signs the manifest; by default the station's own.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Also write labels.csv (mode 0600) with every password in plain text.
    #[arg(long)]
    plain_labels: bool,
}

/// A tenth of the set-up codes that there are.
const MAX_UNITS: i64 = 10_000_000;
const STATE: &str = "batch.json";

/// What a batch directory is for, so that only the same command goes on with it.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    version: u8,
    batch: String,
    /// SHA-256 of the product manifest.
    manifest: String,
    count: u32,
    plain_labels: bool,
    signer: String,
    /// SHA-256 of the certificate of the authority.
    authority: Option<String>,
}

/// A batch in its directory.
struct Batch {
    id: [u8; 16],
    dir: PathBuf,
    files: Vec<(PathBuf, File)>,
    labels: Vec<Recipient>,
    devices: Vec<Recipient>,
    certified: bool,
}

pub(super) fn batch(new: &New) -> Result<Output, Problem> {
    let product = product::read(&new.manifest)?;
    let folder = new.station.as_ref().or(product.factory.station.as_ref());
    let folder = folder.map_or(Path::new("station"), PathBuf::as_path);
    let mut station = Station::open(folder)?;
    let authority = match product.identity.origin {
        KeyOrigin::Factory => Issuer::open(folder)?,
        KeyOrigin::Device => None,
    };
    let key = match &new.key {
        Some(path) => KeyFile::read(path)?,
        None => station.signing_key()?,
    };
    let signer = key.signer()?;
    let own = [station.recipient()?];
    let read = |paths: &[PathBuf]| -> Result<Vec<Recipient>, Problem> {
        let paths = if paths.is_empty() { &own } else { paths };
        paths.iter().map(|path| Recipient::read(path)).collect()
    };
    let (labels, devices) = (read(&product.factory.labels)?, read(&product.factory.devices)?);
    let batch_key = match product.credential.origin {
        PasswordOrigin::Derived => Some(station.batch_key()?),
        PasswordOrigin::Random => None,
    };
    let (id, resumed) = claim(new, &product, signer.public_key(), authority.as_ref())?;
    if new.plain_labels {
        eprintln!(
            "iotsec: warning: {} holds every password in plain text: print the labels, then destroy it",
            new.out.join(PLAIN).display()
        );
    }

    let taken = station.registry.progress(&id);
    let (first, mut progress) = match taken {
        Some((range, progress)) => (range.first, progress),
        None => (begin(&mut station, &product, id, new.count)?, Progress::default()),
    };
    let before = progress.units;
    let mut batch = Batch {
        id,
        dir: new.out.clone(),
        files: open_files(new, progress)?,
        labels,
        devices,
        certified: authority.is_some(),
    };
    if progress.units == 0 {
        batch.start(new, signer.public_key())?;
    }
    let minter = Minter {
        product: &product,
        key: &key,
        hasher: &station.hasher,
        authority: authority.as_ref(),
        batch_key: batch_key.as_ref(),
        batch: hex(&id),
        first,
        count: new.count,
    };
    let mut meter = Meter::new(new.count, progress.units);
    while progress.units < new.count {
        let units = CHUNK.min(new.count - progress.units);
        let mut chunk = minter.chunk(progress.units, units, &station.registry)?;
        progress = batch.write(progress.units, &chunk, signer.as_ref())?;
        station.registry.commit(&id, progress, &mut chunk.hashes)?;
        meter.show(progress.units);
    }
    meter.done();
    report(new, &product, &batch, (before, resumed), &own)
}

/// The batch that the directory is for: a new one, or the one that was interrupted.
fn claim(
    new: &New,
    product: &Product,
    signer: &[u8],
    authority: Option<&Issuer>,
) -> Result<([u8; 16], bool), Problem> {
    let path = new.out.join(STATE);
    let id = Secret::<16>::random(&mut SysRng).map_err(Problem::make("batch"))?;
    let mut state = State {
        version: 1,
        batch: hex(id.expose()),
        manifest: hex(&product.digest),
        count: new.count,
        plain_labels: new.plain_labels,
        signer: hex(signer),
        authority: authority.map(|issuer| hex(&issuer.digest())),
    };
    if file::must_be_free(&path).is_err() {
        let earlier: State = serde_json::from_slice(&file::read(&path)?).map_err(|cause| {
            Problem::new(
                "BatchDamaged",
                format!("{} is damaged: {cause}", path.display()),
                "choose another --out; the registry keeps what was minted from coming up again",
            )
        })?;
        state.batch.clone_from(&earlier.batch);
        let id = unhex(&earlier.batch);
        if let (Some(id), true) = (id, state == earlier) {
            return Ok((id, true));
        }
        return Err(Problem::new(
            "OtherBatch",
            format!(
                "{} is of a batch of other units, options or keys",
                new.out.display()
            ),
            "finish that batch with the command that began it, or choose another --out",
        ));
    }
    let text = serde_json::to_vec_pretty(&state).unwrap_or_default();
    if file::must_be_free(&new.out).is_ok() {
        file::create_dir(&new.out)?;
    } else if !is_unused(&new.out)? {
        return Err(Problem::exists(&new.out));
    }
    file::create_whole(&path, &text, Access::Public)?;
    Ok((*id.expose(), false))
}

/// Whether nothing is in a directory but what a run left that was killed at its very beginning.
fn is_unused(dir: &Path) -> Result<bool, Problem> {
    let failed = |cause| Problem::file(dir, &cause);
    for entry in fs::read_dir(dir).map_err(failed)? {
        if entry.map_err(failed)?.file_name() != *format!("{STATE}.unfinished") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes serial numbers behind all that were ever taken.
fn begin(station: &mut Station, product: &Product, batch: [u8; 16], count: u32) -> Result<u32, Problem> {
    let prefix = product.serial.prefix.as_str();
    let first = station.registry.next(prefix).unwrap_or(0);
    let first = first.max(u64::from(product.serial.first));
    let fits = u32::try_from(first)
        .ok()
        .filter(|first| first.checked_add(count - 1).is_some());
    let first = fits.ok_or_else(|| {
        Problem::usage(
            "running numbers end at 4294967295",
            "choose a smaller --count, or another serial.prefix in the product manifest",
        )
    })?;
    station.registry.begin(Range {
        batch,
        first,
        count,
        prefix: prefix.into(),
    })?;
    Ok(first)
}

/// The files, each cut off behind the last unit that counts.
fn open_files(new: &New, progress: Progress) -> Result<Vec<(PathBuf, File)>, Problem> {
    let wanted = if new.plain_labels {
        FILES.len()
    } else {
        FILES.len() - 1
    };
    let mut files = Vec::new();
    for (name, length) in FILES.into_iter().zip(progress.files).take(wanted) {
        let path = new.out.join(name);
        let failed = |cause| Problem::file(&path, &cause);
        let mut options = file::writing(Access::Private);
        options.create(progress.units == 0).truncate(false);
        let mut file = options.open(&path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() < length {
            return Err(Problem::new(
                "BatchDamaged",
                format!("{} has lost units that were minted", path.display()),
                "restore the batch directory from its backup, or begin another with a new --out",
            ));
        }
        file.set_len(length).map_err(failed)?;
        file.seek(SeekFrom::Start(length)).map_err(failed)?;
        files.push((path, file));
    }
    Ok(files)
}

impl Batch {
    /// Heads of the files, and the public key that the manifest is checked with.
    fn start(&mut self, new: &New, signer: &[u8]) -> Result<(), Problem> {
        let heads = [&b""[..], sealed::MAGIC, sealed::MAGIC, LABELS_HEAD.as_bytes()];
        for ((path, file), head) in self.files.iter_mut().zip(heads) {
            file.write_all(head)
                .map_err(|cause| Problem::file(path, &cause))?;
        }
        let path = new.out.join(SIGNER);
        if file::must_be_free(&path).is_ok() {
            let public = cose_key(signer, None, None).map_err(Problem::make("key"))?;
            file::create_whole(&path, &public, Access::Public)?;
        }
        Ok(())
    }

    /// Brings a chunk to the disk; it counts once the registry says so.
    fn write(
        &mut self,
        done: u32,
        chunk: &Chunk,
        signer: &dyn iotsec::core::crypto::Sign,
    ) -> Result<Progress, Problem> {
        let batch = hex(&self.id);
        let head = |kind: &str| format!("{batch},{kind},{}\n", done + 1).into_bytes();
        let text = |kind, lines: &[u8]| zeroize::Zeroizing::new([&head(kind)[..], lines].concat());
        let labels = sealed::frame(&self.labels, signer, &text(LABELS, &chunk.labels))?;
        let devices = sealed::frame(&self.devices, signer, &text(DEVICES, &chunk.devices))?;
        let parts = [&chunk.manifest[..], &labels, &devices, &chunk.labels];
        let mut progress = Progress {
            units: done + chunk.units,
            files: [0; 4],
        };
        for (((path, file), part), length) in self.files.iter_mut().zip(parts).zip(&mut progress.files) {
            let failed = |cause| Problem::file(path, &cause);
            file.write_all(part).map_err(failed)?;
            file.sync_data().map_err(failed)?;
            *length = file.stream_position().map_err(failed)?;
        }
        Ok(progress)
    }
}

fn report(
    new: &New,
    product: &Product,
    batch: &Batch,
    (before, resumed): (u32, bool),
    own: &[PathBuf],
) -> Result<Output, Problem> {
    let path = |name: &str| new.out.join(name);
    let entropy = product.credential.password.then(|| {
        let exposure = Exposure::from(product.credential.exposure);
        exposure.entropy_bits()
    });
    let minted = new.count - before;
    let mut human = match (resumed, minted) {
        (true, 0) => format!("{} units were minted already; nothing is changed\n", new.count),
        (true, _) => format!("{minted} units minted, behind {before} of an interrupted run\n"),
        _ => format!("{minted} units minted, all different from each other and from all before\n"),
    };
    let lines = [
        ("manifest", MANIFEST, "no secrets: keep"),
        ("labels", LABELS, "encrypted, for the label printer"),
        ("devices", DEVICES, "encrypted, for the programming line"),
        ("plain", PLAIN, "secret: print, then destroy"),
    ];
    for (what, name, note) in lines.into_iter().take(batch.files.len()) {
        human.push_str(&format!("{what:<9} {} ({note})\n", path(name).display()));
    }
    if batch.certified {
        human.push_str("each device key has a certificate of the station's authority, in the device data\n");
    }
    if product.factory.labels.is_empty() || product.factory.devices.is_empty() {
        let key = own.first().map(|key| key.with_extension("")).unwrap_or_default();
        human.push_str(&format!(
            "the key to what is encrypted is {}: keep it elsewhere, or name recipients in the manifest\n",
            key.display()
        ));
    }
    Ok(Output::new(
        human,
        json!({
            "batch": hex(&batch.id),
            "units": new.count,
            "minted": minted,
            "resumed": resumed,
            "entropy_bits": entropy,
            "manifest": path(MANIFEST),
            "labels": path(LABELS),
            "devices": path(DEVICES),
            "plain_labels": new.plain_labels.then(|| path(PLAIN)),
            "signer": path(SIGNER),
            "certificates": batch.certified,
            "directory": batch.dir,
        }),
    ))
}
