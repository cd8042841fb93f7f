//! A service asks a device what it runs, and believes the answer for good reasons only.
//!
//! ```text
//! cargo run --example attest_device
//! ```
//!
//! Flash is simulated; boot loader, token and the service's checks are what a product runs.

#[allow(dead_code, reason = "the examples of updates use more of it")]
#[path = "lamp/device.rs"]
mod device;

use device::{Lamp, Result, sign};
use iotsec::{
    core::{
        attest::{
            AttestError, Claims, Component, Evidence, InstanceId, Lifecycle, LifecycleState, Nonce, Token,
        },
        crypto::{Ed25519PublicKey, Ed25519SigningKey, Sha256, Sign},
        hal::DebugState,
        secret::Secret,
    },
    update::payload::Transport,
};
use iotsec_testkit::{Geometry, SimRng};

const APP: &[u8] = include_bytes!("../vectors/suit/payloads/app_v1.bin");
const HARDWARE: [u8; 32] = *b"lamp-2, revision C of the board ";
const SIGNER: [u8; 32] = [0x5A; 32];
/// Of the product manifest: `MANIFEST_SHA256` among the constants that `iotsec constants` makes.
const PRODUCT: [u8; 32] = [0xC3; 32];

/// The device: boots, and says what boot measured.
fn attest(lamp: &mut Lamp<1>, key: &Ed25519SigningKey, nonce: &[u8], port: DebugState) -> Result<Vec<u8>> {
    let image = lamp.boot()?;
    let manifest = image.manifest();
    let version = manifest.sequence.0.to_string();
    let components = [
        Component::image("App", image.digest(), &version, &SIGNER),
        Component::manifest(&manifest.digest, &version, &SIGNER),
        Component::product(&PRODUCT, &version, &SIGNER),
    ];
    let claims = Claims {
        nonce: Nonce::new(nonce)?,
        instance_id: InstanceId::of(key.public_key(), &mut Sha256::new()),
        implementation_id: &HARDWARE,
        client_id: 1,
        lifecycle: Lifecycle::new(LifecycleState::Secured, 0).with_debug_port(port),
        components: &components,
        boot_seed: None,
        boot_seed_for_tfm: false,
        certification: None,
        service: None,
    };
    let (mut scratch, mut out) = ([0; Claims::max_scratch(3)], [0; Claims::max_len(3)]);
    Ok(claims.sign(key, &mut scratch, &mut out)?.to_vec())
}

/// The service: whether this is an answer to `nonce` from the device that it knows by `key`.
fn read<'t>(
    token: &'t [u8],
    key: &Ed25519PublicKey,
    nonce: &[u8],
) -> std::result::Result<Evidence<'t>, AttestError> {
    let token = Token::parse(token)?;
    token.verify(key, Nonce::new(nonce)?, &mut Sha256::new(), &mut [0; 1024])
}

/// And whether what runs there is good.
fn is_good(evidence: &Evidence<'_>) -> bool {
    let app = evidence
        .components()
        .find(|component| component.role == Some("App"));
    let product = evidence.product();
    app.is_some_and(|app| app.digest == Sha256::of(&[APP]))
        && product.is_some_and(|product| product.digest == PRODUCT)
        && evidence.lifecycle().is_trustworthy()
}

fn main() -> Result {
    let envelope = sign(1, &[(APP, Transport::plain(APP.len().try_into()?))])?;
    let mut lamp = Lamp::new(&Geometry::nrf52840(20), 4, &envelope, [APP])?;
    let key = Ed25519SigningKey::generate(&mut SimRng::new(21))?;
    let known = Ed25519PublicKey::from_bytes(key.public_key())?;
    let (nonce, later) = ([1; 32], [2; 32]);

    let token = attest(&mut lamp, &key, &nonce, DebugState::Closed)?;
    let evidence = read(&token, &known, &nonce)?;
    println!(
        "a token of {} bytes: release {:?}",
        token.len(),
        evidence.manifest().and_then(|m| m.version)
    );
    require(is_good(&evidence), "an honest device is believed")?;
    let replayed = read(&token, &known, &later).err();
    require(
        replayed == Some(AttestError::Nonce),
        "yesterday's answer is refused",
    )?;

    let other = Ed25519SigningKey::from_seed(&Secret::from_bytes([9; 32]));
    let forged = attest(&mut lamp, &other, &nonce, DebugState::Closed)?;
    require(
        read(&forged, &known, &nonce).is_err(),
        "another device's answer is refused",
    )?;
    let mut bent = token.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    require(read(&bent, &known, &nonce).is_err(), "a changed claim is refused")?;
    let opened = attest(&mut lamp, &key, &later, DebugState::Open)?;
    let evidence = read(&opened, &known, &later)?;
    require(
        !is_good(&evidence),
        "a device with an open debug port is authentic, and not believed",
    )
}

fn require(holds: bool, what: &str) -> Result {
    if holds {
        println!("{what}");
        return Ok(());
    }
    Err(format!("not so: {what}").into())
}
