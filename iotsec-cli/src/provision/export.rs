//! `iotsec provision export`: devices.sealed in the formats that programming lines take.

mod authority;
mod matter;
mod nvs;
mod secure_cert;
mod store;

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    folder::Folder,
    meter::Meter,
    side_by_side::{each, some},
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
    let folder = Folder::open(&command.out)?;
    let mut list = match command.format {
        Format::Matter => Some(folder.grow("matter.csv", matter::HEAD)?),
        _ => None,
    };
    let make = |unit: &Unit| {
        let (bytes, ending) = match command.format {
            Format::Store => (store::record(unit)?, "unit"),
            Format::EspSecureCert => (secure_cert::partition(unit, authority.as_deref())?, "bin"),
            Format::EspNvs => (nvs::list(unit)?, "csv"),
            Format::Matter => return matter::line(unit).map(Some),
        };
        folder.put(&format!("{}.{ending}", unit.file_stem()), &bytes)?;
        Ok(None)
    };
    let mut done = 0_u32;
    let mut meter: Option<Meter> = None;
    loop {
        let some = some(&mut units)?;
        if some.is_empty() {
            break;
        }
        for line in each(&some, make)? {
            if let (Some(list), Some(line)) = (&mut list, line) {
                list.add(&line)?;
            }
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

/// A unit lacks what the format is about.
fn lacks(unit: &Unit, what: &str, remedy: &str) -> Problem {
    Problem::new(
        "UnitLacks",
        format!("{:?} has no {what}", unit.entry.serial),
        remedy,
    )
}
