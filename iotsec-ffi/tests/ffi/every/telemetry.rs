use iotsec::core::secret::Secret;
use iotsec::{
    core::{
        crypto::{ChaCha20Poly1305, Ed25519SigningKey, HkdfSha256, Sha256, Sign},
        hal::UnixTime,
    },
    telemetry::{
        batch::BatchKey,
        deletion::{Deleted, Remains},
    },
};
use iotsec_ffi::{
    telemetry::{batch::*, consent::*, data_map::*, deletion::*, private::*, registry::*, shares::*, *},
    update::config::iotsec_trust_anchor_t,
};

use super::{Succeeded, done, ok};
use crate::{
    login::zeroed,
    telemetry::{
        Bench, SHARED,
        private::{LIT, NIGHT, NOW, task},
        shared, signer,
    },
};

#[test]
fn telemetry() {
    let mut seen = Succeeded::default();
    let bench = Bench::new();
    let (config, service, at) = (bench.config(), shared(), bench.telemetry.at());
    ok!(seen, iotsec_telemetry_open(at, &raw const config));
    done!(seen, iotsec_telemetry_purge_step(at));
    ok!(
        seen,
        iotsec_telemetry_grant(at, IOTSEC_PURPOSE_USAGE, 3, 1_790_000_000)
    );
    ok!(seen, iotsec_telemetry_set_clock(at, 1000, 1_790_000_000));
    let mut consent = zeroed();
    ok!(
        seen,
        iotsec_telemetry_consent(at, IOTSEC_PURPOSE_USAGE, &raw mut consent)
    );
    let personal = |number| iotsec_value_t {
        number,
        personal: IOTSEC_PURPOSE_USAGE,
    };
    let values = [personal(59), personal(4)];
    ok!(seen, iotsec_telemetry_record(at, 2, values.as_ptr(), 2, 90_000));
    ok!(seen, iotsec_telemetry_record(at, 3, std::ptr::null(), 0, 90_000));
    done!(seen, iotsec_telemetry_purge_step(at));
    let mut counts = zeroed();
    ok!(
        seen,
        iotsec_telemetry_status(at, IOTSEC_EVENT_USAGE, &raw mut counts)
    );
    let (mut bytes, mut scratch, mut out) = ([0; 1024], [0; 512], [0; 512]);
    let (mut len, mut receipt, mut aside) = (0, 0, 0);
    ok!(
        seen,
        iotsec_telemetry_registry(at, bytes.as_mut_ptr(), 1024, &raw mut len)
    );
    for answer in [false, true] {
        ok!(
            seen,
            iotsec_telemetry_batch(
                at,
                &raw const service,
                scratch.as_mut_ptr(),
                512,
                out.as_mut_ptr(),
                512,
                &raw mut len,
                &raw mut receipt
            )
        );
        if answer {
            ok!(seen, iotsec_telemetry_acknowledge(at, receipt));
        } else {
            ok!(seen, iotsec_telemetry_refused(at, receipt, &raw mut aside));
        }
    }
    ok!(seen, iotsec_telemetry_record(at, 2, values.as_ptr(), 2, 91_000));
    ok!(
        seen,
        iotsec_telemetry_batch_for(
            at,
            IOTSEC_PURPOSE_USAGE,
            7,
            &raw const service,
            scratch.as_mut_ptr(),
            512,
            out.as_mut_ptr(),
            512,
            &raw mut len,
            &raw mut receipt
        )
    );
    let mut pseudonym = [0; IOTSEC_PSEUDONYM_LEN];
    ok!(
        seen,
        iotsec_telemetry_pseudonym(at, IOTSEC_PURPOSE_USAGE, 7, pseudonym.as_mut_ptr())
    );
    ok!(seen, iotsec_telemetry_ask_deletion(at, IOTSEC_PURPOSE_USAGE));
    ok!(
        seen,
        iotsec_telemetry_deletion_request(at, &raw const service, out.as_mut_ptr(), 512, &raw mut len)
    );
    let (key, mut signed) = (Secret::from_bytes(SHARED), [0; Deleted::MAX_LEN]);
    let key = BatchKey::new(&key, &ChaCha20Poly1305, &HkdfSha256);
    let request = key.open_request(&out[..len]).unwrap();
    let maker = Ed25519SigningKey::from_seed(&Secret::from_bytes([5; 32]));
    let deleted = Deleted::of(
        &request,
        UnixTime(1_790_000_000),
        42,
        Remains::AGGREGATED,
        &mut Sha256::new(),
    );
    let signed = deleted.sign(&maker, &mut signed).unwrap();
    let anchor = iotsec_trust_anchor_t {
        key: maker.public_key().as_ptr(),
        ..signer()
    };
    let mut said = zeroed::<iotsec_deletion_t>();
    ok!(
        seen,
        iotsec_telemetry_deletion_receipt(
            at,
            signed.as_ptr(),
            signed.len(),
            &raw const anchor,
            &raw mut said
        )
    );
    assert_eq!(said.events, 42);
    private(&mut seen, &bench);
    ok!(seen, iotsec_telemetry_withdraw(at, IOTSEC_PURPOSE_USAGE, 0));
    ok!(seen, iotsec_telemetry_close(at));
    seen.all_of("telemetry");
}

/// What tells about all devices together, or one recipient alone.
fn private(seen: &mut Succeeded, bench: &Bench) {
    let (at, ledger, service, task) = (bench.telemetry.at(), bench.ledger(), shared(), task());
    let (mut out, mut len, mut renewals) = ([0; 2048], 0, 0);
    let (size, mut text) = (out.len(), vec![0u8; 16_384]);
    let value = iotsec_value_t {
        number: 1,
        personal: IOTSEC_PURPOSE_USAGE,
    };
    ok!(seen, iotsec_telemetry_format_ledger(at, &raw const ledger));
    let to = out.as_mut_ptr();
    ok!(
        seen,
        iotsec_telemetry_report(
            at,
            &raw const ledger,
            NIGHT,
            &raw const value,
            0,
            to,
            size,
            &raw mut len
        )
    );
    ok!(seen, iotsec_telemetry_renew_ledger(at, &raw const ledger));
    let periods = bench.periods(7);
    ok!(
        seen,
        iotsec_telemetry_renew_ledger_by(at, &raw const ledger, &raw const periods)
    );
    ok!(
        seen,
        iotsec_telemetry_ledger_renewals(at, &raw const ledger, &raw mut renewals)
    );
    assert_eq!(renewals, 2);
    let to = out.as_mut_ptr();
    ok!(
        seen,
        iotsec_telemetry_share(
            at,
            &raw const task,
            LIT,
            &raw const value,
            NOW,
            to,
            size,
            &raw mut len
        )
    );
    let (to, mut shares) = (out.as_mut_ptr(), zeroed());
    ok!(
        seen,
        iotsec_telemetry_split(
            at,
            LIT,
            &raw const value,
            NOW,
            b"task".as_ptr(),
            4,
            [7; IOTSEC_SHARES_NONCE_LEN].as_ptr(),
            0,
            to,
            size,
            &raw mut len,
            &raw mut shares
        )
    );
    let to = out.as_mut_ptr();
    ok!(
        seen,
        iotsec_telemetry_seal_value(
            at,
            &raw const service,
            5,
            &raw const value,
            to,
            size,
            &raw mut len
        )
    );
    let (product, to) = (b"Door".as_ptr().cast(), text.as_mut_ptr().cast());
    ok!(
        seen,
        iotsec_telemetry_data_map_json(at, product, 4, to, text.len(), &raw mut len)
    );
    let to = text.as_mut_ptr().cast();
    ok!(
        seen,
        iotsec_telemetry_data_map_page(at, product, 4, to, text.len(), &raw mut len)
    );
}
