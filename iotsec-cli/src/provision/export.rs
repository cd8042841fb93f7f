//! `iotsec provision export`: devices.sealed in the formats that programming lines take.

mod authority;
mod matter;
mod nvs;
mod secure_cert;
mod store;

use std::{path::PathBuf, thread};

use clap::{Args, ValueEnum};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    folder::{Folder, Growing},
    meter::Meter,
    unit::{Sealing, Source, Unit, Units},
};
use crate::{Output, Problem};

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    source: Source,
    /// What is written.
    #[arg(long, value_enum)]
    format: Format,
    /// The authority's certificate, ca.crt of the station, to be stored beside that of the device
    /// (esp-secure-cert).
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The directory that the files go to; made when it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// SERIAL.unit: what `iotsec::core::credential::UnitRecord` reads on the device.
    Store,
    /// SERIAL.bin: the partition esp_secure_cert of Espressif's chips, key and certificate as TLV.
    EspSecureCert,
    /// SERIAL.csv: for nvs_partition_gen; the unit's record, and what Matter needs where the product has it.
    EspNvs,
    /// matter.csv: passcode, discriminator, salt, iterations and verifier of every unit, a line each.
    Matter,
}

/// Units whose files are made at the same time.
const TOGETHER: usize = 64;

pub(super) fn export(command: &Export) -> Result<Output, Problem> {
    let keys = command.source.keys()?;
    if command.ca.is_some() && command.format != Format::EspSecureCert {
        return Err(Problem::usage(
            "--ca is for --format esp-secure-cert alone",
            "leave it out",
        ));
    }
    let authority = command.ca.as_deref().map(authority::read).transpose()?;
    let mut units = Units::open(&command.source.dir, &keys, Sealing::Devices)?;
    let mut folder = Folder::open(&command.out)?;
    let mut list = match command.format {
        Format::Matter => Some(folder.grow("matter.csv", matter::HEAD)?),
        _ => None,
    };
    let mut done = 0_u32;
    let mut meter: Option<Meter> = None;
    loop {
        let mut chunk = Vec::with_capacity(TOGETHER);
        while chunk.len() < TOGETHER
            && let Some(unit) = units.next()?
        {
            chunk.push(unit);
        }
        if chunk.is_empty() {
            break;
        }
        let make = |unit: &Unit| match command.format {
            Format::Store => store::record(unit),
            Format::EspSecureCert => secure_cert::partition(unit, authority.as_deref()),
            Format::EspNvs => nvs::list(unit),
            Format::Matter => matter::line(unit),
        };
        for (unit, bytes) in chunk.iter().zip(side_by_side(&chunk, &make)) {
            put(command.format, &mut folder, list.as_mut(), unit, &bytes?)?;
            done += 1;
        }
        meter
            .get_or_insert_with(|| Meter::new(units.count(), 0))
            .show(done);
    }
    if let Some(meter) = meter {
        meter.done();
    }
    if let Some(list) = list {
        folder.finish_growing(list)?;
    }
    let (written, kept) = folder.finish()?;
    let mut human = format!(
        "{done} units in {} (secret: program, then destroy)\n",
        command.out.display()
    );
    if kept > 0 {
        human += &format!("{kept} files were there already, the same to the byte\n");
    }
    Ok(Output::new(
        human,
        json!({
            "units": done,
            "written": written,
            "kept": kept,
            "directory": command.out,
        }),
    ))
}

type Made = Result<Zeroizing<Vec<u8>>, Problem>;

/// What `make` makes of each unit, on all processors: verifiers of Matter take milliseconds each.
fn side_by_side(units: &[Unit], make: &(impl Fn(&Unit) -> Made + Sync)) -> Vec<Made> {
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(units.len());
    let failed = || Problem::new("Thread", "a thread ended early", "run the same command again");
    thread::scope(|scope| {
        let shares = units.chunks(units.len().div_ceil(threads.max(1)));
        let workers: Vec<_> = shares
            .map(|share| {
                let worker = scope.spawn(move || share.iter().map(make).collect::<Vec<_>>());
                (share.len(), worker)
            })
            .collect();
        let made = workers.into_iter().flat_map(|(len, worker)| {
            worker
                .join()
                .unwrap_or_else(|_| (0..len).map(|_| Err(failed())).collect())
        });
        made.collect()
    })
}

fn put(
    format: Format,
    folder: &mut Folder,
    list: Option<&mut Growing>,
    unit: &Unit,
    bytes: &[u8],
) -> Result<(), Problem> {
    let ending = match format {
        Format::Store => "unit",
        Format::EspSecureCert => "bin",
        Format::EspNvs => "csv",
        Format::Matter => return list.map_or(Ok(()), |list| list.add(bytes)),
    };
    folder.put(&format!("{}.{ending}", unit.file_stem()), bytes)
}

/// A unit lacks what the format is about.
fn lacks(unit: &Unit, what: &str, remedy: &str) -> Problem {
    Problem::new(
        "UnitLacks",
        format!("{:?} has no {what}", unit.entry.serial),
        remedy,
    )
}
