//! The maker's certificate authority for devices that make their key themselves.

mod certificate;
mod der;
mod issuer;
mod request;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use getrandom::SysRng;
use iotsec::core::{
    crypto::{Ed25519SigningKey, P256SigningKey, Sha256, Sign},
    input::DeviceSerial,
    secret::Secret,
};
use iotsec_product::text::Text;
use pkcs8::der::{Document, pem::LineEnding};
use serde_json::json;

use crate::{
    Output, Problem,
    file::{self, Access},
    key::{KeyFile, cose_key, hex, type_name},
    provision::{registry::What, station::Station},
};
use certificate::{Name, Purpose, issue};
pub(crate) use issuer::{Issuer, Ready};
use request::Request;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make the authority of a station: ca.key (mode 0600) and ca.crt, signed by itself.
    Init(Init),
    /// Sign a device's certificate request (PKCS#10), as IEEE 802.1AR profiles an IDevID.
    ///
    /// Refused are a signature that the request's key did not make, keys that are weak, published, or known from
    /// another unit, another serial number than --serial, one that no batch has or that has a certificate
    /// with another key, and a request to be a CA.
    SignCsr(SignCsr),
}

#[derive(Args)]
pub(crate) struct Init {
    /// The maker, as certificates name it; up to 64 bytes.
    #[arg(long, value_parser = text)]
    organization: Text,
    /// What the authority is called; up to 64 bytes.
    #[arg(long, value_parser = text, default_value = "Device CA")]
    name: Text,
    /// Its kind of key.
    #[arg(long, value_enum, default_value = "ed25519")]
    kind: Kind,
    /// The station directory; made when it is not there.
    #[arg(long, value_name = "DIR", default_value = "station")]
    station: PathBuf,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {
    /// Where both ends are yours.
    Ed25519,
    /// ECDSA on P-256, where a cloud or a secure element asks for it.
    P256,
}

#[derive(Args)]
pub(crate) struct SignCsr {
    /// The request, in PEM or DER.
    request: PathBuf,
    /// The serial number of the unit, read from the unit itself and not from the request.
    #[arg(long, value_name = "TEXT", value_parser = serial)]
    serial: String,
    /// Also sign for a serial number that no batch of this station has.
    #[arg(long)]
    unminted: bool,
    /// The station directory.
    #[arg(long, value_name = "DIR", default_value = "station")]
    station: PathBuf,
    /// Where the certificate goes, in PEM; must not exist.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(crate) fn run(command: &Command) -> Result<Output, Problem> {
    match command {
        Command::Init(command) => init(command),
        Command::SignCsr(command) => sign_csr(command),
    }
}

fn init(command: &Init) -> Result<Output, Problem> {
    // Keeps other runs out.
    let _station = Station::open(&command.station)?;
    let (key_path, certificate_path) = places(&command.station);
    file::must_be_free(&certificate_path)?;
    // A run that was killed between the two leaves a key that certified nothing.
    if file::must_be_free(&key_path).is_ok() {
        let secret = Secret::<32>::random(&mut SysRng).map_err(Problem::make("key"))?;
        let signer: Box<dyn Sign> = match command.kind {
            Kind::Ed25519 => Box::new(Ed25519SigningKey::from_seed(&secret)),
            Kind::P256 => Box::new(P256SigningKey::from_scalar(&secret).map_err(Problem::make("key"))?),
        };
        let private = cose_key(signer.public_key(), None, Some(&secret)).map_err(Problem::make("key"))?;
        file::create_whole(&key_path, &private, Access::Private)?;
    }
    let key = KeyFile::read(&key_path)?;
    let (signer, public) = (key.signer()?, key.verifier()?);
    let name = Name {
        organization: command.organization.as_str(),
        common_name: command.name.as_str(),
        serial: None,
    };
    let name = name.der();
    let certificate = issue(
        &Purpose::Authority,
        &name,
        &name,
        public.as_ref(),
        signer.as_ref(),
        public.as_ref(),
    )?;
    write(&certificate_path, &certificate)?;
    Ok(Output::new(
        format!(
            "authority    {} ({}, for whoever checks devices)\nprivate key  {} (for the signing machine alone)\n",
            certificate_path.display(),
            type_name(public.key_type()),
            key_path.display(),
        ),
        json!({
            "certificate": certificate_path,
            "private": key_path,
            "type": type_name(public.key_type()),
            "digest": hex(&Sha256::of(&[&certificate])),
        }),
    ))
}

fn sign_csr(command: &SignCsr) -> Result<Output, Problem> {
    file::must_be_free(&command.out)?;
    let request = Request::read(&command.request)?;
    if request.serial != command.serial {
        return Err(Problem::new(
            "SerialMismatch",
            format!(
                "{} refused: it is of {:?}, and the unit is {:?}",
                command.request.display(),
                request.serial,
                command.serial
            ),
            "have the unit in hand make the request, with its own serial number",
        ));
    }
    let mut station = Station::open(&command.station)?;
    let issuer = Issuer::open(&command.station)?.ok_or_else(|| {
        Problem::new(
            "NoAuthority",
            format!("{} is not there", places(&command.station).0.display()),
            "make the authority with `iotsec ca init`, or name its station with --station",
        )
    })?;
    register(&mut station, command, &request)?;
    let certificate = issuer.ready()?.certify(&request.serial, request.key.as_ref())?;
    write(&command.out, &certificate)?;
    let mut human = format!(
        "certificate  {} for {:?}, {} key, without an end\n",
        command.out.display(),
        request.serial,
        type_name(request.key.key_type()),
    );
    if !request.ignored.is_empty() {
        human += &format!("not granted  {}\n", request.ignored.join(" "));
    }
    Ok(Output::new(
        human,
        json!({
            "certificate": command.out,
            "serial": request.serial,
            "type": type_name(request.key.key_type()),
            "public": hex(request.key.public_key()),
            "digest": hex(&Sha256::of(&[&certificate])),
            "not_granted": request.ignored,
        }),
    ))
}

iotsec::core::claim! {
    provisions: ["5.4-4"],
    claims: "A device certificate is issued to one key for one unit, and for no weak or published key",
    tool: "iotsec ca sign-csr",
    tests: [
        "iotsec-cli::cli::ca::one_key_has_one_unit_and_one_unit_one_key",
        "iotsec-cli::cli::ca::weak_and_published_keys_are_refused",
    ],
}

/// One key a unit, and one unit a key. The same request again is no new unit: whoever lost the answer, or
/// was killed before it was written, asks again.
fn register(station: &mut Station, command: &SignCsr, request: &Request) -> Result<(), Problem> {
    let refused = |name: &str, cause: &str, remedy: &str| {
        let path = command.request.display();
        Problem::new(name, format!("{path} refused: {cause}"), remedy)
    };
    if !command.unminted && !station.registry.has_serial(&request.serial) {
        return Err(refused(
            "SerialUnknown",
            "no batch of this station has this serial number",
            "mint the unit first, name the station that did, or say --unminted",
        ));
    }
    let public = request.key.public_key();
    let serial = request.serial.as_bytes();
    // The serial number has no zero byte, so that no two pairs give one text.
    let pair = [serial, &[0], public].concat();
    let pair = station.hasher.hash(What::Certified, &pair)?;
    if station.registry.holds(&pair)? {
        return Ok(());
    }
    let public = station.hasher.hash(What::PublicKey, public)?;
    if station.registry.holds(&public)? {
        return Err(refused(
            "DuplicateKey",
            "another unit has this key",
            "find out why two units have one key: copied firmware, or an entropy source that repeats itself",
        ));
    }
    let serial = station.hasher.hash(What::CertifiedSerial, serial)?;
    if station.registry.holds(&serial)? {
        return Err(refused(
            "SerialCertified",
            "the unit has a certificate with another key",
            "renew the key of a unit in service with its old key; a unit whose key was lost gets a new serial number",
        ));
    }
    station.registry.add(&mut [pair, public, serial])
}

fn places(station: &Path) -> (PathBuf, PathBuf) {
    (station.join("ca.key"), station.join("ca.crt"))
}

fn write(path: &Path, certificate: &[u8]) -> Result<(), Problem> {
    let failed = |_| {
        Problem::new(
            "CertificateFormat",
            "certificate cannot be written",
            "report this",
        )
    };
    let document = Document::try_from(certificate).map_err(failed)?;
    let pem = document.to_pem("CERTIFICATE", LineEnding::LF).map_err(failed)?;
    file::create_whole(path, pem.as_bytes(), Access::Public)
}

fn text(text: &str) -> Result<Text, &'static str> {
    Text::try_from(text.to_owned())
}

fn serial(text: &str) -> Result<String, &'static str> {
    match DeviceSerial::parse(text.as_bytes()) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err("takes 1 to 32 letters, digits, hyphens and dots, a letter or digit first and last"),
    }
}
