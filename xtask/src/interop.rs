//! Everything that another implementation can answer too, answered by both.

mod certificate;
mod documents;
mod embedded_tls;
mod environment;
mod factory;
mod generated;
mod https;
mod identity;
mod input;
mod mcuboot;
mod store;
mod surface;
mod telemetry;
mod tls;
mod tpm;
pub(crate) mod venv;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::tool::{self, Failure};
use venv::Venv;

/// What the other implementations are. Versions are pinned: another version is another peer.
const PEERS: &[&str] = &[
    "cbor2==6.3.0",
    "cryptography==50.0.2",
    "detools==0.53.0",
    "imgtool==2.5.0",
    "pyhsslms==2.0.0",
];
/// What suit-generator needs.
const SUIT_GENERATOR: &[&str] = &[
    "cbor2==5.6.5",
    "cryptography==50.0.2",
    "PyYAML==6.0.3",
    "intelhex==2.3.0",
];

/// Where this task puts its things.
struct Place {
    root: PathBuf,
    work: PathBuf,
    iotsec: PathBuf,
}

pub(crate) fn run(root: &Path, args: &[&str]) -> Result<(), Failure> {
    let (mut suit_generator, mut iat_verifier, mut only) = (None, None, None);
    let mut x509_limbo = None;
    for pair in args.chunks(2) {
        match pair {
            ["--suit-generator", folder] => suit_generator = Some(Path::new(*folder).canonicalize()?),
            ["--iat-verifier", folder] => iat_verifier = Some(Path::new(*folder).canonicalize()?),
            ["--x509-limbo", folder] => x509_limbo = Some(Path::new(*folder).canonicalize()?),
            [
                "--only",
                name @ ("documents" | "mcuboot" | "store" | "provision" | "identity" | "certificate"
                | "https" | "input" | "surface" | "telemetry" | "tls"),
            ] => only = Some(*name),
            _ => {
                return Err(
                    "takes --suit-generator FOLDER, --iat-verifier FOLDER and --x509-limbo FOLDER (checkouts), \
                            --only documents, --only mcuboot, --only store, --only provision, --only identity, --only certificate, --only https, --only input, --only surface, --only telemetry, --only tls, or nothing"
                        .into(),
                );
            }
        }
    }
    let work = root.join("target/interop");
    let place = Place {
        root: root.to_owned(),
        iotsec: root.join("target/debug/iotsec"),
        work: work.join("run"),
    };
    if place.work.exists() {
        fs::remove_dir_all(&place.work)?;
    }
    fs::create_dir_all(&place.work)?;
    if only == Some("identity") {
        return identity::check(&place, iat_verifier.as_deref());
    }
    if only == Some("certificate") {
        let python = Venv::new(&work.join("venv"), PEERS)?;
        embedded_tls::check(&place, &python)?;
        return certificate::check(&place, x509_limbo.as_deref());
    }
    if only == Some("https") {
        return https::check(&place);
    }
    if only == Some("tls") {
        return tls::check(&place);
    }
    if only == Some("input") {
        return input::check(&place, &Venv::new(&work.join("venv-input"), input::PEERS)?);
    }
    if only.is_none() {
        need_programs()?;
    }
    let build = || {
        let mut cargo = tool::cargo();
        tool::run(
            cargo
                .current_dir(root)
                .args(["build", "--quiet", "-p", "iotsec-cli"]),
        )
    };
    let surface = || surface::check(&place, &work.join("venv-surface"));
    if only == Some("surface") {
        build()?;
        return surface();
    }
    let documents = || documents::check(&place, &work);
    if only == Some("documents") {
        build()?;
        return documents();
    }
    let telemetry = || telemetry::check(&place, &work.join("venv-telemetry"));
    if only == Some("telemetry") {
        build()?;
        return telemetry();
    }
    let python = Venv::new(&work.join("venv"), PEERS)?;
    if only == Some("mcuboot") {
        return mcuboot::check(&place, &python);
    }
    if only == Some("store") {
        return store::check(&place, &python);
    }
    build()?;

    if only == Some("provision") {
        tool::run(python.script(root, "provision.py").arg(&place.iotsec))?;
        return factory::check(&place);
    }
    for script in ["suit.py", "encryption.py", "pkcs11.py", "provision.py"] {
        tool::run(python.script(root, script).arg(&place.iotsec))?;
    }
    let delta = root.join("vectors/delta/interop.py");
    tool::run(python.run(&delta).arg(&place.iotsec).arg("60"))?;
    mcuboot::check(&place, &python)?;
    store::check(&place, &python)?;
    factory::check(&place)?;
    environment::check(&place)?;
    tpm::check(&place)?;
    identity::check(&place, iat_verifier.as_deref())?;
    https::check(&place)?;
    generated::check(&place, &python)?;
    surface()?;
    documents()?;
    telemetry()?;
    embedded_tls::check(&place, &python)?;
    input::check(&place, &Venv::new(&work.join("venv-input"), input::PEERS)?)?;
    certificate::check(&place, x509_limbo.as_deref())?;
    tls::check(&place)?;
    match suit_generator {
        Some(checkout) => {
            let python = Venv::new(&work.join("venv-suit-generator"), SUIT_GENERATOR)?;
            let mut command = python.script(root, "suit_generator.py");
            tool::run(command.arg(&place.iotsec).env("PYTHONPATH", checkout))
        }
        None => {
            println!(
                "suit-generator: NOT RUN, it is on no package registry: git clone \
                 https://github.com/nrfconnect/suit-generator, and say --suit-generator FOLDER"
            );
            Ok(())
        }
    }
}

/// Fails with everything that is missing, and how to install it.
fn need_programs() -> Result<(), Failure> {
    let programs = [
        ("python3", "python3 python3-venv"),
        ("softhsm2-util", "softhsm2"),
        ("pkcs11-tool", "opensc"),
        ("fw_printenv", "libubootenv-tool"),
        ("fw_setenv", "libubootenv-tool"),
        ("swtpm", "swtpm"),
        ("openssl", "openssl"),
        ("gpg", "gnupg"),
        ("node", "nodejs"),
        ("npm", "npm"),
    ];
    let missing: Vec<&str> = programs
        .into_iter()
        .filter(|(program, _)| Command::new(program).arg("--version").output().is_err())
        .map(|(_, package)| package)
        .collect();
    if missing.is_empty() {
        Ok(())
    } else {
        Err(format!("missing: apt-get install {}", missing.join(" ")).into())
    }
}
