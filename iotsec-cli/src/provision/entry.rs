//! The signed entry of a unit.

use std::io::Read;

use iotsec::core::{
    cbor::{Limits, from_slice, split_first, to_vec},
    cose::{CoseError, Sign1, Sign1Builder},
    crypto::{Sign, Verify},
    error::ErrorCode,
    qr::{MatterPayload, Passcode, QrError},
};
use serde::{Deserialize, Serialize};

use crate::{Problem, key::unhex};

/// What the maker keeps of a unit. Nothing in it helps to guess a password or a set-up code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) version: u8,
    /// The same random number in every entry of a batch, in hexadecimal.
    pub(super) batch: String,
    /// Which one of `count`, from 1.
    pub(super) unit: u32,
    pub(super) count: u32,
    pub(super) vendor: String,
    pub(super) product: String,
    pub(super) model: String,
    pub(super) serial: String,
    /// Of the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) entropy_bits: Option<u32>,
    /// Whether the password was derived from the serial number under a batch key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) derived: bool,
    /// Whether the unit has a set-up code.
    pub(super) setup_code: bool,
    /// Ed25519 or P-256, in hexadecimal, where the key was made at the station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) device_key: Option<String>,
    /// SHA-256 of its certificate, in hexadecimal, where the station has an authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) certificate: Option<String>,
    /// What a Matter commissioner learns of the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) matter: Option<Matter>,
    /// The version of the tool.
    pub(super) tool: String,
}

/// Of a unit with Matter. Its passcode is the set-up code, and is not here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Matter {
    pub(super) vendor: u16,
    pub(super) product: u16,
    /// A bit for each way.
    pub(super) discovery: u8,
    /// 12 bits, drawn for the unit.
    pub(super) discriminator: u16,
    pub(super) iterations: u32,
    /// Of the verifier, drawn for the unit: 32 bytes in hexadecimal. Every commissioner is told it.
    pub(super) salt: String,
}

impl Matter {
    /// What all units have in common.
    fn product(&self) -> (u16, u16, u8, u32) {
        (self.vendor, self.product, self.discovery, self.iterations)
    }

    /// That a commissioner can be told it.
    pub(super) fn is_sound(&self) -> bool {
        self.discriminator <= 0xFFF
            && (1..8).contains(&self.discovery)
            && (1000..=100_000).contains(&self.iterations)
            && unhex::<32>(&self.salt).is_some()
    }
}

pub(super) const VERSION: u8 = 1;
const LIMITS: Limits = Limits {
    depth: 4,
    items: 48,
    bytes: 1024,
};
/// An entry and its signature.
const MAX: usize = 2048;
const CONTEXT: &[u8] = b"iotsec/provision/entry/v1";

impl Entry {
    /// What all entries of a batch have in common.
    pub(super) fn belongs_with(&self, first: &Self) -> bool {
        (&self.batch, self.count, &self.vendor, &self.product, &self.model)
            == (
                &first.batch,
                first.count,
                &first.vendor,
                &first.product,
                &first.model,
            )
            && (self.entropy_bits, self.derived, self.setup_code)
                == (first.entropy_bits, first.derived, first.setup_code)
            && (self.device_key.is_some(), self.certificate.is_some())
                == (first.device_key.is_some(), first.certificate.is_some())
            && self.matter.as_ref().map(Matter::product) == first.matter.as_ref().map(Matter::product)
    }

    /// The set-up code and what the manifest says, as a Matter commissioner scans it.
    pub(super) fn matter_payload(&self, code: &str) -> Result<Option<MatterPayload>, QrError> {
        let Some(matter) = &self.matter else {
            return Ok(None);
        };
        let passcode = Passcode::new(code.parse().map_err(|_| QrError::Value)?)?;
        let payload = MatterPayload::new(matter.vendor, matter.product, matter.discriminator, passcode)?;
        Ok(Some(payload.discovery(matter.discovery)))
    }

    pub(super) fn sign(&self, signer: &dyn Sign, kid: Option<&[u8]>) -> Result<Vec<u8>, Problem> {
        let payload = to_vec(self, &LIMITS).map_err(Problem::make("entry"))?;
        let signed = kid.map_or_else(Sign1Builder::new, |kid| Sign1Builder::new().kid(kid));
        let (mut scratch, mut out) = ([0; MAX], [0; MAX]);
        let entry = signed
            .sign(signer, &payload, CONTEXT, &mut scratch, &mut out)
            .map_err(Problem::make("entry"))?;
        Ok(entry.to_vec())
    }
}

/// Reads entries from a manifest, one after the other, whatever its length.
pub(super) struct Entries<'v, R> {
    manifest: R,
    verifier: &'v dyn Verify,
    /// Read and not yet used, from `at` on.
    buffer: Vec<u8>,
    at: usize,
    number: u32,
}

impl<'v, R: Read> Entries<'v, R> {
    pub(super) const fn new(manifest: R, verifier: &'v dyn Verify) -> Self {
        Self {
            manifest,
            verifier,
            buffer: Vec::new(),
            at: 0,
            number: 0,
        }
    }

    /// The next entry, its signature checked; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, String> {
        self.number += 1;
        let number = self.number;
        let rest = self.buffer.len() - self.at;
        if rest < MAX {
            self.buffer.drain(..self.at);
            self.at = 0;
            let mut more = (&mut self.manifest).take((1 << 16) - rest as u64);
            more.read_to_end(&mut self.buffer)
                .map_err(|cause| cause.to_string())?;
        }
        let rest = &self.buffer[self.at..];
        if rest.is_empty() {
            return Ok(None);
        }
        let at = |cause: CoseError| format!("entry {number}: {cause} (error {})", cause.code());
        let (signed, after) = split_first(rest, &ITEM).map_err(|cause| at(cause.into()))?;
        self.at = self.buffer.len() - after.len();
        let mut scratch = [0; MAX];
        let entry = Sign1::parse(signed, &ITEM)
            .and_then(|message| message.verify(self.verifier, CONTEXT, &mut scratch))
            .map_err(at)?;
        let entry: Entry = from_slice(entry.payload(), &LIMITS)
            .map_err(|cause| format!("entry {number}: {cause} (error {})", cause.code()))?;
        if entry.version != VERSION {
            return Err(format!("entry {number}: version {} is not known", entry.version));
        }
        Ok(Some(entry))
    }
}

/// An entry with its envelope.
const ITEM: Limits = Limits {
    depth: 4,
    items: 32,
    bytes: 1500,
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_commissioner_can_be_told_is_not_sound() {
        let sound = Matter {
            vendor: 0xFFF1,
            product: 0x8000,
            discovery: 2,
            discriminator: 0xFFF,
            iterations: 1000,
            salt: "a5".repeat(32),
        };
        assert!(sound.is_sound());
        let wrong: [fn(&mut Matter); 5] = [
            |matter| matter.discriminator = 0x1000,
            |matter| matter.discovery = 0,
            |matter| matter.iterations = 999,
            |matter| matter.salt.truncate(62),
            |matter| matter.salt.replace_range(..1, "g"),
        ];
        for change in wrong {
            let mut matter = sound.clone();
            change(&mut matter);
            assert!(!matter.is_sound(), "{matter:?}");
        }
    }
}
