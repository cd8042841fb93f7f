//! Labels, certificates and device data of a factory batch, before the tools of those who use them.

use super::{Place, venv::Venv};
use crate::tool::{self, Failure};

const PEERS: &[&str] = &[
    "cbor2==6.3.0",
    "cryptography==50.0.2",
    "ecdsa==0.19.2",
    "esp-idf-nvs-partition-gen==0.3.0",
    "esp-secure-cert-tool==2.6.1",
    "numpy==2.4.6",
    "pillow==13.0.0",
    "pkilint==0.13.3",
    "resvg-py==0.5.0",
    "zxing-cpp==3.1.1",
];
/// What it needs is older than what the others need.
const MATTER: &[&str] = &["esp-matter-mfg-tool==1.0.29"];

pub(super) fn check(place: &Place) -> Result<(), Failure> {
    let folder = place.root.join("target/interop");
    let python = Venv::new(&folder.join("venv-factory"), PEERS)?;
    let matter = Venv::new(&folder.join("venv-matter"), MATTER)?;
    let mut command = python.script(&place.root, "factory.py");
    tool::run(command.arg(&place.iotsec).arg(matter.python()))
}
