//! `iotsec provision reprint`

use std::path::{Path, PathBuf};

use clap::Args;
use iotsec_product::factory::PasswordOrigin;
use serde_json::json;

use super::{mint::password_of, registry::What, station::Station};
use crate::{Output, Problem, product};

#[derive(Args)]
pub(crate) struct Reprint {
    /// The product manifest of the unit's batch.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The serial number of the unit.
    #[arg(long, value_name = "TEXT")]
    serial: String,
    /// The station directory. By default the one that the product manifest names.
    #[arg(long, value_name = "DIR")]
    station: Option<PathBuf>,
}

pub(super) fn reprint(command: &Reprint) -> Result<Output, Problem> {
    let product = product::read(&command.manifest)?;
    if product.credential.origin != PasswordOrigin::Derived || !product.credential.password {
        return Err(Problem::new(
            "NotDerived",
            format!(
                "{}: passwords are drawn, and nobody has them",
                command.manifest.display()
            ),
            "give the unit to a new owner with a password of the owner's choice; credential.origin = \"derived\" is for batches to come",
        ));
    }
    let folder = command.station.as_ref().or(product.factory.station.as_ref());
    let station = Station::open(folder.map_or(Path::new("station"), PathBuf::as_path))?;
    let key = station.read_batch_key()?;
    let again = password_of(&product, Some(&key), &command.serial).map_err(Problem::make("password"))?;
    let label = again.label();
    // Another exposure, model or key gives another password, and a label that opens nothing.
    let hash = station.hasher.hash(What::Password, label.as_str().as_bytes())?;
    if !station.registry.holds(&hash)? {
        return Err(Problem::new(
            "SerialUnknown",
            format!(
                "no unit {:?} has a password that was derived like this",
                command.serial
            ),
            "check the serial number, and give the product manifest and the station of its batch",
        ));
    }
    Ok(Output::new(
        format!("{},{}\n", command.serial, label.as_str()),
        json!({ "serial": command.serial, "password": label.as_str() }),
    ))
}
