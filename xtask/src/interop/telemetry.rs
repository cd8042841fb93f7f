//! Exports of telemetry, read by what others wrote; and a batch that Python makes.

use std::path::Path;

use super::{Place, Venv};
use crate::tool::{self, Failure};

const PACKAGES: &[&str] = &[
    "AWSIoTDeviceDefenderAgentSDK==2.0.0",
    "cbor2==6.3.0",
    "cryptography==50.0.2",
    "jsonschema==4.26.0",
    "ocsf-json-schema==1.2.0",
    "opentelemetry-proto==1.45.2",
    "syslog-rfc5424-parser==0.3.2",
];

pub(super) fn check(place: &Place, venv: &Path) -> Result<(), Failure> {
    let python = Venv::new(venv, PACKAGES)?;
    let mut exports = python.script(&place.root, "telemetry.py");
    tool::run(exports.arg(&place.iotsec).arg(&place.work))
}
