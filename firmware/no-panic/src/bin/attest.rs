//! Attestation tokens, signed by a key in hardware and read from unknown bytes. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{
    attest::{AttestError, BootSeed, Claims, Component, InstanceId, Lifecycle, LifecycleState, Nonce, Token},
    crypto::{Sha256, Sign},
    hal::DebugState,
};
use no_panic::{KeyInHardware, halt, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    let input = unknown(&input);
    black_box(sign(input).is_ok());
    black_box(read(input).is_ok());
    halt()
}

fn sign(input: &[u8]) -> Result<(), AttestError> {
    let text = core::str::from_utf8(input).unwrap_or_default();
    let bytes = [7; 32];
    let component = Component {
        role: Some(text),
        digest: input,
        version: black_box(Some(text)),
        signer: input,
        hash: black_box(Some(text)),
    };
    let components = black_box([component; 3]);
    let claims = Claims {
        nonce: Nonce::new(input)?,
        instance_id: InstanceId::of(Sign::public_key(&KeyInHardware), &mut Sha256::new()),
        implementation_id: black_box(&bytes),
        client_id: black_box(-1),
        lifecycle: Lifecycle::new(black_box(LifecycleState::Secured), black_box(0))
            .with_debug_port(black_box(DebugState::Open)),
        components: &components,
        boot_seed: black_box(Some(BootSeed::new(input)?)),
        boot_seed_for_tfm: black_box(true),
        certification: black_box(Some(text)),
        service: black_box(Some(text)),
    };
    let (mut scratch, mut out) = ([0; 2048], [0; 1024]);
    let scratch = scratch.get_mut(..black_box(2048)).unwrap_or_default();
    let out = out.get_mut(..black_box(1024)).unwrap_or_default();
    black_box(claims.sign(&KeyInHardware, scratch, out)?);
    Ok(())
}

fn read(input: &[u8]) -> Result<(), AttestError> {
    let mut scratch = [0; 1024];
    let scratch = scratch.get_mut(..black_box(1024)).unwrap_or_default();
    let token = Token::parse(input)?;
    let evidence = token.verify(&KeyInHardware, Nonce::new(input)?, &mut Sha256::new(), scratch)?;
    for component in evidence.components() {
        black_box(component);
    }
    black_box((evidence.manifest(), evidence.lifecycle(), evidence.service()));
    Ok(())
}
