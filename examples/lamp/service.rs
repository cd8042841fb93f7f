//! What the maker of a lamp runs: it files events under pseudonyms, deletes them when it is asked to, and signs that.

use std::collections::BTreeMap;

use iotsec::{
    core::{
        crypto::{
            Ed25519PublicKey, Ed25519SigningKey, HkdfSha256, KeyAgreement as _, Sha256, Sign, X25519Key,
            hpke::{self, Hpke},
        },
        hal::UnixTime,
    },
    device::{Device, InService},
    telemetry::{
        batch::{ServiceKey, ServiceSecret},
        deletion::{Deleted, Remains, Request},
        pseudonym::Pseudonym,
    },
};
use iotsec_testkit::{SimFlash, SimRng};

use crate::unit::{EVENTS, Result};

/// What the maker runs: events by pseudonym, and the key that it signs receipts with.
pub(crate) struct Service {
    /// The private half of the key that lamps seal to.
    pub(crate) key: X25519Key,
    pub(crate) signer: Ed25519SigningKey,
    pub(crate) filed: BTreeMap<Pseudonym, usize>,
}

/// How lamps seal, and the name of the key.
pub(crate) const SUITE: Hpke<'static, X25519Key> = hpke::X25519_CHACHA20_POLY1305;
pub(crate) const KEY_ID: [u8; 8] = *b"2026-key";

impl Service {
    fn secret(&self) -> ServiceSecret<'_, X25519Key> {
        ServiceSecret::new(SUITE, &self.key, KEY_ID)
    }

    pub(crate) fn file(&mut self, pseudonym: Pseudonym, sealed: &[u8]) -> Result {
        let (mut plain, registry) = ([0; 256], EVENTS.hashed(&mut Sha256::new()));
        let batch = self.secret().open(sealed, &mut plain)?.read(&registry)?;
        *self.filed.entry(pseudonym).or_default() += batch.events().count();
        println!(
            "  the service has filed {:?} events",
            self.filed.values().sum::<usize>()
        );
        Ok(())
    }

    fn delete(&mut self, sealed: &[u8]) -> Result<Vec<u8>> {
        let request = self.secret().open_request(sealed)?;
        let mut events = 0;
        for pseudonym in request.pseudonyms(&HkdfSha256) {
            events += self.filed.remove(&pseudonym?).unwrap_or_default();
        }
        let (time, remains) = (UnixTime(1_790_000_000), Remains::AGGREGATED);
        let deleted = Deleted::of(
            &request,
            time,
            u32::try_from(events)?,
            remains,
            &mut Sha256::new(),
        );
        Ok(deleted.sign(&self.signer, &mut [0; Deleted::MAX_LEN])?.to_vec())
    }
}

/// The lamp has a connection: it asks what is to be deleted until it has a receipt, and says so.
pub(crate) fn ask<S: InService>(
    device: &mut Device<'_, S, &mut SimFlash, SimRng, 8>,
    service: &mut Service,
) -> Result {
    let (anchor, mut out) = (
        Ed25519PublicKey::from_bytes(service.signer.public_key())?,
        [0; Request::SEALED_LEN],
    );
    let public = service.key.public_key().to_vec();
    let key = ServiceKey::new(SUITE, &public, KEY_ID);
    while let Some(sealed) = device.deletion_request_to(&key, &mut out)? {
        println!("  sends a deletion request: {} bytes", sealed.len());
        let receipt = service.delete(sealed)?;
        // A receipt that somebody else signed, or for another request, would be refused, and the request go out again.
        println!(
            "  \"{}\"",
            device.acknowledge_deletion(&receipt, &anchor, &mut Sha256::new())?
        );
    }
    println!("  nothing waits to be deleted");
    Ok(())
}
