//! A verifier asks a device what it runs, and believes it exactly when it should.
//!
//! ```text
//! cargo run --example attest_device
//! ```
//!
//! The device's key is derived from what boot measured (DICE), so another image signs with another key. Fails when an
//! answer is not as it says.

use iotsec::core::{
    attest::{AttestError, Claims, Component, InstanceId, Lifecycle, LifecycleState, Nonce, Token},
    cose::CoseError,
    crypto::{CryptoError, P256PublicKey, P256SigningKey, Sha256, Sha512, Sign, WideDigest},
    hal::DebugState,
    identity::{DiceInputs, DiceLayer, DiceMode},
    secret::Secret,
};
use std::error::Error;

const MAKER: [u8; 32] = [0xC0; 32];
const RELEASE: &[u8] = b"the image of release 1.4.2";

/// Boot: ROM measures the image and hands the derived secret over to it.
fn boot(image: &[u8], debug: DebugState) -> Result<P256SigningKey, Box<dyn Error>> {
    let mut hash = Sha512::new();
    hash.update(image);
    let code = hash.finish();
    let inputs = DiceInputs {
        code: &code,
        config: &[0; 64],
        authority: &[0xC0; 64],
        mode: DiceMode::Normal.with_debug_port(debug),
        hidden: &Secret::zero(),
    };
    let rom = DiceLayer::from_uds(&Secret::from_bytes([0x11; 32]));
    Ok(rom.next(&inputs, &mut hash)?.key(&mut hash)?)
}

/// The device's answer to a nonce.
fn attest(key: &dyn Sign, image: &[u8], debug: DebugState, nonce: &[u8]) -> Result<Vec<u8>, AttestError> {
    let measured = Sha256::of(&[image]);
    let manifest = Sha256::of(&[b"the manifest that installed it"]);
    let components = [
        Component::image("App", &measured, "1.4.2", &MAKER),
        Component::manifest(&manifest, "42", &MAKER),
    ];
    let claims = Claims {
        nonce: Nonce::new(nonce)?,
        instance_id: InstanceId::of(key.public_key(), &mut Sha256::new()),
        implementation_id: &[0x22; 32],
        client_id: 1,
        lifecycle: Lifecycle::new(LifecycleState::Secured, 0).with_debug_port(debug),
        components: &components,
        boot_seed: None,
        boot_seed_for_tfm: false,
        certification: None,
        service: None,
    };
    let (mut scratch, mut out) = ([0; 1024], [0; 768]);
    Ok(claims.sign(key, &mut scratch, &mut out)?.to_vec())
}

/// The verifier knows the device's key from the factory and the image from the release.
fn judge(token: &[u8], key: &P256PublicKey, nonce: &[u8]) -> Result<&'static str, AttestError> {
    let mut scratch = vec![0; token.len() + 128];
    let token = Token::parse(token)?;
    let evidence = token.verify(key, Nonce::new(nonce)?, &mut Sha256::new(), &mut scratch)?;
    let release = Sha256::of(&[RELEASE]);
    let mut components = evidence.components();
    Ok(if !evidence.lifecycle().is_trustworthy() {
        "open"
    } else if components.any(|one| one.digest == release && one.signer == MAKER) {
        "good"
    } else {
        "other image"
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let (nonce, later) = ([1; 32], [2; 32]);
    let (closed, open) = (DebugState::Closed, DebugState::Open);
    let other: &[u8] = b"another image";
    let key = boot(RELEASE, closed)?;
    let known = P256PublicKey::from_sec1(key.public_key())?;
    let token = attest(&key, RELEASE, closed, &nonce)?;
    let forged = Err(AttestError::Cose(CoseError::Crypto(CryptoError::Signature)));
    // What another image, or an open device, derives is another key: whatever it says, it cannot lie.
    let (liar, looked) = (boot(other, closed)?, boot(RELEASE, open)?);
    for (what, token, nonce, wanted) in [
        ("as it should be", &token, &nonce, Ok("good")),
        ("an old answer", &token, &later, Err(AttestError::Nonce)),
        (
            "another image",
            &attest(&key, other, closed, &nonce)?,
            &nonce,
            Ok("other image"),
        ),
        ("open", &attest(&key, RELEASE, open, &nonce)?, &nonce, Ok("open")),
        (
            "another image, lying",
            &attest(&liar, RELEASE, closed, &nonce)?,
            &nonce,
            forged,
        ),
        (
            "open, lying",
            &attest(&looked, RELEASE, closed, &nonce)?,
            &nonce,
            forged,
        ),
    ] {
        let found = judge(token, &known, nonce);
        println!("{what:<21} {} bytes: {found:?}", token.len());
        if found != wanted {
            return Err(format!("{what}: {wanted:?} was expected").into());
        }
    }
    Ok(())
}
