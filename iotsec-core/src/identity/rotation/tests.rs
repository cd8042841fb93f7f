use super::*;
use crate::{
    credential::StorageError,
    crypto::{Ed25519PublicKey, Ed25519SigningKey, P256PublicKey, Verify},
    identity::{IdentityError, SubjectPublicKey},
    secret::Secret,
};
use std::vec::Vec;

/// Keys are numbers: the seed is 32 times that byte.
#[derive(Clone, Default, Debug)]
struct Memory {
    record: Option<[u8; Rotation::LEN]>,
    keys: [Option<u8>; 2],
    certificates: [Option<Vec<u8>>; 2],
    made: u8,
    /// Writes until the power goes; what that write leaves.
    cut: Option<(u32, Left)>,
    writes: u32,
    /// Signs with another key than the one it shows.
    broken: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Old,
    Half,
    New,
}

impl Memory {
    fn key(&self, place: IdentityPlace) -> Result<Ed25519SigningKey, StorageError> {
        let number = self.keys[place.index()].ok_or_else(|| StorageError::of(&RotationError::Damaged))?;
        Ok(key(number))
    }

    /// Counts a write; whether it happens, and whether the power goes then.
    fn write(&mut self) -> (Option<Left>, Result<(), StorageError>) {
        self.writes += 1;
        match self.cut {
            Some((at, left)) if self.writes == at => {
                (Some(left), Err(StorageError::of(&CryptoError::Driver)))
            }
            Some((at, _)) if self.writes > at => {
                (Some(Left::Old), Err(StorageError::of(&CryptoError::Driver)))
            }
            _ => (None, Ok(())),
        }
    }

    fn reboot(&mut self) {
        (self.cut, self.writes) = (None, 0);
    }
}

fn key(number: u8) -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([number; 32]))
}

impl IdentityStorage for Memory {
    fn load(&mut self, record: &mut [u8; Rotation::LEN]) -> Result<Option<usize>, StorageError> {
        Ok(self.record.map(|kept| {
            *record = kept;
            kept.len()
        }))
    }
    fn save(&mut self, record: &[u8; Rotation::LEN]) -> Result<(), StorageError> {
        let (left, done) = self.write();
        if matches!(left, None | Some(Left::New)) {
            self.record = Some(*record);
        }
        done
    }
    fn generate(&mut self, place: IdentityPlace) -> Result<(), StorageError> {
        let (left, done) = self.write();
        if left != Some(Left::Old) {
            self.made += 1;
            self.keys[place.index()] = Some(self.made);
        }
        if left == Some(Left::Half) {
            self.keys[place.index()] = None;
        }
        done
    }
    fn public_key(
        &mut self,
        place: IdentityPlace,
        out: &mut [u8; 65],
    ) -> Result<(KeyType, usize), StorageError> {
        out[..32].copy_from_slice(self.key(place)?.public_key());
        Ok((KeyType::Ed25519, 32))
    }
    fn sign(
        &mut self,
        place: IdentityPlace,
        message: &[u8],
        signature: &mut [u8; 64],
    ) -> Result<(), StorageError> {
        let found = if self.broken { key(99) } else { self.key(place)? };
        found
            .sign(message, signature)
            .map_err(|error| StorageError::of(&error))
    }
    fn put_certificate(&mut self, place: IdentityPlace, certificate: &[u8]) -> Result<(), StorageError> {
        let (left, done) = self.write();
        if matches!(left, None | Some(Left::New)) {
            self.certificates[place.index()] = Some(certificate.to_vec());
        }
        done
    }
    fn erase(&mut self, place: IdentityPlace) -> Result<(), StorageError> {
        let (left, done) = self.write();
        if left != Some(Left::Old) {
            self.keys[place.index()] = None;
        }
        if matches!(left, None | Some(Left::New)) {
            self.certificates[place.index()] = None;
        }
        done
    }
}

/// The shortest thing that has the shape of a certificate.
fn certificate(number: u8) -> Vec<u8> {
    let signer = key(number);
    let mut spki = [0; SubjectPublicKey::MAX_LEN];
    let spki = SubjectPublicKey::of(&signer).unwrap().write(&mut spki).unwrap();
    let signed = [
        &[0xA0, 3, 2, 1, 2, 2, 1, 1][..],
        &[0x30, 0, 0x30, 0, 0x30, 0, 0x30, 0],
        spki,
    ]
    .concat();
    let signed = [&[0x30, u8::try_from(signed.len()).unwrap()][..], &signed].concat();
    let all = [&signed[..], &[0x30, 0, 3, 1, 0]].concat();
    [&[0x30, u8::try_from(all.len()).unwrap()][..], &all].concat()
}

fn public(storage: &mut Memory, rotation: &Rotation) -> Vec<u8> {
    rotation.key(storage).unwrap().public_key().to_vec()
}

fn new() -> Memory {
    let mut storage = Memory::default();
    Rotation::initialise::<Ed25519PublicKey, _>(&mut storage).unwrap();
    storage.reboot();
    storage
}

/// Goes on from wherever the storage stands; `said` becomes true when somebody answered to the new identity.
fn go_on(storage: &mut Memory, said: &mut bool) -> Result<(), RotationError> {
    let mut rotation = Rotation::open(storage)?;
    if rotation.status() == RotationStatus::Idle {
        rotation.start::<Ed25519PublicKey, _>(storage)?;
    }
    if rotation.status() == RotationStatus::NeedsCertificate {
        let mut out = [0; CertificationRequest::MAX_LEN];
        rotation.request(storage, &Subject::new("1")?, &mut out)?;
        let number = storage.keys[rotation.active().other().index()].unwrap();
        rotation.certify(storage, &certificate(number))?;
    }
    let trial = rotation.trial()?;
    *said = true;
    rotation.commit(storage, trial.accepted())
}

#[test]
fn a_whole_rotation_ends_with_the_new_key_and_nothing_of_the_old() {
    let mut storage = new();
    for turn in 1..5 {
        go_on(&mut storage, &mut false).unwrap();
        let rotation = Rotation::open(&mut storage).unwrap();
        assert_eq!(rotation.status(), RotationStatus::Idle);
        assert_eq!(public(&mut storage, &rotation), key(turn + 1).public_key());
        let other = rotation.active().other().index();
        assert_eq!((storage.keys[other], &storage.certificates[other]), (None, &None));
        assert_eq!(
            storage.certificates[rotation.active().index()],
            Some(certificate(turn + 1))
        );
    }
}

/// Every write of a rotation is cut, in three ways, and every write of what comes after that too.
#[test]
fn there_is_a_working_identity_after_every_power_cut_and_the_old_one_until_the_new_was_accepted() {
    let whole = {
        let mut storage = new();
        go_on(&mut storage, &mut false).unwrap();
        storage.writes
    };
    assert_eq!(whole, 9);
    let mut runs = 0;
    for first in 1..=whole {
        for left in [Left::Old, Left::Half, Left::New] {
            for second in 1..=whole + 4 {
                for again in [Left::Old, Left::Half, Left::New] {
                    let mut storage = new();
                    let mut said = false;
                    for cut in [Some((first, left)), Some((second, again)), None] {
                        let before = said;
                        storage.reboot();
                        storage.cut = cut;
                        let done = go_on(&mut storage, &mut said);
                        storage.reboot();
                        let mut looked = storage.clone();
                        let rotation = Rotation::open(&mut looked).unwrap();
                        let mut signature = [0; 64];
                        let active = rotation.key(&mut looked).unwrap();
                        active.sign(b"alive", &mut signature).unwrap();
                        let verifier = Ed25519PublicKey::from_bytes(active.public_key()).unwrap();
                        verifier.verify(b"alive", &signature).unwrap();
                        if !said {
                            assert_eq!(active.public_key(), key(1).public_key());
                        }
                        if done.is_ok() {
                            assert!(said || before);
                            assert_ne!(active.public_key(), key(1).public_key());
                        }
                        if rotation.status() == RotationStatus::Idle {
                            let other = rotation.active().other().index();
                            assert_eq!(looked.keys[other], None);
                        }
                        runs += 1;
                    }
                }
            }
        }
    }
    assert_eq!(runs, 9 * 3 * 13 * 3 * 3);
}

#[test]
fn steps_out_of_order_change_nothing() {
    let mut storage = new();
    let mut rotation = Rotation::open(&mut storage).unwrap();
    let record = storage.record;
    let out_of_order = Some(RotationError::OutOfOrder);
    assert_eq!(rotation.trial().err(), out_of_order);
    assert_eq!(rotation.cancel(&mut storage).err(), out_of_order);
    assert_eq!(
        rotation.certify(&mut storage, &certificate(1)).err(),
        out_of_order
    );
    let mut out = [0; CertificationRequest::MAX_LEN];
    let refused = rotation.request(&mut storage, &Subject::new("1").unwrap(), &mut out);
    assert_eq!(refused.err(), out_of_order);
    assert_eq!(storage.record, record);

    rotation.start::<Ed25519PublicKey, _>(&mut storage).unwrap();
    assert_eq!(rotation.trial().err(), out_of_order);
    let again = rotation.start::<Ed25519PublicKey, _>(&mut storage);
    assert_eq!(again.err(), Some(RotationError::Busy));
    // The certificate of the old key, or of anybody's.
    for number in [1, 3] {
        let refused = rotation.certify(&mut storage, &certificate(number)).err();
        assert_eq!(refused, Some(RotationError::Identity(IdentityError::ForeignKey)));
    }
    assert_eq!(storage.certificates, [None, None]);
}

#[test]
fn the_proof_of_a_rotation_that_was_given_up_commits_no_other() {
    let mut storage = new();
    let mut rotation = Rotation::open(&mut storage).unwrap();
    rotation.start::<Ed25519PublicKey, _>(&mut storage).unwrap();
    rotation.certify(&mut storage, &certificate(2)).unwrap();
    let old = rotation.trial().unwrap().accepted();
    rotation.cancel(&mut storage).unwrap();
    assert_eq!(rotation.status(), RotationStatus::Idle);
    assert_eq!(storage.keys, [Some(1), None]);
    rotation.start::<Ed25519PublicKey, _>(&mut storage).unwrap();
    rotation.certify(&mut storage, &certificate(3)).unwrap();
    assert_eq!(
        rotation.commit(&mut storage, old).err(),
        Some(RotationError::Stale)
    );
    assert_eq!(rotation.active(), IdentityPlace::First);
}

#[test]
fn a_key_that_fails_its_test_is_gone_and_the_old_one_stays() {
    let mut storage = new();
    let mut rotation = Rotation::open(&mut storage).unwrap();
    storage.broken = true;
    let refused = rotation.start::<Ed25519PublicKey, _>(&mut storage);
    assert_eq!(refused.err(), Some(RotationError::SelfTest));
    assert_eq!(storage.keys, [Some(1), None]);
    storage.broken = false;
    // A key of another type than the one that is asked for.
    let refused = rotation.start::<P256PublicKey, _>(&mut storage);
    assert_eq!(refused.err(), Some(RotationError::SelfTest));
    rotation.start::<Ed25519PublicKey, _>(&mut storage).unwrap();
}

#[test]
fn a_certificate_is_renewed_for_its_own_key_only() {
    let mut storage = new();
    let rotation = Rotation::open(&mut storage).unwrap();
    rotation.renew(&mut storage, &certificate(1)).unwrap();
    assert_eq!(storage.certificates[0], Some(certificate(1)));
    let refused = rotation.renew(&mut storage, &certificate(2)).err();
    assert_eq!(refused, Some(RotationError::Identity(IdentityError::ForeignKey)));
    let again = Rotation::initialise::<Ed25519PublicKey, _>(&mut storage);
    assert_eq!(again.err(), Some(RotationError::AlreadyInitialised));
}

#[test]
fn any_one_or_two_flipped_bits_of_the_record_are_damage() {
    let storage = new();
    let bits = Rotation::LEN * 8;
    for first in 0..bits {
        for second in first..bits {
            let mut damaged = storage.clone();
            let record = damaged.record.as_mut().unwrap();
            record[first / 8] ^= 1 << (first % 8);
            if second != first {
                record[second / 8] ^= 1 << (second % 8);
            }
            let refused = Rotation::open(&mut damaged).err();
            assert_eq!(refused, Some(RotationError::Damaged), "bits {first} and {second}");
        }
    }
}
