//! Deletion at the service: requests, the service's receipts, and the trails that requests come from.

use iotsec_core::{
    cose::{ContentType, Sign1Builder},
    crypto::{ChaCha20Poly1305, Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, Sha256, Sign},
    hal::UnixTime,
    secret::Secret,
};
use iotsec_telemetry::{
    batch::BatchKey,
    consent::Consents,
    deletion::{Deleted, Remains, Request},
    error::StorageError,
    pseudonym::{Epoch, MAX_EPOCHS, TRAIL_RECORD_LEN, TRAILS, TrailStorage, Trails},
    registry::Purpose,
};
use iotsec_testkit::SimRng;

use crate::Seed;

/// As `iotsec-telemetry/FORMAT.md` has it.
const DOMAIN: &[u8] = b"iotsec/telemetry/deleted/v1";

fn key() -> Ed25519SigningKey {
    Ed25519SigningKey::from_seed(&Secret::from_bytes([7; 32]))
}

/// The input is the plaintext of a request. What is accepted names so many pseudonyms as it says, and comes back the same
/// from a message.
pub fn request(input: &[u8]) -> bool {
    let Ok(request) = Request::parse(input) else {
        return false;
    };
    let (first, last) = request.epochs();
    let span = last.0 - first.0 + 1;
    assert!(span <= MAX_EPOCHS);
    assert_eq!(
        request.pseudonyms(&HkdfSha256).count(),
        usize::try_from(span).expect("a thousand")
    );
    let secret = Secret::from_bytes([9; 32]);
    let key = BatchKey::new(&secret, &ChaCha20Poly1305, &HkdfSha256);
    let mut out = [0; Request::SEALED_LEN];
    let sealed = request
        .seal(&key, &mut SimRng::new(1), &mut out)
        .expect("there is room");
    let opened = key.open_request(sealed).expect("what was sealed");
    let mut hash = Sha256::new();
    assert_eq!(opened.hash(&mut hash), request.hash(&mut hash));
    true
}

/// The input is a receipt, or what a service with the key signs. What is accepted has one encoding.
pub fn receipt(input: &[u8]) -> bool {
    let signer = key();
    let public = Ed25519PublicKey::from_bytes(signer.public_key()).expect("a key");
    let mut signed = vec![0; input.len() + 256];
    let header = ContentType::Media("application/vnd.iotsec.deleted+cbor");
    let mut scratch = vec![0; input.len() + 256];
    let builder = Sign1Builder::new().content_type(header);
    let signed = builder
        .sign(&signer, input, DOMAIN, &mut scratch, &mut signed)
        .expect("there is room");
    let mut accepted = false;
    for bytes in [input, signed] {
        let Ok(deleted) = Deleted::verify_any(bytes, &public) else {
            continue;
        };
        accepted = true;
        assert!(deleted.to_string().starts_with("The service has deleted "));
        let mut out = [0; Deleted::MAX_LEN];
        assert_eq!(deleted.sign(&signer, &mut out), Ok(bytes));
    }
    accepted
}

struct One(Option<[u8; TRAIL_RECORD_LEN]>);

impl TrailStorage for One {
    fn load(&mut self, place: usize, record: &mut [u8; TRAIL_RECORD_LEN]) -> Result<bool, StorageError> {
        if let Some(stored) = self.0.filter(|_| place == 0) {
            *record = stored;
            return Ok(true);
        }
        Ok(false)
    }
    fn store(&mut self, place: usize, record: &[u8; TRAIL_RECORD_LEN]) -> Result<(), StorageError> {
        assert!(place < TRAILS);
        if place == 0 {
            self.0 = Some(*record);
        }
        Ok(())
    }
    fn remove(&mut self, _: usize) -> Result<(), StorageError> {
        self.0 = None;
        Ok(())
    }
}

/// The input is a stored trail. It is damaged, or in one of two lives a request that is accepted.
pub fn trail(input: &[u8]) -> bool {
    let Ok(record) = input.try_into() else {
        return false;
    };
    let (mut storage, consents) = (One(Some(record)), Consents::off());
    let mut due = [0, 1].map(|life| {
        let mut trails = Trails::new(life, &HkdfSha256, &mut storage);
        trails.due(&consents).expect("it reads")
    });
    let damaged = Trails::new(0, &HkdfSha256, &mut storage).damaged();
    let request = due.iter_mut().find_map(Option::take);
    assert_eq!(damaged == Ok(0), request.is_some());
    let Some(request) = request else { return false };
    let (first, last) = request.epochs();
    assert!(first <= last && last.0 - first.0 < MAX_EPOCHS);
    true
}

/// Seeds of [`request`].
pub fn request_seeds() -> Vec<Seed> {
    let mut good = Vec::from([0xA5, 1, 1, 2, 2, 3, 0x58, 32]);
    good.extend([9; 32]);
    good.extend([4, 0x19, 0x0B, 0x8C, 5, 0x19, 0x0B, 0x8F, 0, 0]);
    let mut reversed = good.clone();
    reversed[47] = 0;
    vec![
        Seed::new("valid-request", good.clone()),
        Seed::new("near-padding", [&good[..], &[1]].concat()),
        Seed::new("near-reversed", reversed),
    ]
}

/// Seeds of [`receipt`].
pub fn receipt_seeds() -> Vec<Seed> {
    let deleted = Deleted {
        request: [5; 32],
        purpose: Purpose::Usage,
        time: UnixTime(1_790_000_000),
        events: 214,
        remains: Remains::AGGREGATED,
    };
    let mut out = [0; Deleted::MAX_LEN];
    let good = deleted
        .sign(&key(), &mut out)
        .expect("what a service can say")
        .to_vec();
    let mut payload = Vec::from([0xA6, 1, 1, 2, 0x58, 32]);
    payload.extend([5; 32]);
    payload.extend([3, 2, 4, 0x1A, 0x6A, 0xB1, 0x3B, 0x80, 5, 0x18, 214, 6, 1]);
    let mut other = good.clone();
    *other.last_mut().expect("bytes") ^= 1;
    vec![
        Seed::new("near-cut", &good[..good.len() - 1]),
        Seed::new("near-other-signature", other),
        Seed::new("valid-payload", payload),
        Seed::new("valid-receipt", good),
    ]
}

/// Seeds of [`trail`].
pub fn trail_seeds() -> Vec<Seed> {
    let (mut storage, consents) = (One(None), Consents::off());
    let mut trails = Trails::new(0, &HkdfSha256, &mut storage);
    let mut rng = SimRng::new(1);
    for epoch in [2956, 2959] {
        let pseudonym = trails.pseudonym(&consents, Purpose::Security, Epoch(epoch), &mut rng);
        pseudonym.expect("security needs no consent");
    }
    let open = storage.0.expect("stored");
    let mut trails = Trails::new(0, &HkdfSha256, &mut storage);
    trails.ask(Purpose::Security).expect("stored");
    let asked = storage.0.expect("stored");
    let mut near = open;
    near[1] = 1;
    vec![
        Seed::new("valid-open", open),
        Seed::new("valid-asked", asked),
        Seed::new("near-purpose", near),
    ]
}
