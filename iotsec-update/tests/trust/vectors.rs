//! Files made by other code, and the answers that must be given.

use std::{fs, path::PathBuf};

use iotsec_core::{
    crypto::{CryptoError, PublicKey, Sha256},
    error::ErrorCode,
    hal::UnixTime,
};
use iotsec_update::{
    DeviceIdentity,
    trust::{Challenge, Downgrade, Trust, TrustError},
};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../vectors/trust")
}

fn file(name: &Value) -> Vec<u8> {
    fs::read(folder().join(name.as_str().unwrap())).unwrap()
}

fn bytes<const N: usize>(text: &Value) -> [u8; N] {
    let text = text.as_str().unwrap();
    core::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap())
}

/// A source that gives the nonce of the vectors.
struct Fixed([u8; 16]);

impl rand_core::TryRng for Fixed {
    type Error = core::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Fixed {}

/// Whether the answer is the one that the index asks for.
fn judge<T>(entry: &Value, answer: Result<T, TrustError>) -> Option<T> {
    let name = &entry["file"];
    match answer {
        Ok(value) => {
            assert_eq!(entry["error"], Value::Null, "{name} accepted: {}", entry["why"]);
            Some(value)
        }
        Err(error) => {
            assert_eq!(
                entry["error"].as_u64(),
                Some(error.code().into()),
                "{name}: {error}, {}",
                entry["why"]
            );
            None
        }
    }
}

#[test]
fn every_vector_gets_its_answer() {
    let index: Value = serde_json::from_slice(&fs::read(folder().join("index.json")).unwrap()).unwrap();
    let device = DeviceIdentity {
        vendor: bytes(&index["device"]["vendor"]),
        class: bytes(&index["device"]["class"]),
        device: Some(bytes(&index["device"]["device"])),
        components: &[],
    };
    let load = PublicKey::from_cose;
    let (mut hash, mut scratch) = (Sha256::new(), vec![0; 4096]);
    let factory = |message: &[u8], scratch: &mut [u8]| {
        Trust::factory(message, &device, load, &mut Sha256::new(), scratch).map(|_| ())
    };

    let mut seen = 0;
    for entry in index["bundles"].as_array().unwrap() {
        let message = file(&entry["file"]);
        seen += 1;
        if entry["under"].is_null() {
            judge(entry, factory(&message, &mut scratch));
            continue;
        }
        let before = file(&entry["under"]);
        let before = Trust::factory(&before, &device, load, &mut hash, &mut scratch).unwrap();
        let step = before.rotate(&message, &device, load, &mut hash, &mut scratch);
        if let Some(step) = judge(entry, step) {
            let trust = step.expect("another bundle").into_trust();
            assert_eq!(trust.bundle().version(), before.bundle().version() + 1);
        }
    }

    let nonce = bytes(&index["device"]["nonce"]);
    let challenge = Challenge::new(&mut Fixed(nonce)).unwrap();
    for entry in index["statements"].as_array().unwrap() {
        let (message, under) = (file(&entry["file"]), file(&entry["under"]));
        let trust = Trust::factory(&under, &device, load, &mut hash, &mut scratch).unwrap();
        let answer = challenge.check(&message, &trust, &device, None, load, &mut scratch);
        if let Some(latest) = judge(entry, answer) {
            assert_eq!(Some(latest.sequence_number().0), entry["sequence"].as_u64());
            assert_eq!(*latest.manifest_digest(), bytes(&entry["digest"]));
            assert_eq!(Some(latest.trust_is_behind()), entry["behind"].as_bool());
        }
        seen += 1;
    }

    let installed = bytes(&index["device"]["installed"]);
    for entry in index["tokens"].as_array().unwrap() {
        let (message, under) = (file(&entry["file"]), file(&entry["under"]));
        let trust = Trust::factory(&under, &device, load, &mut hash, &mut scratch).unwrap();
        let now = entry["now"].as_u64().map(UnixTime);
        let answer = Downgrade::check(&message, &trust, &device, &installed, now, load, &mut scratch);
        if let Some(leave) = judge(entry, answer) {
            assert_eq!(*leave.to(), bytes(&entry["to"]));
        }
        seen += 1;
    }
    let files = fs::read_dir(folder()).unwrap();
    let files = files.filter(|file| {
        file.as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|e| e == "cose")
    });
    assert_eq!(files.count(), seen, "every file is in the index");
    assert!(seen >= 60);
}

#[test]
fn a_device_without_a_type_of_key_refuses_the_bundle_that_has_it() {
    let refuse =
        |_: &iotsec_core::cose::Key<'_>| -> Result<PublicKey, CryptoError> { Err(CryptoError::PublicKey) };
    let message = fs::read(folder().join("p01.cose")).unwrap();
    let device = DeviceIdentity {
        vendor: core::array::from_fn(|at| 0x10 + at as u8),
        class: core::array::from_fn(|at| 0x20 + at as u8),
        device: None,
        components: &[],
    };
    let answer = Trust::factory(&message, &device, refuse, &mut Sha256::new(), &mut [0; 2048]);
    assert_eq!(answer.err(), Some(TrustError::KeyRefused));
}
