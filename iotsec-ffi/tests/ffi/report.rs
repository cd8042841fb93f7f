//! What became of an update, signed in C and read in Rust.
//!
//! SAFETY of every call: pointers are to live values, as large as the length beside them says.

use std::{ffi::c_void, ptr};

use iotsec::{
    core::crypto::{Ed25519PublicKey, Sha256},
    update::{
        ComponentId,
        report::{Failure, Measured, Outcome, Reason, ReportError, verify},
    },
};
use iotsec_ffi::{
    signer::iotsec_signer_t,
    status::*,
    update::{report::*, *},
};

use crate::{
    attest,
    freshness::digest,
    update::{Device, envelope, image, maker},
};

const DIGEST: [u8; 32] = [7; 32];
pub(crate) const COMPONENT: [u8; 3] = [0x81, 0x41, 0x00];
pub(crate) const MEASURED: iotsec_update_measured_t = iotsec_update_measured_t {
    component: COMPONENT.as_ptr(),
    component_len: COMPONENT.len(),
    digest: DIGEST.as_ptr(),
    size: 5000,
    reserved: 0,
};

/// One of an update that is installed.
pub(crate) fn done() -> iotsec_update_report_t {
    iotsec_update_report_t {
        struct_size: size_of::<iotsec_update_report_t>() as u32,
        cause: IOTSEC_OK,
        manifest_digest: DIGEST.as_ptr(),
        reference_uri: ptr::null(),
        nonce: ptr::null(),
        nonce_len: 0,
        key_id: ptr::null(),
        key_id_len: 0,
        components: ptr::null(),
        component_count: 0,
    }
}

fn sign_with(
    signer: &iotsec_signer_t,
    report: &iotsec_update_report_t,
    scratch: usize,
    room: usize,
) -> Result<Vec<u8>, (iotsec_status_t, usize)> {
    let (mut scratch, mut out, mut len) = (vec![0; scratch], vec![0xA5; room], 0);
    // SAFETY: see the top.
    match unsafe {
        iotsec_update_report(
            signer,
            report,
            scratch.as_mut_ptr(),
            scratch.len(),
            out.as_mut_ptr(),
            out.len(),
            &raw mut len,
        )
    } {
        IOTSEC_OK => Ok(out[..len].to_vec()),
        error => Err((error, len)),
    }
}

fn sign(report: &iotsec_update_report_t) -> Result<Vec<u8>, (iotsec_status_t, usize)> {
    sign_with(&attest::signer(), report, 4096, 2048)
}

fn public() -> Ed25519PublicKey {
    Ed25519PublicKey::from_bytes(&attest::signer().public_key[..32]).unwrap()
}

#[test]
fn a_server_reads_what_the_device_signed() {
    let report = iotsec_update_report_t {
        reference_uri: c"https://fw.example/m".as_ptr(),
        nonce: b"asked by the server".as_ptr(),
        nonce_len: 19,
        key_id: b"device-0001".as_ptr(),
        key_id_len: 11,
        components: const { &[MEASURED] }.as_ptr(),
        component_count: 1,
        ..done()
    };
    let message = sign(&report).unwrap();
    let mut read = verify(&message, &public(), &mut [0; 1024]).unwrap();
    assert_eq!(
        (read.reference_uri, read.manifest_digest, read.nonce, read.outcome),
        (
            "https://fw.example/m",
            &DIGEST,
            Some(&b"asked by the server"[..]),
            Outcome::Done
        )
    );
    let measured = Measured {
        id: ComponentId::from_encoded(&COMPONENT).unwrap(),
        digest: DIGEST,
        size: 5000,
    };
    assert_eq!(read.next_measured(), Ok(Some(measured)));
    assert_eq!(read.next_measured(), Ok(None));
    // The key id is a hint, and not signed; everything else is.
    let message = sign(&iotsec_update_report_t {
        key_id_len: 0,
        ..report
    })
    .unwrap();
    for bit in (0..message.len() * 8).step_by(5) {
        let mut other = message.clone();
        other[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&other, &public(), &mut [0; 1024]).is_err(), "bit {bit}");
    }
}

#[test]
fn a_failure_has_its_number_and_the_reason_that_all_servers_know() {
    for (cause, reason) in [
        (IOTSEC_ERR_INSTALL_PAYLOAD_DIGEST, Reason::OperationFailed),
        (IOTSEC_ERR_UPDATE_THRESHOLD, Reason::Unauthorised),
        (IOTSEC_ERR_UPDATE_ROLLBACK, Reason::ConditionFailed),
        (IOTSEC_ERR_CBOR_TRUNCATED, Reason::CborParse),
        (IOTSEC_ERR_REFUSAL_IMAGE_DIGEST, Reason::OperationFailed),
    ] {
        let message = sign(&iotsec_update_report_t { cause, ..done() }).unwrap();
        let read = verify(&message, &public(), &mut [0; 1024]).unwrap();
        let expected = Failure::of(u16::try_from(cause).unwrap());
        assert_eq!(read.outcome, Outcome::Failed(expected));
        assert_eq!((i32::from(expected.code), expected.reason), (cause, reason));
        assert_eq!((read.reference_uri, read.nonce), ("", None));
    }
}

/// From the refusal of an envelope, and from the end of an update, to what the server reads.
#[test]
fn what_became_of_an_update_is_reported_from_what_the_updater_says() {
    let device = Device::new();
    device.boot();
    let told = |manifest: &[u8; 32], cause| {
        let report = iotsec_update_report_t {
            cause,
            manifest_digest: manifest.as_ptr(),
            ..done()
        };
        let message = sign(&report).unwrap();
        let read = verify(&message, &public(), &mut [0; 1024]).unwrap();
        (*read.manifest_digest, read.outcome)
    };
    let manifests = || {
        let mut result = crate::login::zeroed();
        // SAFETY: see the top.
        let status = unsafe { freshness::iotsec_update_manifests(device.update.at(), &raw mut result) };
        assert_eq!(status, IOTSEC_OK);
        result
    };
    let old = envelope(1, &maker());
    let refused = device.begin(&old).0;
    assert_eq!(
        told(&digest(&old), refused).1,
        Outcome::Failed(Failure::of(IOTSEC_ERR_UPDATE_INSTALLED as u16))
    );
    // Other bytes than were signed.
    let second = envelope(2, &maker());
    assert_eq!(device.begin(&second).0, IOTSEC_OK);
    let mut payload = image(2);
    payload[7] ^= 1;
    assert_eq!(device.write(&payload), IOTSEC_OK);
    assert_eq!(device.finish(), IOTSEC_ERR_INSTALL_PAYLOAD_DIGEST);
    device.boot();
    let failed = told(&manifests().update.digest, device.status().cause);
    let expected = Failure::of(IOTSEC_ERR_INSTALL_PAYLOAD_DIGEST as u16);
    assert_eq!(failed, (digest(&second), Outcome::Failed(expected)));
    // Installed and accepted, and measured at boot.
    device.clean();
    device.stage(2);
    let boot = device.boot();
    assert_eq!(device.verb(iotsec_update_accept), IOTSEC_OK);
    assert_eq!(
        told(&manifests().running.digest, device.status().cause),
        (digest(&second), Outcome::Done)
    );
    assert_eq!(boot.digest, Sha256::of(&[&image(2)]));
}

#[test]
fn the_longest_report_fits_what_it_asks_for_and_nothing_larger_is_made() {
    let names: Vec<Vec<u8>> = (0..8u8)
        .map(|number| [&[0x81, 0x58, 120][..], &[number; 120]].concat())
        .collect();
    let components: Vec<iotsec_update_measured_t> = names
        .iter()
        .map(|name| iotsec_update_measured_t {
            component: name.as_ptr(),
            component_len: name.len(),
            size: u32::MAX,
            ..MEASURED
        })
        .collect();
    let uri = std::ffi::CString::new(vec![b'u'; 300]).unwrap();
    let (nonce, key_id) = ([9; 64], [8; 64]);
    for (count, uri_len, nonce_len, key_id_len) in [
        (0, 0, 0, 0),
        (8, 0, 0, 0),
        (0, 300, 0, 0),
        (0, 0, 64, 0),
        (0, 0, 0, 64),
        (8, 300, 64, 64),
    ] {
        let report = iotsec_update_report_t {
            cause: IOTSEC_ERR_NOTHING_TO_BOOT,
            reference_uri: if uri_len == 0 { ptr::null() } else { uri.as_ptr() },
            nonce: nonce.as_ptr(),
            nonce_len,
            key_id: key_id.as_ptr(),
            key_id_len,
            components: components.as_ptr(),
            component_count: count,
            ..done()
        };
        // `IOTSEC_UPDATE_REPORT_MAX` of the header.
        let bytes = uri_len + nonce_len + key_id_len + count * 123;
        let most = IOTSEC_UPDATE_REPORT_BASE + IOTSEC_UPDATE_REPORT_COMPONENT * count + bytes;
        let signer = attest::signer();
        let whole = sign_with(&signer, &report, 2 * most, most).unwrap();
        assert!(most - whole.len() <= 400, "{} of {most}", whole.len());
        assert_eq!(
            sign_with(&signer, &report, 2 * most, most - 1),
            Err((IOTSEC_ERR_SHORT_BUFFER, most))
        );
        assert_eq!(
            sign_with(&signer, &report, 2 * most, 0),
            Err((IOTSEC_ERR_SHORT_BUFFER, most))
        );
        let needed = 2 * (most - 128);
        assert!(sign_with(&signer, &report, needed, most).is_ok());
        assert_eq!(
            sign_with(&signer, &report, needed - 1, most),
            Err((IOTSEC_ERR_SIZE, 0))
        );
        let mut read = verify(&whole, &public(), &mut [0; 4096]).unwrap();
        for _ in 0..count {
            assert!(matches!(read.next_measured(), Ok(Some(_))));
        }
    }
}

#[test]
fn what_cannot_be_reported_is_refused() {
    type Change = fn(&mut iotsec_update_report_t);
    let changes: [(Change, iotsec_status_t); 8] = [
        (|report| report.struct_size += 8, IOTSEC_ERR_CONFIG),
        (|report| report.cause = -1, IOTSEC_ERR_CONFIG),
        (|report| report.cause = 65_536, IOTSEC_ERR_CONFIG),
        (|report| report.manifest_digest = ptr::null(), IOTSEC_ERR_NULL),
        (|report| report.nonce_len = 1, IOTSEC_ERR_NULL),
        (|report| report.key_id_len = 1, IOTSEC_ERR_NULL),
        (|report| report.component_count = 1, IOTSEC_ERR_NULL),
        (
            |report| {
                report.components = const { &[MEASURED; 9] }.as_ptr();
                report.component_count = 9;
            },
            IOTSEC_ERR_SIZE,
        ),
    ];
    for (change, refusal) in changes {
        let mut report = done();
        change(&mut report);
        assert_eq!(sign(&report), Err((refusal, 0)));
    }
    for (broken, refusal) in [
        (
            iotsec_update_measured_t {
                component_len: 2,
                ..MEASURED
            },
            IOTSEC_ERR_CBOR_TRUNCATED,
        ),
        (
            iotsec_update_measured_t {
                digest: ptr::null(),
                ..MEASURED
            },
            IOTSEC_ERR_NULL,
        ),
        (
            iotsec_update_measured_t {
                reserved: 1,
                ..MEASURED
            },
            IOTSEC_ERR_CONFIG,
        ),
    ] {
        let report = iotsec_update_report_t {
            components: &raw const broken,
            component_count: 1,
            ..done()
        };
        assert_eq!(sign(&report), Err((refusal, 0)));
    }
    unsafe extern "C" fn fail(_: *mut c_void, _: *const u8, _: usize, _: *mut u8) -> i32 {
        1
    }
    let broken = iotsec_signer_t {
        sign: Some(fail),
        ..attest::signer()
    };
    assert_eq!(
        sign_with(&broken, &done(), 4096, 2048),
        Err((IOTSEC_ERR_CRYPTO_DRIVER, 0))
    );
    // Signed by nobody whom the server knows.
    let message = sign(&done()).unwrap();
    let other = Ed25519PublicKey::from_bytes(iotsec::core::crypto::Sign::public_key(&crate::trust::key(9)));
    assert!(matches!(
        verify(&message, &other.unwrap(), &mut [0; 1024]),
        Err(ReportError::Cose(_))
    ));
}
