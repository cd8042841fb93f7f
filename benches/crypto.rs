//! What the suites behind the `crypto` traits cost on this host, as ratios to RustCrypto in the same run.
//!
//! ```text
//! cargo bench --bench crypto
//! ```
//!
//! Each figure is the best of many rounds, in which the suites take turns. Of the two ciphers for storage, ChaCha20-HMAC-SIV
//! stands in the second column beside AES-256-GCM-SIV. This host has instructions for AES: processors for which it is made
//! have not, and `docs/footprint.md` counts there.

use std::{
    error::Error,
    hint::black_box,
    time::{Duration, Instant},
};

use iotsec::core::{
    crypto::{self, Aead, Sign, Verify, aws_lc, ring},
    secret::Secret,
};

const ROUNDS: usize = 200;
/// What a round does so often that the clock is fine enough.
const REPEATS: u32 = 32;

/// Does the thing once.
type Work<'w> = Box<dyn FnMut() + 'w>;

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:<38} {:>12} {:>8} {:>8}", "", "RustCrypto", "ring", "AWS-LC");
    for bytes in [64, 256, 1024, 16_384] {
        compare(
            &format!("ChaCha20-Poly1305 seal, {bytes} B"),
            seal(&crypto::ChaCha20Poly1305, bytes),
            Some(seal(&ring::ChaCha20Poly1305, bytes)),
            seal(&aws_lc::ChaCha20Poly1305, bytes),
        );
    }
    for bytes in [64, 256, 1024, 16_384] {
        let name = format!("AES-256-GCM-SIV seal, {bytes} B");
        compare(
            &name,
            seal(&crypto::Aes256GcmSiv, bytes),
            None,
            seal(&aws_lc::Aes256GcmSiv, bytes),
        );
    }
    println!("{:<38} {:>12} {:>8} {:>8}", "", "AES-SIV", "ChaCha", "AWS-LC");
    for bytes in [64, 256, 1024, 16_384] {
        let name = format!("GCM-SIV against HMAC-SIV, {bytes} B");
        compare(
            &name,
            seal(&crypto::Aes256GcmSiv, bytes),
            Some(seal(&crypto::ChaCha20HmacSiv, bytes)),
            seal(&aws_lc::Aes256GcmSiv, bytes),
        );
    }
    println!("{:<38} {:>12} {:>8} {:>8}", "", "RustCrypto", "ring", "AWS-LC");
    let scalar = Secret::from_bytes([7; 32]);
    let keys: [Box<dyn Sign>; 3] = [
        Box::new(crypto::P256SigningKey::from_scalar(&scalar)?),
        Box::new(ring::P256SigningKey::from_scalar(&scalar)?),
        Box::new(aws_lc::P256SigningKey::from_scalar(&scalar)?),
    ];
    let point = keys[0].public_key();
    let publics: [Box<dyn Verify>; 3] = [
        Box::new(crypto::P256PublicKey::from_sec1(point)?),
        Box::new(ring::P256PublicKey::from_sec1(point)?),
        Box::new(aws_lc::P256PublicKey::from_sec1(point)?),
    ];
    let [a, b, c] = publics.each_ref().map(|key| verify(&**key, &*keys[0]));
    compare("ECDSA P-256 verify", a, Some(b), c);
    let [a, b, c] = keys.each_ref().map(|key| sign(&**key));
    compare("ECDSA P-256 sign", a, Some(b), c);
    Ok(())
}

fn seal(aead: &dyn Aead, bytes: usize) -> Work<'_> {
    let (key, mut buffer) = (Secret::from_bytes([3; 32]), vec![0; bytes]);
    Box::new(move || {
        black_box(aead.seal(&key, &[1; 12], b"", &mut buffer)).unwrap();
    })
}

fn verify<'w>(public: &'w dyn Verify, key: &dyn Sign) -> Work<'w> {
    let mut signature = [0; 64];
    key.sign(b"message", &mut signature).unwrap();
    Box::new(move || public.verify(black_box(b"message"), &signature).unwrap())
}

fn sign(key: &dyn Sign) -> Work<'_> {
    let mut signature = [0; 64];
    Box::new(move || key.sign(black_box(b"message"), &mut signature).unwrap())
}

/// A line: the first in time, the others as how many times faster than it.
fn compare(name: &str, first: Work<'_>, second: Option<Work<'_>>, third: Work<'_>) {
    let mut works = [Some(first), second, Some(third)];
    let mut best = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        for (work, best) in works.iter_mut().zip(&mut best) {
            let Some(work) = work else { continue };
            let start = Instant::now();
            for _ in 0..REPEATS {
                work();
            }
            *best = (*best).min(start.elapsed() / REPEATS);
        }
    }
    let ratio = |place: usize| match works[place] {
        Some(_) => format!("{:.2}", best[0].as_secs_f64() / best[place].as_secs_f64()),
        None => "-".to_owned(),
    };
    let micros = best[0].as_secs_f64() * 1e6;
    println!("{name:<38} {micros:>9.2} µs {:>8} {:>8}", ratio(1), ratio(2));
}
