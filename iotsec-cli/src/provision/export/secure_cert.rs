//! The partition `esp_secure_cert` of Espressif's chips, as `esp_secure_cert_mgr` reads it.
//!
//! ```text
//! partition = entry... then FF to the end
//! entry     = magic: u32 0xBA5EBA11, flags: u8, reserved: 3 zeros, type: u8, subtype: u8, length: u16,
//!             data, zeros to a multiple of 16 bytes of data, crc: u32
//! type      = 0 certificate of the authority, 1 of the device, 2 private key (flags 0: as it is)
//! ```
//!
//! Integers are little-endian. The checksum covers everything in front of it. Certificates are in DER, and so is the
//! key: ECPrivateKey with its curve (RFC 5915), as Espressif's tool writes it.

use zeroize::Zeroizing;

use super::{Made, lacks};
use iotsec_product::factory::KeyKind;

use crate::{Problem, key::exchange::ec_private_der, provision::unit::Unit};

/// Bytes of the partition.
const SIZE: usize = 0x2000;
const MAGIC: u32 = 0xBA5E_BA11;
const AUTHORITY: u8 = 0;
const DEVICE: u8 = 1;
const KEY: u8 = 2;

pub(super) fn partition(unit: &Unit, authority: Option<&[u8]>) -> Made {
    let key = unit.key().ok_or_else(|| {
        lacks(
            unit,
            "device key that was made at the station",
            "a unit that makes its key itself needs no partition; or mint with identity.origin = \"factory\"",
        )
    })?;
    let certificate = unit.certificate().ok_or_else(|| {
        lacks(
            unit,
            "certificate",
            "make the station's authority with `iotsec ca init`, and mint another batch",
        )
    })?;
    if key.kind() != KeyKind::P256 {
        return Err(lacks(
            unit,
            "P-256 key, which is what TLS of Espressif's chips takes",
            "mint with identity.kind = \"p256\"; an Ed25519 key goes to the device in its own record, with --format esp-nvs or store",
        ));
    }
    let key = ec_private_der(key.public(), key.secret())?;
    let mut out = Zeroizing::new(Vec::with_capacity(SIZE));
    entry(&mut out, DEVICE, &certificate)?;
    if let Some(authority) = authority {
        entry(&mut out, AUTHORITY, authority)?;
    }
    entry(&mut out, KEY, &key)?;
    if out.len() > SIZE {
        return Err(too_long());
    }
    out.resize(SIZE, 0xFF);
    Ok(out)
}

fn entry(out: &mut Vec<u8>, kind: u8, data: &[u8]) -> Result<(), Problem> {
    let start = out.len();
    let length = u16::try_from(data.len()).map_err(|_| too_long())?;
    out.extend(MAGIC.to_le_bytes());
    out.extend([0, 0, 0, 0, kind, 0]);
    out.extend(length.to_le_bytes());
    out.extend(data);
    out.resize(out.len() + data.len().next_multiple_of(16) - data.len(), 0);
    let check = checksum(out.get(start..).unwrap_or_default());
    out.extend(check.to_le_bytes());
    Ok(())
}

fn too_long() -> Problem {
    Problem::new(
        "PartitionFull",
        format!("certificates and key do not fit into the {SIZE} bytes of the partition"),
        "leave --ca out, or make an authority with a shorter name",
    )
}

/// As the chips' ROM continues it from `FFFFFFFF`: CRC-32 whose register begins with zeros.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            let carry = if crc & 1 == 0 { 0 } else { 0xEDB8_8320 };
            crc >> 1 ^ carry
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `zlib.crc32(b"123456789", 0xFFFFFFFF)` of Python.
    #[test]
    fn the_checksum_is_that_of_the_chips() {
        assert_eq!(checksum(b"123456789"), 0xD202_D277);
    }

    #[test]
    fn data_is_filled_up_to_sixteen_bytes() {
        for (len, whole) in [(1, 32), (15, 32), (16, 32), (17, 48)] {
            let mut out = Vec::new();
            entry(&mut out, DEVICE, &vec![7; len]).unwrap();
            assert_eq!(out.len(), whole, "{len}");
            assert_eq!(out[..4], [0x11, 0xBA, 0x5E, 0xBA]);
            assert_eq!(usize::from(out[10]), len);
        }
        assert!(entry(&mut Vec::new(), DEVICE, &vec![0; 65_536]).is_err());
    }
}
