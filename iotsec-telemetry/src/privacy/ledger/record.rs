//! The stored form (`FORMAT.md`, "Ledger"): sealed, and refused unless every byte is as written.

use iotsec_core::{
    crypto::{CryptoError, NONCE_LEN, TAG_LEN},
    secret::Secret,
};
use zeroize::Zeroize;

use super::{Debits, Entry, LedgerKey, MAX_DEBITS, State, TAG_OF_VALUE_LEN};
use crate::{
    error::LedgerError,
    privacy::{Epsilon, draws::SEED_LEN},
};

pub(super) const VERSION: u8 = 1;
const DOMAIN: &[u8] = b"iotsec/telemetry/ledger/v1";
const SALT_LEN: usize = 8;
/// Version, salt, nonce.
const HEAD_LEN: usize = 21;
/// Counter, renewals, counter of renewals.
const STATE_LEN: usize = 20;
/// Metric, epsilon, tag of the value, seed.
const ENTRY_LEN: usize = 32;
/// Bytes of a record that is full.
pub(super) const MAX_LEN: usize = HEAD_LEN + STATE_LEN + MAX_DEBITS * ENTRY_LEN + TAG_LEN;

impl LedgerKey<'_> {
    fn of_record(&self, salt: &[u8]) -> Result<Secret<32>, CryptoError> {
        let mut key = Secret::zero();
        self.kdf
            .hkdf(salt, self.key.expose(), &[DOMAIN, b"/key"], key.expose_mut())?;
        Ok(key)
    }

    /// Salt and nonce are a keyed hash of what is sealed, so that they repeat only with it: a rolled-back
    /// flash cannot make two records share them.
    fn salt(&self, plain: &[u8]) -> Result<[u8; SALT_LEN + NONCE_LEN], CryptoError> {
        let mut key = Secret::<32>::zero();
        self.kdf
            .hkdf(DOMAIN, self.key.expose(), &[DOMAIN, b"/salt"], key.expose_mut())?;
        let hash = self.kdf.hmac(key.expose(), &[plain])?;
        let mut salt = [0; SALT_LEN + NONCE_LEN];
        for (to, from) in salt.iter_mut().zip(hash) {
            *to = from;
        }
        Ok(salt)
    }

    /// Names a value, as one metric and mechanism see it, to whoever has the key.
    pub(super) fn tag_of(&self, parts: &[&[u8]; 5]) -> Result<[u8; TAG_OF_VALUE_LEN], CryptoError> {
        let mut key = Secret::<32>::zero();
        self.kdf
            .hkdf(DOMAIN, self.key.expose(), &[DOMAIN, b"/value"], key.expose_mut())?;
        let hash = self.kdf.hmac(key.expose(), parts)?;
        let mut tag = [0; TAG_OF_VALUE_LEN];
        for (to, from) in tag.iter_mut().zip(hash) {
            *to = from;
        }
        Ok(tag)
    }
}

/// Writes and seals the record; returns its length.
pub(super) fn seal(
    key: &LedgerKey<'_>,
    state: &State,
    debits: &Debits,
    out: &mut [u8; MAX_LEN],
) -> Result<usize, LedgerError> {
    let sealed = write_and_seal(key, state, debits, out);
    if sealed.is_err() {
        out.zeroize();
    }
    sealed
}

fn write_and_seal(
    key: &LedgerKey<'_>,
    state: &State,
    debits: &Debits,
    out: &mut [u8; MAX_LEN],
) -> Result<usize, LedgerError> {
    let (head, rest) = out.split_at_mut(HEAD_LEN);
    let mut len = 0usize;
    let state = [
        &state.counter.to_be_bytes()[..],
        &state.renewals.to_be_bytes(),
        &state.renewed_at.to_be_bytes(),
    ];
    for part in state {
        append(rest, &mut len, part)?;
    }
    for entry in debits.iter() {
        let epsilon_d = u16::try_from(entry.epsilon.d()).map_err(|_| LedgerError::Corrupt)?;
        append(rest, &mut len, &entry.metric.to_be_bytes())?;
        append(rest, &mut len, &entry.epsilon.n().to_be_bytes())?;
        append(rest, &mut len, &epsilon_d.to_be_bytes())?;
        append(rest, &mut len, &entry.tag)?;
        append(rest, &mut len, entry.seed.expose())?;
    }
    let (plain, after) = rest.split_at_mut_checked(len).ok_or(LedgerError::Corrupt)?;
    let salt = key.salt(plain)?;
    let (salt, nonce) = salt.split_at(SALT_LEN);
    let nonce: &[u8; NONCE_LEN] = nonce.try_into().map_err(|_| LedgerError::Corrupt)?;
    let tag = key.aead.seal(&key.of_record(salt)?, nonce, DOMAIN, plain)?;
    for (to, from) in after.iter_mut().zip(tag) {
        *to = from;
    }
    let written = [VERSION].into_iter();
    let written = written.chain(salt.iter().copied()).chain(nonce.iter().copied());
    for (to, from) in head.iter_mut().zip(written) {
        *to = from;
    }
    let len = len.saturating_add(HEAD_LEN).saturating_add(TAG_LEN);
    Ok(len)
}

fn append(out: &mut [u8], len: &mut usize, bytes: &[u8]) -> Result<(), LedgerError> {
    let end = len.saturating_add(bytes.len());
    let place = out.get_mut(*len..end).ok_or(LedgerError::Corrupt)?;
    for (to, from) in place.iter_mut().zip(bytes) {
        *to = *from;
    }
    *len = end;
    Ok(())
}

/// Opens and reads a record, in place.
pub(super) fn open(key: &LedgerKey<'_>, record: &mut [u8]) -> Result<(State, Debits), LedgerError> {
    let opened = open_and_read(key, record);
    record.zeroize();
    opened
}

fn open_and_read(key: &LedgerKey<'_>, record: &mut [u8]) -> Result<(State, Debits), LedgerError> {
    let (version, rest) = record.split_first_mut().ok_or(LedgerError::Corrupt)?;
    if *version != VERSION {
        return Err(LedgerError::Version);
    }
    let (salt, rest) = rest
        .split_first_chunk_mut::<SALT_LEN>()
        .ok_or(LedgerError::Corrupt)?;
    let (nonce, rest) = rest
        .split_first_chunk_mut::<NONCE_LEN>()
        .ok_or(LedgerError::Corrupt)?;
    let (plain, tag) = rest
        .split_last_chunk_mut::<TAG_LEN>()
        .ok_or(LedgerError::Corrupt)?;
    key.aead
        .open(&key.of_record(salt)?, nonce, DOMAIN, plain, tag)
        .map_err(|error| match error {
            CryptoError::Tag => LedgerError::Corrupt,
            other => other.into(),
        })?;
    read(plain).ok_or(LedgerError::Corrupt)
}

fn read(plain: &[u8]) -> Option<(State, Debits)> {
    let (counter, rest) = plain.split_first_chunk::<8>()?;
    let (renewals, rest) = rest.split_first_chunk::<4>()?;
    let (renewed_at, rest) = rest.split_first_chunk::<8>()?;
    let state = State {
        counter: u64::from_be_bytes(*counter),
        renewals: u32::from_be_bytes(*renewals),
        renewed_at: u64::from_be_bytes(*renewed_at),
    };
    let (entries, []) = rest.as_chunks::<ENTRY_LEN>() else {
        return None;
    };
    let mut debits = Debits::EMPTY;
    for entry in entries {
        debits.push(read_entry(entry)?)?;
    }
    Some((state, debits))
}

fn read_entry(bytes: &[u8; ENTRY_LEN]) -> Option<Entry> {
    let (metric, rest) = bytes.split_first_chunk::<2>()?;
    let (n, rest) = rest.split_first_chunk::<4>()?;
    let (d, rest) = rest.split_first_chunk::<2>()?;
    let (tag, rest) = rest.split_first_chunk::<TAG_OF_VALUE_LEN>()?;
    let (seed, []) = rest.split_first_chunk::<SEED_LEN>()? else {
        return None;
    };
    Some(Entry {
        metric: u16::from_be_bytes(*metric),
        epsilon: Epsilon::new(u32::from_be_bytes(*n), u16::from_be_bytes(*d).into()).ok()?,
        tag: *tag,
        seed: Secret::from_bytes(*seed),
    })
}
