//! Requests, certificates and the rotation of a key in hardware, over a storage that answers anything. Must link.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use iotsec_core::{
    crypto::{CryptoError, KeyType, SIGNATURE_LEN, Sign},
    identity::{
        CertificateKey, CertificationRequest, IdentityPlace, IdentityStorage, Rotation, RotationError,
        StorageError, Subject,
    },
};
use no_panic::{KeyInHardware, halt, unknown};

#[entry]
fn main() -> ! {
    let input = [0; 512];
    let input = unknown(&input);
    black_box(request(input).is_some());
    if let Ok(certificate) = CertificateKey::of(input) {
        black_box(certificate.must_be(&KeyInHardware).is_ok());
    }
    black_box(rotate(input).is_ok());
    halt()
}

fn request(input: &[u8]) -> Option<()> {
    let text = core::str::from_utf8(input).ok()?;
    let subject = Subject::new(text)
        .ok()?
        .common_name(text)
        .ok()?
        .organization(text)
        .ok()?;
    let mut out = [0; CertificationRequest::MAX_LEN];
    let room = out.get_mut(..black_box(CertificationRequest::MAX_LEN))?;
    black_box(CertificationRequest::write(&subject, &KeyInHardware, room).is_ok());
    Some(())
}

fn rotate(input: &[u8]) -> Result<(), RotationError> {
    let storage = &mut Anything;
    black_box(Rotation::initialise::<KeyInHardware, _>(storage).is_ok());
    let mut rotation = Rotation::open(storage)?;
    while black_box(true) {
        black_box(rotation.start::<KeyInHardware, _>(storage).is_ok());
        let mut out = [0; CertificationRequest::MAX_LEN];
        let subject = Subject::new("unit")?;
        black_box(rotation.request(storage, &subject, &mut out).is_ok());
        black_box(rotation.certify(storage, input).is_ok());
        black_box(rotation.renew(storage, input).is_ok());
        if let Ok(trial) = rotation.trial() {
            black_box(sign(&trial.key(storage)?, input));
            black_box(rotation.commit(storage, trial.accepted()).is_ok());
        }
        black_box(rotation.cancel(storage).is_ok());
        black_box(sign(&rotation.key(storage)?, input));
        black_box((rotation.status(), rotation.active()));
    }
    Ok(())
}

fn sign(key: &dyn Sign, message: &[u8]) -> bool {
    let mut signature = [0; SIGNATURE_LEN];
    key.sign(message, &mut signature).is_ok()
}

/// A storage of unknown content that may fail at any time.
struct Anything;

fn done() -> Result<(), StorageError> {
    black_box(Err(StorageError::of(&CryptoError::Driver)))
}

impl IdentityStorage for Anything {
    fn load(&mut self, record: &mut [u8; Rotation::LEN]) -> Result<Option<usize>, StorageError> {
        *record = black_box([0; Rotation::LEN]);
        black_box(Ok(Some(0)))
    }

    fn save(&mut self, record: &[u8; Rotation::LEN]) -> Result<(), StorageError> {
        black_box(record);
        done()
    }

    fn generate(&mut self, place: IdentityPlace) -> Result<(), StorageError> {
        black_box(place);
        done()
    }

    fn public_key(
        &mut self,
        place: IdentityPlace,
        out: &mut [u8; IdentityPlace::MAX_PUBLIC_KEY],
    ) -> Result<(KeyType, usize), StorageError> {
        black_box((place, out));
        black_box(Ok((KeyType::Ed25519, 0)))
    }

    fn sign(
        &mut self,
        place: IdentityPlace,
        message: &[u8],
        signature: &mut [u8; SIGNATURE_LEN],
    ) -> Result<(), StorageError> {
        black_box((place, message, signature));
        done()
    }

    fn put_certificate(&mut self, place: IdentityPlace, certificate: &[u8]) -> Result<(), StorageError> {
        black_box((place, certificate));
        done()
    }

    fn erase(&mut self, place: IdentityPlace) -> Result<(), StorageError> {
        black_box(place);
        done()
    }
}
