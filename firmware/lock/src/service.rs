//! The maker's service: whether it is that, what it is told, what it asks.

use core::hint::black_box;

use harness::vector;
use iotsec::{
    core::{
        attest::{Claims, Component, Nonce},
        crypto::Sha256,
        hal::{DebugState, Millis, UnixTime},
        input::Host,
    },
    device::Attestation,
    net::{
        certificate::{ServerPolicy, TrustAnchor, algorithm, verify_server_chain},
        retry::{Failure, Forgetful, Retry, RetryPolicy},
        surface::Phase,
        time::CertificateTime,
    },
    store::keys::KeyKind,
    telemetry::batch::{SizeClass, Sizes},
};

use crate::{
    product::{self, SURFACE},
    unit::{Board, keys},
};

/// A certificate under the anchor that the lock has, for the host that was asked and for no other. The transport is the
/// radio module's.
#[inline(never)]
pub fn verified() -> bool {
    let now = black_box(CertificateTime::exact(UnixTime(1_800_000_000)));
    let Ok(anchor) = TrustAnchor::from_der(black_box(&vector::CERTIFICATE_ROOT), now) else {
        return false;
    };
    let (anchors, algorithms) = ([anchor], [algorithm::ECDSA_P256_SHA256]);
    let Ok(policy) = ServerPolicy::new(&anchors, &algorithms) else {
        return false;
    };
    let chain: [&[u8]; 1] = [black_box(&vector::CERTIFICATE)];
    let is = |host: &[u8]| {
        Host::parse(black_box(host))
            .is_ok_and(|host| verify_server_chain(&chain, &host, now, &policy).is_ok())
    };
    is(b"broker.example") && !is(b"mqtt.locks.example.com")
}

/// What waits is sealed; nobody is there at first.
#[inline(never)]
pub fn reported(board: &mut Board<'_>) -> Option<()> {
    let gate = SURFACE.gate(Phase::Owned);
    let _cloud = gate
        .grant_outbound("cloud", "mqtt.locks.example.com", 8883)
        .ok()?;
    if gate.grant_outbound("cloud", "mqtt.example.net", 8883).is_ok() {
        return None;
    }
    let random = black_box(1 << 31);
    let mut retry = Retry::restore(RetryPolicy::DEFAULT, &mut Forgetful, Millis(0), random).ok()?;
    let now = retry.due();
    let attempt = retry.begin(&mut Forgetful, now, random).ok()?;
    retry
        .failed(&mut Forgetful, attempt, Failure::Unreachable, now, random)
        .ok()?;
    board.owned(|mut lock| {
        lock.record(&product::LOGIN_FAILED, &[20.into()], retry.due())
            .ok()?;
        let (mut scratch, mut out) = ([0; 256], [0; 256]);
        let sizes = Sizes::up_to(SizeClass::B256);
        let batch = lock.batch(sizes, &mut scratch, &mut out).ok()??;
        let receipt = batch.into_receipt();
        lock.acknowledge(receipt).ok()
    })
}

/// What runs, and of which product manifest it was built.
#[inline(never)]
pub fn attested(board: &mut Board<'_>) -> Option<()> {
    let running = crate::update::boot(board)?;
    board.owned(|mut lock| {
        let (digest, signer) = (*running.digest(), [3; 32]);
        let components = [
            Component::image("App", &digest, product::VERSION, &signer),
            Component::product(&product::MANIFEST_SHA256, product::VERSION, &signer),
        ];
        let nonce = black_box([1; 32]);
        let attestation = Attestation {
            nonce: Nonce::new(&nonce).ok()?,
            hardware: b"lock-1, revision D of the board ",
            client_id: 1,
            debug: DebugState::Closed,
            components: &components,
            boot_seed: None,
        };
        let (mut scratch, mut out) = ([0; Claims::max_scratch(2)], [0; Claims::max_len(2)]);
        let (kind, hash) = (KeyKind::P256, &mut Sha256::new());
        let token = lock.attest(keys(), kind, &attestation, hash, &mut scratch, &mut out);
        let token = token.ok()?;
        let hash = product::MANIFEST_SHA256;
        token.windows(hash.len()).any(|part| part == hash).then_some(())
    })
}
