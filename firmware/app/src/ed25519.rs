//! The small Ed25519 backend, whose field arithmetic on this core is not that of hosts.

use harness::console::{self, require};
use iotsec_core::{
    crypto::{Ed25519PublicKey, Ed25519SigningKey, Ed25519SmallPublicKey, Sign, Verify},
    secret::Secret,
};

#[inline(never)]
pub(crate) fn backends_agree() {
    for seed in 1..=3 {
        let key = Ed25519SigningKey::from_seed(&Secret::from_bytes([seed; 32]));
        let message = [seed; 36];
        let mut signature = [0; 64];
        require(key.sign(&message, &mut signature).is_ok(), "not signed");
        let (Ok(one), Ok(other)) = (
            Ed25519PublicKey::from_bytes(key.public_key()),
            Ed25519SmallPublicKey::from_bytes(key.public_key()),
        ) else {
            console::fail("a good key was refused")
        };
        let both = |signature: &[u8; 64]| {
            let answers = (one.verify(&message, signature), other.verify(&message, signature));
            require(answers.0 == answers.1, "the Ed25519 backends disagree");
            answers.0.is_ok()
        };
        require(both(&signature), "a good signature was refused");
        for place in [0, 40] {
            signature[place] ^= seed;
            require(!both(&signature), "a changed signature was accepted");
            signature[place] ^= seed;
        }
    }
    console::text("ed25519: both backends agree\n");
}
