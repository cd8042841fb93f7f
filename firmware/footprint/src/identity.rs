//! A request for a certificate, and an attestation token.

use core::hint::black_box;

use iotsec_core::{
    attest::{Claims, Component, InstanceId, Lifecycle, LifecycleState, Nonce},
    crypto::{P256SigningKey, Sha256, Sign},
    identity::{CertificationRequest, Subject},
    secret::Secret,
};

/// A device key.
pub fn key() -> Option<P256SigningKey> {
    P256SigningKey::from_scalar(&Secret::from_bytes([7; 32])).ok()
}

/// A request with a serial number, signed.
#[inline(never)]
pub fn request(key: &dyn Sign) -> bool {
    let mut out = [0; CertificationRequest::MAX_LEN];
    Subject::new(black_box("LAMP-0042"))
        .is_ok_and(|subject| CertificationRequest::write(&subject, key, &mut out).is_ok())
}

/// A token with an image and its manifest, signed.
#[inline(never)]
pub fn token(key: &dyn Sign) -> bool {
    let (mut scratch, mut out) = ([0; 1024], [0; 512]);
    let (nonce, digest) = black_box(([1; 32], [2; 32]));
    let components = [
        Component::image("App", &digest, "1.4.2", &[3; 32]),
        Component::manifest(&digest, "42", &[3; 32]),
    ];
    Nonce::new(&nonce).is_ok_and(|nonce| {
        let claims = Claims {
            nonce,
            instance_id: InstanceId::of(key.public_key(), &mut Sha256::new()),
            implementation_id: &[4; 32],
            client_id: 1,
            lifecycle: Lifecycle::new(LifecycleState::Secured, 0),
            components: &components,
            boot_seed: None,
            boot_seed_for_tfm: false,
            certification: None,
            service: None,
        };
        claims.sign(key, &mut scratch, &mut out).is_ok()
    })
}
