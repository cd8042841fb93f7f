//! `iotsec surface`: what a product opens, and whether it opens anything else.

mod check;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use iotsec::{
    core::cose::Sign1Builder,
    net::surface::{
        InterfaceTable, Phase,
        debug::{MAX_LIFETIME_S, UnlockContent},
    },
};
use iotsec_product::Product;
use serde_json::json;

use crate::{
    Output, Problem,
    file::{self, Access},
    key::KeyFile,
    product,
    time::Time,
};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Compare what listens on this system with the manifest; exit status 1 when there are findings.
    Check(Check),
    /// Write the interface table for the firmware, in Rust, or compare it with the one that is there.
    Table(Table),
    /// Write the MUD file (RFC 8520), by which a network learns what the product needs.
    Mud(Mud),
    /// Answer the challenge of one device, so that it opens its debug port for a time.
    Unlock(Unlock),
}

#[derive(Args)]
pub(crate) struct Check {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// Only sockets of this process, in its network namespace; may be given more than once.
    #[arg(long, value_name = "N")]
    pid: Vec<u32>,
    /// The phase of life that the device is in.
    #[arg(long, value_enum, default_value = "owned")]
    phase: PhaseName,
    /// The device keeps to least connectivity.
    #[arg(long)]
    least: bool,
    /// Leave out Unix sockets, which nobody in a network reaches.
    #[arg(long)]
    network: bool,
    /// A service that does not listen is no finding.
    #[arg(long)]
    absent_ok: bool,
    /// Where procfs is mounted.
    #[arg(long, value_name = "DIR", default_value = "/proc")]
    proc: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum PhaseName {
    Factory,
    Provisioned,
    Owned,
    Orphaned,
    Retired,
}

impl From<PhaseName> for Phase {
    fn from(name: PhaseName) -> Self {
        match name {
            PhaseName::Factory => Self::Factory,
            PhaseName::Provisioned => Self::Provisioned,
            PhaseName::Owned => Self::Owned,
            PhaseName::Orphaned => Self::Orphaned,
            PhaseName::Retired => Self::Retired,
        }
    }
}

#[derive(Args)]
pub(crate) struct Table {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// Write it here, in place of standard output.
    #[arg(long, value_name = "FILE", conflicts_with = "compare")]
    out: Option<PathBuf>,
    /// Write nothing: is this file the table of the manifest?
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Mud {
    /// The product manifest.
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// Write it here, in place of standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// When it was made: a date, or seconds since 1970. Now, if it is not given.
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// The product is not supported any more.
    #[arg(long)]
    unsupported: bool,
}

#[derive(Args)]
pub(crate) struct Unlock {
    /// What the device asks.
    challenge: PathBuf,
    /// The private key of the debug port's trust anchor.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Seconds from the challenge on for which the port may be open.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    lifetime: u32,
    /// The token.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::Check(check) => check::run(check),
        Command::Table(table) => write_table(table),
        Command::Mud(mud) => mud_file(mud),
        Command::Unlock(unlock) => answer(unlock),
    }
}

iotsec::core::claim! {
    provisions: ["5.6-1", "5.6-5"],
    claims: "Whatever listens on a Linux device and is not as the manifest declares it is a finding with a remedy",
    tool: "iotsec surface check",
    tests: [
        "iotsec-cli::cli::surface::every_socket_that_is_not_as_declared_is_a_finding",
        "iotsec-cli::cli::surface::what_cannot_be_seen_is_not_clean",
    ],
}

iotsec::core::claim! {
    provisions: ["5.6-5"],
    claims: "A MUD file made of the manifest tells a network which connections the product needs",
    tool: "iotsec surface mud",
    tests: ["iotsec-cli::cli::surface::a_mud_file_is_made_of_the_manifest"],
}

/// The product and its table.
fn read(manifest: &Path) -> Result<(Product, InterfaceTable), Problem> {
    let product = product::read(manifest)?;
    let table = product.interfaces().ok_or_else(|| {
        Problem::new(
            "Manifest",
            format!("{} refused: it has no [surface]", manifest.display()),
            "list every interface under [surface]; examples/products has a manifest to start from",
        )
    })?;
    Ok((product, table))
}

fn write_table(table: &Table) -> Result<Output, Problem> {
    let (product, interfaces) = read(&table.manifest)?;
    let text = iotsec_product::source::surface_table(&product, &interfaces);
    let count = interfaces.interfaces().len();
    if let Some(path) = &table.compare {
        if file::read(path)? != text.as_bytes() {
            return Err(Problem::new(
                "Drift",
                format!(
                    "{} is not the table of {}",
                    path.display(),
                    table.manifest.display()
                ),
                "write it anew with `iotsec surface table --out`, and build the firmware with it",
            ));
        }
        return Ok(Output::new(
            format!("{}: the {count} interfaces of the manifest\n", path.display()),
            json!({ "file": path, "interfaces": count, "same": true }),
        ));
    }
    let mut value = json!({ "interfaces": count });
    if table.out.is_none() {
        value["rust"] = text.clone().into();
    }
    Output::text(table.out.as_deref(), "table", text, value)
}

fn mud_file(mud: &Mud) -> Result<Output, Problem> {
    let (product, _) = read(&mud.manifest)?;
    if product
        .surface
        .as_ref()
        .is_none_or(|surface| surface.mud.is_none())
    {
        return Err(Problem::new(
            "Manifest",
            format!("{} refused: it has no [surface.mud]", mud.manifest.display()),
            "say under [surface.mud] at which url the file is published",
        ));
    }
    let Some(time) = mud.time.or_else(Time::now) else {
        return Err(Problem::usage(
            "this computer does not know the time",
            "say --time",
        ));
    };
    let pretty = iotsec_disclosure::mud::file(&product, time.unix().into(), !mud.unsupported)
        .map_err(Problem::document)?;
    let value: serde_json::Value = serde_json::from_str(&pretty).map_err(|cause| {
        Problem::new(
            "Bug",
            format!("MUD file cannot be made: {cause}"),
            "report it to the maintainers",
        )
    })?;
    Output::text(mud.out.as_deref(), "MUD file", pretty, json!({ "mud": value }))
}

fn answer(unlock: &Unlock) -> Result<Output, Problem> {
    if !(1..=MAX_LIFETIME_S).contains(&unlock.lifetime) {
        return Err(Problem::usage(
            format!("a port is opened for {} seconds", unlock.lifetime),
            format!("--lifetime is 1 to {MAX_LIFETIME_S}"),
        ));
    }
    let challenge = file::read(&unlock.challenge)?;
    let content =
        UnlockContent::answer(&challenge, unlock.lifetime).map_err(Problem::refused(&unlock.challenge))?;
    let key = KeyFile::read(&unlock.key)?;
    let mut payload = [0; UnlockContent::MAX_LEN];
    let payload = content
        .write(&mut payload)
        .map_err(Problem::make("unlock token"))?;
    let (mut scratch, mut token) = ([0; 512], [0; 512]);
    let token = Sign1Builder::new()
        .sign(key.signer()?.as_ref(), payload, b"", &mut scratch, &mut token)
        .map_err(Problem::make("unlock token"))?;
    file::create(&unlock.out, token, Access::Public)?;
    Ok(Output::new(
        format!(
            "{}: device {} may open its debug port for {} s\n",
            unlock.out.display(),
            content.serial.as_str(),
            unlock.lifetime
        ),
        json!({
            "file": unlock.out,
            "serial": content.serial.as_str(),
            "lifetime": unlock.lifetime,
        }),
    ))
}
