//! Keys that follow from what is printed on the device.

use zeroize::Zeroize;

use crate::{
    crypto::{DIGEST_LEN, Digest, Kdf},
    hal::RootKeyError,
    secret::{Secret, ct_eq},
};

/// Longest identifier, or all of them together, that is looked at in hexadecimal and reversed.
const MAX_ID_LEN: usize = 64;
/// Three characters for each byte, with a colon behind all but the last.
const MAX_TEXT_LEN: usize = MAX_ID_LEN * 3;

/// How an identifier is written down.
#[derive(Clone, Copy)]
enum Form {
    Reversed,
    Hex { upper: bool, colons: bool },
}

const FORMS: [Form; 5] = [
    Form::Reversed,
    Form::Hex {
        upper: false,
        colons: false,
    },
    Form::Hex {
        upper: true,
        colons: false,
    },
    Form::Hex {
        upper: false,
        colons: true,
    },
    Form::Hex {
        upper: true,
        colons: true,
    },
];

pub(super) struct Check<'a> {
    pub(super) key: &'a Secret<32>,
    pub(super) kdf: &'a dyn Kdf,
    pub(super) digest: &'a mut dyn Digest,
}

impl Check<'_> {
    pub(super) fn all(&mut self, ids: &[&[u8]]) -> Result<(), RootKeyError> {
        for id in ids {
            self.each_form(id)?;
        }
        let mut joined = [0; MAX_ID_LEN];
        let mut len = 0_usize;
        for byte in ids.iter().copied().flatten() {
            let Some(place) = joined.get_mut(len) else {
                return Ok(());
            };
            *place = *byte;
            len = len.saturating_add(1);
        }
        self.each_form(joined.get(..len).unwrap_or_default())
    }

    fn each_form(&mut self, id: &[u8]) -> Result<(), RootKeyError> {
        if id.is_empty() {
            return Ok(());
        }
        self.one(id)?;
        if id.len() > MAX_ID_LEN {
            return Ok(());
        }
        let mut text = [0; MAX_TEXT_LEN];
        for form in FORMS {
            let len = form.write(id, &mut text);
            self.one(text.get(..len).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Refuses the key if it is made of exactly these bytes.
    fn one(&mut self, id: &[u8]) -> Result<(), RootKeyError> {
        self.digest.reset();
        self.digest.update(id);
        let hash = self.digest.finish();
        let mut hkdf = [0; DIGEST_LEN];
        self.kdf
            .hkdf(&[], id, &[], &mut hkdf)
            .map_err(|_| RootKeyError::Unavailable)?;
        let same = self.is(&hash) | self.is(&hkdf) | self.is_padded(id) | self.is_repeated(id);
        if same { Err(RootKeyError::Weak) } else { Ok(()) }
    }

    fn is(&self, bytes: &[u8; DIGEST_LEN]) -> bool {
        ct_eq(self.key.expose(), bytes)
    }

    /// Whether the key begins or ends with the identifier, and all other bytes are equal.
    fn is_padded(&self, id: &[u8]) -> bool {
        let key = self.key.expose();
        let len = id.len().min(key.len());
        let (head, tail) = key.split_at_checked(len).unwrap_or_default();
        let left = ct_eq(head, id.get(..len).unwrap_or_default()) & are_equal(tail);
        let rest = key.len().saturating_sub(len);
        let (head, tail) = key.split_at_checked(rest).unwrap_or_default();
        let end = id.len().saturating_sub(len);
        let right = ct_eq(tail, id.get(end..).unwrap_or_default()) & are_equal(head);
        left | right
    }

    fn is_repeated(&self, id: &[u8]) -> bool {
        let mut repeated = [0; DIGEST_LEN];
        for (to, from) in repeated.iter_mut().zip(id.iter().cycle()) {
            *to = *from;
        }
        let same = self.is(&repeated);
        repeated.zeroize();
        same
    }
}

impl Form {
    /// Writes `id` in this form, and returns the length.
    fn write(self, id: &[u8], out: &mut [u8; MAX_TEXT_LEN]) -> usize {
        let mut len = 0_usize;
        let mut push = |byte: u8| {
            if let Some(place) = out.get_mut(len) {
                *place = byte;
                len = len.saturating_add(1);
            }
        };
        match self {
            Self::Reversed => id.iter().rev().for_each(|byte| push(*byte)),
            Self::Hex { upper, colons } => {
                for (at, byte) in id.iter().enumerate() {
                    if colons && at > 0 {
                        push(b':');
                    }
                    push(digit(byte >> 4, upper));
                    push(digit(byte & 15, upper));
                }
            }
        }
        len
    }
}

const fn digit(value: u8, upper: bool) -> u8 {
    let letters = if upper { b'A' } else { b'a' };
    if value < 10 {
        b'0'.saturating_add(value)
    } else {
        letters.saturating_add(value).saturating_sub(10)
    }
}

fn are_equal(bytes: &[u8]) -> bool {
    let differ = bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .fold(0, |differ, (a, b)| differ | (a ^ b));
    differ == 0
}

#[cfg(test)]
mod tests {
    use super::super::DeviceRootKey;
    use super::*;
    use crate::crypto::{CryptoError, HkdfSha256, Sha256};
    use std::{string::String, vec::Vec};

    const SERIAL: &[u8] = b"SN-2026-0004711";
    const MAC: &[u8] = &[0x02, 0x00, 0x5E, 0x10, 0xAB, 0xCD];
    const UID: &[u8] = &[
        0x31, 0x00, 0x52, 0x00, 0x0E, 0x51, 0x38, 0x31, 0x32, 0x36, 0x38, 0x39,
    ];
    const IDS: [&[u8]; 3] = [SERIAL, MAC, UID];

    fn check(key: [u8; 32]) -> Result<(), RootKeyError> {
        DeviceRootKey::new(&Secret::from_bytes(key), &HkdfSha256)?
            .check_not_derived_from(&IDS, &mut Sha256::new())
    }

    /// All ways to write down an identifier, by other means than the code above.
    fn forms(id: &[u8]) -> Vec<Vec<u8>> {
        let lower: Vec<String> = id.iter().map(|byte| std::format!("{byte:02x}")).collect();
        let upper: Vec<String> = id.iter().map(|byte| std::format!("{byte:02X}")).collect();
        let mut all: Vec<Vec<u8>> = [lower.concat(), upper.concat(), lower.join(":"), upper.join(":")]
            .map(String::into_bytes)
            .to_vec();
        all.push(id.to_vec());
        all.push(id.iter().rev().copied().collect());
        all
    }

    fn everything() -> Vec<Vec<u8>> {
        let joined = IDS.concat();
        [SERIAL, MAC, UID, &joined].into_iter().flat_map(forms).collect()
    }

    #[test]
    fn hashes_and_derivations_of_identifiers() {
        for form in everything() {
            assert_eq!(check(Sha256::of(&[&form])), Err(RootKeyError::Weak), "{form:?}");
            let mut derived = [0; 32];
            HkdfSha256.hkdf(&[], &form, &[], &mut derived).unwrap();
            assert_eq!(check(derived), Err(RootKeyError::Weak), "{form:?}");
            // A salt of one hash of zeros is what RFC 5869 puts in the place of none.
            HkdfSha256.hkdf(&[0; 32], &form, &[], &mut derived).unwrap();
            assert_eq!(check(derived), Err(RootKeyError::Weak), "{form:?}");
        }
    }

    #[test]
    fn padded_and_repeated_identifiers() {
        for form in everything() {
            for padding in [0, 0xFF, b' ', b'0'] {
                let mut left = form.clone();
                left.resize(form.len().max(32), padding);
                let at_the_end = left.iter().copied().cycle().skip(form.len()).take(left.len());
                let at_the_end: Vec<u8> = at_the_end.collect();
                for key in [&left[..32], &at_the_end[at_the_end.len() - 32..]] {
                    assert_eq!(check(key.try_into().unwrap()), Err(RootKeyError::Weak), "{key:?}");
                }
            }
            let repeated: Vec<u8> = form.iter().copied().cycle().take(32).collect();
            assert_eq!(check(repeated.try_into().unwrap()), Err(RootKeyError::Weak));
        }
    }

    #[test]
    fn what_is_hashed_with_a_secret_or_of_another_device_passes() {
        for form in everything() {
            assert_eq!(check(Sha256::of(&[b"secret", &form])), Ok(()));
        }
        assert_eq!(check(Sha256::of(&[b"SN-2026-0004712"])), Ok(()));
    }

    #[test]
    fn long_and_empty_identifiers() {
        let long = [b'7'; 65];
        let key = Secret::from_bytes(Sha256::of(&[&long]));
        let root = DeviceRootKey::new(&key, &HkdfSha256).unwrap();
        let ids: [&[u8]; 2] = [&[], &long];
        assert_eq!(
            root.check_not_derived_from(&ids, &mut Sha256::new()),
            Err(RootKeyError::Weak)
        );
        assert_eq!(
            root.check_not_derived_from(&[&[], &[]], &mut Sha256::new()),
            Ok(())
        );
    }

    #[test]
    fn a_driver_that_fails_is_no_clean_bill() {
        struct Broken;
        impl Kdf for Broken {
            fn hkdf(&self, _: &[u8], _: &[u8], _: &[&[u8]], _: &mut [u8]) -> Result<(), CryptoError> {
                Err(CryptoError::Driver)
            }
            fn hmac(&self, _: &[u8], _: &[&[u8]]) -> Result<[u8; DIGEST_LEN], CryptoError> {
                Err(CryptoError::Driver)
            }
        }
        let key = Secret::from_bytes(Sha256::of(&[b"a key"]));
        let root = DeviceRootKey::new(&key, &Broken).unwrap();
        let checked = root.check_not_derived_from(&IDS, &mut Sha256::new());
        assert_eq!(checked, Err(RootKeyError::Unavailable));
    }
}
