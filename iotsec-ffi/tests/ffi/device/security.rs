//! Security status, places of personal data, receipts.
//!
//! SAFETY of every call: as in the module above.

use super::*;

type Change = fn(&mut iotsec_observed_t);

#[test]
fn an_earlier_flash_is_refused_and_the_status_says_whether_it_would_be() {
    let mut unit = Unit::owned();
    let (findings, verdict) = unit.security(&OBSERVED);
    let id = |finding: &iotsec_finding_t| {
        // SAFETY: see the top; the texts live as long as the program.
        let id = unsafe { std::slice::from_raw_parts(finding.id.cast::<u8>(), finding.id_len) };
        std::str::from_utf8(id).unwrap().to_owned()
    };
    let ids: Vec<_> = findings.iter().map(id).collect();
    assert_eq!(ids[..3], ["password-chosen", "guesses-few", "replay-refused"]);
    assert!(ids.contains(&"services-unknown".to_owned()) && ids.contains(&"debug-unknown".to_owned()));
    assert_eq!(verdict, IOTSEC_VERDICT_FAIL, "nobody looks for updates");
    let guidelines: std::collections::BTreeSet<_> = findings.iter().map(|found| found.guideline).collect();
    assert_eq!(guidelines, [1, 3, 4, 6, 7, 11].into());
    for finding in &findings {
        assert_eq!(finding.remedy.is_null(), finding.verdict == IOTSEC_VERDICT_PASS);
    }

    let earlier = unit.board.flash.clone();
    for round in 0..200 {
        assert_eq!(unit.put(SCHEDULE, &[round; 200]), IOTSEC_OK);
    }
    unit.close();
    *unit.board.flash = earlier;
    assert_eq!(unit.open(iotsec_device_open), IOTSEC_ERR_STORE_ROLLED_BACK);

    let plain = Unit::owned_with(false);
    let (findings, _) = plain.security(&OBSERVED);
    assert_eq!(id(&findings[2]), "replay-unnoticed");
}

#[test]
fn what_the_application_observed_is_in_the_status() {
    let unit = Unit::owned();
    let good = iotsec_observed_t {
        software: IOTSEC_OBSERVED_SOFTWARE_INTACT,
        updates: IOTSEC_OBSERVED_UPDATES_CURRENT,
        undeclared: 0,
        debug: iotsec_ffi::attest::IOTSEC_DEBUG_CLOSED,
        support_until_s: 1_956_528_000,
        time_s: 1_795_000_000,
        ..OBSERVED
    };
    let failed = |observed: &iotsec_observed_t| {
        let (findings, verdict) = unit.security(observed);
        let bad = findings
            .iter()
            .filter(|found| found.verdict == IOTSEC_VERDICT_FAIL);
        (bad.count(), verdict)
    };
    assert_eq!(failed(&good), (0, IOTSEC_VERDICT_PASS));
    let changes: [(&str, Change); 5] = [
        ("software", |seen| {
            seen.software = IOTSEC_OBSERVED_SOFTWARE_CHANGED;
        }),
        ("updates", |seen| {
            seen.updates = IOTSEC_OBSERVED_UPDATES_URGENT;
        }),
        ("sockets", |seen| {
            seen.undeclared = 2;
        }),
        ("debug", |seen| {
            seen.debug = iotsec_ffi::attest::IOTSEC_DEBUG_OPEN;
        }),
        ("support", |seen| {
            seen.time_s = 1_956_528_001;
        }),
    ];
    for (what, change) in changes {
        let mut observed = good;
        change(&mut observed);
        assert_eq!(failed(&observed), (1, IOTSEC_VERDICT_FAIL), "{what}");
    }
    let refused = |change: fn(&mut iotsec_observed_t)| {
        let (mut observed, mut len) = (good, 7);
        change(&mut observed);
        let at = unit.device.at();
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_security_status_json(at, &raw const observed, 0, ptr::null_mut(), 0, &raw mut len)
        };
        (status, len)
    };
    assert_eq!(refused(|seen| seen.struct_size -= 1), (IOTSEC_ERR_CONFIG, 7));
    assert_eq!(refused(|seen| seen.undeclared = 65_536), (IOTSEC_ERR_CONFIG, 7));
    assert_eq!(refused(|seen| seen.debug = 4), (IOTSEC_ERR_CONFIG, 7));
    let (status, needed) = refused(|_| ());
    assert_eq!(status, IOTSEC_ERR_SHORT_BUFFER);
    assert!((1_000..IOTSEC_SECURITY_JSON_MAX).contains(&needed));
    let (mut findings, mut len, mut verdict): ([iotsec_finding_t; IOTSEC_CHECKS], _, _) = (zeroed(), 0, 9);
    // SAFETY: see the top.
    let status = unsafe {
        let (at, to) = (unit.device.at(), findings.as_mut_ptr());
        iotsec_security_status(at, &raw const good, 0, to, 8, &raw mut len, &raw mut verdict)
    };
    assert_eq!(
        (status, len, verdict),
        (IOTSEC_ERR_SHORT_BUFFER, IOTSEC_CHECKS, 9)
    );
    assert!(findings[0].id.is_null(), "nothing was written");
}

#[test]
fn a_receipt_is_checked_to_the_last_bit_and_signed_by_any_signer() {
    let erased = ERASED;
    let signer = crate::attest::signer();
    let (mut out, mut len) = ([0; IOTSEC_RECEIPT_MAX], 0);
    let mut sign = |erased: &iotsec_erased_t, nonce: &[u8], size: usize, len: &mut usize| {
        let (to, nonce_len) = (out.as_mut_ptr(), nonce.len());
        // SAFETY: see the top.
        let status = unsafe {
            iotsec_erased_sign(
                &raw const signer,
                erased,
                nonce.as_ptr(),
                nonce_len,
                to,
                size,
                len,
            )
        };
        (status, out[..*len].to_vec())
    };
    assert_eq!(sign(&erased, NONCE, 10, &mut len).0, IOTSEC_ERR_SHORT_BUFFER);
    let (status, receipt) = sign(&erased, NONCE, IOTSEC_RECEIPT_MAX, &mut len);
    assert_eq!(status, IOTSEC_OK);
    let mut wrong = erased;
    wrong.reason = IOTSEC_ERASED_RESET;
    assert_eq!(sign(&wrong, NONCE, 295, &mut len).0, IOTSEC_ERR_RECEIPT_CONTENT);
    wrong.reason = 5;
    assert_eq!(sign(&wrong, NONCE, 295, &mut len).0, IOTSEC_ERR_CONFIG);
    assert_eq!(
        sign(&erased, b"seven b", 295, &mut len).0,
        IOTSEC_ERR_RECEIPT_NONCE_LENGTH
    );

    let key: [u8; 32] = signer.public_key[..32].try_into().unwrap();
    let mut read = zeroed();
    assert_eq!(verify(&key, &receipt, NONCE, &mut read), IOTSEC_OK);
    assert_ne!(read.device, [0; 32]);
    assert_eq!(
        read,
        iotsec_erased_t {
            device: read.device,
            ..erased
        }
    );
    let mut untouched: iotsec_erased_t = zeroed();
    assert_eq!(
        verify(&key, &receipt, b"another number", &mut untouched),
        IOTSEC_ERR_RECEIPT_NONCE
    );
    for bit in 0..receipt.len() * 8 {
        let mut flipped = receipt.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert_ne!(
            verify(&key, &flipped, NONCE, &mut untouched),
            IOTSEC_OK,
            "bit {bit}"
        );
    }
    for end in 0..receipt.len() {
        assert_ne!(
            verify(&key, &receipt[..end], NONCE, &mut untouched),
            IOTSEC_OK,
            "{end} bytes"
        );
    }
    assert_eq!(untouched, zeroed());
}

#[test]
fn personal_data_have_listed_places_or_the_status_says_so() {
    let unit = Unit::owned();
    assert_eq!(unit.put(SCHEDULE, b"07:30 on"), IOTSEC_OK);
    let unlisted = |unit: &Unit| {
        let (findings, _) = unit.security(&OBSERVED);
        findings
            .iter()
            .any(|found| found.guideline == 11 && found.verdict == IOTSEC_VERDICT_FAIL)
    };
    assert!(unlisted(&unit), "no inventory, and a value of the owner");
    let place = |name_space| iotsec_place_t {
        name_space,
        reserved: 0,
        holds: c"times at which the light goes on".as_ptr(),
        purpose: c"the owner's schedule".as_ptr(),
    };
    let open = |places: &[iotsec_place_t]| {
        unit.close();
        let mut config = unit.config();
        (config.places, config.place_count) = (places.as_ptr(), places.len());
        // SAFETY: see the top.
        unsafe { iotsec_device_open(unit.device.at(), &raw const config) }
    };
    assert_eq!(open(&[place(1), place(1)]), IOTSEC_ERR_CONFIG);
    assert_eq!(open(&[place(256)]), IOTSEC_ERR_CONFIG);
    let reserved = iotsec_place_t {
        reserved: 1,
        ..place(1)
    };
    assert_eq!(open(&[reserved]), IOTSEC_ERR_CONFIG);
    assert_eq!(open(&[place(1); 9]), IOTSEC_ERR_SIZE);
    assert_eq!(
        open(&[iotsec_place_t {
            holds: ptr::null(),
            ..place(1)
        }]),
        IOTSEC_ERR_NULL
    );
    assert_eq!(open(&[place(1)]), IOTSEC_OK);
    assert!(!unlisted(&unit));
    assert_eq!(unit.put(SCHEDULE, b"08:30 on"), IOTSEC_OK);
    assert_eq!(
        unit.put(1 << 32 | 2 << 16 | 7, b"x"),
        IOTSEC_ERR_DEVICE_UNREGISTERED
    );
}
