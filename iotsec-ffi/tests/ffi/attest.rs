//! Attestation through C pointers: the token that Rust verifies, with what C said in it.
//!
//! SAFETY of every call: pointers are to live locals, as large as the length beside them says.

use std::{ffi::c_void, ptr};

use iotsec::core::{
    attest::{Claims, Evidence, Nonce, Token},
    crypto::{Ed25519PublicKey, Sha256},
};
use iotsec_ffi::{attest::*, signer::*, status::*};

const SEED: [u8; 32] = [7; 32];
const NONCE: [u8; 32] = [1; 32];
const HARDWARE: [u8; 32] = [4; 32];
const DIGEST: [u8; 32] = [2; 32];
const SIGNED_BY: [u8; 32] = [3; 32];

unsafe extern "C" fn sign(ctx: *mut c_void, message: *const u8, len: usize, signature: *mut u8) -> i32 {
    // SAFETY: see the top; `ctx` is the seed.
    unsafe { iotsec_ed25519_sign(ctx.cast(), message, len, signature) }
}

unsafe extern "C" fn fail(_: *mut c_void, _: *const u8, _: usize, _: *mut u8) -> i32 {
    1
}

/// Its public key: `iotsec_ed25519_public_key` gives the same, and takes long under Miri.
pub(crate) const PUBLIC: [u8; 32] = [
    0xEA, 0x4A, 0x6C, 0x63, 0xE2, 0x9C, 0x52, 0x0A, 0xBE, 0xF5, 0x50, 0x7B, 0x13, 0x2E, 0xC5, 0xF9, 0x95,
    0x47, 0x76, 0xAE, 0xBE, 0xBE, 0x7B, 0x92, 0x42, 0x1E, 0xEA, 0x69, 0x14, 0x46, 0xD2, 0x2C,
];

#[test]
fn the_public_key_is_that_of_the_seed() {
    let mut public_key = [0; 32];
    // SAFETY: see the top.
    let status = unsafe { iotsec_ed25519_public_key(SEED.as_ptr(), public_key.as_mut_ptr()) };
    assert_eq!((status, public_key), (IOTSEC_OK, PUBLIC));
}

pub(crate) fn signer() -> iotsec_signer_t {
    let mut public_key = [0xEE; IOTSEC_PUBLIC_KEY_MAX];
    public_key[..32].copy_from_slice(&PUBLIC);
    iotsec_signer_t {
        struct_size: size_of::<iotsec_signer_t>() as u32,
        key_type: IOTSEC_KEY_ED25519,
        ctx: SEED.as_ptr().cast_mut().cast(),
        sign: Some(sign),
        public_key,
    }
}

pub(crate) const APP: iotsec_attest_component_t = iotsec_attest_component_t {
    role: c"App".as_ptr(),
    version: c"1.4.2".as_ptr(),
    digest: DIGEST.as_ptr(),
    signer: SIGNED_BY.as_ptr(),
};

pub(crate) fn claims(components: &[iotsec_attest_component_t]) -> iotsec_attest_claims_t {
    iotsec_attest_claims_t {
        struct_size: size_of::<iotsec_attest_claims_t>() as u32,
        client_id: 1,
        lifecycle: IOTSEC_LIFECYCLE_SECURED,
        reserved: 0,
        debug: IOTSEC_DEBUG_CLOSED,
        implementation_id: HARDWARE.as_ptr(),
        nonce: NONCE.as_ptr(),
        nonce_len: NONCE.len(),
        boot_seed: ptr::null(),
        boot_seed_len: 0,
        components: components.as_ptr(),
        component_count: components.len(),
    }
}

fn token(signer: &iotsec_signer_t, claims: &iotsec_attest_claims_t) -> Result<Vec<u8>, iotsec_status_t> {
    let (mut scratch, mut token, mut len) = ([0; 10_000], [0; 5_000], 0);
    // SAFETY: see the top.
    let status = unsafe {
        iotsec_attest_token(
            signer,
            claims,
            scratch.as_mut_ptr(),
            scratch.len(),
            token.as_mut_ptr(),
            token.len(),
            &mut len,
        )
    };
    if status == IOTSEC_OK {
        Ok(token[..len].to_vec())
    } else {
        Err(status)
    }
}

/// Gives what Rust reads in a token of this signer to `look`, once it is believed.
fn verified<R>(signer: &iotsec_signer_t, token: &[u8], look: impl FnOnce(&Evidence<'_>) -> R) -> R {
    let public = Ed25519PublicKey::from_bytes(&signer.public_key[..32]).unwrap();
    let (nonce, mut scratch) = (Nonce::new(&NONCE).unwrap(), [0; 1024]);
    let token = Token::parse(token).unwrap();
    look(
        &token
            .verify(&public, nonce, &mut Sha256::new(), &mut scratch)
            .unwrap(),
    )
}

#[test]
fn a_token_says_what_c_said_and_is_believed() {
    let signer = signer();
    let token = token(&signer, &claims(&[APP])).unwrap();
    verified(&signer, &token, |evidence| {
        assert!(evidence.lifecycle().is_trustworthy());
        let component = evidence.components().next().unwrap();
        assert_eq!((component.role, component.version), (Some("App"), Some("1.4.2")));
        assert_eq!(
            (component.digest, component.signer),
            (&DIGEST[..], &SIGNED_BY[..])
        );
    });
}

/// In a product the digest is `MANIFEST_SHA256` of the constants that `iotsec constants` makes.
#[test]
fn a_token_says_of_which_product_manifest_the_firmware_was_built() {
    let product = iotsec_attest_component_t {
        role: c"App_CONFIG".as_ptr(),
        digest: HARDWARE.as_ptr(),
        ..APP
    };
    let signer = signer();
    let token = token(&signer, &claims(&[APP, product])).unwrap();
    verified(&signer, &token, |evidence| {
        assert_eq!(evidence.product().unwrap().digest, HARDWARE);
    });
}

#[test]
fn an_open_debug_port_is_told_whatever_the_life_cycle_says() {
    let mut open = claims(&[APP]);
    open.debug = IOTSEC_DEBUG_OPEN;
    let components = [APP];
    open.components = components.as_ptr();
    let signer = signer();
    let token = token(&signer, &open).unwrap();
    assert!(!verified(&signer, &token, |evidence| evidence
        .lifecycle()
        .is_trustworthy()));
}

#[test]
fn what_cannot_be_claimed_is_refused_by_name() {
    let components = [APP; IOTSEC_ATTEST_COMPONENTS_MAX + 1];
    let good = claims(&components[..1]);
    let refused = |change: &dyn Fn(&mut iotsec_attest_claims_t)| {
        let mut claims = good;
        change(&mut claims);
        token(&signer(), &claims).unwrap_err()
    };
    assert_eq!(refused(&|c| c.nonce_len = 31), IOTSEC_ERR_ATTEST_NONCE_LENGTH);
    assert_eq!(refused(&|c| c.lifecycle = 0x7000), IOTSEC_ERR_ATTEST_LIFECYCLE);
    assert_eq!(refused(&|c| c.debug = 0), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|c| c.reserved = 1), IOTSEC_ERR_CONFIG);
    assert_eq!(refused(&|c| c.component_count = 0), IOTSEC_ERR_ATTEST_COMPONENT);
    assert_eq!(refused(&|c| c.component_count = 17), IOTSEC_ERR_SIZE);
    assert_eq!(refused(&|c| c.struct_size -= 1), IOTSEC_ERR_CONFIG);
    assert_eq!(
        refused(&|c| (c.boot_seed, c.boot_seed_len) = (NONCE.as_ptr(), 7)),
        IOTSEC_ERR_ATTEST_BOOT_SEED
    );
    let most = token(&signer(), &claims(&components[..16])).unwrap();
    assert!(most.len() <= Claims::max_len(16));
    let mut broken = signer();
    broken.sign = Some(fail);
    assert_eq!(token(&broken, &good).unwrap_err(), IOTSEC_ERR_CRYPTO_DRIVER);
    broken.key_type = 3;
    assert_eq!(token(&broken, &good).unwrap_err(), IOTSEC_ERR_CONFIG);
}

#[test]
fn a_short_buffer_is_told_the_length() {
    let (mut scratch, mut len) = ([0; 2_000], 0);
    let components = [APP];
    // SAFETY: see the top.
    let call = |scratch: &mut [u8], token: &mut [u8], len: &mut usize| unsafe {
        iotsec_attest_token(
            &signer(),
            &claims(&components),
            scratch.as_mut_ptr(),
            scratch.len(),
            token.as_mut_ptr(),
            token.len(),
            len,
        )
    };
    assert_eq!(
        call(&mut scratch, &mut [0; 100], &mut len),
        IOTSEC_ERR_SHORT_BUFFER
    );
    assert_eq!(len, IOTSEC_ATTEST_TOKEN_BASE + IOTSEC_ATTEST_TOKEN_COMPONENT);
    assert_eq!(
        call(&mut scratch[..100], &mut [0; 1_000], &mut len),
        IOTSEC_ERR_SIZE
    );
    assert_eq!(call(&mut scratch, &mut [0; 1_000], &mut len), IOTSEC_OK);
}
