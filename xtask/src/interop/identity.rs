//! Certification requests and attestation tokens, before OpenSSL, pyca/cryptography, pycose, cwt and TF-M's verifier.

use std::{fs, path::Path, process::Command};

use iotsec::core::{
    attest::{BootSeed, Claims, Component, InstanceId, Lifecycle, LifecycleState, Nonce},
    crypto::{Ed25519SigningKey, P256SigningKey, Sha256, Sign},
    identity::{CertificationRequest, Subject, SubjectPublicKey},
    secret::Secret,
};

use super::{Place, venv::Venv};
use crate::tool::{self, Failure};

/// What reads tokens. TF-M's verifier needs this cbor2.
const PEERS: &[&str] = &[
    "cbor2==5.9.0",
    "cryptography==50.0.2",
    "cwt==3.3.0",
    "ecdsa==0.19.2",
    "pycose==1.1.0",
    "PyYAML==6.0.4",
    "pyyaml-include==2.2",
];

const KEYS: u8 = 8;
const NONCE: [u8; 32] = [0xA5; 32];
const SEED: [u8; 32] = [0x5A; 32];

pub(super) fn check(place: &Place, iat_verifier: Option<&Path>) -> Result<(), Failure> {
    tool::need("openssl", "apt-get install openssl")?;
    let folder = place.work.join("identity");
    fs::create_dir_all(&folder)?;
    let python = Venv::new(&place.root.join("target/interop/venv-identity"), PEERS)?;
    let mut requests = 0;
    for number in 1..=KEYS {
        let secret = Secret::from_bytes([number; 32]);
        let ed25519 = Ed25519SigningKey::from_seed(&secret);
        let p256 = P256SigningKey::from_scalar(&secret)?;
        let keys: [(&str, &dyn Sign); 2] = [("ed25519", &ed25519), ("p256", &p256)];
        for (name, key) in keys {
            let path = folder.join(format!("{name}-{number}.csr"));
            fs::write(&path, request(number, key)?)?;
            openssl_accepts(&path)?;
            requests += 1;
            fs::write(path.with_extension("spki"), public(key)?)?;
            fs::write(path.with_extension("token"), token(number, key)?)?;
        }
    }
    openssl_refuses_a_changed_one(&folder.join("p256-1.csr"))?;
    println!("identity: openssl accepts {requests} requests, and refuses a changed one");
    tool::run(python.script(&place.root, "identity.py").arg(&folder))?;
    let Some(checkout) = iat_verifier else {
        println!(
            "iat-verifier: NOT RUN, it is on no package registry: git clone \
             https://github.com/TrustedFirmware-M/tf-m-tools, and say --iat-verifier FOLDER/iat-verifier"
        );
        return Ok(());
    };
    let script = checkout.join("scripts/check_iat.py");
    for number in 1..=KEYS {
        let path = folder.join(format!("p256-{number}.token"));
        let mut command = python.run(&script);
        command
            .env("PYTHONPATH", checkout)
            .args(["-t", "PSA-2.0.0-token", "-k"]);
        let text = tool::text(command.arg(path.with_extension("pem")).arg(&path))?;
        if !text.contains("Signature OK") || !text.contains("Token format OK") {
            return Err(format!("iat-verifier on {}: {text}", path.display()).into());
        }
    }
    println!("iat-verifier: accepts {KEYS} tokens");
    Ok(())
}

fn request(number: u8, key: &dyn Sign) -> Result<Vec<u8>, Failure> {
    let serial = format!("LAMP-{number:04}");
    let (name, long) = (format!("Lampe № {number}"), "O".repeat(64));
    let mut subject = Subject::new(&serial)?;
    if number.is_multiple_of(2) {
        subject = subject.common_name(&name)?;
    }
    if number.is_multiple_of(3) {
        subject = subject.organization(&long)?;
    }
    let mut out = [0; CertificationRequest::MAX_LEN];
    Ok(CertificationRequest::write(&subject, key, &mut out)?.to_vec())
}

fn public(key: &dyn Sign) -> Result<Vec<u8>, Failure> {
    let mut out = [0; SubjectPublicKey::MAX_LEN];
    Ok(SubjectPublicKey::of(key)?.write(&mut out)?.to_vec())
}

fn token(number: u8, key: &dyn Sign) -> Result<Vec<u8>, Failure> {
    let image = [number; 32];
    let components = [
        Component::image("App", &image, "1.4.2", &[3; 32]),
        Component::manifest(&[4; 32], "42", &[3; 32]),
        Component::product(&[6; 32], "1.4.2", &[3; 32]),
    ];
    let claims = Claims {
        nonce: Nonce::new(&NONCE)?,
        instance_id: InstanceId::of(key.public_key(), &mut Sha256::new()),
        implementation_id: &[9; 32],
        client_id: i32::from(number) - 4,
        lifecycle: Lifecycle::new(LifecycleState::Secured, number),
        components: &components,
        boot_seed: Some(BootSeed::new(&SEED)?),
        // iat-verifier wants it under this number, and calls the other one unknown.
        boot_seed_for_tfm: true,
        certification: number.is_multiple_of(2).then_some("0604565272829-10010"),
        service: number.is_multiple_of(3).then_some("https://verifier.example/"),
    };
    let mut scratch = vec![0; Claims::max_scratch(components.len())];
    let mut out = vec![0; Claims::max_len(components.len())];
    Ok(claims.sign(key, &mut scratch, &mut out)?.to_vec())
}

fn openssl(path: &Path) -> Result<bool, Failure> {
    let mut command = Command::new("openssl");
    command.args(["req", "-verify", "-noout", "-inform", "DER", "-in"]);
    let output = command.arg(path).output()?;
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    // The exit status of old versions says nothing.
    Ok(output.status.success() && text.contains("verify OK"))
}

fn openssl_accepts(path: &Path) -> Result<(), Failure> {
    if openssl(path)? {
        Ok(())
    } else {
        Err(format!("openssl refuses {}", path.display()).into())
    }
}

fn openssl_refuses_a_changed_one(path: &Path) -> Result<(), Failure> {
    let mut bytes = fs::read(path)?;
    let at = bytes.windows(4).position(|part| part == b"LAMP").unwrap_or(0);
    bytes[at] = b'D';
    let changed = path.with_extension("changed");
    fs::write(&changed, bytes)?;
    if openssl(&changed)? {
        Err("openssl accepts a request that was changed".into())
    } else {
        Ok(())
    }
}
