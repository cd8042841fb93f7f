//! The identity of a device that rotates.

use iotsec::core::crypto::{Ed25519PublicKey, P256PublicKey, Verify};
use iotsec_ffi::{device::identity::*, signer::*};

use super::*;

/// A key that a station made.
pub(crate) const SEED: [u8; 32] = *b"a key of the station, for a test";

/// The least that has the shape of a certificate, around the key in the request.
pub(crate) fn certificate_for(request: &[u8]) -> Vec<u8> {
    let wrap = |parts: &[&[u8]]| {
        let content = parts.concat();
        let len = u8::try_from(content.len()).unwrap();
        let head: &[u8] = if len < 0x80 {
            &[0x30, len]
        } else {
            &[0x30, 0x81, len]
        };
        [head, &content].concat()
    };
    let find = |start: &[u8]| request.windows(start.len()).position(|part| part == start);
    let (at, len) = match find(&[0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70]) {
        Some(at) => (at, 44),
        None => (find(&[0x30, 0x59, 0x30, 0x13, 0x06, 0x07]).unwrap(), 91),
    };
    let names = [0xA0, 3, 2, 1, 2, 2, 1, 1, 0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0];
    let signed = wrap(&[&names, &request[at..at + len]]);
    wrap(&[&signed, &[0x30, 0, 0x03, 1, 0]])
}

type Step = unsafe extern "C" fn(*mut iotsec_device_t) -> iotsec_status_t;

fn call(unit: &Unit, step: Step) -> iotsec_status_t {
    // SAFETY: see the top; here and below.
    unsafe { step(unit.device.at()) }
}

fn status(unit: &Unit) -> (iotsec_status_t, iotsec_identity_step_t) {
    let mut step = 0;
    // SAFETY: as above.
    let told = unsafe { iotsec_identity_status(unit.device.at(), &raw mut step) };
    (told, step)
}

fn request(unit: &Unit, which: iotsec_identity_which_t) -> Result<Vec<u8>, iotsec_status_t> {
    let (mut bytes, mut len) = ([0; IOTSEC_IDENTITY_REQUEST_MAX], 0);
    let (at, out, size) = (unit.device.at(), bytes.as_mut_ptr(), bytes.len());
    // SAFETY: as above.
    let done =
        unsafe { iotsec_identity_request(at, which, c"LAMP-0042".as_ptr(), 9, out, size, &raw mut len) };
    if done == IOTSEC_OK {
        Ok(bytes[..len].to_vec())
    } else {
        Err(done)
    }
}

fn certify(unit: &Unit, which: iotsec_identity_which_t, certificate: &[u8]) -> iotsec_status_t {
    // SAFETY: as above.
    unsafe { iotsec_identity_certify(unit.device.at(), which, certificate.as_ptr(), certificate.len()) }
}

fn certificate(unit: &Unit, which: iotsec_identity_which_t) -> Result<Vec<u8>, iotsec_status_t> {
    let (mut bytes, mut len) = ([0; 256], 0);
    // SAFETY: as above.
    let done = unsafe {
        iotsec_identity_certificate(unit.device.at(), which, bytes.as_mut_ptr(), 256, &raw mut len)
    };
    if done == IOTSEC_OK {
        Ok(bytes[..len].to_vec())
    } else {
        Err(done)
    }
}

fn signer(unit: &Unit, which: iotsec_identity_which_t) -> Result<iotsec_signer_t, iotsec_status_t> {
    let mut signer = zeroed();
    // SAFETY: as above.
    let done = unsafe { iotsec_identity_signer(unit.device.at(), which, &raw mut signer) };
    if done == IOTSEC_OK { Ok(signer) } else { Err(done) }
}

fn sign(signer: &iotsec_signer_t) -> Result<[u8; IOTSEC_SIGNATURE_LEN], i32> {
    let (message, mut signature) = (b"challenge", [0; IOTSEC_SIGNATURE_LEN]);
    // SAFETY: as above.
    match unsafe { signer.sign.unwrap()(signer.ctx, message.as_ptr(), 9, signature.as_mut_ptr()) } {
        0 => Ok(signature),
        trouble => Err(trouble),
    }
}

/// What a server does: it accepts whoever has the key of the certificate.
fn accepts(signer: &iotsec_signer_t) -> bool {
    let Ok(signature) = sign(signer) else {
        return false;
    };
    match signer.key_type {
        IOTSEC_KEY_ED25519 => {
            let key = Ed25519PublicKey::from_bytes(&signer.public_key[..32]).unwrap();
            key.verify(b"challenge", &signature).is_ok()
        }
        _ => {
            let key = P256PublicKey::from_sec1(&signer.public_key).unwrap();
            key.verify(b"challenge", &signature).is_ok()
        }
    }
}

/// A unit with an identity that has a certificate.
fn named(curve: Step) -> Unit {
    let unit = Unit::provisioned();
    assert_eq!(call(&unit, curve), IOTSEC_OK);
    assert_eq!(call(&unit, iotsec_identity_make), IOTSEC_OK);
    let first = certificate_for(&request(&unit, IOTSEC_IDENTITY_ACTIVE).unwrap());
    assert_eq!(certify(&unit, IOTSEC_IDENTITY_ACTIVE, &first), IOTSEC_OK);
    unit
}

#[test]
fn an_identity_rotates_over_reboots_and_is_never_missing() {
    for curve in [iotsec_identity_use_ed25519 as Step, iotsec_identity_use_p256] {
        let unit = named(curve);
        let old = signer(&unit, IOTSEC_IDENTITY_ACTIVE).unwrap();
        let reboot = || {
            assert_eq!(unit.reboot(), IOTSEC_DEVICE_PROVISIONED);
            assert_eq!(call(&unit, curve), IOTSEC_OK);
            let active = signer(&unit, IOTSEC_IDENTITY_ACTIVE).unwrap();
            assert!(active.public_key == old.public_key && accepts(&active));
        };
        assert_eq!(status(&unit), (IOTSEC_OK, IOTSEC_IDENTITY_IDLE));
        assert_eq!(call(&unit, iotsec_identity_start), IOTSEC_OK);
        reboot();
        assert_eq!(status(&unit), (IOTSEC_OK, IOTSEC_IDENTITY_NEEDS_CERTIFICATE));
        assert_eq!(certificate(&unit, IOTSEC_IDENTITY_NEW), Ok(Vec::new()));
        let certificate = certificate_for(&request(&unit, IOTSEC_IDENTITY_NEW).unwrap());
        assert_eq!(certify(&unit, IOTSEC_IDENTITY_NEW, &certificate), IOTSEC_OK);
        reboot();
        assert_eq!(status(&unit), (IOTSEC_OK, IOTSEC_IDENTITY_NEEDS_TRIAL));
        let new = signer(&unit, IOTSEC_IDENTITY_NEW).unwrap();
        assert!(new.public_key != old.public_key && accepts(&new) && accepts(&old));
        assert_eq!(call(&unit, iotsec_identity_commit), IOTSEC_OK);
        assert_eq!(status(&unit), (IOTSEC_OK, IOTSEC_IDENTITY_IDLE));
        // The pointer is to the identity that counts, and there is no other any more.
        assert_eq!(
            signer(&unit, IOTSEC_IDENTITY_ACTIVE).unwrap().public_key,
            new.public_key
        );
        assert!(sign(&old).is_ok() && !accepts(&old));
        assert_eq!(sign(&new), Err(IOTSEC_ERR_ROTATION_OUT_OF_ORDER));
    }
}

#[test]
fn steps_out_of_order_are_refused() {
    let unit = Unit::provisioned();
    assert_eq!(call(&unit, iotsec_identity_make), IOTSEC_ERR_STATE);
    assert_eq!(call(&unit, iotsec_identity_use_ed25519), IOTSEC_OK);
    assert_eq!(call(&unit, iotsec_identity_use_p256), IOTSEC_ERR_STATE);
    assert_eq!(status(&unit).0, IOTSEC_ERR_ROTATION_MISSING);
    for step in [
        iotsec_identity_start as Step,
        iotsec_identity_commit,
        iotsec_identity_cancel,
    ] {
        assert_eq!(call(&unit, step), IOTSEC_ERR_ROTATION_MISSING);
    }
    assert_eq!(call(&unit, iotsec_identity_make), IOTSEC_OK);
    assert_eq!(
        call(&unit, iotsec_identity_make),
        IOTSEC_ERR_ROTATION_ALREADY_INITIALISED
    );
    let foreign = request(&unit, IOTSEC_IDENTITY_ACTIVE).unwrap();
    for which in [0, 3] {
        assert_eq!(request(&unit, which), Err(IOTSEC_ERR_CONFIG));
        assert_eq!(certificate(&unit, which), Err(IOTSEC_ERR_CONFIG));
        assert_eq!(certify(&unit, which, &foreign), IOTSEC_ERR_CONFIG);
        assert_eq!(signer(&unit, which).err(), Some(IOTSEC_ERR_CONFIG));
    }
    let new = IOTSEC_IDENTITY_NEW;
    assert_eq!(request(&unit, new), Err(IOTSEC_ERR_ROTATION_OUT_OF_ORDER));
    assert_eq!(certificate(&unit, new), Err(IOTSEC_ERR_ROTATION_OUT_OF_ORDER));
    assert_eq!(signer(&unit, new).err(), Some(IOTSEC_ERR_ROTATION_OUT_OF_ORDER));
    assert_eq!(
        call(&unit, iotsec_identity_cancel),
        IOTSEC_ERR_ROTATION_OUT_OF_ORDER
    );
    assert_eq!(call(&unit, iotsec_identity_start), IOTSEC_OK);
    assert_eq!(call(&unit, iotsec_identity_start), IOTSEC_ERR_ROTATION_BUSY);
    // The certificate of the old key is none for the new one.
    assert_eq!(
        certify(&unit, new, &certificate_for(&foreign)),
        IOTSEC_ERR_IDENTITY_FOREIGN_KEY
    );
    assert_eq!(certify(&unit, new, &foreign), IOTSEC_ERR_IDENTITY_CERTIFICATE);
    let certificate = certificate_for(&request(&unit, new).unwrap());
    assert_eq!(certify(&unit, new, &certificate), IOTSEC_OK);
    assert_eq!(call(&unit, iotsec_identity_commit), IOTSEC_ERR_STATE);
    assert!(accepts(&signer(&unit, new).unwrap()));
    assert_eq!(call(&unit, iotsec_identity_cancel), IOTSEC_OK);
    // What was tried is gone with it.
    assert_eq!(call(&unit, iotsec_identity_commit), IOTSEC_ERR_STATE);
    assert_eq!(status(&unit), (IOTSEC_OK, IOTSEC_IDENTITY_IDLE));
}

#[test]
fn a_key_of_the_station_is_adopted_and_outlives_an_owner() {
    let unit = Unit::provisioned();
    assert_eq!(call(&unit, iotsec_identity_use_ed25519), IOTSEC_OK);
    let seed = SEED;
    let mut public = [0; 32];
    // SAFETY: as above.
    unsafe {
        assert_eq!(iotsec_identity_adopt(unit.device.at(), seed.as_ptr()), IOTSEC_OK);
        assert_eq!(
            iotsec_ed25519_public_key(seed.as_ptr(), public.as_mut_ptr()),
            IOTSEC_OK
        );
    }
    unit.set_up(20_000);
    let active = signer(&unit, IOTSEC_IDENTITY_ACTIVE).unwrap();
    assert!(active.public_key[..32] == public && accepts(&active));
    // Not while somebody is inside of the device, and not once it is closed.
    assert_eq!(unit.close(), IOTSEC_OK);
    assert_eq!(sign(&active), Err(IOTSEC_ERR_STATE));
}

#[test]
fn a_short_buffer_tells_what_is_needed() {
    let unit = named(iotsec_identity_use_ed25519);
    let (mut len, at, which) = (0, unit.device.at(), IOTSEC_IDENTITY_ACTIVE);
    // SAFETY: as above.
    unsafe {
        let asked = iotsec_identity_request(at, which, c"L".as_ptr(), 1, ptr::null_mut(), 0, &raw mut len);
        assert_eq!(
            (asked, len),
            (IOTSEC_ERR_SHORT_BUFFER, IOTSEC_IDENTITY_REQUEST_MAX)
        );
        let asked = iotsec_identity_certificate(at, which, ptr::null_mut(), 0, &raw mut len);
        assert_eq!(asked, IOTSEC_ERR_SHORT_BUFFER);
        assert_eq!(len, certificate(&unit, which).unwrap().len());
        let asked = iotsec_identity_request(at, which, c"?*".as_ptr(), 2, ptr::null_mut(), 0, &raw mut len);
        assert_eq!(asked, IOTSEC_ERR_IDENTITY_SUBJECT);
    }
}
