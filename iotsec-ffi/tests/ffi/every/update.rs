use iotsec_ffi::{
    boot::{integrity::*, *},
    update::{config::*, freshness::*, planner::*, report::*, *},
};

use super::{Succeeded, done, ok};
use crate::{
    attest,
    board::{Board, Fixed},
    freshness,
    login::zeroed,
    planner, report,
    telemetry::{Records, record},
    trust::Bench,
    update::{Device, envelope, image, maker},
};

/// From an envelope to an image that the next boot tries.
fn stage(seen: &mut Succeeded, device: &Device, release: u64) {
    let (at, mut resume, mut taken, mut done) = (device.update.at(), 0, 0, 0);
    let (envelope, image) = (envelope(release, &maker()), image(release));
    ok!(
        seen,
        iotsec_update_begin(at, envelope.as_ptr(), envelope.len(), 0, &raw mut resume)
    );
    let (mut uri, mut len) = ([0; 64], 0);
    ok!(
        seen,
        iotsec_update_uri(at, uri.as_mut_ptr().cast(), uri.len(), &raw mut len)
    );
    assert_eq!(&uri[..len], b"https://fw.example/app");
    let mut rest = &image[resume as usize..];
    while !rest.is_empty() {
        ok!(
            seen,
            iotsec_update_write(at, rest.as_ptr(), rest.len(), &raw mut taken)
        );
        rest = &rest[taken..];
    }
    while done == 0 {
        ok!(seen, iotsec_update_finish(at, &raw mut done));
    }
    ok!(seen, iotsec_update_install(at));
}

fn boot(seen: &mut Succeeded, device: &Device) {
    let (config, mut boot) = (device.config(), zeroed::<iotsec_boot_t>());
    ok!(seen, iotsec_boot_select(&raw const config, &raw mut boot));
    ok!(
        seen,
        iotsec_update_open(device.update.at(), &raw const config, boot.slot)
    );
}

#[test]
fn update() {
    let mut seen = Succeeded::default();
    let device = Device::new();
    let (config, at, mut boot_) = (device.config(), device.update.at(), zeroed::<iotsec_boot_t>());
    let (first, bytes) = (envelope(1, &maker()), image(1));
    ok!(
        seen,
        iotsec_slot_provision(
            &raw const config,
            IOTSEC_SLOT_A,
            first.as_ptr(),
            first.len(),
            bytes.as_ptr(),
            bytes.len()
        )
    );
    ok!(
        seen,
        iotsec_boot_verify(&raw const config, IOTSEC_SLOT_A, &raw mut boot_)
    );
    boot(&mut seen, &device);
    let (second, mut resume) = (envelope(2, &maker()), 0);
    ok!(
        seen,
        iotsec_update_begin(at, second.as_ptr(), second.len(), 0, &raw mut resume)
    );
    ok!(seen, iotsec_update_cancel(at));
    done!(seen, iotsec_update_clean(at));
    stage(&mut seen, &device, 2);
    ok!(seen, iotsec_update_close(at));
    boot(&mut seen, &device);
    ok!(seen, iotsec_update_reject(at));
    ok!(seen, iotsec_update_close(at));
    boot(&mut seen, &device);
    ok!(seen, iotsec_update_forget_rejected(at));
    done!(seen, iotsec_update_clean(at));
    stage(&mut seen, &device, 2);
    ok!(seen, iotsec_update_close(at));
    boot(&mut seen, &device);
    ok!(seen, iotsec_update_accept(at));
    let mut status = zeroed();
    ok!(seen, iotsec_update_status(at, &raw mut status));
    assert_eq!((status.state, status.installed), (IOTSEC_UPDATE_UPDATED, 2));
    done!(seen, iotsec_update_clean(at));
    statements(&mut seen, &device);
    measured_again(&mut seen, &device);
    reported(&mut seen);
    planned(&mut seen);
    seen.all_of("update");
}

/// Of what is latest, and of the way back, on a device that runs release 2.
fn statements(seen: &mut Succeeded, device: &Device) {
    let (at, trust, third) = (device.update.at(), Bench::new(), envelope(3, &maker()));
    assert_eq!(trust.install(&freshness::bundle(1, 1)), 0);
    let (config, entropy) = (trust.config(), device.board.entropy());
    let (mut manifests, mut manifest, mut digest) = (zeroed(), zeroed(), [0; 32]);
    ok!(seen, iotsec_update_manifests(at, &raw mut manifests));
    let mut nonce = [0; IOTSEC_UPDATE_CHALLENGE_LEN];
    ok!(
        seen,
        iotsec_update_challenge(at, &raw const entropy, nonce.as_mut_ptr())
    );
    let answer = freshness::answered(&freshness::latest(nonce, 3), 2);
    let mut latest = zeroed();
    ok!(
        seen,
        iotsec_update_latest(
            at,
            &raw const config,
            answer.as_ptr(),
            answer.len(),
            0,
            &raw mut latest
        )
    );
    ok!(
        seen,
        iotsec_update_inspect(at, third.as_ptr(), third.len(), 0, &raw mut manifest)
    );
    ok!(
        seen,
        iotsec_update_authenticate(at, third.as_ptr(), third.len(), digest.as_mut_ptr())
    );
    assert_eq!((manifest.digest, latest.manifest), (digest, manifest));
    let token = freshness::token(&freshness::downgrade(2, 1), 3);
    ok!(
        seen,
        iotsec_update_downgrade(at, &raw const config, token.as_ptr(), token.len(), 0)
    );
}

fn measured_again(seen: &mut Succeeded, device: &Device) {
    let (config, integrity) = (device.config(), Fixed::new(zeroed::<iotsec_integrity_t>()));
    let (mut step, mut least) = (zeroed::<iotsec_integrity_step_t>(), -1);
    ok!(
        seen,
        iotsec_integrity_open(integrity.at(), &raw const config, IOTSEC_SLOT_B, 0)
    );
    while step.result != IOTSEC_INTEGRITY_SAME {
        ok!(seen, iotsec_integrity_step(integrity.at(), 256, &raw mut step));
        assert_eq!(step.cause, 0);
    }
    ok!(seen, iotsec_integrity_least(integrity.at(), &raw mut least));
    ok!(seen, iotsec_integrity_close(integrity.at()));
    assert_eq!(least, 0);
}

fn reported(seen: &mut Succeeded) {
    let (signer, said) = (attest::signer(), report::done());
    let said = iotsec_update_report_t {
        components: const { &[report::MEASURED] }.as_ptr(),
        component_count: 1,
        ..said
    };
    let (mut scratch, mut out, mut len) = ([0; 1024], [0; 1024], 0);
    ok!(
        seen,
        iotsec_update_report(
            &raw const signer,
            &raw const said,
            scratch.as_mut_ptr(),
            scratch.len(),
            out.as_mut_ptr(),
            out.len(),
            &raw mut len
        )
    );
    assert!(len > 64);
}

fn planned(seen: &mut Succeeded) {
    let (board, records) = (Board::new(), Fixed::new(Records::default()));
    let (planner, record) = (Fixed::new(zeroed::<iotsec_planner_t>()), record(&records, 1));
    let (at, entropy, conditions) = (planner.at(), board.entropy(), planner::IDLE);
    let (mut now, mut step) = (0, zeroed::<iotsec_planner_step_t>());
    ok!(
        seen,
        iotsec_planner_open(at, &raw const record, &raw const entropy, std::ptr::null(), now)
    );
    for check in 0..2 {
        while step.kind != IOTSEC_PLANNER_CHECK {
            ok!(
                seen,
                iotsec_planner_next(at, &raw const conditions, now, &raw mut step)
            );
            now = now.max(step.at_ms);
        }
        step.kind = 0;
        if check == 0 {
            ok!(seen, iotsec_planner_checked(at, IOTSEC_CHECK_UP_TO_DATE, now));
        } else {
            ok!(seen, iotsec_planner_found(at, &planner::SECURITY, now));
        }
    }
    ok!(seen, iotsec_planner_decide(at, IOTSEC_DECISION_INSTALL, 0, now));
    ok!(
        seen,
        iotsec_planner_next(at, &raw const conditions, now, &raw mut step)
    );
    assert_eq!(step.kind, IOTSEC_PLANNER_INSTALL);
    ok!(seen, iotsec_planner_interrupted(at, now));
    for _ in 0..2 {
        ok!(
            seen,
            iotsec_planner_next(at, &raw const conditions, now, &raw mut step)
        );
        ok!(seen, iotsec_planner_failed(at, now));
        ok!(
            seen,
            iotsec_planner_next(at, &raw const conditions, now, &raw mut step)
        );
        now = step.at_ms;
    }
    ok!(
        seen,
        iotsec_planner_next(at, &raw const conditions, now, &raw mut step)
    );
    ok!(seen, iotsec_planner_installed(at, now));
    let mut status = zeroed();
    ok!(
        seen,
        iotsec_planner_status(at, &raw const conditions, now, &raw mut status)
    );
    assert_eq!(status.state, IOTSEC_PLANNER_IDLE);
    ok!(seen, iotsec_planner_close(at));
}
